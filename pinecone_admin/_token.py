"""When a token is used, refreshed or given up, and how an answer of the token endpoint is read: pure decisions."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from enum import Enum, auto
from http import HTTPStatus
from typing import NoReturn

import httpx
from attrs import field, frozen

from generated_client.types import masked
from pinecone_admin._codec import parse_object
from pinecone_admin._errors import request_id
from pinecone_admin._retry import parse_retry_after
from pinecone_admin.errors import InvalidCredentialsError, PineconeTypeError, TokenError

AUDIENCE = "https://api.pinecone.io/"
"""What the token is for; the slash at the end counts."""

DEFAULT_LIFETIME = 300.0
LONGEST_LIFETIME = 86_400.0
MAX_ANSWER = 64 * 1024

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
    if left <= min(30.0, lifetime / 10):
        return Use.WAIT_AND_FALL_BACK
    if left <= min(300.0, lifetime / 4) * (1 - minted.jitter):
        return Use.REFRESH_IN_BACKGROUND
    return Use.SERVE


def cooldown(failures: int, *, credentials: bool, retry_after: float | None) -> float:
    """Give the seconds for which no exchange is tried again after this many failures in a row."""
    doubled = float(2 ** min(failures - 1, 10))
    if credentials:
        return min(60.0, doubled)
    return min(30.0, doubled) if retry_after is None else min(60.0, retry_after)


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
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
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
        headers={name: value for name, value in headers.items() if name in _HARMLESS},
        retry_after=parse_retry_after(headers, wall=wall),
        outcome="not_sent",
        request_id=request_id(headers),
    )


def _oauth_code(body: bytes) -> str | None:
    """Find the error code, if it is one of the standard's: any other text could be an echoed secret."""
    code = (parse_object(body) or {}).get("error")
    return code if isinstance(code, str) and code in _OAUTH_CODES else None
