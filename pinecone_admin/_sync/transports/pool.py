# Derived from pinecone_admin/_async/transports/pool.py by scripts/unasync.py: change that, not this file.
"""Connections that are kept for later requests, each of them lent to one request at a time.

The pools of httpcore are used for one connection each. Shared by more, they look at connections that other threads
are using, and close one that has just been taken up again; and a request that is cancelled between two of their steps
leaves a connection behind that counts for ever.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from pinecone_admin._concurrency import FairSemaphore, PerProcess, shield_from_cancellation
from pinecone_admin._sync.transports.network import CLOSE_TIMEOUT, BoundedBackend


class PoolTransport(httpx.BaseTransport):
    """Connections that belong to one process and one event loop.

    In another loop, and in a forked child, a fresh pool is made; the old one is left alone, since closing it from
    the wrong side would end connections that are in use elsewhere.

    Args:
        context: TLS for every connection.
        proxy: The proxy to go through, if any.
        max_connections: How many connections a pool opens at most.
        keep: Whether they stay open for later requests.
        closed: Set before they are closed for good, after which none is opened.
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
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=int(keep))
        self._pools = PerProcess(lambda: _ConnectionPool(self._make_connection, max_connections))
        self._closed = closed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection of this process and loop."""
        pool = self._pools.get()
        if self._closed.is_set():  # asked last, as another thread may close it meanwhile
            raise httpx.ConnectError("closed before the request was sent")
        return pool.send(request)

    def close(self) -> None:
        """Close the connections of this process and loop."""
        pool = self._pools.pop()
        if pool is not None:
            pool.close()

    def _make_connection(self) -> _Connection:
        return _Connection(verify=self._context, proxy=self._proxy, limits=self._limits, trust_env=False)


class _Connection(httpx.HTTPTransport):
    """One connection, which is opened when it is used."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # httpx has no parameter for it, hence its private pool; pyproject.toml holds httpx below 0.29.
        backend = self._pool._network_backend  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._backend = BoundedBackend(backend)
        self._pool._network_backend = self._backend  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    def close(self) -> None:
        """Close it for good, also where it is just being opened."""
        try:
            super().close()
        finally:
            self._backend.close()

    def is_reusable(self) -> bool:
        """Tell whether the answer has ended, and nothing came behind it that httpcore would take for the next one."""
        layer: Any = next(iter(self._pool.connections), None)
        if layer is not None and not layer.is_idle():
            return False  # a task that is cancelled twice does not even get to close it
        while layer is not None and not hasattr(layer, "_h11_state"):
            layer = getattr(layer, "_connection", None)
        return layer is None or not layer._h11_state.trailing_data[0]  # noqa: SLF001


class _ConnectionPool:
    """At most so many connections."""

    def __init__(self, make: Callable[[], _Connection], size: int) -> None:
        self._make_connection = make
        self._semaphore = FairSemaphore(size)
        self._idle: list[_Connection] = []
        self._in_use: set[_Connection] = set()
        self._closed = False

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection that is its own until the answer is closed."""
        if not self._semaphore.acquire(request.extensions["timeout"]["pool"]):
            raise httpx.PoolTimeout("all connections are in use")
        if self._closed:
            self._semaphore.release()
            raise httpx.ConnectError("closed during the wait for a connection")
        connection = self._acquire()
        try:
            response = connection.handle_request(request)
        except BaseException:
            self.discard_connection(connection)
            raise
        # A new one: what has taken the place of httpx.HTTPTransport can give one whose closing does nothing any more.
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_PooledStream(response.stream, connection, self),  # type: ignore[arg-type]
            extensions=response.extensions,
        )

    def _acquire(self) -> _Connection:
        try:
            connection = self._idle.pop()  # the one used last, which the server has least reason to have closed
        except IndexError:
            connection = self._make_connection()
        self._in_use.add(connection)
        return connection

    def release_connection(self, connection: _Connection) -> None:
        """Keep a connection for the next request."""
        if connection.is_reusable():
            self._in_use.discard(connection)
            self._idle.append(connection)
            if not self._closed:  # asked last, as another thread may close it meanwhile
                self._semaphore.release()
                return
        self.discard_connection(connection)

    def discard_connection(self, connection: _Connection) -> None:
        """Close a connection that was not used to its end."""
        self._in_use.discard(connection)
        try:
            with shield_from_cancellation(CLOSE_TIMEOUT):
                connection.close()
        finally:
            self._semaphore.release()

    def close(self) -> None:
        """Close all connections, those in use too."""
        self._closed = True
        for connection in [*self._idle, *self._in_use]:
            connection.close()


class _PooledStream(httpx.SyncByteStream):
    """The body of an answer, whose end gives the connection back."""

    def __init__(self, stream: httpx.SyncByteStream, connection: _Connection, pool: _ConnectionPool) -> None:
        self._stream = stream
        self._connection = connection
        self._pool = pool

    def __iter__(self) -> Iterator[bytes]:
        return self._stream.__iter__()

    def close(self) -> None:
        """Be done with the answer."""
        try:
            self._stream.close()
        except BaseException:
            self._pool.discard_connection(self._connection)
            raise
        self._pool.release_connection(self._connection)
