"""Faults: the requests that they apply to, their effect on the state, and the client's view."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from pinecone_admin import PineconeConnectionError, RetryPolicy
from pinecone_admin.emulator import Clock, Emulator, serving
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES

Connect = Callable[..., httpx.Client]

TOKEN = {"grant_type": "client_credentials", "audience": "https://api.pinecone.io/"}


@pytest.fixture(params=["in-process", "http"])
def api(request: pytest.FixtureRequest, emulator: Emulator, connect: Connect) -> Iterator[httpx.Client]:
    """Return the owner's client, in process and over HTTP."""
    client = connect(emulator)
    if request.param == "in-process":
        yield client
        return
    with serving(emulator) as url, httpx.Client(base_url=url, headers=client.headers) as http:
        yield http


def create_project(api: httpx.Client) -> httpx.Response:
    """Create a project."""
    return api.post("/admin/projects", json={"name": "search"})


# The client's view, and the effect on the state


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
def test_lost_response_raises_the_httpx_error(
    api: httpx.Client, emulator: Emulator, fault: dict[str, Any], error: type[Exception], changed: int
) -> None:
    """A lost response raises httpx's error, and the fault decides whether the change is made."""
    emulator.faults.add("create_project", **fault)
    with pytest.raises(error):
        api.post("/admin/projects", json={"name": "search"}, timeout=0.2)
    assert len(emulator.state.projects) == changed
    assert create_project(api).status_code == 200
    assert len(emulator.state.projects) == changed + 1
    assert emulator.requests[-2].fault == next(name for name in reversed(fault))
    assert emulator.requests[-2].status == (None if {"drop", "reset", "unreachable"} & set(fault) else 200)


def test_short_content_length_cuts_the_response(api: httpx.Client, emulator: Emulator) -> None:
    """With a Content-Length that is too small, the client receives the beginning of the response."""
    emulator.faults.add("create_project", wrong_length=-5)
    response = create_project(api)
    assert response.status_code == 200
    assert not response.text.endswith("}")
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_empty_response_can_be_truncated(api: httpx.Client, emulator: Emulator) -> None:
    """A truncated response without a body announces one and ends early."""
    created = create_project(api).json()["id"]
    emulator.faults.add("delete_project", truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        api.delete(f"/admin/projects/{created}")
    assert emulator.state.projects == {}


def test_dripping_response_arrives_complete(api: httpx.Client, emulator: Emulator) -> None:
    """A dripping response arrives complete, byte by byte; a busy machine may read several bytes of a socket at once."""
    emulator.faults.add("list_projects", drip=0.001)
    with api.stream("GET", "/admin/projects") as response:
        pieces = list(response.iter_raw())
    assert json.loads(b"".join(pieces)) == {"data": []}
    assert len(pieces) > 5 or api.base_url.host == "127.0.0.1"


def test_dripping_response_arrives_complete_in_async_clients(emulator: Emulator, connect: Connect) -> None:
    """A dripping response arrives complete in an async client."""
    headers = connect(emulator).headers
    emulator.faults.add("list_projects", drip=1)

    async def read_pieces() -> list[bytes]:
        async with (
            httpx.AsyncClient(transport=emulator.transport, headers=headers) as client,
            client.stream("GET", "https://api.pinecone.io/admin/projects") as response,
        ):
            return [piece async for piece in response.aiter_raw()]

    assert b"".join(asyncio.run(read_pieces())) == b'{"data":[]}'


def test_delayed_response_is_unchanged(api: httpx.Client, emulator: Emulator) -> None:
    """A delay within the client's timeout changes nothing else."""
    emulator.faults.add("list_projects", delay=0.01)
    assert api.get("/admin/projects").json() == {"data": []}


def test_delays_advance_the_virtual_clock(emulator: Emulator, connect: Connect) -> None:
    """In process, a delay advances the emulator's clock, up to the client's timeout."""
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


def test_disconnected_client_does_not_block_the_server(emulator: Emulator, connect: Connect) -> None:
    """The server does not wait for a client that disconnects during a delay."""
    headers = connect(emulator).headers
    with serving(emulator) as url, httpx.Client(base_url=url, headers=headers) as api:
        emulator.faults.add("list_projects", delay=600)
        emulator.faults.add("list_projects", drip=0.2)
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                api.get("/admin/projects", timeout=httpx.Timeout(30, read=0.1))
        assert api.get("/admin/projects").status_code == 200


def test_connection_faults_happen_on_the_socket(emulator: Emulator, connect: Connect) -> None:
    """Over HTTP, reset, drop and truncate have their effect on the socket."""
    token = connect(emulator).headers["Authorization"]
    request = (
        f"GET /admin/projects HTTP/1.1\r\nHost: x\r\nX-Pinecone-Api-Version: 2026-07\r\nAuthorization: {token}\r\n\r\n"
    )
    emulator.faults.add("list_projects", reset="before")
    emulator.faults.add("list_projects", drop="before")
    emulator.faults.add("list_projects", truncate=True)
    with serving(emulator) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))

        def receive_response() -> bytes:
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(request.encode())
                return b"".join(iter(lambda: connection.recv(4096), b""))

        with pytest.raises(ConnectionResetError):
            receive_response()
        assert receive_response() == b""
        head, _, body = receive_response().partition(b"\r\n\r\n")
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
def test_status_fault_has_the_requested_body(
    api: httpx.Client, emulator: Emulator, body: Any, content_type: str, starts: str
) -> None:
    """A status fault returns the requested form of body."""
    emulator.faults.add("create_project", status=503, body=body, headers={"X-From": "proxy"})
    response = create_project(api)
    assert response.status_code == 503
    assert response.headers["content-type"].partition(";")[0] == content_type
    assert response.headers["x-from"] == "proxy"
    assert response.headers["x-pinecone-request-id"]
    assert response.text.startswith(starts)
    assert (body == "truncated") == (not _is_json(response.text) and content_type == "application/json")
    assert emulator.state.projects == {}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("status", "body"), [(502, "empty"), (204, "json"), (304, "html")])
def test_status_fault_without_a_body(api: httpx.Client, emulator: Emulator, status: int, body: Any) -> None:
    """A status fault has no body if the fault or the status excludes one."""
    emulator.faults.add("create_project", status=status, body=body)
    response = create_project(api)
    assert (response.status_code, response.content) == (status, b"")
    assert "content-type" not in response.headers


def test_status_fault_after_the_change(api: httpx.Client, emulator: Emulator) -> None:
    """With after_change, the change is made although the response is an error."""
    emulator.faults.add("create_project", status=504, after_change=True)
    assert create_project(api).status_code == 504
    assert len(emulator.state.projects) == 1


@pytest.mark.rule("token-rate-limit")
@pytest.mark.parametrize(
    ("status", "error"),
    [(429, "too_many_requests"), (401, "access_denied"), (503, "server_error"), (418, "invalid_request")],
)
def test_token_endpoint_errors_have_oauth_form(emulator: Emulator, status: int, error: str) -> None:
    """A status fault at the token endpoint has the form of an OAuth error."""
    emulator.faults.add("*", status=500)  # leaves the token endpoint out, unless a path names it
    matches: list[dict[str, Any]] = [{"operation": "get_token"}, {"path": "/oauth/token"}]
    for match in matches:
        emulator.faults.add(**match, status=status, retry_after=2.5)
        with httpx.Client(transport=emulator.transport) as client:
            response = client.post("https://login.pinecone.io/oauth/token", json=TOKEN)
        assert (response.status_code, response.json()["error"]) == (status, error)
        assert response.headers["retry-after"] == "2.5"


def test_retry_after_is_seconds_or_a_date(connect: Connect) -> None:
    """Retry-After has seconds or a date, and the date counts from the emulator's time."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, 12, 0, 0, 500_000, tzinfo=UTC)))
    api = connect(emulator)
    emulator.faults.add("list_projects", status=429, retry_after=30)
    emulator.faults.add("list_projects", status=429, retry_after_date=30)
    assert api.get("/admin/projects").headers["retry-after"] == "30"
    response = api.get("/admin/projects")
    assert response.headers["retry-after"] == "Wed, 01 Jul 2026 12:00:30 GMT"
    until, now = (parsedate_to_datetime(response.headers[name]) for name in ("retry-after", "date"))
    assert (until - now).total_seconds() == 30


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(0, "0"), (0.5, "0.5"), (10, "10"), (100.0, "100"), (2_000_000, "2000000"), (1e8, "100000000")],
)
def test_retry_after_is_never_in_scientific_notation(
    api: httpx.Client, emulator: Emulator, seconds: float, header: str
) -> None:
    """Retry-After is a plain decimal number, however large it is."""
    emulator.faults.add("list_projects", status=429, retry_after=seconds)
    assert api.get("/admin/projects").headers["retry-after"] == header


# Well-formed but unusual responses


def test_unknown_fields_are_added_to_every_object(api: httpx.Client, emulator: Emulator) -> None:
    """Every object of the response has an additional unknown field."""
    create_project(api)
    emulator.faults.add("list_projects", unknown_fields=True)
    document = api.get("/admin/projects").json()
    assert document.pop("future_field") == document["data"][0].pop("future_field")
    assert document == api.get("/admin/projects").json()


def test_unknown_role_replaces_every_role(api: httpx.Client, emulator: Emulator) -> None:
    """Roles of bindings and keys are replaced, and other responses stay unchanged."""
    emulator.faults.add(unknown_role=True, times=None)
    assert api.get("/admin/role-bindings").json()["data"][0]["role"] == "FutureRole"
    key = api.post(f"/admin/projects/{create_project(api).json()['id']}/api-keys", json={"name": "ci"}).json()
    assert key["key"]["roles"] == ["FutureRole"]
    assert api.delete(f"/admin/api-keys/{key['key']['id']}").status_code == 202


def test_page_token_is_repeated(api: httpx.Client, emulator: Emulator) -> None:
    """The page that follows a token contains the same token again."""
    for number in range(3):
        emulator.add_user(f"{number}@example.com")
    emulator.faults.add("list_users", repeat_page_token=True, times=None)
    first = api.get("/admin/users?limit=1").json()
    token = first["pagination"]["next"]
    second = api.get("/admin/users", params={"limit": 1, "paginationToken": token}).json()
    assert second["pagination"] == {"next": token}
    assert second["data"] != first["data"]


@pytest.mark.rule("unauthenticated")
def test_request_token_is_revoked(api: httpx.Client, emulator: Emulator) -> None:
    """The token of the request is revoked from then on."""
    emulator.faults.add("create_project", revoke_token=True)
    assert api.get("/admin/projects").status_code == 200
    assert create_project(api).status_code == 401
    assert api.get("/admin/projects").status_code == 401
    assert emulator.state.projects == {}


def test_faults_apply_to_the_control_plane(emulator: Emulator) -> None:
    """A fault applies to control plane requests, which are in the request log."""
    fault = emulator.faults.add("list_indexes", status=503)
    with httpx.Client(transport=emulator.transport) as client:
        assert client.get("https://api.pinecone.io/indexes").status_code == 503
    assert (fault.fired, emulator.requests[-1].operation_id) == (1, "list_indexes")


# The requests that a fault applies to


def list_statuses(api: httpx.Client, count: int) -> list[int]:
    """List the projects a number of times and return the statuses."""
    return [api.get("/admin/projects").status_code for _ in range(count)]


def test_faults_apply_in_order_and_expire(emulator: Emulator, connect: Connect) -> None:
    """The first matching fault applies; it skips requests and expires after its number of times."""
    api = connect(emulator)
    first = emulator.faults.add("list_projects", status=500, skip=1, times=2)
    emulator.faults.add("*", status=502)
    emulator.faults.add("list_users", status=503, times=None)
    assert list_statuses(api, 5) == [502, 500, 500, 200, 200]
    assert api.get("/admin/users").status_code == api.get("/admin/users").status_code == 503
    assert (first.seen, first.fired) == (3, 2)
    emulator.faults.clear()
    assert api.get("/admin/users").status_code == 200
    assert list(emulator.faults) == []


def test_seed_repeats_the_probability(connect: Connect) -> None:
    """The same seed repeats the affected requests. Without a seed, they repeat, too."""

    def run(seed: int | None) -> list[int]:
        emulator = Emulator(seed=seed)
        emulator.faults.add("list_projects", status=503, probability=0.5, times=None)
        return list_statuses(connect(emulator), 40)

    assert run(1) == run(1) != run(2)
    assert run(None) == run(None)
    assert 10 < run(1).count(503) < 30


def test_clear_restarts_the_probability(emulator: Emulator, connect: Connect) -> None:
    """After clear or reset, the affected requests are the same as at the start."""
    api = connect(emulator)
    runs: list[list[int]] = []
    for restart in (emulator.faults.clear, emulator.reset, emulator.faults.clear):
        emulator.faults.add("list_projects", status=503, probability=0.5, times=None)
        runs.append(list_statuses(api, 20))
        restart()
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            {"operation": "create_projct", "status": 500},
            "operation 'create_projct' does not exist: did you mean create_p",
        ),
        (
            {"operation": "?", "status": 500},
            "operation '\\?' does not exist \\(one of your own needs its method and path",
        ),
        ({}, "the fault has no effect"),
        ({"wrong_length": 0}, "the fault has no effect"),
        ({"status": 500, "drop": "after"}, "status and drop cannot be combined"),
        ({"status": 99}, "status must be from 200 to 599"),
        ({"status": True}, "status must be an integer"),
        ({"drop": "later"}, "drop must be one of before, after"),
        ({"retry_after": 3, "drop": "after"}, "retry_after requires status"),
        ({"status": 500, "body": "xml"}, "body must be one of json"),
        ({"status": 500, "body": 5}, "body must be an object or one of json, html"),
        ({"status": 500, "body": b"no"}, "body must be an object or one of json, html"),
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
        ({"delay": timedelta(seconds=3)}, "delay must be a number, not of type timedelta"),
        ({"operation": None, "status": 500}, "operation must be a string, not null"),
        ({"operation": 503}, "operation must be a string, not an integer 503"),
        ({"status": "503"}, "status must be an integer, not a string"),
        ({"status": 500, "method": "get"}, "method must be one of GET"),
        ({"status": 500, "path": "admin"}, "path must begin with a slash"),
        ({"status": 500, "path": "/admin?limit=1"}, "path must not contain \\?: match the query with where"),
        ({"status": 500, "path": "/admin/*"}, "path must not contain \\*: a segment in braces"),
        ({"status": 500, "id": 5}, "id must be a string"),
        ({"status": 500, "where": "name"}, "where must be a function of the request, not 'name'"),
        ({"respond": {"status": 500}}, "respond must be a function of the request"),
        ({"colour": "blue"}, "colour is unknown; the known fields are operation"),
    ],
)
def test_invalid_faults_are_refused(emulator: Emulator, fault: dict[str, Any], message: str) -> None:
    """An invalid fault is refused by method and as JSON, and the error names the argument."""
    with pytest.raises(ValueError, match=message):
        emulator.faults.add_document(fault)
    if "colour" not in fault:
        with pytest.raises(ValueError, match=message):
            emulator.faults.add(**fault)
    with pytest.raises(ValueError, match=r"^a fault must be an object, not a"):
        emulator.faults.add_document([fault])
    assert list(emulator.faults) == []


def test_faults_are_added_over_http(emulator: Emulator) -> None:
    """Faults are added as JSON over HTTP, and the list omits default values."""
    with serving(emulator) as url, httpx.Client(base_url=url) as http:
        fault = {"operation": "get_token", "status": 429, "retry_after": 3, "times": None}
        counts = {"number": 1, "seen": 0, "fired": 0, "used": False}
        assert http.post("/_emulator/faults", json=fault).json() == fault | counts
        http.post("/oauth/token", json=TOKEN)
        assert http.get("/_emulator/faults").json() == {
            "data": [fault | counts | {"seen": 1, "fired": 1, "used": True}]
        }
        http.post("/_emulator/faults", json=fault)
        assert http.delete("/_emulator/faults/1").status_code == 204
        assert http.delete("/_emulator/faults/1").status_code == 404
        assert [each["number"] for each in http.get("/_emulator/faults").json()["data"]] == [2]
        assert http.delete("/_emulator/faults").status_code == 204
        assert http.get("/_emulator/faults").json() == {"data": []}
        assert http.post("/_emulator/faults", json={"drop": "x"}).status_code == 400


# Trace events of httpcore


def record_events(emulator: Emulator, *, asynchronous: bool) -> list[str]:
    """Send a request that fails and return its trace events."""
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
def test_events_show_whether_a_request_was_sent(emulator: Emulator, asynchronous: bool) -> None:
    """The events of a dropped request show that it was sent, and those of an unreachable host that it was not."""
    emulator.faults.add("list_projects", drop="before")
    emulator.faults.add("list_projects", unreachable=True)
    sent = record_events(emulator, asynchronous=asynchronous)
    assert sent[0] == "connection.connect_tcp.started"
    assert "http11.send_request_headers.started" in sent
    assert sent[-1] == "http11.receive_response_headers.failed"
    assert record_events(emulator, asynchronous=asynchronous) == [
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
def test_client_reports_the_outcome(emulator: Emulator, fault: dict[str, Any], outcome: str, projects: int) -> None:
    """The client reports the outcome of an in-process fault and never creates a record twice."""
    emulator.faults.add("create_project", **fault)
    with emulator.admin(retry=RetryPolicy(backoff=0.05, max_backoff=0.05)) as admin:
        with pytest.raises(PineconeConnectionError) as caught:
            admin.projects.create(name="search")
        assert caught.value.outcome == outcome
    assert len(emulator.state.projects) == projects


def test_client_retries_a_refused_connection(emulator: Emulator) -> None:
    """The client retries a create that was not sent."""
    emulator.faults.add("create_project", unreachable=True)
    with emulator.admin(retry=RetryPolicy(backoff=0.05, max_backoff=0.05)) as admin:
        admin.projects.create(name="search")
    assert len(emulator.state.projects) == 1


def test_unreachable_token_endpoint_means_not_sent(emulator: Emulator) -> None:
    """If the token endpoint is unreachable, the outcome is not_sent."""
    emulator.faults.add("get_token", unreachable=True, times=None)
    with pytest.raises(PineconeConnectionError) as caught:
        emulator.admin(retry=RetryPolicy(backoff=0.05, max_backoff=0.05))
    assert caught.value.outcome == "not_sent"


@pytest.mark.parametrize(
    "arguments",
    [
        {"body": {"a": "\ud800"}},
        {"body": {"a": {"\udfff": 1}}},
        {"body": {"a": float("nan")}},
        {"headers": {"x": " padded"}},
        {"headers": {"x": "padded\t"}},
        {"headers": {"x": "\u20ac"}},
    ],
)
def test_inexpressible_values_are_refused(emulator: Emulator, arguments: dict[str, Any]) -> None:
    """A body or header that HTTP cannot express is refused when the fault is added."""
    with pytest.raises(ValueError, match=next(iter(arguments))):
        emulator.faults.add("create_project", status=503, **arguments)
    assert list(emulator.faults) == []


def test_headers_beyond_ascii_arrive(api: httpx.Client, emulator: Emulator) -> None:
    """A header of ISO 8859-1 arrives, in process and over HTTP."""
    emulator.faults.add("projects.create", status=503, headers={"x": "\xfc"})
    assert (b"x", b"\xfc") in [(name.lower(), value) for name, value in create_project(api).headers.raw]


@pytest.mark.parametrize("operation", ["create_project", "projects.create"])
def test_faults_know_operations_by_method(api: httpx.Client, emulator: Emulator, operation: str) -> None:
    """A fault knows its operation by id and by method, and shows the id."""
    fault = emulator.faults.add(operation, status=503)
    assert (create_project(api).status_code, fault.operation) == (503, "create_project")
    with pytest.raises(ValueError, match=r"did you mean projects\.create"):
        emulator.faults.add("projects.creat", status=503)


def test_an_unknown_operation_suggests_one_of_its_resource(emulator: Emulator) -> None:
    """The suggestion has the verb that was meant if the resource has it, and is an id or a method as what was given."""
    for operation_id, method in METHOD_NAMES.items():
        resource, _, verb = method.partition(".")
        if verb == "describe":
            noun = operation_id.partition("_")[2]
            assert suggest_operation(emulator, f"get_{noun}") == operation_id
            assert suggest_operation(emulator, f"{resource}.fetch") == method
            assert METHOD_NAMES[suggest_operation(emulator, f"zap_{noun}")].startswith(f"{resource}.")
            assert suggest_operation(emulator, f"{resource}.zap").startswith(f"{resource}.")
    for unknown, suggestion in {
        "describe_project": "fetch_project",
        "projects.fetch": "projects.describe",
        "list_api_keys": "list_project_api_keys",
        "role_bindings.revoke": "role_bindings.delete",
        "indexs.list": "indexes.list",
    }.items():
        assert suggest_operation(emulator, unknown) == suggestion


def suggest_operation(emulator: Emulator, unknown: str) -> str:
    """Return the operation that the error for an unknown one suggests."""
    with pytest.raises(ValueError, match=r"does not exist: did you mean .*\?") as caught:
        emulator.faults.add(unknown, status=503)
    return str(caught.value).split("did you mean ")[1].partition("?")[0]
