"""The sockets of threads and of event loops, and the attempt whose time limits each operation on them.

Every transport in between passes the attempt on without knowing: the sockets find it in ``current_attempt``.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from math import inf
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpcore

from pinecone_admin._concurrency.sharing import running_loop
from pinecone_admin._text.counts import count_noun

_HTTPCORE_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")

_LOOP_RECEIVE_BYTES = 256 * 1024
"""Bytes that asyncio receives at once at most; uvloop receives 256,000."""

_MAX_WAIT = 2_000_000.0
"""Seconds of the longest wait, 23 days: poll takes less than 2 ** 31 milliseconds."""

TraceListener: TypeAlias = Callable[[str, dict[str, Any]], object]
"""The trace hook of httpcore: a function of the name of an event and its details."""

AsyncTraceListener: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[object]]


class AttemptProgress:
    """How far an attempt got.

    Attributes:
        seen: Whether our own connections took part, or httpcore reported events, so that ``sent`` can be believed.
        sent: Whether sending the request began; what a proxy or TLS needs first does not count.
        secured: Whether a TLS handshake was completed.
    """

    seen: bool = False
    sent: bool = False
    secured: bool = False


class TraceEvents(dict[str, Mapping[str, object]]):
    """Events that a trace hook got, by name. The details of some hold credentials."""

    def record(self, event: str, info: Mapping[str, object]) -> None:
        """Record an event in place of the last one of its name, unless that one says that a request was sent.

        A transport that fails over to another host may open a tunnel after it has sent the request.
        """
        if event not in self or not is_sent(event, self[event]):
            self[event] = info

    def __repr__(self) -> str:
        return f"<{count_noun(len(self), 'event')}>"


def is_sent(event: str, info: Mapping[str, object]) -> bool:
    """Return whether an event says that sending the request began; a CONNECT to a proxy is not the request."""
    is_start = event.endswith(".send_request_headers.started")
    return is_start and getattr(info.get("request"), "method", b"") != b"CONNECT"


class Attempt(AttemptProgress):
    """An attempt, as a context manager in which every connect, read and write ends when its time is up.

    Args:
        seconds: Seconds from now until the attempt ends; None for no limit.
        body_bytes: Size of the body of the request; infinite if that is unknown.

    Attributes:
        body_bytes: As above.
        arrived: What has arrived of a response, or None.
        events: What httpcore reported to the trace hook; used only if no connection of ours took part.
    """

    def __init__(self, seconds: float | None = None, *, body_bytes: float = inf) -> None:
        self.body_bytes = body_bytes
        self._end = inf if seconds is None else time.monotonic() + seconds
        self._token: Token[Attempt] | None = None
        self.arrived: object = None
        self.events: TraceEvents = TraceEvents()

    def __enter__(self) -> Self:
        self._token = current_attempt.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._token is not None  # noqa: S101 - set on entry
        current_attempt.reset(self._token)

    @property
    def seconds_left(self) -> float:
        """The seconds until the attempt ends; below 0 after its end."""
        return self._end - time.monotonic()

    def limit_timeout(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """Return the seconds that an operation may take, given its own timeout.

        Raises:
            Exception: The attempt has ended; of the type ``expired``.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise expired("the time limit of this attempt has passed")
        if left == inf:
            return timeout
        return left if timeout is None or timeout > left else timeout


_NO_ATTEMPT = Attempt()

current_attempt: ContextVar[Attempt] = ContextVar("pinecone_admin_attempt", default=_NO_ATTEMPT)
"""The attempt that is under way, or one without a limit where there is none."""


def record_events(attempt: Attempt, listener: TraceListener | None) -> TraceListener:
    """Return a trace hook that records events in the attempt and forwards them to another listener, if any."""

    def record_and_forward(event: str, info: dict[str, Any]) -> object:
        attempt.events.record(event, info)
        return None if listener is None else listener(event, info)

    return record_and_forward


def async_record_events(attempt: Attempt, listener: AsyncTraceListener | None) -> AsyncTraceListener:
    """Async twin of ``record_events``: httpcore awaits the hook of async transports."""

    async def record_and_forward(event: str, info: dict[str, Any]) -> None:
        attempt.events.record(event, info)
        if listener is not None:
            await listener(event, info)

    return record_and_forward


def _keep_event_name(record: logging.LogRecord) -> bool:
    # The details of all events but these quote credentials of proxies, response headers and reason phrases.
    if current_attempt.get() is not _NO_ATTEMPT and not record.getMessage().startswith(("connect_tcp.", "start_tls.")):
        record.msg, record.args = record.getMessage().partition(" ")[0], None
    return True


def hide_details_in_logs() -> None:
    """Reduce httpcore's log records about the attempts of this package to what holds no credential."""
    for name in _HTTPCORE_LOGGERS:
        logging.getLogger(name).addFilter(_keep_event_name)  # a filter is added once only


# Child processes of an emulation.

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


# What threads must do explicitly and async backends do themselves.


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


def adapt_stream(stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
    """Return a stream over the same socket that needs fewer system calls; Windows, which has no poll, keeps its own."""
    return _PollingStream(stream) if hasattr(select, "poll") else stream


def async_adapt_stream(stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    """Return the stream itself: an event loop waits for all of its sockets at once."""
    return stream


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
        end = _end_of(timeout)
        try:
            while self._wait(self._readable, end):
                # select(2): a socket may be reported as readable although a read would block.
                with suppress(BlockingIOError):
                    return self._socket.recv(max_bytes)
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
                    end = _end_of(timeout) if end is None else end
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


def _end_of(timeout: float | None) -> float:
    """Return the monotonic time at which a timeout that starts now ends."""
    return inf if timeout is None else time.monotonic() + timeout
