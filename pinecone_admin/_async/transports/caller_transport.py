"""Send requests over a transport of the caller's, and read the responses as from connections of our own."""

from __future__ import annotations

from functools import partial

import httpx

from pinecone_admin._async.transports.pool import send_and_read, time_limit_error
from pinecone_admin._concurrency.attempts import Attempt, async_record_events
from pinecone_admin._concurrency.waiting import async_call_within
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedResponse


class AsyncTransportExchange:
    """Sends requests over any transport of httpx."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Send a request and read the response; see ``send_and_read``."""
        request.extensions["trace"] = async_record_events(attempt, request.extensions.get("trace"))
        return await async_call_within(
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
