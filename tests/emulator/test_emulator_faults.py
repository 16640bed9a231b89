"""Faults: which request they happen to, what becomes of the change, and what the client sees."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from pinecone_admin import PineconeConnectionError, RetryPolicy
from pinecone_admin.emulator import Clock, Emulator, serving

Connect = Callable[..., httpx.Client]

TOKEN = {"grant_type": "client_credentials", "audience": "https://api.pinecone.io/"}


@pytest.fixture(params=["in-process", "http"])
def api(request: pytest.FixtureRequest, emulator: Emulator, connect: Connect) -> Iterator[httpx.Client]:
    """Return the owner's client, over a transport and over sockets."""
    client = connect(emulator)
    if request.param == "in-process":
        yield client
        return
    with serving(emulator) as url, httpx.Client(base_url=url, headers=client.headers) as served:
        yield served


def create(api: httpx.Client) -> httpx.Response:
    """Create a project."""
    return api.post("/admin/projects", json={"name": "search"})


# What the client sees, and what becomes of the change


@pytest.mark.parametrize(
    ("fault", "error", "changed"),
    [
        ({"drop": "before"}, httpx.RemoteProtocolError, 0),
        ({"drop": "after"}, httpx.RemoteProtocolError, 1),
        ({"reset": "before"}, httpx.ReadError, 0),
        ({"reset": "after"}, httpx.ReadError, 1),
        ({"unreachable": True}, (httpx.ConnectError, httpx.ReadError), 0),
        ({"truncate": True}, httpx.RemoteProtocolError, 1),
        ({"wrong_length": 5}, httpx.RemoteProtocolError, 1),
        ({"delay": 600}, httpx.ReadTimeout, 1),
        ({"delay": 600, "drop": "before"}, httpx.ReadTimeout, 0),
        ({"drip": 600}, httpx.ReadTimeout, 1),
    ],
)
def test_answer_is_lost(
    api: httpx.Client, emulator: Emulator, fault: dict[str, Any], error: type[Exception], changed: int
) -> None:
    """The client sees what httpx raises for such a wire, and the change is made or not, as was asked for."""
    emulator.faults.add("create_project", **fault)
    with pytest.raises(error):
        api.post("/admin/projects", json={"name": "search"}, timeout=0.2)
    assert len(emulator.state.projects) == changed
    assert create(api).status_code == 200
    assert len(emulator.state.projects) == changed + 1
    assert emulator.requests[-2].fault == next(name for name in reversed(fault))
    assert emulator.requests[-2].status == (None if {"drop", "reset", "unreachable"} & set(fault) else 200)


def test_answer_is_cut(api: httpx.Client, emulator: Emulator) -> None:
    """With too small a Content-Length the client gets the beginning of the answer."""
    emulator.faults.add("create_project", wrong_length=-5)
    answer = create(api)
    assert answer.status_code == 200
    assert not answer.text.endswith("}")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_empty_answers_break_off_too(api: httpx.Client, emulator: Emulator) -> None:
    """An answer without a body announces one, and does not keep that."""
    created = create(api).json()["id"]
    emulator.faults.add("delete_project", truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        api.delete(f"/admin/projects/{created}")
    assert emulator.state.projects == {}


def test_answer_drips(api: httpx.Client, emulator: Emulator) -> None:
    """A dripping answer arrives whole, byte by byte."""
    emulator.faults.add("list_projects", drip=0.001)
    with api.stream("GET", "/admin/projects") as answer:
        pieces = list(answer.iter_raw())
    assert json.loads(b"".join(pieces)) == {"data": []}
    assert len(pieces) > 5


def test_answer_drips_into_event_loops(emulator: Emulator, connect: Connect) -> None:
    """The same in process, for an asynchronous client."""
    headers = connect(emulator).headers
    emulator.faults.add("list_projects", drip=1)

    async def pieces() -> list[bytes]:
        async with (
            httpx.AsyncClient(transport=emulator.transport, headers=headers) as client,
            client.stream("GET", "https://api.pinecone.io/admin/projects") as answer,
        ):
            return [piece async for piece in answer.aiter_raw()]

    assert b"".join(asyncio.run(pieces())) == b'{"data":[]}'


def test_answer_is_late(api: httpx.Client, emulator: Emulator) -> None:
    """A delay that the client waits for changes nothing else."""
    emulator.faults.add("list_projects", delay=0.01)
    assert api.get("/admin/projects").json() == {"data": []}


def test_delays_pass_on_the_virtual_clock(emulator: Emulator, connect: Connect) -> None:
    """In-process, time that is waited passes on the emulator's clock, up to the client's timeout."""
    api, before = connect(emulator), emulator.clock.now()
    emulator.faults.add("list_projects", delay=3, times=2)
    api.get("/admin/projects", timeout=None)
    assert (emulator.clock.now() - before).total_seconds() == 3
    with pytest.raises(httpx.ReadTimeout):
        api.get("/admin/projects", timeout=2)
    assert (emulator.clock.now() - before).total_seconds() == 5
    emulator.faults.add("list_projects", drip=1)
    api.get("/admin/projects")
    assert (emulator.clock.now() - before).total_seconds() == 5 + len(b'{"data":[]}')


def test_client_may_leave_early(emulator: Emulator, connect: Connect) -> None:
    """Over HTTP, a client that leaves during a delay or a drip is not waited for."""
    headers = connect(emulator).headers
    with serving(emulator) as url, httpx.Client(base_url=url, headers=headers) as api:
        emulator.faults.add("list_projects", delay=600)
        emulator.faults.add("list_projects", drip=0.2)
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                api.get("/admin/projects", timeout=0.1)
        assert api.get("/admin/projects").status_code == 200


def test_wire_faults_happen_on_the_socket(emulator: Emulator, connect: Connect) -> None:
    """A reset is a reset, a drop an end without an answer, and a truncated answer states its whole length."""
    token = connect(emulator).headers["Authorization"]
    request = (
        f"GET /admin/projects HTTP/1.1\r\nHost: x\r\nX-Pinecone-Api-Version: 2026-07\r\nAuthorization: {token}\r\n\r\n"
    )
    emulator.faults.add("list_projects", reset="before")
    emulator.faults.add("list_projects", drop="before")
    emulator.faults.add("list_projects", truncate=True)
    with serving(emulator) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))

        def answer() -> bytes:
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(request.encode())
                return b"".join(iter(lambda: connection.recv(4096), b""))

        with pytest.raises(ConnectionResetError):
            answer()
        assert answer() == b""
        head, _, body = answer().partition(b"\r\n\r\n")
        assert b"content-length: 11" in head
        assert body == b'{"dat'


# Statuses


@pytest.mark.rule("front-end-errors")
@pytest.mark.parametrize(
    ("body", "content_type", "starts"),
    [
        ("json", "application/json", '{"status": 503, "error": {"code": "UNAVAILABLE", "message": "'),
        ("list", "application/json", '[{"status": 503'),
        ("html", "text/html", "<html>"),
        ("text", "text/plain", "fault injected"),
        ("truncated", "application/json", '{"status": 503'),
        ({"own": 1}, "application/json", '{"own": 1}'),
    ],
)
def test_status_has_a_body(api: httpx.Client, emulator: Emulator, body: Any, content_type: str, starts: str) -> None:
    """The body of a status that is asked for has the form that is asked for."""
    emulator.faults.add("create_project", status=503, body=body, headers={"X-From": "proxy"})
    answer = create(api)
    assert answer.status_code == 503
    assert answer.headers["content-type"].partition(";")[0] == content_type
    assert answer.headers["x-from"] == "proxy"
    assert answer.headers["x-pinecone-request-id"]
    assert answer.text.startswith(starts)
    assert (body == "truncated") == (not _is_json(answer.text) and content_type == "application/json")
    assert emulator.state.projects == {}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("status", "body"), [(502, "empty"), (204, "json"), (304, "html")])
def test_status_without_a_body(api: httpx.Client, emulator: Emulator, status: int, body: Any) -> None:
    """A body can be left out, and is where the status has none."""
    emulator.faults.add("create_project", status=status, body=body)
    answer = create(api)
    assert (answer.status_code, answer.content) == (status, b"")
    assert "content-type" not in answer.headers


def test_status_after_the_change(api: httpx.Client, emulator: Emulator) -> None:
    """An error can come although the change was made."""
    emulator.faults.add("create_project", status=504, after_change=True)
    assert create(api).status_code == 504
    assert len(emulator.state.projects) == 1


@pytest.mark.rule("token-rate-limit")
@pytest.mark.parametrize(
    ("status", "error"),
    [(429, "too_many_requests"), (401, "access_denied"), (503, "server_error"), (418, "invalid_request")],
)
def test_token_endpoint_fails_in_its_own_form(emulator: Emulator, status: int, error: str) -> None:
    """An error of the token endpoint has OAuth's form, whichever way the fault names it."""
    for operation in ("get_token", "*"):
        emulator.faults.add(operation, status=status, retry_after=2.5)
        with httpx.Client(transport=emulator.transport) as client:
            answer = client.post("https://login.pinecone.io/oauth/token", json=TOKEN)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.headers["retry-after"] == "2.5"


def test_retry_after_is_seconds_or_a_date(connect: Connect) -> None:
    """A date is counted from the emulator's time, which the answer's Date tells."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, 12, 0, 0, 500_000, tzinfo=UTC)))
    api = connect(emulator)
    emulator.faults.add("list_projects", status=429, retry_after=30)
    emulator.faults.add("list_projects", status=429, retry_after_date=30)
    assert api.get("/admin/projects").headers["retry-after"] == "30"
    answer = api.get("/admin/projects")
    assert answer.headers["retry-after"] == "Wed, 01 Jul 2026 12:00:30 GMT"
    until, now = (parsedate_to_datetime(answer.headers[name]) for name in ("retry-after", "date"))
    assert (until - now).total_seconds() == 30


# Answers that are well-formed and strange


def test_unknown_fields_are_everywhere(api: httpx.Client, emulator: Emulator) -> None:
    """Every object of the answer gets a field that no document has, and loses none."""
    create(api)
    emulator.faults.add("list_projects", unknown_fields=True)
    document = api.get("/admin/projects").json()
    assert document.pop("future_field") == document["data"][0].pop("future_field")
    assert document == api.get("/admin/projects").json()


def test_unknown_role_is_where_roles_are(api: httpx.Client, emulator: Emulator) -> None:
    """A binding's role and a key's roles are new ones; what has none stays."""
    emulator.faults.add(unknown_role=True, times=None)
    assert api.get("/admin/role-bindings").json()["data"][0]["role"] == "FutureRole"
    key = api.post(f"/admin/projects/{create(api).json()['id']}/api-keys", json={"name": "ci"}).json()
    assert key["key"]["roles"] == ["FutureRole"]
    assert api.delete(f"/admin/api-keys/{key['key']['id']}").status_code == 202


def test_page_token_repeats(api: httpx.Client, emulator: Emulator) -> None:
    """The page that follows a token names the same token again; others are as they are."""
    for number in range(3):
        emulator.add_user(f"{number}@example.com")
    emulator.faults.add("list_users", repeat_page_token=True, times=None)
    first = api.get("/admin/users?limit=1").json()
    token = first["pagination"]["next"]
    second = api.get("/admin/users", params={"limit": 1, "paginationToken": token}).json()
    assert second["pagination"] == {"next": token}
    assert second["data"] != first["data"]


@pytest.mark.rule("unauthenticated")
def test_token_is_revoked_now(api: httpx.Client, emulator: Emulator) -> None:
    """The token that a request comes with is dead from then on."""
    emulator.faults.add("create_project", revoke_token=True)
    assert api.get("/admin/projects").status_code == 200
    assert create(api).status_code == 401
    assert api.get("/admin/projects").status_code == 401
    assert emulator.state.projects == {}


def test_faults_happen_to_the_control_plane_too(emulator: Emulator) -> None:
    """The calls with a key are operations as others are, in the log as well."""
    fault = emulator.faults.add("list_indexes", status=503)
    with httpx.Client(transport=emulator.transport) as client:
        assert client.get("https://api.pinecone.io/indexes").status_code == 503
    assert (fault.fired, emulator.requests[-1].operation_id) == (1, "list_indexes")


# Which request it happens to


def statuses(api: httpx.Client, count: int) -> list[int]:
    """List the projects so many times."""
    return [api.get("/admin/projects").status_code for _ in range(count)]


def test_faults_are_counted(emulator: Emulator, connect: Connect) -> None:
    """A fault lets some requests pass, happens so many times, and is over; the first that fits happens."""
    api = connect(emulator)
    first = emulator.faults.add("list_projects", status=500, skip=1, times=2)
    emulator.faults.add("*", status=502)
    emulator.faults.add("list_users", status=503, times=None)
    assert statuses(api, 5) == [502, 500, 500, 200, 200]
    assert api.get("/admin/users").status_code == api.get("/admin/users").status_code == 503
    assert (first.seen, first.fired) == (3, 2)
    emulator.faults.clear()
    assert api.get("/admin/users").status_code == 200
    assert list(emulator.faults) == []


def test_chance_is_repeated_by_the_seed(connect: Connect) -> None:
    """With one seed the same requests are hit in every run, with another one others; without one it is the same too."""

    def run(seed: int | None) -> list[int]:
        emulator = Emulator(seed=seed)
        emulator.faults.add("list_projects", status=503, probability=0.5, times=None)
        return statuses(connect(emulator), 40)

    assert run(1) == run(1) != run(2)
    assert run(None) == run(None)
    assert 10 < run(1).count(503) < 30


def test_chance_begins_anew_with_clear(emulator: Emulator, connect: Connect) -> None:
    """After clear and reset the chances are those of the beginning."""
    api = connect(emulator)
    runs: list[list[int]] = []
    for begin_anew in (emulator.faults.clear, emulator.reset, emulator.faults.clear):
        emulator.faults.add("list_projects", status=503, probability=0.5, times=None)
        runs.append(statuses(api, 20))
        begin_anew()
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            {"operation": "create_projct", "status": 500},
            "operation 'create_projct' does not exist: did you mean create_p",
        ),
        ({"operation": "?", "status": 500}, "operation '\\?' does not exist$"),
        ({}, "the fault has no effect"),
        ({"wrong_length": 0}, "the fault has no effect"),
        ({"status": 500, "drop": "after"}, "status and drop cannot be combined"),
        ({"status": 99}, "status must be from 200 to 599"),
        ({"status": True}, "status must be an integer"),
        ({"drop": "later"}, "drop must be one of before, after"),
        ({"retry_after": 3, "drop": "after"}, "retry_after requires status"),
        ({"status": 500, "body": "xml"}, "body must be one of json"),
        ({"status": 500, "body": 5}, "body must be a string"),
        ({"status": 500, "body": {"at": datetime(2026, 7, 1, tzinfo=UTC)}}, "body cannot be encoded as JSON"),
        ({"status": 500, "headers": []}, "headers must be an object"),
        ({"status": 500, "headers": {5: "x"}}, "is not a valid header|headers must be a string"),
        ({"status": 500, "headers": {"a b": "x"}}, "headers.a b is not a valid header"),
        ({"status": 500, "headers": {"x": "a\r\nb"}}, "headers.x is not a valid header"),
        ({"status": 500, "headers": {"Content-Length": "5"}}, "is not a valid header"),
        ({"status": 500, "probability": 1.5}, "probability must be from 0 to 1"),
        ({"status": 500, "times": 0}, "times must be from 1"),
        ({"status": 500, "skip": -1}, "skip must be from 0"),
        ({"delay": -1}, "delay must be from 0"),
        ({"delay": "1"}, "delay must be a number"),
        ({"colour": "blue"}, "colour is unknown; the known fields are operation"),
    ],
)
def test_faults_are_checked(emulator: Emulator, fault: dict[str, Any], told: str) -> None:
    """A fault that cannot be is refused by name, the same by method and as JSON."""
    with pytest.raises(ValueError, match=told):
        emulator.faults.add_document(fault)
    if "colour" not in fault:
        with pytest.raises(ValueError, match=told):
            emulator.faults.add(**fault)
    assert list(emulator.faults) == []


def test_faults_are_asked_for_over_http(emulator: Emulator) -> None:
    """The same arguments are taken as JSON, and what happened is listed without defaults."""
    with serving(emulator) as url, httpx.Client(base_url=url) as http:
        told = {"operation": "get_token", "status": 429, "retry_after": 3, "times": None}
        assert http.post("/_emulator/faults", json=told).json() == told | {"seen": 0, "fired": 0}
        http.post("/oauth/token", json=TOKEN)
        assert http.get("/_emulator/faults").json() == {"data": [told | {"seen": 1, "fired": 1}]}
        assert http.delete("/_emulator/faults").status_code == 204
        assert http.get("/_emulator/faults").json() == {"data": []}
        assert http.post("/_emulator/faults", json={"drop": "x"}).status_code == 400


# What a client can tell from httpcore's events


def events(emulator: Emulator, *, asynchronous: bool) -> list[str]:
    """Return the events that a request reports, whatever it ends in."""
    seen: list[str] = []
    request = httpx.Request("GET", "https://api.pinecone.io/admin/projects")
    if not asynchronous:
        request.extensions["trace"] = lambda name, _info: seen.append(name)
        with pytest.raises(httpx.TransportError):
            emulator.transport.handle_request(request)
        return seen

    async def trace(name: str, _info: object) -> None:
        seen.append(name)

    request.extensions["trace"] = trace
    with pytest.raises(httpx.TransportError):
        asyncio.run(emulator.transport.handle_async_request(request))
    return seen


@pytest.mark.parametrize("asynchronous", [False, True])
def test_events_tell_sent_from_not_sent(emulator: Emulator, asynchronous: bool) -> None:
    """A request that was dropped was sent, one that found nobody was not."""
    emulator.faults.add("list_projects", drop="before")
    emulator.faults.add("list_projects", unreachable=True)
    sent = events(emulator, asynchronous=asynchronous)
    assert sent[0] == "connection.connect_tcp.started"
    assert "http11.send_request_headers.started" in sent
    assert sent[-1] == "http11.receive_response_headers.failed"
    assert events(emulator, asynchronous=asynchronous) == [
        "connection.connect_tcp.started",
        "connection.connect_tcp.failed",
    ]


@pytest.mark.parametrize(
    ("fault", "outcome", "projects"),
    [
        ({"drop": "before"}, "unknown", 0),
        ({"drop": "after"}, "unknown", 1),
        ({"unreachable": True, "times": 4}, "not_sent", 0),
        ({"truncate": True}, "done", 1),
    ],
)
def test_our_client_tells_the_outcome(emulator: Emulator, fault: dict[str, Any], outcome: str, projects: int) -> None:
    """Our client meets in-process faults as it meets those of a wire, and never creates twice."""
    emulator.faults.add("create_project", **fault)
    with emulator.admin(retry=RetryPolicy(backoff=0.05, max_backoff=0.05)) as admin:
        with pytest.raises(PineconeConnectionError) as caught:
            admin.projects.create(name="search")
        assert caught.value.outcome == outcome
    assert len(emulator.state.projects) == projects


def test_our_client_gets_over_a_refused_connection(emulator: Emulator) -> None:
    """A create that was never sent is sent again."""
    emulator.faults.add("create_project", unreachable=True)
    with emulator.admin(retry=RetryPolicy(backoff=0.05, max_backoff=0.05)) as admin:
        admin.projects.create(name="search")
    assert len(emulator.state.projects) == 1


def test_token_endpoint_is_down(emulator: Emulator) -> None:
    """While nobody gives tokens, nothing was sent."""
    emulator.faults.add("get_token", unreachable=True, times=None)
    with pytest.raises(PineconeConnectionError) as caught:
        emulator.admin(retry=RetryPolicy(backoff=0.05, max_backoff=0.05))
    assert caught.value.outcome == "not_sent"
