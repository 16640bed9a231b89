"""What a thread has to do for a connection that an event loop does by itself."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import httpcore


def resolve_addresses(host: str) -> list[str]:
    """Look a host up, so that each of its addresses can be tried in turn."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise httpcore.ConnectError(str(exc)) from exc
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def async_resolve_addresses(host: str) -> list[str]:
    """Leave it to the backend, which tries all addresses at once."""
    return [host]


def shut_down_socket(stream: httpcore.NetworkStream) -> None:
    """End a connection for the thread that reads from it, too: it would not notice that another one closes it."""
    with suppress(OSError):
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def async_shut_down_socket(stream: httpcore.AsyncNetworkStream) -> None:
    """Leave it to closing, which a task that reads does notice."""


def bound_nested_tls_reads(stream: httpcore.NetworkStream, left: Callable[[float | None], float | None]) -> None:
    """Bound TLS within the TLS of a proxy: httpcore makes many reads of one, and gives each of them the whole time."""
    outer = stream.get_extra_info("socket")
    if not isinstance(outer, ssl.SSLSocket):
        return
    receive = outer.recv

    def receive_in_time(buflen: int = 1024, flags: int = 0) -> bytes:
        outer.settimeout(left(outer.gettimeout()))
        return receive(buflen, flags)

    outer.recv = receive_in_time  # type: ignore[method-assign]


def async_bound_nested_tls_reads(
    stream: httpcore.AsyncNetworkStream, left: Callable[[float | None], float | None]
) -> None:
    """Leave it to the backend, which times all reads of one together."""
