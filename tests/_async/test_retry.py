"""Retries: the requests that are sent again, their number, their delays, and the outcome."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from traceback import TracebackException
from typing import Any

import anyio
import httpx
import pytest
from attrs import evolve, fields, frozen

from pinecone_admin import (
    ApiError,
    AsyncAdmin,
    AttemptEvent,
    BadRequestError,
    NotFoundError,
    Operation,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    PineconeValueError,
    RateLimitError,
    ResponseParsingError,
    RetryPolicy,
    ServiceError,
    TokenError,
    UnauthorizedError,
)
from pinecone_admin.retry import AsyncRetryTransport
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import (
    ScriptedFailure,
    ScriptedResponse,
    ScriptedTransport,
    Step,
    delay,
    token_response,
)

EVENT_FIELDS = [each.name for each in fields(AttemptEvent)]

pytestmark = pytest.mark.anyio

IDEMPOTENT_METHODS = ["GET", "HEAD", "PUT", "DELETE", "PATCH"]
CONNECTED_EVENTS = ["connection.connect_tcp.started", "connection.connect_tcp.complete"]
SENT_EVENTS = [*CONNECTED_EVENTS, "http11.send_request_headers.started"]


def make_caused_failure(error: Exception, cause: Exception) -> ScriptedFailure:
    """Return a failure with a system error as its cause, as httpx raises it."""
    error.__cause__ = cause
    return ScriptedFailure(error, CONNECTED_EVENTS[:1])


@frozen
class Expectation:
    """The methods that are retried after a failure, and the error if every attempt fails in this way."""

    steps: list[Step]
    idempotent: bool
    post: bool
    outcome: str
    worth: bool


def make_responses(*statuses: int, **headers: str) -> list[Step]:
    """Return a response for each of the statuses."""
    return [
        ScriptedResponse(status, headers={key.replace("_", "-"): value for key, value in headers.items()})
        for status in statuses
    ]


def refuse(status: int) -> ScriptedResponse:
    """Return a refusal of the API, which has a code."""
    return ScriptedResponse(status, {"error": {"code": "REFUSED", "message": "no"}})


def make_failures(*errors: Exception, events: list[str] | None = None) -> list[Step]:
    """Return a failure for each of the errors."""
    return [ScriptedFailure(error, events or []) for error in errors]


OVERLOADED = (503, 500, 502, 504, 408)
TABLE: dict[str, Expectation] = {
    "not sent": Expectation(
        [
            *make_failures(
                httpx.ConnectError("refused"),
                httpx.ConnectTimeout("slow"),
                httpx.ProxyError("503 Service Unavailable"),
                events=CONNECTED_EVENTS[:1],
            ),
            make_caused_failure(httpx.ConnectError("DNS"), socket.gaierror(socket.EAI_AGAIN, "try again")),
            make_caused_failure(httpx.ConnectError("TLS"), ssl.SSLError("handshake")),
            *make_failures(httpx.ReadError("reset"), httpx.ReadTimeout("slow"), OSError("x"), events=CONNECTED_EVENTS),
        ],
        True,
        True,
        "not_sent",
        True,
    ),
    "429": Expectation([*make_responses(429), *make_responses(429, retry_after="1")], True, True, "rejected", True),
    "overloaded": Expectation(
        [*make_responses(*OVERLOADED), *make_responses(*OVERLOADED, retry_after="1")], True, False, "unknown", True
    ),
    "no response": Expectation(
        [
            *make_failures(
                httpx.ReadError("reset"),
                httpx.WriteError("reset"),
                httpx.RemoteProtocolError("EOF"),
                httpx.ReadTimeout("slow"),
                httpx.WriteTimeout("slow"),
                RuntimeError("strange"),
                # A transport that reports no events may mean anything by these.
                httpx.ConnectError("refused"),
                httpx.ConnectTimeout("slow"),
                httpx.PoolTimeout("full"),
                httpx.ProxyError("503 Service Unavailable"),
                httpx.UnsupportedProtocol("gopher"),
            ),
            *make_failures(httpx.ReadError("reset"), httpx.RemoteProtocolError("EOF"), events=SENT_EVENTS),
        ],
        True,
        False,
        "unknown",
        True,
    ),
    "broken body": Expectation(
        [
            ScriptedResponse(200, b"{", body_error=httpx.ReadError("reset")),
            ScriptedResponse(201, body_error=httpx.RemoteProtocolError("incomplete")),
            ScriptedResponse(202, b"{", body_error=httpx.ReadTimeout("slow")),
        ],
        True,
        False,
        "done",
        True,
    ),
    "refused": Expectation(
        make_responses(400, 402, 404, 405, 407, 409, 412, 418, 422, 501, 505), False, False, "rejected", False
    ),
    "a 403 of a proxy": Expectation(
        [
            ScriptedResponse(403, b"<html>blocked</html>"),
            ScriptedResponse(403, {"message": "blocked"}),
            ScriptedResponse(403),
        ],
        False,
        False,
        "unknown",
        False,
    ),
    "a 403 of the API": Expectation(
        [ScriptedResponse(403, {"error": {"code": "PERMISSION_DENIED", "message": "no"}})],
        False,
        False,
        "rejected",
        False,
    ),
    "a refusal of a gateway before the API": Expectation(
        [ScriptedResponse(status, b"<html>refused</html>") for status in (400, 404, 413)],
        False,
        False,
        "rejected",
        False,
    ),
    "another 5xx": Expectation(make_responses(520, 522, 599), False, False, "unknown", True),
    "redirected": Expectation(make_responses(101, 300, 301, 304, 307), False, False, "unknown", False),
    "unreachable": Expectation(
        [
            make_caused_failure(httpx.ConnectError("TLS"), ssl.SSLCertVerificationError("self-signed")),
            make_caused_failure(httpx.ConnectError("DNS"), socket.gaierror(socket.EAI_NONAME, "unknown")),
            *make_failures(httpx.ProxyError("407 Proxy Authentication Required")),
        ],
        False,
        False,
        "not_sent",
        False,
    ),
}
CASES = [(name, method) for name in TABLE for method in (*IDEMPOTENT_METHODS, "POST")]


def make_operation(method: str) -> Operation[None]:
    """Return an operation with this method."""
    return Operation(id="probe", method=method, path="/admin/x", returns=None)


@pytest.mark.parametrize(("name", "method"), CASES)
async def test_a_failure_is_retried_as_the_table_says(
    name: str, method: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A failure is retried three times or never, as the table says for its method."""
    row = TABLE[name]
    retried = row.post if method == "POST" else row.idempotent
    for step in row.steps:
        script = ScriptedTransport(step)
        with pytest.raises(PineconeError) as caught:
            await make_client(script).send(make_operation(method))
        assert len(script.requests) == (4 if retried else 1), step
        error = caught.value
        assert (error.outcome, error.attempts) == (row.outcome, len(script.requests)), step
        assert error.safe_to_retry is (method != "POST" or row.outcome in {"not_sent", "rejected"}), step
        assert error.worth_retrying is row.worth, step


@pytest.mark.parametrize(("name", "method"), CASES)
async def test_a_successful_retry_is_a_success(name: str, method: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """A call whose retry succeeds is a success."""
    row = TABLE[name]
    if not (row.post if method == "POST" else row.idempotent):
        return
    for step in row.steps:
        script = ScriptedTransport(step, ScriptedResponse(202))
        await make_client(script).send(make_operation(method))
        assert len(script.requests) == 2, step


async def test_every_attempt_sends_the_same_request(make_client: Callable[..., AsyncAdmin]) -> None:
    """Every attempt sends the same method, URL, headers and body."""
    script = ScriptedTransport(ScriptedResponse(503))
    with raises(ServiceError):
        await make_client(script).projects.update(project_id="p", name="x")
    first, *others = [
        (request.method, str(request.url), dict(request.headers), request.content) for request in script.requests
    ]
    assert others == [first] * 3


@pytest.mark.parametrize(
    "unknown",
    [ScriptedFailure(httpx.ReadError("reset")), ScriptedResponse(503), ScriptedResponse(202, body_error=OSError())],
    ids=str,
)
async def test_a_404_after_an_unknown_delete_is_a_success(
    unknown: Step, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A delete succeeds where a retry after an attempt with an unknown outcome returns 404."""
    script = ScriptedTransport(unknown, refuse(404))
    await make_client(script).projects.delete(project_id="p")
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    "unprocessed",
    [ScriptedFailure(httpx.ConnectError("refused"), CONNECTED_EVENTS[:1]), ScriptedResponse(429)],
    ids=str,
)
async def test_a_404_after_an_unprocessed_delete_is_raised(
    unprocessed: Step, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A 404 is raised where no attempt was processed before, and for every method but DELETE."""
    with raises(NotFoundError):
        await make_client(ScriptedTransport(unprocessed, ScriptedResponse(404))).projects.delete(project_id="p")
    with raises(NotFoundError):
        await make_client(ScriptedTransport(ScriptedResponse(503), ScriptedResponse(404))).projects.describe(
            project_id="p"
        )


NOT_SENT = ScriptedFailure(httpx.ConnectError("refused"), CONNECTED_EVENTS[:1])
LOST_RESPONSE = ScriptedFailure(httpx.ReadError("reset"))

# Steps, and the outcome of a PATCH and of a DELETE.
SEQUENCES: dict[str, tuple[list[Step], str, str]] = {
    "lost, then refused for good": ([LOST_RESPONSE, refuse(409)], "rejected", "unknown"),
    "overloaded, then refused for good": ([ScriptedResponse(503), refuse(400)], "rejected", "unknown"),
    "overloaded, then not implemented": ([ScriptedResponse(503), refuse(501)], "rejected", "unknown"),
    "lost, then a 404 without a body": ([LOST_RESPONSE, ScriptedResponse(404)], "unknown", "unknown"),
    "lost, then refused without a body": ([LOST_RESPONSE, ScriptedResponse(409)], "unknown", "unknown"),
    "lost, then a 404 of a proxy": (
        [LOST_RESPONSE, ScriptedResponse(404, b"<html>not found</html>")],
        "unknown",
        "unknown",
    ),
    "lost, then a 404 of a gateway": (
        [LOST_RESPONSE, ScriptedResponse(404, {"message": "no Route matched with those values"})],
        "unknown",
        "unknown",
    ),
    "lost, then a 400 of a gateway": (
        [LOST_RESPONSE, ScriptedResponse(400, {"error": "Bad Request"})],
        "unknown",
        "unknown",
    ),
    "lost, then refused with a code": (
        [LOST_RESPONSE, ScriptedResponse(412, {"error": {"code": "FAILED_PRECONDITION", "message": "no"}})],
        "rejected",
        "unknown",
    ),
    "lost, then not sent": ([LOST_RESPONSE, NOT_SENT], "unknown", "unknown"),
    "lost, then too many requests": ([LOST_RESPONSE, ScriptedResponse(429)], "unknown", "unknown"),
    "lost, then no access": ([LOST_RESPONSE, ScriptedResponse(403)], "unknown", "unknown"),
    "not sent, then lost": ([NOT_SENT, LOST_RESPONSE], "unknown", "unknown"),
    "not sent, then too many requests": ([NOT_SENT, ScriptedResponse(429)], "rejected", "rejected"),
    "not sent, then refused for good": ([NOT_SENT, ScriptedResponse(409)], "rejected", "rejected"),
    "done, then lost": ([ScriptedResponse(200, body_error=OSError()), LOST_RESPONSE], "done", "done"),
    "done, then refused for good": (
        [ScriptedResponse(200, body_error=OSError()), refuse(409)],
        "done",
        "done",
    ),
    "done, then too many requests": (
        [ScriptedResponse(200, body_error=OSError()), ScriptedResponse(429)],
        "done",
        "done",
    ),
}


@pytest.mark.parametrize(("steps", "of_patch", "of_delete"), SEQUENCES.values(), ids=SEQUENCES)
async def test_the_outcome_of_several_attempts(
    steps: list[Step], of_patch: str, of_delete: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """An unknown outcome remains so until a later response of the API decides it, for a DELETE a success or a 404."""
    for method, outcome in (("PATCH", of_patch), ("DELETE", of_delete)):
        with pytest.raises(PineconeError) as caught:
            await make_client(ScriptedTransport(*steps)).send(make_operation(method))
        assert caught.value.outcome == outcome, method


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_401_is_retried_once_with_a_fresh_token(method: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """A request with any method is retried once with a fresh token after a 401, and a second 401 is final."""
    script = ScriptedTransport(ScriptedResponse(401), ScriptedResponse(202))
    await make_client(script).send(make_operation(method))
    assert [request.headers["authorization"] for request in script.requests] == ["Bearer token-1", "Bearer token-2"]
    script = ScriptedTransport(ScriptedResponse(401))
    with raises(UnauthorizedError) as caught:
        await make_client(script).send(make_operation(method))
    assert (len(script.requests), len(script.exchanges)) == (2, 2)
    assert (caught.value.outcome, caught.value.attempts) == ("rejected", 2)


async def test_a_403_causes_no_exchange(make_client: Callable[..., AsyncAdmin]) -> None:
    """A 403 is final, because another token of the same account has the same roles."""
    script = ScriptedTransport(ScriptedResponse(403))
    with pytest.raises(ApiError):
        await make_client(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 1)


async def test_a_fresh_token_does_not_reset_the_attempts(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The retry after a 401 continues the count of attempts."""
    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(401), ScriptedResponse(503))
    with raises(ServiceError) as caught:
        await make_client(script).projects.list()
    assert (len(script.requests), caught.value.attempts) == (4, 4)
    assert len(clock.slept) == 2


@pytest.mark.parametrize("status", [401, 503])
async def test_a_fresh_token_does_not_extend_the_deadline(
    status: int, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Exchanges, attempts and waits share the timeout of the call."""
    with pytest.raises(ApiError) as caught:
        await make_client(ScriptedTransport(delay(clock, 8, ScriptedResponse(status))), timeout=10).projects.list()
    assert caught.value.attempts == 2
    assert clock.monotonic() <= 1_000 + 8 * 2 + 1


@pytest.mark.parametrize("seconds", [10, 10.5, 11])
async def test_a_call_past_its_deadline_sends_nothing(
    seconds: float, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A call whose token exchange uses up its timeout sends no request."""
    script = ScriptedTransport(tokens=[delay(clock, seconds, token_response(1))])
    with raises(PineconeTimeoutError) as caught:
        await make_client(script, timeout=10, lazy=True).projects.create(name="x")
    assert (caught.value.outcome, caught.value.attempts, script.requests) == ("not_sent", 0, [])


async def test_an_attempt_ends_by_the_deadline(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """The timeout of an attempt is that of the policy, or the time left until the deadline if that is shorter."""
    script = ScriptedTransport(delay(clock, 20, ScriptedResponse(503)))
    policy = RetryPolicy(attempt_timeout=20, max_backoff=0.1)
    with raises(ServiceError):
        await make_client(script, timeout=50, retry=policy).projects.list()
    timeouts = [request.extensions["timeout"] for request in script.requests]
    assert [set(timeout.values()) for timeout in timeouts[:2]] == [{20.0}, {20.0}]
    assert all(9 < seconds <= 10 for seconds in timeouts[2].values())


NOW = "Tue, 14 Nov 2023 22:13:20 GMT"  # the wall time of the virtual clock
LATER = "Tue, 14 Nov 2023 22:13:25 GMT"  # 5 seconds later

# Headers → the shortest delay in seconds, or None where they count as absent.
RETRY_AFTERS: dict[str, tuple[dict[str, str], float | None]] = {
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


@pytest.mark.parametrize(("headers", "seconds"), RETRY_AFTERS.values(), ids=RETRY_AFTERS)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_waited_for(
    status: int,
    headers: dict[str, str],
    seconds: float | None,
    make_client: Callable[..., AsyncAdmin],
    clock: VirtualClock,
) -> None:
    """Each form of Retry-After is waited for, at most 0.5 s longer; an invalid one counts as absent."""
    raw = {name: value.encode("utf-8") for name, value in headers.items()}
    step = ScriptedResponse(status, headers=raw)  # type: ignore[arg-type]
    await make_client(ScriptedTransport(step, ScriptedResponse(body={"data": []}))).projects.list()
    (slept,) = clock.slept
    if seconds is None:
        assert 0.05 <= slept <= 1
    else:
        assert seconds <= slept <= seconds + 0.5


async def test_the_longest_of_several_retry_after_is_waited_for(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Of several Retry-After headers the longest is waited for, and an invalid one is ignored."""
    headers = httpx.Headers([("retry-after", "1"), ("retry-after", LATER), ("retry-after", "3"), ("retry-after", "x")])
    await make_client(
        ScriptedTransport(ScriptedResponse(429, headers=headers), ScriptedResponse(body={"data": []}))
    ).projects.list()
    assert 5 <= clock.slept[0] <= 5.5


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("requested", "options"),
    [
        ("61", {}),
        ("1800", {}),
        ("9" * 12, {}),
        ("10", {"timeout": 9.0}),
        ("6", {"retry": RetryPolicy(max_retry_after=5)}),
    ],
)
async def test_a_retry_after_beyond_the_limit_raises_at_once(
    requested: str, options: dict[str, Any], method: str, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A Retry-After beyond the policy or the deadline raises at once, and is available on the error."""
    script = ScriptedTransport(ScriptedResponse(429, headers={"retry-after": requested}))
    with raises(RateLimitError) as caught:
        await make_client(script, **options).send(make_operation(method))
    assert (caught.value.retry_after, len(script.requests), clock.slept) == (float(requested), 1, [])


async def test_a_huge_retry_after_raises_at_once(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """A Retry-After of any number of digits counts as very long."""
    with raises(RateLimitError) as caught:
        await make_client(ScriptedTransport(ScriptedResponse(429, headers={"retry-after": "9" * 400}))).projects.list()
    assert (caught.value.retry_after, clock.slept) == (1e12, [])


async def test_a_create_is_not_retried_after_a_503(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """A POST that may have been processed is not retried, even if the response has a Retry-After."""
    script = ScriptedTransport(ScriptedResponse(503, headers={"retry-after": "3"}))
    with raises(ServiceError) as caught:
        await make_client(script).projects.create(name="x")
    assert (caught.value.retry_after, caught.value.outcome) == (3.0, "unknown")
    assert (len(script.requests), clock.slept) == (1, [])


@pytest.mark.parametrize(
    ("policy", "calls", "exchanges"),
    [(None, 4, 3), (RetryPolicy(), 4, 3), (RetryPolicy(max_attempts=None), 4, 3)]
    + [(RetryPolicy(max_attempts=number), number, number) for number in (1, 2, 6)],
)
async def test_a_number_of_attempts_holds_for_calls_and_token_requests(
    policy: RetryPolicy | None, calls: int, exchanges: int, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Without a number, a call has four attempts and a token request three; the number of the constructor is both.

    A copy has the token requests of its client, whatever its own number is.
    """
    script = ScriptedTransport(*[ScriptedResponse(503)] * 9)
    with raises(ServiceError):
        await make_client(script, retry=policy, timeout=1000).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (calls, 1)
    for own in (None, RetryPolicy(max_attempts=5)):
        failing = ScriptedTransport(tokens=[ScriptedResponse(503)] * 9)
        with raises(TokenError):
            await make_client(failing, retry=policy, lazy=True, timeout=1000).with_options(retry=own).projects.list()
        assert len(failing.exchanges) == exchanges


# Status, policy → the upper bound of each delay.
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
async def test_delays_double_up_to_max_backoff(
    status: int,
    policy: RetryPolicy,
    longest: list[float],
    make_client: Callable[..., AsyncAdmin],
    clock: VirtualClock,
) -> None:
    """A delay lies between 0.05 s and a bound that doubles up to max_backoff, twice as high after a 429."""
    for _ in range(5):
        clock.slept.clear()
        with pytest.raises(ApiError):
            await make_client(ScriptedTransport(ScriptedResponse(status)), retry=policy).projects.list()
        assert len(clock.slept) == len(longest)
        assert all(0.05 <= slept <= most for slept, most in zip(clock.slept, longest, strict=True))


async def test_without_backoff_only_retry_after_is_waited_for(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """backoff=0 retries at once, unless the server asks to wait."""
    admin = make_client(
        ScriptedTransport(
            ScriptedResponse(503),
            ScriptedResponse(429),
            ScriptedResponse(429, headers={"retry-after": "2"}),
            ScriptedResponse(body={"data": []}),
        ),
        retry=RetryPolicy(backoff=0),
    )
    assert await admin.projects.list() == []
    assert clock.slept[:2] == [0, 0]
    assert 2 <= clock.slept[2] <= 2.5


async def test_delays_are_random(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """No two delays are equal, so that a fleet does not retry at once."""
    for _ in range(10):
        with raises(ServiceError):
            await make_client(ScriptedTransport(ScriptedResponse(503))).projects.list()
    assert len(set(clock.slept)) == 30


async def test_on_attempt_receives_every_attempt(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """on_attempt is called once after every attempt, including token exchanges; log records have the same fields."""
    events: list[AttemptEvent] = []
    script = ScriptedTransport(
        delay(clock, 0.25, ScriptedResponse(503, headers={"x-request-id": "r-1"})),
        ScriptedFailure(httpx.ReadError("reset")),
        ScriptedResponse(429, headers={"retry-after": "2"}),
        ScriptedResponse(401),
        ScriptedResponse(404, {"error": {"code": "NOT_FOUND", "message": "no"}}),
        tokens=[ScriptedResponse(502), token_response(1)],
    )
    admin = make_client(script, on_attempt=events.append, lazy=True, retry=RetryPolicy(max_attempts=9))
    with raises(NotFoundError) as caught:
        await admin.users.describe(user_id="hidden")
    exchanges = [event for event in events if event.operation == "get_token"]
    assert [(event.method, event.path, event.status_code) for event in exchanges] == [
        ("POST", "/oauth/token", status) for status in (502, 200, 200)
    ]
    assert [type(event.error) for event in exchanges] == [TokenError, type(None), type(None)]
    calls = [event for event in events if event.operation != "get_token"]
    assert [(event.operation, event.method, event.path, event.attempt) for event in calls] == [
        ("fetch_user", "GET", "/admin/users/{user_id}", attempt) for attempt in range(1, 6)
    ]
    assert [event.status_code for event in calls] == [503, None, 429, 401, 404]
    assert [event.duration for event in calls] == [0.25, 0, 0, 0, 0]
    assert [event.request_id for event in calls] == ["r-1", None, None, None, None]
    assert [type(event.error) for event in calls] == [
        ServiceError, PineconeConnectionError, RateLimitError, UnauthorizedError, NotFoundError,
    ]  # fmt: skip
    assert [str(event.error) for event in calls[1::3]] == [
        "fetch_user: no response from api.pinecone.io: reset",
        str(caught.value),
    ]
    assert [event.delay for event in (exchanges[0], *calls)] == [*clock.slept, None, None]
    assert "hidden" not in str([(event, vars(event.error)) for event in calls if event.error])


async def test_a_failed_exchange_is_reported_as_not_sent(make_client: Callable[..., AsyncAdmin]) -> None:
    """If a token request ends without a token, the operation is not sent, and each report shows that."""
    events: list[AttemptEvent] = []
    failures: list[Step] = [
        ScriptedFailure(httpx.ReadError("reset")),
        ScriptedResponse(500),
        ScriptedResponse(200, b"no"),
    ]
    with raises(TokenError) as caught:
        await make_client(ScriptedTransport(tokens=failures), on_attempt=events.append, lazy=True).projects.list()
    errors = [*(event.error for event in events[:2]), caught.value]
    assert [(error.outcome, error.safe_to_retry) for error in errors if error] == [("not_sent", True)] * 3
    assert (caught.value.operation, caught.value.attempts) == ("list_projects", 3)


async def test_on_attempt_may_return_anything_and_fail(
    make_client: Callable[..., AsyncAdmin], caplog: pytest.LogCaptureFixture
) -> None:
    """The result of on_attempt is ignored, and its exceptions are logged as warnings; the call proceeds."""

    def fail(event: AttemptEvent) -> int:
        if event.status_code == 503:
            raise LookupError(SECRET)
        return 5

    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(body={"data": []}))
    assert await make_client(script, on_attempt=fail).projects.list() == []
    assert caplog.messages == ["on_attempt raised LookupError"]


async def test_on_attempt_runs_in_the_context_of_the_call(make_client: Callable[..., AsyncAdmin]) -> None:
    """on_attempt runs in the thread and context of the call; the on_attempt of a copy replaces the client's."""
    variable, found, others = ContextVar[str]("variable"), list[object](), list[AttemptEvent]()
    admin = make_client(ScriptedTransport(), access_token="x", on_attempt=others.append)
    variable.set("here")
    copy = admin.with_options(on_attempt=lambda _: found.append((variable.get(), threading.get_ident())))
    await copy.projects.list()
    assert (found, others) == ([("here", threading.get_ident())], [])
    await copy.with_options(timeout=5).projects.list()
    assert (len(found), others) == (2, [])


async def test_a_retry_transport_reports_its_attempts(clock: VirtualClock) -> None:
    """A retry transport that is used alone reports attempts without an operation."""
    events: list[AttemptEvent] = []
    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(204))
    async with httpx.AsyncClient(transport=AsyncRetryTransport(script, on_attempt=events.append)) as client:
        await client.get("https://example.com/x?y=hidden")
    assert [(event.operation, event.path, event.status_code) for event in events] == [
        (None, "/x", 503),
        (None, "/x", 204),
    ]
    assert [event.delay for event in events] == [*clock.slept, None]


async def test_a_retry_transport_reports_no_credential(clock: VirtualClock) -> None:
    """A report of a retry transport shows no credential of the request that the server echoed; the response does."""
    events: list[AttemptEvent] = []
    script = ScriptedTransport(ScriptedResponse(400, f"sent {SECRET}".encode(), headers={"x-request-id": SECRET}))
    for header in (
        {"authorization": f"Bearer {SECRET}"},
        {"Cookie": f"session={SECRET}; theme=x"},
        {"x-api-key": SECRET},
    ):
        async with httpx.AsyncClient(transport=AsyncRetryTransport(script, on_attempt=events.append)) as client:
            response = await client.get("https://example.com/x", headers=header)
            await client.get("https://example.com/x")
        assert SECRET in response.text
        for event in events[-2:]:  # a later request may be answered with what an earlier one has sent
            assert isinstance(event.error, ApiError)
            assert event.error.body == "sent ***"
            assert SECRET not in f"{event} {vars(event.error)}"
    assert clock.slept == []


@pytest.mark.parametrize("with_length", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_response_beyond_4_mib_raises(
    method: str, with_length: bool, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A response beyond 4 MiB raises without a retry, and its outcome is done."""
    largest = 4 * 1024 * 1024

    def headers(length: int) -> dict[str, str]:
        return {"content-length": str(length)} if with_length else {}

    script = ScriptedTransport(ScriptedResponse(200, b"x" * (1 if with_length else largest + 1), headers(largest + 1)))
    with raises(PineconeConnectionError) as caught:
        await make_client(script).send(make_operation(method))
    assert (caught.value.outcome, len(script.requests)) == ("done", 1)
    with raises(ResponseParsingError):
        await make_client(ScriptedTransport(ScriptedResponse(200, b"x" * largest, headers(largest)))).projects.list()


class _EndlessStream(httpx.AsyncByteStream):
    """A body whose pieces never end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "


async def test_a_body_without_end_is_over_when_the_timeout_is(make_client: Callable[..., AsyncAdmin]) -> None:
    """If a transport of the caller ignores the timeout, the timeout still ends the call between pieces of a body."""
    requests: list[httpx.Request] = []

    async def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, stream=_EndlessStream())

    admin = make_client(ScriptedTransport(), transport=httpx.MockTransport(respond), timeout=0.02)
    with raises(PineconeTimeoutError, match="incomplete response") as caught:
        await admin.projects.create(name="x")
    assert (caught.value.outcome, len(requests)) == ("done", 1)
    with raises(PineconeTimeoutError, match="incomplete response"):
        await admin.projects.list()


# <async only>
async def test_an_endless_wait_of_a_transport_ends_by_the_deadline(make_client: Callable[..., AsyncAdmin]) -> None:
    """A transport of the caller that waits forever is cancelled when the time of an attempt is up."""

    class WaitingTransport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
            await anyio.sleep_forever()
            raise AssertionError

    admin = make_client(ScriptedTransport(), transport=WaitingTransport(), timeout=0.02)
    with raises(PineconeTimeoutError) as caught:
        await admin.projects.create(name="x")
    assert (caught.value.outcome, caught.value.attempts) == ("unknown", 1)


async def test_a_cancelled_attempt_has_no_outcome_and_is_not_reported(make_client: Callable[..., AsyncAdmin]) -> None:
    """The cancellation comes out as it is, and ``on_attempt`` is not called, as the pages say."""
    events = list[AttemptEvent]()
    with anyio.CancelScope() as scope:

        class CancelledTransport(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
                scope.cancel()
                await anyio.sleep_forever()
                raise AssertionError

        admin = make_client(ScriptedTransport(), transport=CancelledTransport(), on_attempt=events.append)
        await admin.projects.create(name="x")
    assert scope.cancelled_caught
    assert [each.operation for each in events] == ["get_token"]


class _HangingStream(httpx.AsyncByteStream):
    """A body whose end never arrives."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"error": '
        await anyio.sleep_forever()


async def test_a_hanging_body_leaves_the_meaning_of_its_status(make_client: Callable[..., AsyncAdmin]) -> None:
    """Where the time is up within the body of an error, the status still says what happened to the request."""
    expected: dict[int, tuple[type[PineconeError], str]] = {
        400: (BadRequestError, "rejected"),
        503: (ServiceError, "unknown"),
        201: (PineconeTimeoutError, "done"),
    }
    for status, (kind, outcome) in expected.items():
        transport = httpx.MockTransport(lambda _, status=status: httpx.Response(status, stream=_HangingStream()))
        with raises(kind) as caught:
            await make_client(ScriptedTransport(), transport=transport, timeout=0.1).projects.create(name="x")
        assert caught.value.outcome == outcome


# </async only>
class _RecordingStream(httpx.AsyncByteStream):
    """A body that records when it is left and closed."""

    def __init__(self, content: bytes, ends: Exception | None = None) -> None:
        self._content = content
        self._ends = ends
        self.record: list[str] = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield self._content
        finally:
            self.record.append("left")

    async def aclose(self) -> None:
        """Record the call, and fail if the test says so."""
        self.record.append("closed")
        if self._ends is not None:
            raise self._ends


class _StreamingTransport(httpx.AsyncBaseTransport):
    """Responds with one body."""

    def __init__(self, stream: _RecordingStream) -> None:
        self._stream = stream

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response."""
        return httpx.Response(200, stream=self._stream, request=request)


async def test_a_partly_read_body_is_closed() -> None:
    """A body that is not read to its end is left and closed, rather than left to the garbage collector."""
    stream = _RecordingStream(bytes(4 * 1024 * 1024 + 1))
    with pytest.raises(httpx.ReadError):
        await AsyncRetryTransport(_StreamingTransport(stream)).handle_async_request(
            httpx.Request("GET", "https://a.example/")
        )
    assert stream.record == ["left", "closed"]


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), OSError("bad file descriptor")])
async def test_an_error_while_closing_a_response_is_ignored(error: Exception) -> None:
    """A response that was read is returned even if closing it raises."""
    stream = _RecordingStream(b"whole", error)
    request = httpx.Request("POST", "https://a.example/")
    response = await AsyncRetryTransport(_StreamingTransport(stream)).handle_async_request(request)
    assert (await response.aread(), stream.record) == (b"whole", ["left", "closed"])


async def test_the_retry_transport_works_alone(clock: VirtualClock) -> None:
    """The retry transport serves any client of httpx, with the same retries and delays."""
    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(429), ScriptedResponse(200, b"ok"))
    transport = AsyncRetryTransport(script, retry=RetryPolicy(max_attempts=3))
    async with httpx.AsyncClient(transport=transport) as client:
        response = await client.get("https://example.com/x")
    assert (response.text, len(script.requests), len(clock.slept)) == ("ok", 3, 2)
    assert script.close_count == 1


async def test_the_retry_transport_passes_the_last_failure_on() -> None:
    """The retry transport alone returns the last response or raises the last exception unchanged."""
    script = ScriptedTransport(ScriptedResponse(503))
    async with httpx.AsyncClient(transport=AsyncRetryTransport(script)) as client:
        assert (await client.post("https://example.com/x")).status_code == 503
        assert len(script.requests) == 1
        assert (await client.put("https://example.com/x")).status_code == 503
        assert len(script.requests) == 5
    request = httpx.Request("GET", "https://example.com/x")
    with pytest.raises(httpx.ReadError, match="reset"):
        await AsyncRetryTransport(ScriptedTransport(LOST_RESPONSE)).handle_async_request(request)


async def test_the_retry_transport_has_its_own_deadline(clock: VirtualClock) -> None:
    """Attempts and delays of each request end within the timeout of the retry transport."""
    script = ScriptedTransport(delay(clock, 4, ScriptedResponse(503)))
    async with httpx.AsyncClient(transport=AsyncRetryTransport(script, timeout=5)) as client:
        for count in (2, 4):
            await client.get("https://example.com/x")
            assert len(script.requests) == count


async def test_the_retry_transport_has_a_default_timeout(clock: VirtualClock) -> None:
    """The default timeout of the retry transport is 60 s."""
    script = ScriptedTransport(delay(clock, 59, ScriptedResponse(503)))
    await AsyncRetryTransport(script).handle_async_request(httpx.Request("GET", "https://a.example/"))
    first, second = (request.extensions["timeout"]["read"] for request in script.requests)
    assert (first, second + sum(clock.slept)) == (20, pytest.approx(1))


async def test_a_shorter_timeout_of_the_caller_is_kept(clock: VirtualClock) -> None:
    """The retry transport only ever shortens the timeouts of the caller."""
    script = ScriptedTransport()
    async with httpx.AsyncClient(transport=AsyncRetryTransport(script), timeout=httpx.Timeout(None, read=3)) as client:
        await client.get("https://example.com/x")
    assert script.request.extensions["timeout"] == {"connect": 20.0, "read": 3, "write": 20.0, "pool": 20.0}
    assert clock.slept == []


async def test_a_policy_is_a_value() -> None:
    """A policy is frozen, compares by value and can be evolved."""
    policy = RetryPolicy(max_attempts=2)
    assert policy == RetryPolicy(max_attempts=2, backoff=0.5)
    assert evolve(policy, backoff=1.0) == RetryPolicy(max_attempts=2, backoff=1.0)
    with pytest.raises(AttributeError):
        policy.backoff = 1.0  # type: ignore[misc]


async def test_an_exception_that_the_caller_handles_is_not_the_cause(make_client: Callable[..., AsyncAdmin]) -> None:
    """A call within the handler of a certificate error is retried like any other."""
    try:
        ssl.create_default_context(cadata="no certificate")
    except ssl.SSLError as exc:
        exc.__context__ = ssl.SSLCertVerificationError("elsewhere")
        with raises(PineconeConnectionError) as caught:
            await make_client(
                ScriptedTransport(ScriptedFailure(httpx.ConnectError("refused"))), access_token="x"
            ).projects.list()
    assert caught.value.attempts == 4


async def test_a_streamed_request_is_retried_in_full() -> None:
    """A request body that can be read only once is read before the first attempt."""

    async def body() -> AsyncIterator[bytes]:
        yield b"one, "
        yield b"two"

    script = ScriptedTransport(ScriptedResponse(503), ScriptedResponse(200))
    request = httpx.Request("PUT", "https://a.example/", content=body())
    assert (await AsyncRetryTransport(script).handle_async_request(request)).status_code == 200
    assert [each.content for each in script.requests] == [b"one, two"] * 2


async def test_a_trace_callback_of_the_caller_receives_the_events() -> None:
    """A trace extension of the caller receives the events, although the retry transport traces as well."""
    received: list[str] = []

    async def listen(event: str, info: dict[str, Any]) -> None:  # noqa: ARG001
        received.append(event)

    events = ("connection.connect_tcp.started", "http11.send_request_headers.started")
    script = ScriptedTransport(ScriptedFailure(httpx.ReadError("reset"), events=events), ScriptedResponse(200))
    request = httpx.Request("PUT", "https://a.example/", extensions={"trace": listen})
    await AsyncRetryTransport(script).handle_async_request(request)
    assert received == [*events]


async def test_a_log_record_has_the_duration_of_the_attempt(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log record of an attempt has its duration in whole milliseconds, and what on_attempt gets as extra."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")
    script = ScriptedTransport(delay(clock, 0.25, ScriptedResponse(503)), ScriptedResponse(body={"data": []}))
    await make_client(script, access_token="x").projects.list()
    assert [record.getMessage() for record in caplog.records] == [
        "GET /admin/projects -> 503, attempt 1, 250 ms, request id None",
        "GET /admin/projects -> 200, attempt 2, 0 ms, request id None",
    ]
    first, second = ({name: vars(record)[name] for name in EVENT_FIELDS} for record in caplog.records)
    assert first.pop("delay") == clock.slept[0]
    assert isinstance(first.pop("error"), ServiceError)
    assert first == {
        "operation": "list_projects",
        "method": "GET",
        "path": "/admin/projects",
        "attempt": 1,
        "status_code": 503,
        "duration": 0.25,
        "request_id": None,
    }
    assert second == first | {"attempt": 2, "status_code": 200, "duration": 0, "error": None, "delay": None}


PROJECT: dict[str, Any] = {
    "id": "p",
    "name": "x",
    "max_pods": 0,
    "force_encryption_with_cmek": False,
    "organization_id": "o",
}


class _ReadingTransport(httpx.AsyncBaseTransport):
    """A transport of a caller that reads every response, as one that logs bodies does."""

    def __init__(self, body: bytes) -> None:
        self.requests = 0
        self._body = body

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        """Return a response that was read and decoded."""
        self.requests += 1
        stream = _RecordingStream(gzip.compress(self._body))
        response = httpx.Response(201, headers={"content-encoding": "gzip"}, stream=stream)
        await response.aread()
        return response


async def test_a_response_that_the_transport_has_read_is_used() -> None:
    """A body that a caller's transport has consumed is not read again."""
    transport = _ReadingTransport(json.dumps(PROJECT).encode())
    admin = AsyncAdmin(access_token="supplied", transport=transport)
    assert (await admin.projects.create(name="x")).id == PROJECT["id"]
    assert transport.requests == 1


async def test_a_response_that_the_transport_has_read_has_the_same_limit() -> None:
    """A decoded body beyond 4 MiB raises, although it is in memory already."""
    transport = _ReadingTransport(json.dumps(PROJECT).encode().ljust(4 * 1024 * 1024 + 1))
    with raises(PineconeConnectionError, match="more than 4194304 bytes") as caught:
        await AsyncAdmin(access_token="supplied", transport=transport).projects.create(name="x")
    assert (caught.value.outcome, transport.requests) == ("done", 1)


async def test_an_error_that_quotes_the_request_shows_no_credential(make_client: Callable[..., AsyncAdmin]) -> None:
    """A caller's transport may put anything in its errors."""

    def quote(request: httpx.Request) -> ScriptedFailure:
        return ScriptedFailure(httpx.ReadError(f"lost {request.headers['authorization']} {request.headers['x-key']}"))

    admin = make_client(ScriptedTransport(quote), additional_headers={"x-key": SECRET})
    with raises(PineconeConnectionError, match=r"lost Bearer \*\*\* \*\*\*;"):
        await admin.projects.create(name="x")


async def test_an_invalid_operation_shows_no_header_in_its_traceback(make_client: Callable[..., AsyncAdmin]) -> None:
    """Local variables in the traceback of an argument error hold no header of the caller."""
    admin = make_client(ScriptedTransport(), additional_headers={"x-key": SECRET})
    for path in ("/a b", f"/{'x' * 70_000}"):
        with pytest.raises(PineconeValueError) as caught:
            await admin.send(Operation(id="x", method="GET", path=path, returns=None))
        shown = TracebackException.from_exception(caught.value, capture_locals=True)
        assert SECRET not in "".join(shown.format())
