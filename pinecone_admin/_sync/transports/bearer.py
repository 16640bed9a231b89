# Derived from pinecone_admin/_async/transports/bearer.py by scripts/unasync.py: change that, not this file.
"""The transport that adds the bearer token, and a fresh one where the API no longer accepts it."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from pinecone_admin._http.call_state import CALL_STATE_KEY, CallState
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.auth.token_source import TokenSource
from pinecone_admin.errors import Masked


class BearerTransport(httpx.BaseTransport):
    """Authorizes requests; a 401 is answered once with another token, within the same deadline."""

    def __init__(self, transport: httpx.BaseTransport, token_source: TokenSource) -> None:
        self._transport = transport
        self._token_source = token_source

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with a token; 403 never asks for another one."""
        call: CallState = request.extensions[CALL_STATE_KEY]
        token = self._token_source.get(deadline=call.deadline)
        response = self._transport.handle_request(_with_token(request, token))
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        fresh = self._token_source.get(deadline=call.deadline, rejected=token)
        if fresh.value == token.value:
            return response
        return self._transport.handle_request(_with_token(request, fresh))

    def close(self) -> None:
        """Close the transport below."""
        self._transport.close()


def _with_token(request: httpx.Request, token: AccessToken) -> httpx.Request:
    call: CallState = request.extensions[CALL_STATE_KEY]
    call.secrets.append(Masked(token.value))
    headers = request.headers.copy()
    headers["authorization"] = f"Bearer {token.value}"
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
    )
