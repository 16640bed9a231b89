"""Errors: the class and attributes of each failure; no secret and no foreign exception in any of them."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from pinecone_admin import (
    AmbiguousNameError,
    ApiError,
    AsyncAdmin,
    BadRequestError,
    ClientClosedError,
    ConflictError,
    FailedPreconditionError,
    ForbiddenError,
    InvalidCredentialsError,
    LeftoverError,
    NotFoundError,
    Operation,
    PaginationError,
    PaymentRequiredError,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    ReadOnlyError,
    RefusedError,
    ResponseParsingError,
    RetryPolicy,
    SecretNotStoredError,
    ServiceError,
    TokenError,
    UnauthorizedError,
    UnprocessableEntityError,
    ValidationError,
)
from pinecone_admin.errors import Masked
from tests.support.errors import SECRET, check_promises, raises
from tests.support.scripted_transport import ScriptedFailure, ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(max_attempts=1)

CLASSES: dict[int, type[ApiError]] = {
    300: ApiError,
    301: ApiError,
    304: ApiError,
    400: BadRequestError,
    401: UnauthorizedError,
    402: PaymentRequiredError,
    403: ForbiddenError,
    404: NotFoundError,
    405: ApiError,
    407: ApiError,
    408: ApiError,
    409: ConflictError,
    410: ApiError,
    412: FailedPreconditionError,
    413: ApiError,
    418: ApiError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    451: ApiError,
    499: ApiError,
    500: ServiceError,
    501: ServiceError,
    502: ServiceError,
    503: ServiceError,
    504: ServiceError,
    505: ServiceError,
    520: ServiceError,
    599: ServiceError,
    600: ServiceError,
    999: ServiceError,
}


@pytest.mark.parametrize(("status", "kind"), CLASSES.items(), ids=str)
async def test_the_status_determines_the_class(
    status: int, kind: type[ApiError], make_client: Callable[..., AsyncAdmin]
) -> None:
    """The status determines the class with or without a body; the error holds what body and headers said."""
    error = {"code": "SOME_CODE", "message": "what happened", "details": {"why": [1]}}
    body = json.dumps({"status": status, "error": error})
    headers = {"X-Pinecone-Request-Id": "r-1", "Retry-After": "7"}
    admin = make_client(
        ScriptedTransport(ScriptedResponse(status, body.encode(), headers)), access_token="x", retry=ONCE
    )
    with raises(kind) as caught:
        await admin.projects.update(project_id="p", name="x")
    exc = caught.value
    assert str(exc) == f"update_project: [{status} SOME_CODE] what happened (request_id: r-1)"
    assert (exc.status_code, exc.error_code, exc.message) == (status, "SOME_CODE", "what happened")
    assert (exc.details, exc.body, exc.retry_after) == ({"why": [1]}, body, 7.0)
    assert dict(exc.headers) == {"x-pinecone-request-id": "r-1", "retry-after": "7"}
    assert (exc.operation, exc.request_id, exc.attempts) == ("update_project", "r-1", 1)
    with raises(kind) as caught:
        await make_client(ScriptedTransport(ScriptedResponse(status)), access_token="x", retry=ONCE).projects.list()
    assert str(caught.value).startswith(f"list_projects: [{status}] HTTP {status}")
    assert (caught.value.error_code, caught.value.details, caught.value.body) == (None, None, "")
    assert (caught.value.request_id, caught.value.retry_after) == (None, None)


# Python parses this depth, but cannot pickle it.
DEEP_DETAILS = b'{"error": {"code": "X", "message": "m", "details": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}}"

# Body → the beginning of str(error), after the operation.
BODIES: dict[str, tuple[object, str]] = {
    "empty": (b"", "[409] HTTP 409 Conflict"),
    "HTML": (b"<html><body>" + b"x" * 10_000, "[409] HTTP 409 Conflict"),
    "text": (b"no healthy upstream", "[409] HTTP 409 Conflict"),
    "truncated": (b'{"error": {"code": "X", "mess', "[409] HTTP 409 Conflict"),
    "not UTF-8": (b"\xff\xfe\x00\x80", "[409] HTTP 409 Conflict"),
    "deep": (b"[" * 100_000, "[409] HTTP 409 Conflict"),
    "deep details": (DEEP_DETAILS, "[409 X] m"),
    "list": ([{"error": {"code": "X"}}], "[409] HTTP 409 Conflict"),
    "string": ("x", "[409] HTTP 409 Conflict"),
    "null": (b"null", "[409] HTTP 409 Conflict"),
    "number": (5, "[409] HTTP 409 Conflict"),
    "no error": ({"status": 409}, "[409] HTTP 409 Conflict"),
    "error is a string": ({"error": "access_denied"}, "[409] HTTP 409 Conflict"),
    "error is a list": ({"error": [{"code": "X"}]}, "[409] HTTP 409 Conflict"),
    "error is null": ({"error": None}, "[409] HTTP 409 Conflict"),
    "no code": ({"error": {"message": "m"}}, "[409] m"),
    "no message": ({"error": {"code": "X"}}, "[409 X] HTTP 409 Conflict"),
    "empty texts": ({"error": {"code": "", "message": ""}}, "[409] HTTP 409 Conflict"),
    "wrong types": (
        {"error": {"code": 5, "message": ["m"], "details": "d"}, "status": "x"},
        "[409] HTTP 409 Conflict",
    ),
    "unknown code": ({"error": {"code": "NEW_CODE", "message": "m"}}, "[409 NEW_CODE] m"),
    "other status": ({"status": 500, "error": {"code": "X", "message": "m"}}, "[409 X] m"),
    "byte order mark": (b'\xef\xbb\xbf{"error": {"code": "X", "message": "m"}}', "[409 X] m"),
    "UTF-16": ('{"error": {"code": "X", "message": "m"}}'.encode("utf-16"), "[409 X] m"),
    "long": ({"error": {"code": "X", "message": "m" * 10_000}}, "[409 X] " + "m" * 499 + "…"),
    "surrogate": (b'{"error": {"code": "X", "message": "m\\ud800"}}', "[409 X] m"),
}


@pytest.mark.parametrize(("body", "text_start"), BODIES.values(), ids=BODIES)
async def test_any_error_body_yields_the_class_and_a_short_message(
    body: object, text_start: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """An unreadable body loses only its code and message; the status still determines the class."""
    with raises(ConflictError) as caught:
        await make_client(ScriptedTransport(ScriptedResponse(409, body))).projects.list()
    assert str(caught.value).startswith(f"list_projects: {text_start}")
    assert len(str(caught.value)) < 600
    assert str(caught.value).encode()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(copy.deepcopy(caught.value)) == str(caught.value)


@pytest.mark.parametrize(("status", "kind"), [(500, ServiceError), (200, ResponseParsingError)])
async def test_a_response_that_may_follow_a_create_warns_in_its_message(
    status: int, kind: type[PineconeError], make_client: Callable[..., AsyncAdmin]
) -> None:
    """The message alone says that a create may have been processed; that of a read does not."""
    response = ScriptedResponse(status, b"x")
    with raises(kind, match="; the request (was|may have been) processed$") as caught:
        await make_client(ScriptedTransport(response), retry=ONCE).projects.create(name="x")
    assert caught.value.safe_to_retry is False
    with raises(kind) as caught:
        await make_client(ScriptedTransport(response), retry=ONCE).projects.list()
    assert "processed" not in caught.value.message


async def test_a_header_that_is_not_ascii_is_preserved(make_client: Callable[..., AsyncAdmin]) -> None:
    """A response header in latin-1 is available on the error."""
    response = ScriptedResponse(409, headers=httpx.Headers({"x-server": "J\xf6rg"}, encoding="latin-1"))
    with raises(ConflictError) as caught:
        await make_client(ScriptedTransport(response)).projects.list()
    assert caught.value.headers["x-server"] == "J\xf6rg"


async def test_a_truncated_error_body_is_kept(make_client: Callable[..., AsyncAdmin]) -> None:
    """A body that breaks off is kept as far as it was read, and the outcome is rejected."""
    response = ScriptedResponse(404, b"half", body_error=httpx.ReadError("reset"))
    with raises(NotFoundError) as caught:
        await make_client(ScriptedTransport(response)).projects.describe(project_id="p")
    assert (caught.value.body, caught.value.outcome) == ("half", "rejected")


@pytest.mark.parametrize("with_length", [True, False])
@pytest.mark.parametrize("size", [100_000, 5 * 1024 * 1024])
async def test_the_start_of_a_large_error_body_is_kept(
    size: int, with_length: bool, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Of the body of an error, the first 64 KiB are kept, whatever its size and however it arrives."""
    body = (b'{"error":{"code":"X","message":"' + rb"\u0061" * size)[:size]
    headers = {"content-length": str(size)} if with_length else {}
    with raises(NotFoundError) as caught:
        await make_client(ScriptedTransport(ScriptedResponse(404, body, headers))).projects.describe(project_id="p")
    assert caught.value.body == body[: 64 * 1024].decode()
    assert (caught.value.error_code, caught.value.outcome) == (None, "rejected")


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"X-Pinecone-Request-Id": "a", "X-Request-Id": "b"}, "a"),
        ({"x-request-id": "b"}, "b"),
        ({"x-pinecone-request-id": ""}, None),
        ({}, None),
    ],
)
async def test_the_request_id_comes_from_either_header(
    headers: dict[str, str], request_id: str | None, make_client: Callable[..., AsyncAdmin]
) -> None:
    """The request id is read from X-Pinecone-Request-Id, else from X-Request-Id."""
    with raises(NotFoundError) as caught:
        await make_client(ScriptedTransport(ScriptedResponse(404, headers=headers))).projects.describe(project_id="p")
    assert caught.value.request_id == request_id


class StrangeError(Exception):
    """An exception that no transport of httpx raises."""


# Exception of the transport → class, beginning of the message, outcome of a POST.
TRANSPORT: list[tuple[Exception, type[PineconeError], str, str]] = [
    # Without trace events, nobody knows what a transport means by these.
    (httpx.ConnectError("refused"), PineconeConnectionError, "no connection to api.pinecone.io: refused", "unknown"),
    (httpx.ConnectTimeout("slow"), PineconeTimeoutError, "no response in time from api.pinecone.io", "unknown"),
    (httpx.PoolTimeout("full"), PineconeTimeoutError, "no response in time from api.pinecone.io", "unknown"),
    (
        httpx.ProxyError("403"),
        PineconeConnectionError,
        "the proxy refused the connection to api.pinecone.io",
        "unknown",
    ),
    (httpx.UnsupportedProtocol("x"), PineconeConnectionError, "no response from api.pinecone.io", "unknown"),
    (httpx.ReadError("reset"), PineconeConnectionError, "no response from api.pinecone.io: reset", "unknown"),
    (httpx.WriteError("reset"), PineconeConnectionError, "no response from api.pinecone.io: reset", "unknown"),
    (
        httpx.RemoteProtocolError("EOF"),
        PineconeConnectionError,
        "no response from api.pinecone.io: the connection ended",
        "unknown",
    ),
    (httpx.LocalProtocolError(SECRET), PineconeConnectionError, "no response from api.pinecone.io", "unknown"),
    (httpx.ReadTimeout("slow"), PineconeTimeoutError, "no response in time from api.pinecone.io", "unknown"),
    (httpx.WriteTimeout("slow"), PineconeTimeoutError, "no response in time from api.pinecone.io", "unknown"),
    (httpx.TooManyRedirects("x"), PineconeConnectionError, "no response from api.pinecone.io", "unknown"),
    (
        RuntimeError("Event loop is closed"),
        PineconeConnectionError,
        "other code failed in the call to api.pinecone.io",
        "unknown",
    ),
    (UnicodeDecodeError("ascii", b"", 0, 1, SECRET), PineconeConnectionError, "other code failed in", "unknown"),
    (json.JSONDecodeError("x", SECRET, 0), PineconeConnectionError, "other code failed in", "unknown"),
    (OSError(104, "reset"), PineconeConnectionError, "no response from api.pinecone.io", "unknown"),
    (
        StrangeError(SECRET),
        PineconeConnectionError,
        "other code failed in the call to api.pinecone.io: StrangeError",
        "unknown",
    ),
]


@pytest.mark.parametrize(
    ("error", "kind", "message", "outcome"), TRANSPORT, ids=[type(error).__name__ for error, *_ in TRANSPORT]
)
async def test_any_transport_exception_becomes_a_pinecone_error(
    error: Exception, kind: type[PineconeError], message: str, outcome: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """The error names the host and the outcome of the request, and contains no foreign exception."""
    with raises(kind, match=f"^create_project: {message}") as caught:
        await make_client(ScriptedTransport(ScriptedFailure(error)), retry=ONCE).projects.create(name="x")
    assert (caught.value.outcome, caught.value.attempts) == (outcome, 1)
    assert caught.value.safe_to_retry is (outcome == "not_sent")
    assert isinstance(caught.value, TimeoutError) is isinstance(error, httpx.TimeoutException)
    assert caught.value.message.endswith("; the request may have been processed") is (outcome == "unknown")
    with raises(kind, match=f"^list_projects: {message}") as caught:
        await make_client(ScriptedTransport(ScriptedFailure(error)), retry=ONCE).projects.list()
    assert "processed" not in caught.value.message


async def test_an_unreachable_token_endpoint_is_named(make_client: Callable[..., AsyncAdmin]) -> None:
    """The error names the host of the token endpoint and the operation, and says that no request was sent."""
    refusal = ScriptedFailure(httpx.ConnectError("refused"))
    script = ScriptedTransport(tokens=[refusal] * 3)
    with raises(PineconeConnectionError, match="no connection to login.pinecone.io: refused") as caught:
        await make_client(script, lazy=True).projects.create(name="x")
    assert (caught.value.outcome, caught.value.safe_to_retry) == ("not_sent", True)
    assert (caught.value.operation, script.requests) == ("create_project", [])


# One instance of each class, with all of its attributes.
ALL_ERRORS: list[PineconeError] = [
    PineconeError(
        "m", operation="o", outcome="unknown", safe_to_retry=False, worth_retrying=True, attempts=3, request_id="r"
    ),
    *(
        kind("m", operation="o")
        for kind in (
            PineconeValueError,
            PineconeTypeError,
            ReadOnlyError,
            RefusedError,
            PineconeConnectionError,
            PineconeTimeoutError,
            PaginationError,
            ClientClosedError,
        )
    ),
    *(
        kind(
            "m",
            status_code=409,
            error_code="C",
            details={"a": [1]},
            body="b",
            headers={"h": "v"},
            retry_after=1.5,
            operation="o",
            outcome="unknown",
            safe_to_retry=False,
            worth_retrying=True,
            attempts=2,
            request_id="r",
        )
        for kind in (*sorted(set(CLASSES.values()), key=str), TokenError, InvalidCredentialsError)
    ),
    ResponseParsingError("m", path="data[3].role", status_code=200, raw=Masked(SECRET), operation="o"),
    AmbiguousNameError("m", ids=["a", "b"], operation="o"),
    LeftoverError("m", left=["API key k"], operation="o"),
    SecretNotStoredError("m", service_account_id="s", client_id="c", secret=Masked(SECRET), operation="o"),
]


@pytest.mark.parametrize("error", ALL_ERRORS, ids=[type(error).__name__ for error in ALL_ERRORS])
def test_every_error_survives_pickle(error: PineconeError) -> None:
    """Every pickle protocol preserves the class, text and attributes of an error, and drops its secrets."""
    check_promises(error)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(error, protocol)
        copied = pickle.loads(data)
        assert (type(copied), str(copied), copied.message) == (type(error), str(error), "m")
        assert SECRET.encode() not in data


def test_a_copy_of_an_error_keeps_its_secret() -> None:
    """``copy`` and ``deepcopy`` keep the secret, which pickling drops."""
    for duplicate in (copy.copy, copy.deepcopy):
        kept = [vars(duplicate(error)) for error in ALL_ERRORS]
        assert [masked.reveal() for each in kept for masked in each.values() if isinstance(masked, Masked)] == [
            SECRET
        ] * 2


@pytest.mark.parametrize("error", ALL_ERRORS, ids=[type(error).__name__ for error in ALL_ERRORS])
def test_every_error_has_a_list_of_notes_of_its_own(error: PineconeError) -> None:
    """Before the first note, too; a copy has the notes of the error, and a note of the copy is not one of the error."""
    assert error.__notes__ == []
    duplicates: list[Callable[[PineconeError], PineconeError]] = [
        copy.copy,
        copy.deepcopy,
        lambda each: cast("PineconeError", pickle.loads(pickle.dumps(each))),
    ]
    for duplicate in duplicates:
        first = duplicate(error)
        first.add_note("one")
        second = duplicate(first)
        second.add_note("two")
        assert (error.__notes__, first.__notes__, second.__notes__) == ([], ["one"], ["one", "two"])


def test_every_error_class_is_covered() -> None:
    """The list above has an instance of every error class."""

    def collect_subclasses(kind: type[PineconeError]) -> set[type[PineconeError]]:
        return {kind}.union(*(collect_subclasses(child) for child in kind.__subclasses__()))

    ours = {kind for kind in collect_subclasses(PineconeError) if kind.__module__ == PineconeError.__module__}
    assert {type(error) for error in ALL_ERRORS} == ours


def test_errors_have_builtin_base_classes_and_a_legacy_alias() -> None:
    """Errors are also ValueError, TypeError or TimeoutError, and ValidationError is PineconeValueError."""
    assert issubclass(PineconeValueError, ValueError)
    assert issubclass(PineconeTypeError, TypeError)
    assert issubclass(PineconeTimeoutError, TimeoutError)
    assert issubclass(InvalidCredentialsError, UnauthorizedError)
    assert ValidationError is PineconeValueError


# Error → text.
TEXTS: list[tuple[PineconeError, str]] = [
    (PineconeError("m"), "m"),
    (PineconeError("m", operation="o", request_id="r"), "o: m (request_id: r)"),
    (ApiError("m", status_code=409), "[409] m"),
    (ApiError("m"), "m"),
    (
        ConflictError("m", status_code=409, error_code="C", operation="create_project", request_id="r"),
        "create_project: [409 C] m (request_id: r)",
    ),
]


@pytest.mark.parametrize(("error", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_the_text_of_an_error_has_all_its_parts(error: PineconeError, text: str) -> None:
    """The text has operation, status, code, message and request id, in this order, each where it exists."""
    assert str(error) == text


def test_the_repr_of_an_error_has_its_operation_and_status() -> None:
    """The repr has the class, the message, the operation, the status and the code, each where it exists."""
    assert repr(PineconeValueError("m")) == "PineconeValueError('m')"
    assert repr(NotFoundError("m", operation="offboard")) == "NotFoundError('m', operation='offboard')"
    assert repr(ConflictError("m", operation="o", status_code=409, error_code="C", request_id="r")) == (
        "ConflictError('m', operation='o', status_code=409, error_code='C')"
    )


def test_what_only_a_server_sends_can_be_read_from_every_error() -> None:
    """Every class of error has a status, a code and a time to wait, which are None if no server sent them."""
    for kind in {type(error) for error in ALL_ERRORS}:
        bare = kind.__new__(kind)
        assert (bare.status_code, bare.error_code, bare.retry_after) == (None, None, None)


async def test_no_secret_or_token_appears_anywhere(
    make_client: Callable[..., AsyncAdmin], caplog: pytest.LogCaptureFixture
) -> None:
    """No secret and no token appears in an error, in the locals of its traceback or in a log record."""
    caplog.set_level(logging.DEBUG)
    echo = {"error": {"code": "X", "message": "no"}}
    script = ScriptedTransport(
        ScriptedResponse(403, echo), ScriptedFailure(httpx.LocalProtocolError("Illegal header value b'Bearer token-1'"))
    )
    admin = make_client(script, additional_headers={"X-Key": SECRET}, retry=ONCE)
    for call in (admin.projects.list, admin.projects.list):
        with pytest.raises(PineconeError) as caught:
            await call()
        check_promises(caught.value)
        summary = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        package = [str(frame.locals) for frame in summary.stack if "pinecone_admin" in frame.filename]
        assert package
        for text in (str(caught.value), *package, caplog.text):
            assert SECRET not in text
            assert "token-1" not in text


async def test_a_response_of_something_else_names_its_host(make_client: Callable[..., AsyncAdmin]) -> None:
    """The error for a response that is not the API's names the host that sent it, and the target of a redirect."""
    redirect = ScriptedResponse(302, b"<html>", {"location": "https://sso.corp.example/login?state=hidden#x"})
    cases: list[tuple[ScriptedResponse, str]] = [
        (ScriptedResponse(404, b"<html>not here</html>"), "[404] HTTP 404 Not Found from api.pinecone.io, without"),
        (redirect, "[302] HTTP 302 Found from api.pinecone.io, which redirects to https://sso.corp.example/login"),
        (ScriptedResponse(200, b"<html>"), "the response from api.pinecone.io is not JSON"),
    ]
    for response, text in cases:
        with pytest.raises(PineconeError) as caught:
            await make_client(ScriptedTransport(response)).projects.list()
        check_promises(caught.value)
        assert str(caught.value).startswith(f"list_projects: {text}")
        assert "hidden" not in str(caught.value)
    with raises(
        TokenError, match="issued no token: HTTP 302 Found from login.pinecone.io, which redirects to https://sso"
    ):
        await make_client(ScriptedTransport(tokens=[redirect]), lazy=True).projects.list()


async def test_an_error_of_the_token_endpoint_names_it(make_client: Callable[..., AsyncAdmin]) -> None:
    """For every response of the token endpoint, the error of the call that needs the token names the endpoint."""
    responses = [
        ScriptedResponse(200, b"<html>sign in"),
        ScriptedResponse(200, {"access_token": ""}),
        ScriptedResponse(401, {"error": "access_denied"}),
        ScriptedResponse(400, {"error": "invalid_client"}),
        ScriptedResponse(403, b"<html>"),
        ScriptedResponse(429, {"error": "too_many_requests"}),
    ]
    for response in responses:
        script = ScriptedTransport(tokens=[response])
        with pytest.raises(TokenError, match=r"the token endpoint login\.pinecone\.io ") as caught:
            await make_client(script, lazy=True, retry=ONCE).projects.list()
        check_promises(caught.value)
        assert caught.value.operation == "list_projects"


async def test_messages_of_a_server_are_printable_and_short(
    make_client: Callable[..., AsyncAdmin], caplog: pytest.LogCaptureFixture
) -> None:
    """Message, code and request id of a server are one line, cut at 500, 500 and 100 characters, in logs too."""
    caplog.set_level(logging.DEBUG)
    forged = "x\r\nfine\x1b[2J\u202e\x85\ud800" * 500
    body = json.dumps({"error": {"code": forged, "message": forged}}).encode()
    script = ScriptedTransport(ScriptedResponse(409, body, {"x-request-id": "r\x1b" * 30_000}))
    with raises(ConflictError) as caught:
        await make_client(script).projects.list()
    error = caught.value
    assert (len(error.message), len(error.error_code or ""), len(error.request_id or "")) == (500, 500, 100)
    for text in (str(error), error.message, *caplog.messages):
        assert text.isprintable()
        assert len(text) < 1_300


async def test_an_echoed_secret_is_redacted_as_it_is_read(
    make_client: Callable[..., AsyncAdmin], caplog: pytest.LogCaptureFixture
) -> None:
    """Any part of a header that was sent, in any escaping, appears neither in an error nor in a log record."""
    caplog.set_level(logging.DEBUG)
    cookie = "canary/of=a=cookie"
    escaped = "".join(f"\\u{ord(char):04x}" for char in cookie)
    body = f'{{"error": {{"message": "{escaped}, canary\\/of\\u003da\\u003dcookie and \\u0074oken-1"}}}}'.encode()
    headers = {"x-request-id": f"r {cookie}", "x-echo": f"theme=x; session={cookie}"}
    admin = make_client(
        ScriptedTransport(ScriptedResponse(400, body, headers)),
        additional_headers={"Cookie": f"session={cookie}; theme=x"},
    )
    with raises(BadRequestError, match=r"\*\*\*, \*\*\* and \*\*\*") as caught:
        await admin.projects.list()
    seen = f"{caught.value} {vars(caught.value)} {caplog.text} {[vars(record) for record in caplog.records]}"
    assert not [form for form in (cookie, "canary", "token-1", escaped[:30], "u0074oken") if form in seen]


async def test_a_log_record_has_the_path_template_and_no_id(
    make_client: Callable[..., AsyncAdmin], caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt is logged at DEBUG, with path template, status, duration and request id."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")
    script = ScriptedTransport(ScriptedResponse(404, headers={"x-pinecone-request-id": "r-1"}))
    operation = Operation(
        id="x", method="GET", path="/admin/{id}", returns=None, path_parameters={"id": "hidden"}, query={"q": "hidden"}
    )
    with raises(NotFoundError):
        await make_client(script).send(operation)
    line = caplog.messages[-1]
    assert line.startswith("GET /admin/{id} -> 404, attempt 1, ")
    assert line.endswith("request id r-1")
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("body", [{"set": {1}}, {"complex": 1j}, {b"x": 1}], ids=str)
async def test_a_body_that_is_not_json_raises(body: Any, make_client: Callable[..., AsyncAdmin]) -> None:
    """A body that cannot be encoded as JSON raises before any request."""
    script = ScriptedTransport()
    with raises(PineconeTypeError, match="the body cannot be sent as JSON") as caught:
        await make_client(script).send(Operation(id="x", method="POST", path="/x", returns=None, body=body))
    assert (caught.value.operation, script.requests) == ("x", [])
