"""The server's time, from the Date headers of its responses."""

from __future__ import annotations

from datetime import datetime, timedelta

from pinecone_admin._http.retry_after import parse_http_date

_PLAUSIBLE_YEARS = range(2000, 9000)


def continue_date(date: bytes, seconds: float) -> datetime | None:
    """Return the server's time some seconds after it sent a Date header, or None if the header is no plausible date.

    The result has whole seconds, and does not depend on the wall clock of this machine.
    """
    moment = parse_http_date(date.decode("latin-1"))
    if moment is None or moment.year not in _PLAUSIBLE_YEARS:
        return None
    # A Date has whole seconds: rounded down, a later response never shows an earlier time.
    return moment + timedelta(seconds=int(seconds))
