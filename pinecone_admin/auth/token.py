"""Tokens, and the decisions when to use, refresh or drop one; no I/O."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple, NoReturn, TypeGuard

from attrs import Factory, field, frozen

from generated_client.types import masked
from pinecone_admin._http.argument_checks import is_visible_ascii
from pinecone_admin.errors import InvalidCredentialsError, PineconeError, PineconeTypeError

AUDIENCE = "https://api.pinecone.io/"
"""Audience of the token; the trailing slash is part of it."""

# Used if the token endpoint states no lifetime.
DEFAULT_LIFETIME = 300.0
MAX_LIFETIME = 86_400.0
MAX_TOKEN_RESPONSE_BYTES = 64 * 1024


@frozen(kw_only=True)
class AccessToken:
    """An OAuth access token, which other tools can use, too.

    Attributes:
        value: The token itself; masked in ``repr``.
        expires_at: When the server stops accepting the token, as a datetime in UTC, or None if this is unknown.

    Example:
        >>> token = admin.token()
        >>> print(token.expires_at)
        2026-07-01 12:30:00+00:00
    """

    value: str = field(repr=masked)
    """The token itself; masked in ``repr``."""
    expires_at: datetime | None
    """When the server stops accepting the token, as a datetime in UTC, or None if this is unknown."""

    def __reduce__(self) -> NoReturn:
        raise PineconeTypeError("AccessToken cannot be pickled: pass its value, where it is safe to do so")


def _compute_fresh_for(issued: IssuedToken) -> float:
    return issued.lifetime - min(300.0, issued.lifetime / 4) * (1 - issued.jitter)


@frozen(kw_only=True, eq=False, repr=False)
class IssuedToken:
    """A token with the times that decide when it is refreshed.

    Attributes:
        token: The token.
        lifetime: Lifetime in seconds, counted from before the token was requested.
        monotonic: Monotonic time before the token was requested.
        wall: Wall time before the token was requested.
        jitter: Fraction from 0 to 0.2. It shortens the refresh window, so that a fleet spreads its refreshes.
        fresh_for: Age in seconds, by either clock, when it is refreshed.
    """

    token: AccessToken
    lifetime: float
    monotonic: float
    wall: float
    jitter: float
    fresh_for: float = field(init=False, default=Factory(_compute_fresh_for, takes_self=True))

    def seconds_left(self, *, monotonic: float, wall: float) -> float:
        """Return the seconds until the token expires."""
        # The larger of two ages: a wall clock that is set back changes nothing, and time while suspended counts.
        return self.lifetime - max(monotonic - self.monotonic, wall - self.wall)


class TokenAction(Enum):
    """The next action for a token."""

    USE = auto()
    REFRESH_IN_BACKGROUND = auto()
    WAIT_AND_FALL_BACK = auto()
    WAIT = auto()


def decide_action(issued: IssuedToken | None, *, monotonic: float, wall: float) -> TokenAction:
    """Return what to do with a token, given the time that it has left."""
    if issued is None:
        return TokenAction.WAIT
    left, lifetime = issued.seconds_left(monotonic=monotonic, wall=wall), issued.lifetime
    if lifetime - left < issued.fresh_for:
        return TokenAction.USE
    if left > blocking_window(lifetime):
        return TokenAction.REFRESH_IN_BACKGROUND
    return TokenAction.WAIT_AND_FALL_BACK if left > 0 else TokenAction.WAIT


def blocking_window(lifetime: float) -> float:
    """Return the seconds at the end of a lifetime when calls wait for a refresh."""
    return min(30.0, lifetime / 10)


class ExchangeFailures(NamedTuple):
    """Consecutive failed exchanges with the same credentials.

    Attributes:
        credentials_fingerprint: Fingerprint of the credentials.
        number: How many there were.
        error: Error of the last one.
        retry_at: Monotonic end of the time when that error is raised again and no exchange is tried.
    """

    credentials_fingerprint: str
    number: int
    error: PineconeError
    retry_at: float


def count_failure(
    before: ExchangeFailures | None, error: PineconeError, *, credentials_fingerprint: str, now: float
) -> ExchangeFailures:
    """Return the failures including this one; with other credentials the count starts again."""
    number = 1 + (
        before.number if before is not None and before.credentials_fingerprint == credentials_fingerprint else 0
    )
    duration = cooldown_seconds(
        number,
        rejected=isinstance(error, InvalidCredentialsError),
        retry_after=error.retry_after,
    )
    return ExchangeFailures(
        credentials_fingerprint=credentials_fingerprint, number=number, error=error, retry_at=now + duration
    )


def cooldown_seconds(failures: int, *, rejected: bool, retry_after: float | None) -> float:
    """Return the seconds without another exchange after this many consecutive failures.

    Args:
        failures: Number of consecutive failures, from 1.
        rejected: Whether the credentials were rejected.
        retry_after: Seconds that the token endpoint asks to wait, or None.
    """
    if retry_after is not None:
        return max(1.0, min(60.0, retry_after))
    return min(60.0 if rejected else 30.0, float(2 ** min(failures - 1, 10)))


def fingerprint(*parts: str) -> str:
    """Return a SHA-256 digest in hexadecimal that identifies credentials without revealing them."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def expiry_from_timestamp(timestamp: float) -> datetime:
    """Return an expiry, given in seconds since the epoch, or the nearest one that a datetime can express."""
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC) if timestamp > 0 else datetime.min.replace(tzinfo=UTC)


def is_token(value: object) -> TypeGuard[str]:
    """Return whether a value can be sent as a bearer token."""
    return isinstance(value, str) and is_visible_ascii(value)
