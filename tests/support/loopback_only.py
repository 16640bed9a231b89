"""Notice every connection and look-up beyond this machine, whichever library makes it.

Usage: python -m tests.support.loopback_only MODULE [ARGUMENTS]: run a module, and exit at once with 70 if it tries one.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable

_LOCAL = {"", "localhost", "::1", "0.0.0.0", "None"}


def watch(report: Callable[[str], None]) -> None:
    """Call a function with each address beyond this machine before it is used; this cannot be undone."""

    # An audit hook sees all stacks that use sockets of the interpreter, and none can replace it.
    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith("socket."):
            address = find_address(event, arguments)
            if address is not None and address not in _LOCAL and not address.startswith("127."):
                report(address)

    sys.addaudithook(audit)


def find_address(event: str, arguments: tuple[object, ...]) -> str | None:
    """Return the address that an audited call reaches, or None if it reaches none."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        return _decode(arguments[0])
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and isinstance(arguments[1], tuple):
        return _decode(arguments[1][0])
    return None


def _decode(host: object) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)


def exit_at_once(address: str) -> None:
    """Report an address and end the process: an error could be swallowed by whoever retries."""
    sys.stderr.write(f"beyond this machine: {address}\n")
    sys.stderr.flush()
    os._exit(70)


if __name__ == "__main__":
    watch(exit_at_once)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
