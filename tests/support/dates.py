"""Dates at both ends of the calendar, which a server may send, such as the zero time of Go."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle

import pytest

from pinecone_admin.emulator.api import serialization

ENDS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",  # in UTC, it is before the first year
    "0001-01-01T00:00:00-12:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999-12:00",  # in UTC, it is after the last year
    "9999-12-31T23:59:59+14:00",
)


@contextmanager
def sending_dates(*dates: str) -> Generator[None, None, None]:
    """Let every emulator send these dates in turn, in place of each date that it would send."""
    sent = cycle(dates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialization, "format_time", lambda _: next(sent))
        yield
