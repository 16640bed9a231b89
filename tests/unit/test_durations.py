"""Time spans in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pinecone_admin._text.durations import describe_duration


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
