"""The exchange of credentials for a token at the token endpoint."""

from __future__ import annotations

import json
import logging
import random
import threading

import httpx
from attrs import frozen

from generated_client.types import API_VERSION
from pinecone_admin._concurrency import Clock
from pinecone_admin._http.call_state import CALL, MAX_ANSWER, Call
from pinecone_admin._http.error_mapping import from_exception
from pinecone_admin.auth.token import AUDIENCE, AccessToken, Minted
from pinecone_admin.auth.token_response import Answer, Unusable, read_answer, refusal, unusable
from pinecone_admin.errors import Masked, PineconeError, TokenError

_log = logging.getLogger("pinecone_admin")


@frozen(kw_only=True)
class Exchange:
    """Trades credentials for a token at the token endpoint.

    Attributes:
        url: Address of the endpoint.
        place: What errors call it.
        agent: User-Agent, the same as for the API.
        transport: Retrying transport to send with.
        timeout: Seconds for all attempts.
        clock: Where the time comes from.
        closed: Set once the client is closed.
    """

    url: str
    place: str
    agent: str
    transport: httpx.BaseTransport
    timeout: float
    clock: Clock
    closed: threading.Event

    def mint(self, client_id: str, client_secret: Masked, *, deadline: float) -> Minted | PineconeError:
        """Ask for a token; a failure is returned, so that no traceback passes through frames that hold the secret."""
        monotonic, wall = self.clock.monotonic(), self.clock.wall()
        call = Call(
            deadline=min(deadline, monotonic + self.timeout),
            idempotent=True,
            label=httpx.URL(self.url).path,
            place=self.place,
            closed=self.closed,
            secrets=[client_secret],
            largest=MAX_ANSWER,
        )
        try:
            response = self.transport.handle_request(self._request(client_id, client_secret, call))
            body = _body(response)
        except Exception as exc:  # noqa: BLE001 - whatever a transport raises means no token
            call.outcome = "not_sent"
            return from_exception(exc, operation="get_token", call=call)
        result = self._read(response, body, monotonic, wall)
        if isinstance(result, TokenError):
            result.operation, result.attempts = "get_token", call.attempts
        return result

    def _read(self, response: httpx.Response, body: bytes, monotonic: float, wall: float) -> Minted | TokenError:
        if not response.is_success:
            return refusal(status=response.status_code, headers=response.headers, body=body, wall=wall)
        answer = read_answer(body, wall=wall)
        if isinstance(answer, Unusable):
            return unusable(answer, status=response.status_code, headers=response.headers)
        return self._minted(answer, monotonic, wall)

    def _request(self, client_id: str, client_secret: Masked, call: Call) -> httpx.Request:
        body = {
            "client_id": client_id,
            "client_secret": client_secret.reveal(),
            "grant_type": "client_credentials",
            "audience": AUDIENCE,
        }
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": self.agent,
            "x-pinecone-api-version": API_VERSION,
        }
        return httpx.Request(
            "POST", self.url, headers=headers, content=json.dumps(body).encode(), extensions={CALL: call}
        )

    def _minted(self, answer: Answer, monotonic: float, wall: float) -> Minted:
        if answer.assumed:
            _log.warning("the token endpoint gave no usable expires_in: the token is used for %d s", answer.lifetime)
        return Minted(
            token=AccessToken(value=answer.token, expires_at=wall + answer.lifetime),
            lifetime=answer.lifetime,
            monotonic=monotonic,
            wall=wall,
            jitter=random.uniform(0.0, 0.2),  # noqa: S311 - spreads load, guards nothing
        )


def _body(response: httpx.Response) -> bytes:
    body = b"".join(response.stream)  # type: ignore[arg-type]
    response.close()
    return body
