"""The sockets of threads and of event loops."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from math import inf

import httpcore

from pinecone_admin._concurrency.attempts import current_attempt
from pinecone_admin._concurrency.sharing import running_loop

_READ_BYTES = 64 * 1024
"""Bytes that a thread reads at once at most; the kernel keeps the others."""

_MAX_WAIT = 2_000_000.0
"""Seconds of the longest wait, 23 days: poll takes less than 2 ** 31 milliseconds."""


def make_backend() -> httpcore.NetworkBackend:
    """Return the backend of httpcore that opens sockets of threads."""
    return _ThreadBackend()


def async_make_backend() -> httpcore.AsyncNetworkBackend:
    """Return the backend of httpcore that opens sockets of the running event loop."""
    import asyncio  # noqa: PLC0415 - see the package

    if isinstance(running_loop(), asyncio.AbstractEventLoop):
        return httpcore.AnyIOBackend()  # pyright: ignore[reportReturnType] - httpcore omits a base class for old Pythons
    return httpcore.TrioBackend()  # pyright: ignore[reportReturnType]


def shut_down_socket(stream: httpcore.NetworkStream) -> None:
    """Shut a connection down, which wakes a thread that reads from it."""
    # A read that is blocked does not notice that another thread closes the socket.
    with suppress(OSError):
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def async_shut_down_socket(stream: httpcore.AsyncNetworkStream) -> None:
    """Do nothing: a task that reads notices when the connection is closed."""


class _ThreadBackend(httpcore.SyncBackend):
    """A backend that gives each address of a host its share of the time, as those of event loops do."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host. The time that is left is divided among its addresses."""
        addresses = _resolve_addresses(host)
        for remaining in range(len(addresses), 0, -1):
            # An address that never responds must leave time for the others.
            left = current_attempt.get().limit_timeout(timeout, httpcore.ConnectTimeout)
            share = None if left is None else left / remaining
            try:
                stream = super().connect_tcp(addresses[-remaining], port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if remaining == 1:
                    raise
            else:
                return _PollingStream(stream) if hasattr(select, "poll") else stream  # Windows has no poll
        raise httpcore.ConnectError(f"{host} has no address")


def _resolve_addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise httpcore.ConnectError(str(exc)) from exc
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _PollingStream(httpcore.NetworkStream):
    """A connection of one thread at a time, with fewer system calls than httpcore makes.

    httpcore sets the timeout of the socket before each read and each write, and Python then waits before each. Here no
    timeout is set, and a write waits only if it has to. That is three system calls less for each request. At each of
    them another thread may take the interpreter, so with 32 threads they take a tenth of the time of a request.

    No thread may ask whether it is readable while another one reads.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._socket: socket.socket = stream.get_extra_info("socket")
        self._socket.settimeout(0)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(self._socket, select.POLLIN)
        self._writable.register(self._socket, select.POLLOUT)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for data, and return what has arrived."""
        end = _find_deadline(timeout)
        try:
            while self._wait(self._readable, end):
                # select(2): a socket may be reported as readable although a read would block.
                with suppress(BlockingIOError):
                    return self._socket.recv(min(max_bytes, _READ_BYTES))
        except OSError as exc:
            raise httpcore.ReadError(str(exc)) from exc
        raise httpcore.ReadTimeout("nothing arrived in time")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the whole buffer; wait whenever the system takes no more of it."""
        end: float | None = None
        try:
            while buffer:
                try:
                    buffer = buffer[self._socket.send(buffer) :]
                except BlockingIOError:
                    end = _find_deadline(timeout) if end is None else end
                    if not self._wait(self._writable, end):
                        raise httpcore.WriteTimeout("the peer did not read everything in time") from None
        except OSError as exc:
            raise httpcore.WriteError(str(exc)) from exc

    def _wait(self, poll: select.poll, end: float) -> bool:
        """Wait until reading or writing is possible; return False if that is still not so at the end."""
        # Once another thread has closed the socket, its number may be that of another file. If that happens after this
        # check, the wait may last until its end, but nothing of the other file is read.
        if self._socket.fileno() < 0:
            return True  # reading or writing raises
        return bool(poll.poll(min(max(0.0, end - time.monotonic()), _MAX_WAIT) * 1000))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def get_extra_info(self, info: str) -> object:
        """Return information about the socket."""
        return self._wait(self._readable, 0) if info == "is_readable" else self._stream.get_extra_info(info)


def _find_deadline(timeout: float | None) -> float:
    """Return the monotonic end of a timeout that starts now."""
    return inf if timeout is None else time.monotonic() + timeout
