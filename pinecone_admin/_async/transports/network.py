"""Sockets that no answer can keep open past the attempt's end, however slowly it drips.

httpx times each read and write by itself, and has no bound for all of them together.
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
"""Bytes written at a time: httpcore times each of the writes that a slow reader makes of one, and not all together."""

CLOSE_TIMEOUT = 1.0
"""Seconds that closing a connection may take while its task is cancelled."""

_attempt_end: ContextVar[float | None] = ContextVar("pinecone_admin_attempt_end", default=None)


@contextmanager
def limit_time(seconds: float) -> Generator[None, None, None]:
    """Let every connect, read and write within end after this many seconds."""
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
        raise expired("the time for this attempt is over")
    return left if timeout is None else min(timeout, left)


class AsyncBoundedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections as another backend does, within the bound, and closes whatever it has opened."""

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
        """Connect to a host."""
        addresses = await async_resolve_addresses(host)
        for remaining in range(len(addresses), 0, -1):
            # An address that swallows what is sent to it leaves the others their share of the time.
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
        """Connect to a socket in the file system."""
        left = _time_left(timeout, httpcore.ConnectTimeout)
        return await self.wrap_stream(await self._backend.connect_unix_socket(path, left, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Sleep between the connection retries of httpcore, which we leave off."""
        await self._backend.sleep(seconds)

    async def wrap_stream(self, stream: httpcore.AsyncNetworkStream) -> AsyncBoundedStream:
        """Keep a new stream within the bound, unless all were closed while it was made."""
        wrapped = AsyncBoundedStream(stream, self)
        self.streams.add(wrapped)
        if self._closed:  # asked last, as another thread may close them meanwhile
            await wrapped.aclose()
            raise httpcore.ConnectError("closed while the connection was made")
        return wrapped

    async def aclose(self) -> None:
        """Close all streams; httpcore forgets one that is still being made."""
        self._closed = True
        for stream in list(self.streams):
            await stream.aclose()


class AsyncBoundedStream(httpcore.AsyncNetworkStream):
    """Reads and writes as another stream does, within the bound."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, backend: AsyncBoundedBackend) -> None:
        self._stream = stream
        self._backend = backend

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Read what is there."""
        return await self._stream.read(max_bytes, _time_left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write all of it."""
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
        """Go on within TLS."""
        left = _time_left(timeout, httpcore.ConnectTimeout)
        async_bound_nested_tls_reads(self._stream, partial(_time_left, expired=httpcore.ReadTimeout))
        try:
            secured = await self._stream.start_tls(ssl_context, server_hostname, left)
        except BaseException:
            # httpcore closes it after a failure, and not where the handshake is cancelled.
            with async_shield_from_cancellation(CLOSE_TIMEOUT):
                await self.aclose()
            raise
        self._backend.streams.discard(self)
        return await self._backend.wrap_stream(secured)

    def get_extra_info(self, info: str) -> Any:
        """Give what the stream below knows of itself."""
        return self._stream.get_extra_info(info)
