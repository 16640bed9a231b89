# Derived from pinecone_admin/_async/transports/bearer.py by scripts/unasync.py: change that, not this file.
"""Transport that authorizes requests with a bearer token."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from pinecone_admin._http.call_state import CALL_STATE_KEY, CallState
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.auth.token_source import TokenSource
from pinecone_admin.errors import Masked


class BearerTransport(httpx.BaseTransport):
    """Add the bearer token. After a 401, send the request once more with another token, within the same deadline."""

    def __init__(self, transport: httpx.BaseTransport, token_source: TokenSource) -> None:
        self._transport = transport
        self._token_source = token_source

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with a token. Only a 401 leads to a new token; a 403 is returned."""
        call: CallState = request.extensions[CALL_STATE_KEY]
        token = self._token_source.get_token(deadline=call.deadline)
        response = self._transport.handle_request(_with_token(request, token))
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        fresh = self._token_source.get_token(deadline=call.deadline, rejected=token)
        if fresh.value == token.value:  # there is no other token, so a repeat would fail the same way
            return response
        return self._transport.handle_request(_with_token(request, fresh))

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()


def _with_token(request: httpx.Request, token: AccessToken) -> httpx.Request:
    call: CallState = request.extensions[CALL_STATE_KEY]
    call.secrets.append(Masked(token.value))
    headers = request.headers.copy()
    headers["authorization"] = f"Bearer {token.value}"
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
    )
