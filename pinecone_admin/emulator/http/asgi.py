"""The emulator as an ASGI application, for the HTTP server."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from attrs import frozen
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response as HTTPResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pinecone_admin.emulator.api.checks import Refusal
from pinecone_admin.emulator.api.dispatch import operation_id, response
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.control.request_log import masked
from pinecone_admin.emulator.control.routes import control, is_control

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

CONNECTION = "pinecone_admin.connection"
"""Names the asyncio transport of the connection among the extensions of a scope."""

LARGEST_BODY = 1 << 20
LARGEST_STATE = 1 << 28

_ORIGIN = re.compile("https?://[^/]*", re.IGNORECASE)
"""What a request target in absolute form begins with, which a server has to accept (RFC 9112, 3.2.2)."""
_NO_LINGER = struct.pack("ii", 1, 0)
# Not below the client's logger, which says nothing at INFO.
_logger = logging.getLogger("pinecone_emulator")


def application(emulator: Emulator) -> ASGIApp:
    """Return the ASGI application that answers by the rules, and below `/_emulator` controls the emulator.

    Args:
        emulator: what answers.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = _request(scope)
        try:
            answer = await _answer(emulator, request, HTTPRequest(scope, receive))
        except ClientDisconnect:
            return
        await _Exchange(scope, receive, send).deliver(answer)
        _log(request, answer, time.perf_counter() - started)

    return app


def _request(scope: Scope, body: bytes = b"") -> Request:
    headers = Headers(scope=scope)
    return Request(
        method=scope["method"],
        path=_ORIGIN.sub("", scope["raw_path"].decode("latin-1")) or "/",
        headers={name: ", ".join(headers.getlist(name)) for name in headers},
        query=scope["query_string"].decode("latin-1"),
        body=body,
    )


async def _answer(emulator: Emulator, request: Request, received: HTTPRequest) -> Response:
    limit = LARGEST_STATE if is_control(request) else LARGEST_BODY
    body, size = bytearray(), 0
    async for chunk in received.stream():
        size += len(chunk)
        # Read to the end, be it too long: a client that is still sending would meet a reset and not the answer.
        if size <= limit:
            body += chunk
    if size > limit:
        return _refused(Refusal(413, "INVALID_ARGUMENT", f"the body has more than {limit} bytes"))
    try:
        request = _request(received.scope, bytes(body))
        return control(emulator, request) if is_control(request) else emulator.handle(request)
    except Exception:
        _logger.exception("%s %s broke the emulator", request.method, masked(request.path))
        return _refused(Refusal(500, "INTERNAL", "the emulator is broken; its log says where"))


def _refused(refusal: Refusal) -> Response:
    return response(refusal.status, {"x-pinecone-request-id": str(uuid4())}, refusal.document)


def _log(request: Request, answer: Response, seconds: float) -> None:
    path = masked(f"{request.path}?{request.query}" if request.query else request.path)
    result = answer.wire.end or answer.status
    operation = operation_id(request)
    _logger.info("%s %s %s %.1f ms %s", request.method, path, result, seconds * 1000, operation)


@frozen
class _Exchange:
    """One request's way back to the client, where what goes wrong on purpose goes wrong on the socket."""

    scope: Scope
    receive: Receive
    send: Send

    async def deliver(self, answer: Response) -> None:
        """Send an answer, or what takes its place."""
        wire = answer.wire
        if await self._client_leaves_within(wire.delay):
            return
        if wire.end is not None:
            await self._close(reset=wire.end != "drop")
        elif wire.length is not None:
            self._connection.write(_head(answer, wire.length) + answer.body)
            await self._close(reset=False)
        elif wire.drip:
            await self._drip(answer)
        else:
            await HTTPResponse(answer.body, answer.status, dict(answer.headers))(self.scope, self.receive, self.send)

    @property
    def _connection(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self.scope["extensions"][CONNECTION])

    async def _drip(self, answer: Response) -> None:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for byte in answer.body:
            if await self._client_leaves_within(answer.wire.drip):
                return
            await self.send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def _client_leaves_within(self, seconds: float) -> bool:
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
        # The server takes an application that returns without an answer for a broken one, unless the client has left.
        await self._disconnected()


def _head(answer: Response, length: int) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"content-length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")
