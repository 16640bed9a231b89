"""The server's time, from the Date headers of its responses, and dates in them that can be right."""

from __future__ import annotations

from datetime import datetime, timedelta

from pinecone_admin._http.retry_after import parse_http_date

_PLAUSIBLE_YEARS = range(2000, 9000)


def plausible_date(date: datetime | None) -> datetime | None:
    """Return a date of a server, or None if it cannot be right: some programs send the year 1 for a date not set.

    By such a date, everything would be old enough to be deleted or replaced.
    """
    return date if date is not None and date.year in _PLAUSIBLE_YEARS else None


def continue_date(date: bytes, seconds: float) -> datetime | None:
    """Return the server's time some seconds after it sent a Date header, or None if the header is no plausible date.

    The result has whole seconds, and does not depend on the wall clock of this machine.
    """
    moment = plausible_date(parse_http_date(date.decode("latin-1")))
    if moment is None:
        return None
    # A Date has whole seconds: rounded down, a later response never shows an earlier time.
    return moment + timedelta(seconds=int(seconds))
