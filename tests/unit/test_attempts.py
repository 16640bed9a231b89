"""The knowledge about an attempt: httpcore's events that transports report, and exceptions that pass through it."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import httpx
import pytest

from pinecone_admin._concurrency.attempts import Attempt, record_events
from pinecone_admin._http.retry_policy import Failure
from pinecone_admin._http.transport_errors import classify_error, remove_frames

START = "http11.send_request_headers.started"
CONNECT, POST = SimpleNamespace(method=b"CONNECT"), SimpleNamespace(method=b"POST")


@pytest.mark.parametrize(
    ("requests", "failure"),
    [
        ([], Failure.NOT_SENT),
        ([CONNECT], Failure.NOT_SENT),
        ([CONNECT, POST], Failure.NO_RESPONSE),
        ([CONNECT, POST, CONNECT], Failure.NO_RESPONSE),
        ([POST, CONNECT, CONNECT], Failure.NO_RESPONSE),
    ],
)
def test_a_later_tunnel_does_not_hide_a_sent_request(requests: list[SimpleNamespace], failure: Failure) -> None:
    """A transport that fails over through a proxy may have sent the request before it opens the next tunnel."""
    attempt = Attempt()
    record = record_events(attempt, None)
    record("connection.connect_tcp.started", {})
    for request in requests:
        record(START, {"request": request})
    assert classify_error(httpx.ProxyError("502 Bad Gateway"), attempt) is failure


def test_a_cause_before_the_last_failure_does_not_say_that_nothing_was_sent() -> None:
    """Without events, only an error of connecting says that its request was not sent."""
    unknown_host = socket.gaierror(socket.EAI_NONAME, "unknown")
    lost, refused = httpx.ReadTimeout("slow"), httpx.ConnectError("DNS")
    lost.__context__ = refused.__context__ = unknown_host
    assert classify_error(lost, Attempt()) is Failure.NO_RESPONSE
    assert classify_error(refused, Attempt()) is Failure.CANNOT_CONNECT


def test_the_exception_that_a_caller_handles_stays_visible() -> None:
    """An interrupted call shows what its caller was handling, as any exception does."""
    handled, interrupt = KeyError("handled"), KeyboardInterrupt()
    interrupt.__context__ = ValueError("a transport's")
    remove_frames(interrupt, handled=handled)
    shown: tuple[object, ...] = (interrupt.__context__, interrupt.__cause__, interrupt.__suppress_context__)
    assert shown == (handled, None, False)
