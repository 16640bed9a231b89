"""When a token is used, refreshed or given up, and how an answer of the token endpoint is read: pure decisions."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from enum import Enum, auto
from http import HTTPStatus
from typing import NoReturn, TypeGuard

import httpx
from attrs import field, frozen

from generated_client.types import masked
from pinecone_admin._http.codec import parse_object
from pinecone_admin._http.error_mapping import request_id
from pinecone_admin._http.retry_policy import parse_retry_after
from pinecone_admin.errors import InvalidCredentialsError, PineconeError, PineconeTypeError, TokenError

AUDIENCE = "https://api.pinecone.io/"
"""What the token is for; the slash at the end counts."""

DEFAULT_LIFETIME = 300.0
LONGEST_LIFETIME = 86_400.0
MAX_ANSWER = 64 * 1024
_END_OF_TIME = 1e12

_INVALID_CREDENTIALS = frozenset({"access_denied", "invalid_client", "unauthorized_client"})
_OAUTH_CODES = _INVALID_CREDENTIALS | {
    "invalid_request", "invalid_grant", "invalid_scope", "unsupported_grant_type", "server_error",
    "temporarily_unavailable", "too_many_requests",
}  # fmt: skip
_HARMLESS = frozenset(
    {"content-type", "date", "retry-after", "retry-after-ms", "x-pinecone-request-id", "x-request-id"}
)


@frozen(kw_only=True)
class AccessToken:
    """A bearer token for other tools.

    Attributes:
        value: The token itself; masked in ``repr``.
        expires_at: Seconds since the epoch at which the server stops accepting it, or None where that is not known.
    """

    value: str = field(repr=masked)
    expires_at: float | None

    def __reduce__(self) -> NoReturn:
        raise PineconeTypeError("AccessToken cannot be pickled: pass its value where that may be known")


@frozen(kw_only=True)
class Minted:
    """A token with what decides about its use.

    Attributes:
        token: The token.
        lifetime: Seconds it lives, from before it was asked for.
        monotonic: Monotonic time before it was asked for.
        wall: Wall time before it was asked for.
        jitter: Share, 0 to 0.2, by which the refresh window is shortened, so that a fleet does not refresh at once.
    """

    token: AccessToken
    lifetime: float
    monotonic: float
    wall: float
    jitter: float

    def left(self, *, monotonic: float, wall: float) -> float:
        """Give the seconds left: a clock set back changes nothing, and a suspended machine counts."""
        return self.lifetime - max(monotonic - self.monotonic, wall - self.wall)


class Use(Enum):
    """What to do with a token."""

    SERVE = auto()
    REFRESH_IN_BACKGROUND = auto()
    WAIT_AND_FALL_BACK = auto()
    WAIT = auto()


def judge(minted: Minted | None, *, monotonic: float, wall: float) -> Use:
    """Decide by the time that is left."""
    if minted is None:
        return Use.WAIT
    left, lifetime = minted.left(monotonic=monotonic, wall=wall), minted.lifetime
    if left <= 0:
        return Use.WAIT
    if left <= _closing(lifetime):
        return Use.WAIT_AND_FALL_BACK
    if left <= min(300.0, lifetime / 4) * (1 - minted.jitter):
        return Use.REFRESH_IN_BACKGROUND
    return Use.SERVE


def _closing(lifetime: float) -> float:
    """Give the seconds at the end of a lifetime in which a refresh is waited for."""
    return min(30.0, lifetime / 10)


@frozen(kw_only=True)
class Failures:
    """Failed exchanges in a row with the same credentials.

    Attributes:
        credentials: Fingerprint of the credentials.
        count: How many there were.
        error: What the last one ended with.
        until: Monotonic time until which it is remembered, and no exchange is tried.
    """

    credentials: str
    count: int
    error: PineconeError
    until: float


def failed(before: Failures | None, error: PineconeError, *, credentials: str, now: float) -> Failures:
    """Count a failure; other credentials begin anew."""
    count = 1 + (before.count if before is not None and before.credentials == credentials else 0)
    rest = cooldown(
        count,
        credentials=isinstance(error, InvalidCredentialsError),
        retry_after=error.retry_after if isinstance(error, TokenError) else None,
    )
    return Failures(credentials=credentials, count=count, error=error, until=now + rest)


def cooldown(failures: int, *, credentials: bool, retry_after: float | None) -> float:
    """Give the seconds for which no exchange is tried again after this many failures in a row."""
    doubled = float(2 ** min(failures - 1, 10))
    if credentials:
        return min(60.0, doubled)
    return min(30.0, doubled) if retry_after is None else max(1.0, min(60.0, retry_after))


def fingerprint(*parts: str) -> str:
    """Tell credentials apart without keeping them."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


@frozen
class Unusable:
    """An answer that holds no token, and why."""

    problem: str


@frozen(kw_only=True)
class Answer:
    """A usable answer: the token, its lifetime in seconds, and whether that is only assumed."""

    token: str = field(repr=masked)
    lifetime: float
    assumed: bool


def read_answer(body: bytes, *, wall: float) -> Answer | Unusable:
    """Find token and lifetime in the body of a success."""
    value = parse_object(body)
    if value is None:
        return Unusable("the answer is no JSON object")
    token, kind = value.get("access_token"), value.get("token_type")
    if not _is_token(token):
        return Unusable("the answer has no usable access_token")
    if kind is not None and (not isinstance(kind, str) or kind.lower() != "bearer"):
        return Unusable("the answer's token_type is not Bearer")
    lifetime = _lifetime(value.get("expires_in"), token, wall=wall)
    if lifetime is not None and lifetime <= 0:
        return Unusable("the answer's token has already expired")
    return Answer(
        token=token,
        lifetime=DEFAULT_LIFETIME if lifetime is None else min(lifetime, LONGEST_LIFETIME),
        assumed=lifetime is None,
    )


def read_entry(entry: bytes, *, monotonic: float, wall: float) -> Minted | None:
    """Find a token in what a cache holds; None where that is nothing of ours.

    The clock that the expiry was told by may be another machine's: one that runs ahead by less than the window in
    which a refresh is waited for does no harm. Beyond it the token counts as expired.
    """
    value = parse_object(entry) or {}
    token, expires_at, lifetime = value.get("access_token"), value.get("expires_at"), value.get("lifetime")
    if not _is_token(token) or not _is_number(expires_at) or not _is_number(lifetime):
        return None
    if not 0 < lifetime <= LONGEST_LIFETIME:
        return None
    age = wall - (expires_at - lifetime)
    age = max(0.0, age) if age >= -_closing(lifetime) else lifetime
    return Minted(
        token=AccessToken(value=token, expires_at=expires_at),
        lifetime=lifetime,
        monotonic=monotonic - age,
        wall=wall - age,
        jitter=0.0,
    )


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _END_OF_TIME


def _lifetime(expires_in: object, token: str, *, wall: float) -> float | None:
    """Read ``expires_in``, else the expiry that a JWT states of itself; what is not a number counts as missing."""
    seconds = _seconds(expires_in)
    if seconds is not None:
        return seconds
    expiry = _jwt_expiry(token)
    return None if expiry is None else expiry - wall


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return LONGEST_LIFETIME if int(value) > 0 else -1.0
    except ValueError:
        return None
    return None if math.isnan(seconds) else seconds


def _jwt_expiry(token: str) -> float | None:
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = parse_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return None if payload is None else _seconds(payload.get("exp"))


def refusal(*, status: int, headers: httpx.Headers, body: bytes, wall: float) -> TokenError:
    """Make the error of an answer that is no success; the body is not kept, as it could hold a token."""
    code = _oauth_code(body)
    invalid = status == HTTPStatus.UNAUTHORIZED or (status == HTTPStatus.BAD_REQUEST and code in _INVALID_CREDENTIALS)
    kind = InvalidCredentialsError if invalid else TokenError
    reason = "the client id and secret are not accepted" if invalid else "the token endpoint refused"
    return kind(
        reason,
        status_code=status,
        error_code=code,
        headers=_harmless(headers),
        retry_after=parse_retry_after(headers, wall=wall),
        outcome="not_sent",
        request_id=request_id(headers),
    )


def unusable(answer: Unusable, *, status: int, headers: httpx.Headers) -> TokenError:
    """Make the error of a success without a token."""
    return TokenError(
        answer.problem,
        status_code=status,
        headers=_harmless(headers),
        outcome="not_sent",
        request_id=request_id(headers),
    )


def _harmless(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in _HARMLESS}


def _oauth_code(body: bytes) -> str | None:
    """Find the error code, if it is one of the standard's: any other text could be an echoed secret."""
    code = (parse_object(body) or {}).get("error")
    return code if isinstance(code, str) and code in _OAUTH_CODES else None
