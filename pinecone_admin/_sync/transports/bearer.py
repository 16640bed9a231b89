# Derived from pinecone_admin/_async/transports/bearer.py by scripts/unasync.py: change that, not this file.
"""Authorize requests with a bearer token."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from pinecone_admin._http.buffered_messages import BufferedRequest, BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._sync.transports.retry import Retrier

if TYPE_CHECKING:
    from pinecone_admin.auth.token_source import TokenSource


class Bearer:
    """Sends requests with a token. After a 401, the request is sent once more with another one, in the same time."""

    def __init__(self, retrier: Retrier, token_source: TokenSource) -> None:
        self._retrier = retrier
        self._token_source = token_source

    def send(self, request: BufferedRequest, call: CallState) -> BufferedResponse:
        """Send a request with a token. Only a 401 leads to a new token; a 403 is returned."""
        token = self._token_source.get_token(deadline=call.deadline)
        call.add_token(token)
        response = self._retrier.send(request, call)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        fresh = self._token_source.get_token(deadline=call.deadline, rejected=token)
        if fresh.value == token.value:  # there is no other token, so a repeat would fail the same way
            return response
        call.add_token(fresh)
        return self._retrier.send(request, call)
