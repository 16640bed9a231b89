"""Send requests over a pool of connections, each used by one at a time, or over a transport of the caller's.

Each connection stands alone in the place where an httpx transport has its pool. The transport stays above it, because
OpenTelemetry, pytest-httpx, respx, vcr and ``emulate()`` intercept requests there. A pool of httpcore that several
requests share would inspect connections that other threads are using and could close one that has just been taken; and
a request that is cancelled between connecting and sending would leave a connection behind that counts forever.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, cast

import httpcore
import httpx

from pinecone_admin._async.transports.network import CLOSE_TIMEOUT, AsyncBoundedBackend
from pinecone_admin._concurrency.attempts import Attempt, async_record_events, hide_details_in_logs
from pinecone_admin._concurrency.emulated_children import refuse_production_in_child
from pinecone_admin._concurrency.sharing import AsyncFairSemaphore, PerLoop
from pinecone_admin._concurrency.waiting import async_call_within, async_shield_from_cancellation
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedResponse
from pinecone_admin._http.transport_errors import ResponseTooLargeError

_KEEPALIVE_EXPIRY = 5.0
"""Seconds after which an idle connection is not used again, as in httpx: a firewall may have forgotten it."""


class AsyncPools:
    """Sends requests over the connections of this process and event loop.

    Another event loop or a forked child gets a new pool. The old pool is left open, because closing it there would end
    connections that are still in use.

    Args:
        ssl_context: TLS settings for every connection; None if nothing that they connect to has an https URL.
        proxy: Proxy to use, if any.
        max_connections: Maximum number of connections in a pool.
        keep: Whether connections stay open for later requests.
        closed: Event that is set before the pools are closed for good; from then on, no connection is opened.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None,
        proxy: httpx.Proxy | None,
        max_connections: int,
        keep: bool,
        closed: threading.Event,
    ) -> None:
        self._context = ssl_context
        self._proxy = proxy
        self._keep = keep
        self._pools = PerLoop(lambda: _ConnectionPool(self._make_connection, max_connections))
        self._closed = closed
        hide_details_in_logs()

    async def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Send a request once, over a connection that is reserved for it until the response is read."""
        pool = self._pools.get()
        if self._closed.is_set():  # checked after the pool was fetched: one that aclose did not see must not be used
            attempt.seen = True
            raise httpx.ConnectError("closed before the request was sent")
        request.extensions["trace"] = async_record_events(attempt, None)
        connection = await pool.acquire_connection(request.url, attempt)
        try:
            response = await send_and_read(connection, request, attempt, max_bytes=max_bytes)
            if connection.is_reusable():
                await pool.release_connection(connection)
            else:
                await pool.discard_connection(connection)
        except BaseException:
            await pool.discard_connection(connection)
            raise
        return response

    async def aclose(self) -> None:
        """Close the connections of this process and event loop."""
        pool = self._pools.pop()
        if pool is not None:
            await pool.aclose()

    def _make_connection(self, origin: httpcore.Origin) -> _Connection:
        return _Connection(origin, ssl_context=self._context, proxy=self._proxy, keep=self._keep)


async def send_and_read(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, attempt: Attempt, *, max_bytes: int
) -> BufferedResponse:
    """Send a request over any transport and read the response.

    If an error response breaks off or is too large, the part that arrived describes it.

    Raises:
        ResponseTooLargeError: The body of a success is larger than ``max_bytes``.
        Exception: Whatever the transport raises.
    """
    response = await transport.handle_async_request(request)
    # The first of several values counts. ``httpx.Headers.get`` would decode all headers, each time.
    headers = {name.lower(): value for name, value in reversed(response.headers.raw)}
    attempt.arrived = arrived = BufferedResponse(
        response.status_code,
        response.headers,
        b"",
        response.extensions,
        content_encoding=headers.get(b"content-encoding", b""),
        date=headers.get(b"date", b""),
    )
    chunks = list[bytes]()
    try:
        if response.is_stream_consumed and not isinstance(response.stream, httpx.ByteStream):
            # The caller's transport has read the body, and decoded it.
            kept = [each for each in response.headers.raw if each[0].lower() != b"content-encoding"]
            arrived.headers, arrived.content_encoding = httpx.Headers(kept), b""
            chunks.append(response.content)
            _check_size(len(response.content), max_bytes)
        else:
            announced = b"" if request.method == "HEAD" else headers.get(b"content-length", b"")
            await _read_body(response, chunks, attempt, max_bytes=max_bytes, announced=announced)
    except Exception:
        if response.status_code in SUCCESSES:
            raise
    finally:
        arrived.body = b"".join(chunks)
        with suppress(Exception):
            await response.aclose()
    return arrived


async def _read_body(
    response: httpx.Response, chunks: list[bytes], attempt: Attempt, *, max_bytes: int, announced: bytes
) -> None:
    if announced.isdigit() and int(announced) > max_bytes and response.status_code in SUCCESSES:
        raise ResponseTooLargeError(f"the response announces {announced.decode()} bytes")
    size = 0
    stream: Any = cast("AsyncIterable[bytes]", response.stream).__aiter__()
    try:
        async for chunk in stream:
            size += len(chunk)
            # A transport of the caller's may ignore the timeouts that it gets. What arrived in one piece is used.
            if chunks and attempt.seconds_left <= 0:
                raise time_limit_error()
            chunks.append(chunk)
            _check_size(size, max_bytes)
    finally:
        # An unfinished generator must be closed here: under trio, the garbage collector cannot close it.
        if hasattr(stream, "aclose"):
            await stream.aclose()


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ResponseTooLargeError(f"the response has more than {max_bytes} bytes")


def time_limit_error() -> httpx.TimeoutException:
    """Return the error of an attempt that takes too long."""
    return httpx.ReadTimeout("the time limit of this attempt has passed")


class AsyncTransportExchange:
    """Sends requests over any transport of httpx."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Send a request and read the response; see ``send_and_read``."""
        request.extensions["trace"] = async_record_events(attempt, request.extensions.get("trace"))
        # Some transports send only a request that was read, as httpx reads those that have bytes.
        await request.aread()
        return await async_call_within(
            attempt.seconds_left,
            partial(send_and_read, self._transport, request, attempt, max_bytes=max_bytes),
            partial(_end_early, attempt),
        )


def _end_early(attempt: Attempt) -> BufferedResponse:
    """Return what has arrived of an error response when the time is up; raise if there is none."""
    arrived = attempt.arrived
    if isinstance(arrived, BufferedResponse) and arrived.status not in SUCCESSES:
        return arrived
    raise time_limit_error()


class _Connection(httpx.AsyncHTTPTransport):
    """A single connection, opened on first use.

    Attributes:
        origin: Scheme, host and port of the server.
    """

    def __init__(
        self, origin: httpcore.Origin, *, ssl_context: ssl.SSLContext | None, proxy: httpx.Proxy | None, keep: bool
    ) -> None:
        # The constructor of httpx has no parameter for the backend, and only makes a pool; its methods use whatever is
        # in its place. pyproject.toml pins httpx below 0.30.
        self.origin = origin
        self._keep = keep
        self._backend = AsyncBoundedBackend()
        self._connection = _make_httpcore_connection(origin, ssl_context, proxy, self._backend)
        self._pool = _UntracedConnection(self._connection)  # type: ignore[assignment] # pyright: ignore[reportIncompatibleVariableOverride]

    async def aclose(self) -> None:
        """Close the connection for good, even while it is being opened."""
        try:
            await super().aclose()
        finally:
            await self._backend.aclose()

    def is_reusable(self) -> bool:
        """Return whether the connection is idle, and no layer holds bytes that would be taken for the next response."""
        if not self._backend.was_used:
            return True  # the request was intercepted
        layer: Any = self._connection
        if isinstance(layer, httpcore.AsyncConnectionPool):
            layer = next(iter(layer.connections), None)
        # A task that is cancelled twice may not have closed the response. "Expired" covers what our streams hold.
        if not self._keep or layer is None or not layer.is_idle() or layer.has_expired():
            return False
        # Only private names lead to what h11 holds; without them, no connection is used again.
        while not hasattr(layer, "_h11_state"):
            layer = getattr(layer, "_connection", None)
            if layer is None:
                return False
        return not layer._h11_state.trailing_data[0]  # noqa: SLF001


class _UntracedConnection:
    """Sends requests without the trace hook, which is for what intercepts them above: our streams need none.

    httpcore calls a hook ten times a request, which takes 10 µs.
    """

    def __init__(self, connection: httpcore.AsyncHTTPConnection | httpcore.AsyncConnectionPool) -> None:
        self._connection = connection
        self.aclose = connection.aclose

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and return the response."""
        refuse_production_in_child(request.url.host)
        request.extensions.pop("trace", None)  # pyright: ignore[reportUnknownMemberType] - httpcore declares a bare dict
        return await self._connection.handle_async_request(request)


def _make_httpcore_connection(
    origin: httpcore.Origin, ssl_context: ssl.SSLContext | None, proxy: httpx.Proxy | None, backend: AsyncBoundedBackend
) -> httpcore.AsyncHTTPConnection | httpcore.AsyncConnectionPool:
    schemes = {origin.scheme} if proxy is None else {origin.scheme, proxy.url.raw_scheme}
    if ssl_context is None and b"https" in schemes:
        # Without a context, httpcore would use its own, whatever ``ssl_verify`` says.
        raise AssertionError("an https URL needs a TLS context")
    if proxy is None:
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context, keepalive_expiry=_KEEPALIVE_EXPIRY, network_backend=backend
        )
    proxy_url = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    pool: httpcore.AsyncConnectionPool
    if proxy.url.scheme.startswith("socks"):
        pool = httpcore.AsyncSOCKSProxy(
            proxy_url,
            proxy.raw_auth,
            ssl_context,
            max_connections=1,
            keepalive_expiry=_KEEPALIVE_EXPIRY,
            network_backend=backend,
        )
    else:
        pool = httpcore.AsyncHTTPProxy(
            proxy_url,
            proxy.raw_auth,
            proxy.headers.raw,
            ssl_context,
            ssl_context if proxy.url.scheme == "https" else None,
            max_connections=1,
            keepalive_expiry=_KEEPALIVE_EXPIRY,
            network_backend=backend,
        )
    # Ctrl-C can leave this lock held, and with httpcore's own, the thread would wait for itself as it closes the pool.
    cast("Any", pool)._optional_thread_lock._lock = threading.RLock()  # noqa: SLF001 - no effect on an async pool
    return pool


@lru_cache(maxsize=16)
def _find_origin(scheme: bytes, host: bytes, port: int | None) -> httpcore.Origin:
    return httpcore.URL(scheme=scheme, host=host, port=port, target=b"").origin


class _ConnectionPool:
    """A limited number of connections, each acquired by one request at a time."""

    def __init__(self, make: Callable[[httpcore.Origin], _Connection], size: int) -> None:
        self._make_connection = make
        self._semaphore = AsyncFairSemaphore(size)
        self._idle: list[_Connection] = []
        self._in_use: set[_Connection] = set()
        self._closed = False

    async def acquire_connection(self, url: httpx.URL, attempt: Attempt) -> _Connection:
        """Return an idle connection, or a new one; close those that are of no more use."""
        if not await self._semaphore.acquire(attempt.seconds_left):
            attempt.seen = True
            raise httpx.PoolTimeout("all connections are in use")
        try:
            connection = await self._take_connection(_find_origin(url.raw_scheme, url.raw_host, url.port))
        except BaseException:
            self._semaphore.release()
            raise
        if self._closed:  # checked after the connection is listed: an aclose that missed it has set this
            await self.discard_connection(connection)
            attempt.seen = True
            raise httpx.ConnectError("closed before the request was sent")
        return connection

    async def _take_connection(self, origin: httpcore.Origin) -> _Connection:
        while self._idle:
            connection = self._idle.pop()  # the one used last, which the server is least likely to have closed
            self._in_use.add(connection)
            if connection.origin == origin and connection.is_reusable():
                return connection
            await self._close_connection(connection)
        connection = self._make_connection(origin)
        self._in_use.add(connection)
        return connection

    async def release_connection(self, connection: _Connection) -> None:
        """Return a reusable connection to the pool."""
        self._in_use -= {connection}  # no call: Python can raise KeyboardInterrupt after each
        try:
            self._idle.append(connection)
            if self._closed:  # checked after the connection is listed, as above
                await self._close_connection(connection)
        finally:
            self._semaphore.release()

    async def discard_connection(self, connection: _Connection) -> None:
        """Close a connection whose response was not read to the end, unless it has been released."""
        if connection not in self._in_use:
            return
        try:
            await self._close_connection(connection)
        finally:
            self._semaphore.release()

    async def _close_connection(self, connection: _Connection) -> None:
        self._in_use.discard(connection)
        with async_shield_from_cancellation(CLOSE_TIMEOUT):
            await connection.aclose()

    async def aclose(self) -> None:
        """Close all connections, including those in use."""
        self._closed = True
        with async_shield_from_cancellation(CLOSE_TIMEOUT):
            for connection in [*self._idle, *self._in_use]:
                with suppress(Exception):  # the others must be closed, too
                    await connection.aclose()
