"""Successes: what fits the API description is decoded, and everything else is a clear error that loses no secret."""

from __future__ import annotations

import json
import logging
import pprint
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from typing import Any

import pytest
import rich.console
from attrs import frozen

from pinecone_admin import AsyncAdmin, Operation, PineconeTypeError, ResponseParsingError, to_dict
from pinecone_admin.models import (
    APIKeyWithSecret,
    Invite,
    Project,
    RoleBindingInput,
    ServiceAccountWithSecret,
    User,
)
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import Answer, Script

pytestmark = pytest.mark.anyio

PROJECT: dict[str, Any] = {
    "id": "p",
    "name": "Ünï",
    "max_pods": 0,
    "force_encryption_with_cmek": False,
    "organization_id": "o",
    "created_at": "2026-07-01T10:00:00Z",
}
KEY = {"id": "k", "name": "x", "project_id": "p", "roles": ["ProjectEditor"]}
KEY_WITH_SECRET = {"key": KEY, "value": SECRET}
ACCOUNT = {
    "id": "s",
    "name": "x",
    "client_id": "c",
    "created_at": "2026-07-01T10:00:00Z",
    "updated_at": "2026-07-01T10:00:00Z",
}
ACCOUNT_WITH_SECRET = {"service_account": ACCOUNT, "client_secret": SECRET}
BINDING = {
    "id": "b",
    "principal_type": "user",
    "principal_id": "u",
    "resource_type": "organization",
    "resource_id": "o",
    "role": "OrgMember",
    "created_at": "2026-07-01T10:00:00Z",
}
INVITE = {"id": "i", "email": "a@b", "status": "pending", "created_at": "2026-07-01T10:00:00Z"}


# <async only>
@pytest.fixture
def anyio_backend() -> str:
    """Run in one kind of event loop: an answer is decoded alike in both."""
    return "asyncio"


# </async only>
async def describe(answer: Answer, connect: Callable[..., AsyncAdmin]) -> Project:
    """Fetch a project that is answered so."""
    return await connect(Script(answer)).projects.describe(project_id="p")


DOCUMENT = json.dumps(PROJECT, ensure_ascii=False)
READABLE: dict[str, Answer] = {
    "plain": Answer(body=PROJECT),
    "unknown fields": Answer(body=PROJECT | {"new": {"deep": [1]}, "id_": "other"}),
    "other type": Answer(body=PROJECT, headers={"content-type": "text/plain"}),
    "status 201": Answer(201, PROJECT),
    "status 202": Answer(202, PROJECT),
    "status 299": Answer(299, PROJECT),
    "byte order mark": Answer(body=DOCUMENT.encode("utf-8-sig")),
    "UTF-16": Answer(body=DOCUMENT.encode("utf-16")),
    "UTF-32": Answer(body=DOCUMENT.encode("utf-32-le")),
    "white space": Answer(body=f"\r\n {DOCUMENT} \n".encode()),
    "content-encoding identity": Answer(body=PROJECT, headers={"content-encoding": "Identity"}),
    "content-encoding empty": Answer(body=PROJECT, headers={"content-encoding": ""}),
    "the last of two fields": Answer(body=f'{{"id": "wrong", {DOCUMENT[1:]}'.encode()),
}


@pytest.mark.parametrize("answer", READABLE.values(), ids=READABLE)
async def test_an_answer_that_fits_is_decoded(answer: Answer, connect: Callable[..., AsyncAdmin]) -> None:
    """Any 2xx, any JSON encoding, unknown fields, any content type."""
    assert await describe(answer, connect) == Project(
        id="p",
        name="Ünï",
        max_pods=0,
        force_encryption_with_cmek=False,
        organization_id="o",
        created_at=datetime(2026, 7, 1, 10, tzinfo=UTC),
    )


MISTYPED: list[tuple[str, Any, str]] = [
    ("id", None, "a string, not null"),
    ("id", 5, "a string, not an integer"),
    ("name", ["x"], "a string, not a list"),
    ("max_pods", "0", "an integer, not a string"),
    ("max_pods", True, "an integer, not a boolean"),
    ("max_pods", 1.0, "an integer, not a number"),
    ("max_pods", None, "an integer, not null"),
    ("force_encryption_with_cmek", 0, "a boolean, not an integer"),
    ("force_encryption_with_cmek", "false", "a boolean, not a string"),
    ("organization_id", {}, "a string, not an object"),
    ("created_at", 1_751_364_000, "a string, not an integer"),
    ("created_at", "yesterday", "a date-time"),
    ("created_at", "", "a date-time"),
    ("created_at", "2026-13-01T00:00:00Z", "a date-time"),
]

# Answer → path, problem.
UNREADABLE: dict[str, tuple[Answer, str, str]] = {
    "empty": (Answer(), "", "is empty"),
    "blank": (Answer(body=b" \n"), "", "is empty"),
    "204": (Answer(204), "", "is empty"),
    "truncated": (Answer(body=DOCUMENT[:30].encode()), "", "is not JSON"),
    "HTML": (Answer(body=b"<html>ok</html>", headers={"content-type": "text/html"}), "", "is not JSON"),
    "latin-1": (Answer(body=DOCUMENT.encode("latin-1")), "", "is not JSON"),
    "garbage": (Answer(body=b"\xff\xfe\x00"), "", "is not JSON"),
    "two documents": (Answer(body=b"{}{}"), "", "is not JSON"),
    "deep": (Answer(body=b"[" * 100_000), "", "is not JSON"),
    "a huge number": (Answer(body=b'{"max_pods": ' + b"9" * 5000 + b"}"), "", "is not JSON"),
    "list": (Answer(body=[PROJECT]), "", "must be an object, not a list"),
    "string": (Answer(body="p"), "", "must be an object, not a string"),
    "number": (Answer(body=5), "", "must be an object, not an integer"),
    "null": (Answer(body=b"null"), "", "must be an object, not null"),
    "true": (Answer(body=True), "", "must be an object, not a boolean"),
    "object without fields": (Answer(body={}), "id", "is missing"),
    "gzip": (Answer(body=PROJECT, headers={"content-encoding": "gzip"}), "", "is encoded as 'gzip'"),
    "br": (Answer(body=PROJECT, headers={"content-encoding": "br, identity"}), "", "is encoded as"),
    **{
        f"without {name}": (
            Answer(body={key: value for key, value in PROJECT.items() if key != name}),
            name,
            "is missing",
        )
        for name in PROJECT
        if name != "created_at"
    },
    **{
        f"{name} is {value!r}": (Answer(body=PROJECT | {name: value}), name, f"must be {kind}")
        for name, value, kind in MISTYPED
    },
}


@pytest.mark.parametrize(("answer", "path", "problem"), UNREADABLE.values(), ids=UNREADABLE)
async def test_an_answer_that_does_not_fit_is_an_error(
    answer: Answer, path: str, problem: str, connect: Callable[..., AsyncAdmin]
) -> None:
    """The error has the path, the status, the request id and the raw body, and never quotes a value."""
    answer = Answer(answer.status, answer.body, {**answer.headers, "x-pinecone-request-id": "r-1"})
    with raises(ResponseParsingError, match=f"fetch_project: the answer.*{problem}") as caught:
        await describe(answer, connect)
    error = caught.value
    assert (error.path, error.status_code, error.request_id, error.attempts) == (path, answer.status, "r-1", 1)
    assert (error.outcome, error.safe_to_retry, error.operation) == ("done", True, "fetch_project")
    assert str(error).endswith(f"(status {answer.status}) (request_id: r-1)")
    assert "yesterday" not in str(error)


# Operation, body → path.
DEEP: list[tuple[Callable[[AsyncAdmin], Any], object, str]] = [
    (lambda a: a.projects.list(), {"data": [PROJECT, PROJECT | {"max_pods": "0"}]}, "data[1].max_pods"),
    (lambda a: a.projects.list(), {"data": [PROJECT, 5]}, "data[1]"),
    (lambda a: a.api_keys.list(project_id="p"), {"data": [KEY | {"roles": ["x", 5]}]}, "data[0].roles[1]"),
    (lambda a: a.api_keys.list(project_id="p"), {"data": [KEY | {"roles": "x"}]}, "data[0].roles"),
    (lambda a: a.role_bindings.list().to_list(), {"data": [*[BINDING] * 3, BINDING | {"role": 5}]}, "data[3].role"),
    (lambda a: a.role_bindings.list().to_list(), {"data": [], "pagination": {"next": 5}}, "pagination.next"),
    (lambda a: a.api_keys.create(project_id="p", name="x"), KEY_WITH_SECRET | {"key": {}}, "key.id"),
    (lambda a: a.service_accounts.create(name="x"), {"service_account": ACCOUNT}, "client_secret"),
    (
        lambda a: a.service_accounts.rotate_secret(service_account_id="s"),
        ACCOUNT_WITH_SECRET | {"service_account": ACCOUNT | {"updated_at": None}},
        "service_account.updated_at",
    ),
]


@pytest.mark.parametrize(("call", "body", "path"), DEEP, ids=[path for _, _, path in DEEP])
async def test_the_path_leads_to_the_field(
    call: Callable[[AsyncAdmin], Any], body: object, path: str, connect: Callable[..., AsyncAdmin]
) -> None:
    """Through lists and models, by the names that the API uses."""
    with raises(ResponseParsingError, match="the answer's ") as caught:
        await call(connect(Script(Answer(body=body))))
    assert caught.value.path == path


@pytest.mark.parametrize(
    "body",
    [json.dumps({"key": KEY, "value": SECRET})[:-1].encode(), b'{"key": {}, "value": "' + SECRET.encode() + b'\xff"}'],
    ids=["truncated", "not UTF-8"],
)
async def test_a_secret_that_is_shown_once_is_not_lost(body: bytes, connect: Callable[..., AsyncAdmin]) -> None:
    """It cannot be read from the error by accident, and can be recovered by ``raw.reveal()``; a repeat is no help."""
    with raises(ResponseParsingError) as caught:
        await connect(Script(Answer(201, body))).api_keys.create(project_id="p", name="x")
    error = caught.value
    assert (error.outcome, error.safe_to_retry) == ("done", False)
    assert SECRET in error.raw.reveal()
    assert SECRET not in f"{error} {error!r} {error.raw} {error.raw!r} {pprint.pformat(vars(error))}"


async def test_a_model_of_ones_own_is_decoded_too(connect: Callable[..., AsyncAdmin]) -> None:
    """Whatever a type of the caller's raises becomes the same error."""

    @frozen
    class Ratio:
        value: float

        def __attrs_post_init__(self) -> None:
            _ = 1 / self.value

    operation = Operation(id="ratio", method="GET", path="/x", returns=Ratio)
    assert await connect(Script(Answer(body={"value": 2}))).send(operation) == Ratio(2)
    for body in ({"value": 0}, {"value": True}, {}):
        with raises(ResponseParsingError):
            await connect(Script(Answer(body=body))).send(operation)


@pytest.mark.parametrize(
    "answer", [Answer(202), Answer(200, b"{}"), Answer(204, b"surprise"), Answer(299, b"<html>")], ids=str
)
async def test_a_delete_takes_any_success(answer: Answer, connect: Callable[..., AsyncAdmin]) -> None:
    """Its body, if there is one, is of no interest."""
    await connect(Script(answer)).projects.delete(project_id="p")


MOMENTS: dict[str, datetime] = {
    "2026-07-01T10:00:00Z": datetime(2026, 7, 1, 10, tzinfo=UTC),
    "2026-07-01T10:00:00z": datetime(2026, 7, 1, 10, tzinfo=UTC),
    "2026-07-01t10:00:00z": datetime(2026, 7, 1, 10, tzinfo=UTC),
    "2026-07-01 10:00:00Z": datetime(2026, 7, 1, 10, tzinfo=UTC),
    "2026-07-01T10:00:00": datetime(2026, 7, 1, 10, tzinfo=UTC),
    "2026-07-01T10:00:00.123456789Z": datetime(2026, 7, 1, 10, 0, 0, 123456, tzinfo=UTC),
    "2026-07-01T10:00:00.5+02:00": datetime(2026, 7, 1, 10, 0, 0, 500000, tzinfo=timezone(timedelta(hours=2))),
    "20260701T100000Z": datetime(2026, 7, 1, 10, tzinfo=UTC),
    "2026-07-01": datetime(2026, 7, 1, tzinfo=UTC),
    "2026-07-01T24:00:00Z": datetime(2026, 7, 2, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "moment"), MOMENTS.items(), ids=MOMENTS)
async def test_a_date_time_is_aware(text: str, moment: datetime, connect: Callable[..., AsyncAdmin]) -> None:
    """Every form of ISO 8601 that a server may write; nanoseconds are cut."""
    project = await describe(Answer(body=PROJECT | {"created_at": text}), connect)
    assert project.created_at == moment
    assert project.created_at is not None
    assert project.created_at.utcoffset() == moment.utcoffset()


async def test_values_that_are_not_listed_pass(connect: Callable[..., AsyncAdmin]) -> None:
    """A role, a state or a principal that the server adds later arrives unchanged."""
    key = await connect(Script(Answer(body=KEY | {"roles": ["IndexReader"]}))).api_keys.describe(api_key_id="k")
    assert key.roles == ["IndexReader"]
    body = BINDING | {"role": "OrgAuditor", "principal_type": "group", "resource_type": "folder"}
    binding = await connect(Script(Answer(body=body))).role_bindings.describe(role_binding_id="b")
    assert (binding.role, binding.principal_type, binding.resource_type) == ("OrgAuditor", "group", "folder")
    invite = await connect(Script(Answer(body=INVITE | {"status": "bounced"}))).invites.describe(invite_id="i")
    assert invite.status == "bounced"


@pytest.mark.parametrize("changes", [{}, {"expires_at": None, "processed_at": None}], ids=["absent", "null"])
async def test_what_may_be_absent_may_be_null(changes: dict[str, Any], connect: Callable[..., AsyncAdmin]) -> None:
    """Both read as None."""
    invite = await connect(Script(Answer(body=INVITE | changes))).invites.describe(invite_id="i")
    assert (invite.expires_at, invite.processed_at) == (None, None)


async def fetch_secrets(connect: Callable[..., AsyncAdmin]) -> tuple[APIKeyWithSecret, ServiceAccountWithSecret]:
    """Create a key and a service account, whose secrets are shown once."""
    key = await connect(Script(Answer(201, KEY_WITH_SECRET))).api_keys.create(project_id="p", name="x")
    account = await connect(Script(Answer(201, ACCOUNT_WITH_SECRET))).service_accounts.create(name="x")
    return key, account


async def test_a_secret_is_a_plain_str_and_masked_wherever_it_could_show_by_accident(
    connect: Callable[..., AsyncAdmin], caplog: pytest.LogCaptureFixture
) -> None:
    """In repr, str, pprint, rich and log records, also within a list."""
    caplog.set_level(logging.DEBUG)
    key, account = await fetch_secrets(connect)
    assert (type(key.value), key.value) == (str, SECRET)
    assert (type(account.client_secret), account.client_secret) == (str, SECRET)
    assert "value='***'" in repr(key)
    assert "client_secret='***'" in repr(account)
    screen = StringIO()
    console = rich.console.Console(file=screen, width=300)
    for shown in (key, account, [key], {"x": account}):
        console.print(shown)
        screen.write(f"{shown} {shown!r} {pprint.pformat(shown)}")
        logging.getLogger("application").info("made %s", shown)
    assert "***" in screen.getvalue()
    assert SECRET not in screen.getvalue() + caplog.text


async def test_to_dict_gives_plain_json_types(connect: Callable[..., AsyncAdmin]) -> None:
    """Names of the API, dates as ISO 8601 text, secrets masked unless they are asked for."""
    key, account = await fetch_secrets(connect)
    moment = "2026-07-01T10:00:00+00:00"
    assert to_dict(key) == {"key": KEY, "value": "***"}
    assert to_dict(key, reveal=True) == KEY_WITH_SECRET
    masked = {"service_account": ACCOUNT | {"created_at": moment, "updated_at": moment}, "client_secret": "***"}
    assert to_dict(account) == masked
    assert to_dict(account, reveal=True) == masked | {"client_secret": SECRET}
    invite = await connect(Script(Answer(body=INVITE))).invites.describe(invite_id="i")
    assert to_dict(invite) == INVITE | {"created_at": moment, "expires_at": None, "processed_at": None}
    assert to_dict(RoleBindingInput(resource_type="organization", role="OrgMember"))["role"] == "OrgMember"
    assert json.loads(json.dumps(to_dict(account))) == masked


@pytest.mark.parametrize("value", [None, {"a": 1}, [], "x", Invite], ids=str)
async def test_to_dict_takes_models_only(value: Any) -> None:
    """Anything else is an error, not an empty dict."""
    with raises(PineconeTypeError, match="model must be a model"):
        to_dict(value)


async def test_models_are_values(connect: Callable[..., AsyncAdmin]) -> None:
    """They compare by value, hash where all their fields do, and cannot be changed."""
    one, two = [await describe(Answer(body=PROJECT), connect) for _ in range(2)]
    assert one == two
    assert len({one, two, User(id="u", email="a@b")}) == 2
    with pytest.raises(AttributeError):
        one.name = "other"  # type: ignore[misc]
