"""Parse responses of the token endpoint."""

from __future__ import annotations

import base64
import math
from http import HTTPStatus
from typing import NamedTuple

import httpx

from pinecone_admin._http.buffered_messages import BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.codec import parse_json_object
from pinecone_admin._http.error_mapping import describe_foreign_response, find_request_id
from pinecone_admin._http.retry_after import parse_retry_after
from pinecone_admin.auth.token import DEFAULT_LIFETIME, MAX_LIFETIME, is_token
from pinecone_admin.errors import InvalidCredentialsError, Masked, TokenError

# Codes that mean wrong credentials in a 400; a 401 means that with any code.
_INVALID_CREDENTIALS = frozenset({"access_denied", "invalid_client", "unauthorized_client"})
_OAUTH_CODES = _INVALID_CREDENTIALS | {
    "invalid_request", "invalid_grant", "invalid_scope", "unsupported_grant_type", "server_error",
    "temporarily_unavailable", "too_many_requests",
}  # fmt: skip
_HARMLESS_HEADERS = frozenset(
    {"content-type", "date", "retry-after", "retry-after-ms", "x-pinecone-request-id", "x-request-id"}
)


class TokenResponse(NamedTuple):
    """A usable response: the token, its lifetime in seconds, and whether the lifetime is only assumed."""

    token: Masked
    lifetime: float
    assumed: bool


def parse_token_response(body: bytes, *, wall: float) -> TokenResponse | str:
    """Return the token and lifetime in the body of a success, or why there is no usable token."""
    value = parse_json_object(body)
    if value is None:
        return "the response is not a JSON object"
    token, kind = value.get("access_token"), value.get("token_type")
    if not is_token(token):
        return "the response has no usable access_token"
    if kind is not None and (not isinstance(kind, str) or kind.lower() != "bearer"):
        return "the response's token_type is not Bearer"
    lifetime = _parse_lifetime(value.get("expires_in"), token, wall=wall)
    if lifetime is not None and lifetime <= 0:
        return "the response's token has already expired"
    return TokenResponse(
        token=Masked(token),
        lifetime=DEFAULT_LIFETIME if lifetime is None else min(lifetime, MAX_LIFETIME),
        assumed=lifetime is None,
    )


def _parse_lifetime(expires_in: object, token: str, *, wall: float) -> float | None:
    """Return the lifetime in seconds by ``expires_in``, a number or a string of one, else by the ``exp`` of a JWT."""
    seconds = _parse_seconds(expires_in)
    if seconds is not None:
        return seconds
    expiry = _read_jwt_expiry(token)
    return None if expiry is None else expiry - wall


def _parse_seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return MAX_LIFETIME if int(value) > 0 else -1.0
    except ValueError:
        return None
    return None if math.isnan(seconds) else seconds


def _read_jwt_expiry(token: str) -> float | None:
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = parse_json_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return None if payload is None else _parse_seconds(payload.get("exp"))


def error_from_exchange(response: BufferedResponse, *, call: CallState, wall: float) -> TokenError:
    """Return the error for a response that is not a success; it omits the body, which could contain a token."""
    status, headers = response.status, response.headers
    sent = (parse_json_object(response.body) or {}).get("error")
    # Any other text than a known code could be an echoed secret.
    code = sent if isinstance(sent, str) and sent in _OAUTH_CODES else None
    invalid = status == HTTPStatus.UNAUTHORIZED or (status == HTTPStatus.BAD_REQUEST and code in _INVALID_CREDENTIALS)
    kind = InvalidCredentialsError if invalid else TokenError
    # The error is also that of the call that needs the token, whose name stands before the message.
    endpoint = f"the token endpoint {call.endpoint}"
    reason = f"{endpoint} does not accept the client id and secret" if invalid else f"{endpoint} issued no token"
    if code is None:
        reason += f": {describe_foreign_response(response, call)}"
    return kind(
        reason,
        status_code=status,
        error_code=code,
        headers=_keep_harmless_headers(headers),
        retry_after=parse_retry_after(headers, wall=wall),
        operation=call.operation,
        attempts=call.attempts,
        outcome=call.outcome,
        worth_retrying=call.worth_retrying,
        request_id=find_request_id(headers),
    )


def error_from_unusable_response(problem: str, response: BufferedResponse, call: CallState) -> TokenError:
    """Return the error for a success without a usable token."""
    return TokenError(
        f"the token endpoint {call.endpoint} issued no usable token: {problem}",
        status_code=response.status,
        headers=_keep_harmless_headers(response.headers),
        operation=call.operation,
        attempts=call.attempts,
        outcome=call.outcome,
        request_id=find_request_id(response.headers),
    )


def _keep_harmless_headers(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in _HARMLESS_HEADERS}
