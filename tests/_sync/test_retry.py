# Derived from tests/_async/test_retry.py by scripts/unasync.py: change that, not this file.
"""What is sent again, how often, after how long, and what is known of it in the end."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from attrs import evolve, frozen

from pinecone_admin import (
    Admin,
    ApiError,
    NotFoundError,
    Operation,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    RateLimitError,
    ResponseParsingError,
    RetryEvent,
    RetryPolicy,
    ServiceError,
    UnauthorizedError,
)
from pinecone_admin.retry import RetryTransport
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.scripted_transport import ScriptedFailure, ScriptedResponse, ScriptedTransport, Step, token_response

pytestmark = pytest.mark.anyio

IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "PATCH"]
CONNECTED = ["connection.connect_tcp.started", "connection.connect_tcp.complete"]
SENT = [*CONNECTED, "http11.send_request_headers.started"]


def caused(error: Exception, cause: Exception) -> ScriptedFailure:
    """Make a failure as httpx does, with what the system said as its cause."""
    error.__cause__ = cause
    return ScriptedFailure(error)


@frozen
class Row:
    """What may be repeated after a failure, and what is known of a request that only ever failed so."""

    steps: list[Step]
    idempotent: bool
    post: bool
    outcome: str


def answers(*statuses: int, **headers: str) -> list[Step]:
    """Answer with each of the statuses."""
    return [
        ScriptedResponse(status, headers={key.replace("_", "-"): value for key, value in headers.items()})
        for status in statuses
    ]


def failures(*errors: Exception, events: list[str] | None = None) -> list[Step]:
    """Raise each of the errors."""
    return [ScriptedFailure(error, events or []) for error in errors]


OVERLOADED = (503, 500, 502, 504, 408)
TABLE: dict[str, Row] = {
    "not sent": Row(
        [
            *failures(
                httpx.ConnectError("refused"),
                httpx.ConnectTimeout("slow"),
                httpx.PoolTimeout("full"),
                httpx.ProxyError("503 Service Unavailable"),
                httpx.UnsupportedProtocol("gopher"),
            ),
            caused(httpx.ConnectError("DNS"), socket.gaierror(socket.EAI_AGAIN, "try again")),
            caused(httpx.ConnectError("TLS"), ssl.SSLError("handshake")),
            *failures(httpx.ReadError("reset"), httpx.ReadTimeout("slow"), OSError("x"), events=CONNECTED),
        ],
        True,
        True,
        "not_sent",
    ),
    "429": Row([*answers(429), *answers(429, retry_after="1")], True, True, "rejected"),
    "overloaded": Row([*answers(*OVERLOADED), *answers(*OVERLOADED, retry_after="1")], True, False, "unknown"),
    "no answer": Row(
        [
            *failures(
                httpx.ReadError("reset"),
                httpx.WriteError("reset"),
                httpx.RemoteProtocolError("EOF"),
                httpx.ReadTimeout("slow"),
                httpx.WriteTimeout("slow"),
                RuntimeError("strange"),
            ),
            *failures(httpx.ReadError("reset"), httpx.RemoteProtocolError("EOF"), events=SENT),
        ],
        True,
        False,
        "unknown",
    ),
    "broken body": Row(
        [
            ScriptedResponse(200, b"{", body_error=httpx.ReadError("reset")),
            ScriptedResponse(201, body_error=httpx.RemoteProtocolError("incomplete")),
            ScriptedResponse(202, b"{", body_error=httpx.ReadTimeout("slow")),
        ],
        True,
        False,
        "done",
    ),
    "refused": Row(answers(400, 402, 403, 404, 405, 407, 409, 412, 418, 422, 501, 505), False, False, "rejected"),
    "another 5xx": Row(answers(520, 522, 599), False, False, "unknown"),
    "redirected": Row(answers(300, 301, 304, 307), False, False, "unknown"),
    "unreachable": Row(
        [
            caused(httpx.ConnectError("TLS"), ssl.SSLCertVerificationError("self-signed")),
            caused(httpx.ConnectError("DNS"), socket.gaierror(socket.EAI_NONAME, "unknown")),
            *failures(httpx.ProxyError("407 Proxy Authentication Required")),
        ],
        False,
        False,
        "not_sent",
    ),
}
CASES = [(name, method) for name in TABLE for method in (*IDEMPOTENT, "POST")]


def probe(method: str) -> Operation[None]:
    """Make an operation of this verb."""
    return Operation(id="probe", method=method, path="/admin/x", returns=None)


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_failure_is_repeated_as_the_table_says(name: str, method: str, make_client: Callable[..., Admin]) -> None:
    """Up to four times where a repeat cannot do the thing twice, else once; a POST never after it may have counted."""
    row = TABLE[name]
    repeated = row.post if method == "POST" else row.idempotent
    for step in row.steps:
        script = ScriptedTransport(step)
        with pytest.raises(PineconeError) as caught:
            make_client(script).send(probe(method))
        assert len(script.requests) == (4 if repeated else 1), step
        error = caught.value
        assert (error.outcome, error.attempts) == (row.outcome, len(script.requests)), step
        assert error.safe_to_retry is (method != "POST" or row.outcome in {"not_sent", "rejected"}), step


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_repeat_that_succeeds_is_a_success(name: str, method: str, make_client: Callable[..., Admin]) -> None:
    """Where the table allows a repeat, one failure does not show."""
    row = TABLE[name]
    if not (row.post if method == "POST" else row.idempotent):
        return
    for step in row.steps:
        script = ScriptedTransport(step, ScriptedResponse(202))
        make_client(script).send(probe(method))
        assert len(script.requests) == 2, step


def test_every_attempt_sends_the_same_request(make_client: Callable[..., Admin]) -> None:
    """Body, headers and address."""
    script = ScriptedTransport(ScriptedResponse(503))
    with raises(ServiceError):
        make_client(script).projects.update(project_id="p", name="x")
    first, *others = [
        (request.method, str(request.url), dict(request.headers), request.content) for request in script.requests
    ]
    assert others == [first] * 3


@pytest.mark.parametrize(
    "lost",
    [ScriptedFailure(httpx.ReadError("reset")), ScriptedResponse(503), ScriptedResponse(202, body_error=OSError())],
    ids=str,
)
def test_a_delete_that_a_lost_attempt_has_done_is_done(lost: Step, make_client: Callable[..., Admin]) -> None:
    """A 404 on the repeat after an ambiguous attempt is what success looks like."""
    script = ScriptedTransport(lost, ScriptedResponse(404))
    make_client(script).projects.delete(project_id="p")
    assert len(script.requests) == 2


@pytest.mark.parametrize("harmless", [ScriptedFailure(httpx.ConnectError("refused")), ScriptedResponse(429)], ids=str)
def test_a_404_after_a_harmless_attempt_is_a_404(harmless: Step, make_client: Callable[..., Admin]) -> None:
    """Nothing was processed before, so it was not there; and only a delete is meant by the rule."""
    with raises(NotFoundError):
        make_client(ScriptedTransport(harmless, ScriptedResponse(404))).projects.delete(project_id="p")
    with raises(NotFoundError):
        make_client(ScriptedTransport(ScriptedResponse(503), ScriptedResponse(404))).projects.describe(project_id="p")


LOST = ScriptedFailure(httpx.ReadError("reset"))

# Steps for a PATCH → outcome.
SEQUENCES: dict[str, tuple[list[Step], str]] = {
    "lost, then refused for good": ([LOST, ScriptedResponse(409)], "rejected"),
    "lost, then not sent": ([LOST, ScriptedFailure(httpx.ConnectError("refused"))], "unknown"),
    "lost, then too many requests": ([LOST, ScriptedResponse(429)], "unknown"),
    "lost, then no access": ([LOST, ScriptedResponse(403)], "unknown"),
    "not sent, then lost": ([ScriptedFailure(httpx.ConnectError("refused")), LOST], "unknown"),
    "not sent, then too many requests": (
        [ScriptedFailure(httpx.ConnectError("refused")), ScriptedResponse(429)],
        "rejected",
    ),
    "done, then lost": ([ScriptedResponse(200, body_error=OSError()), LOST], "done"),
    "done, then too many requests": ([ScriptedResponse(200, body_error=OSError()), ScriptedResponse(429)], "done"),
}


@pytest.mark.parametrize(("steps", "outcome"), SEQUENCES.values(), ids=SEQUENCES)
def test_what_is_known_after_several_attempts(
    steps: list[Step], outcome: str, make_client: Callable[..., Admin]
) -> None:
    """Once an attempt was ambiguous the outcome is, until a later answer settles it."""
    with pytest.raises(PineconeError) as caught:
        make_client(ScriptedTransport(*steps)).projects.update(project_id="p", name="x")
    assert caught.value.outcome == outcome


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_401_gets_one_fresh_token_once(method: str, make_client: Callable[..., Admin]) -> None:
    """Every verb is repeated with it, since a 401 was not processed; a second 401 is final."""
    script = ScriptedTransport(ScriptedResponse(401), ScriptedResponse(202))
    make_client(script).send(probe(method))
    assert [request.headers["authorization"] for request in script.requests] == ["Bearer token-1", "Bearer token-2"]
    script = ScriptedTransport(ScriptedResponse(401))
    with raises(UnauthorizedError) as caught:
        make_client(script).send(probe(method))
    assert (len(script.requests), len(script.exchanges)) == (2, 2)
    assert (caught.value.outcome, caught.value.attempts) == ("rejected", 2)


def test_a_403_gets_no_fresh_token(make_client: Callable[..., Admin]) -> None:
    """Another token of the same account may do no more."""
    script = ScriptedTransport(ScriptedResponse(403))
    with pytest.raises(ApiError):
        make_client(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 1)


def test_attempts_are_counted_across_a_fresh_token(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """The repeat after a 401 continues the count and the deadline rather than starting new ones."""
    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(401), ScriptedResponse(503))
    with raises(ServiceError) as caught:
        make_client(script).projects.list()
    assert (len(script.requests), caught.value.attempts) == (4, 4)
    assert len(clock.slept) == 2


@pytest.mark.parametrize("status", [401, 503])
def test_a_fresh_token_does_not_extend_the_deadline(
    status: int, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Tokens, attempts and waits share the seconds of the call."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(8)
        return ScriptedResponse(status)

    with pytest.raises(ApiError) as caught:
        make_client(ScriptedTransport(slow), timeout=10).projects.list()
    assert caught.value.attempts == 2
    assert clock.monotonic() <= 1_000 + 8 * 2 + 1


@pytest.mark.parametrize("seconds", [10, 10.5, 11])
def test_a_call_whose_time_is_over_is_not_sent(
    seconds: float, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Where the token took all of it, nothing goes out."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(seconds)
        return token_response(1)

    script = ScriptedTransport(tokens=[slow])
    with raises(PineconeTimeoutError) as caught:
        make_client(script, timeout=10, lazy=True).projects.create(name="x")
    assert (caught.value.outcome, caught.value.attempts, script.requests) == ("not_sent", 0, [])


def test_an_attempt_gets_no_more_time_than_is_left(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """Its timeouts are those of the policy, or what the deadline leaves."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(20)
        return ScriptedResponse(503)

    script = ScriptedTransport(slow)
    policy = RetryPolicy(attempt_timeout=20, max_backoff=0.1)
    with raises(ServiceError):
        make_client(script, timeout=50, retry=policy).projects.list()
    timeouts = [request.extensions["timeout"] for request in script.requests]
    assert [set(timeout.values()) for timeout in timeouts[:2]] == [{20.0}, {20.0}]
    assert all(9 < seconds <= 10 for seconds in timeouts[2].values())


NOW = "Tue, 14 Nov 2023 22:13:20 GMT"  # the wall time of the virtual clock
LATER = "Tue, 14 Nov 2023 22:13:25 GMT"  # 5 seconds later

# Headers → seconds that are waited for at least, hardly more; None where no Retry-After is seen.
WAITS: dict[str, tuple[dict[str, str], float | None]] = {
    "seconds": ({"retry-after": "5"}, 5),
    "white space": ({"retry-after": " 5 "}, 5),
    "decimal seconds": ({"retry-after": "2.5"}, 2.5),
    "zero": ({"retry-after": "0"}, 0),
    "the longest": ({"retry-after": "50"}, 50),
    "milliseconds": ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
    "a date": ({"retry-after": LATER}, 5),
    "a date by the server's clock": ({"retry-after": NOW, "date": "Tue, 14 Nov 2023 22:13:10 GMT"}, 10),
    "a date in the past": ({"retry-after": NOW, "date": LATER}, 0),
    "a date without a zone": ({"retry-after": "Tue, 14 Nov 2023 22:13:25"}, 5),
    "bad milliseconds": ({"retry-after-ms": "soon", "retry-after": "5"}, 5),
    **{
        f"unusable {value!r}": ({"retry-after": value}, None)
        for value in ("", "soon", "-5", "nan", "inf", "1e3", "0x5", "5 s", "\u0665")
    },
}


@pytest.mark.parametrize(("headers", "seconds"), WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_is_waited_for(
    status: int,
    headers: dict[str, str],
    seconds: float | None,
    make_client: Callable[..., Admin],
    clock: VirtualClock,
) -> None:
    """In each of its forms, never early and at most half a second late; what is none of them counts as absent."""
    raw = {name: value.encode("utf-8") for name, value in headers.items()}
    step = ScriptedResponse(status, headers=raw)  # type: ignore[arg-type]
    make_client(ScriptedTransport(step, ScriptedResponse(body={"data": []}))).projects.list()
    (slept,) = clock.slept
    if seconds is None:
        assert 0.05 <= slept <= 1
    else:
        assert seconds <= slept <= seconds + 0.5


def test_of_several_the_longest_is_waited_for(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """Whichever the server means, none of them is passed by; what cannot be read does not count."""
    headers = httpx.Headers([("retry-after", "1"), ("retry-after", LATER), ("retry-after", "3"), ("retry-after", "x")])
    make_client(
        ScriptedTransport(ScriptedResponse(429, headers=headers), ScriptedResponse(body={"data": []}))
    ).projects.list()
    assert 5 <= clock.slept[0] <= 5.5


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("61", {}),
        ("1800", {}),
        ("9" * 12, {}),
        ("10", {"timeout": 9.0}),
        ("6", {"retry": RetryPolicy(max_retry_after=5)}),
    ],
)
def test_a_retry_after_that_is_too_long_is_returned_at_once(
    asked: str, options: dict[str, Any], method: str, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Beyond the policy or the deadline it is neither waited for nor shortened, but exposed."""
    script = ScriptedTransport(ScriptedResponse(429, headers={"retry-after": asked}))
    with raises(RateLimitError) as caught:
        make_client(script, **options).send(probe(method))
    assert (caught.value.retry_after, len(script.requests), clock.slept) == (float(asked), 1, [])


def test_a_retry_after_without_end_is_no_license_to_come_early(
    make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A number that no clock can hold is a long time all the same."""
    with raises(RateLimitError) as caught:
        make_client(ScriptedTransport(ScriptedResponse(429, headers={"retry-after": "9" * 400}))).projects.list()
    assert (caught.value.retry_after, clock.slept) == (1e12, [])


def test_the_retry_after_of_a_create_is_exposed(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A POST that may have been processed is not sent again, also where the server names a time for it."""
    script = ScriptedTransport(ScriptedResponse(503, headers={"retry-after": "3"}))
    with raises(ServiceError) as caught:
        make_client(script).projects.create(name="x")
    assert (caught.value.retry_after, caught.value.outcome) == (3.0, "unknown")
    assert (len(script.requests), clock.slept) == (1, [])


# Status, policy → the longest that each wait can be.
BACKOFF: list[tuple[int, RetryPolicy, list[float]]] = [
    (503, RetryPolicy(), [0.5, 1, 2]),
    (429, RetryPolicy(), [1, 2, 4]),
    (503, RetryPolicy(max_attempts=9), [0.5, 1, 2, 4, 8, 8, 8, 8]),
    (503, RetryPolicy(backoff=10, max_backoff=3), [3, 3, 3]),
    (503, RetryPolicy(max_attempts=1), []),
    (503, RetryPolicy(max_attempts=2, backoff=0.001), [0.05]),
    (503, RetryPolicy(max_attempts=40, max_backoff=0.06), [0.06] * 39),
]


@pytest.mark.parametrize(("status", "policy", "longest"), BACKOFF)
def test_waits_double_and_are_spread(
    status: int,
    policy: RetryPolicy,
    longest: list[float],
    make_client: Callable[..., Admin],
    clock: VirtualClock,
) -> None:
    """Between 0.05 s and a bound that doubles, twice as long after a 429, never beyond max_backoff."""
    for _ in range(5):
        clock.slept.clear()
        with pytest.raises(ApiError):
            make_client(ScriptedTransport(ScriptedResponse(status)), retry=policy).projects.list()
        assert len(clock.slept) == len(longest)
        assert all(0.05 <= slept <= most for slept, most in zip(clock.slept, longest, strict=True))


def test_waits_are_random(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A fleet does not come back in one moment."""
    for _ in range(10):
        with raises(ServiceError):
            make_client(ScriptedTransport(ScriptedResponse(503))).projects.list()
    assert len(set(clock.slept)) == 30


def test_on_retry_hears_of_every_wait(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """Before each wait, with what failed; not of the last failure, nor of a success."""
    heard: list[RetryEvent] = []
    script = ScriptedTransport(
        ScriptedResponse(503),
        ScriptedFailure(httpx.ReadError("reset")),
        ScriptedResponse(429, headers={"retry-after": "2"}),
        ScriptedResponse(body={"data": []}),
    )
    admin = make_client(script, retry=RetryPolicy(on_retry=heard.append))
    admin.users.list(email="a@b.c").to_list()
    assert [(event.method, event.path, event.attempt) for event in heard] == [
        ("GET", "/admin/users", attempt) for attempt in (1, 2, 3)
    ]
    assert [event.status_code for event in heard] == [503, None, 429]
    error = heard[1].error
    assert isinstance(error, PineconeConnectionError)
    assert (str(error), error.outcome, error.attempts) == ("no answer from api.pinecone.io: reset", "unknown", 2)
    assert heard[0].error is heard[2].error is None
    assert [event.delay for event in heard] == clock.slept


def test_on_retry_is_not_called_where_nothing_is_repeated(make_client: Callable[..., Admin]) -> None:
    """Neither for a create that is not sent again nor for the last attempt."""
    heard: list[RetryEvent] = []
    admin = make_client(ScriptedTransport(ScriptedResponse(503)), retry=RetryPolicy(on_retry=heard.append))
    with raises(ServiceError):
        admin.projects.create(name="x")
    assert heard == []
    with raises(ServiceError):
        admin.projects.list()
    assert len(heard) == 3


def test_a_failing_on_retry_costs_a_warning_only(
    make_client: Callable[..., Admin], caplog: pytest.LogCaptureFixture
) -> None:
    """The caller's listener is not part of the call."""

    def fail(_: RetryEvent) -> None:
        raise LookupError

    admin = make_client(
        ScriptedTransport(ScriptedResponse(503), ScriptedResponse(body={"data": []})), retry=RetryPolicy(on_retry=fail)
    )
    assert admin.projects.list() == []
    assert "on_retry raised LookupError" in caplog.text


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_beyond_32_mib_is_not_read(method: str, announced: bool, make_client: Callable[..., Admin]) -> None:
    """No answer of this API is so large, so the call fails at once; it was processed."""
    largest = 32 * 1024 * 1024

    def headers(length: int) -> dict[str, str]:
        return {"content-length": str(length)} if announced else {}

    script = ScriptedTransport(ScriptedResponse(200, b"x" * (1 if announced else largest + 1), headers(largest + 1)))
    with raises(PineconeConnectionError) as caught:
        make_client(script).send(probe(method))
    assert (caught.value.outcome, len(script.requests)) == ("done", 1)
    with raises(ResponseParsingError):
        make_client(ScriptedTransport(ScriptedResponse(200, b"x" * largest, headers(largest)))).projects.list()


class _Stream(httpx.SyncByteStream):
    """A body that tells what becomes of it."""

    def __init__(self, content: bytes, ends: Exception | None = None) -> None:
        self._content = content
        self._ends = ends
        self.told: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._content
        finally:
            self.told.append("left")

    def close(self) -> None:
        """Be done with it."""
        self.told.append("closed")
        if self._ends is not None:
            raise self._ends


class _Streaming(httpx.BaseTransport):
    """Answers with one body."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        return httpx.Response(200, stream=self._stream, request=request)


def test_a_body_that_is_left_in_the_middle_is_ended_there() -> None:
    """What gives it is not left to the garbage collector, which could not wait for it."""
    stream = _Stream(bytes(32 * 1024 * 1024 + 1))
    with pytest.raises(httpx.ReadError):
        RetryTransport(_Streaming(stream)).handle_request(httpx.Request("GET", "https://a.example/"))
    assert stream.told == ["left", "closed"]


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), OSError("bad file descriptor")])
def test_an_answer_that_was_read_is_kept_though_its_end_fails(error: Exception) -> None:
    """Nothing that closing it raises says anything about the request."""
    stream = _Stream(b"whole", error)
    request = httpx.Request("POST", "https://a.example/")
    response = RetryTransport(_Streaming(stream)).handle_request(request)
    assert (response.read(), stream.told) == (b"whole", ["left", "closed"])


def test_the_transport_can_be_used_alone(clock: VirtualClock) -> None:
    """With any client of httpx, for any service: the table, the count and the waits are the same."""
    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(429), ScriptedResponse(200, b"ok"))
    transport = RetryTransport(script, retry=RetryPolicy(max_attempts=3))
    with httpx.Client(transport=transport) as client:
        response = client.get("https://example.com/x")
    assert (response.text, len(script.requests), len(clock.slept)) == ("ok", 3, 2)
    assert script.close_count == 1


def test_the_transport_alone_leaves_the_last_failure_to_httpx() -> None:
    """An answer is returned and an exception raised as the transport below gave it; a POST is sent once."""
    script = ScriptedTransport(ScriptedResponse(503))
    with httpx.Client(transport=RetryTransport(script)) as client:
        assert (client.post("https://example.com/x")).status_code == 503
        assert len(script.requests) == 1
        assert (client.put("https://example.com/x")).status_code == 503
        assert len(script.requests) == 5
    request = httpx.Request("GET", "https://example.com/x")
    with pytest.raises(httpx.ReadError, match="reset"):
        RetryTransport(ScriptedTransport(LOST)).handle_request(request)


def test_the_transport_alone_has_a_deadline_of_its_own(clock: VirtualClock) -> None:
    """All attempts and waits end within its timeout, and each request starts a new one."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(4)
        return ScriptedResponse(503)

    script = ScriptedTransport(slow)
    with httpx.Client(transport=RetryTransport(script, timeout=5)) as client:
        for count in (2, 4):
            client.get("https://example.com/x")
            assert len(script.requests) == count


def test_the_transport_alone_has_a_minute(clock: VirtualClock) -> None:
    """Unless it is told otherwise."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(59)
        return ScriptedResponse(503)

    script = ScriptedTransport(slow)
    RetryTransport(script).handle_request(httpx.Request("GET", "https://a.example/"))
    first, second = (request.extensions["timeout"]["read"] for request in script.requests)
    assert (first, second + sum(clock.slept)) == (20, pytest.approx(1))


def test_a_callers_shorter_timeouts_stay(clock: VirtualClock) -> None:
    """What a client of httpx asks for is only ever shortened."""
    script = ScriptedTransport()
    with httpx.Client(transport=RetryTransport(script), timeout=httpx.Timeout(None, read=3)) as client:
        client.get("https://example.com/x")
    assert script.request.extensions["timeout"] == {"connect": 20.0, "read": 3, "write": 20.0, "pool": 20.0}
    assert clock.slept == []


def test_a_policy_can_be_changed_in_part() -> None:
    """It is a value: frozen, comparable, and evolved rather than changed."""
    policy = RetryPolicy(max_attempts=2)
    assert policy == RetryPolicy(max_attempts=2, backoff=0.5)
    assert evolve(policy, backoff=1.0) == RetryPolicy(max_attempts=2, backoff=1.0)
    with pytest.raises(AttributeError):
        policy.backoff = 1.0  # type: ignore[misc]


def test_what_the_caller_is_handling_is_no_cause(make_client: Callable[..., Admin]) -> None:
    """A call in the handler of a bad certificate is tried as often as any other."""
    try:
        ssl.create_default_context(cadata="no certificate")
    except ssl.SSLError as exc:
        exc.__context__ = ssl.SSLCertVerificationError("elsewhere")
        with raises(PineconeConnectionError) as caught:
            make_client(
                ScriptedTransport(ScriptedFailure(httpx.ConnectError("refused"))), access_token="x"
            ).projects.list()
    assert caught.value.attempts == 4


def test_a_stream_is_sent_again_as_a_whole() -> None:
    """A request whose body can be read only once is read before the first attempt."""

    def body() -> Iterator[bytes]:
        yield b"one, "
        yield b"two"

    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(200))
    request = httpx.Request("PUT", "https://a.example/", content=body())
    assert (RetryTransport(script).handle_request(request)).status_code == 200
    assert [each.content for each in script.requests] == [b"one, two"] * 2


def test_a_listener_of_the_callers_own_hears_the_events() -> None:
    """Listening to them ourselves takes them away from nobody."""
    heard: list[str] = []

    def listen(event: str, info: dict[str, Any]) -> None:  # noqa: ARG001
        heard.append(event)

    events = ("connection.connect_tcp.started", "http11.send_request_headers.started")
    script = ScriptedTransport(ScriptedFailure(httpx.ReadError("reset"), events=events), ScriptedResponse(200))
    request = httpx.Request("PUT", "https://a.example/", extensions={"trace": listen})
    RetryTransport(script).handle_request(request)
    assert heard == [*events]


def test_a_log_line_tells_the_time(
    make_client: Callable[..., Admin], clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """In whole milliseconds of the attempt, not of the call."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(0.25)
        return ScriptedResponse(503)

    make_client(ScriptedTransport(slow, ScriptedResponse(body={"data": []})), access_token="x").projects.list()
    assert [record.getMessage() for record in caplog.records] == [
        "GET /admin/projects -> 503, attempt 1, 250 ms, request id None",
        "GET /admin/projects -> 200, attempt 2, 0 ms, request id None",
    ]
