"""Parse the time that a server asks to wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

# Keeps a number of any length finite.
_MAX_SECONDS = 1e12


def parse_retry_after(headers: httpx.Headers, *, wall: float) -> float | None:
    """Return the seconds to wait by ``retry-after-ms``, else ``Retry-After``, else None; the largest of several values.

    Args:
        headers: Headers of the response; ``Retry-After`` may be a number of seconds or a date.
        wall: Current time in seconds since the epoch, used for a date if the response has no Date header.
    """
    # Measured against the Date of the response, a date does not depend on the clock of this machine.
    now = parse_http_date(headers.get("date", "")) or datetime.fromtimestamp(wall, UTC)
    milliseconds = [_parse_number(text) for text in headers.get_list("retry-after-ms")]
    requested = [each / 1000 for each in milliseconds if each is not None]
    requested = requested or [
        each for text in headers.get_list("retry-after") if (each := _seconds_from_now(text, now)) is not None
    ]
    return max(requested, default=None)


def _seconds_from_now(text: str, now: datetime) -> float | None:
    seconds = _parse_number(text)
    until = parse_http_date(text) if seconds is None else None
    return seconds if until is None else max(0.0, (until - now).total_seconds())


def _parse_number(text: str) -> float | None:
    return min(float(text), _MAX_SECONDS) if re.fullmatch(r"\s*\d+(\.\d*)?\s*", text, re.ASCII) else None


def parse_http_date(text: str) -> datetime | None:
    """Return a date of an HTTP header as an aware datetime, or None if it is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
