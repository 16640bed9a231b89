"""Transport that authorizes requests with a bearer token."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from pinecone_admin._http.call_state import CALL_STATE_KEY, CallState
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.auth.token_source import TokenSource
from pinecone_admin.errors import Masked


class AsyncBearerTransport(httpx.AsyncBaseTransport):
    """Add the bearer token. After a 401, send the request once more with another token, within the same deadline."""

    def __init__(self, transport: httpx.AsyncBaseTransport, token_source: TokenSource) -> None:
        self._transport = transport
        self._token_source = token_source

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with a token. Only a 401 leads to a new token; a 403 is returned."""
        call: CallState = request.extensions[CALL_STATE_KEY]
        token = await self._token_source.async_get_token(deadline=call.deadline)
        response = await self._transport.handle_async_request(_with_token(request, token))
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        fresh = await self._token_source.async_get_token(deadline=call.deadline, rejected=token)
        if fresh.value == token.value:  # there is no other token, so a repeat would fail the same way
            return response
        return await self._transport.handle_async_request(_with_token(request, fresh))

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._transport.aclose()


def _with_token(request: httpx.Request, token: AccessToken) -> httpx.Request:
    call: CallState = request.extensions[CALL_STATE_KEY]
    call.secrets.append(Masked(token.value))
    headers = request.headers.copy()
    headers["authorization"] = f"Bearer {token.value}"
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
    )
