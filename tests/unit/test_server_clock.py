"""The server's time, from the Date headers of its responses."""

from __future__ import annotations

from datetime import UTC, datetime

from pinecone_admin._http.server_clock import continue_date


def test_the_time_continues_after_a_date() -> None:
    """The time runs on in whole seconds, rounded down, so that a later response never shows an earlier time."""
    assert [continue_date(b"Thu, 03 Dec 2026 05:44:30 GMT", seconds) for seconds in (0.0, 0.9, 30.0)] == [
        datetime(2026, 12, 3, 5, minute, second, tzinfo=UTC) for minute, second in ((44, 30), (44, 30), (45, 0))
    ]


def test_an_impossible_date_is_none() -> None:
    """A header that is no date, or one of another age, gives no time."""
    for date in (b"", b"noon", b"Thu, 03 Dec 9999 05:44:30 GMT", b"Thu, 03 Dec 1026 05:44:30 GMT"):
        assert continue_date(date, 0.0) is None
