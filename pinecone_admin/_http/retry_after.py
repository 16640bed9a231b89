"""How long a server asks to wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

_MAX_SECONDS = 1e12


def parse_retry_after(headers: httpx.Headers, *, wall: float) -> float | None:
    """Read ``retry-after-ms`` or ``Retry-After``, as seconds or as a date, in seconds from now; of several the longest.

    Args:
        headers: Headers of the answer.
        wall: Seconds since the epoch, for a date where the answer has no Date of its own to measure against.
    """
    now = _parse_date(headers.get("date", "")) or datetime.fromtimestamp(wall, UTC)
    milliseconds = [_parse_number(text) for text in headers.get_list("retry-after-ms")]
    asked = [each / 1000 for each in milliseconds if each is not None]
    asked = asked or [
        each for text in headers.get_list("retry-after") if (each := _seconds_from_now(text, now)) is not None
    ]
    return max(asked, default=None)


def _seconds_from_now(text: str, now: datetime) -> float | None:
    seconds = _parse_number(text)
    until = _parse_date(text) if seconds is None else None
    return seconds if until is None else max(0.0, (until - now).total_seconds())


def _parse_number(text: str) -> float | None:
    return min(float(text), _MAX_SECONDS) if re.fullmatch(r"\s*\d+(\.\d*)?\s*", text, re.ASCII) else None


def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
