# Derived from pinecone_admin/_async/transports/caller_transport.py by scripts/unasync.py: change that, not this file.
"""Send requests over a transport of the caller's, and read the responses as from connections of our own."""

from __future__ import annotations

from functools import partial

import httpx

from pinecone_admin._concurrency.attempts import Attempt, record_events
from pinecone_admin._concurrency.waiting import call_within
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedResponse
from pinecone_admin._sync.transports.pool import send_and_read, time_limit_error


class TransportExchange:
    """Sends requests over any transport of httpx."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Send a request and read the response; see ``send_and_read``."""
        request.extensions["trace"] = record_events(attempt, request.extensions.get("trace"))
        return call_within(
            attempt.seconds_left,
            partial(send_and_read, self._transport, request, attempt, max_bytes=max_bytes),
            partial(_end_early, attempt),
        )


def _end_early(attempt: Attempt) -> BufferedResponse:
    """Return what has arrived of an error response when the time is up; raise if there is none."""
    arrived = attempt.arrived
    if isinstance(arrived, BufferedResponse) and arrived.status not in SUCCESSES:
        return arrived
    raise time_limit_error()
