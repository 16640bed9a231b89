"""Socket operations that threads must do explicitly and async backends do themselves."""

from __future__ import annotations

import socket
from contextlib import suppress

import httpcore

from pinecone_admin._concurrency.sharing import running_loop

_LOOP_RECEIVE_BYTES = 256 * 1024
"""Bytes that asyncio receives at once at most; uvloop receives 256,000."""


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


def make_backend() -> httpcore.NetworkBackend:
    """Return the backend of httpcore that opens sockets of threads."""
    return httpcore.SyncBackend()


def async_make_backend() -> httpcore.AsyncNetworkBackend:
    """Return the backend of httpcore that opens sockets of the running event loop."""
    import asyncio  # noqa: PLC0415 - see the package

    if isinstance(running_loop(), asyncio.AbstractEventLoop):
        return httpcore.AnyIOBackend()  # pyright: ignore[reportReturnType] - httpcore omits a base class for old Pythons
    return httpcore.TrioBackend()  # pyright: ignore[reportReturnType]


def receive_size(max_bytes: int) -> int:
    """Return how many bytes to ask a socket for; the kernel keeps the others."""
    return max_bytes


def async_receive_size(max_bytes: int) -> int:
    """Return how many bytes to ask a socket for, so that the event loop keeps no others, which nothing would show."""
    return max(max_bytes, _LOOP_RECEIVE_BYTES)
