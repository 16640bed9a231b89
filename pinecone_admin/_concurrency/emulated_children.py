"""Child processes of an emulation, which have its credentials and no interception."""

from __future__ import annotations

import os
import socket

import httpcore

from pinecone_admin._concurrency.attempts import current_attempt

_PRODUCTION_HOSTS = frozenset({"api.pinecone.io", "login.pinecone.io"})

EMULATED_VARIABLE = "PINECONE_ADMIN_EMULATED"
"""Environment variable that ``emulate()`` sets: a child process has its credentials, and no interception."""

_EMULATED = (
    f"{EMULATED_VARIABLE} is set, as emulate() does to keep its child processes from Pinecone's own service; "
    "emulate(serve=True) serves the emulator to them, at the addresses that it sets in the environment"
)


def match_production_host(host: object) -> str | None:
    """Return the usual spelling of a host, text or bytes, if it is one of Pinecone's own, else None."""
    text = host.decode("latin-1") if isinstance(host, bytes) else str(host)
    name = text.lower().rstrip(".")
    return name if name in _PRODUCTION_HOSTS else None


def refuse_production_in_child(host: object) -> None:
    """Raise if a request for a host of Pinecone would leave a child process of an emulation.

    In the process of the emulation itself, and in those forked from it, no such request comes so far.

    Raises:
        httpcore.ConnectError: It would; a retry cannot help, as for a host that does not exist.
    """
    if EMULATED_VARIABLE in os.environ and match_production_host(host):
        current_attempt.get().seen = True
        raise httpcore.ConnectError(_EMULATED) from socket.gaierror(socket.EAI_NONAME, _EMULATED)
