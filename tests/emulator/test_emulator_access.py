"""Who may do what: users, invites, role bindings, and what a principal may grant."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.model.records import Grant, InviteRecord, Principal, UserRecord
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES, ROLES

Connect = Callable[..., httpx.Client]
Refusal = Callable[[httpx.Response], tuple[int, str]]

MEMBER = {"resource_type": "organization", "role": "OrgMember"}
OWNER = {"resource_type": "organization", "role": "OrgOwner"}
NOBODY = "4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60"
DAY = 24 * 3600


def invited(emulator: Emulator, api: httpx.Client, email: str, *grants: dict[str, str]) -> InviteRecord:
    """Invite somebody, by default as a member."""
    document = {"email": email, "role_bindings": grants or [MEMBER]}
    answer = api.post("/admin/invites", json=document).raise_for_status().json()
    return emulator.state.invites[answer["id"]]


def joined(emulator: Emulator, api: httpx.Client, email: str, *grants: dict[str, str]) -> UserRecord:
    """Invite somebody who accepts."""
    invite = invited(emulator, api, email, *grants)
    return emulator.state.accept_invite(invite, emulator.clock.now())


def bindings(api: httpx.Client, principal_type: str, principal_id: str) -> list[dict[str, Any]]:
    """List a principal's role bindings."""
    held = {"principal_type": principal_type, "principal_id": principal_id}
    listed: list[dict[str, Any]] = api.get("/admin/role-bindings", params=held).json()["data"]
    return listed


def to(principal_type: str, principal_id: str, role: str, project_id: str | None = None) -> dict[str, str]:
    """Return the request that grants a role on a project or, without one, in the organization."""
    document = {"principal_type": principal_type, "principal_id": principal_id, "role": role}
    if project_id is None:
        return document | {"resource_type": "organization"}
    return document | {"resource_type": "project", "resource_id": project_id}


def made_project(emulator: Emulator) -> str:
    """Create a project."""
    return emulator.state.add_project("search", emulator.clock.now()).id


def made_account(emulator: Emulator, *grants: Grant) -> str:
    """Create a service account that holds roles."""
    account = emulator.state.add_service_account("ci", emulator.clock.now())
    emulator.state.bind(Principal("service_account", account.id), grants, emulator.clock.now())
    return account.id


@pytest.fixture
def act_as(emulator: Emulator, connect: Connect) -> Callable[..., httpx.Client]:
    """Return a function that logs in a service account with the roles given."""

    def act(*grants: Grant) -> httpx.Client:
        return connect(emulator, emulator.state.service_accounts.get(made_account(emulator, *grants)))

    return act


# Users


@pytest.mark.rule("email-filter")
def test_user_is_found_by_address_in_any_capitalization(api: httpx.Client, emulator: Emulator) -> None:
    """The list filtered by an address holds its user, however it is written, or nobody."""
    user = joined(emulator, api, "Alice@Example.com")
    joined(emulator, api, "bob@example.com")
    for address in ("alice@example.com", "ALICE@EXAMPLE.COM"):
        listed = api.get("/admin/users", params={"email": address}).json()
        assert listed == {"data": [{"id": user.id, "email": "Alice@Example.com"}], "pagination": None}
    assert api.get("/admin/users", params={"email": "carol@example.com"}).json()["data"] == []


@pytest.mark.rule("email", "email-filter")
@pytest.mark.parametrize("address", ["", "alice", "a@b", "a b@example.com", "a@example.com\n", "a@" + "x" * 254])
def test_malformed_address_is_refused(api: httpx.Client, refusal: Refusal, address: str) -> None:
    """What is no e-mail address is refused as a filter and in an invite."""
    assert refusal(api.get("/admin/users", params={"email": address})) == (400, "INVALID_ARGUMENT")
    answer = api.post("/admin/invites", json={"email": address, "role_bindings": [MEMBER]})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "email" in answer.json()["error"]["message"]


@pytest.mark.rule("email")
def test_longest_address_is_accepted(api: httpx.Client) -> None:
    """An address has up to 254 characters."""
    address = "a" * 242 + "@example.com"
    answer = api.post("/admin/invites", json={"email": address, "role_bindings": [MEMBER]})
    assert answer.json()["email"] == address


@pytest.mark.rule("user-name")
def test_user_name_is_left_out_when_unset(api: httpx.Client, emulator: Emulator) -> None:
    """A user without a name has no such field."""
    unnamed, named = emulator.state.add_user("a@example.com"), emulator.state.add_user("b@example.com", "Bob")
    assert api.get(f"/admin/users/{unnamed.id}").json() == {"id": unnamed.id, "email": "a@example.com"}
    assert api.get(f"/admin/users/{named.id}").json()["name"] == "Bob"


@pytest.mark.rule("deleted")
def test_user_is_removed_with_every_role(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """A removed user is gone at once, with their roles, and may be invited again."""
    user = joined(emulator, api, "a@example.com", MEMBER, OWNER)
    answer = api.delete(f"/admin/users/{user.id}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert refusal(api.get(f"/admin/users/{user.id}")) == (404, "NOT_FOUND")
    assert refusal(api.delete(f"/admin/users/{user.id}")) == (404, "NOT_FOUND")
    assert bindings(api, "user", user.id) == []
    invited(emulator, api, "a@example.com")


# Invites


@pytest.mark.rule("invite-lifetime", "invite-times", "invite-list")
def test_invite_lives_seven_days(connect: Connect, refusal: Refusal) -> None:
    """An invite is pending for seven days, then expired, and listed in both states."""
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
    assert refusal(api.get(path)) == (404, "NOT_FOUND")


@pytest.mark.rule("invite-resend")
def test_resend_revives_an_invite(connect: Connect) -> None:
    """Resending sets pending and seven days from now, on an expired invite too."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, tzinfo=UTC)), token_lifetime=30 * DAY)
    api = connect(emulator)
    path = f"/admin/invites/{invited(emulator, api, 'a@example.com').id}"
    emulator.clock.advance(8 * DAY)
    answer = api.post(f"{path}/resend")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert answer.json()["expires_at"] == "2026-07-16T00:00:00Z"
    assert answer.json()["created_at"] == "2026-07-01T00:00:00Z"


@pytest.mark.rule("invite-accepted", "invite-times", "invite-list")
def test_accepting_an_invite_makes_a_user(api: httpx.Client, emulator: Emulator) -> None:
    """The invite is processed and unlisted, and its bindings pass to a new user unchanged but for that."""
    project_id = made_project(emulator)
    viewer = {"resource_type": "project", "resource_id": project_id, "role": "ProjectViewer"}
    invite = invited(emulator, api, "a@example.com", MEMBER, viewer)
    before = bindings(api, "invite", invite.id)
    emulator.clock.advance(60)
    user = emulator.state.accept_invite(invite, emulator.clock.now())
    assert user.id != invite.id
    shown = api.get(f"/admin/invites/{invite.id}").json()
    assert (shown["status"], shown["expires_at"]) == ("processed", None)
    assert shown["processed_at"] > shown["created_at"]
    assert api.get("/admin/invites").json()["data"] == []
    assert bindings(api, "invite", invite.id) == []
    assert bindings(api, "user", user.id) == [
        binding | {"principal_type": "user", "principal_id": user.id} for binding in before
    ]
    assert [binding["role"] for binding in before] == ["OrgMember", "ProjectViewer"]


@pytest.mark.rule("invite-processed", "invite-final")
def test_processed_invite_is_final(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """A processed invite is neither resent nor bound nor deleted."""
    invite = invited(emulator, api, "a@example.com")
    emulator.state.accept_invite(invite, emulator.clock.now())
    assert refusal(api.post(f"/admin/invites/{invite.id}/resend")) == (409, "ALREADY_EXISTS")
    bind = api.post("/admin/role-bindings", json=to("invite", invite.id, "OrgManager"))
    assert refusal(bind) == (409, "ALREADY_EXISTS")
    assert refusal(api.delete(f"/admin/invites/{invite.id}")) == (409, "ABORTED")


@pytest.mark.rule("invite-pending")
def test_address_is_invited_once(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """While an invite is pending for an address, in any capitalization, another is refused and names it."""
    pending = invited(emulator, api, "a@example.com")
    answer = api.post("/admin/invites", json={"email": "A@example.com", "role_bindings": [MEMBER]})
    assert refusal(answer) == (409, "ALREADY_EXISTS")
    assert pending.id in answer.json()["error"]["message"]
    assert answer.json()["error"]["details"] == {"invite_id": pending.id}


@pytest.mark.rule("invite-member")
def test_member_is_not_invited(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """An address that belongs to a member is not invited."""
    joined(emulator, api, "a@example.com")
    answer = api.post("/admin/invites", json={"email": "A@Example.com", "role_bindings": [MEMBER]})
    assert refusal(answer) == (409, "ALREADY_EXISTS")


def test_expired_invite_makes_room(connect: Connect, refusal: Refusal) -> None:
    """An address whose invite expired may be invited anew, and then the old one is not revived."""
    emulator = Emulator(token_lifetime=30 * DAY)
    api = connect(emulator)
    old = invited(emulator, api, "a@example.com")
    emulator.clock.advance(7 * DAY)
    new = invited(emulator, api, "a@example.com")
    answer = api.post(f"/admin/invites/{old.id}/resend")
    assert refusal(answer) == (409, "ALREADY_EXISTS")
    assert new.id in answer.json()["error"]["message"]


@pytest.mark.rule("invite-role-bindings")
def test_invite_needs_an_organization_role(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """Project roles alone, none, or more than a hundred make no invite."""
    viewer = {"resource_type": "project", "resource_id": made_project(emulator), "role": "ProjectViewer"}
    for grants in ([viewer], [], [MEMBER] * 101, MEMBER, None):
        answer = api.post("/admin/invites", json={"email": "a@example.com", "role_bindings": grants})
        assert refusal(answer) == (400, "INVALID_ARGUMENT")
        assert answer.json()["error"]["message"].startswith("role_bindings")


@pytest.mark.rule("deleted")
def test_withdrawn_invite_takes_its_roles_along(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """A withdrawn invite is gone at once, with its bindings."""
    invite = invited(emulator, api, "a@example.com")
    answer = api.delete(f"/admin/invites/{invite.id}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert bindings(api, "invite", invite.id) == []
    assert refusal(api.delete(f"/admin/invites/{invite.id}")) == (404, "NOT_FOUND")
    assert api.get("/admin/invites").json()["data"] == []
    invited(emulator, api, "a@example.com")


@pytest.mark.rule("invite-mails")
def test_hundred_mails_an_hour(connect: Connect, refusal: Refusal) -> None:
    """Create and resend together send a hundred mails in any hour; Retry-After says when the next may go."""
    emulator = Emulator(token_lifetime=DAY)
    api = connect(emulator)
    first = invited(emulator, api, "0@example.com")
    emulator.clock.advance(600)
    for number in range(1, 60):
        invited(emulator, api, f"{number}@example.com")
    for _ in range(40):
        api.post(f"/admin/invites/{first.id}/resend").raise_for_status()
    create = {"email": "0@example.com", "role_bindings": [MEMBER]}
    for answer in (
        api.post("/admin/invites", json=create),
        api.post(f"/admin/invites/{first.id}/resend"),
    ):
        assert refusal(answer) == (429, "RESOURCE_EXHAUSTED")
        assert answer.headers["Retry-After"] == "3000"
    emulator.clock.advance(3000)
    assert api.post(f"/admin/invites/{first.id}/resend").status_code == 200
    assert api.post(f"/admin/invites/{first.id}/resend").headers["Retry-After"] == "600"


# Role bindings


@pytest.mark.rule("organization-bindings")
def test_organization_binding_names_the_organization(api: httpx.Client, emulator: Emulator) -> None:
    """An organization binding comes back with the organization's id, whether it was sent or not."""
    account = made_account(emulator)
    first = api.post("/admin/role-bindings", json=to("service_account", account, "OrgMember"))
    own = to("service_account", account, "OrgManager") | {"resource_id": emulator.organization_id}
    second = api.post("/admin/role-bindings", json=own)
    assert first.status_code == second.status_code == 200
    assert first.json()["resource_id"] == second.json()["resource_id"] == emulator.organization_id
    assert api.get(f"/admin/role-bindings/{first.json()['id']}").json() == first.json()


@pytest.mark.rule("role-scopes")
def test_binding_takes_the_roles_of_its_scope(api: httpx.Client, emulator: Emulator) -> None:
    """A service account takes every organization role in the organization, every project role on a project."""
    account, project_id = made_account(emulator), made_project(emulator)
    for role in ORGANIZATION_ROLES:
        assert api.post("/admin/role-bindings", json=to("service_account", account, role)).is_success
    for role in PROJECT_ROLES:
        document = to("service_account", account, role, project_id)
        assert api.post("/admin/role-bindings", json=document).is_success


@pytest.mark.rule("role-scopes")
@pytest.mark.parametrize("role", ROLES)
def test_bad_role_for_the_scope(api: httpx.Client, emulator: Emulator, refusal: Refusal, role: str) -> None:
    """A role of the other scope is refused, alone, in an invite and in a service account, by name."""
    project_id, account = made_project(emulator), made_account(emulator)
    scope = {"resource_type": "project", "resource_id": project_id}
    grant = {"role": role} | (scope if role in ORGANIZATION_ROLES else {"resource_type": "organization"})
    binding = {"principal_type": "service_account", "principal_id": account} | grant
    for path, document in (
        ("/admin/role-bindings", binding),
        ("/admin/invites", {"email": "a@example.com", "role_bindings": [MEMBER, grant]}),
        ("/admin/service-accounts", {"name": "ci", "role_bindings": [MEMBER, grant]}),
    ):
        answer = api.post(path, json=document)
        assert refusal(answer) == (400, "INVALID_ARGUMENT")
        assert role in answer.json()["error"]["message"]


@pytest.mark.rule("project-bindings")
@pytest.mark.parametrize("resource_id", [None, ""])
def test_project_binding_needs_its_project(
    api: httpx.Client, emulator: Emulator, refusal: Refusal, resource_id: str | None
) -> None:
    """A binding on a project without the project's id is refused, naming the entry."""
    grant = {"resource_type": "project", "role": "ProjectViewer"}
    if resource_id is not None:
        grant["resource_id"] = resource_id
    alone = {"principal_type": "service_account", "principal_id": made_account(emulator)} | grant
    assert refusal(api.post("/admin/role-bindings", json=alone)) == (400, "INVALID_ARGUMENT")
    answer = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER, grant]})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "role_bindings[1].resource_id" in answer.json()["error"]["message"]


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
    api: httpx.Client, emulator: Emulator, refusal: Refusal, field: str, value: object
) -> None:
    """An unknown or mistyped value in a binding is refused by name."""
    document = to("service_account", made_account(emulator), "OrgMember") | {field: value}
    answer = api.post("/admin/role-bindings", json=document)
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert field in answer.json()["error"]["message"]


@pytest.mark.rule("fields")
@pytest.mark.parametrize("field", ["principal_type", "principal_id", "resource_type", "role"])
def test_binding_needs_its_fields(api: httpx.Client, refusal: Refusal, field: str) -> None:
    """A binding without one of its fields is refused by name."""
    document = to("service_account", NOBODY, "OrgMember")
    del document[field]
    answer = api.post("/admin/role-bindings", json=document)
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert field in answer.json()["error"]["message"]


@pytest.mark.rule("service-account-role-bindings")
def test_entries_of_role_bindings_are_objects(api: httpx.Client, refusal: Refusal) -> None:
    """An entry that is no object is refused by its index; an account takes up to a hundred."""
    answer = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER, "OrgMember"]})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "role_bindings[1]" in answer.json()["error"]["message"]
    answer = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER] * 101})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("member-first", "not-found")
@pytest.mark.parametrize("principal_type", ["user", "service_account", "api_key", "invite"])
def test_unknown_principal_is_not_found(
    api: httpx.Client, emulator: Emulator, refusal: Refusal, principal_type: str
) -> None:
    """A principal outside the organization, a user who is no member yet included, is not found."""
    document = to(principal_type, NOBODY, "ProjectViewer", made_project(emulator))
    answer = api.post("/admin/role-bindings", json=document)
    assert refusal(answer) == (404, "NOT_FOUND")
    assert NOBODY in answer.json()["error"]["message"]


@pytest.mark.rule("not-found")
def test_unknown_resource_is_not_found(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """A project or organization that is not the caller's is not found."""
    account = made_account(emulator)
    foreign = to("service_account", account, "OrgMember") | {"resource_id": "-NAbCdEfGhIjKlMnOpQr"}
    for document in (to("service_account", account, "ProjectViewer", NOBODY), foreign):
        assert refusal(api.post("/admin/role-bindings", json=document)) == (404, "NOT_FOUND")


@pytest.mark.rule("key-roles")
def test_keys_take_key_roles_on_their_project(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """An API key takes the six roles for keys, and only on its own project."""
    project_id, other = made_project(emulator), made_project(emulator)
    key = emulator.state.add_api_key(emulator.state.projects[project_id], "ci").id
    for role in API_KEY_ROLES:
        assert api.post("/admin/role-bindings", json=to("api_key", key, role, project_id)).is_success
    for document in (
        to("api_key", key, "ProjectOwner", project_id),
        to("api_key", key, "OrgMember"),
        to("api_key", key, "ProjectViewer", other),
    ):
        assert refusal(api.post("/admin/role-bindings", json=document)) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("binding-exists")
def test_identical_binding_exists_already(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """A binding equal in principal, resource and role is refused and names the one that exists."""
    document = to("service_account", made_account(emulator), "OrgMember")
    first = api.post("/admin/role-bindings", json=document).json()
    answer = api.post("/admin/role-bindings", json=document)
    assert refusal(answer) == (409, "ALREADY_EXISTS")
    assert first["id"] in answer.json()["error"]["message"]


@pytest.mark.rule("binding-exists")
@pytest.mark.parametrize(
    ("path", "document"),
    [("/admin/invites", {"email": "a@example.com"}), ("/admin/service-accounts", {"name": "ci"})],
)
def test_one_request_does_not_bind_twice(
    api: httpx.Client, emulator: Emulator, refusal: Refusal, path: str, document: dict[str, str]
) -> None:
    """Identical bindings in one request are refused, and nothing is made."""
    explicit = MEMBER | {"resource_id": emulator.organization_id}
    answer = api.post(path, json=document | {"role_bindings": [MEMBER, explicit]})
    assert refusal(answer) == (409, "ALREADY_EXISTS")
    assert "role_bindings[1]" in answer.json()["error"]["message"]
    assert api.get(path).json()["data"] == api.get(path).json()["data"][:1]
    assert not emulator.state.invites


@pytest.mark.rule("last-owner")
def test_last_owner_stays(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """The last OrgOwner binding is not deleted; an invite with that role is no owner, a user is."""
    (own,) = api.get("/admin/role-bindings").json()["data"]
    invite = invited(emulator, api, "a@example.com", OWNER)
    assert refusal(api.delete(f"/admin/role-bindings/{own['id']}")) == (409, "ABORTED")
    user = emulator.state.accept_invite(invite, emulator.clock.now())
    api.post("/admin/role-bindings", json=to("service_account", own["principal_id"], "OrgMember"))
    assert api.delete(f"/admin/role-bindings/{own['id']}").status_code == 202
    (last,) = bindings(api, "user", user.id)
    assert refusal(api.delete(f"/admin/role-bindings/{last['id']}")) == (409, "ABORTED")
    assert refusal(api.delete(f"/admin/users/{user.id}")) == (409, "ABORTED")


def test_owner_invites_may_be_taken_back(api: httpx.Client, emulator: Emulator) -> None:
    """An invite's OrgOwner binding does not count as the last one."""
    invite = invited(emulator, api, "a@example.com", MEMBER, OWNER)
    owner = next(each for each in bindings(api, "invite", invite.id) if each["role"] == "OrgOwner")
    assert api.delete(f"/admin/role-bindings/{owner['id']}").status_code == 202


@pytest.mark.rule("last-organization-role")
def test_user_keeps_an_organization_role_while_holding_others(
    api: httpx.Client, emulator: Emulator, refusal: Refusal
) -> None:
    """A user's last organization role goes last, and with it the user."""
    project_id = made_project(emulator)
    viewer = {"resource_type": "project", "resource_id": project_id, "role": "ProjectViewer"}
    user = joined(emulator, api, "a@example.com", MEMBER, viewer)
    member, on_project = bindings(api, "user", user.id)
    assert refusal(api.delete(f"/admin/role-bindings/{member['id']}")) == (409, "ABORTED")
    assert api.delete(f"/admin/role-bindings/{on_project['id']}").status_code == 202
    assert api.get(f"/admin/users/{user.id}").status_code == 200
    assert api.delete(f"/admin/role-bindings/{member['id']}").status_code == 202
    assert refusal(api.get(f"/admin/users/{user.id}")) == (404, "NOT_FOUND")
    assert refusal(api.delete(f"/admin/role-bindings/{member['id']}")) == (404, "NOT_FOUND")


@pytest.mark.rule("bindings-immutable")
def test_role_changes_by_create_then_delete(api: httpx.Client, emulator: Emulator) -> None:
    """With the new organization role granted first, the old one may go."""
    user = joined(emulator, api, "a@example.com")
    (old,) = bindings(api, "user", user.id)
    new = api.post("/admin/role-bindings", json=to("user", user.id, "OrgManager")).json()
    assert api.delete(f"/admin/role-bindings/{old['id']}").status_code == 202
    assert bindings(api, "user", user.id) == [new]


@pytest.mark.rule("invite-organization-role")
def test_invite_keeps_an_organization_role(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """A pending invite's last organization role stays; a further one may go."""
    invite = invited(emulator, api, "a@example.com")
    (only,) = bindings(api, "invite", invite.id)
    assert refusal(api.delete(f"/admin/role-bindings/{only['id']}")) == (409, "ABORTED")
    assert api.post("/admin/role-bindings", json=to("invite", invite.id, "OrgManager")).status_code == 200
    assert api.delete(f"/admin/role-bindings/{only['id']}").status_code == 202


def test_service_account_may_lose_its_last_role(api: httpx.Client, emulator: Emulator) -> None:
    """A service account without any role stays what it is."""
    account = made_account(emulator, Grant("OrgMember", "organization", emulator.organization_id))
    (only,) = bindings(api, "service_account", account)
    assert api.delete(f"/admin/role-bindings/{only['id']}").status_code == 202
    assert api.get(f"/admin/service-accounts/{account}").status_code == 200


@pytest.mark.rule("identity-provider")
def test_identity_provider_manages_its_users(connect: Connect, refusal: Refusal) -> None:
    """Users whom an identity provider manages are neither removed nor stripped of roles here."""
    emulator = Emulator(identity_provider=True)
    api = connect(emulator)
    user = joined(emulator, api, "a@example.com", MEMBER, OWNER)
    first, _ = bindings(api, "user", user.id)
    assert refusal(api.delete(f"/admin/role-bindings/{first['id']}")) == (409, "ABORTED")
    assert refusal(api.delete(f"/admin/users/{user.id}")) == (409, "ABORTED")
    account = made_account(emulator, Grant("OrgMember", "organization", emulator.organization_id))
    (binding,) = bindings(api, "service_account", account)
    assert api.delete(f"/admin/role-bindings/{binding['id']}").status_code == 202


@pytest.mark.rule("plan-roles")
def test_plan_lacks_roles(connect: Connect, refusal: Refusal) -> None:
    """A role that the plan lacks is refused, by name, wherever it is granted."""
    emulator = Emulator(plan="Free")
    api = connect(emulator)
    project_id = made_project(emulator)
    viewer = {"resource_type": "project", "resource_id": project_id, "role": "DataPlaneViewer"}
    for path, document in (
        ("/admin/invites", {"email": "a@example.com", "role_bindings": [MEMBER, viewer]}),
        ("/admin/role-bindings", to("service_account", made_account(emulator), viewer["role"], project_id)),
    ):
        answer = api.post(path, json=document)
        assert refusal(answer) == (403, "PERMISSION_DENIED")
        assert "DataPlaneViewer" in answer.json()["error"]["message"]


# Permission


@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
def test_any_organization_role_reads(emulator: Emulator, act_as: Callable[..., httpx.Client], role: str) -> None:
    """Every organization role opens what concerns the whole organization."""
    api = act_as(Grant(role, "organization", emulator.organization_id))
    for name in ("organizations", "projects", "users", "invites", "service-accounts", "role-bindings"):
        assert api.get(f"/admin/{name}").status_code == 200


@pytest.mark.rule("organization-role")
def test_without_organization_role_organization_wide_operations_are_refused(
    emulator: Emulator, api: httpx.Client, act_as: Callable[..., httpx.Client], refusal: Refusal
) -> None:
    """Who holds roles on projects only is refused what concerns the whole organization, and no more."""
    project_id = made_project(emulator)
    invite = invited(emulator, api, "a@example.com")
    user = joined(emulator, api, "b@example.com")
    (own, *_) = emulator.state.service_accounts.listing
    (owner, *_) = api.get("/admin/role-bindings").json()["data"]
    outsider = act_as(Grant("ProjectOwner", "project", project_id))
    account = f"/admin/service-accounts/{own.id}"
    for method, path, document in (
        ("GET", "/admin/organizations", None),
        ("GET", f"/admin/organizations/{emulator.organization_id}", None),
        ("PATCH", f"/admin/organizations/{emulator.organization_id}", {"name": "x"}),
        ("DELETE", f"/admin/organizations/{emulator.organization_id}", None),
        ("GET", "/admin/projects", None),
        ("POST", "/admin/projects", {"name": "x"}),
        ("GET", "/admin/users", None),
        ("GET", f"/admin/users/{user.id}", None),
        ("DELETE", f"/admin/users/{user.id}", None),
        ("GET", "/admin/invites", None),
        ("POST", "/admin/invites", {"email": "c@example.com", "role_bindings": [MEMBER]}),
        ("GET", f"/admin/invites/{invite.id}", None),
        ("DELETE", f"/admin/invites/{invite.id}", None),
        ("POST", f"/admin/invites/{invite.id}/resend", None),
        ("GET", "/admin/service-accounts", None),
        ("POST", "/admin/service-accounts", {"name": "x"}),
        ("GET", account, None),
        ("PATCH", account, {"name": "x"}),
        ("DELETE", account, None),
        ("POST", f"{account}/rotate-secret", None),
        ("GET", "/admin/role-bindings", None),
        ("POST", "/admin/role-bindings", to("user", user.id, "OrgManager")),
        ("GET", f"/admin/role-bindings/{owner['id']}", None),
        ("DELETE", f"/admin/role-bindings/{owner['id']}", None),
    ):
        assert refusal(outsider.request(method, path, json=document)) == (403, "PERMISSION_DENIED"), path
    created = outsider.post(f"/admin/projects/{project_id}/api-keys", json={"name": "ci"})
    assert created.status_code == 201
    bound = outsider.post("/admin/role-bindings", json=to("user", user.id, "ProjectViewer", project_id))
    assert outsider.get(f"/admin/role-bindings/{bound.json()['id']}").status_code == 200
    assert outsider.delete(f"/admin/role-bindings/{bound.json()['id']}").status_code == 202
    assert outsider.patch(f"/admin/projects/{project_id}", json={"name": "x"}).status_code == 200


@pytest.mark.rule("check-order")
def test_existence_precedes_permission(act_as: Callable[..., httpx.Client], refusal: Refusal) -> None:
    """Who may not look is still told first that there is nothing to see."""
    assert refusal(act_as().get(f"/admin/users/{NOBODY}")) == (404, "NOT_FOUND")


@pytest.mark.rule("grant-rule")
@pytest.mark.parametrize(
    ("held", "granted", "allowed"),
    [
        ("OrgOwner", "OrgOwner", True),
        ("OrgOwner", "ProjectOwner", True),
        ("OrgManager", "OrgMember", True),
        ("OrgManager", "OrgManager", True),
        ("OrgManager", "OrgOwner", False),
        ("OrgManager", "ProjectViewer", False),
        ("OrgBillingAdmin", "OrgManager", False),
        ("OrgMember", "OrgMember", True),
        ("OrgMember", "OrgBillingAdmin", False),
        ("ProjectOwner", "ProjectOwner", True),
        ("ProjectOwner", "DataPlaneViewer", True),
        ("ProjectManager", "ProjectOwner", False),
        ("ProjectEditor", "DataPlaneEditor", True),
        ("ProjectViewer", "DataPlaneViewer", True),
        ("ProjectViewer", "DataPlaneEditor", False),
        ("DataPlaneEditor", "DataPlaneViewer", True),
        ("DataPlaneEditor", "ControlPlaneViewer", False),
        ("ControlPlaneViewer", "ControlPlaneEditor", False),
    ],
)
def test_nobody_grants_what_they_do_not_hold(
    emulator: Emulator,
    act_as: Callable[..., httpx.Client],
    held: str,
    granted: str,
    allowed: bool,
) -> None:
    """A role is granted by who holds it, or one that includes it, on that resource."""
    project_id = made_project(emulator)
    organization = ("organization", emulator.organization_id)
    own = Grant(held, *(organization if held in ORGANIZATION_ROLES else ("project", project_id)))
    member = Grant("OrgMember", *organization)
    document = to("service_account", made_account(emulator), granted, project_id if granted in PROJECT_ROLES else None)
    answer = act_as(own, member).post("/admin/role-bindings", json=document)
    assert answer.status_code == (200 if allowed else 403)
    assert allowed or granted in answer.json()["error"]["message"]


@pytest.mark.rule("grant-rule")
def test_project_owner_grants_on_no_other_project(
    emulator: Emulator, act_as: Callable[..., httpx.Client], refusal: Refusal
) -> None:
    """What is held on one project does not count on another."""
    own, other = made_project(emulator), made_project(emulator)
    document = to("service_account", made_account(emulator), "ProjectViewer", other)
    answer = act_as(Grant("ProjectOwner", "project", own)).post("/admin/role-bindings", json=document)
    assert refusal(answer) == (403, "PERMISSION_DENIED")


@pytest.mark.rule("grant-rule")
def test_grant_rule_holds_wherever_roles_are_granted(
    emulator: Emulator, act_as: Callable[..., httpx.Client], refusal: Refusal
) -> None:
    """Invites, service accounts and keys take no role that their creator does not hold."""
    project = emulator.state.add_project("search", emulator.clock.now())
    key = emulator.state.add_api_key(project, "ci")
    api = act_as(Grant("OrgMember", "organization", emulator.organization_id))
    for method, path, document in (
        ("POST", "/admin/invites", {"email": "a@example.com", "role_bindings": [MEMBER, OWNER]}),
        ("POST", "/admin/service-accounts", {"name": "ci", "role_bindings": [OWNER]}),
        ("POST", f"/admin/projects/{project.id}/api-keys", {"name": "ci"}),
        ("PATCH", f"/admin/api-keys/{key.id}", {"roles": ["ProjectViewer"]}),
    ):
        assert refusal(api.request(method, path, json=document)) == (403, "PERMISSION_DENIED")
    assert api.patch(f"/admin/api-keys/{key.id}", json={"name": "renamed"}).status_code == 200
    assert api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": [MEMBER]}).status_code == 201


@pytest.mark.rule("role-union")
def test_roles_are_the_union_of_bindings(emulator: Emulator, act_as: Callable[..., httpx.Client]) -> None:
    """Two roles together allow what each allows."""
    project_id = made_project(emulator)
    viewers = [Grant(role, "project", project_id) for role in ("ControlPlaneViewer", "DataPlaneViewer")]
    api = act_as(*viewers)
    roles = ["ControlPlaneViewer", "DataPlaneViewer"]
    answer = api.post(f"/admin/projects/{project_id}/api-keys", json={"name": "ci", "roles": roles})
    assert answer.status_code == 201
