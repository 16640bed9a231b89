"""The server's time, from the Date headers of its responses."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from pinecone_admin._http.buffered_messages import find_header
from pinecone_admin._http.retry_after import parse_http_date

_PLAUSIBLE_YEARS = range(2000, 9000)


class ServerClock:
    """Continues the server's time since its latest response; it does not depend on the wall clock of this machine."""

    def __init__(self) -> None:
        self._latest: tuple[bytes, float] | None = None

    def record(self, headers: httpx.Headers, monotonic: float) -> None:
        """Remember the Date header of a response that has just arrived."""
        date = find_header(headers, b"date")
        if date:
            self._latest = (date, monotonic)

    def now(self, monotonic: float) -> datetime | None:
        """Return the server's time in whole seconds, or None if no response had a valid Date."""
        if self._latest is None:
            return None
        date, received_at = self._latest
        moment = parse_http_date(date.decode("latin-1"))
        if moment is None or moment.year not in _PLAUSIBLE_YEARS:
            return None
        # A Date has whole seconds: rounded down, a later response never shows an earlier time.
        return moment + timedelta(seconds=int(monotonic - received_at))
