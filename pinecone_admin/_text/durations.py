"""Write time spans in words."""

from __future__ import annotations

from datetime import timedelta

from pinecone_admin._text.counts import count_noun


def describe_duration(duration: timedelta) -> str:
    """Return a time span to the second, such as ``1 day 6 hours``."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    counts = {"day": duration.days, "hour": hours, "minute": minutes, "second": seconds}
    parts = [count_noun(count, unit) for unit, count in counts.items() if count]
    return " ".join(parts) or "0 seconds"
