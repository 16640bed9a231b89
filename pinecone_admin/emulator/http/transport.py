"""The emulator as an httpx transport, without sockets or threads.

Connection faults raise the error that httpx would raise, and time passes on the emulator's clock. The transport
reports httpcore's trace events, so that a client can tell whether a request has been sent.
"""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import httpx

from pinecone_admin.emulator.api.messages import Delivery, Request, Response
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.model.counts import count_noun

TraceEvent: TypeAlias = tuple[str, Mapping[str, object]]

_NOT_SERVED = (
    "the emulator is in the memory of another process, from which this one was forked, and changes to the copy here "
    "would be lost: serve it to child processes, with emulate(serve=True) or serving(emulator), or enter emulate() here"
)
# The emulator is served over plain http; httpx would load the certificates of all authorities, which takes 20 ms.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# A connection that is kept would belong to one event loop, and to one process.
_NO_KEEPALIVE = httpx.Limits(max_keepalive_connections=0)
_NO_EMULATOR = Response(0, {}, b"", Delivery(end="unreachable"))


class _TracedRequest(NamedTuple):
    """The attributes of a request that listeners to httpcore's trace events read."""

    method: bytes
    url: httpx.URL


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Handle the requests of an httpx client, whatever their host, in the process that makes the transport.

    A process that is forked from it has only a copy of the emulator. There, the transport sends requests to the address
    of the served emulator, and refuses them if it is not served.

    Args:
        handle: Handles one request; it is called from any thread.
        clock: The clock of delays.
        find_host: Returns the URL of the served emulator, or None.
    """

    def __init__(
        self, handle: Callable[[Request], Response], clock: Clock, find_host: Callable[[], str | None]
    ) -> None:
        self._handle = handle
        self._clock = clock
        self._find_host = find_host
        self._process = os.getpid()

    @property
    def is_inherited(self) -> bool:
        """Whether this process was forked from the one that created the transport."""
        return os.getpid() != self._process

    def for_this_process(self) -> "EmulatorTransport":
        """Return a transport that handles requests in this process, with the copy of the emulator that it has."""
        return EmulatorTransport(self._handle, self._clock, self._find_host)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Handle a request of an `httpx.Client`.

        Raises:
            httpx.ConnectError: This process was forked from that of the emulator, which is not served.
        """
        request.read()
        if self.is_inherited:
            sent = self._readdress(request)
            if sent is not None:
                return httpx.HTTPTransport(verify=_NO_TLS, limits=_NO_KEEPALIVE).handle_request(sent)
        response = self._respond(request)
        trace: Callable[[str, Any], None] | None = request.extensions.get("trace")
        if trace is not None:
            for name, info in _trace_events(request, response.delivery):
                trace(name, info)
        return self._deliver(request, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Handle a request of an `httpx.AsyncClient`.

        Raises:
            httpx.ConnectError: As for `handle_request`.
        """
        import anyio.lowlevel  # noqa: PLC0415 — a synchronous client must not load an event loop

        await request.aread()
        if self.is_inherited:
            sent = self._readdress(request)
            if sent is not None:
                return await httpx.AsyncHTTPTransport(verify=_NO_TLS, limits=_NO_KEEPALIVE).handle_async_request(sent)
        # Where a connection would be awaited, other tasks run, and a cancellation prevents the request, or loses its
        # response.
        await anyio.lowlevel.checkpoint()
        response = self._respond(request)
        await anyio.lowlevel.checkpoint()
        trace: Callable[[str, Any], Awaitable[None]] | None = request.extensions.get("trace")
        if trace is not None:
            for name, info in _trace_events(request, response.delivery):
                await trace(name, info)
        return self._deliver(request, response)

    def _readdress(self, request: httpx.Request) -> httpx.Request | None:
        """Return the request for the address of the served emulator, or None if it is not served."""
        host = self._find_host()
        if host is None:
            return None
        served = httpx.URL(host)
        url = request.url.copy_with(scheme=served.scheme, host=served.host, port=served.port)
        headers = httpx.Headers({**request.headers, "host": served.netloc.decode("ascii")})
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)

    def _respond(self, request: httpx.Request) -> Response:
        if self.is_inherited:
            return _NO_EMULATOR
        # raw_path, because url.path is decoded.
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        return self._handle(Request(request.method, path, dict(request.headers), query, request.content))

    def _deliver(self, request: httpx.Request, response: Response) -> httpx.Response:
        delivery = response.delivery
        if response is _NO_EMULATOR:
            # As for the name of a host that does not exist, so that clients know that no retry can help.
            raise httpx.ConnectError(_NOT_SERVED, request=request) from socket.gaierror(socket.EAI_NONAME, _NOT_SERVED)
        if delivery.end == "unreachable":
            # The messages of errors are those that httpx takes over from httpcore and the operating system.
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        self._pass_time(delivery.delay, request)
        if delivery.end == "drop":
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if delivery.end == "reset":
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        # As bytes, because httpx takes strings for ASCII, and a fault's header may have any of ISO 8859-1.
        headers = {name.encode("ascii"): value.encode("latin-1") for name, value in response.headers.items()}
        if delivery.drip or delivery.length is not None:
            length = len(response.body) if delivery.length is None else delivery.length
            stream = _DistortedBody(
                response.body[:length], length, lambda: self._pass_time(delivery.drip, request), request
            )
            headers[b"content-length"] = str(length).encode("ascii")
            return httpx.Response(response.status, headers=headers, stream=stream)
        return httpx.Response(response.status, headers=headers, content=response.body, request=request)

    def _pass_time(self, seconds: float, request: httpx.Request) -> None:
        """Advance the clock, but no further than the client's read timeout."""
        limit: float | None = request.extensions.get("timeout", {}).get("read")
        if limit is None or seconds <= limit:
            self._clock.advance(seconds)
            return
        self._clock.advance(limit)
        raise httpx.ReadTimeout("The read operation timed out", request=request)


class _DistortedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives byte by byte or ends before its Content-Length."""

    def __init__(self, body: bytes, length: int, wait: Callable[[], None], request: httpx.Request) -> None:
        self._body = body
        self._length = length
        self._pass_time = wait
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for byte in self._body:
            self._pass_time()
            yield bytes([byte])
        if len(self._body) < self._length:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body "
                f"(received {count_noun(len(self._body), 'byte')}, expected {self._length})",
                request=self._request,
            )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def _trace_events(request: httpx.Request, delivery: Delivery) -> Iterator[TraceEvent]:
    """Yield httpcore's trace events up to the point where the connection ends."""
    info = {"request": _TracedRequest(request.method.encode("ascii"), request.url)}
    yield "connection.connect_tcp.started", {"host": request.url.host, "port": request.url.port}
    if delivery.end == "unreachable":
        yield "connection.connect_tcp.failed", {}
        return
    yield "connection.connect_tcp.complete", {}
    for step in ("send_request_headers", "send_request_body"):
        yield f"http11.{step}.started", info
        yield f"http11.{step}.complete", {}
    yield "http11.receive_response_headers.started", info
    yield f"http11.receive_response_headers.{'failed' if delivery.end else 'complete'}", {}
