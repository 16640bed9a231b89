"""The emulator as an ASGI application, for the HTTP server."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response as HTTPResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pinecone_admin.emulator.call import Request, Response


def application(handle: Callable[[Request], Response]) -> ASGIApp:
    """Return the ASGI application that answers every path by the rules.

    Args:
        handle: answers one request.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await HTTPRequest(scope, receive).body()
        except ClientDisconnect:
            return
        answer = handle(_request(scope, body))
        response = HTTPResponse(answer.body, answer.status, dict(answer.headers))
        await response(scope, receive, send)

    return app


def _request(scope: Scope, body: bytes) -> Request:
    headers = Headers(scope=scope)
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        headers={name: ", ".join(headers.getlist(name)) for name in headers},
        query=scope["query_string"].decode("latin-1"),
        body=body,
    )
