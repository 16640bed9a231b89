# Derived from tests/_async/test_responses.py by scripts/unasync.py: change that, not this file.
"""Successful responses: a valid one is decoded, any other raises an error that preserves a one-time secret."""

from __future__ import annotations

import gc
import json
import logging
import pickle
import pprint
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from io import StringIO
from typing import Any

import httpx
import pytest
import rich.console

from pinecone_admin import (
    Admin,
    ApiError,
    AttemptEvent,
    BadRequestError,
    ConflictError,
    Operation,
    PineconeTypeError,
    ResponseParsingError,
    ServiceError,
    to_dict,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import (
    APIKeyWithSecret,
    Invite,
    Project,
    RoleBindingInput,
    ServiceAccountWithSecret,
    User,
)
from tests.support.errors import SECRET, raises
from tests.support.fault_injection import MixedResponses
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

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


def describe_project(response: ScriptedResponse, make_client: Callable[..., Admin]) -> Project:
    """Fetch a project whose response is given."""
    return make_client(ScriptedTransport(response)).projects.describe(project_id="p")


NOON = "Thu, 03 Dec 2026 12:00:00 GMT"
PROJECT_JSON = json.dumps(PROJECT, ensure_ascii=False)
VALID: dict[str, ScriptedResponse] = {
    "plain": ScriptedResponse(body=PROJECT),
    "unknown fields": ScriptedResponse(body=PROJECT | {"new": {"deep": [1]}, "id_": "other"}),
    "other type": ScriptedResponse(body=PROJECT, headers={"content-type": "text/plain"}),
    "status 201": ScriptedResponse(201, PROJECT),
    "status 202": ScriptedResponse(202, PROJECT),
    "status 299": ScriptedResponse(299, PROJECT),
    "byte order mark": ScriptedResponse(body=PROJECT_JSON.encode("utf-8-sig")),
    "UTF-16": ScriptedResponse(body=PROJECT_JSON.encode("utf-16")),
    "UTF-32": ScriptedResponse(body=PROJECT_JSON.encode("utf-32-le")),
    "white space": ScriptedResponse(body=f"\r\n {PROJECT_JSON} \n".encode()),
    "content-encoding identity": ScriptedResponse(body=PROJECT, headers={"content-encoding": "Identity"}),
    "content-encoding empty": ScriptedResponse(body=PROJECT, headers={"content-encoding": ""}),
    "the last of two fields": ScriptedResponse(body=f'{{"id": "wrong", {PROJECT_JSON[1:]}'.encode()),
}


@pytest.mark.parametrize("response", VALID.values(), ids=VALID)
def test_a_valid_response_is_decoded(response: ScriptedResponse, make_client: Callable[..., Admin]) -> None:
    """A response with any 2xx status, any JSON encoding, unknown fields and any content type is decoded."""
    assert describe_project(response, make_client) == Project(
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

# Response → path, problem.
INVALID: dict[str, tuple[ScriptedResponse, str, str]] = {
    "empty": (ScriptedResponse(), "", "is empty"),
    "blank": (ScriptedResponse(body=b" \n"), "", "is empty"),
    "204": (ScriptedResponse(204), "", "is empty"),
    "truncated": (ScriptedResponse(body=PROJECT_JSON[:30].encode()), "", "is not JSON"),
    "HTML": (ScriptedResponse(body=b"<html>ok</html>", headers={"content-type": "text/html"}), "", "is not JSON"),
    "latin-1": (ScriptedResponse(body=PROJECT_JSON.encode("latin-1")), "", "is not JSON"),
    "garbage": (ScriptedResponse(body=b"\xff\xfe\x00"), "", "is not JSON"),
    "two documents": (ScriptedResponse(body=b"{}{}"), "", "is not JSON"),
    "deep": (ScriptedResponse(body=b'{"new":' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"}"), "", "is not JSON"),
    "deep and cut off": (ScriptedResponse(body=b"[" * 60_000), "", "is not JSON"),
    "a long integer": (ScriptedResponse(body=b'{"max_pods": ' + b"9" * 5000 + b"}"), "", "is not JSON"),
    "an integer of 4 MB": (ScriptedResponse(body=b'{"max_pods": ' + b"9" * 4_000_000 + b"}"), "", "is not JSON"),
    "list": (ScriptedResponse(body=[PROJECT]), "", "must be an object, not a list"),
    "string": (ScriptedResponse(body="p"), "", "must be an object, not a string"),
    "number": (ScriptedResponse(body=5), "", "must be an object, not an integer"),
    "null": (ScriptedResponse(body=b"null"), "", "must be an object, not null"),
    "true": (ScriptedResponse(body=True), "", "must be an object, not a boolean"),
    "object without fields": (ScriptedResponse(body={}), "id", "is missing"),
    "gzip": (ScriptedResponse(body=PROJECT, headers={"content-encoding": "gzip"}), "", "is encoded as 'gzip'"),
    "br": (ScriptedResponse(body=PROJECT, headers={"content-encoding": "br, identity"}), "", "is encoded as"),
    **{
        f"without {name}": (
            ScriptedResponse(body={key: value for key, value in PROJECT.items() if key != name}),
            name,
            "is missing",
        )
        for name in PROJECT
        if name != "created_at"
    },
    **{
        f"{name} is {value!r}": (ScriptedResponse(body=PROJECT | {name: value}), name, f"must be {kind}")
        for name, value, kind in MISTYPED
    },
}


@pytest.mark.parametrize(("response", "path", "problem"), INVALID.values(), ids=INVALID)
def test_an_invalid_response_raises(
    response: ScriptedResponse, path: str, problem: str, make_client: Callable[..., Admin]
) -> None:
    """The error has the path, the status, the request id and the raw body, and its text quotes no value."""
    response = ScriptedResponse(response.status, response.body, {**response.headers, "x-pinecone-request-id": "r-1"})
    with raises(ResponseParsingError, match=f"fetch_project: the response.*{problem}") as caught:
        describe_project(response, make_client)
    error = caught.value
    assert (error.path, error.status_code, error.request_id, error.attempts) == (path, response.status, "r-1", 1)
    assert (error.outcome, error.safe_to_retry, error.operation) == ("done", True, "fetch_project")
    assert str(error).endswith(f"(status {response.status}) (request_id: r-1)")
    assert "yesterday" not in str(error)


# Operation, body → path.
PATHS: list[tuple[Callable[[Admin], Any], object, str]] = [
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
    (lambda a: a.api_keys.create(project_id="p", name="x"), KEY_WITH_SECRET | {"value": " \n"}, "value"),
    (
        lambda a: a.service_accounts.rotate_secret(service_account_id="s"),
        ACCOUNT_WITH_SECRET | {"client_secret": ""},
        "client_secret",
    ),
]


@pytest.mark.parametrize(("call", "body", "path"), PATHS)
def test_the_error_path_names_the_field(
    call: Callable[[Admin], Any], body: object, path: str, make_client: Callable[..., Admin]
) -> None:
    """The path leads through lists and models, by the names that the API uses."""
    with raises(ResponseParsingError, match="the response's ") as caught:
        call(make_client(ScriptedTransport(ScriptedResponse(body=body))))
    assert caught.value.path == path


@pytest.mark.parametrize(
    "body",
    [json.dumps({"key": KEY, "value": SECRET})[:-1].encode(), b'{"key": {}, "value": "' + SECRET.encode() + b'\xff"}'],
    ids=["truncated", "not UTF-8"],
)
def test_a_one_time_secret_is_recoverable(body: bytes, make_client: Callable[..., Admin]) -> None:
    """``raw.reveal()`` returns a secret from an unreadable response; no text of the error contains it."""
    with raises(ResponseParsingError) as caught:
        make_client(ScriptedTransport(ScriptedResponse(201, body))).api_keys.create(project_id="p", name="x")
    error = caught.value
    assert (error.outcome, error.safe_to_retry) == ("done", False)
    assert SECRET in error.raw.reveal()
    assert SECRET not in f"{error} {error!r} {error.raw} {error.raw!r} {pprint.pformat(vars(error))}"


@pytest.mark.parametrize(("status", "kind"), [(301, ApiError), (400, BadRequestError), (503, ServiceError)])
def test_a_new_secret_is_masked_in_the_body_of_an_error(
    status: int, kind: type[ApiError], make_client: Callable[..., Admin]
) -> None:
    """A success whose status was damaged on the way shows no secret, in reports of attempts either, even if cut off."""
    events: list[AttemptEvent] = []
    cut = [json.dumps(each)[:-5].encode() for each in (KEY_WITH_SECRET, ACCOUNT_WITH_SECRET)]
    bodies = [KEY_WITH_SECRET, cut[0], ACCOUNT_WITH_SECRET, cut[1], ACCOUNT_WITH_SECRET]
    script = ScriptedTransport(*(ScriptedResponse(status, body) for body in bodies))
    admin = make_client(script, on_attempt=events.append, access_token="x")
    calls: list[Callable[[], object]] = [
        *[partial(admin.api_keys.create, project_id="p", name="x")] * 2,
        *[partial(admin.service_accounts.create, name="x")] * 2,
        partial(admin.service_accounts.rotate_secret, service_account_id="s"),
    ]
    for call in calls:
        with raises(kind) as caught:
            call()
        for error in (caught.value, events[-1].error):
            assert isinstance(error, ApiError)
            assert '"***' in error.body
            assert SECRET[:-4] not in pprint.pformat(vars(error))


def test_the_raw_body_is_decoded_when_it_is_revealed(make_client: Callable[..., Admin]) -> None:
    """The error holds the bytes as received; what is not UTF-8 is escaped, and pickling drops it."""
    body = b'{"key": {}, "value": "\xff' + SECRET.encode() + b'"}'
    with raises(ResponseParsingError) as caught:
        make_client(ScriptedTransport(ScriptedResponse(201, body))).api_keys.create(project_id="p", name="x")
    raw = caught.value.raw
    assert body in gc.get_referents(raw)
    assert raw.reveal() == f'{{"key": {{}}, "value": "\\xff{SECRET}"}}'
    assert pickle.loads(pickle.dumps(raw)).reveal() == ""


def test_a_function_of_the_caller_decodes(make_client: Callable[..., Admin]) -> None:
    """Each of its exceptions becomes a ResponseParsingError that neither quotes nor contains the exception."""

    def parse(value: Any) -> float:
        return 1 / float(value["ratio"])

    operation = Operation(id="ratio", method="GET", path="/x", returns=parse)
    assert make_client(ScriptedTransport(ScriptedResponse(body={"ratio": 2}))).send(operation) == 0.5
    for body in ({"ratio": 0}, {"ratio": SECRET}, {SECRET: 1}, [SECRET], SECRET):
        with raises(ResponseParsingError, match="cannot be decoded") as caught:
            make_client(ScriptedTransport(ScriptedResponse(body=body))).send(operation)
        assert json.loads(caught.value.raw.reveal()) == body
        assert caught.value.__context__ is None


def test_errors_behind_a_function_show_no_secret_of_the_document(make_client: Callable[..., Admin]) -> None:
    """The result of the function is unknown, so each field that contains a secret in any model is masked."""
    for name in ("value", "client_secret"):
        body = {"key": {}, name: SECRET, "error": {"code": "X", "message": "m", "details": {name: SECRET}}}
        script = ScriptedTransport(ScriptedResponse(409, body))
        with raises(ConflictError) as caught:
            make_client(script).send(Operation(id="x", method="POST", path="/x", returns=lambda value: value))
        assert SECRET not in caught.value.body + repr(caught.value.details)


@pytest.mark.parametrize(
    "response",
    [
        ScriptedResponse(202),
        ScriptedResponse(200, b"{}"),
        ScriptedResponse(204, b"surprise"),
        ScriptedResponse(299, b"<html>"),
    ],
    ids=str,
)
def test_a_delete_accepts_any_success(response: ScriptedResponse, make_client: Callable[..., Admin]) -> None:
    """A delete ignores the body of a successful response."""
    make_client(ScriptedTransport(response)).projects.delete(project_id="p")


DATE_TIMES: dict[str, datetime] = {
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


@pytest.mark.parametrize(("text", "moment"), DATE_TIMES.items(), ids=DATE_TIMES)
def test_a_date_time_is_aware(text: str, moment: datetime, make_client: Callable[..., Admin]) -> None:
    """Every form of ISO 8601 becomes an aware datetime, with nanoseconds truncated."""
    project = describe_project(ScriptedResponse(body=PROJECT | {"created_at": text}), make_client)
    assert project.created_at == moment
    assert project.created_at is not None
    assert project.created_at.utcoffset() == moment.utcoffset()


def test_unlisted_values_pass_unchanged(make_client: Callable[..., Admin]) -> None:
    """A role, a status or a type that the API document does not list arrives unchanged."""
    key = make_client(ScriptedTransport(ScriptedResponse(body=KEY | {"roles": ["IndexReader"]}))).api_keys.describe(
        api_key_id="k"
    )
    assert key.roles == ["IndexReader"]
    body = BINDING | {"role": "OrgAuditor", "principal_type": "group", "resource_type": "folder"}
    binding = make_client(ScriptedTransport(ScriptedResponse(body=body))).role_bindings.describe(role_binding_id="b")
    assert (binding.role, binding.principal_type, binding.resource_type) == ("OrgAuditor", "group", "folder")
    invite = make_client(ScriptedTransport(ScriptedResponse(body=INVITE | {"status": "bounced"}))).invites.describe(
        invite_id="i"
    )
    assert invite.status == "bounced"


@pytest.mark.parametrize("changes", [{}, {"expires_at": None, "processed_at": None}], ids=["absent", "null"])
def test_an_optional_field_may_be_null(changes: dict[str, Any], make_client: Callable[..., Admin]) -> None:
    """An optional field that is absent or null is None."""
    invite = make_client(ScriptedTransport(ScriptedResponse(body=INVITE | changes))).invites.describe(invite_id="i")
    assert (invite.expires_at, invite.processed_at) == (None, None)


def create_secrets(make_client: Callable[..., Admin]) -> tuple[APIKeyWithSecret, ServiceAccountWithSecret]:
    """Create a key and a service account, whose secrets are shown once."""
    key = make_client(ScriptedTransport(ScriptedResponse(201, KEY_WITH_SECRET))).api_keys.create(
        project_id="p", name="x"
    )
    account = make_client(ScriptedTransport(ScriptedResponse(201, ACCOUNT_WITH_SECRET))).service_accounts.create(
        name="x"
    )
    return key, account


def test_a_secret_is_a_plain_str_and_masked_in_output(
    make_client: Callable[..., Admin], caplog: pytest.LogCaptureFixture
) -> None:
    """A secret is masked in repr, str, pprint, rich and log records, also within a list."""
    caplog.set_level(logging.DEBUG)
    key, account = create_secrets(make_client)
    assert (type(key.value), key.value) == (str, SECRET)
    assert (type(account.client_secret), account.client_secret) == (str, SECRET)
    assert "value='***'" in repr(key)
    assert "client_secret='***'" in repr(account)
    output = StringIO()
    console = rich.console.Console(file=output, width=300)
    for item in (key, account, [key], {"x": account}):
        console.print(item)
        output.write(f"{item} {item!r} {pprint.pformat(item)}")
        logging.getLogger("application").info("made %s", item)
    assert "***" in output.getvalue()
    assert SECRET not in output.getvalue() + caplog.text


def test_to_dict_returns_plain_json_types(make_client: Callable[..., Admin]) -> None:
    """to_dict uses the names of the API and ISO 8601 dates, and masks secrets unless reveal=True."""
    key, account = create_secrets(make_client)
    moment = "2026-07-01T10:00:00+00:00"
    plain = {"key": KEY | {"created_at": None}, "value": SECRET}
    assert to_dict(key) == plain | {"value": "***"}
    assert to_dict(key, reveal=True) == plain
    masked = {"service_account": ACCOUNT | {"created_at": moment, "updated_at": moment}, "client_secret": "***"}
    assert to_dict(account) == masked
    assert to_dict(account, reveal=True) == masked | {"client_secret": SECRET}
    invite = make_client(ScriptedTransport(ScriptedResponse(body=INVITE))).invites.describe(invite_id="i")
    assert to_dict(invite) == INVITE | {"created_at": moment, "expires_at": None, "processed_at": None}
    assert to_dict(RoleBindingInput(resource_type="organization", role="OrgMember"))["role"] == "OrgMember"
    assert json.loads(json.dumps(to_dict(account))) == masked
    assert to_dict([key, key]) == [to_dict(key)] * 2
    assert to_dict([account], reveal=True) == [to_dict(account, reveal=True)]
    assert to_dict([]) == []


@pytest.mark.parametrize("value", [None, {"a": 1}, (), "x", Invite], ids=str)
def test_to_dict_accepts_only_models(value: Any) -> None:
    """to_dict raises for anything but a model or a list of them."""
    with raises(PineconeTypeError, match="model must be a model"):
        to_dict(value)
    with raises(PineconeTypeError, match=r"model\[1\] must be a model"):
        to_dict([RoleBindingInput(resource_type="organization", role="OrgMember"), value])


def test_models_are_values(make_client: Callable[..., Admin]) -> None:
    """Models compare by value, are hashable where all their fields are, and cannot be changed."""
    one, two = [describe_project(ScriptedResponse(body=PROJECT), make_client) for _ in range(2)]
    assert one == two
    assert len({one, two, User(id="u", email="a@b")}) == 2
    with pytest.raises(AttributeError):
        one.name = "other"  # type: ignore[misc]


def test_the_first_of_several_headers_counts() -> None:
    """A second Content-Encoding or Date changes nothing, and a response without a Date keeps the time that is known."""
    headers = [("content-encoding", "identity"), ("Content-Encoding", "gzip"), ("Date", NOON), ("date", "noon")]
    body = httpx.ByteStream(PROJECT_JSON.encode())
    responses = [httpx.Response(200, headers=each, stream=body) for each in (headers, None)]
    transport = httpx.MockTransport(lambda _: responses.pop(0))
    with Admin(access_token="a", transport=transport) as admin:
        for _ in range(2):
            assert (admin.projects.describe(project_id="p")).id == "p"
            time = admin._sender.server_time()  # pyright: ignore[reportPrivateUsage]
            assert time is not None
            assert abs(time - datetime(2026, 12, 3, 12, tzinfo=UTC)) < timedelta(hours=1)


def test_a_response_about_another_resource_is_an_error(emulator: Emulator) -> None:
    """A proxy or a cache may mix responses up. Otherwise a workflow would go on with the other resource."""
    admin = emulator.admin()
    asked, other = [admin.projects.create(name=name) for name in ("asked", "other")]
    roles: list[Any] = ["ProjectViewer"]
    keys = [admin.api_keys.create(project_id=each.id, name="k", roles=roles) for each in (asked, other)]
    before = emulator.dump()["projects"]
    with MixedResponses(emulator, asked.id, other.id).admin() as mixed:
        with raises(ResponseParsingError, match="the response's id is not that of the request"):
            mixed.projects.describe(project_id=asked.id)
        with raises(ResponseParsingError, match="the response's id is not that of the request"):
            mixed.projects.delete_with_cleanup(project_id=asked.id)
        with raises(ResponseParsingError, match=r"the response's data\[0\].project_id is not that of the request"):
            mixed.api_keys.ensure(project_id=asked.id, name="k", roles=roles, store=lambda _: None)
    with MixedResponses(emulator, keys[0].key.id, keys[1].key.id).admin() as mixed:
        with raises(ResponseParsingError, match="the response's id is not that of the request"):
            mixed.api_keys.rotate(api_key_id=keys[0].key.id, store=lambda _: None, keep_old_for=timedelta(0))
    assert emulator.dump()["projects"] == before


def test_an_id_may_be_in_other_capitals(emulator: Emulator) -> None:
    """A server may find a resource by its id in any capitals."""
    admin = emulator.admin()
    project = admin.projects.create(name="search")
    found = (
        MixedResponses(emulator, project.id.upper(), project.id)
        .admin()
        .projects.describe(project_id=project.id.upper())
    )
    assert found == project
