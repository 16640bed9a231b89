"""Whether a request may be sent again, when, and what has become of it: pure decisions.

A create of this API is not idempotent: names are not unique, secrets are shown once, and there is no idempotency
key. So once a POST may have been processed, it is not sent again.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from threading import Event
from typing import Any, NamedTuple

import httpx
from attrs import Attribute, define, field, frozen

from pinecone_admin._http.numbers import check_count, check_seconds
from pinecone_admin.errors import Masked, Outcome, PineconeError, PineconeTypeError

CALL = "pinecone_admin.call"
"""Key of the Call in the extensions of a request."""

MAX_ANSWER = 32 * 1024 * 1024
"""Bytes that the body of an answer may have."""


class AnswerTooLargeError(httpx.ReadError):
    """The answer is larger than any of this API."""


class Failure(Enum):
    """What kept an attempt from a usable answer."""

    NOT_SENT = auto()  # refused, DNS, TLS handshake, pool, CONNECT refused
    RATE_LIMITED = auto()  # 429
    OVERLOADED = auto()  # 408, 500, 502, 503, 504
    NO_ANSWER = auto()  # sent, then reset, EOF or read timeout
    BROKEN_BODY = auto()  # 2xx, and then the body breaks off
    TOO_LARGE = auto()  # 2xx, and a body beyond any of this API
    BROKEN_SERVER = auto()  # another 5xx, which may have been processed
    UNREACHABLE = auto()  # certificate failure, theirs or ours, unknown host, proxy authentication
    REDIRECTED = auto()  # 3xx, which may stand for success elsewhere
    REFUSED = auto()  # any other status


class Rule(NamedTuple):
    """One row of the table."""

    retry: bool
    retry_post: bool
    outcome: Outcome


# PATCH sets absolute values here, so it may be repeated as PUT and DELETE may.
TABLE: Mapping[Failure, Rule] = {
    Failure.NOT_SENT: Rule(retry=True, retry_post=True, outcome="not_sent"),
    Failure.RATE_LIMITED: Rule(retry=True, retry_post=True, outcome="rejected"),
    Failure.OVERLOADED: Rule(retry=True, retry_post=False, outcome="unknown"),
    Failure.NO_ANSWER: Rule(retry=True, retry_post=False, outcome="unknown"),
    Failure.BROKEN_BODY: Rule(retry=True, retry_post=False, outcome="done"),
    Failure.TOO_LARGE: Rule(retry=False, retry_post=False, outcome="done"),
    Failure.BROKEN_SERVER: Rule(retry=False, retry_post=False, outcome="unknown"),
    Failure.UNREACHABLE: Rule(retry=False, retry_post=False, outcome="not_sent"),
    Failure.REDIRECTED: Rule(retry=False, retry_post=False, outcome="unknown"),
    Failure.REFUSED: Rule(retry=False, retry_post=False, outcome="rejected"),
}
_OVERLOADED = frozenset({408, 500, 502, 503, 504})
_NOT_PROCESSED = frozenset({501, 505})
# These say nothing of an earlier attempt at the same thing: access may have changed in between.
_UNSETTLING = frozenset({401, 403, 407})
_FOREVER = 1e12
# What a server says where it does not accept our own certificate, or the lack of one.
_CERTIFICATE_REFUSED = re.compile(r".*_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)")
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


def _count(_: RetryPolicy, attribute: Attribute[int], value: int) -> None:
    check_count(attribute.name, value)


def _seconds(_: RetryPolicy, attribute: Attribute[float], value: float) -> None:
    check_seconds(attribute.name, value)


def _callable(_: RetryPolicy, attribute: Attribute[Any], value: object) -> None:
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

    max_attempts: int = field(default=4, validator=_count)
    attempt_timeout: float = field(default=20.0, validator=_seconds)
    backoff: float = field(default=0.5, validator=_seconds)
    max_backoff: float = field(default=8.0, validator=_seconds)
    max_retry_after: float = field(default=60.0, validator=_seconds)
    on_retry: Callable[[RetryEvent], None] | None = field(default=None, validator=_callable)


@define(kw_only=True)
class Call:
    """What the attempts of one call share, also across the one with a fresh token.

    Attributes:
        deadline: Monotonic time at which the call gives up.
        idempotent: Whether doing it twice is the same as doing it once.
        label: What logs call it: the path template, which holds no ids.
        place: What errors call the other side: its host and port, and the proxy on the way.
        closed: Set once the client is closed, which ends every wait.
        attempts: How often it was tried.
        ambiguous: Whether an earlier attempt may have been processed.
        outcome: What is known of it.
        secrets: What goes along with the request and has no place in a log or an error.
        largest: Bytes that the body of an answer may have.
    """

    deadline: float
    idempotent: bool
    label: str
    place: str
    closed: Event
    attempts: int = 0
    ambiguous: bool = False
    outcome: Outcome = "not_sent"
    secrets: list[Masked] = field(factory=list[Masked])
    largest: int = MAX_ANSWER


class Trace:
    """Listens to httpcore: whether the request itself, and not only a CONNECT, began to go out, and over new TLS."""

    def __init__(self) -> None:
        self.seen = False
        self.sent = False
        self.secured = False

    def __call__(self, event: str, info: Mapping[str, object]) -> None:
        """Take one event."""
        self.seen = True
        self.secured = self.secured or event.endswith(".start_tls.complete")
        if event.endswith(".send_request_headers.started"):
            self.sent = self.sent or getattr(info.get("request"), "method", b"") != b"CONNECT"


def classify_status(status: int) -> Failure | None:
    """Tell what a status means; None for success."""
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return None
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Failure.RATE_LIMITED
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirection
        return Failure.REDIRECTED
    if status in _OVERLOADED:
        return Failure.OVERLOADED
    return Failure.BROKEN_SERVER if status >= 500 and status not in _NOT_PROCESSED else Failure.REFUSED  # noqa: PLR2004


def classify_error(error: Exception, trace: Trace, *, answered: bool, handled: BaseException | None = None) -> Failure:
    """Tell what an exception of the transport below means; one that reports no events counts as sent.

    Args:
        error: What the attempt raised.
        trace: What it told of its progress.
        answered: Whether the head of an answer had come.
        handled: What the caller was handling when the attempt began, and so no cause of it.
    """
    if answered:
        return Failure.TOO_LARGE if isinstance(error, AnswerTooLargeError) else Failure.BROKEN_BODY
    if _is_certificate_refused(error, trace, handled):
        return Failure.UNREACHABLE
    if trace.sent:
        return Failure.NO_ANSWER
    if _is_permanent(error, handled):
        return Failure.UNREACHABLE
    kinds = (
        httpx.PoolTimeout,
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    )
    return Failure.NOT_SENT if isinstance(error, kinds) or trace.seen else Failure.NO_ANSWER


def _is_permanent(error: Exception, handled: BaseException | None) -> bool:
    if isinstance(error, httpx.ProxyError):
        return str(error).startswith("407")
    return any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME)
        for cause in causes(error, until=handled)
    )


def _is_certificate_refused(error: Exception, trace: Trace, handled: BaseException | None) -> bool:
    """Tell whether the server ended the handshake for our certificate: in TLS 1.3 the request is on its way by then."""
    if not (trace.secured if trace.sent else trace.seen):
        return False
    reasons = [cause.reason for cause in causes(error, until=handled) if isinstance(cause, ssl.SSLError)]
    return any(reason and _CERTIFICATE_REFUSED.fullmatch(reason) for reason in reasons)


def causes(error: BaseException | None, *, until: BaseException | None) -> list[BaseException]:
    """Follow an exception to its first cause, through contexts too: httpcore cuts the explicit chain."""
    chain: list[BaseException] = []
    while error is not None and error is not until and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def may_retry(failure: Failure, *, idempotent: bool) -> bool:
    """Look the failure up in the table."""
    rule = TABLE[failure]
    return rule.retry if idempotent else rule.retry_post


def record(call: Call, failure: Failure | None, status: int | None) -> None:
    """Note what an attempt says of the call: an ambiguous one stays so until a later answer settles it."""
    if failure is None:
        call.outcome, call.ambiguous = "done", False
        return
    outcome = TABLE[failure].outcome
    if outcome in {"unknown", "done"}:
        call.ambiguous = True
        call.outcome = "done" if call.outcome == "done" else outcome
    elif not call.ambiguous or (failure is Failure.REFUSED and status not in _UNSETTLING):
        call.outcome, call.ambiguous = outcome, False


def is_safe_to_retry(call: Call) -> bool:
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


def parse_retry_after(headers: httpx.Headers, *, wall: float) -> float | None:
    """Read ``retry-after-ms`` or ``Retry-After``, as seconds or as a date, in seconds from now; of several the longest.

    Args:
        headers: Headers of the answer.
        wall: Seconds since the epoch, for a date where the answer has no Date of its own to measure against.
    """
    now = _date(headers.get("date", "")) or datetime.fromtimestamp(wall, UTC)
    milliseconds = [_number(text) for text in headers.get_list("retry-after-ms")]
    asked = [each / 1000 for each in milliseconds if each is not None]
    asked = asked or [each for text in headers.get_list("retry-after") if (each := _from_now(text, now)) is not None]
    return max(asked, default=None)


def _from_now(text: str, now: datetime) -> float | None:
    seconds = _number(text)
    until = _date(text) if seconds is None else None
    return seconds if until is None else max(0.0, (until - now).total_seconds())


def _number(text: str) -> float | None:
    return min(float(text), _FOREVER) if re.fullmatch(r"\s*\d+(\.\d*)?\s*", text, re.ASCII) else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
