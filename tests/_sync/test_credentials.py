# Derived from tests/_async/test_credentials.py by scripts/unasync.py: change that, not this file.
"""Who calls: arguments before the environment, secrets checked without being shown, tokens that others mint."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import (
    AccessToken,
    Admin,
    InvalidCredentialsError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    TokenError,
    UnauthorizedError,
)
from tests.support.errors import SECRET, check_promises, raises
from tests.support.scripted_transport import Answer, Failure, Script

pytestmark = pytest.mark.anyio


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that sets PINECONE_* variables."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"PINECONE_{name.upper()}", value)

    return put


CREDENTIALS = {"client_id": "env-id", "client_secret": "env-secret"}

# Arguments, variables → what goes out: the credentials exchanged, or the bearer token used.
ORDER: list[tuple[dict[str, Any], dict[str, str], object]] = [
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
    ({}, CREDENTIALS | {"access_token": ""}, ("env-id", "env-secret")),
]


@pytest.mark.parametrize(("arguments", "environment", "used"), ORDER)
def test_explicit_arguments_come_first_then_the_token_then_the_credentials(
    arguments: dict[str, Any],
    environment: dict[str, str],
    used: object,
    connect: Callable[..., Admin],
    variables: Callable[..., None],
) -> None:
    """Exactly one identity is used, and whoever brings a token has none minted."""
    variables(**environment)
    script = Script()
    connect(script, **({"client_id": None} | arguments)).projects.list()
    sent = script.request.headers.get_list("authorization")
    if isinstance(used, str):
        assert script.exchanges == []
        assert sent == [f"Bearer {used}"]
    else:
        (exchange,) = script.exchanges
        body = json.loads(exchange.content)
        assert (body["client_id"], body["client_secret"]) == used
        assert sent == ["Bearer token-1"]


# Arguments, variables → what the message of the error names.
REFUSED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {}, "client_id and client_secret are missing.*PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET"),
    ({"client_id": "id"}, {}, "client_secret is missing.*PINECONE_CLIENT_SECRET"),
    ({"client_id": "id"}, {"client_secret": " "}, "client_secret is missing.*_CLIENT_SECRET"),
    ({}, {"client_id": "", "client_secret": "x"}, "client_id is missing.*PINECONE_CLIENT_ID"),
    ({"client_secret": ""}, CREDENTIALS, "client_secret is empty"),
    ({"client_id": ""}, CREDENTIALS, "client_id is empty"),
    ({"client_id": " \n"}, CREDENTIALS, "client_id is empty"),
    ({"access_token": ""}, CREDENTIALS, "access_token is empty"),
    ({"access_token": f"{SECRET}\n"}, {}, "access_token has white space or a line break"),
    ({"client_secret": f" {SECRET}"}, CREDENTIALS, "client_secret has white space"),
    ({"client_secret": f"{SECRET}\r\n"}, CREDENTIALS, "client_secret has white space"),
    ({}, CREDENTIALS | {"client_secret": f"{SECRET}\n"}, "PINECONE_CLIENT_SECRET has white"),
    ({}, {"access_token": f"{SECRET}\n"}, "PINECONE_ACCESS_TOKEN has white space"),
    ({"client_secret": f"{SECRET} x"}, CREDENTIALS, "client_secret has a character"),
    ({"client_secret": f"{SECRET}é"}, CREDENTIALS, "client_secret has a character"),
    ({"access_token": f"Bearer {SECRET}"}, {}, "access_token begins with the word Bearer"),
    ({"access_token": f"{SECRET}\x00x"}, {}, "access_token has a character"),
    ({"client_secret": 5}, CREDENTIALS, "client_secret must be a str, not int"),
    ({"client_id": b"id"}, CREDENTIALS, "client_id must be a str, not bytes"),
    ({"access_token": ["x"]}, CREDENTIALS, "access_token must be a str, not list"),
    ({"access_token": "x", "client_id": "y"}, {}, "access_token and client_id"),
    ({"access_token": "x", "client_secret": SECRET}, {}, "access_token and client_id"),
]


@pytest.mark.parametrize(("arguments", "environment", "message"), REFUSED)
def test_an_identity_that_cannot_be_right_is_refused(
    arguments: dict[str, Any],
    environment: dict[str, str],
    message: str,
    connect: Callable[..., Admin],
    variables: Callable[..., None],
) -> None:
    """The error names the argument, and the variable where one is looked at, and never shows the secret."""
    variables(**environment)
    script = Script()
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message):
        connect(script, **({"client_id": None} | arguments))
    assert script.exchanges == []


def fail() -> str:
    """Fail as a vault does."""
    raise LookupError(SECRET)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (lambda: "", PineconeValueError, "is empty"),
        (lambda: f"{SECRET}\n", PineconeValueError, "has white space"),
        (lambda: None, PineconeTypeError, "must be a str, not NoneType"),
        (fail, PineconeValueError, "the callable raised LookupError"),
    ],
    ids=["empty", "newline", "none", "raises"],
)
@pytest.mark.parametrize("argument", ["client_id", "client_secret", "access_token"])
def test_what_a_callable_gives_is_checked_when_it_is_asked(
    argument: str, given: Any, error: type[PineconeError], message: str, connect: Callable[..., Admin]
) -> None:
    """A callable may be asked late; what it gives is held to the same rules, and its own failure stays hidden."""
    script = Script()
    arguments = {argument: given}
    if argument != "access_token":
        arguments = {"client_id": "id", "client_secret": "x"} | arguments
    admin = connect(script, lazy=True, **arguments)
    for _ in range(2):
        with raises(error, match=f"{argument}.* {message}") as caught:
            admin.projects.list()
        assert (caught.value.outcome, caught.value.operation) == ("not_sent", "list_projects")
        with raises(error, match=f"{argument}.* {message}"):
            admin.token()
    assert (script.requests, script.exchanges) == ([], [])


def test_credentials_are_asked_for_at_each_exchange(connect: Callable[..., Admin]) -> None:
    """A callable is asked again, so that a secret can be rotated underneath."""
    secrets = iter(["one", "two"])
    script = Script(Answer(401), Answer(body={"data": []}))
    connect(script, client_id="id", client_secret=lambda: next(secrets)).projects.list()
    assert [json.loads(exchange.content)["client_secret"] for exchange in script.exchanges] == ["one", "two"]


def test_a_token_callable_is_asked_at_each_call(connect: Callable[..., Admin]) -> None:
    """Whoever mints elsewhere decides for every request which token it is."""
    tokens = iter("abc")
    script = Script()
    admin = connect(script, access_token=lambda: next(tokens))
    for _ in range(3):
        admin.projects.list()
    assert [request.headers["authorization"][-1] for request in script.requests] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("tokens", "sent"),
    [(["a", "b"], ["a", "b"]), (["a", "a"], ["a"]), (["a", "b", "c"], ["a", "b"])],
    ids=["another", "the same", "only once"],
)
def test_a_token_callable_is_asked_once_more_after_a_401(
    tokens: list[str], sent: list[str], connect: Callable[..., Admin]
) -> None:
    """A different answer is sent once more; the same one, or a second 401, is final."""
    script = Script(Answer(401))
    given = iter(tokens)
    with raises(UnauthorizedError) as caught:
        connect(script, access_token=lambda: next(given)).projects.list()
    assert [request.headers["authorization"][-1] for request in script.requests] == sent
    assert caught.value.attempts == len(sent)
    assert script.exchanges == []


def test_a_fixed_token_is_sent_once(connect: Callable[..., Admin]) -> None:
    """A 401 to a token that cannot change is final."""
    script = Script(Answer(401))
    with raises(UnauthorizedError):
        connect(script, access_token="fixed").projects.list()
    assert len(script.requests) == 1


def test_a_401_to_the_callers_own_header_is_final(connect: Callable[..., Admin]) -> None:
    """Nothing is minted in its place."""
    script = Script(Answer(401))
    with raises(UnauthorizedError):
        connect(script, additional_headers={"Authorization": "Basic x"}).projects.list()
    assert (len(script.requests), script.exchanges) == (1, [])


def test_a_token_is_given_to_other_tools(connect: Callable[..., Admin]) -> None:
    """The token of the client, with its expiry, masked in its repr; one that others mint has none."""
    admin = connect(Script())
    token = admin.token()
    assert token == AccessToken(value="token-1", expires_at=1_700_000_000.0 + 1800)
    assert "token-1" not in f"{token} {token!r}"
    assert admin.token() == token
    assert connect(Script(), access_token="x").token() == AccessToken(value="x", expires_at=None)
    with raises(PineconeValueError, match="Authorization"):
        connect(Script(), additional_headers={"Authorization": "x"}).token()


def test_wrong_credentials_fail_where_the_first_token_is_fetched(connect: Callable[..., Admin]) -> None:
    """The seed's client fails while it is made, and so does ours; an asynchronous one when it is entered."""
    script = Script(
        tokens=[Answer(401, {"error": "access_denied", "error_description": "Unauthorized"}) for _ in range(2)]
    )
    with raises(InvalidCredentialsError, match=r"\[401 access_denied\] the client id and secret") as caught:
        connect(script).__enter__()
    assert isinstance(caught.value, UnauthorizedError)
    assert isinstance(caught.value, TokenError)
    assert (caught.value.outcome, caught.value.safe_to_retry, caught.value.body) == ("not_sent", True, "")


def test_a_lazy_client_waits_for_its_first_call(connect: Callable[..., Admin]) -> None:
    """With lazy=True nothing is exchanged before it is needed."""
    script = Script()
    with connect(script, lazy=True) as admin:
        assert script.exchanges == []
        admin.projects.list()
        assert len(script.exchanges) == 1
    script = Script()
    with connect(script) as admin:
        assert len(script.exchanges) == 1
        admin.projects.list()
    assert len(script.exchanges) == 1


def test_a_failed_exchange_is_told_apart_from_the_call(connect: Callable[..., Admin]) -> None:
    """The error says which operation wanted the token, that nothing was sent, and nothing of the endpoint's body."""
    script = Script(tokens=[Answer(403, {"error": "x", "error_description": f"no {SECRET}"})])
    with raises(TokenError) as caught:
        connect(script, lazy=True).projects.create(name="x")
    assert (caught.value.operation, caught.value.outcome, caught.value.status_code) == (
        "create_project",
        "not_sent",
        403,
    )
    check_promises(caught.value)
    assert script.requests == []


def test_a_token_that_fails_after_an_ambiguous_attempt_leaves_it_ambiguous(
    connect: Callable[..., Admin],
) -> None:
    """That no token could be had for a repeat says nothing of the attempt that went out before."""
    script = Script(Failure(ConnectionResetError()), Answer(401), tokens=[token(), Answer(403)])
    with raises(TokenError) as caught:
        connect(script).projects.update(project_id="p", name="x")
    assert (caught.value.outcome, caught.value.safe_to_retry) == ("unknown", True)


def token() -> Answer:
    """Answer as the token endpoint does."""
    return Answer(body={"access_token": "first", "expires_in": 1800})
