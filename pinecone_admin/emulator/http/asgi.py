"""The emulator as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from attrs import frozen
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response as HTTPResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pinecone_admin.emulator.api.dispatch import json_response, operation_id
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.refusals import Refusal
from pinecone_admin.emulator.control.page import is_page_request
from pinecone_admin.emulator.control.request_log import mask_secrets
from pinecone_admin.emulator.control.routes import handle_control_request, is_control_request

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

CONNECTION = "pinecone_admin.connection"
"""The key of a connection's asyncio transport among the extensions of a scope."""

MAX_BODY = 1 << 20
MAX_STATE = 1 << 28

_ORIGIN = re.compile("https?://[^/]*", re.IGNORECASE)
"""The start of a request target in absolute form, which a server must accept (RFC 9112, section 3.2.2)."""
# With SO_LINGER on and a time of 0, closing a socket sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)
# Not a child of the client's logger, which logs nothing at INFO.
_logger = logging.getLogger("pinecone_emulator")


def application(emulator: Emulator, *, any_host: bool = False) -> ASGIApp:
    """Return an ASGI application that serves an emulator, its control interface below `/_emulator`, and its page.

    Args:
        emulator: The emulator to serve.
        any_host: Whether the control interface accepts a Host header that names another host than loopback.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = _read_request(scope)
        try:
            response = await _respond(emulator, request, HTTPRequest(scope, receive), any_host=any_host)
        except ClientDisconnect:
            # The client left while it was still sending: there is nothing to handle and nobody to respond to.
            return
        await _ResponseSender(scope, receive, send).send_response(response)
        # An open page asks for itself every two seconds.
        if not is_page_request(request):
            path = mask_secrets(f"{request.path}?{request.query}" if request.query else request.path)
            result = response.delivery.end or response.status
            milliseconds = (time.perf_counter() - started) * 1000
            _logger.info("%s %s %s %.1f ms %s", request.method, path, result, milliseconds, operation_id(request))

    return app


def _read_request(scope: Scope, body: bytes = b"") -> Request:
    headers = Headers(scope=scope)
    return Request(
        method=scope["method"],
        # raw_path is still percent-encoded, which the rules need to tell an encoded slash from a separator.
        path=_ORIGIN.sub("", scope["raw_path"].decode("latin-1")) or "/",
        headers={name: ", ".join(headers.getlist(name)) for name in headers},
        query=scope["query_string"].decode("latin-1"),
        body=body,
    )


async def _respond(emulator: Emulator, request: Request, received: HTTPRequest, *, any_host: bool) -> Response:
    limit = MAX_STATE if is_control_request(request) else MAX_BODY
    body, size = bytearray(), 0
    async for chunk in received.stream():
        size += len(chunk)
        # A body that is too large is read to its end: a client that is still sending would get a reset, no response.
        if size <= limit:
            body += chunk
    if size > limit:
        return _refusal_response(Refusal(413, "INVALID_ARGUMENT", f"the body is larger than {limit} bytes"))
    try:
        request = _read_request(received.scope, bytes(body))
        if is_control_request(request):
            # In a thread: loading a large state would hold up all other requests.
            return await asyncio.to_thread(handle_control_request, emulator, request, any_host=any_host)
        return emulator.handle(request)
    except Exception:
        _logger.exception("%s %s failed in the emulator", request.method, mask_secrets(request.path))
        return _refusal_response(Refusal(500, "INTERNAL", "internal error of the emulator; its log has the traceback"))


def _refusal_response(refusal: Refusal) -> Response:
    return json_response(refusal.status, {"x-pinecone-request-id": str(uuid4())}, refusal.document)


@frozen
class _ResponseSender:
    """Sends the response to one request; faults happen on the socket."""

    scope: Scope
    receive: Receive
    send: Send

    async def send_response(self, response: Response) -> None:
        """Send a response, or what a fault puts in its place."""
        delivery = response.delivery
        if await self._client_disconnects_within(delivery.delay):
            return
        if delivery.end is not None:
            await self._close(reset=delivery.end != "drop")
        elif delivery.length is not None:
            # Past uvicorn, whose h11 refuses to send a body that does not match Content-Length.
            self._connection.write(_response_head(response, delivery.length) + response.body)
            await self._close(reset=False)
        elif delivery.drip:
            await self._drip(response)
        elif response.pieces is not None:
            await self._stream(response, response.pieces)
        else:
            await HTTPResponse(response.body, response.status, dict(response.headers))(
                self.scope, self.receive, self.send
            )

    @property
    def _connection(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self.scope["extensions"][CONNECTION])

    async def _stream(self, response: Response, pieces: Iterator[bytes]) -> None:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        await self.send({"type": "http.response.start", "status": response.status, "headers": headers})
        while piece := await asyncio.to_thread(next, pieces, b""):
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def _drip(self, response: Response) -> None:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await self.send({"type": "http.response.start", "status": response.status, "headers": headers})
        for byte in response.body:
            if await self._client_disconnects_within(response.delivery.drip):
                return
            await self.send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def _client_disconnects_within(self, seconds: float) -> bool:
        if not seconds:
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._disconnected()
        except TimeoutError:
            return False
        return True

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _close(self, *, reset: bool) -> None:
        if reset:
            connection = cast("socket.socket", self._connection.get_extra_info("socket"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._connection.abort()
        else:
            self._connection.close()
        # uvicorn reports an application that returns without a response as broken, unless the client has disconnected.
        await self._disconnected()


def _response_head(response: Response, length: int) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"content-length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")
