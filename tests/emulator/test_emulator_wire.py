"""What holds for every request: version, token, route, envelope, and the token endpoint."""

import asyncio
import json
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.operations import ADMIN_ROUTES

Connect = Callable[..., httpx.Client]
Refusal = Callable[[httpx.Response], tuple[int, str]]

TOKEN = "https://login.pinecone.io/oauth/token"


def exchange(emulator: Emulator, **changes: object) -> httpx.Response:
    """Send the emulator's credentials, with changes, to the token endpoint; None leaves a field out."""
    fields = {
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    } | changes
    with httpx.Client(transport=emulator.transport) as client:
        return client.post(TOKEN, json={name: value for name, value in fields.items() if value is not None})


@pytest.mark.rule("version-header", "check-order")
def test_version_header_is_required(api: httpx.Client, refusal: Refusal) -> None:
    """A request without the version header is refused before its token is looked at."""
    del api.headers["X-Pinecone-Api-Version"]
    del api.headers["Authorization"]
    assert refusal(api.get("/admin/projects")) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("version-header")
@pytest.mark.parametrize("version", ["", "latest", "2026-7", "2026-13", "2026-07-01", "\uff12\uff10\uff12\uff16-07"])
def test_version_header_must_be_a_month(api: httpx.Client, refusal: Refusal, version: str) -> None:
    """A malformed version is refused by name."""
    answer = api.get("/admin/projects", headers={b"X-Pinecone-Api-Version": version.encode()})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "X-Pinecone-Api-Version" in answer.json()["error"]["message"]


@pytest.mark.rule("any-version")
@pytest.mark.parametrize("version", ["2024-01", "2026-04", "2099-12"])
def test_any_month_is_a_version(api: httpx.Client, version: str) -> None:
    """Whatever month is asked for, the rules are the same."""
    assert api.get("/admin/projects", headers={"X-Pinecone-Api-Version": version}).status_code == 200


@pytest.mark.rule("unauthenticated", "check-order")
@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer nobody", "Basic abc", "Bearer a b"])
def test_token_must_be_known(api: httpx.Client, refusal: Refusal, authorization: str | None) -> None:
    """A missing, malformed or unknown token is refused before the route is looked at."""
    del api.headers["Authorization"]
    headers = {} if authorization is None else {"Authorization": authorization}
    assert refusal(api.get("/nowhere", headers=headers)) == (401, "UNAUTHENTICATED")


def test_bearer_is_written_in_any_capitalization(api: httpx.Client) -> None:
    """The scheme of the Authorization header is case-insensitive."""
    token = api.headers["Authorization"].removeprefix("Bearer ")
    assert api.get("/admin/projects", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_repeated_headers_count_as_one_value(emulator: Emulator, api: httpx.Client, refusal: Refusal) -> None:
    """A header that is sent twice is no header that the server knows."""
    twice = [("X-Pinecone-Api-Version", "2026-07")] * 2
    request = httpx.Request("GET", "https://api.pinecone.io/admin/projects", headers=twice)
    assert refusal(api.send(request)) == (400, "INVALID_ARGUMENT")
    assert emulator.transport.handle_request(request).status_code == 400


@pytest.mark.rule("unauthenticated", "token-lifetime")
def test_token_expires(emulator: Emulator, api: httpx.Client, refusal: Refusal) -> None:
    """A token is accepted for 1800 seconds and not one longer."""
    emulator.clock.advance(1799)
    assert api.get("/admin/projects").status_code == 200
    emulator.clock.advance(1)
    assert refusal(api.get("/admin/projects")) == (401, "UNAUTHENTICATED")


@pytest.mark.rule("unknown-route")
@pytest.mark.parametrize("path", ["/", "/nowhere", "/admin", "/admin/", "/admin/projects/", "/_emulator"])
def test_unknown_route_is_not_found(api: httpx.Client, refusal: Refusal, path: str) -> None:
    """A path that the document does not have is not found, by name."""
    answer = api.get(path)
    assert refusal(answer) == (404, "NOT_FOUND")
    assert path in answer.json()["error"]["message"]


@pytest.mark.rule("wrong-method")
def test_known_route_takes_only_its_methods(api: httpx.Client, refusal: Refusal) -> None:
    """Another method on a known route is refused with the methods that it takes."""
    answer = api.put("/admin/projects")
    assert refusal(answer) == (405, "UNIMPLEMENTED")
    assert answer.headers["Allow"] == "GET, POST"


def test_dots_in_a_path_lead_nowhere_else(api: httpx.Client, refusal: Refusal) -> None:
    """An encoded path traversal is an id like any other, and belongs to nothing."""
    assert refusal(api.delete("/admin/projects/%2E%2E%2Forganizations")) == (404, "NOT_FOUND")


def test_all_operations_of_the_document_exist() -> None:
    """The document's 32 operations are there, in its order of namespaces, each under its own id."""
    namespaces = list(dict.fromkeys(operation.path.split("/")[2] for operation in ADMIN_ROUTES))
    assert len({operation.id for operation in ADMIN_ROUTES}) == len(ADMIN_ROUTES) == 32
    assert namespaces == [
        "organizations",
        "projects",
        "api-keys",
        "users",
        "invites",
        "service-accounts",
        "role-bindings",
    ]


@pytest.mark.rule("request-id")
def test_every_answer_has_a_request_id(api: httpx.Client) -> None:
    """Success, refusal and token alike carry a request id of their own."""
    answers = [api.get("/admin/projects"), api.get("/nowhere"), api.post(TOKEN, json={})]
    ids = {uuid.UUID(answer.headers["x-pinecone-request-id"]) for answer in answers}
    assert len(ids) == 3


def test_seed_repeats_everything() -> None:
    """Two emulators with one seed and one time give the same ids and secrets, but never the same token."""
    start = datetime(2026, 7, 1, tzinfo=UTC)
    first, second = (Emulator(seed=7, clock=Clock(start)) for _ in range(2))
    assert first.client_secret == second.client_secret
    tokens = [exchange(each).json()["access_token"] for each in (first, second)]
    assert len(set(tokens)) == 2
    assert [len(token) for token in tokens] == [64, 64]
    assert first.state.new_id() == second.state.new_id()
    assert first.client_secret != Emulator(seed=8, clock=Clock(start)).client_secret


def test_clock_needs_a_time_zone() -> None:
    """A start that could mean any time zone is refused."""
    with pytest.raises(ValueError, match="time zone"):
        Clock(datetime(2026, 7, 1))  # noqa: DTZ001 — the error under test


def test_clock_ticks_or_stands() -> None:
    """A clock stands until it is advanced, unless it ticks with real time."""
    standing, ticking = Clock(), Clock(ticking=True)
    assert standing.now() == standing.now()
    assert ticking.now() < ticking.now()
    before = standing.now()
    standing.advance(0.5)
    assert (standing.now() - before).total_seconds() == 0.5


# OAuth


@pytest.mark.rule("token-response", "client-credentials")
def test_credentials_buy_a_token(emulator: Emulator) -> None:
    """The credentials of a service account are exchanged for a bearer token that lives 1800 seconds."""
    token = exchange(emulator).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 1800)
    assert len(emulator.client_id) == 32
    assert len(emulator.client_secret) == 64


@pytest.mark.rule("token-lifetime")
def test_token_lifetime_is_configurable(connect: Connect) -> None:
    """A token lives as long as the emulator was told."""
    emulator = Emulator(token_lifetime=86400)
    api = connect(emulator)
    assert exchange(emulator).json()["expires_in"] == 86400
    emulator.clock.advance(86399)
    assert api.get("/admin/projects").status_code == 200


@pytest.mark.rule("token-request")
def test_token_endpoint_takes_a_form(emulator: Emulator) -> None:
    """The same fields are accepted as a form."""
    form = {
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    with httpx.Client(transport=emulator.transport) as client:
        assert client.post(TOKEN, data=form).json()["token_type"] == "Bearer"


@pytest.mark.rule("token-fields", "token-grant-type", "token-credentials", "token-audience", "token-error-shape")
@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": None}, 400, "invalid_request"),
        ({"client_secret": 5}, 400, "invalid_request"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"audience": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "nobody"}, 401, "access_denied"),
        ({"client_secret": "wrong"}, 401, "access_denied"),
        ({"audience": "https://api.pinecone.io"}, 403, "access_denied"),
    ],
)
def test_token_refusals(emulator: Emulator, changes: dict[str, object], status: int, error: str) -> None:
    """The token endpoint refuses in OAuth's own shape, whose audience needs its slash."""
    answer = exchange(emulator, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert emulator.client_secret not in answer.text


@pytest.mark.rule("token-fields")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"client_id=x"])
def test_token_body_must_be_an_object(emulator: Emulator, body: bytes) -> None:
    """What is neither a JSON object nor a declared form is an invalid request."""
    with httpx.Client(transport=emulator.transport) as client:
        answer = client.post(TOKEN, content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_token_endpoint_takes_post_only(emulator: Emulator) -> None:
    """Another method at the token endpoint is refused with the one that it takes."""
    with httpx.Client(transport=emulator.transport) as client:
        answer = client.get(TOKEN)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


# In process


def test_one_transport_serves_both_worlds(emulator: Emulator, api: httpx.Client) -> None:
    """The same transport answers an asynchronous client, streams included."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"name":', b' "streamed"}'):
            yield piece

    async def create() -> httpx.Response:
        async with httpx.AsyncClient(transport=emulator.transport, headers=api.headers) as client:
            return await client.post("https://api.pinecone.io/admin/projects", content=pieces())

    assert asyncio.run(create()).json()["name"] == "streamed"


def test_clients_come_connected(emulator: Emulator) -> None:
    """The emulator hands out clients of its own, synchronous and asynchronous, with options of the caller."""

    async def names() -> list[str]:
        async with emulator.async_admin(source_tag="ci") as admin:
            return [project.name for project in await admin.projects.list()]

    with emulator.admin(read_only=False) as admin:
        admin.projects.create(name="search")
    assert asyncio.run(names()) == ["search"]


def test_streamed_requests_are_read(api: httpx.Client) -> None:
    """A request body that is sent in pieces arrives whole."""

    def pieces() -> Iterator[bytes]:
        yield b'{"name":'
        yield b' "streamed"}'

    assert api.post("/admin/projects", content=pieces()).json()["name"] == "streamed"


def test_threads_do_not_lose_updates(emulator: Emulator, api: httpx.Client) -> None:
    """Creates from many threads all count, each with an id of its own."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: api.post("/admin/service-accounts", json={"name": str(n)}), range(80)))
    ids = {answer.json()["service_account"]["id"] for answer in answers}
    assert len(ids) == 80
    assert len(emulator.state.service_accounts) == 81


# Hostile requests

HOSTILE_BODIES = [
    b"",
    b"\x00",
    b"\xff\xfe\xfd",
    b"\xef\xbb\xbf{}",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"[" * 100_000,
    b'{"name":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"name":' * 100_000,
    b'{"name": NaN}',
    b'{"name": Infinity, "max_pods": -Infinity}',
    b'{"name": 1e999, "max_pods": 1e999}',
    b'{"name": "a", "max_pods": ' + b"9" * 5_000 + b"}",
    b'{"name": "a", "max_pods": ' + b"9" * 4_000 + b"}",
    b'{"name": "\\ud800", "email": "\\udfff@example.com", "role_bindings": "\\ud800"}',
    b'{"name": "\\u0000", "roles": ["\\ud800"], "principal_id": "\\ud800"}',
    b'{"name": {"a": {}}, "roles": {}, "role_bindings": {}, "email": []}',
    b'{"name": "a", "roles": [[]], "email": "a@b.c", "role_bindings": [null, 1, []]}',
    b'{"name": "' + b"x" * 1_000_000 + b'"}',
    json.dumps({"role_bindings": [{"role": "\ud800", "resource_type": []}], "email": "a@b.c"}).encode(),
]
HOSTILE_PATHS = ["/%00", "/admin/projects/%ff%fe", "/admin/projects/%ED%A0%80", "//admin", "/admin//x", "/%"]


def answered(emulator: Emulator, request: Request) -> int:
    """Return the status of an answer that must be well-formed."""
    response = emulator.handle(request)
    if response.body:
        json.loads(response.body.decode("utf-8"))
        assert b"\\ud" not in response.body.lower().replace(b"\\\\ud", b"")
    return response.status


def at(path: str, target: str) -> str:
    """Return a path with its id filled in."""
    return "/".join(target if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=lambda body: repr(body[:20]))
def test_hostile_bodies_are_answered(emulator: Emulator, api: httpx.Client, body: bytes) -> None:
    """Whatever bytes an operation is sent, it answers with valid JSON and no server error."""
    headers = dict(api.headers)
    for operation in ADMIN_ROUTES:
        if operation.method in {"POST", "PATCH"}:
            request = Request(operation.method, at(operation.path, "x"), headers, "", body)
            assert 200 <= answered(emulator, request) < 500


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_paths_are_not_found(emulator: Emulator, api: httpx.Client, path: str) -> None:
    """Paths that no client should send lead nowhere."""
    assert answered(emulator, Request("GET", path, dict(api.headers))) == 404


def test_random_requests_never_break_the_server(emulator: Emulator, api: httpx.Client) -> None:
    """Thousands of arbitrary combinations of operation, id, query and fields get an answer below 500."""
    chance = random.Random(20260701)
    headers = dict(api.headers)
    values: list[object] = [
        None, True, 0, -1, 1.5, 10**30, "", "x", "é" * 600, "a@example.com", [], {}, "ProjectEditor",
        ["ProjectEditor", "ProjectEditor"], "OrgOwner", "organization", "project", "user", "invite",
        [{"resource_type": "organization", "role": "OrgMember"}], emulator.organization_id,
    ]  # fmt: skip
    names = [
        "name", "email", "roles", "role", "role_bindings", "max_pods", "force_encryption_with_cmek",
        "principal_type", "principal_id", "resource_type", "resource_id",
    ]  # fmt: skip
    queries = ["", "limit=0", "limit=%FF", "limit=1&limit=2", "paginationToken=%00", "email=%ED%A0%80", "&=&"]
    statuses: set[int] = set()
    for _ in range(10_000):
        operation = chance.choice(ADMIN_ROUTES)
        state = emulator.state
        target = chance.choice(["x", emulator.organization_id, *state.projects, *state.invites, *state.api_keys])
        body = {name: chance.choice(values) for name in chance.sample(names, chance.randrange(len(names)))}
        request = Request(
            operation.method,
            at(operation.path, target),
            headers,
            chance.choice(queries),
            json.dumps(body).encode(),
        )
        statuses.add(answered(emulator, request))
    assert {200, 201, 202, 400, 404} <= statuses
    assert max(statuses) < 500
