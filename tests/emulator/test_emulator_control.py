"""Control of the emulator through methods and over `/_emulator`; every test here uses both."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pinecone
import pytest

from pinecone_admin import UnauthorizedError
from pinecone_admin.emulator import Clock, Emulator, serving
from pinecone_admin.emulator.api.control_plane import OPERATION_IDS as CONTROL_PLANE_IDS
from pinecone_admin.emulator.api.dispatch import ADMIN_ROUTES
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES, derive_method_name
from pinecone_admin.emulator.control.announcement import describe
from pinecone_admin.emulator.control.routes import CONTROL_ROUTES
from pinecone_admin.emulator.model.records import PROJECT_CONTENTS
from tests.support.resources import find_method

Connect = Callable[..., httpx.Client]
ReadError = Callable[[httpx.Response], tuple[int, str]]
Role = str | tuple[str, str]

DAY = 24 * 3600
MEMBER = {"resource_type": "organization", "role": "OrgMember"}


class MethodControl:
    """Control through the emulator's methods."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.reset = emulator.reset
        self.load = emulator.load
        self.configure = emulator.configure
        self.advance = emulator.clock.advance
        self.hold = emulator.hold
        self.release = emulator.release
        self.sync = emulator.sync
        self.clear_requests = emulator.requests.clear

    def dump(self) -> dict[str, Any]:
        """Return the state."""
        return self.emulator.dump()

    def settings(self) -> dict[str, Any]:
        """Return the settings."""
        return self.emulator.settings

    def add_user(self, **arguments: Any) -> str:
        """Add a member."""
        return self.emulator.add_user(**arguments).id

    def accept_invite(self, invite_id: str, **arguments: Any) -> str:
        """Accept an invite."""
        return self.emulator.accept_invite(invite_id, **arguments).id

    def add_client(self, **arguments: Any) -> tuple[str, str]:
        """Create a service account."""
        credentials = self.emulator.add_client(**arguments)
        assert credentials.client_secret not in repr(credentials)
        return credentials.client_id, credentials.client_secret

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests received."""
        return [received.document for received in self.emulator.requests]


class HTTPControl:
    """Control over HTTP, with an error response raised as a ValueError."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send a request and return its document."""
        response = self.http.request(method, f"/_emulator{path}", json=body)
        if response.is_success:
            return response.json() if response.content else None
        assert response.status_code < 500
        raise ValueError(response.json()["error"]["message"])

    def reset(self) -> None:
        """Restore the initial state."""
        self.send("POST", "/reset")

    def dump(self) -> dict[str, Any]:
        """Return the state."""
        document: dict[str, Any] = self.send("GET", "/state")
        return document

    def load(self, document: object) -> None:
        """Replace the state."""
        self.send("PUT", "/state", document)

    def configure(self, /, **changes: object) -> None:
        """Change settings."""
        self.send("PATCH", "/settings", changes)

    def settings(self) -> dict[str, Any]:
        """Return the settings."""
        document: dict[str, Any] = self.send("GET", "/settings")
        return document

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        before = self.send("GET", "/clock")["now"]
        after = self.send("POST", "/clock/advance", {"seconds": seconds})["now"]
        advanced = datetime.fromisoformat(after) - datetime.fromisoformat(before)
        assert advanced == timedelta(seconds=seconds)

    def add_user(self, **arguments: Any) -> str:
        """Add a member."""
        return str(self.send("POST", "/users", arguments)["id"])

    def accept_invite(self, invite_id: str, **arguments: Any) -> str:
        """Accept an invite."""
        return str(self.send("POST", f"/invites/{invite_id}/accept", arguments)["id"])

    def add_client(self, **arguments: Any) -> tuple[str, str]:
        """Create a service account."""
        document = self.send("POST", "/clients", arguments)
        return document["client_id"], document["client_secret"]

    def hold(self, project_id: str, kind: str, name: str, **arguments: Any) -> None:
        """Add contents to a project."""
        self.send("PUT", f"/projects/{project_id}/{kind}/{name}", arguments or None)

    def release(self, project_id: str, kind: str, name: str) -> None:
        """Remove contents from a project."""
        self.send("DELETE", f"/projects/{project_id}/{kind}/{name}")

    def sync(self) -> None:
        """Let the identity provider revert changes."""
        self.send("POST", "/sync")

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests received."""
        received: list[dict[str, Any]] = self.send("GET", "/requests")["data"]
        return received

    def clear_requests(self) -> None:
        """Clear the request log."""
        self.send("DELETE", "/requests")


Control = MethodControl | HTTPControl


@pytest.fixture(params=["methods", "http"])
def control(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Control]:
    """Return the control through methods, and then over HTTP."""
    if request.param == "methods":
        yield MethodControl(emulator)
        return
    with serving(emulator) as url, httpx.Client(base_url=url) as http:
        yield HTTPControl(http)


def create_invite(api: httpx.Client, email: str = "a@example.com") -> str:
    """Create an invite and return its id."""
    response = api.post("/admin/invites", json={"email": email, "role_bindings": [MEMBER]})
    return str(response.raise_for_status().json()["id"])


def create_project(api: httpx.Client) -> str:
    """Create a project and return its id."""
    return str(api.post("/admin/projects", json={"name": "search"}).raise_for_status().json()["id"])


# Time


@pytest.mark.rule("unauthenticated", "token-lifetime")
def test_advancing_the_clock_expires_tokens(control: Control, api: httpx.Client, read_error: ReadError) -> None:
    """Advancing the clock expires a token."""
    control.advance(1800)
    assert read_error(api.get("/admin/projects")) == (401, "UNAUTHENTICATED")


@pytest.mark.rule("invite-lifetime")
def test_advancing_the_clock_expires_invites(control: Control, api: httpx.Client) -> None:
    """An invite expires after seven days and can no longer be accepted."""
    control.configure(token_lifetime=30 * DAY)
    api.headers["Authorization"] = f"Bearer {request_owner_token(api, control)}"
    invite_id = create_invite(api)
    control.advance(7 * DAY)
    assert api.get(f"/admin/invites/{invite_id}").json()["status"] == "expired"
    with pytest.raises(ValueError, match=f"invite {invite_id} is expired"):
        control.accept_invite(invite_id)


def request_owner_token(api: httpx.Client, control: Control) -> str:
    """Create another owner and return a new token for it."""
    client_id, client_secret = control.add_client(roles=["OrgOwner"])
    fields = {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    return str(api.post("https://login.pinecone.io/oauth/token", json=fields).json()["access_token"])


@pytest.mark.rule("invite-mails")
def test_advancing_the_clock_resets_the_mail_limit(control: Control, api: httpx.Client, read_error: ReadError) -> None:
    """The mail limit applies to one hour and can be set, even to zero."""
    control.configure(invite_mails_per_hour=2)
    create_invite(api)
    control.advance(600)
    invite_id = create_invite(api, "b@example.com")
    response = api.post(f"/admin/invites/{invite_id}/resend")
    assert read_error(response) == (429, "RESOURCE_EXHAUSTED")
    assert response.headers["Retry-After"] == "3000"
    control.configure(invite_mails_per_hour=1)
    assert api.post(f"/admin/invites/{invite_id}/resend").headers["Retry-After"] == "3600"
    control.configure(invite_mails_per_hour=0)
    assert api.post(f"/admin/invites/{invite_id}/resend").headers["Retry-After"] == "3600"
    control.configure(invite_mails_per_hour=2)
    control.configure(token_lifetime=DAY)
    api.headers["Authorization"] = f"Bearer {request_owner_token(api, control)}"
    control.advance(3000)
    assert api.post(f"/admin/invites/{invite_id}/resend").status_code == 200


@pytest.mark.parametrize("seconds", [-1, 1e12])
def test_clock_cannot_go_back_or_past_the_end(control: Control, seconds: float) -> None:
    """The clock cannot be turned back or advanced beyond the last date."""
    with pytest.raises(ValueError, match="seconds"):
        control.advance(seconds)


def test_small_steps_cannot_pass_the_last_date() -> None:
    """Several small steps cannot pass the last date."""
    clock = Clock(datetime(8990, 1, 1, tzinfo=UTC))
    clock.advance(5 * 365 * DAY)
    with pytest.raises(ValueError, match="9000"):
        clock.advance(7 * 365 * DAY)
    clock.reset()
    assert clock.now() == datetime(8990, 1, 1, tzinfo=UTC)


# Settings


@pytest.mark.rule("project-quota")
def test_plan_is_set(control: Control, api: httpx.Client, read_error: ReadError) -> None:
    """A new plan takes effect at once, with its quotas and support tier."""
    create_project(api)
    control.configure(plan="Free")
    assert read_error(api.post("/admin/projects", json={"name": "x"})) == (403, "QUOTA_EXCEEDED")
    organization = api.get("/admin/organizations").json()["data"][0]
    assert (organization["plan"], organization["support_tier"]) == ("Free", "Free")
    assert control.settings()["plan"] == "Free"


@pytest.mark.rule("key-quota")
def test_quotas_are_set(control: Control, api: httpx.Client, read_error: ReadError) -> None:
    """Custom quotas replace the plan's, and null restores them."""
    path = f"/admin/projects/{create_project(api)}/api-keys"
    control.configure(project_quota=1, api_key_quota=0)
    assert read_error(api.post("/admin/projects", json={"name": "x"})) == (403, "QUOTA_EXCEEDED")
    assert read_error(api.post(path, json={"name": "x"})) == (403, "PERMISSION_DENIED")
    control.configure(project_quota=None, api_key_quota=None)
    assert api.post("/admin/projects", json={"name": "x"}).is_success
    assert api.post(path, json={"name": "x"}).is_success


@pytest.mark.rule("billing", "key-value")
def test_changed_settings_keep_the_others(control: Control, api: httpx.Client) -> None:
    """A setting that is not named stays unchanged."""
    before = control.settings()
    control.configure(key_prefix="pckey_")
    control.configure(payment_status="Suspended")
    assert control.settings() == before | {"key_prefix": "pckey_", "payment_status": "Suspended"}
    assert api.post("/admin/projects", json={"name": "x"}).status_code == 402
    control.configure(payment_status="Active")
    key = api.post(f"/admin/projects/{create_project(api)}/api-keys", json={"name": "x"}).json()
    assert key["value"].startswith("pckey_")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plan": "Gold"}, "plan must be one of"),
        ({"payment_status": 5}, "payment_status must be a string"),
        ({"project_quota": -1}, "project_quota must be from 0"),
        ({"project_quota": True}, "project_quota must be an integer"),
        ({"token_lifetime": 0}, "token_lifetime must be from 1"),
        ({"token_lifetime": None}, "token_lifetime must be an integer"),
        ({"pod_access": 1}, "pod_access must be a boolean"),
        ({"managed_people": "ada@example.com"}, "managed_people must be true, false or a collection of email addr"),
        ({"managed_people": ["ada"]}, r"managed_people\[0\] must be an email address"),
        ({"managed_changes": "ignored"}, "managed_changes must be one of refused, reverted"),
        ({"key_prefix": ""}, "key_prefix must have 1"),
        ({"colour": "blue"}, "colour is unknown; the known fields are plan"),
        ({"self": 1}, "self is unknown; the known fields are plan"),
    ],
)
def test_invalid_settings_are_refused(control: Control, changes: dict[str, Any], message: str) -> None:
    """An unknown or invalid setting is refused, the error names it, and nothing changes."""
    before = control.settings()
    with pytest.raises(ValueError, match=message):
        control.configure(**{"key_prefix": "x_"} | changes)
    assert control.settings() == before


def test_constructor_checks_settings() -> None:
    """The constructor refuses the same invalid settings."""
    with pytest.raises(ValueError, match=r"plan must be one of .*, not 'Gold'"):
        Emulator(plan="Gold")
    with pytest.raises(ValueError, match="token_lifetime must be from 1"):
        Emulator(token_lifetime=0)


# Users, invites and clients


@pytest.mark.rule("user-name")
def test_user_is_added_with_roles(control: Control, api: httpx.Client) -> None:
    """A member is added without an invite, with organization and project roles."""
    project_id = create_project(api)
    plain = control.add_user(email="a@example.com")
    user_id = control.add_user(
        email="b@example.com", name="Bob", roles=["OrgManager", ("ProjectViewer", project_id), "OrgManager"]
    )
    assert api.get(f"/admin/users/{plain}").json() == {"id": plain, "email": "a@example.com"}
    assert api.get(f"/admin/users/{user_id}").json()["name"] == "Bob"
    assert list_roles(api, "user", plain) == [("OrgMember", api.get("/admin/organizations").json()["data"][0]["id"])]
    assert list_roles(api, "user", user_id)[1:] == [("ProjectViewer", project_id)]


@pytest.mark.rule("identity-provider-sync")
def test_sync_brings_people_back(control: Control, api: httpx.Client) -> None:
    """A managed person whom a client has removed is back after a sync."""
    control.configure(managed_people=["ada@example.com"], managed_changes="reverted")
    path = f"/admin/users/{control.add_user(email='ada@example.com')}"
    assert [api.delete(path).status_code, api.get(path).status_code] == [202, 404]
    control.sync()
    assert api.get(path).status_code == 200


def list_roles(api: httpx.Client, principal_type: str, principal_id: str) -> list[tuple[str, str]]:
    """Return the roles of a principal and their resources."""
    query = {"principal_type": principal_type, "principal_id": principal_id}
    return [
        (binding["role"], binding["resource_id"])
        for binding in api.get("/admin/role-bindings", params=query).json()["data"]
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"email": "taken@example.com"}, "has the email 'TAKEN@example.com'|has the email 'taken@example.com'"),
        ({"email": "nobody"}, "email must be an email address"),
        ({"email": "a@example.com", "name": 5}, "name must be a string"),
        ({"email": "a@example.com", "roles": ["Emperor"]}, r"roles\[0\] must be one of OrgOwner"),
        ({"email": "a@example.com", "roles": ["ProjectViewer"]}, "a project role and its project's id"),
        ({"email": "a@example.com", "roles": [("ProjectViewer", "nowhere")]}, "Project 'nowhere' not found"),
        ({"email": "a@example.com", "roles": [("OrgMember", "nowhere")]}, r"roles\[0\]\[0\] must be one of Project"),
        ({"email": "a@example.com", "roles": [("ProjectViewer", 5)]}, r"roles\[0\]\[1\] must be a string"),
        ({"email": "a@example.com", "roles": [5]}, r"roles\[0\] must be one of"),
        ({"email": "a@example.com", "roles": "OrgMember"}, "roles must be"),
    ],
)
def test_invalid_user_is_refused(control: Control, arguments: dict[str, Any], message: str) -> None:
    """An invalid user is refused, the error names the field, and no user is added."""
    control.add_user(email="taken@example.com")
    with pytest.raises(ValueError, match=message):
        control.add_user(**arguments)
    assert [each["email"] for each in control.dump()["users"]] == ["owner@example.com", "taken@example.com"]


@pytest.mark.rule("invite-accepted")
def test_invite_is_accepted(control: Control, api: httpx.Client) -> None:
    """Accepting an invite adds a user with the roles of the invite, which is then processed."""
    invite_id = create_invite(api)
    user_id = control.accept_invite(invite_id, name="Alice")
    assert api.get(f"/admin/users/{user_id}").json()["name"] == "Alice"
    assert api.get(f"/admin/invites/{invite_id}").json()["status"] == "processed"
    for refused_id, message in ((invite_id, "is processed"), ("nowhere", "Invite 'nowhere' not found")):
        with pytest.raises(ValueError, match=message):
            control.accept_invite(refused_id)


@pytest.mark.rule("grant-rule")
def test_client_has_only_its_roles(
    control: Control, emulator: Emulator, connect: Connect, read_error: ReadError
) -> None:
    """A client has exactly the requested roles, on any plan."""
    control.configure(plan="Free")
    client_id, _ = control.add_client(roles=["OrgMember"], name="lesser")
    (account,) = (each for each in emulator.state.service_accounts.listing if each.client_id == client_id)
    assert account.name == "lesser"
    body = {"email": "a@example.com", "role_bindings": [{"resource_type": "organization", "role": "OrgOwner"}]}
    assert read_error(connect(emulator, account).post("/admin/invites", json=body)) == (403, "PERMISSION_DENIED")


def test_admin_with_roles(emulator: Emulator) -> None:
    """`admin(roles=…)` and `async_admin(roles=…)` return clients with the given roles."""
    with emulator.admin(roles=["OrgMember"]) as admin:
        assert admin.projects.list() == []
    emulator.async_admin(roles=["OrgMember"])
    assert len(emulator.state.service_accounts) == 3


# Contents of projects


@pytest.mark.rule("project-contents", "project-workspaces")
def test_contents_block_project_deletion(control: Control, api: httpx.Client, read_error: ReadError) -> None:
    """Contents of a project block its deletion until they are removed."""
    project_id = create_project(api)
    for kind in PROJECT_CONTENTS:
        control.hold(project_id, kind, "movies")
        response = api.delete(f"/admin/projects/{project_id}")
        assert read_error(response) == (412, "FAILED_PRECONDITION")
        assert response.json()["error"]["message"].endswith(f"still holds 1 {PROJECT_CONTENTS[kind]}")
        control.release(project_id, kind, "movies")
    assert api.delete(f"/admin/projects/{project_id}").status_code == 202


def test_index_can_have_deletion_protection(control: Control, emulator: Emulator, api: httpx.Client) -> None:
    """Adding an index again can remove its deletion protection, and other contents cannot have it."""
    project_id = create_project(api)
    record = emulator.state.projects[project_id]
    for again in ({}, {"protected": False}):
        control.hold(project_id, "indexes", "movies", protected=True)
        assert record.indexes["movies"].protected
        control.hold(project_id, "indexes", "movies", **again)
        assert not record.indexes["movies"].protected
    control.hold(project_id, "indexes", "movies", protected=True)
    control.release(project_id, "indexes", "movies")
    wrong: Any = 1
    for kind, protected, message in (
        ("backups", True, "backups have no deletion protection"),
        ("indexes", wrong, "bool"),
    ):
        with pytest.raises(ValueError, match=message):
            control.hold(project_id, kind, "movies", protected=protected)
    assert not any(record.contents.values())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (("nowhere", "indexes", "x"), "Project 'nowhere' not found"),
        ((None, "pods", "x"), "kind must be one of indexes"),
        ((None, "indexes", "y"), "'y' is not one of the project's indexes"),
    ],
)
def test_missing_contents_are_refused(
    control: Control, api: httpx.Client, target: tuple[str | None, str, str], message: str
) -> None:
    """Releasing missing contents is refused."""
    project_id = create_project(api)
    with pytest.raises(ValueError, match=message):
        control.release(target[0] or project_id, *target[1:])


# Requests


def test_requests_are_recorded(control: Control, emulator: Emulator, api: httpx.Client) -> None:
    """Each request is recorded with its operation and status, oldest first, until the log is cleared."""
    control.clear_requests()
    created = api.post("/admin/projects", json={"name": "search"})
    api.get("/admin/users?limit=0")
    api.get("/nowhere")
    first, second, third = control.requests()
    assert first == {
        "time": emulator.clock.now().isoformat().replace("+00:00", "Z"),
        "method": "POST",
        "path": "/admin/projects",
        "query": "",
        "headers": {**created.request.headers, "authorization": "Bearer ***"},
        "json": {"name": "search"},
        "operation_id": "create_project",
        "method_name": "projects.create",
        "status": 200,
        "request_id": created.headers["x-pinecone-request-id"],
        "fault": None,
    }
    assert (second["operation_id"], second["query"], second["status"]) == ("list_users", "limit=0", 400)
    assert (third["operation_id"], third["status"]) == ("", 404)
    control.clear_requests()
    assert control.requests() == []


def test_recorded_requests_omit_secrets(control: Control, emulator: Emulator, connect: Connect) -> None:
    """The request log omits the secrets of token exchanges, paths and queries."""
    api = connect(emulator)
    token = api.headers["Authorization"].removeprefix("Bearer ")
    api.get(f"/admin/api-keys/pcsk_label_unique?secret={emulator.client_secret}&token={token}")
    log = str(control.requests())
    assert all(secret not in log for secret in (emulator.client_secret, token, "label_unique"))
    assert "/admin/api-keys/***" in log


def test_request_log_is_limited(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request log drops its oldest requests when it is full."""
    monkeypatch.setattr("pinecone_admin.emulator.control.request_log.CAPACITY", 2)
    emulator = Emulator()
    for path in ("/a", "/b", "/c"):
        emulator.transport.handle_request(httpx.Request("GET", f"https://api.pinecone.io{path}"))
    assert [received.path for received in emulator.requests] == ["/b", "/c"]
    assert (len(emulator.requests), emulator.requests[-1].path) == (2, "/c")


# Reset


def test_reset_restores_the_initial_state(control: Control, emulator: Emulator, api: httpx.Client) -> None:
    """A reset restores the initial state, and the caller's token stays valid."""
    before = control.dump()
    control.add_user(email="a@example.com")
    control.configure(plan="Standard", key_prefix="x_")
    control.add_client(roles=["OrgMember"])
    control.advance(60)
    emulator.faults.add("list_projects", status=500)
    create_project(api)
    control.reset()
    tokens = control.dump().pop("tokens")
    assert control.dump() | {"tokens": []} == before | {"tokens": []}
    assert len(tokens) == 1
    assert control.requests() == []
    assert api.get("/admin/projects").json() == {"data": []}


def test_reset_restores_the_credentials(control: Control, emulator: Emulator) -> None:
    """A reset makes the first credentials valid again after a rotation or deletion."""
    credentials = (emulator.client_id, emulator.client_secret)
    with emulator.admin() as admin:
        (own,) = admin.service_accounts.list()
        admin.service_accounts.rotate_secret(service_account_id=own.id)
        assert credentials[1] != emulator.client_secret
    with emulator.admin() as admin:
        admin.service_accounts.delete(service_account_id=own.id)
        with pytest.raises(UnauthorizedError):
            admin.projects.list()
    control.reset()
    assert (emulator.client_id, emulator.client_secret) == credentials
    with emulator.admin() as admin:
        assert admin.projects.list() == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"projects": [{"name": "search"}], "users": []},
        {"caller": None, "organization": {"plan": "Standard"}, "service_accounts": [{"name": "emulator"}]},
    ],
)
def test_a_document_by_hand_leaves_valid_what_was_announced(
    control: Control, emulator: Emulator, connect: Connect, document: object
) -> None:
    """Credentials, tokens and the organization's id stay valid after a document that names none, and after a reset."""
    with emulator.admin() as admin:
        admin.service_accounts.rotate_secret(service_account_id=admin.service_accounts.list().to_list()[0].id)
    with emulator.served_at("http://127.0.0.1:1"):
        announced, api = describe(emulator), connect(emulator)
        for change in (partial(control.load, document), control.reset):
            change()
            assert describe(emulator) == announced
            for each in (api, connect(emulator)):
                assert each.get("/admin/organizations").json()["data"][0]["id"] == announced["organization_id"]
                assert each.post("/admin/projects", json={"name": "x"}).status_code == 200


def test_reset_restores_the_loaded_state(control: Control, emulator: Emulator, connect: Connect) -> None:
    """A reset restores the loaded state."""
    control.load({"projects": [{"name": "fixture"}]})
    api = connect(emulator)
    api.delete(f"/admin/projects/{api.get('/admin/projects').json()['data'][0]['id']}")
    control.reset()
    assert [each["name"] for each in api.get("/admin/projects").json()["data"]] == ["fixture"]


# The control interface


def test_routes_are_listed(emulator: Emulator) -> None:
    """The root lists every route, and an unknown path or method is refused with the valid ones."""
    with serving(emulator) as url, httpx.Client(base_url=url) as http:
        listed = http.get("/_emulator").json()
        assert len(listed["routes"]) == len(CONTROL_ROUTES)
        assert all(route.partition(" For example: ")[0].endswith(".") for route in listed["routes"])
        assert {"create_project", "get_token"} < set(listed["operations"])
        for method, path, status, message in (
            ("GET", "/_emulator/nowhere", 404, "GET /_emulator lists them"),
            ("DELETE", "/_emulator/state", 405, "GET, PUT"),
            ("POST", "/_emulator/clock/advance", 400, "seconds is missing"),
            ("POST", "/_emulator/users", 400, "email is missing"),
        ):
            response = http.request(method, path)
            assert response.status_code == status
            assert message in response.json()["error"]["message"]
        assert http.delete("/_emulator/state").headers["Allow"] == "GET, PUT"
        wrong = {b"\xff": "'utf-8' codec", b"[" * 100_000: "nested too deeply", b"[]": "it is an array"}
        for body, message in wrong.items():
            response = http.put("/_emulator/state", content=body)
            assert response.status_code == 400
            assert f"the body must be a JSON object: {message}" in response.json()["error"]["message"]


def test_each_example_of_a_route_is_accepted(emulator: Emulator, api: httpx.Client) -> None:
    """The list of routes has an example of each body, which the route accepts."""
    project_id = api.post("/admin/projects", json={"name": "search"}).json()["id"]
    values = {"project_id": project_id, "kind": "indexes", "name": "movies", "invite_id": create_invite(api)}
    with serving(emulator) as url, httpx.Client(base_url=url) as http:
        examples = [each for each in http.get("/_emulator").json()["routes"] if " For example: " in each]
        # The clock ends the invite, and the state replaces everything.
        for each in sorted(examples, key=lambda text: ("/accept" not in text, "PUT /_emulator/state" in text)):
            route, _, body = each.partition(" For example: ")
            method, path = route.partition(": ")[0].split()
            response = http.request(method, path.format(**values), content=body)
            assert response.is_success, (each, response.text)
    with_body = {"faults", "advance", "users", "{name}", "settings", "clock", "clients", "accept", "state"}
    assert {each.partition(": ")[0].rpartition("/")[2] for each in examples} == with_body


def test_end_of_time_is_reported() -> None:
    """Advancing beyond the last date is refused over HTTP."""
    emulator = Emulator(clock=Clock(datetime(9000, 12, 31, tzinfo=UTC)))
    with serving(emulator) as url:
        response = httpx.post(f"{url}/_emulator/clock/advance", json={"seconds": 2 * DAY})
    assert response.status_code == 400
    assert "cannot be advanced by 172800" in response.json()["error"]["message"]


def test_seconds_must_be_a_number() -> None:
    """Advancing the clock by a string is refused."""
    with pytest.raises(ValueError, match="cannot be advanced by '10' seconds"):
        Clock().advance("10")  # type: ignore[arg-type]


def test_records_are_found_by_id(emulator: Emulator) -> None:
    """The state maps ids to records."""
    user = emulator.add_user("ada@example.com")
    assert emulator.state.users[user.id] is user
    assert list(emulator.state.users)[1:] == [user.id]  # the first owns the organization
    assert len(emulator.state.service_accounts) == 1
    assert "nobody" not in emulator.state.users


def test_request_log_omits_control_requests(emulator: Emulator) -> None:
    """Control requests are not in the request log."""
    with serving(emulator) as url:
        httpx.get(f"{url}/_emulator/requests")
    assert len(emulator.requests) == 0


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [0, 1, 2, 3]),
        ({"operation": "create_project"}, [0, 3]),
        ({"operation": "projects.create"}, [0, 3]),
        ({"operation": "projects.create", "status": 200}, [0]),
        ({"method": "get"}, [1, 2]),
        ({"fault": "status"}, [3]),
        ({"operation": "users.delete"}, []),
    ],
)
def test_requests_are_filtered(
    control: Control, emulator: Emulator, api: httpx.Client, filters: dict[str, Any], found: list[int]
) -> None:
    """The log is filtered by operation, under either name, and by method, status and fault; and it can be sliced."""
    control.clear_requests()
    emulator.faults.add("projects.create", status=503, skip=1)
    for method, path in [("POST", "projects"), ("GET", "users"), ("GET", "projects"), ("POST", "projects")]:
        api.request(method, f"/admin/{path}", json={"name": "x"})
    logged = list(emulator.requests)
    assert emulator.requests.filter(**filters) == [logged[index] for index in found]
    assert emulator.requests[1:3] == logged[1:3]
    with serving(emulator) as url:
        for last in (0, 1, 9):
            query = {**filters, "last": last}
            listed = httpx.get(f"{url}/_emulator/requests", params=query).json()["data"]
            assert listed == [logged[index].document for index in found][len(found) - min(last, len(found)) :]


@pytest.mark.parametrize("query", ["operation=projects.creat", "status=x", "last=-1", "color=red"])
def test_unknown_filters_are_refused(emulator: Emulator, query: str) -> None:
    """A filter that does not exist, or has an invalid value, is refused."""
    with serving(emulator) as url:
        response = httpx.get(f"{url}/_emulator/requests?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.json()["error"]["message"]


def test_method_names_are_those_of_the_clients() -> None:
    """Each operation has the name of the method of the client that sends it, or of one of the SDK."""
    expected = {each.id: find_method(each.id) for each in ADMIN_ROUTES if each.run}
    different = {each: method for each, method in expected.items() if method != METHOD_NAMES[each]}
    assert not different, f"pinecone_admin/emulator/api/operation_names.py: add to _EXCEPTIONS {different}"
    with pinecone.Pinecone(api_key="x") as client:
        for operation_id in CONTROL_PLANE_IDS:
            namespace, _, method = METHOD_NAMES[operation_id].partition(".")
            # The SDK has list_backups as an argument of backups.list(), and no workspaces.
            if method != "list_backups" and namespace != "workspaces":
                assert callable(getattr(getattr(client, namespace), method))
    assert len(set(METHOD_NAMES.values())) == len(METHOD_NAMES)


def test_method_names_of_other_resources_are_derived() -> None:
    """A noun in -y has its plural, and what a resource holds is named by the method."""
    names = {
        "list_policies": "policies.list",
        "create_policy": "policies.create",
        "fetch_policy": "policies.describe",
        "list_policy_members": "policies.list_members",
        "add_policy_member": "policies.add_member",
        "remove_policy_member": "policies.remove_member",
    }
    assert {each: derive_method_name(each, names) for each in names} == names


# Web pages


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:80"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "[::1]"}, 200),
        ({"Host": "localhost:80", "Origin": "http://localhost:80"}, 200),
        ({"Host": "emulator.example.com"}, 403),
        ({"Host": "127.0.0.1.example.com"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:80", "Origin": "http://localhost:3000"}, 403),
    ],
)
def test_web_pages_cannot_control(emulator: Emulator, headers: dict[str, str], status: int) -> None:
    """A request under the name of another host or from the page of another origin is refused, and changes nothing."""
    emulator.add_user("ada@example.com")
    with serving(emulator) as url:
        responses = [
            httpx.request(method, f"{url}/_emulator{path}", headers=headers)
            for method, path in (("GET", "/state"), ("POST", "/reset"))
        ]
    assert [response.is_success for response in responses] == [status == 200] * 2
    assert len(emulator.state.users) == (1 if status == 200 else 2)  # the owner is there from the beginning
    if status == 403:
        assert [response.status_code for response in responses] == [403, 403]
        assert emulator.client_secret not in responses[0].text


# Values that HTTP or a date cannot express


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"invites": [{"email": "a@example.com", "created_at": "9999-12-31T00:00:00Z"}]}, "created_at"),
        ({"time": "9999-12-31T00:00:00Z"}, "time"),
        ({"invite_mails": ["0001-01-01T00:00:00Z"]}, "invite_mails"),
        ({"projects": [{"name": "p", "api_keys": [{"name": "k", "value": "a b"}]}]}, "value"),
        ({"settings": {"key_prefix": "k\n"}}, "key_prefix"),
    ],
)
def test_inexpressible_values_of_a_state_are_refused(emulator: Emulator, document: Any, message: str) -> None:
    """A state with a date or a header value that cannot be expressed is refused, and changes nothing."""
    before = emulator.dump()
    with pytest.raises(ValueError, match=message):
        emulator.load(document)
    assert emulator.dump() == before
