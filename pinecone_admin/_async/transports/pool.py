"""Connections that are kept for later requests, each used by one request at a time.

Each pool of httpcore holds a single connection here. If several requests share such a pool, it inspects connections
that other threads are using and can close one that has just been taken; and a request that is cancelled between
connecting and sending leaves a connection behind that counts forever.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from pinecone_admin._async.transports.network import CLOSE_TIMEOUT, AsyncBoundedBackend
from pinecone_admin._concurrency import AsyncFairSemaphore, PerLoop, async_shield_from_cancellation


class AsyncPoolTransport(httpx.AsyncBaseTransport):
    """Send requests over the connections of this process and event loop.

    Another event loop or a forked child gets a new pool. The old pool is left open, because closing it there would end
    connections that are still in use.

    Args:
        ssl_context: TLS settings for every connection.
        proxy: Proxy to use, if any.
        max_connections: Maximum number of connections in a pool.
        keep: Whether connections stay open for later requests.
        closed: Event that is set before the transport is closed for good; from then on, no connection is opened.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext,
        proxy: httpx.Proxy | None,
        max_connections: int,
        keep: bool,
        closed: threading.Event,
    ) -> None:
        self._context = ssl_context
        self._proxy = proxy
        # One connection per pool of httpcore; see the module docstring.
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=int(keep))
        self._pools = PerLoop(lambda: _ConnectionPool(self._make_connection, max_connections))
        self._closed = closed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection of this process and event loop."""
        pool = self._pools.get()
        if self._closed.is_set():  # checked last, because another thread may close it meanwhile
            raise httpx.ConnectError("closed before the request was sent")
        return await pool.send(request)

    async def aclose(self) -> None:
        """Close the connections of this process and event loop."""
        pool = self._pools.pop()
        if pool is not None:
            await pool.aclose()

    def _make_connection(self) -> _Connection:
        return _Connection(verify=self._context, proxy=self._proxy, limits=self._limits, trust_env=False)


class _Connection(httpx.AsyncHTTPTransport):
    """A single connection, opened on first use."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # httpx has no parameter for the backend, so its private pool is used; pyproject.toml pins httpx below 0.29.
        backend = self._pool._network_backend  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._backend = AsyncBoundedBackend(backend)
        self._pool._network_backend = self._backend  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    async def aclose(self) -> None:
        """Close the connection for good, even while it is being opened."""
        try:
            await super().aclose()
        finally:
            await self._backend.aclose()

    def is_reusable(self) -> bool:
        """Return whether the response has ended and no bytes follow it that httpcore would take for the next one."""
        layer: Any = next(iter(self._pool.connections), None)
        if layer is not None and not layer.is_idle():
            return False  # a task that is cancelled twice may not have closed the response
        while layer is not None and not hasattr(layer, "_h11_state"):
            layer = getattr(layer, "_connection", None)
        return layer is None or not layer._h11_state.trailing_data[0]  # noqa: SLF001


class _ConnectionPool:
    """A limited number of connections, each acquired by one request at a time."""

    def __init__(self, make: Callable[[], _Connection], size: int) -> None:
        self._make_connection = make
        self._semaphore = AsyncFairSemaphore(size)
        self._idle: list[_Connection] = []
        self._in_use: set[_Connection] = set()
        self._closed = False

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection that is reserved for it until the response is closed."""
        if not await self._semaphore.acquire(request.extensions["timeout"]["pool"]):
            raise httpx.PoolTimeout("all connections are in use")
        if self._closed:
            self._semaphore.release()
            raise httpx.ConnectError("closed during the wait for a connection")
        connection = self._acquire()
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await self.discard_connection(connection)
            raise
        # Build a new response: one from a patched httpx.HTTPTransport may be closed already, and aclose does nothing.
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_PooledStream(response.stream, connection, self),  # type: ignore[arg-type]
            extensions=response.extensions,
        )

    def _acquire(self) -> _Connection:
        try:
            connection = self._idle.pop()  # the one used last, which the server is least likely to have closed
        except IndexError:
            connection = self._make_connection()
        self._in_use.add(connection)
        return connection

    async def release_connection(self, connection: _Connection) -> None:
        """Return a connection to the pool, or close it if it is not reusable."""
        if connection.is_reusable():
            self._in_use.discard(connection)
            self._idle.append(connection)
            if not self._closed:  # checked last, because another thread may close it meanwhile
                self._semaphore.release()
                return
        await self.discard_connection(connection)

    async def discard_connection(self, connection: _Connection) -> None:
        """Close a connection whose response was not read to the end."""
        self._in_use.discard(connection)
        try:
            with async_shield_from_cancellation(CLOSE_TIMEOUT):
                await connection.aclose()
        finally:
            self._semaphore.release()

    async def aclose(self) -> None:
        """Close all connections, including those in use."""
        self._closed = True
        for connection in [*self._idle, *self._in_use]:
            await connection.aclose()


class _PooledStream(httpx.AsyncByteStream):
    """Body of a response that releases its connection when closed."""

    def __init__(self, stream: httpx.AsyncByteStream, connection: _Connection, pool: _ConnectionPool) -> None:
        self._stream = stream
        self._connection = connection
        self._pool = pool

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        """Close the body and release the connection."""
        try:
            await self._stream.aclose()
        except BaseException:
            await self._pool.discard_connection(self._connection)
            raise
        await self._pool.release_connection(self._connection)
