"""Assertions of a test about the requests, and the requests that a fault meets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
from attrs import frozen

from pinecone_admin import NotFoundError, RetryPolicy, ServiceError
from pinecone_admin.emulator import Clock, Emulator, Request, serving
from pinecone_admin.operations import Operation, fetch_project

Connect = Callable[..., httpx.Client]

LIST_GROUPS = Operation(id="list_groups", method="GET", path="/admin/groups", returns=lambda value: value)
TOKEN_OF_OTHERS = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


def create(api: httpx.Client, name: str) -> httpx.Response:
    """Create a project."""
    return api.post("/admin/projects", json={"name": name})


# The log


def test_log_has_headers_and_json(emulator: Emulator, api: httpx.Client) -> None:
    """An entry has the headers by lower-case name, the query and the JSON value of the body."""
    api.post("/admin/projects?dry=%C3%BC", json={"name": "ü", "tags": [{"a": None}]}, headers={"X-Trace": "7"})
    entry = emulator.requests[-1]
    assert entry.headers["x-trace"] == "7"
    assert entry.headers["x-pinecone-api-version"] == "2026-07"
    assert (entry.query, entry.json) == ("dry=%C3%BC", {"name": "ü", "tags": [{"a": None}]})


def test_log_masks_secrets_everywhere(emulator: Emulator, api: httpx.Client) -> None:
    """No header, field, path or query of the log has a secret, and neither has the representation of an entry."""
    token = api.headers["Authorization"].removeprefix("Bearer ")
    secrets = [token, emulator.client_secret, "pcsk_label_unique", TOKEN_OF_OTHERS]
    for secret in secrets:
        headers = {"Api-Key": secret, "Cookie": secret, "X-Note": f"see {secret}", "Authorization": secret}
        body: dict[str, Any] = {
            "client_secret": secret,
            "api_key": "x",
            "name": f"my {secret}",
            "deep": [{"a": secret}],
        }
        api.post(f"/admin/projects/{secret}?q={secret}", json=body, headers=headers)
    text = json.dumps([entry.document for entry in emulator.requests]) + repr(list(emulator.requests))
    assert [secret for secret in secrets if secret in text] == []
    assert emulator.requests[0].json["client_id"] == emulator.client_id
    last = emulator.requests[-1]
    assert last.json == {"client_secret": "***", "api_key": "***", "name": "my ***", "deep": [{"a": "***"}]}
    assert (last.headers["api-key"], last.headers["x-note"], last.headers["authorization"]) == ("***", "see ***", "***")


def test_log_keeps_long_names(emulator: Emulator, api: httpx.Client) -> None:
    """A name that is as long as a secret stays readable."""
    for name in ("a" * 80, "A" * 80, "the name of a project " * 5):
        create(api, name)
        assert emulator.requests[-1].json == {"name": name}


@pytest.mark.parametrize(
    ("body", "logged"),
    [
        (b"", None),
        (b"\xff", None),
        (b'{"a": NaN}', None),
        (b"[" * 100_000, None),
        (b"[" * 900 + b"]" * 900, ANY),  # Python versions differ in how deep a document may be
        (b'[1, "\\ud800"]', [1, "\\ud800"]),
        (json.dumps(["x" * (1 << 14)]).encode(), None),
    ],
)
def test_any_body_can_be_logged(emulator: Emulator, body: bytes, logged: object) -> None:
    """A body that is not JSON, too deep or too large is None, and the log can always be sent."""
    with serving(emulator) as url:
        httpx.post(f"{url}/admin/projects", content=body)
        (sent,) = httpx.get(f"{url}/_emulator/requests").json()["data"]
    assert sent["json"] == emulator.requests[0].json == logged


# What a fault matches


def test_faults_match_by_method_path_and_id(emulator: Emulator, api: httpx.Client) -> None:
    """A fault can be of one method, one path or template of a path, or one id in a path."""
    first, second = (create(api, name).json()["id"] for name in ("first", "second"))
    one = emulator.faults.add("fetch_project", id=second, status=503)
    template = emulator.faults.add(path="/admin/projects/{project_id}/api-keys", method="POST", status=502)
    exact = emulator.faults.add("*", path=f"/admin/projects/{first}", status=501, times=None)
    statuses = [
        api.request(method, path, json={"name": "x"}).status_code
        for method, path in [
            ("GET", f"/admin/projects/{second}"),
            ("PATCH", f"/admin/projects/{second}"),
            ("GET", f"/admin/projects/{first}"),
            ("PATCH", f"/admin/projects/{first}"),
            ("GET", f"/admin/projects/{first}/api-keys"),
            ("POST", f"/admin/projects/{first}/api-keys"),
        ]
    ]
    assert statuses == [503, 200, 501, 501, 200, 502]
    assert [fault.seen for fault in (one, template, exact)] == [1, 1, 2]


def test_faults_match_names_in_a_path(emulator: Emulator, api: httpx.Client) -> None:
    """An id is compared with the segments of a path as they are meant, not as they are quoted."""
    emulator.faults.add(id="a/b c", status=503)
    assert api.get("/admin/projects/a%2Fb%20c").status_code == 503


def test_faults_match_by_a_predicate(emulator: Emulator, api: httpx.Client) -> None:
    """A function of the request decides, and is asked about those that match otherwise."""
    asked: list[Any] = []

    def is_second(request: Request) -> bool:
        asked.append(request.json)
        return bool(request.json["name"] == "second")

    fault = emulator.faults.add("create_project", where=is_second, status=503)
    api.get("/admin/users")
    assert [create(api, name).status_code for name in ("first", "second", "second")] == [200, 503, 200]
    assert asked == [{"name": "first"}, {"name": "second"}]
    assert fault.document["where"] == "test_faults_match_by_a_predicate.<locals>.is_second"


def test_an_error_of_a_predicate_reaches_the_test(emulator: Emulator, api: httpx.Client) -> None:
    """An error of a function is raised where the request is sent, and the emulator goes on."""
    fault = emulator.faults.add("list_projects", where=lambda request: request.json["name"] == "x", status=503)
    with pytest.raises(TypeError, match="not subscriptable"):
        api.get("/admin/projects")
    emulator.faults.remove(fault)
    assert api.get("/admin/projects").status_code == 200


# Functions that respond


def test_a_function_responds(emulator: Emulator, api: httpx.Client) -> None:
    """A function gets the request and returns the response, in the words of a fault."""

    def respond(request: Request) -> dict[str, object]:
        return {"status": 418, "body": {"echo": request.json["name"]}, "headers": {"X-Note": "1"}, "retry_after": 2}

    emulator.faults.add("create_project", respond=respond)
    response = create(api, "search")
    assert (response.status_code, response.json()) == (418, {"echo": "search"})
    assert (response.headers["x-note"], response.headers["retry-after"]) == ("1", "2")
    assert emulator.requests[-1].fault == "respond"
    assert emulator.state.projects == {}
    emulator.faults.add("create_project", respond=lambda _: {"status": 503, "after_change": True})
    assert create(api, "search").status_code == 503
    assert len(emulator.state.projects) == 1


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, r"respond must return a mapping with the status, such as \{'status': 503\}, not None"),
        (httpx.Response(503), "respond must return a mapping .*not <Response"),
        ({}, "respond.status is missing"),
        ({"status": 99}, "respond.status must be from 200 to 599"),
        ({"status": 503, "drop": "after"}, "respond.drop is unknown; the known fields are"),
    ],
)
def test_what_a_function_returns_is_checked(emulator: Emulator, api: httpx.Client, returned: Any, message: str) -> None:
    """A value that cannot be a response raises an error that shows the problem."""
    emulator.faults.add("list_projects", respond=lambda _: returned)
    with pytest.raises(ValueError, match=message):
        api.get("/admin/projects")


# Operations of the caller's own


@frozen
class Sent:
    """An operation of another library."""

    id: str
    method: str
    path: str


def test_faults_know_operations_of_the_callers_own(emulator: Emulator) -> None:
    """An operation that the emulator does not have gets a response, and is in the log by its id."""
    with emulator.admin(retry=RetryPolicy(max_attempts=1)) as admin:
        emulator.faults.add(LIST_GROUPS, status=200, body={"data": [1]})
        assert admin.send(LIST_GROUPS) == {"data": [1]}
        emulator.faults.add("list_groups", method="GET", path="/admin/groups", status=503)
        with pytest.raises(ServiceError):
            admin.send(LIST_GROUPS)
        with pytest.raises(NotFoundError):
            admin.send(LIST_GROUPS)
    assert [each.status for each in emulator.requests.filter("list_groups")] == [200, 503]
    assert [each.status for each in emulator.requests.filter(LIST_GROUPS)] == [200, 503, 404]
    emulator.faults.add(Sent("read_group", "GET", "/admin/groups/{id}"), status=503)
    with pytest.raises(ValueError, match=r"'list_group' does not exist: .*needs its method and path"):
        emulator.faults.add("list_group", status=503)


def test_faults_know_operations_of_the_package(emulator: Emulator) -> None:
    """An operation that a builder returns is the operation of its id, whatever its arguments."""
    with emulator.admin(retry=RetryPolicy(max_attempts=1)) as admin:
        project = admin.projects.create(name="search")
        emulator.faults.add(fetch_project(project_id="other"), id=project.id, status=503)
        with pytest.raises(ServiceError):
            admin.projects.describe(project_id=project.id)
    (entry,) = emulator.requests.filter(fetch_project(project_id="any"))
    assert entry.operation_id == "fetch_project"


# Handles and use


def test_one_fault_is_removed(emulator: Emulator, api: httpx.Client) -> None:
    """One of several equal faults is removed, once."""
    first, second = (emulator.faults.add("list_projects", status=503, times=None) for _ in range(2))
    emulator.faults.remove(second)
    assert list(emulator.faults) == [first]
    assert api.get("/admin/projects").status_code == 503
    with pytest.raises(ValueError, match="there is no fault with the number 2"):
        emulator.faults.remove(second)


def test_unused_faults_are_named(emulator: Emulator, api: httpx.Client) -> None:
    """Faults that have fired less often than they can are named, with how often they were met."""
    emulator.faults.assert_all_used()
    emulator.faults.add("list_projects", status=503, times=2)
    emulator.faults.add("list_users", delay=1, times=None)
    emulator.faults.add("create_project", id="x", drop="after")
    api.get("/admin/projects")
    with pytest.raises(AssertionError) as caught:
        emulator.faults.assert_all_used()
    assert str(caught.value).splitlines() == [
        "3 faults not used:",
        "- list_projects (times=2, status=503): fired 1 of 2 times; requests that matched: 1",
        "- list_users (times=None, delay=1): fired 0 of any number of times; requests that matched: 0",
        "- create_project (id='x', drop='after'): fired 0 of 1 time; requests that matched: 0",
    ]
    for path in ("projects", "users"):
        api.get(f"/admin/{path}")
    with pytest.raises(AssertionError, match=r"^1 fault not used:\n- create_project"):
        emulator.faults.assert_all_used()


# The clock


@pytest.mark.parametrize(
    "moment", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))]
)
def test_clock_is_set_to_a_date(moment: datetime) -> None:
    """The clock is set to an earlier or later time, in process and over HTTP, until it is reset."""
    start = datetime(2026, 7, 1, tzinfo=UTC)
    emulator = Emulator(clock=Clock(start))
    emulator.clock.set(moment)
    emulator.clock.advance(60)
    assert emulator.clock.now() == moment + timedelta(seconds=60)
    emulator.reset()
    assert emulator.clock.now() == start
    with serving(emulator) as url:
        response = httpx.put(f"{url}/_emulator/clock", json={"now": moment.isoformat()})
    assert datetime.fromisoformat(response.json()["now"]) == emulator.clock.now() == moment


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime(9001, 1, 1, tzinfo=UTC), "2026-01-01", None])  # noqa: DTZ001
def test_clock_is_set_to_dates_only(moment: Any) -> None:
    """A time without a zone, or one that is no time, is refused."""
    clock = Clock(datetime(2026, 7, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="the clock can be set to a datetime from 2 to 9000 with a time zone"):
        clock.set(moment)
    clock.set(datetime(9000, 12, 31, 23, tzinfo=UTC))
    assert clock.now() == datetime(9000, 12, 31, 23, tzinfo=UTC)
