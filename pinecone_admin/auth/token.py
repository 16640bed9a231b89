"""When a token is used, refreshed or given up, and how an answer of the token endpoint is read: pure decisions."""

from __future__ import annotations

import hashlib
import re
from enum import Enum, auto
from typing import NoReturn, TypeGuard

from attrs import field, frozen

from generated_client.types import masked
from pinecone_admin.errors import InvalidCredentialsError, PineconeError, PineconeTypeError, TokenError

AUDIENCE = "https://api.pinecone.io/"
"""What the token is for; the slash at the end counts."""

DEFAULT_LIFETIME = 300.0
MAX_LIFETIME = 86_400.0
MAX_TOKEN_RESPONSE_BYTES = 64 * 1024


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
class IssuedToken:
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

    def seconds_left(self, *, monotonic: float, wall: float) -> float:
        """Give the seconds left: a clock set back changes nothing, and a suspended machine counts."""
        return self.lifetime - max(monotonic - self.monotonic, wall - self.wall)


class TokenAction(Enum):
    """What to do with a token."""

    SERVE = auto()
    REFRESH_IN_BACKGROUND = auto()
    WAIT_AND_FALL_BACK = auto()
    WAIT = auto()


def decide_action(issued: IssuedToken | None, *, monotonic: float, wall: float) -> TokenAction:
    """Decide by the time that is left."""
    if issued is None:
        return TokenAction.WAIT
    left, lifetime = issued.seconds_left(monotonic=monotonic, wall=wall), issued.lifetime
    if left <= 0:
        return TokenAction.WAIT
    if left <= final_window(lifetime):
        return TokenAction.WAIT_AND_FALL_BACK
    if left <= min(300.0, lifetime / 4) * (1 - issued.jitter):
        return TokenAction.REFRESH_IN_BACKGROUND
    return TokenAction.SERVE


def final_window(lifetime: float) -> float:
    """Give the seconds at the end of a lifetime in which a refresh is waited for."""
    return min(30.0, lifetime / 10)


@frozen(kw_only=True)
class ExchangeFailures:
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


def count_failure(
    before: ExchangeFailures | None, error: PineconeError, *, credentials: str, now: float
) -> ExchangeFailures:
    """Count a failure; other credentials begin anew."""
    count = 1 + (before.count if before is not None and before.credentials == credentials else 0)
    duration = cooldown_seconds(
        count,
        credentials=isinstance(error, InvalidCredentialsError),
        retry_after=error.retry_after if isinstance(error, TokenError) else None,
    )
    return ExchangeFailures(credentials=credentials, count=count, error=error, until=now + duration)


def cooldown_seconds(failures: int, *, credentials: bool, retry_after: float | None) -> float:
    """Give the seconds for which no exchange is tried again after this many failures in a row."""
    doubled = float(2 ** min(failures - 1, 10))
    if credentials:
        return min(60.0, doubled)
    return min(30.0, doubled) if retry_after is None else max(1.0, min(60.0, retry_after))


def fingerprint(*parts: str) -> str:
    """Tell credentials apart without keeping them."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def is_token(value: object) -> TypeGuard[str]:
    """Return whether a value can be sent as a bearer token."""
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None
