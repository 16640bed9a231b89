"""The server's time, from the Date headers of its responses."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from pinecone_admin._http.server_clock import ServerClock


def test_the_time_continues_since_the_latest_date() -> None:
    """The time runs on in whole seconds, rounded down, so that a later response never shows an earlier time."""
    clock = ServerClock()
    assert clock.now(5.0) is None
    clock.record(httpx.Headers({"date": "Thu, 03 Dec 2026 05:44:30 GMT"}), 10.0)
    clock.record(httpx.Headers(), 12.0)
    assert [clock.now(at) for at in (10.0, 10.9, 40.0)] == [
        datetime(2026, 12, 3, 5, minute, second, tzinfo=UTC) for minute, second in ((44, 30), (44, 30), (45, 0))
    ]


def test_an_impossible_date_is_none() -> None:
    """A header that is no date, or one of another age, gives no time."""
    clock = ServerClock()
    for date in ("", "noon", "Thu, 03 Dec 9999 05:44:30 GMT", "Thu, 03 Dec 1026 05:44:30 GMT"):
        clock.record(httpx.Headers({"date": date}), 10.0)
        assert clock.now(10.0) is None
