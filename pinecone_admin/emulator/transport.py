"""The emulator as an httpx transport: no sockets, no threads."""

from collections.abc import Callable

import httpx

from pinecone_admin.emulator.call import Request, Response


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answer the requests of any httpx client, whichever host they are for.

    Args:
        handle: answers one request, from any thread.
    """

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an `httpx.Client`."""
        request.read()
        return self._respond(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an `httpx.AsyncClient`."""
        await request.aread()
        return self._respond(request)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        response = self._handle(
            Request(request.method, path, dict(request.headers), query, request.content),
        )
        return httpx.Response(response.status, headers=dict(response.headers), content=response.body, request=request)
