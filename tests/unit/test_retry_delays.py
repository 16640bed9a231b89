"""Retry delays at their exact bounds, Retry-After, and the limits of what an error keeps of its body."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import AttemptEvent, RetryPolicy
from pinecone_admin._http.error_mapping import parse_error_body
from pinecone_admin._http.retry_after import parse_retry_after
from pinecone_admin._http.retry_policy import Failure, next_delay

PATIENT = RetryPolicy(max_attempts=100, backoff=1, max_backoff=1e8)


def draw_lowest(low: float, high: float) -> float:
    """Draw the lower bound."""
    assert low <= high
    return low


def draw_highest(low: float, high: float) -> float:
    """Draw the upper bound."""
    assert low <= high
    return high


def compute_delay(draw: Callable[[float, float], float], policy: RetryPolicy = PATIENT, **changes: Any) -> float | None:
    """Return the delay after a first failure with an hour left."""
    defaults: dict[str, Any] = {"failure": Failure.TRANSIENT_STATUS, "attempt": 1, "left": 3600.0, "retry_after": None}
    return next_delay(policy, random=draw, **defaults | changes)


@pytest.mark.parametrize(("attempt", "upper_bound"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (11, 1024.0)])
def test_backoff_doubles(attempt: int, upper_bound: float) -> None:
    """The upper bound of the delay doubles with every attempt, and is twice as high after a 429."""
    assert compute_delay(draw_lowest, attempt=attempt) == 0.05
    assert compute_delay(draw_highest, attempt=attempt) == upper_bound
    assert compute_delay(draw_highest, attempt=attempt, failure=Failure.RATE_LIMITED) == 2 * upper_bound


def test_backoff_is_bounded() -> None:
    """The delay never exceeds max_backoff."""
    policy = RetryPolicy(max_attempts=10_000, backoff=0.5, max_backoff=8)
    assert [compute_delay(draw_highest, policy, attempt=attempt) for attempt in (4, 5, 6, 9_999)] == [4, 8, 8, 8]
    assert compute_delay(draw_highest, policy, attempt=4, failure=Failure.RATE_LIMITED) == 8
    assert compute_delay(draw_highest, RetryPolicy(backoff=0.01)) == 0.05


def test_attempts_are_bounded() -> None:
    """The last attempt is followed by no delay."""
    assert compute_delay(draw_lowest, RetryPolicy(max_attempts=3), attempt=2) is not None
    assert compute_delay(draw_lowest, RetryPolicy(max_attempts=3), attempt=3) is None


@pytest.mark.parametrize(
    ("retry_after", "upper_bound"), [(0.0, 0.05), (0.04, 0.05), (1.0, 1.05), (8.0, 8.4), (10.0, 10.5), (50.0, 50.5)]
)
def test_retry_after_has_jitter(retry_after: float, upper_bound: float) -> None:
    """A Retry-After is never shortened, and is extended by at most a twentieth and half a second."""
    assert compute_delay(draw_lowest, retry_after=retry_after) == max(0.05, retry_after)
    assert compute_delay(draw_highest, retry_after=retry_after) == pytest.approx(upper_bound)


def test_the_longest_retry_after() -> None:
    """The default limit of Retry-After is 60 s, before jitter."""
    assert compute_delay(draw_highest, RetryPolicy(), retry_after=60.0) == 60.5
    assert compute_delay(draw_lowest, RetryPolicy(), retry_after=60.001) is None


@pytest.mark.parametrize("retry_after", [None, 1.0])
def test_a_delay_ends_before_the_deadline(retry_after: float | None) -> None:
    """A delay that would end at the deadline is refused."""
    wait = compute_delay(draw_highest, retry_after=retry_after)
    assert wait is not None
    assert compute_delay(draw_highest, retry_after=retry_after, left=wait) is None
    assert compute_delay(draw_highest, retry_after=retry_after, left=wait + 0.001) == wait


NOW = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500.5"}, 1.5005),
        ({"retry-after-ms": "0", "retry-after": "9"}, 0.0),
        ({"retry-after-ms": "-1", "retry-after": "9"}, 9.0),
        ({"retry-after": "2."}, 2.0),
        ({"retry-after": NOW, "date": "Tue, 14 Nov 2023 22:13:21 GMT"}, 0.0),
        ({"retry-after": NOW, "date": NOW}, 0.0),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:20 +0100", "date": "garbage"}, 20.0),
    ],
    ids=str,
)
def test_retry_after_is_parsed_exactly(headers: dict[str, str], seconds: float) -> None:
    """Retry-After is parsed as milliseconds, as seconds, and as a date relative to the server's clock."""
    assert parse_retry_after(httpx.Headers(headers), wall=1_699_999_980.0) == pytest.approx(seconds)


@pytest.mark.parametrize("kind", [RetryPolicy, AttemptEvent])
def test_numbers_are_keyword_only(kind: type) -> None:
    """RetryPolicy and AttemptEvent accept no positional arguments."""
    with pytest.raises(TypeError, match="positional"):
        kind(4, 20.0)


def test_what_an_error_keeps_of_its_body() -> None:
    """An error keeps 500 characters of the code, and details up to 50 levels deep."""

    def nested(depth: int) -> dict[str, Any]:
        details: dict[str, Any] = {}
        for number in range(depth - 1):
            details = {"a": details} if number % 2 else {"a": [details]}
        return details

    def read(details: object) -> tuple[str | None, str | None, dict[str, Any] | None]:
        return parse_error_body(json.dumps({"error": {"code": "c" * 501, "message": "m", "details": details}}).encode())

    assert read({}) == ("c" * 499 + "…", "m", {})
    for depth in range(1, 80):
        levels = depth + depth // 2
        assert (read(nested(depth))[2] is None) == (levels > 50), depth
