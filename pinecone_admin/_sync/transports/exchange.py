# Derived from pinecone_admin/_async/transports/exchange.py by scripts/unasync.py: change that, not this file.
"""Send a request once over a transport of httpx, and read the response to its end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, cast

import httpx

from pinecone_admin._concurrency.attempts import Attempt, record_events
from pinecone_admin._concurrency.waiting import call_within
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedResponse
from pinecone_admin._http.transport_errors import ResponseTooLargeError


class Exchange(Protocol):
    """Sends a request once and reads the response: one exchange of HTTP messages, not of a token."""

    def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Return the response to a request, of whose body at most ``max_bytes`` are accepted."""
        ...


class TransportExchange:
    """Sends requests over any transport of httpx."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Send a request and read the response. If an error response breaks off, the part that arrived describes it.

        Raises:
            ResponseTooLargeError: The body of a success is larger than ``max_bytes``.
            Exception: Whatever the transport raises.
        """
        request.extensions["trace"] = record_events(attempt, request.extensions.get("trace"))
        return call_within(
            attempt.seconds_left,
            partial(send_and_read, self._transport, request, attempt, max_bytes=max_bytes),
            partial(_end_early, attempt),
        )


def send_and_read(
    transport: httpx.BaseTransport, request: httpx.Request, attempt: Attempt, *, max_bytes: int
) -> BufferedResponse:
    """Send a request and read the response; see ``TransportExchange.exchange``."""
    response = transport.handle_request(request)
    # The first of several values counts. ``httpx.Headers.get`` would decode all headers, each time.
    headers = {name.lower(): value for name, value in reversed(response.headers.raw)}
    attempt.arrived = arrived = BufferedResponse(
        response.status_code,
        response.headers,
        b"",
        response.extensions,
        content_encoding=headers.get(b"content-encoding", b""),
        date=headers.get(b"date", b""),
    )
    chunks = list[bytes]()
    try:
        if response.is_stream_consumed and not isinstance(response.stream, httpx.ByteStream):
            # The caller's transport has read the body, and decoded it.
            kept = [each for each in response.headers.raw if each[0].lower() != b"content-encoding"]
            arrived.headers, arrived.content_encoding = httpx.Headers(kept), b""
            chunks.append(response.content)
        else:
            announced = b"" if request.method == "HEAD" else headers.get(b"content-length", b"")
            _read_body(response, chunks, attempt, max_bytes=max_bytes, announced=announced)
    except Exception:
        if response.status_code in SUCCESSES:
            raise
    finally:
        arrived.body = b"".join(chunks)
        with suppress(Exception):
            response.close()
    return arrived


def _end_early(attempt: Attempt) -> BufferedResponse:
    """Return what has arrived of an error response when the time is up; raise if there is none."""
    arrived = attempt.arrived
    if isinstance(arrived, BufferedResponse) and arrived.status not in SUCCESSES:
        return arrived
    raise _time_limit_error()


def _time_limit_error() -> httpx.TimeoutException:
    return httpx.ReadTimeout("the time limit of this attempt has passed")


def _read_body(
    response: httpx.Response, chunks: list[bytes], attempt: Attempt, *, max_bytes: int, announced: bytes
) -> None:
    if announced.isdigit() and int(announced) > max_bytes:
        raise ResponseTooLargeError(f"the response announces {announced.decode()} bytes")
    size = 0
    stream: Any = cast("Iterable[bytes]", response.stream).__iter__()
    try:
        for chunk in stream:
            size += len(chunk)
            # A transport of the caller's may ignore the timeouts that it gets. What arrived in one piece is used.
            if chunks and attempt.seconds_left <= 0:
                raise _time_limit_error()
            if size > max_bytes:
                raise ResponseTooLargeError(f"the response has more than {max_bytes} bytes")
            chunks.append(chunk)
    finally:
        # An unfinished generator must be closed here: under trio, the garbage collector cannot close it.
        if hasattr(stream, "close"):
            stream.close()
