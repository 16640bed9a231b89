"""Exchange client credentials for a token at the token endpoint."""

from __future__ import annotations

import json
import logging
import random
import threading
from typing import Protocol

import httpx

from generated_client.types import API_VERSION
from pinecone_admin._concurrency.clock import ClientClock
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedRequest, BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import error_from_exception, redact_secrets
from pinecone_admin._http.known_secrets import KnownSecrets
from pinecone_admin.auth.token import (
    AUDIENCE,
    MAX_TOKEN_RESPONSE_BYTES,
    AccessToken,
    IssuedToken,
    expiry_from_timestamp,
)
from pinecone_admin.auth.token_response import (
    error_from_exchange,
    error_from_unusable_response,
    parse_token_response,
)
from pinecone_admin.errors import Masked, PineconeError, TokenError

_log = logging.getLogger("pinecone_admin")


class RequestSender(Protocol):
    """Sends a request, and retries it within the deadline of its call: a ``Retrier``, which ``build_shared`` makes."""

    def send(self, request: BufferedRequest, call: CallState) -> BufferedResponse:
        """Return the response, or raise what the transport raised."""
        ...


class TokenEndpoint:
    """The token endpoint, which exchanges client credentials for a token.

    Args:
        url: URL of the endpoint.
        description: Host and port, and the proxy if there is one, for error messages.
        user_agent: The same User-Agent as for the API.
        retrier: Sends the request and retries it.
        timeout: Seconds for all attempts together.
        clock: Clock that measures lifetimes and deadlines.
        known_secrets: The secrets of the client. The endpoint adds each client secret and token.
        closed: Set when the client is closed.
    """

    def __init__(
        self,
        *,
        url: str,
        description: str,
        user_agent: str,
        retrier: RequestSender,
        timeout: float,
        clock: ClientClock,
        known_secrets: KnownSecrets,
        closed: threading.Event,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self._description = description
        self._user_agent = user_agent
        self._retrier = retrier
        self._clock = clock
        self._known_secrets = known_secrets
        self._closed = closed

    def exchange_credentials(
        self, client_id: str, client_secret: Masked, *, deadline: float
    ) -> IssuedToken | PineconeError:
        """Request a token; an error is returned, not raised, so that no traceback holds the secret."""
        # Taken before the request is sent, so that a slow response does not make the token look younger.
        monotonic, wall = self._clock.monotonic(), self._clock.wall()
        self._known_secrets.keep([client_secret.reveal()])
        call = CallState(
            deadline=min(deadline, monotonic + self.timeout),
            idempotent=True,
            path_template=httpx.URL(self.url).path,
            operation="get_token",
            is_token_exchange=True,
            endpoint=self._description,
            closed=self._closed,
            secrets=[client_secret],
            known=self._known_secrets,
            max_response_bytes=MAX_TOKEN_RESPONSE_BYTES,
        )
        try:
            response = self._retrier.send(self._build_request(client_id, client_secret), call)
        except Exception as exc:  # noqa: BLE001 - any exception of a transport means that there is no token
            return error_from_exception(exc, call)
        return self._read_response(redact_secrets(response, call), call, monotonic, wall)

    def _read_response(
        self, response: BufferedResponse, call: CallState, monotonic: float, wall: float
    ) -> IssuedToken | TokenError:
        if response.status not in SUCCESSES:
            return error_from_exchange(response, call=call, wall=wall)
        parsed = parse_token_response(response.body, wall=wall)
        if isinstance(parsed, str):
            return error_from_unusable_response(parsed, response, call)
        self._known_secrets.add_token(parsed.token.reveal())
        if parsed.assumed:
            _log.warning(
                "the token endpoint returned no usable expires_in: the token is used for %d s", parsed.lifetime
            )
        return IssuedToken(
            token=AccessToken(value=parsed.token.reveal(), expires_at=expiry_from_timestamp(wall + parsed.lifetime)),
            lifetime=parsed.lifetime,
            monotonic=monotonic,
            wall=wall,
            jitter=random.uniform(0.0, 0.2),  # noqa: S311 - spreads load, not used for security
        )

    def _build_request(self, client_id: str, client_secret: Masked) -> BufferedRequest:
        body = {
            "client_id": client_id,
            "client_secret": client_secret.reveal(),
            "grant_type": "client_credentials",
            "audience": AUDIENCE,
        }
        content = json.dumps(body).encode()
        url = httpx.URL(self.url)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": self._user_agent,
            "x-pinecone-api-version": API_VERSION,
            "Content-Length": str(len(content)),
        }
        return BufferedRequest("POST", url, httpx.Headers(headers), content)
