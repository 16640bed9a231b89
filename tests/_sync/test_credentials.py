# Derived from tests/_async/test_credentials.py by scripts/unasync.py: change that, not this file.
"""Credentials: arguments before the environment, validation without disclosure, and tokens that the caller supplies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    AccessToken,
    Admin,
    InvalidCredentialsError,
    PineconeConnectionError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    TokenError,
    UnauthorizedError,
)
from tests.support.errors import SECRET, check_promises, raises
from tests.support.scripted_transport import ScriptedFailure, ScriptedResponse, ScriptedTransport, Step

pytestmark = pytest.mark.anyio


@pytest.fixture
def set_variables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets PINECONE_* variables."""

    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"PINECONE_{name.upper()}", value)

    return set_all


CREDENTIALS = {"client_id": "env-id", "client_secret": "env-secret"}

# Arguments, variables → the credentials that are exchanged, or the bearer token that is sent.
PRECEDENCE: list[tuple[dict[str, Any], dict[str, str], object]] = [
    ({"client_id": "id", "client_secret": "secret"}, {}, ("id", "secret")),
    ({"client_id": "id", "client_secret": "secret"}, CREDENTIALS | {"access_token": "env-token"}, ("id", "secret")),
    ({"access_token": "token"}, CREDENTIALS | {"access_token": "env-token"}, "token"),
    ({}, {"access_token": "env-token"}, "env-token"),
    ({}, CREDENTIALS | {"access_token": "env-token"}, "env-token"),
    ({}, CREDENTIALS, ("env-id", "env-secret")),
    ({"client_id": "id"}, CREDENTIALS | {"access_token": "env-token"}, ("id", "env-secret")),
    ({"client_secret": "secret"}, CREDENTIALS, ("env-id", "secret")),
    ({"client_id": lambda: "id", "client_secret": lambda: "secret"}, {}, ("id", "secret")),
    ({"access_token": lambda: "token"}, CREDENTIALS, "token"),
    ({"additional_headers": {"AUTHORIZATION": "Bearer mine"}}, {}, "mine"),
    ({"additional_headers": {"authorization": "Bearer mine"}}, CREDENTIALS, "mine"),
    ({"additional_headers": {"authorization": "Bearer mine"}}, {"access_token": "env-token"}, "mine"),
    ({"client_id": "id"}, CREDENTIALS | {"access_token": ""}, ("id", "env-secret")),
]


@pytest.mark.parametrize(("arguments", "environment", "used"), PRECEDENCE)
def test_credentials_are_chosen_by_precedence(
    arguments: dict[str, Any],
    environment: dict[str, str],
    used: object,
    make_client: Callable[..., Admin],
    set_variables: Callable[..., None],
) -> None:
    """Arguments come first, then the token of the environment, then its credentials; only one is used."""
    set_variables(**environment)
    script = ScriptedTransport()
    make_client(script, **({"client_id": None} | arguments)).projects.list()
    sent = script.request.headers.get_list("authorization")
    if isinstance(used, str):
        assert script.exchanges == []
        assert sent == [f"Bearer {used}"]
    else:
        (exchange,) = script.exchanges
        body = json.loads(exchange.content)
        assert (body["client_id"], body["client_secret"]) == used
        assert sent == ["Bearer token-1"]


# Arguments, variables → pattern of the message.
INVALID: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {}, "client_id and client_secret are missing.*PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET"),
    ({"client_id": "id"}, {}, "client_secret is missing.*PINECONE_CLIENT_SECRET"),
    ({"client_id": "id"}, {"client_secret": " "}, "PINECONE_CLIENT_SECRET is empty"),
    ({}, {"client_id": "", "client_secret": "x"}, "PINECONE_CLIENT_ID is empty"),
    ({}, {"client_id": "", "client_secret": ""}, "PINECONE_CLIENT_ID is empty"),
    ({}, {"client_secret": "x"}, "client_id is missing.*PINECONE_CLIENT_ID"),
    ({"client_secret": ""}, CREDENTIALS, "client_secret is empty"),
    ({"client_id": ""}, CREDENTIALS, "client_id is empty"),
    ({"client_id": " \n"}, CREDENTIALS, "client_id is empty"),
    ({"access_token": ""}, CREDENTIALS, "access_token is empty"),
    ({}, CREDENTIALS | {"access_token": ""}, "PINECONE_ACCESS_TOKEN is empty"),
    ({}, CREDENTIALS | {"access_token": " "}, "PINECONE_ACCESS_TOKEN is empty"),
    ({"access_token": f"{SECRET}\n"}, {}, "access_token has leading or trailing whitespace"),
    ({"client_secret": f" {SECRET}"}, CREDENTIALS, "client_secret has leading or trailing whitespace"),
    ({"client_secret": f"{SECRET}\r\n"}, CREDENTIALS, "client_secret has leading or trailing whitespace"),
    ({}, CREDENTIALS | {"client_secret": f"{SECRET}\n"}, "PINECONE_CLIENT_SECRET has leading or trailing whitespace"),
    ({}, {"access_token": f"{SECRET}\n"}, "PINECONE_ACCESS_TOKEN has leading or trailing whitespace"),
    ({"client_secret": f"{SECRET} x"}, CREDENTIALS, "client_secret contains a space, or a character"),
    ({"client_secret": f"{SECRET}é"}, CREDENTIALS, "client_secret contains a space, or a character"),
    ({"access_token": f"Bearer {SECRET}"}, {}, 'access_token must not include the "Bearer " prefix'),
    ({"access_token": f"{SECRET}\x00x"}, {}, "access_token contains a space, or a character"),
    ({"client_secret": 5}, CREDENTIALS, "client_secret must be a str, not int"),
    ({"client_id": b"id"}, CREDENTIALS, "client_id must be a str, not bytes"),
    ({"access_token": ["x"]}, CREDENTIALS, "access_token must be a str, not list"),
    ({"access_token": "x", "client_id": "y"}, {}, "access_token and client_id"),
    ({"access_token": "x", "client_secret": SECRET}, {}, "access_token and client_id"),
]


@pytest.mark.parametrize(("arguments", "environment", "message"), INVALID)
def test_invalid_credentials_raise(
    arguments: dict[str, Any],
    environment: dict[str, str],
    message: str,
    make_client: Callable[..., Admin],
    set_variables: Callable[..., None],
) -> None:
    """The error names the argument or the variable, and never contains the secret."""
    set_variables(**environment)
    script = ScriptedTransport()
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message):
        make_client(script, **({"client_id": None} | arguments))
    assert script.exchanges == []


@pytest.mark.parametrize(
    ("produce", "error", "message"),
    [
        (lambda: "", PineconeValueError, "is empty"),
        (lambda: f"{SECRET}\n", PineconeValueError, "has leading or trailing whitespace"),
        (lambda: None, PineconeTypeError, "must be a str, not NoneType"),
    ],
    ids=["empty", "newline", "none"],
)
@pytest.mark.parametrize("argument", ["client_id", "client_secret", "access_token"])
def test_the_result_of_a_callable_is_checked(
    argument: str, produce: Any, error: type[PineconeError], message: str, make_client: Callable[..., Admin]
) -> None:
    """The result of a callable is checked like an argument."""
    script = ScriptedTransport()
    arguments = {argument: produce}
    if argument != "access_token":
        arguments = {"client_id": "id", "client_secret": "x"} | arguments
    admin = make_client(script, lazy=True, **arguments)
    for _ in range(2):
        with raises(error, match=f"{argument}.* {message}") as caught:
            admin.projects.list()
        assert (caught.value.outcome, caught.value.operation) == ("not_sent", "list_projects")
        with raises(error, match=f"{argument}.* {message}"):
            admin.token()
    assert (script.requests, script.exchanges) == ([], [])


@pytest.mark.parametrize(
    ("failure", "is_worth_retrying"),
    [
        (LookupError(SECRET), False),
        (ConnectionError(SECRET), True),
        (TimeoutError(SECRET), True),
        (httpx.ConnectError(SECRET), True),
        (PineconeConnectionError(SECRET), True),
        (PineconeValueError(SECRET), False),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("argument", ["client_id", "client_secret", "access_token"])
def test_the_exception_of_a_callable_is_hidden_but_not_lost(
    argument: str, failure: Exception, *, is_worth_retrying: bool, make_client: Callable[..., Admin]
) -> None:
    """The error shows no text of it, states whether the callable may succeed later, and reveals the traceback."""

    def read_from_store() -> str:
        if failures:
            raise failures.pop()
        return "x"

    failures = [failure]
    script = ScriptedTransport(ScriptedResponse(body={"data": []}))
    others: dict[str, dict[str, str]] = {
        "access_token": {},
        "client_id": {"client_secret": "x"},
        "client_secret": {"client_id": "id"},
    }
    admin = make_client(script, lazy=True, **others[argument], **{argument: read_from_store})
    with raises(TokenError, match=f"{argument}: the callable raised {type(failure).__name__}$") as caught:
        admin.projects.list()
    error = caught.value
    assert (error.outcome, error.safe_to_retry, error.worth_retrying) == ("not_sent", True, is_worth_retrying)
    assert (error.operation, error.argument, error.status_code) == ("list_projects", argument, None)
    assert error.callable_traceback is not None
    traceback = error.callable_traceback.reveal()
    assert "in read_from_store" in traceback
    assert SECRET in traceback
    assert (script.requests, script.exchanges) == ([], [])
    assert admin.projects.list() == []


def test_credential_callables_run_at_each_exchange(make_client: Callable[..., Admin]) -> None:
    """A callable for credentials runs at every exchange, so that a secret can be rotated."""
    secrets = iter(["one", "two"])
    script = ScriptedTransport(ScriptedResponse(401), ScriptedResponse(body={"data": []}))
    make_client(script, client_id="id", client_secret=lambda: next(secrets)).projects.list()
    assert [json.loads(exchange.content)["client_secret"] for exchange in script.exchanges] == ["one", "two"]


def test_a_token_callable_runs_at_each_request(make_client: Callable[..., Admin]) -> None:
    """A callable for tokens supplies the token of every request."""
    tokens = iter("abc")
    script = ScriptedTransport()
    admin = make_client(script, access_token=lambda: next(tokens))
    for _ in range(3):
        admin.projects.list()
    assert [request.headers["authorization"][-1] for request in script.requests] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("tokens", "sent"),
    [(["a", "b"], ["a", "b"]), (["a", "a"], ["a"]), (["a", "b", "c"], ["a", "b"])],
    ids=["another", "the same", "only once"],
)
def test_a_token_callable_runs_again_after_a_401(
    tokens: list[str], sent: list[str], make_client: Callable[..., Admin]
) -> None:
    """A different token is sent once; the same token, or a second 401, is final."""
    script = ScriptedTransport(ScriptedResponse(401))
    remaining = iter(tokens)
    with raises(UnauthorizedError) as caught:
        make_client(script, access_token=lambda: next(remaining)).projects.list()
    assert [request.headers["authorization"][-1] for request in script.requests] == sent
    assert caught.value.attempts == len(sent)
    assert script.exchanges == []


@pytest.mark.parametrize(
    "identity", [{"access_token": "fixed"}, {"additional_headers": {"Authorization": "Basic x"}}], ids=str
)
def test_a_401_for_a_fixed_token_is_final(identity: dict[str, Any], make_client: Callable[..., Admin]) -> None:
    """A 401 for a fixed token or an Authorization header of the caller is final, and causes no exchange."""
    script = ScriptedTransport(ScriptedResponse(401))
    with raises(UnauthorizedError):
        make_client(script, **identity).projects.list()
    assert (len(script.requests), script.exchanges) == (1, [])


@pytest.mark.parametrize("value", ["pcsk_abc_def", "pckey_abc"])
def test_the_value_of_a_key_is_no_token(
    value: str, make_client: Callable[..., Admin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API key in place of a token raises, given as text, by a callable or by the environment; it is not shown."""
    script = ScriptedTransport()
    with raises(PineconeValueError, match="^access_token is the value of an API key") as caught:
        make_client(script, access_token=value)
    assert value not in str(caught.value)
    with raises(PineconeValueError, match="access_token is the value of an API key"):
        make_client(script, access_token=lambda: value).projects.list()
    monkeypatch.setenv("PINECONE_ACCESS_TOKEN", value)
    with raises(PineconeValueError, match="^PINECONE_ACCESS_TOKEN is the value of an API key"):
        Admin(transport=script, oauth_transport=script)
    assert (script.requests, script.exchanges) == ([], [])


def test_a_nearly_right_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names a variable that has nearly the right name, without its value."""
    script = ScriptedTransport()
    monkeypatch.setenv("PINECONE_CLIENT_SECERT", SECRET)
    hint = "; PINECONE_CLIENT_SECERT is set: did you mean PINECONE_CLIENT_SECRET\\?$"
    with raises(PineconeValueError, match=f"client_id and client_secret are missing.*{hint}"):
        Admin(transport=script, oauth_transport=script)
    monkeypatch.setenv("PINECONE_CLIENT_ID", "x")
    with raises(PineconeValueError, match=f"client_secret is missing.*{hint}"):
        Admin(transport=script, oauth_transport=script)
    monkeypatch.delenv("PINECONE_CLIENT_SECERT")
    with raises(PineconeValueError, match="set PINECONE_CLIENT_SECRET in the environment$"):
        Admin(transport=script, oauth_transport=script)


def test_the_current_token_is_public(make_client: Callable[..., Admin]) -> None:
    """token() returns the token with its expiry, masked in its repr; a token of the caller has no expiry."""
    admin = make_client(ScriptedTransport())
    token = admin.token()
    assert token == AccessToken(value="token-1", expires_at=datetime(2023, 11, 14, 22, 43, 20, tzinfo=UTC))
    assert "token-1" not in f"{token} {token!r}"
    assert admin.token() == token
    assert make_client(ScriptedTransport(), access_token="x").token() == AccessToken(value="x", expires_at=None)
    with raises(PineconeValueError, match="Authorization"):
        make_client(ScriptedTransport(), additional_headers={"Authorization": "x"}).token()


def test_wrong_credentials_raise_at_the_first_exchange(make_client: Callable[..., Admin]) -> None:
    """A client with wrong credentials raises when it is constructed; an async client, when it is entered."""
    script = ScriptedTransport(
        tokens=[
            ScriptedResponse(401, {"error": "access_denied", "error_description": "Unauthorized"}) for _ in range(2)
        ]
    )
    with raises(
        InvalidCredentialsError, match=r"\[401 access_denied\] the token endpoint login.pinecone.io does not"
    ) as caught:
        make_client(script).__enter__()
    assert isinstance(caught.value, UnauthorizedError)
    assert isinstance(caught.value, TokenError)
    assert (caught.value.outcome, caught.value.safe_to_retry, caught.value.body) == ("not_sent", True, "")


def test_a_lazy_client_exchanges_at_its_first_call(make_client: Callable[..., Admin]) -> None:
    """With lazy=True, the first exchange takes place at the first call."""
    script = ScriptedTransport()
    with make_client(script, lazy=True) as admin:
        assert script.exchanges == []
        admin.projects.list()
        assert len(script.exchanges) == 1
    script = ScriptedTransport()
    with make_client(script) as admin:
        assert len(script.exchanges) == 1
        admin.projects.list()
    assert len(script.exchanges) == 1


def test_a_failed_exchange_raises_a_token_error(make_client: Callable[..., Admin]) -> None:
    """The error names the operation, says that no request was sent, and hides the body of the response."""
    script = ScriptedTransport(tokens=[ScriptedResponse(403, {"error": "x", "error_description": f"no {SECRET}"})])
    with raises(TokenError) as caught:
        make_client(script, lazy=True).projects.create(name="x")
    assert (caught.value.operation, caught.value.outcome, caught.value.status_code) == (
        "create_project",
        "not_sent",
        403,
    )
    check_promises(caught.value)
    assert script.requests == []


@pytest.mark.parametrize(
    ("failure", "worth_retrying"),
    [
        (ScriptedResponse(429), True),
        (ScriptedResponse(503), True),
        (ScriptedFailure(ConnectionResetError()), True),
        (ScriptedResponse(501), False),
        (ScriptedResponse(401), False),
        (ScriptedResponse(403), False),
        (ScriptedResponse(200, b"<html>"), False),
    ],
    ids=str,
)
def test_a_failed_exchange_says_whether_it_is_worth_retrying(
    failure: Step, worth_retrying: bool, make_client: Callable[..., Admin]
) -> None:
    """A token endpoint that is overloaded or does not respond may issue a token later; one that refuses will not."""
    with pytest.raises(PineconeError) as caught:
        make_client(ScriptedTransport(tokens=[failure] * 3), lazy=True).projects.create(name="x")
    assert (caught.value.safe_to_retry, caught.value.worth_retrying) == (True, worth_retrying)


def test_a_failed_exchange_preserves_an_unknown_outcome(
    make_client: Callable[..., Admin],
) -> None:
    """After an attempt with an unknown outcome, a failed exchange leaves the outcome unknown."""
    script = ScriptedTransport(
        ScriptedFailure(ConnectionResetError()),
        ScriptedResponse(401),
        tokens=[first_token_response(), ScriptedResponse(403)],
    )
    with raises(TokenError) as caught:
        make_client(script).projects.update(project_id="p", name="x")
    assert (caught.value.outcome, caught.value.safe_to_retry) == ("unknown", True)


def first_token_response() -> ScriptedResponse:
    """Return a token response without a token type."""
    return ScriptedResponse(body={"access_token": "first", "expires_in": 1800})
