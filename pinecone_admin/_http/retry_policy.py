"""Decide whether and when a request is sent again, and what is known about its outcome; no I/O.

A create of this API is not idempotent: names are not unique, secrets are shown once, and there is no idempotency
key. So once a POST may have been processed, it is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from attrs import Attribute, evolve, field, frozen

from pinecone_admin._http.argument_checks import check_duration, check_integer
from pinecone_admin._http.call_state import CallState
from pinecone_admin.errors import Outcome


class Failure(Enum):
    """Why an attempt did not get a usable response."""

    NOT_SENT = auto()  # connection refused, DNS, TLS handshake, pool, CONNECT refused
    RATE_LIMITED = auto()  # 429
    TRANSIENT_STATUS = auto()  # 408, 500, 502, 503, 504
    NO_RESPONSE = auto()  # sent, then reset, EOF or read timeout
    INCOMPLETE_BODY = auto()  # 2xx, then an incomplete body
    BODY_TOO_LARGE = auto()  # 2xx, with a body larger than any that this API sends
    SERVER_ERROR = auto()  # any other 5xx; the request may have been processed
    CANNOT_CONNECT = auto()  # server or client certificate refused, unknown host, 407 of a proxy
    REDIRECT = auto()  # 3xx, or 101; the request may have been processed
    FOREIGN_REFUSAL = auto()  # 403 of something on the way, which may have stopped the response
    CLIENT_ERROR = auto()  # any other status


class RetryRule(NamedTuple):
    """One row of the retry table.

    Attributes:
        retry_other: Whether an idempotent request is sent again.
        retry_post: Whether any other request is.
        outcome: Whether the request may have been processed.
        worth_retrying: Whether the same call may succeed later, without a change by the caller.
    """

    retry_other: bool
    retry_post: bool
    outcome: Outcome
    worth_retrying: bool


RETRY_TABLE: Mapping[Failure, RetryRule] = {
    Failure.NOT_SENT: RetryRule(retry_other=True, retry_post=True, outcome="not_sent", worth_retrying=True),
    Failure.RATE_LIMITED: RetryRule(retry_other=True, retry_post=True, outcome="rejected", worth_retrying=True),
    Failure.TRANSIENT_STATUS: RetryRule(retry_other=True, retry_post=False, outcome="unknown", worth_retrying=True),
    Failure.NO_RESPONSE: RetryRule(retry_other=True, retry_post=False, outcome="unknown", worth_retrying=True),
    Failure.INCOMPLETE_BODY: RetryRule(retry_other=True, retry_post=False, outcome="done", worth_retrying=True),
    Failure.BODY_TOO_LARGE: RetryRule(retry_other=False, retry_post=False, outcome="done", worth_retrying=False),
    Failure.SERVER_ERROR: RetryRule(retry_other=False, retry_post=False, outcome="unknown", worth_retrying=True),
    Failure.CANNOT_CONNECT: RetryRule(retry_other=False, retry_post=False, outcome="not_sent", worth_retrying=False),
    Failure.REDIRECT: RetryRule(retry_other=False, retry_post=False, outcome="unknown", worth_retrying=False),
    Failure.FOREIGN_REFUSAL: RetryRule(retry_other=False, retry_post=False, outcome="unknown", worth_retrying=False),
    Failure.CLIENT_ERROR: RetryRule(retry_other=False, retry_post=False, outcome="rejected", worth_retrying=False),
}
# The server, or a gateway before it, may succeed a moment later.
_TRANSIENT_STATUSES = frozenset({408, 500, 502, 503, 504})
# Not Implemented and HTTP Version Not Supported: the server refused before it processed anything.
_NOT_PROCESSED = frozenset({501, 505})
# These do not show whether an earlier attempt was processed: access may have changed in between. To an account that has
# lost its role, nothing exists, and a copy of the server that is behind may not have it yet.
_ACCESS_STATUSES = frozenset({401, 403, 404, 407})
# A proxy that inspects content sends this in place of a response, too, for example of one that contains a secret.
_STATUSES_OF_FILTERS = frozenset({403})
# PATCH is included because every PATCH of this API sets absolute values.
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})
# After a DELETE whose response was lost, a refusal of the repeated one, such as 409 or 412, does not show that the
# first one did nothing. Only success settles it, or a 404 of the API, which transports/retry.py counts as done.
_NOT_SETTLED_BY_REFUSAL = frozenset({"DELETE"})


# Used if ``max_attempts`` is None.
_CALL_ATTEMPTS = 4
_TOKEN_REQUEST_ATTEMPTS = 3

# Points of ``RetryPolicy.budget``. botocore 1.40 charges 5 for a retry, or 10 after a timeout; 1.44.8 charges 14, or 5
# if it was throttled; both refund only what the last retry of a call has cost (``retries/standard.py``).
_RETRY_COST = 5
SUCCESS_REFUND = 1
"""Points that a success without a retry refunds; any other refunds what its retries have cost."""


def _validate_count(_: RetryPolicy, attribute: Attribute[Any], value: int | None) -> None:
    if value is not None:
        check_integer(attribute.name, value, least=1)


def _validate_points(_: RetryPolicy, attribute: Attribute[Any], value: int | None) -> None:
    if value is not None:
        check_integer(attribute.name, value, least=0)


def _validate_seconds(_: RetryPolicy, attribute: Attribute[float], value: float) -> None:
    check_duration(attribute.name, value, allow_zero=attribute.name == "backoff")


@frozen(kw_only=True)
class RetryPolicy:
    """Limits of attempts, and of the waits between them.

    Attributes:
        max_attempts: Maximum number of attempts, from 1; 1 means no retries. None means 4 for a call and 3 for a token
            request. A number is the maximum of both. The policy of the constructor holds for token requests; the policy
            of a copy holds only for calls.
        attempt_timeout: Seconds for one attempt, with the response body.
        backoff: Longest first wait in seconds, from 0. It doubles after every attempt, and is twice as long after a
            429. Each wait is a random time between 0.05 s and this maximum. With 0, for tests, the client waits only
            for a Retry-After.
        max_backoff: Longest wait in seconds if the server sends no Retry-After.
        max_retry_after: Longest Retry-After in seconds. If the server sends a longer one, the client does not retry.
        budget: Points for retries, from 0, or None for no limit. A retry costs 5 points, or none after a 429 with a
            Retry-After. A successful call returns the points that its retries have cost, or 1 point if it had no retry.
            If there are too few points, the client does not retry, so that an outage does not multiply the requests.
            The client counts the spent points of each host, and its copies share the count. A call may retry while the
            count is within the ``budget`` of the client or copy that makes it. So a copy with a small ``budget`` may
            have no retry after calls that had some. Token requests spend no points.

            The standard retry mode of botocore also has 500 points (``retries/quota.py``). AWS explains their purpose:
            https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html

    Raises:
        PineconeValueError: A number is out of range.
        PineconeTypeError: A value has the wrong type.

    Example:
        >>> patient = Admin(retry=RetryPolicy(max_attempts=6, max_backoff=30), timeout=180)
    """

    max_attempts: int | None = field(default=None, validator=_validate_count)
    """Maximum number of attempts, from 1; 1 means no retries. None means 4 for a call and 3 for a token request."""
    attempt_timeout: float = field(default=20.0, validator=_validate_seconds)
    """Seconds for one attempt, with the response body."""
    backoff: float = field(default=0.5, validator=_validate_seconds)
    """Longest first wait in seconds, from 0. It doubles after every attempt, and is twice as long after a 429."""
    max_backoff: float = field(default=8.0, validator=_validate_seconds)
    """Longest wait in seconds if the server sends no Retry-After."""
    max_retry_after: float = field(default=60.0, validator=_validate_seconds)
    """Longest Retry-After in seconds. If the server sends a longer one, the client does not retry."""
    budget: int | None = field(default=500, validator=_validate_points)
    """Points for retries, from 0, or None for no limit."""


def count_attempts(policy: RetryPolicy) -> int:
    """Return the maximum number of attempts of a call."""
    return _CALL_ATTEMPTS if policy.max_attempts is None else policy.max_attempts


def for_token_requests(policy: RetryPolicy) -> RetryPolicy:
    """Return the policy of the token requests of a client, which have another limit than the retry budget."""
    attempts = _TOKEN_REQUEST_ATTEMPTS if policy.max_attempts is None else policy.max_attempts
    return evolve(policy, max_attempts=attempts, budget=None)  # their limit is the wait after a failed one


def classify_status(status: int, *, is_foreign: bool = False) -> Failure:
    """Return the failure of a status that is not one of ``SUCCESSES``.

    Args:
        status: The status.
        is_foreign: Whether something on the way has sent the response.
    """
    if is_foreign and status in _STATUSES_OF_FILTERS:
        return Failure.FOREIGN_REFUSAL
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Failure.RATE_LIMITED
    # After a 1xx there would be a response, if it had been understood.
    if status < 200 or 300 <= status < 400:  # noqa: PLR2004 - the classes of information and redirection
        return Failure.REDIRECT
    if status in _TRANSIENT_STATUSES:
        return Failure.TRANSIENT_STATUS
    is_server_error = status >= 500 and status not in _NOT_PROCESSED  # noqa: PLR2004 - the class of server errors
    return Failure.SERVER_ERROR if is_server_error else Failure.CLIENT_ERROR


def may_retry(failure: Failure, *, idempotent: bool) -> bool:
    """Return whether the table allows a retry after the failure."""
    rule = RETRY_TABLE[failure]
    return rule.retry_other if idempotent else rule.retry_post


def record_failure(
    call: CallState, failure: Failure, *, method: str, status: int | None, is_foreign: bool = False
) -> None:
    """Record in the call what a failed attempt says about its outcome.

    Args:
        call: The call.
        failure: Failure of the attempt.
        method: HTTP method.
        status: Status of the response, or None if there was none.
        is_foreign: Whether something on the way has sent the response, so that it says nothing of earlier attempts.
    """
    rule = RETRY_TABLE[failure]
    call.worth_retrying = rule.worth_retrying
    if call.is_token_exchange:
        return
    outcome = rule.outcome
    if outcome in {"unknown", "done"}:
        call.ambiguous = True
        # A success was received once, even if a later attempt says less.
        call.outcome = "done" if call.outcome == "done" else outcome
    # An ambiguous call stays ambiguous until a later response shows what happened to the request. No refusal of a later
    # attempt takes back a success that was received.
    elif not call.ambiguous or (
        call.outcome != "done"
        and failure is Failure.CLIENT_ERROR
        and not is_foreign
        and status not in _ACCESS_STATUSES
        and method not in _NOT_SETTLED_BY_REFUSAL
    ):
        call.outcome, call.ambiguous = outcome, False


def is_safe_to_retry(call: CallState) -> bool:
    """Return whether the call can be repeated without the risk of a second effect."""
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
    """Return the seconds to wait before the next attempt, or None if there must be none.

    Args:
        policy: Limits of attempts and waits.
        failure: Failure of the last attempt.
        attempt: Number of the last attempt, from 1.
        left: Seconds until the deadline.
        retry_after: Seconds that the server asks to wait, or None.
        random: Returns a random number, uniformly distributed between two bounds.
    """
    if attempt >= count_attempts(policy):
        return None
    if retry_after is not None:
        # Never early; jitter of at most 5 % or 0.5 s spreads a fleet out.
        delay = max(0.05, retry_after + random(0.0, min(0.5, 0.05 * retry_after)))
        return delay if retry_after <= policy.max_retry_after and delay < left else None
    if policy.backoff == 0:
        return 0.0 if left > 0 else None
    base = policy.backoff * (2 if failure is Failure.RATE_LIMITED else 1)
    # The exponent is limited because a float overflows at 2**1024.
    delay = random(0.05, max(0.05, min(policy.max_backoff, base * 2 ** min(attempt - 1, 30))))
    return delay if delay < left else None


def retry_cost(failure: Failure, retry_after: float | None) -> int:
    """Return the points that a retry costs; after a 429 with a Retry-After, the server decides when it is sent."""
    return 0 if failure is Failure.RATE_LIMITED and retry_after is not None else _RETRY_COST
