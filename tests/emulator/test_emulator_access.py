"""Users, invites, role bindings, and the operations and grants that roles allow."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.model.records import Grant, InviteRecord, Principal, UserRecord
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES, ROLES

Connect = Callable[..., httpx.Client]
ReadError = Callable[[httpx.Response], tuple[int, str]]

MEMBER = {"resource_type": "organization", "role": "OrgMember"}
OWNER = {"resource_type": "organization", "role": "OrgOwner"}
UNKNOWN_ID = "4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60"
DAY = 24 * 3600


def create_invite(emulator: Emulator, api: httpx.Client, email: str, *grants: dict[str, str]) -> InviteRecord:
    """Create an invite and return its record; the default role is OrgMember."""
    document = {"email": email, "role_bindings": grants or [MEMBER]}
    response = api.post("/admin/invites", json=document).raise_for_status().json()
    return emulator.state.invites[response["id"]]


def add_member(emulator: Emulator, api: httpx.Client, email: str, *grants: dict[str, str]) -> UserRecord:
    """Add a user through an accepted invite and return its record."""
    invite = create_invite(emulator, api, email, *grants)
    return emulator.state.accept_invite(invite, emulator.clock.now())


def list_bindings(api: httpx.Client, principal_type: str, principal_id: str) -> list[dict[str, Any]]:
    """Return the role bindings of a principal."""
    principal = {"principal_type": principal_type, "principal_id": principal_id}
    bindings: list[dict[str, Any]] = api.get("/admin/role-bindings", params=principal).json()["data"]
    return bindings


def binding_request(principal_type: str, principal_id: str, role: str, project_id: str | None = None) -> dict[str, str]:
    """Return a request body that grants a role on a project or, without a project, in the organization."""
    document = {"principal_type": principal_type, "principal_id": principal_id, "role": role}
    if project_id is None:
        return document | {"resource_type": "organization"}
    return document | {"resource_type": "project", "resource_id": project_id}


def create_project(emulator: Emulator) -> str:
    """Create a project and return its id."""
    return emulator.state.add_project("search", emulator.clock.now()).id


def create_service_account(emulator: Emulator, *grants: Grant) -> str:
    """Create a service account with roles and return its id."""
    account = emulator.state.add_service_account("ci", emulator.clock.now())
    emulator.state.bind(Principal("service_account", account.id), grants, emulator.clock.now())
    return account.id


@pytest.fixture
def connect_with_roles(emulator: Emulator, connect: Connect) -> Callable[..., httpx.Client]:
    """Return a function that logs in as a new service account with the given roles."""

    def log_in(*grants: Grant) -> httpx.Client:
        return connect(emulator, emulator.state.service_accounts.get(create_service_account(emulator, *grants)))

    return log_in


# Users


@pytest.mark.rule("email-filter")
def test_email_filter_ignores_case(api: httpx.Client, emulator: Emulator) -> None:
    """The email filter ignores case and returns only the matching user."""
    user = add_member(emulator, api, "Alice@Example.com")
    add_member(emulator, api, "bob@example.com")
    for email in ("alice@example.com", "ALICE@EXAMPLE.COM"):
        listed = api.get("/admin/users", params={"email": email}).json()
        assert listed == {"data": [{"id": user.id, "email": "Alice@Example.com"}], "pagination": None}
    assert api.get("/admin/users", params={"email": "carol@example.com"}).json()["data"] == []


@pytest.mark.rule("email", "email-filter")
@pytest.mark.parametrize("email", ["", "alice", "a@b", "a b@example.com", "a@example.com\n", "a@" + "x" * 254])
def test_malformed_email_is_refused(api: httpx.Client, read_error: ReadError, email: str) -> None:
    """A malformed email email is refused in the filter and in an invite."""
    assert read_error(api.get("/admin/users", params={"email": email})) == (400, "INVALID_ARGUMENT")
    response = api.post("/admin/invites", json={"email": email, "role_bindings": [MEMBER]})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "email" in response.json()["error"]["message"]


@pytest.mark.rule("email")
def test_longest_email_is_accepted(api: httpx.Client) -> None:
    """An email email of 254 characters is accepted."""
    email = "a" * 242 + "@example.com"
    response = api.post("/admin/invites", json={"email": email, "role_bindings": [MEMBER]})
    assert response.json()["email"] == email


@pytest.mark.rule("user-name")
def test_unset_user_name_is_omitted(api: httpx.Client, emulator: Emulator) -> None:
    """The response omits the name of a user without a name."""
    unnamed, named = emulator.state.add_user("a@example.com"), emulator.state.add_user("b@example.com", "Bob")
    assert api.get(f"/admin/users/{unnamed.id}").json() == {"id": unnamed.id, "email": "a@example.com"}
    assert api.get(f"/admin/users/{named.id}").json()["name"] == "Bob"


@pytest.mark.rule("deleted")
def test_deleted_user_loses_all_roles(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A deleted user disappears at once with all role bindings, and can be invited again."""
    user = add_member(emulator, api, "a@example.com", MEMBER, OWNER)
    response = api.delete(f"/admin/users/{user.id}")
    assert (response.status_code, response.content) == (202, b"")
    assert read_error(api.get(f"/admin/users/{user.id}")) == (404, "NOT_FOUND")
    assert read_error(api.delete(f"/admin/users/{user.id}")) == (404, "NOT_FOUND")
    assert list_bindings(api, "user", user.id) == []
    create_invite(emulator, api, "a@example.com")


# Invites


@pytest.mark.rule("invite-lifetime", "invite-times", "invite-list")
def test_invite_expires_after_seven_days(connect: Connect, read_error: ReadError) -> None:
    """An invite is pending for seven days and then expired, and the list contains it in both states."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, tzinfo=UTC)), token_lifetime=30 * DAY)
    api = connect(emulator)
    created = api.post("/admin/invites", json={"email": "a@example.com", "role_bindings": [MEMBER]})
    assert created.status_code == 200
    assert created.json() == {
        "id": created.json()["id"],
        "email": "a@example.com",
        "status": "pending",
        "expires_at": "2026-07-08T00:00:00Z",
        "processed_at": None,
        "created_at": "2026-07-01T00:00:00Z",
    }
    path = f"/admin/invites/{created.json()['id']}"
    emulator.clock.advance(7 * DAY - 1)
    assert api.get(path).json()["status"] == "pending"
    emulator.clock.advance(1)
    assert api.get(path).json()["status"] == "expired"
    assert api.get("/admin/invites").json()["data"] == [api.get(path).json()]
    assert api.delete(path).status_code == 202
    assert read_error(api.get(path)) == (404, "NOT_FOUND")


@pytest.mark.rule("invite-resend")
def test_resend_renews_an_expired_invite(connect: Connect) -> None:
    """A resend makes an expired invite pending for another seven days."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, tzinfo=UTC)), token_lifetime=30 * DAY)
    api = connect(emulator)
    path = f"/admin/invites/{create_invite(emulator, api, 'a@example.com').id}"
    emulator.clock.advance(8 * DAY)
    response = api.post(f"{path}/resend")
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    assert response.json()["expires_at"] == "2026-07-16T00:00:00Z"
    assert response.json()["created_at"] == "2026-07-01T00:00:00Z"


@pytest.mark.rule("invite-accepted", "invite-times", "invite-list")
def test_accepted_invite_creates_a_user(api: httpx.Client, emulator: Emulator) -> None:
    """An accepted invite leaves the list, and its role bindings pass to a new user."""
    project_id = create_project(emulator)
    viewer = {"resource_type": "project", "resource_id": project_id, "role": "ProjectViewer"}
    invite = create_invite(emulator, api, "a@example.com", MEMBER, viewer)
    before = list_bindings(api, "invite", invite.id)
    emulator.clock.advance(60)
    user = emulator.state.accept_invite(invite, emulator.clock.now())
    assert user.id != invite.id
    document = api.get(f"/admin/invites/{invite.id}").json()
    assert (document["status"], document["expires_at"]) == ("processed", None)
    assert document["processed_at"] > document["created_at"]
    assert api.get("/admin/invites").json()["data"] == []
    assert list_bindings(api, "invite", invite.id) == []
    assert list_bindings(api, "user", user.id) == [
        binding | {"principal_type": "user", "principal_id": user.id} for binding in before
    ]
    assert [binding["role"] for binding in before] == ["OrgMember", "ProjectViewer"]


@pytest.mark.rule("invite-processed", "invite-final")
def test_processed_invite_cannot_change(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A processed invite cannot be resent, deleted or given a role."""
    invite = create_invite(emulator, api, "a@example.com")
    emulator.state.accept_invite(invite, emulator.clock.now())
    assert read_error(api.post(f"/admin/invites/{invite.id}/resend")) == (409, "ALREADY_EXISTS")
    response = api.post("/admin/role-bindings", json=binding_request("invite", invite.id, "OrgManager"))
    assert read_error(response) == (409, "ALREADY_EXISTS")
    assert read_error(api.delete(f"/admin/invites/{invite.id}")) == (409, "ABORTED")


@pytest.mark.rule("invite-pending")
def test_email_has_one_pending_invite(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A second invite for an email address, in any case, is refused and names the pending one."""
    pending = create_invite(emulator, api, "a@example.com")
    response = api.post("/admin/invites", json={"email": "A@example.com", "role_bindings": [MEMBER]})
    assert read_error(response) == (409, "ALREADY_EXISTS")
    assert pending.id in response.json()["error"]["message"]
    assert response.json()["error"]["details"] == {"invite_id": pending.id}


@pytest.mark.rule("invite-member")
def test_member_cannot_be_invited(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """An invite for the email address of a member is refused."""
    add_member(emulator, api, "a@example.com")
    response = api.post("/admin/invites", json={"email": "A@Example.com", "role_bindings": [MEMBER]})
    assert read_error(response) == (409, "ALREADY_EXISTS")


@pytest.mark.rule("invite-pending", "invite-resend")
def test_expired_invite_is_revived_and_not_replaced(connect: Connect, read_error: ReadError) -> None:
    """A second invite for the email address of an expired one is refused and names that, and a resend revives it."""
    emulator = Emulator(token_lifetime=30 * DAY)
    api = connect(emulator)
    expired = create_invite(emulator, api, "a@example.com")
    emulator.clock.advance(7 * DAY)
    response = api.post("/admin/invites", json={"email": "A@example.com", "role_bindings": [MEMBER]})
    assert read_error(response) == (409, "ALREADY_EXISTS")
    assert expired.id in response.json()["error"]["message"]
    assert response.json()["error"]["details"] == {"invite_id": expired.id}
    assert api.post(f"/admin/invites/{expired.id}/resend").json()["status"] == "pending"
    assert len(emulator.state.invites) == 1


def test_expired_invite_of_a_member_cannot_be_resent(connect: Connect, read_error: ReadError) -> None:
    """An expired invite cannot be resent once its email address is that of a member, and the error names the member."""
    emulator = Emulator(token_lifetime=30 * DAY)
    api = connect(emulator)
    expired = create_invite(emulator, api, "a@example.com")
    emulator.clock.advance(7 * DAY)
    member = emulator.add_user("a@example.com")
    response = api.post(f"/admin/invites/{expired.id}/resend")
    assert read_error(response) == (409, "ALREADY_EXISTS")
    assert response.json()["error"]["details"] == {"user_id": member.id}


@pytest.mark.rule("invite-role-bindings")
def test_invite_requires_an_organization_role(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """An invite requires an organization role and accepts at most one hundred role bindings."""
    viewer = {"resource_type": "project", "resource_id": create_project(emulator), "role": "ProjectViewer"}
    for grants in ([viewer], [], [MEMBER] * 101, MEMBER, None):
        response = api.post("/admin/invites", json={"email": "a@example.com", "role_bindings": grants})
        assert read_error(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["message"].startswith("role_bindings")


@pytest.mark.rule("deleted")
def test_deleted_invite_loses_its_role_bindings(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A deleted invite disappears at once with its role bindings."""
    invite = create_invite(emulator, api, "a@example.com")
    response = api.delete(f"/admin/invites/{invite.id}")
    assert (response.status_code, response.content) == (202, b"")
    assert list_bindings(api, "invite", invite.id) == []
    assert read_error(api.delete(f"/admin/invites/{invite.id}")) == (404, "NOT_FOUND")
    assert api.get("/admin/invites").json()["data"] == []
    create_invite(emulator, api, "a@example.com")


@pytest.mark.rule("invite-mails")
def test_invite_mails_are_limited_per_hour(connect: Connect, read_error: ReadError) -> None:
    """Create and resend share a limit of one hundred mails per hour, and Retry-After is the remaining wait."""
    emulator = Emulator(token_lifetime=DAY)
    api = connect(emulator)
    first = create_invite(emulator, api, "0@example.com")
    emulator.clock.advance(600)
    for number in range(1, 60):
        create_invite(emulator, api, f"{number}@example.com")
    for _ in range(40):
        api.post(f"/admin/invites/{first.id}/resend").raise_for_status()
    create = {"email": "0@example.com", "role_bindings": [MEMBER]}
    for response in (
        api.post("/admin/invites", json=create),
        api.post(f"/admin/invites/{first.id}/resend"),
    ):
        assert read_error(response) == (429, "RESOURCE_EXHAUSTED")
        assert response.headers["Retry-After"] == "3000"
    emulator.clock.advance(3000)
    assert api.post(f"/admin/invites/{first.id}/resend").status_code == 200
    assert api.post(f"/admin/invites/{first.id}/resend").headers["Retry-After"] == "600"


# Role bindings


@pytest.mark.rule("organization-bindings")
def test_organization_binding_has_the_organization_id(api: httpx.Client, emulator: Emulator) -> None:
    """An organization binding has the organization's id, whether the request contains the id or not."""
    account = create_service_account(emulator)
    first = api.post("/admin/role-bindings", json=binding_request("service_account", account, "OrgMember"))
    own = binding_request("service_account", account, "OrgManager") | {"resource_id": emulator.organization_id}
    second = api.post("/admin/role-bindings", json=own)
    assert first.status_code == second.status_code == 200
    assert first.json()["resource_id"] == second.json()["resource_id"] == emulator.organization_id
    assert api.get(f"/admin/role-bindings/{first.json()['id']}").json() == first.json()


@pytest.mark.rule("role-scopes")
def test_binding_accepts_the_roles_of_its_scope(api: httpx.Client, emulator: Emulator) -> None:
    """A service account accepts every organization role and, on a project, every project role."""
    account, project_id = create_service_account(emulator), create_project(emulator)
    for role in ORGANIZATION_ROLES:
        assert api.post("/admin/role-bindings", json=binding_request("service_account", account, role)).is_success
    for role in PROJECT_ROLES:
        document = binding_request("service_account", account, role, project_id)
        assert api.post("/admin/role-bindings", json=document).is_success


@pytest.mark.rule("role-scopes", "role-scopes-of-new-principals")
@pytest.mark.parametrize("role", ROLES)
def test_role_of_the_other_scope_is_refused(
    api: httpx.Client, emulator: Emulator, read_error: ReadError, role: str
) -> None:
    """A role of the other scope is forbidden in a binding, and invalid in an invite and a service account."""
    project_id, account = create_project(emulator), create_service_account(emulator)
    scope = {"resource_type": "project", "resource_id": project_id}
    grant = {"role": role} | (scope if role in ORGANIZATION_ROLES else {"resource_type": "organization"})
    binding = {"principal_type": "service_account", "principal_id": account} | grant
    for path, document, refusal in (
        ("/admin/role-bindings", binding, (403, "PERMISSION_DENIED")),
        ("/admin/invites", {"email": "a@example.com", "role_bindings": [MEMBER, grant]}, (400, "INVALID_ARGUMENT")),
        ("/admin/service-accounts", {"name": "ci", "role_bindings": [MEMBER, grant]}, (400, "INVALID_ARGUMENT")),
    ):
        response = api.post(path, json=document)
        assert read_error(response) == refusal
        assert role in response.json()["error"]["message"]


@pytest.mark.rule("project-bindings")
@pytest.mark.parametrize("resource_id", [None, ""])
def test_project_binding_requires_a_project_id(
    api: httpx.Client, emulator: Emulator, read_error: ReadError, resource_id: str | None
) -> None:
    """A project binding without a project id is refused, and the error names the entry."""
    grant = {"resource_type": "project", "role": "ProjectViewer"}
    if resource_id is not None:
        grant["resource_id"] = resource_id
    alone = {"principal_type": "service_account", "principal_id": create_service_account(emulator)} | grant
    assert read_error(api.post("/admin/role-bindings", json=alone)) == (400, "INVALID_ARGUMENT")
    response = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER, grant]})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "role_bindings[1].resource_id" in response.json()["error"]["message"]


@pytest.mark.rule("fields")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("principal_type", "robot"),
        ("principal_type", None),
        ("principal_id", 5),
        ("resource_type", "index"),
        ("resource_id", 5),
        ("role", "Emperor"),
        ("role", ["OrgMember"]),
    ],
)
def test_malformed_binding_is_refused(
    api: httpx.Client, emulator: Emulator, read_error: ReadError, field: str, value: object
) -> None:
    """An invalid value in a role binding is refused, and the error names the field."""
    document = binding_request("service_account", create_service_account(emulator), "OrgMember") | {field: value}
    response = api.post("/admin/role-bindings", json=document)
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert field in response.json()["error"]["message"]


@pytest.mark.rule("fields")
@pytest.mark.parametrize("field", ["principal_type", "principal_id", "resource_type", "role"])
def test_binding_requires_its_fields(api: httpx.Client, read_error: ReadError, field: str) -> None:
    """A role binding without a required field is refused, and the error names the field."""
    document = binding_request("service_account", UNKNOWN_ID, "OrgMember")
    del document[field]
    response = api.post("/admin/role-bindings", json=document)
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert field in response.json()["error"]["message"]


@pytest.mark.rule("service-account-role-bindings")
def test_role_bindings_entries_must_be_objects(api: httpx.Client, read_error: ReadError) -> None:
    """An entry that is not an object is refused with its index. More than one hundred entries are refused, too."""
    response = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER, "OrgMember"]})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "role_bindings[1]" in response.json()["error"]["message"]
    response = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER] * 101})
    assert read_error(response) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("member-first", "not-found")
@pytest.mark.parametrize("principal_type", ["user", "service_account", "api_key", "invite"])
def test_unknown_principal_is_not_found(
    api: httpx.Client, emulator: Emulator, read_error: ReadError, principal_type: str
) -> None:
    """A role binding for a principal outside the organization is refused as not found."""
    document = binding_request(principal_type, UNKNOWN_ID, "ProjectViewer", create_project(emulator))
    response = api.post("/admin/role-bindings", json=document)
    assert read_error(response) == (404, "NOT_FOUND")
    assert UNKNOWN_ID in response.json()["error"]["message"]


@pytest.mark.rule("not-found")
def test_unknown_resource_is_not_found(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A role binding on another organization or an unknown project is refused as not found."""
    account = create_service_account(emulator)
    foreign = binding_request("service_account", account, "OrgMember") | {"resource_id": "-NAbCdEfGhIjKlMnOpQr"}
    for document in (binding_request("service_account", account, "ProjectViewer", UNKNOWN_ID), foreign):
        assert read_error(api.post("/admin/role-bindings", json=document)) == (404, "NOT_FOUND")


@pytest.mark.rule("key-roles")
def test_key_accepts_key_roles_on_its_project(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """An API key accepts the six key roles, and only on its own project."""
    project_id, other = create_project(emulator), create_project(emulator)
    key = emulator.state.add_api_key(emulator.state.projects[project_id], "ci").id
    for role in API_KEY_ROLES:
        assert api.post("/admin/role-bindings", json=binding_request("api_key", key, role, project_id)).is_success
    for document in (
        binding_request("api_key", key, "ProjectOwner", project_id),
        binding_request("api_key", key, "OrgMember"),
        binding_request("api_key", key, "ProjectViewer"),
    ):
        assert read_error(api.post("/admin/role-bindings", json=document)) == (403, "PERMISSION_DENIED")
    elsewhere = binding_request("api_key", key, "ProjectViewer", other)
    assert read_error(api.post("/admin/role-bindings", json=elsewhere)) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("binding-exists")
def test_identical_binding_is_refused(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A binding with the same principal, resource and role is refused, and the error names the existing one."""
    document = binding_request("service_account", create_service_account(emulator), "OrgMember")
    first = api.post("/admin/role-bindings", json=document).json()
    response = api.post("/admin/role-bindings", json=document)
    assert read_error(response) == (409, "ALREADY_EXISTS")
    assert response.json()["error"]["details"] == {"role_binding_id": first["id"]}


@pytest.mark.rule("binding-exists")
@pytest.mark.parametrize(
    ("path", "document"),
    [("/admin/invites", {"email": "a@example.com"}), ("/admin/service-accounts", {"name": "ci"})],
)
def test_identical_bindings_in_one_request_are_refused(
    api: httpx.Client, emulator: Emulator, read_error: ReadError, path: str, document: dict[str, str]
) -> None:
    """Identical bindings in one request are refused, and nothing is created."""
    explicit = MEMBER | {"resource_id": emulator.organization_id}
    response = api.post(path, json=document | {"role_bindings": [MEMBER, explicit]})
    assert read_error(response) == (409, "ALREADY_EXISTS")
    assert "role_bindings[1]" in response.json()["error"]["message"]
    assert api.get(path).json()["data"] == api.get(path).json()["data"][:1]
    assert not emulator.state.invites


@pytest.mark.rule("last-owner")
def test_last_user_who_is_owner_cannot_be_removed(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A user has to remain OrgOwner; service accounts and invites that own the organization do not count."""
    (first,) = emulator.state.users
    (binding,) = list_bindings(api, "user", first)
    invite = create_invite(emulator, api, "a@example.com", OWNER)
    assert read_error(api.delete(f"/admin/role-bindings/{binding['id']}")) == (409, "ABORTED")
    assert read_error(api.delete(f"/admin/users/{first}")) == (409, "ABORTED")
    user = emulator.state.accept_invite(invite, emulator.clock.now())
    assert api.delete(f"/admin/users/{first}").status_code == 202
    assert read_error(api.delete(f"/admin/users/{user.id}")) == (409, "ABORTED")


@pytest.mark.rule("last-owner")
def test_service_account_can_lose_the_last_ownership_of_accounts(
    api: httpx.Client, emulator: Emulator, read_error: ReadError
) -> None:
    """The only service account that owns the organization can lose that role, since a user owns it, too."""
    (own,) = emulator.state.service_accounts
    (binding,) = list_bindings(api, "service_account", own)
    assert api.delete(f"/admin/role-bindings/{binding['id']}").status_code == 202
    assert read_error(api.get("/admin/users")) == (403, "PERMISSION_DENIED")


@pytest.mark.rule("first-owner")
def test_new_organization_has_one_user(emulator: Emulator) -> None:
    """A new organization, and one that is loaded without a list of users, has one user, who owns it."""
    emulator.load({"projects": [{"name": "search"}]})
    emulator.reset()
    (user,) = emulator.state.users.listing
    (binding,) = emulator.state.role_bindings.held_by(Principal("user", user.id))
    assert (binding.grant.role, binding.grant.resource_id) == ("OrgOwner", emulator.organization_id)
    emulator.load({"users": []})
    assert not len(emulator.state.users)


def test_owner_binding_of_an_invite_can_be_deleted(api: httpx.Client, emulator: Emulator) -> None:
    """The OrgOwner binding of an invite can be deleted."""
    invite = create_invite(emulator, api, "a@example.com", MEMBER, OWNER)
    owner = next(binding for binding in list_bindings(api, "invite", invite.id) if binding["role"] == "OrgOwner")
    assert api.delete(f"/admin/role-bindings/{owner['id']}").status_code == 202


@pytest.mark.rule("last-organization-role")
def test_last_organization_role_of_a_user_is_deleted_last(
    api: httpx.Client, emulator: Emulator, read_error: ReadError
) -> None:
    """A user's last organization role is deleted after all others, and the user with it."""
    project_id = create_project(emulator)
    viewer = {"resource_type": "project", "resource_id": project_id, "role": "ProjectViewer"}
    user = add_member(emulator, api, "a@example.com", MEMBER, viewer)
    member, on_project = list_bindings(api, "user", user.id)
    assert read_error(api.delete(f"/admin/role-bindings/{member['id']}")) == (409, "ABORTED")
    assert api.delete(f"/admin/role-bindings/{on_project['id']}").status_code == 202
    assert api.get(f"/admin/users/{user.id}").status_code == 200
    assert api.delete(f"/admin/role-bindings/{member['id']}").status_code == 202
    assert read_error(api.get(f"/admin/users/{user.id}")) == (404, "NOT_FOUND")
    assert read_error(api.delete(f"/admin/role-bindings/{member['id']}")) == (404, "NOT_FOUND")


@pytest.mark.rule("bindings-immutable")
def test_old_role_can_be_deleted_after_a_new_one(api: httpx.Client, emulator: Emulator) -> None:
    """A user's old organization role can be deleted after a new one is granted."""
    user = add_member(emulator, api, "a@example.com")
    (old,) = list_bindings(api, "user", user.id)
    new = api.post("/admin/role-bindings", json=binding_request("user", user.id, "OrgManager")).json()
    assert api.delete(f"/admin/role-bindings/{old['id']}").status_code == 202
    assert list_bindings(api, "user", user.id) == [new]


@pytest.mark.rule("invite-organization-role")
def test_invite_keeps_an_organization_role(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """The last organization role of a pending invite cannot be deleted."""
    invite = create_invite(emulator, api, "a@example.com")
    (only,) = list_bindings(api, "invite", invite.id)
    assert read_error(api.delete(f"/admin/role-bindings/{only['id']}")) == (409, "ABORTED")
    assert api.post("/admin/role-bindings", json=binding_request("invite", invite.id, "OrgManager")).status_code == 200
    assert api.delete(f"/admin/role-bindings/{only['id']}").status_code == 202


def test_service_account_can_lose_its_last_role(api: httpx.Client, emulator: Emulator) -> None:
    """A service account without any role still exists."""
    account = create_service_account(emulator, Grant("OrgMember", "organization", emulator.organization_id))
    (only,) = list_bindings(api, "service_account", account)
    assert api.delete(f"/admin/role-bindings/{only['id']}").status_code == 202
    assert api.get(f"/admin/service-accounts/{account}").status_code == 200


# People whom an identity provider manages


def change_person(emulator: Emulator, api: httpx.Client) -> dict[str, httpx.Response]:
    """Make every change of a person who has a user and an open invite, and return the responses."""
    user, account = (
        emulator.add_user("Ada@example.com", roles=["OrgMember", "OrgOwner"]),
        create_service_account(emulator),
    )
    invite = emulator.state.add_invite("Eve@example.com", emulator.clock.now())
    emulator.state.bind(Principal("invite", invite.id), [organization_grant(emulator)], emulator.clock.now())
    first, _ = list_bindings(api, "user", user.id)
    bindings = "/admin/role-bindings"
    return {
        "grant": api.post(bindings, json=binding_request("user", user.id, "OrgManager")),
        "revoke": api.delete(f"{bindings}/{first['id']}"),
        "remove": api.delete(f"/admin/users/{user.id}"),
        "invite": api.post("/admin/invites", json={"email": "bob@example.com", "role_bindings": [MEMBER]}),
        "grant by invite": api.post(bindings, json=binding_request("invite", invite.id, "OrgManager")),
        "resend": api.post(f"/admin/invites/{invite.id}/resend"),
        "withdraw": api.delete(f"/admin/invites/{invite.id}"),
        "grant to an account": api.post(bindings, json=binding_request("service_account", account, "OrgMember")),
    }


def organization_grant(emulator: Emulator) -> Grant:
    """Return the grant of OrgMember."""
    return Grant("OrgMember", "organization", emulator.organization_id)


@pytest.mark.rule("identity-provider")
@pytest.mark.parametrize(
    ("people", "refused"),
    [
        (True, {"grant", "revoke", "remove", "invite", "grant by invite", "resend", "withdraw"}),
        ({"ADA@example.com", "bob@example.com"}, {"grant", "revoke", "remove", "invite"}),
        (["eve@example.com"], {"grant by invite", "resend", "withdraw"}),
        (False, set[str]()),
    ],
)
def test_identity_provider_refuses_changes_of_its_people(
    connect: Connect, read_error: ReadError, people: Any, refused: set[str]
) -> None:
    """Changes of people whom an identity provider manages return 409, and service accounts are not managed."""
    emulator = Emulator(managed_people=people)
    responses = change_person(emulator, connect(emulator))
    assert {name for name, each in responses.items() if not each.is_success} == refused
    assert {read_error(responses[name]) for name in refused} <= {(409, "ABORTED")}


@pytest.mark.rule("identity-provider-sync")
def test_sync_reverts_changes_of_people(connect: Connect) -> None:
    """The next sync reverts changes of managed people. Other people and projects stay as they are."""
    people = ["ada@example.com", "bob@example.com", "dan@example.com", "eve@example.com"]
    emulator = Emulator(managed_people=people, managed_changes="reverted")
    api = connect(emulator)
    kept, deleted = create_project(emulator), create_project(emulator)
    roles: list[Any] = ["OrgMember", ("ProjectViewer", kept), ("ProjectEditor", deleted)]
    ada, bob = emulator.add_user("Ada@example.com", roles=roles), emulator.add_user("bob@example.com")
    zoe = emulator.add_user("zoe@example.com", roles=["OrgMember", ("ProjectViewer", kept)])
    before = {each.id: list_bindings(api, "user", each.id) for each in (ada, bob)}
    for each in (ada, zoe):
        *_, last = list_bindings(api, "user", each.id)
        assert api.delete(f"/admin/role-bindings/{last['id']}").status_code == 202
        assert api.post("/admin/role-bindings", json=binding_request("user", each.id, "OrgManager")).is_success
    assert api.delete(f"/admin/users/{bob.id}").status_code == 202
    create_invite(emulator, api, "Dan@example.com")
    add_member(emulator, api, "eve@example.com")
    assert api.delete(f"/admin/projects/{deleted}").status_code == 202
    changed = list_bindings(api, "user", zoe.id)
    emulator.sync()
    assert list_bindings(api, "user", ada.id) == [each for each in before[ada.id] if each["resource_id"] != deleted]
    assert list_bindings(api, "user", bob.id) == before[bob.id]
    assert list_bindings(api, "user", zoe.id) == changed
    assert [each["email"] for each in api.get("/admin/invites").json()["data"]] == []
    emails = {each["email"] for each in api.get("/admin/users").json()["data"]}
    assert emails == {"owner@example.com", "Ada@example.com", "bob@example.com", "zoe@example.com"}


@pytest.mark.rule("identity-provider-sync")
def test_sync_keeps_invites_from_before(connect: Connect) -> None:
    """A sync withdraws the invites that were sent since the first change of a person, and no older ones."""
    emulator = Emulator(managed_people=True, managed_changes="reverted")
    old = emulator.state.add_invite("ada@example.com", emulator.clock.now())
    ada = emulator.add_user("ada@example.com")
    emulator.clock.advance(8 * DAY)
    api = connect(emulator)
    assert api.delete(f"/admin/users/{ada.id}").status_code == 202
    create_invite(emulator, api, "bob@example.com")
    emulator.sync()
    assert [each["id"] for each in api.get("/admin/invites").json()["data"]] == [old.id]
    assert api.get(f"/admin/users/{ada.id}").status_code == 200


@pytest.mark.rule("plan-roles")
def test_role_outside_the_plan_is_refused(connect: Connect, read_error: ReadError) -> None:
    """A role that the plan does not include is refused, and the error names it."""
    emulator = Emulator(plan="Free")
    api = connect(emulator)
    project_id = create_project(emulator)
    viewer = {"resource_type": "project", "resource_id": project_id, "role": "DataPlaneViewer"}
    for path, document in (
        ("/admin/invites", {"email": "a@example.com", "role_bindings": [MEMBER, viewer]}),
        (
            "/admin/role-bindings",
            binding_request("service_account", create_service_account(emulator), viewer["role"], project_id),
        ),
    ):
        response = api.post(path, json=document)
        assert read_error(response) == (403, "PERMISSION_DENIED")
        assert "DataPlaneViewer" in response.json()["error"]["message"]


# Permissions; test_emulator_permissions.py has the matrix


@pytest.mark.rule("check-order")
def test_existence_is_checked_before_permission(
    emulator: Emulator, connect_with_roles: Callable[..., httpx.Client], read_error: ReadError
) -> None:
    """A caller that may not delete users receives 404 for an unknown id."""
    member = connect_with_roles(Grant("OrgMember", "organization", emulator.organization_id))
    assert read_error(member.delete(f"/admin/users/{UNKNOWN_ID}")) == (404, "NOT_FOUND")
