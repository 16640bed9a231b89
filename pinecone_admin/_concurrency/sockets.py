"""Socket operations that threads must do explicitly and async backends do themselves."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import httpcore


def resolve_addresses(host: str) -> list[str]:
    """Return the addresses of a host, so that they can be tried in turn.

    Raises:
        httpcore.ConnectError: The name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise httpcore.ConnectError(str(exc)) from exc
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def async_resolve_addresses(host: str) -> list[str]:
    """Return the host itself: an async backend resolves it and tries all addresses at once."""
    return [host]


def shut_down_socket(stream: httpcore.NetworkStream) -> None:
    """Shut a connection down, which wakes a thread that reads from it."""
    # A read that is blocked does not notice that another thread closes the socket.
    with suppress(OSError):
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def async_shut_down_socket(stream: httpcore.AsyncNetworkStream) -> None:
    """Do nothing: a task that reads notices when the connection is closed."""


def bound_nested_tls_reads(stream: httpcore.NetworkStream, left: Callable[[float | None], float | None]) -> None:
    """Limit reads of TLS inside the TLS of a proxy to the time left.

    Args:
        stream: Stream of a connection; others than nested TLS are left alone.
        left: Returns the timeout in seconds for a read, given the timeout that httpcore set.
    """
    # httpcore splits one read into many of the outer socket, and gives each of them the whole timeout.
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
    """Do nothing: an async backend limits all the reads that one read needs together."""
