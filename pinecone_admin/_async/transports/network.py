"""Sockets on which every operation ends with the attempt, even if the server sends its response slowly.

httpx limits each read and write, but not their sum.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import httpcore

from pinecone_admin._concurrency import (
    async_bound_nested_tls_reads,
    async_resolve_addresses,
    async_shield_from_cancellation,
    async_shut_down_socket,
)

_WRITE_CHUNK_BYTES = 64 * 1024
"""Bytes per write: httpcore splits a write to a slow reader, and limits the time of each part but not their sum."""

CLOSE_TIMEOUT = 1.0
"""Seconds that closing a connection may take while its task is cancelled."""

_attempt_end: ContextVar[float | None] = ContextVar("pinecone_admin_attempt_end", default=None)


@contextmanager
def limit_time(seconds: float) -> Generator[None, None, None]:
    """Limit every connect, read and write within the block to end after this many seconds."""
    token = _attempt_end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _attempt_end.reset(token)


def _time_left(timeout: float | None, expired: type[Exception]) -> float | None:
    end = _attempt_end.get()
    if end is None:
        return timeout
    left = end - time.monotonic()
    if left <= 0:
        raise expired("the time limit of this attempt has passed")
    return left if timeout is None else min(timeout, left)


class AsyncBoundedBackend(httpcore.AsyncNetworkBackend):
    """Open connections through another backend, limit their time, and close all of them on request."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend
        self._closed = False
        self.streams: set[AsyncBoundedStream] = set()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host. The time that is left is divided among its addresses."""
        addresses = await async_resolve_addresses(host)
        for remaining in range(len(addresses), 0, -1):
            # An address that never responds must leave time for the others.
            left = _time_left(timeout, httpcore.ConnectTimeout)
            share = None if left is None else left / remaining
            try:
                stream = await self._backend.connect_tcp(
                    addresses[-remaining], port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if remaining == 1:
                    raise
            else:
                return await self.wrap_stream(stream)
        raise httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a Unix domain socket."""
        left = _time_left(timeout, httpcore.ConnectTimeout)
        return await self.wrap_stream(await self._backend.connect_unix_socket(path, left, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Sleep between connection retries of httpcore, which this package does not use."""
        await self._backend.sleep(seconds)

    async def wrap_stream(self, stream: httpcore.AsyncNetworkStream) -> AsyncBoundedStream:
        """Return the new stream with its time limited, or close it if the backend has been closed meanwhile."""
        wrapped = AsyncBoundedStream(stream, self)
        self.streams.add(wrapped)
        if self._closed:  # checked last, because another thread may close the backend meanwhile
            await wrapped.aclose()
            raise httpcore.ConnectError("closed while the connection was being opened")
        return wrapped

    async def aclose(self) -> None:
        """Close all streams, including one that is still connecting, which httpcore does not track."""
        self._closed = True
        for stream in list(self.streams):
            await stream.aclose()


class AsyncBoundedStream(httpcore.AsyncNetworkStream):
    """Read and write through another stream, within the time limit."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, backend: AsyncBoundedBackend) -> None:
        self._stream = stream
        self._backend = backend

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Read up to ``max_bytes``."""
        return await self._stream.read(max_bytes, _time_left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write the whole buffer."""
        for start in range(0, len(buffer), _WRITE_CHUNK_BYTES):
            await self._stream.write(
                buffer[start : start + _WRITE_CHUNK_BYTES], _time_left(timeout, httpcore.WriteTimeout)
            )

    async def aclose(self) -> None:
        """Close the connection."""
        self._backend.streams.discard(self)
        async_shut_down_socket(self._stream)
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> httpcore.AsyncNetworkStream:
        """Start TLS and return the encrypted stream."""
        left = _time_left(timeout, httpcore.ConnectTimeout)
        async_bound_nested_tls_reads(self._stream, partial(_time_left, expired=httpcore.ReadTimeout))
        try:
            secured = await self._stream.start_tls(ssl_context, server_hostname, left)
        except BaseException:
            # httpcore closes the stream if the handshake fails, but not if it is cancelled.
            with async_shield_from_cancellation(CLOSE_TIMEOUT):
                await self.aclose()
            raise
        self._backend.streams.discard(self)
        return await self._backend.wrap_stream(secured)

    def get_extra_info(self, info: str) -> Any:
        """Return information from the wrapped stream."""
        return self._stream.get_extra_info(info)
