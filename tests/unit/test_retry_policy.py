"""The bounds of every wait and of what an error keeps, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import RetryEvent, RetryPolicy
from pinecone_admin._http.error_mapping import parse_error_body
from pinecone_admin._http.failures import Failure
from pinecone_admin._http.retry_after import parse_retry_after
from pinecone_admin._http.retry_policy import next_delay

PATIENT = RetryPolicy(max_attempts=100, backoff=1, max_backoff=1e8)


def shortest(low: float, high: float) -> float:
    """Draw the lower bound."""
    assert low <= high
    return low


def longest(low: float, high: float) -> float:
    """Draw the upper bound."""
    assert low <= high
    return high


def delay(draw: Callable[[float, float], float], policy: RetryPolicy = PATIENT, **changes: Any) -> float | None:
    """Ask for the wait after a first failure that leaves an hour."""
    defaults: dict[str, Any] = {"failure": Failure.OVERLOADED, "attempt": 1, "left": 3600.0, "retry_after": None}
    return next_delay(policy, random=draw, **defaults | changes)


@pytest.mark.parametrize(("attempt", "most"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (11, 1024.0)])
def test_backoff_doubles(attempt: int, most: float) -> None:
    """From 0.05 s to what doubles with every attempt, and to twice that after a 429."""
    assert delay(shortest, attempt=attempt) == 0.05
    assert delay(longest, attempt=attempt) == most
    assert delay(longest, attempt=attempt, failure=Failure.RATE_LIMITED) == 2 * most


def test_backoff_is_bounded() -> None:
    """By max_backoff, also after a 429 and after more attempts than a float can double."""
    policy = RetryPolicy(max_attempts=10_000, backoff=0.5, max_backoff=8)
    assert [delay(longest, policy, attempt=attempt) for attempt in (4, 5, 6, 9_999)] == [4, 8, 8, 8]
    assert delay(longest, policy, attempt=4, failure=Failure.RATE_LIMITED) == 8
    assert delay(longest, RetryPolicy(backoff=0.01)) == 0.05


def test_attempts_are_bounded() -> None:
    """The last of them is followed by no wait."""
    assert delay(shortest, RetryPolicy(max_attempts=3), attempt=2) is not None
    assert delay(shortest, RetryPolicy(max_attempts=3), attempt=3) is None


@pytest.mark.parametrize(
    ("asked", "most"), [(0.0, 0.05), (0.04, 0.05), (1.0, 1.05), (8.0, 8.4), (10.0, 10.5), (50.0, 50.5)]
)
def test_a_retry_after_is_smeared_a_little(asked: float, most: float) -> None:
    """Never early, at most a twentieth and half a second late, and no shorter than any other wait."""
    assert delay(shortest, retry_after=asked) == max(0.05, asked)
    assert delay(longest, retry_after=asked) == pytest.approx(most)


def test_the_longest_retry_after() -> None:
    """It is still waited for, and nothing longer, whatever the smear; the default is a minute."""
    assert delay(longest, RetryPolicy(), retry_after=60.0) == 60.5
    assert delay(shortest, RetryPolicy(), retry_after=60.001) is None


@pytest.mark.parametrize("retry_after", [None, 1.0])
def test_a_wait_ends_before_the_deadline(retry_after: float | None) -> None:
    """One that would end with it leaves no time for an attempt."""
    wait = delay(longest, retry_after=retry_after)
    assert wait is not None
    assert delay(longest, retry_after=retry_after, left=wait) is None
    assert delay(longest, retry_after=retry_after, left=wait + 0.001) == wait


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
def test_a_retry_after_is_read_exactly(headers: dict[str, str], seconds: float) -> None:
    """In milliseconds, in seconds, and as a date against the server's clock or else our own."""
    assert parse_retry_after(httpx.Headers(headers), wall=1_699_999_980.0) == pytest.approx(seconds)


@pytest.mark.parametrize("kind", [RetryPolicy, RetryEvent])
def test_numbers_have_to_be_named(kind: type) -> None:
    """Five numbers in a row would say nothing, and could not be added to."""
    with pytest.raises(TypeError, match="positional"):
        kind(4, 20.0)


def test_what_an_error_keeps_of_its_body() -> None:
    """Five hundred characters of code and message, and details down to a depth that can be pickled."""

    def nested(depth: int) -> dict[str, Any]:
        details: dict[str, Any] = {}
        for number in range(depth - 1):
            details = {"a": details} if number % 2 else {"a": [details]}
        return details

    def read(details: object) -> tuple[str | None, str | None, dict[str, Any] | None]:
        return parse_error_body(json.dumps({"error": {"code": "c" * 501, "message": "m", "details": details}}).encode())

    assert read({}) == ("c" * 500, "m", {})
    for depth in range(1, 80):
        levels = depth + depth // 2
        assert (read(nested(depth))[2] is None) == (levels > 50), depth
