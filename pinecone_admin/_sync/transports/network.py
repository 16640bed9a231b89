# Derived from pinecone_admin/_async/transports/network.py by scripts/unasync.py: change that, not this file.
"""Sockets on which every operation ends with the attempt, and which can tell whether anything is left to read.

httpx limits each read and write, but not their sum. The streams of httpcore show only what waits in the kernel, but an
unsolicited response can also wait in a TLS record or in the queue of an event loop. TLS is therefore done here, over
plain sockets, in the same way for threads, asyncio and trio, and for TLS within the TLS of a proxy.
"""

from __future__ import annotations

import ssl
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from functools import partial
from math import inf
from typing import Any, TypeVar

import httpcore

from pinecone_admin._concurrency.attempts import current_attempt
from pinecone_admin._concurrency.sockets import make_backend, shut_down_socket
from pinecone_admin._concurrency.waiting import shield_from_cancellation

_T = TypeVar("_T")

_WRITE_CHUNK_BYTES = 64 * 1024
"""Bytes per write: httpcore splits a write to a slow reader, and limits the time of each part but not their sum."""

_READ_BYTES = 64 * 1024

_RECEIVE_BYTES = 256 * 1024
"""Bytes that an event loop receives at once at most, so that it keeps no others, which nothing would show."""

_RECORD_HEADER_BYTES = 5
"""Bytes before the content of a record of TLS; the last two are its length."""

_FULL_RECEIVE_BYTES = 250_000
"""An event loop that received so much at once may have received more, which it keeps in a queue."""

_SOCKS_VERSION, _SOCKS_CREDENTIALS, _SOCKS_GREETING_BYTES = b"\x05", b"\x01", 3

_SURPLUS = "the proxy sent more than its response, or closed the connection"

CLOSE_TIMEOUT = 1.0
"""Seconds that closing a connection may take while its task is cancelled."""


class BoundedBackend(httpcore.NetworkBackend):
    """Open connections, limit their time, and close all of them on request.

    Attributes:
        was_used: Whether a connection was ever asked for; otherwise, something above has handled all requests.
        streams: The open sockets.
    """

    def __init__(self) -> None:
        self._backend = make_backend()
        self._closed = False
        self.was_used = False
        self.streams: set[_SocketStream] = set()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host within the time limit."""
        attempt = current_attempt.get()
        self.was_used = attempt.seen = True
        left = attempt.limit_timeout(timeout, httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        adopted = _SocketStream(stream, self.streams)
        self.streams.add(adopted)
        if self._closed:  # checked last, because another thread may close the backend meanwhile
            adopted.close()
            raise httpcore.ConnectError("closed while the connection was being opened")
        return adopted

    def close(self) -> None:
        """Close all streams, including one that is still connecting, which httpcore does not track."""
        self._closed = True
        for stream in list(self.streams):
            with suppress(Exception):  # the others must be closed, too
                stream.close()


class _Stream(httpcore.NetworkStream):
    """A stream that records the progress of the attempt, and what it has received but not handed on."""

    def __init__(self) -> None:
        self._unread = b""
        self._unsent = b""
        self._flush_size: float = 0  # what is unsent goes out when it has this size, even if more may follow
        self._carries_requests = False
        self._measure_reply: Callable[[bytes], int] | None = None  # set while a proxy opens a tunnel

    @abstractmethod
    def receive(self, timeout: float | None) -> bytes:
        """Return at least one byte, or nothing at the end."""

    @abstractmethod
    def transmit(self, buffer: bytes, timeout: float | None) -> None:
        """Send the whole buffer."""

    @abstractmethod
    def is_readable(self) -> bool:
        """Return whether this stream or one below it has anything to read, or its end."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to ``max_bytes``."""
        if self._unsent:
            # The server may have responded before it had read the whole request.
            with suppress(httpcore.WriteError):
                self._flush_unsent(timeout)
        if self._measure_reply is not None:
            max_bytes = self._receive_reply(self._measure_reply, timeout)
        elif not self._unread:
            self._unread = self.receive(timeout)
        data, self._unread = self._unread[:max_bytes], self._unread[max_bytes:]
        return data

    def _receive_reply(self, measure: Callable[[bytes], int], timeout: float | None) -> int:
        """Receive a proxy's reply, so far as it must be read at once, and return its length."""
        while len(self._unread) < (size := measure(self._unread)):
            received = self.receive(timeout)
            if not received:
                raise httpcore.ConnectError("the proxy closed the connection before its response was complete")
            self._unread += received
        return size

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the whole buffer, a small one with what follows it.

        The headers of a request and its small body go out together: each write costs a system call, and wakes the
        server. They go out as soon as they are whole, so that the server works while h11 notes the end of the request
        and prepares to read.
        """
        if buffer and not self._unsent:
            # What follows a reply of a SOCKS proxy would be taken for the response to a request without TLS.
            if self._measure_reply is not None and self.has_unread_data():
                raise httpcore.ConnectError(_SURPLUS)
            self._measure_reply = None if self._carries_requests else _find_reply_measure(buffer)
            self._carries_requests = self._measure_reply is None
            request_size = len(buffer) + current_attempt.get().body_bytes if self._carries_requests else inf
            self._flush_size = min(request_size, _WRITE_CHUNK_BYTES)
        self._unsent += buffer
        # The end of a request is an empty write. A message of SOCKS has none: it goes out when the reply is read.
        if self._unsent and (not buffer or len(self._unsent) >= self._flush_size):
            self._flush_unsent(timeout)

    def _flush_unsent(self, timeout: float | None) -> None:
        attempt, buffer = current_attempt.get(), self._unsent
        self._unsent = b""
        attempt.seen = True
        # A write that fails counts as sent, because part of it may have arrived.
        attempt.sent = attempt.sent or self._measure_reply is None
        self.transmit(buffer, timeout)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Start TLS and return the encrypted stream."""
        if self._unread:
            raise httpcore.ConnectError(_SURPLUS)
        try:
            secured = _TLSStream(self, ssl_context, server_hostname)
            with _connect_errors():
                secured.do_handshake(timeout)
        except BaseException:
            # httpcore does not close a stream whose handshake is cancelled.
            with shield_from_cancellation(CLOSE_TIMEOUT):
                self.close()
            raise
        current_attempt.get().secured = True
        return secured

    def has_unread_data(self) -> bool:
        """Return whether anything was received and not handed on, or can be received."""
        readable: bool = self.get_extra_info("is_readable")
        return readable

    def get_extra_info(self, info: str) -> Any:
        """Return information about the connection; httpcore asks whether it is readable before it is used again."""
        if info == "is_readable":
            return bool(self._unread) or self.is_readable()
        return self.get_lower_info(info)

    @abstractmethod
    def get_lower_info(self, info: str) -> Any:
        """Return information that the streams below have."""


class _SocketStream(_Stream):
    """Read from and write to a socket within the time limit."""

    def __init__(self, stream: httpcore.NetworkStream, open_streams: set[_SocketStream]) -> None:
        super().__init__()
        self._stream = stream
        self._open_streams = open_streams
        self._may_hide_data = False

    def receive(self, timeout: float | None) -> bytes:
        """Return everything that has arrived."""
        attempt = current_attempt.get()
        attempt.seen = True
        data = self._stream.read(_RECEIVE_BYTES, attempt.limit_timeout(timeout, httpcore.ReadTimeout))
        self._may_hide_data = len(data) >= _FULL_RECEIVE_BYTES
        return data

    def transmit(self, buffer: bytes, timeout: float | None) -> None:
        """Send the whole buffer in pieces."""
        attempt = current_attempt.get()
        for start in range(0, len(buffer), _WRITE_CHUNK_BYTES):
            self._stream.write(
                buffer[start : start + _WRITE_CHUNK_BYTES], attempt.limit_timeout(timeout, httpcore.WriteTimeout)
            )

    def is_readable(self) -> bool:
        """Return whether the socket or the event loop holds data."""
        return self._may_hide_data or bool(self._stream.get_extra_info("is_readable"))

    def close(self) -> None:
        """Close the connection."""
        self._open_streams.discard(self)
        shut_down_socket(self._stream)
        self._stream.close()

    def get_lower_info(self, info: str) -> Any:
        """Return information about the socket."""
        return self._stream.get_extra_info(info)


class _TLSStream(_Stream):
    """TLS over another stream, which may be encrypted itself."""

    def __init__(self, lower: _Stream, ssl_context: ssl.SSLContext, server_hostname: str | None) -> None:
        super().__init__()
        self._lower = lower
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = ssl_context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._open_record = b""

    def do_handshake(self, timeout: float | None) -> None:
        """Do the handshake."""
        try:
            self._run(self._tls.do_handshake, timeout)
        except ssl.SSLError:
            with suppress(httpcore.NetworkError, httpcore.TimeoutException):
                self._flush(timeout)  # the alert that tells the server why
            raise

    def receive(self, timeout: float | None) -> bytes:
        """Return the content of a record."""
        try:
            return self._run(partial(self._tls.read, _READ_BYTES), timeout)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""
        except ssl.SSLError as exc:
            raise httpcore.ReadError(str(exc)) from exc

    def transmit(self, buffer: bytes, timeout: float | None) -> None:
        """Encrypt and send the whole buffer in pieces."""
        try:
            while buffer:
                # OpenSSL takes one record at a time.
                written = self._run(partial(self._tls.write, buffer[:_WRITE_CHUNK_BYTES]), timeout)
                buffer = buffer[written:]
        except ssl.SSLError as exc:
            raise httpcore.WriteError(str(exc)) from exc

    def _run(self, step: Callable[[], _T], timeout: float | None) -> _T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush(timeout)
                self._feed(self._lower.receive(timeout))
            else:
                self._flush(timeout)
                return result

    def _flush(self, timeout: float | None) -> None:
        if self._outgoing.pending:
            self._lower.transmit(self._outgoing.read(), timeout)

    def _feed(self, data: bytes) -> None:
        if not data:
            self._incoming.write_eof()
            return
        self._incoming.write(data)
        # OpenSSL does not tell whether it holds the beginning of a record.
        rest = self._open_record + data
        while len(rest) >= (size := _RECORD_HEADER_BYTES + int.from_bytes(rest[3:_RECORD_HEADER_BYTES], "big")):
            rest = rest[size:]
        self._open_record = rest

    def is_readable(self) -> bool:
        """Return whether any layer holds data. A byte that is found is lost: the connection is of no more use."""
        if self._open_record or self._lower.has_unread_data():
            return True
        try:
            self._tls.read(1)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            pass  # the end of the connection
        return True

    def close(self) -> None:
        """Close the connection."""
        self._lower.close()

    def get_lower_info(self, info: str) -> Any:
        """Return the object of TLS, or information about the socket."""
        return self._tls if info == "ssl_object" else self._lower.get_extra_info(info)


def _find_reply_measure(request: bytes) -> Callable[[bytes], int] | None:
    """Return a function that tells how long a proxy's reply to this request is; None if it is not for a proxy.

    h11 and socksio take all that one read returns for the reply, and drop or misread what follows it.
    """
    if request.startswith(b"CONNECT "):
        return lambda _: 1  # h11 finds the end, and needs no more at once
    if request.startswith(_SOCKS_CREDENTIALS):
        return lambda _: 2
    if request.startswith(_SOCKS_VERSION):
        return partial(_measure_socks_reply, is_greeting=len(request) == _SOCKS_GREETING_BYTES)
    return None  # a request of HTTP begins with a letter


def _measure_socks_reply(received: bytes, *, is_greeting: bool) -> int:
    """Return the length of a reply of which some bytes have been received, as far as they tell it (RFC 1928)."""
    if not _SOCKS_VERSION.startswith(received[:1]):
        raise httpcore.ConnectError("the proxy does not speak SOCKS 5")
    if is_greeting:
        return 2
    if len(received) < (shortest := 5):
        return shortest
    address_bytes = {1: 4, 3: 1 + received[4], 4: 16}.get(received[3], 0)  # IPv4, a name with its length, IPv6
    return 4 + address_bytes + 2


@contextmanager
def _connect_errors() -> Generator[None, None, None]:
    try:
        yield
    except httpcore.TimeoutException as exc:
        raise httpcore.ConnectTimeout(str(exc)) from exc
    except (httpcore.NetworkError, ssl.SSLError) as exc:
        raise httpcore.ConnectError(str(exc)) from exc
