"""Write points in time in words."""

from __future__ import annotations

from datetime import UTC, datetime


def describe_minute(moment: datetime) -> str:
    """Return an aware datetime to the minute in UTC, such as ``2026-07-01 12:30 UTC``."""
    try:
        return moment.astimezone(UTC).isoformat(" ", "minutes").removesuffix("+00:00") + " UTC"
    except OverflowError:  # at an end of the calendar, beyond which it is in UTC
        return moment.isoformat(" ", "minutes")
