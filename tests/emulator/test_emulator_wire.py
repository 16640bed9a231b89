"""Rules for every request: version, token, route, error form, and the token endpoint."""

import asyncio
import json
import random
import re
import uuid
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from generation.api_document import iter_operations
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.api import control_plane, dispatch
from pinecone_admin.emulator.api.control_plane import ControlPlaneContext
from pinecone_admin.emulator.api.dispatch import ADMIN_ROUTES
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.routing import OperationRoute
from tests.support.api_documents import load_document

UNEMULATED = [route for route in control_plane.ROUTES if not route.run]

Connect = Callable[..., httpx.Client]
ReadError = Callable[[httpx.Response], tuple[int, str]]

TOKEN_URL = "https://login.pinecone.io/oauth/token"


def request_token(emulator: Emulator, **changes: object) -> httpx.Response:
    """Request a token with the emulator's credentials and the given changes; None omits a field."""
    fields = {
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    } | changes
    with httpx.Client(transport=emulator.transport) as client:
        return client.post(TOKEN_URL, json={name: value for name, value in fields.items() if value is not None})


@pytest.mark.rule("no-version")
def test_version_header_can_be_missing(api: httpx.Client) -> None:
    """A request without the version header is answered as one of the oldest supported version."""
    del api.headers["X-Pinecone-Api-Version"]
    assert api.get("/admin/projects").json() == {"data": []}


@pytest.mark.rule("version-header", "check-order")
@pytest.mark.parametrize(
    "version",
    ["", "latest", "2026-7", "2026-13", "2026-07-01", "2026-07.", "2026-07.a.b", "\uff12\uff10\uff12\uff16-07"],
)
def test_version_header_must_be_a_month(api: httpx.Client, read_error: ReadError, version: str) -> None:
    """A malformed version is refused before the token is checked, and the error names the header."""
    del api.headers["Authorization"]
    response = api.get("/admin/projects", headers={b"X-Pinecone-Api-Version": version.encode()})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "X-Pinecone-Api-Version" in response.json()["error"]["message"]


@pytest.mark.rule("version-header", "any-version")
@pytest.mark.parametrize("version", ["2024-01", "2026-04", "2026-01.alpha", "2099-12"])
def test_any_month_is_accepted_as_version(api: httpx.Client, version: str) -> None:
    """Every month is accepted as the version, with the suffix of a release candidate, too."""
    assert api.get("/admin/projects", headers={"X-Pinecone-Api-Version": version}).status_code == 200


@pytest.mark.rule("unauthenticated")
@pytest.mark.parametrize("reason", ["missing", "unknown", "expired", "revoked"])
def test_every_operation_needs_a_token(
    api: httpx.Client, emulator: Emulator, connect: Connect, read_error: ReadError, reason: str
) -> None:
    """Each operation refuses a missing, unknown, expired or revoked token, and changes nothing."""
    created = api.post("/admin/service-accounts", json={"name": "ci"}).json()["service_account"]
    account = emulator.state.service_accounts[created["id"]]
    client = connect(emulator, account)
    if reason == "missing":
        del client.headers["Authorization"]
    elif reason == "unknown":
        client.headers["Authorization"] = "Bearer unknown"
    elif reason == "expired":
        emulator.clock.advance(1800)
    else:
        api.post(f"/admin/service-accounts/{account.id}/rotate-secret").raise_for_status()
    before = emulator.dump()
    for route in ADMIN_ROUTES:
        path = re.sub(r"\{\w+\}", account.id, route.path)
        assert read_error(client.request(route.method, path)) == (401, "UNAUTHENTICATED")
    assert emulator.dump() == before


@pytest.mark.rule("unauthenticated", "check-order")
@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer nobody", "Basic abc", "Bearer a b"])
def test_token_must_be_known(api: httpx.Client, read_error: ReadError, authorization: str | None) -> None:
    """A missing, malformed or unknown token is refused before the route is checked."""
    del api.headers["Authorization"]
    headers = {} if authorization is None else {"Authorization": authorization}
    assert read_error(api.get("/nowhere", headers=headers)) == (401, "UNAUTHENTICATED")


def test_bearer_scheme_ignores_case(api: httpx.Client) -> None:
    """The scheme of the Authorization header ignores case."""
    token = api.headers["Authorization"].removeprefix("Bearer ")
    assert api.get("/admin/projects", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_repeated_headers_are_combined(emulator: Emulator, api: httpx.Client, read_error: ReadError) -> None:
    """A version header may be repeated with one value, as the official SDK 8 does, and not with two."""
    url, token = "https://api.pinecone.io/admin/projects", api.headers["Authorization"]
    for second, status in {"2026-07": 200, "2026-04": 400}.items():
        versions = [("X-Pinecone-Api-Version", "2026-07"), ("X-Pinecone-Api-Version", second)]
        request = httpx.Request("GET", url, headers=[*versions, ("Authorization", token)])
        response = api.send(request)
        assert response.status_code == emulator.transport.handle_request(request).status_code == status
    assert read_error(response) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("unauthenticated", "token-lifetime")
def test_token_expires(emulator: Emulator, api: httpx.Client, read_error: ReadError) -> None:
    """A token is valid for exactly 1800 seconds."""
    emulator.clock.advance(1799)
    assert api.get("/admin/projects").status_code == 200
    emulator.clock.advance(1)
    assert read_error(api.get("/admin/projects")) == (401, "UNAUTHENTICATED")


@pytest.mark.rule("unknown-route")
@pytest.mark.parametrize("path", ["/", "/nowhere", "/admin", "/admin/", "/admin/projects/", "/_emulator"])
def test_unknown_route_is_not_found(api: httpx.Client, read_error: ReadError, path: str) -> None:
    """An unknown path is not found, and the error names it."""
    response = api.get(path)
    assert read_error(response) == (404, "NOT_FOUND")
    assert path in response.json()["error"]["message"]


@pytest.mark.rule("unemulated")
@pytest.mark.parametrize("route", UNEMULATED, ids=[route.id for route in UNEMULATED])
def test_published_route_that_is_not_emulated_says_so(
    api: httpx.Client, read_error: ReadError, route: OperationRoute[ControlPlaneContext]
) -> None:
    """A published route that is not emulated returns 501 with its name, and is no operation of the emulator."""
    response = api.request(route.method, route.path.replace("{", "").replace("}", ""))
    assert read_error(response) == (501, "UNIMPLEMENTED")
    assert route.id in response.json()["error"]["message"]
    assert route.id not in dispatch.OPERATION_IDS


@pytest.mark.rule("wrong-method")
def test_wrong_method_is_refused(api: httpx.Client, read_error: ReadError) -> None:
    """Another method on a known route is refused, and Allow lists the accepted methods."""
    response = api.put("/admin/projects")
    assert read_error(response) == (405, "UNIMPLEMENTED")
    assert response.headers["Allow"] == "GET, POST"


def test_encoded_dots_are_part_of_the_id(api: httpx.Client, read_error: ReadError) -> None:
    """An encoded path traversal is an unknown id."""
    assert read_error(api.delete("/admin/projects/%2E%2E%2Forganizations")) == (404, "NOT_FOUND")


def test_all_operations_of_the_document_exist() -> None:
    """The emulator has exactly the document's operations, each by its own id and under its own route."""
    documented = [(each.label, each.method.upper(), each.path) for each in iter_operations(load_document("admin"))]
    assert sorted((each.id, each.method, each.path) for each in ADMIN_ROUTES) == sorted(documented)


@pytest.mark.rule("request-id")
def test_every_response_has_a_request_id(api: httpx.Client) -> None:
    """Every success, error and token response has its own request id."""
    responses = [api.get("/admin/projects"), api.get("/nowhere"), api.post(TOKEN_URL, json={})]
    ids = {uuid.UUID(response.headers["x-pinecone-request-id"]) for response in responses}
    assert len(ids) == 3


@pytest.mark.parametrize("seed", [None, 1])
def test_a_request_id_is_never_repeated(seed: int | None) -> None:
    """Whatever begins again: faults, the state, or a document that is loaded twice. A seed repeats the ids."""

    def list_request_ids() -> list[str]:
        emulator = Emulator(seed=seed)
        document = emulator.dump()
        load = partial(emulator.load, document)
        ids: list[str] = []
        for act in (emulator.faults.clear, emulator.faults.clear, emulator.reset, emulator.reset, load, load):
            act()
            emulator.faults.add(status=429)
            responses = [request_token(emulator) for _ in range(2)]  # one with the fault, one without it
            ids += [each.headers["x-pinecone-request-id"] for each in responses]
        return ids

    ids, again = list_request_ids(), list_request_ids()
    assert len({*ids}) == len(ids) == 12
    assert (ids == again) is (seed is not None)


def test_seed_repeats_ids_and_secrets() -> None:
    """Two emulators with the same seed and time have the same ids and secrets, and different tokens."""
    start = datetime(2026, 7, 1, tzinfo=UTC)
    first, second = (Emulator(seed=7, clock=Clock(start)) for _ in range(2))
    assert first.client_secret == second.client_secret
    tokens = [request_token(each).json()["access_token"] for each in (first, second)]
    assert len(set(tokens)) == 2
    assert first.state.new_id() == second.state.new_id()
    assert first.client_secret != Emulator(seed=8, clock=Clock(start)).client_secret


def test_clock_requires_a_time_zone() -> None:
    """A start time without a time zone is refused."""
    with pytest.raises(ValueError, match="time zone"):
        Clock(datetime(2026, 7, 1))  # noqa: DTZ001 — the error under test


def test_clock_stands_still_unless_ticking() -> None:
    """A clock stands still until it is advanced, unless it ticks with real time."""
    standing, ticking = Clock(), Clock(ticking=True)
    assert standing.now() == standing.now()
    assert ticking.now() < ticking.now()
    before = standing.now()
    standing.advance(0.5)
    assert (standing.now() - before).total_seconds() == 0.5


# OAuth


@pytest.mark.rule("token-response", "client-credentials")
def test_credentials_are_exchanged_for_a_token(emulator: Emulator) -> None:
    """Client credentials are exchanged for a bearer token that is valid for 1800 seconds."""
    token = request_token(emulator).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 1800)
    assert len(emulator.client_id) == 32
    assert len(emulator.client_secret) == 64


@pytest.mark.rule("token-form")
def test_token_looks_like_a_jwt(connect: Connect) -> None:
    """The parts of a token decode to a header without an algorithm and to the time of expiry; it has no signature."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, tzinfo=UTC)), token_lifetime=60)
    token = request_token(emulator).json()["access_token"]
    assert token.startswith("eyJ")
    header, claims, signature = (each + "=" * (-len(each) % 4) for each in token.split("."))
    assert json.loads(urlsafe_b64decode(header)) == {"alg": "none", "typ": "JWT"}
    issued = int(emulator.clock.now().timestamp())
    expected = {"sub": emulator.client_id, "iat": issued, "exp": issued + 60}
    assert json.loads(urlsafe_b64decode(claims)) == expected
    assert len(urlsafe_b64decode(signature)) == 48  # the algorithm none has an empty signature, so this one is invalid
    api = connect(emulator)
    api.get(f"/admin/projects/{token}")
    assert emulator.requests[-1].path == "/admin/projects/***"


@pytest.mark.rule("token-lifetime")
def test_token_lifetime_is_configurable(connect: Connect) -> None:
    """A token is valid for the configured lifetime."""
    emulator = Emulator(token_lifetime=86400)
    api = connect(emulator)
    assert request_token(emulator).json()["expires_in"] == 86400
    emulator.clock.advance(86399)
    assert api.get("/admin/projects").status_code == 200


@pytest.mark.rule("token-request")
def test_token_endpoint_accepts_a_form(emulator: Emulator) -> None:
    """The token endpoint accepts the fields as a form."""
    form = {
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    with httpx.Client(transport=emulator.transport) as client:
        assert client.post(TOKEN_URL, data=form).json()["token_type"] == "Bearer"


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
def test_invalid_token_requests_are_refused(
    emulator: Emulator, changes: dict[str, object], status: int, error: str
) -> None:
    """The token endpoint refuses invalid fields with an error in OAuth's form."""
    response = request_token(emulator, **changes)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert set(response.json()) == {"error", "error_description"}
    assert emulator.client_secret not in response.text


@pytest.mark.rule("token-fields")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"client_id=x"])
def test_token_body_must_be_an_object(emulator: Emulator, body: bytes) -> None:
    """A body that is neither a JSON object nor a form is an invalid request."""
    with httpx.Client(transport=emulator.transport) as client:
        response = client.post(TOKEN_URL, content=body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_token_endpoint_accepts_only_post(emulator: Emulator) -> None:
    """Another method at the token endpoint is refused, and Allow is POST."""
    with httpx.Client(transport=emulator.transport) as client:
        response = client.get(TOKEN_URL)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


# In process


def test_transport_serves_async_clients(emulator: Emulator, api: httpx.Client) -> None:
    """The transport serves an async client, including a streamed request."""

    async def stream_body() -> AsyncIterator[bytes]:
        for piece in (b'{"name":', b' "streamed"}'):
            yield piece

    async def create() -> httpx.Response:
        async with httpx.AsyncClient(transport=emulator.transport, headers=api.headers) as client:
            return await client.post("https://api.pinecone.io/admin/projects", content=stream_body())

    assert asyncio.run(create()).json()["name"] == "streamed"


def test_emulator_returns_connected_clients(emulator: Emulator) -> None:
    """The emulator returns sync and async clients with the given options."""

    async def list_names() -> list[str]:
        async with emulator.async_admin(source_tag="ci") as admin:
            return [project.name for project in await admin.projects.list()]

    with emulator.admin(read_only=False) as admin:
        admin.projects.create(name="search")
    assert asyncio.run(list_names()) == ["search"]


def test_streamed_requests_arrive_complete(api: httpx.Client) -> None:
    """A request body that is sent in pieces arrives complete."""

    def stream_body() -> Iterator[bytes]:
        yield b'{"name":'
        yield b' "streamed"}'

    assert api.post("/admin/projects", content=stream_body()).json()["name"] == "streamed"


def test_threads_do_not_lose_updates(emulator: Emulator, api: httpx.Client) -> None:
    """Creates from many threads are all stored, each with its own id."""
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda n: api.post("/admin/service-accounts", json={"name": str(n)}), range(80)))
    ids = {response.json()["service_account"]["id"] for response in responses}
    assert len(ids) == 80
    assert len(emulator.state.service_accounts) == 81


# Malformed requests

MALFORMED_BODIES = [
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
MALFORMED_PATHS = ["/%00", "/admin/projects/%ff%fe", "/admin/projects/%ED%A0%80", "//admin", "/admin//x", "/%"]


def handle_request(emulator: Emulator, request: Request) -> int:
    """Return the status of a response after checking that its body is valid JSON."""
    response = emulator.handle(request)
    if response.body:
        json.loads(response.body.decode("utf-8"))
        assert b"\\ud" not in response.body.lower().replace(b"\\\\ud", b"")
    return response.status


def fill_path(path: str, target: str) -> str:
    """Return a path with the id filled in."""
    return "/".join(target if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("body", MALFORMED_BODIES, ids=lambda body: repr(body[:20]))
def test_malformed_bodies_cause_no_server_error(emulator: Emulator, api: httpx.Client, body: bytes) -> None:
    """Every operation returns valid JSON and no server error for a malformed body."""
    headers = dict(api.headers)
    for operation in ADMIN_ROUTES:
        if operation.method in {"POST", "PATCH"}:
            request = Request(operation.method, fill_path(operation.path, "x"), headers, "", body)
            assert 200 <= handle_request(emulator, request) < 500


@pytest.mark.parametrize("path", MALFORMED_PATHS)
def test_malformed_paths_are_not_found(emulator: Emulator, api: httpx.Client, path: str) -> None:
    """A malformed path is not found."""
    assert handle_request(emulator, Request("GET", path, dict(api.headers))) == 404


def test_random_requests_cause_no_server_error(emulator: Emulator, api: httpx.Client) -> None:
    """Thousands of random requests get a status below 500."""
    rng = random.Random(20260701)
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
        operation = rng.choice(ADMIN_ROUTES)
        state = emulator.state
        target = rng.choice(["x", emulator.organization_id, *state.projects, *state.invites, *state.api_keys])
        body = {name: rng.choice(values) for name in rng.sample(names, rng.randrange(len(names)))}
        request = Request(
            operation.method,
            fill_path(operation.path, target),
            headers,
            rng.choice(queries),
            json.dumps(body).encode(),
        )
        statuses.add(handle_request(emulator, request))
    assert {200, 201, 202, 400, 404} <= statuses
    assert max(statuses) < 500
