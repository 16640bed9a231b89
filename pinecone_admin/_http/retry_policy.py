"""Whether a request may be sent again, when, and what has become of it: pure decisions.

A create of this API is not idempotent: names are not unique, secrets are shown once, and there is no idempotency
key. So once a POST may have been processed, it is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from attrs import Attribute, field, frozen

from pinecone_admin._http.arguments import check_integer, check_seconds
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.failures import Failure
from pinecone_admin.errors import Outcome, PineconeError, PineconeTypeError


class RetryRule(NamedTuple):
    """One row of the table."""

    retry: bool
    retry_post: bool
    outcome: Outcome


# PATCH sets absolute values here, so it may be repeated as PUT and DELETE may.
RETRY_TABLE: Mapping[Failure, RetryRule] = {
    Failure.NOT_SENT: RetryRule(retry=True, retry_post=True, outcome="not_sent"),
    Failure.RATE_LIMITED: RetryRule(retry=True, retry_post=True, outcome="rejected"),
    Failure.OVERLOADED: RetryRule(retry=True, retry_post=False, outcome="unknown"),
    Failure.NO_RESPONSE: RetryRule(retry=True, retry_post=False, outcome="unknown"),
    Failure.BROKEN_BODY: RetryRule(retry=True, retry_post=False, outcome="done"),
    Failure.TOO_LARGE: RetryRule(retry=False, retry_post=False, outcome="done"),
    Failure.BROKEN_SERVER: RetryRule(retry=False, retry_post=False, outcome="unknown"),
    Failure.UNREACHABLE: RetryRule(retry=False, retry_post=False, outcome="not_sent"),
    Failure.REDIRECTED: RetryRule(retry=False, retry_post=False, outcome="unknown"),
    Failure.REFUSED: RetryRule(retry=False, retry_post=False, outcome="rejected"),
}
# These say nothing of an earlier attempt at the same thing: access may have changed in between.
_UNSETTLING = frozenset({401, 403, 407})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})


@frozen(kw_only=True)
class RetryEvent:
    """Tells ``on_retry`` what failed and how long the wait is.

    Attributes:
        method: HTTP method.
        path: Path of the request, without its query.
        attempt: Number of the attempt that failed, from 1.
        delay: Seconds until the next one.
        status_code: Status of the answer, or None where none came.
        error: What the call would fail with, or None where an answer came.
    """

    method: str
    path: str
    attempt: int
    delay: float
    status_code: int | None
    error: PineconeError | None


def _validate_count(_: RetryPolicy, attribute: Attribute[int], value: int) -> None:
    check_integer(attribute.name, value, least=1)


def _validate_seconds(_: RetryPolicy, attribute: Attribute[float], value: float) -> None:
    check_seconds(attribute.name, value)


def _validate_callable(_: RetryPolicy, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not callable(value):
        raise PineconeTypeError(f"{attribute.name} must be callable, not {type(value).__name__}")


@frozen(kw_only=True)
class RetryPolicy:
    """How often, how long and how patiently to try.

    Attributes:
        max_attempts: Attempts in all, from 1; 1 never retries.
        attempt_timeout: Seconds for one attempt, body included.
        backoff: Seconds that the longest first wait has; it doubles with every attempt, and is twice that after a 429.
        max_backoff: Seconds that no wait of our own exceeds.
        max_retry_after: Longest Retry-After in seconds that is waited for; after a longer one the answer is returned.
        on_retry: Called with a ``RetryEvent`` before each wait.

    Raises:
        PineconeValueError: A number is out of range.
        PineconeTypeError: It is not a number, or ``on_retry`` cannot be called.
    """

    max_attempts: int = field(default=4, validator=_validate_count)
    attempt_timeout: float = field(default=20.0, validator=_validate_seconds)
    backoff: float = field(default=0.5, validator=_validate_seconds)
    max_backoff: float = field(default=8.0, validator=_validate_seconds)
    max_retry_after: float = field(default=60.0, validator=_validate_seconds)
    on_retry: Callable[[RetryEvent], None] | None = field(default=None, validator=_validate_callable)


def may_retry(failure: Failure, *, idempotent: bool) -> bool:
    """Look the failure up in the table."""
    rule = RETRY_TABLE[failure]
    return rule.retry if idempotent else rule.retry_post


def record_attempt(call: CallState, failure: Failure | None, status: int | None) -> None:
    """Note what an attempt says of the call: an ambiguous one stays so until a later answer settles it."""
    if failure is None:
        call.outcome, call.ambiguous = "done", False
        return
    outcome = RETRY_TABLE[failure].outcome
    if outcome in {"unknown", "done"}:
        call.ambiguous = True
        call.outcome = "done" if call.outcome == "done" else outcome
    elif not call.ambiguous or (failure is Failure.REFUSED and status not in _UNSETTLING):
        call.outcome, call.ambiguous = outcome, False


def is_safe_to_retry(call: CallState) -> bool:
    """Tell whether repeating the call cannot do the thing twice."""
    return call.idempotent or call.outcome in {"not_sent", "rejected"}


def next_delay(
    policy: RetryPolicy,
    *,
    failure: Failure,
    attempt: int,
    left: float,
    retry_after: float | None,
    random: Callable[[float, float], float],
) -> float | None:
    """Give the seconds to wait before the next attempt, or None where there is to be none.

    Args:
        policy: The limits.
        failure: What the last attempt failed with.
        attempt: Its number, from 1.
        left: Seconds until the deadline.
        retry_after: What the server asks for.
        random: Draws uniformly between two numbers.
    """
    if attempt >= policy.max_attempts:
        return None
    if retry_after is not None:
        # Never early, and hardly later: the smear keeps a fleet from coming back in one moment.
        delay = max(0.05, retry_after + random(0.0, min(0.5, 0.05 * retry_after)))
        return delay if retry_after <= policy.max_retry_after and delay < left else None
    base = policy.backoff * (2 if failure is Failure.RATE_LIMITED else 1)
    delay = random(0.05, max(0.05, min(policy.max_backoff, base * 2 ** min(attempt - 1, 30))))
    return delay if delay < left else None
