"""Time spans in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pinecone_admin._text.durations import describe_difference, describe_duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=1), "1 day"),
        (timedelta(weeks=2), "14 days"),
        (timedelta(hours=36), "1 day 12 hours"),
        (timedelta(hours=1, minutes=1, seconds=1), "1 hour 1 minute 1 second"),
        (timedelta(milliseconds=10), "0 seconds"),
    ],
)
def test_a_duration_is_written_in_words(duration: timedelta, text: str) -> None:
    """Only the units that count are named, in the singular for one."""
    assert describe_duration(duration) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=207, hours=23, minutes=59, seconds=59), "208 days"),
        (timedelta(days=1, minutes=29), "1 day"),
        (timedelta(hours=5, minutes=3, seconds=31), "5 hours 4 minutes"),
        (timedelta(minutes=2, seconds=9, milliseconds=400), "2 minutes 9 seconds"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_measured_difference_is_rounded(duration: timedelta, text: str) -> None:
    """Seconds count for minutes, and neither for days."""
    assert describe_difference(duration) == text
