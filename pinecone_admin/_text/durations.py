"""Write time spans in words."""

from __future__ import annotations

from datetime import timedelta

from pinecone_admin._text.counts import count_noun

_ROUNDED = ((timedelta(days=1), timedelta(hours=1)), (timedelta(hours=1), timedelta(minutes=1)))
"""The unit to which a time span is rounded, behind the least time span of which that is so."""


def describe_duration(duration: timedelta) -> str:
    """Return a time span to the second, such as ``1 day 6 hours``."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    counts = {"day": duration.days, "hour": hours, "minute": minutes, "second": seconds}
    parts = [count_noun(count, unit) for unit, count in counts.items() if count]
    return " ".join(parts) or "0 seconds"


def describe_difference(duration: timedelta) -> str:
    """Return a measured time span, rounded to hours above a day, and to minutes above an hour."""
    unit = next((small for large, small in _ROUNDED if duration >= large), timedelta(seconds=1))
    return describe_duration(round(duration / unit) * unit)
