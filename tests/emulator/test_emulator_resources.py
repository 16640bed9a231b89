"""Organizations, projects, API keys and service accounts: fields, defaults, limits, refusals, revocation."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from attrs import evolve

from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.model.records import PROJECT_CONTENTS
from pinecone_admin.emulator.model.settings import PLANS

Connect = Callable[..., httpx.Client]
Refusal = Callable[[httpx.Response], tuple[int, str]]

NOBODY = "4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60"


def project(api: httpx.Client, **fields: object) -> dict[str, Any]:
    """Create a project."""
    return _object(api.post("/admin/projects", json={"name": "search"} | fields))


def key(api: httpx.Client, project_id: str, **fields: object) -> dict[str, Any]:
    """Create an API key."""
    return _object(api.post(f"/admin/projects/{project_id}/api-keys", json={"name": "ci"} | fields))


def service_account(api: httpx.Client, **fields: object) -> dict[str, Any]:
    """Create a service account."""
    return _object(api.post("/admin/service-accounts", json={"name": "ci"} | fields))


def _object(answer: httpx.Response) -> dict[str, Any]:
    document: dict[str, Any] = answer.raise_for_status().json()
    return document


# Every namespace


@pytest.mark.rule("not-found", "error-shape")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/organizations/{}"),
        ("PATCH", "/admin/organizations/{}"),
        ("DELETE", "/admin/organizations/{}"),
        ("GET", "/admin/projects/{}"),
        ("PATCH", "/admin/projects/{}"),
        ("DELETE", "/admin/projects/{}"),
        ("GET", "/admin/projects/{}/api-keys"),
        ("POST", "/admin/projects/{}/api-keys"),
        ("GET", "/admin/api-keys/{}"),
        ("PATCH", "/admin/api-keys/{}"),
        ("DELETE", "/admin/api-keys/{}"),
        ("GET", "/admin/users/{}"),
        ("DELETE", "/admin/users/{}"),
        ("GET", "/admin/invites/{}"),
        ("DELETE", "/admin/invites/{}"),
        ("POST", "/admin/invites/{}/resend"),
        ("GET", "/admin/service-accounts/{}"),
        ("PATCH", "/admin/service-accounts/{}"),
        ("DELETE", "/admin/service-accounts/{}"),
        ("POST", "/admin/service-accounts/{}/rotate-secret"),
        ("GET", "/admin/role-bindings/{}"),
        ("DELETE", "/admin/role-bindings/{}"),
    ],
)
@pytest.mark.parametrize("target", [NOBODY, "not-a-uuid"])
def test_what_does_not_exist_is_not_found(
    api: httpx.Client, refusal: Refusal, method: str, path: str, target: str
) -> None:
    """An id that belongs to nothing is not found, by name."""
    answer = api.request(method, path.format(target), json={"name": "x"})
    assert refusal(answer) == (404, "NOT_FOUND")
    assert target in answer.json()["error"]["message"]


@pytest.mark.rule("project-name", "key-name", "service-account-name")
@pytest.mark.parametrize(
    ("path", "most", "letter"),
    [
        ("/admin/projects", 512, "é"),
        ("/admin/projects/{project}/api-keys", 80, "é"),
        ("/admin/service-accounts", 80, "x"),
        ("/admin/service-accounts", 40, "é"),
    ],
)
def test_names_have_a_length(api: httpx.Client, refusal: Refusal, path: str, most: int, letter: str) -> None:
    """Names have 1 to 512 or 80 characters; those of service accounts are counted in bytes."""
    path = path.format(project=project(api)["id"])
    assert api.post(path, json={"name": letter * most}).is_success
    for name in ("", letter * (most + 1)):
        assert refusal(api.post(path, json={"name": name})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("fields")
@pytest.mark.parametrize("name", [None, 5, True, ["x"], {"x": 1}, 1.5])
def test_names_are_strings(api: httpx.Client, emulator: Emulator, refusal: Refusal, name: object) -> None:
    """A name of another JSON type is refused in creates and updates alike, naming the field."""
    created = project(api)["id"]
    for method, path in (
        ("POST", "/admin/projects"),
        ("PATCH", f"/admin/projects/{created}"),
        ("PATCH", f"/admin/organizations/{emulator.organization_id}"),
    ):
        answer = api.request(method, path, json={"name": name})
        assert refusal(answer) == (400, "INVALID_ARGUMENT")
        assert answer.json()["error"]["message"].startswith("name must be a string")


@pytest.mark.rule("fields")
@pytest.mark.parametrize("path", ["/admin/projects", "/admin/service-accounts", "/admin/invites"])
def test_required_fields_are_named(api: httpx.Client, refusal: Refusal, path: str) -> None:
    """A missing field is refused by name."""
    answer = api.post(path, json={})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "is missing" in answer.json()["error"]["message"]


def test_unknown_fields_pass(api: httpx.Client) -> None:
    """A field that the document does not have is ignored."""
    assert "color" not in project(api, color="blue")


@pytest.mark.rule("check-order")
def test_validation_precedes_existence(api: httpx.Client, refusal: Refusal) -> None:
    """A malformed change of what does not exist is malformed first."""
    assert refusal(api.patch(f"/admin/projects/{NOBODY}", json={"name": ""})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("names-not-unique")
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/admin/projects", "id"),
        ("/admin/projects/{project}/api-keys", "key"),
        ("/admin/service-accounts", "service_account"),
    ],
)
def test_names_are_not_unique(api: httpx.Client, path: str, field: str) -> None:
    """Creating twice under one name makes two things."""
    path = path.format(project=project(api)["id"])
    first, second = (api.post(path, json={"name": "same"}).raise_for_status().json() for _ in range(2))
    assert first[field] != second[field]


# Organizations


@pytest.mark.rule("organization-id")
def test_organization_is_the_callers(api: httpx.Client, emulator: Emulator) -> None:
    """The one organization is listed and described, with an id that is no UUID."""
    (organization,) = api.get("/admin/organizations").json()["data"]
    assert organization == api.get(f"/admin/organizations/{emulator.organization_id}").json()
    assert organization["plan"] == "Enterprise"
    assert organization["payment_status"] == "Active"
    assert organization["id"].startswith("-N")
    assert len(organization["id"]) == 20


@pytest.mark.rule("organization-name")
def test_organization_is_renamed(api: httpx.Client, emulator: Emulator) -> None:
    """A name of up to 512 characters replaces the old one, and no name changes nothing."""
    path = f"/admin/organizations/{emulator.organization_id}"
    assert api.patch(path, json={"name": "é" * 512}).json()["name"] == "é" * 512
    assert api.patch(path, json={}).json()["name"] == "é" * 512
    assert api.patch(path, json={"name": "x" * 513}).status_code == 400


@pytest.mark.rule("organization-deletion")
@pytest.mark.parametrize(
    ("plan", "payment_status", "blocker"),
    [("Standard", "PastDue", "Standard"), ("Free", "PastDue", "PastDue"), ("Free", "Active", "1 projects")],
)
def test_organization_deletion_is_blocked(
    connect: Connect, refusal: Refusal, plan: str, payment_status: str, blocker: str
) -> None:
    """An organization that is not free, not paid up or not empty stays, and the first blocker is named."""
    emulator = Emulator(plan=plan, payment_status=payment_status)
    api = connect(emulator)
    project(api)
    answer = api.delete(f"/admin/organizations/{emulator.organization_id}")
    assert refusal(answer) == (412, "FAILED_PRECONDITION")
    assert blocker in answer.json()["error"]["message"]


def test_organization_deletion_leaves_nobody(connect: Connect, refusal: Refusal) -> None:
    """With the organization go its invites, users and service accounts, the caller's included."""
    emulator = Emulator(plan="Free")
    api = connect(emulator)
    for email in ("a@example.com", "b@example.com"):
        grants = [{"resource_type": "organization", "role": "OrgMember"}]
        api.post("/admin/invites", json={"email": email, "role_bindings": grants}).raise_for_status()
    emulator.state.accept_invite(next(iter(emulator.state.open_invites)), emulator.clock.now())
    answer = api.delete(f"/admin/organizations/{emulator.organization_id}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert refusal(api.get("/admin/organizations")) == (401, "UNAUTHENTICATED")
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        connect(emulator)
    assert not emulator.state.invites
    assert not len(emulator.state.role_bindings)
    assert not len(emulator.state.users)


# Projects


@pytest.mark.rule("max-pods", "encryption")
def test_project_defaults(connect: Connect) -> None:
    """A project has no pods and no forced encryption until it is told otherwise."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC)))
    api = connect(emulator)
    answer = api.post("/admin/projects", json={"name": "search"})
    created = answer.json()
    assert answer.status_code == 200
    assert created == {
        "id": created["id"],
        "name": "search",
        "max_pods": 0,
        "force_encryption_with_cmek": False,
        "organization_id": emulator.organization_id,
        "created_at": "2026-07-01T12:00:00Z",
    }
    assert api.get(f"/admin/projects/{created['id']}").json() == created
    assert api.get("/admin/projects").json() == {"data": [created]}


@pytest.mark.rule("project-name")
def test_project_names_have_no_nul(api: httpx.Client, refusal: Refusal) -> None:
    """NUL in a project's name is refused."""
    assert refusal(api.post("/admin/projects", json={"name": "a\0b"})) == (400, "INVALID_ARGUMENT")


def test_project_update_keeps_what_is_not_sent(connect: Connect) -> None:
    """A change of one field leaves the others."""
    api = connect(Emulator(pod_access=True))
    path = f"/admin/projects/{project(api, max_pods=3)['id']}"
    assert api.patch(path, json={"name": "renamed"}).json()["max_pods"] == 3
    assert api.patch(path, json={"max_pods": 0}).json()["name"] == "renamed"
    assert api.get(path).json()["max_pods"] == 0


@pytest.mark.parametrize("value", [1.0, "1", True, None, -1])
def test_max_pods_is_a_count(connect: Connect, refusal: Refusal, value: object) -> None:
    """What is not an integer of at least 0 is no number of pods."""
    answer = connect(Emulator(pod_access=True)).post("/admin/projects", json={"name": "x", "max_pods": value})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "max_pods" in answer.json()["error"]["message"]


@pytest.mark.rule("pod-access")
def test_pods_need_access(api: httpx.Client, refusal: Refusal) -> None:
    """Without pod access more than 0 pods are refused, in create and update."""
    created = project(api, max_pods=0)["id"]
    answer = api.post("/admin/projects", json={"name": "pods", "max_pods": 2})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert refusal(api.patch(f"/admin/projects/{created}", json={"max_pods": 1})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("encryption")
def test_encryption_is_never_turned_off(api: httpx.Client, refusal: Refusal) -> None:
    """Forced encryption goes on and not off; off where it never was on changes nothing."""
    path = f"/admin/projects/{project(api)['id']}"
    field = "force_encryption_with_cmek"
    assert api.patch(path, json={field: False}).json()[field] is False
    assert api.patch(path, json={field: True}).json()[field] is True
    assert api.patch(path, json={"name": "x"}).json()[field] is True
    assert refusal(api.patch(path, json={field: False, "name": "y"})) == (400, "INVALID_ARGUMENT")
    assert api.get(path).json()["name"] == "x"


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_encryption_is_a_boolean(api: httpx.Client, refusal: Refusal, value: object) -> None:
    """Only true and false are booleans."""
    answer = api.post("/admin/projects", json={"name": "x", "force_encryption_with_cmek": value})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("project-quota")
@pytest.mark.parametrize(("plan", "quota"), [("Free", 1), ("Standard", 5), ("Enterprise", 20), ("Dedicated", 100)])
def test_projects_have_a_quota(connect: Connect, refusal: Refusal, plan: str, quota: int) -> None:
    """Each plan allows so many projects; deleting one makes room."""
    api = connect(Emulator(plan=plan))
    created = [project(api)["id"] for _ in range(quota)]
    answer = api.post("/admin/projects", json={"name": "one more"})
    assert refusal(answer) == (403, "QUOTA_EXCEEDED")
    assert str(quota) in answer.json()["error"]["message"]
    assert api.delete(f"/admin/projects/{created[0]}").status_code == 202
    project(api)


def test_project_quota_is_configurable(connect: Connect, refusal: Refusal) -> None:
    """A quota of one's own replaces the plan's."""
    api = connect(Emulator(plan="Free", project_quota=2))
    project(api)
    project(api)
    assert refusal(api.post("/admin/projects", json={"name": "x"})) == (403, "QUOTA_EXCEEDED")


@pytest.mark.rule("billing")
@pytest.mark.parametrize("status", ["Restricted", "Suspended", "Deactivated"])
def test_billing_state_forbids_creating(connect: Connect, refusal: Refusal, status: str) -> None:
    """Where bills were not paid for long, neither projects nor keys are created, and the rest goes on."""
    emulator = Emulator()
    api = connect(emulator)
    created = project(api)["id"]
    emulator.state.organization.payment_status = status
    for path in ("/admin/projects", f"/admin/projects/{created}/api-keys"):
        answer = api.post(path, json={"name": "x"})
        assert refusal(answer)[0] == 402
        assert status in answer.json()["error"]["message"]
    assert api.patch(f"/admin/projects/{created}", json={"name": "y"}).status_code == 200


@pytest.mark.parametrize("status", ["Active", "PaymentPending", "PastDue"])
def test_other_billing_states_allow_creating(connect: Connect, status: str) -> None:
    """While payment is only awaited, things are created."""
    project(connect(Emulator(payment_status=status)))


@pytest.mark.rule("project-contents")
def test_project_contents_block_its_deletion(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """The first of indexes, collections, assistants, backups is named until none is left."""
    created = project(api)["id"]
    contents = emulator.state.projects[created].contents
    for kind in PROJECT_CONTENTS:
        contents[kind].update({"a", "b"})
    for kind in ("indexes", "collections", "assistants", "backups"):
        answer = api.delete(f"/admin/projects/{created}")
        assert refusal(answer) == (412, "FAILED_PRECONDITION")
        assert f"2 {kind}" in answer.json()["error"]["message"]
        contents[kind].clear()
    assert api.delete(f"/admin/projects/{created}").status_code == 202


@pytest.mark.rule("project-keys", "deleted")
def test_deleting_a_project_deletes_its_keys(api: httpx.Client, emulator: Emulator, refusal: Refusal) -> None:
    """Keys do not block a project's deletion: they and every role on the project go with it."""
    created = project(api)["id"]
    deleted = key(api, created)["key"]["id"]
    grants = [{"resource_type": "project", "resource_id": created, "role": "ProjectViewer"}]
    service_account(api, role_bindings=grants)
    answer = api.delete(f"/admin/projects/{created}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert refusal(api.delete(f"/admin/projects/{created}")) == (404, "NOT_FOUND")
    assert refusal(api.get(f"/admin/api-keys/{deleted}")) == (404, "NOT_FOUND")
    assert len(emulator.state.role_bindings) == 1


# API keys


@pytest.mark.rule("secrets-once", "key-value", "key-fields", "key-roles-default")
def test_key_is_shown_once(api: httpx.Client) -> None:
    """Create answers 201 with the value, which nothing shows again."""
    created = project(api)["id"]
    answer = api.post(f"/admin/projects/{created}/api-keys", json={"name": "ci"})
    document = answer.json()
    assert answer.status_code == 201
    assert set(document) == {"key", "value"}
    assert document["key"] == {
        "id": document["key"]["id"],
        "name": "ci",
        "project_id": created,
        "roles": ["ProjectEditor"],
    }
    prefix, label, unique = document["value"].split("_")
    assert (prefix, bool(label), bool(unique)) == ("pcsk", True, True)
    path = f"/admin/api-keys/{document['key']['id']}"
    for shown in (api.get(path), api.patch(path, json={}), api.get(f"/admin/projects/{created}/api-keys")):
        assert document["value"] not in shown.text
    assert api.get(path).json() == document["key"]


@pytest.mark.rule("key-value")
def test_key_prefix_is_configurable(connect: Connect) -> None:
    """A key's value begins as the emulator was told."""
    api = connect(Emulator(key_prefix="pckey_"))
    assert key(api, project(api)["id"])["value"].startswith("pckey_")


@pytest.mark.rule("key-roles-replaced")
def test_key_roles_are_a_set_that_patch_replaces(api: httpx.Client) -> None:
    """Roles come in the order sent, repeated ones once; PATCH replaces them, and without roles keeps them."""
    created = project(api)["id"]
    roles = ["DataPlaneViewer", "ControlPlaneViewer", "DataPlaneViewer"]
    made = key(api, created, roles=roles)["key"]
    assert made["roles"] == ["DataPlaneViewer", "ControlPlaneViewer"]
    path = f"/admin/api-keys/{made['id']}"
    replaced = api.patch(path, json={"roles": ["DataPlaneEditor", "DataPlaneViewer"]}).json()
    assert replaced["roles"] == ["DataPlaneEditor", "DataPlaneViewer"]
    assert api.patch(path, json={"name": "new"}).json() == replaced | {"name": "new"}
    assert api.patch(path, json={"roles": []}).json()["roles"] == []


@pytest.mark.rule("key-roles")
@pytest.mark.parametrize(
    "roles", [["ProjectOwner"], ["OrgOwner"], ["Nonsense"], "ProjectEditor", None, [5], {"ProjectEditor": 1}]
)
def test_key_roles_are_limited(api: httpx.Client, refusal: Refusal, roles: object) -> None:
    """A key takes only the roles for keys, as a list, in create and update."""
    created = project(api)["id"]
    made = key(api, created)["key"]["id"]
    for method, path in (
        ("POST", f"/admin/projects/{created}/api-keys"),
        ("PATCH", f"/admin/api-keys/{made}"),
    ):
        answer = api.request(method, path, json={"name": "ci", "roles": roles})
        assert refusal(answer) == (400, "INVALID_ARGUMENT")
        assert answer.json()["error"]["message"].startswith("roles")


def test_key_roles_are_role_bindings(api: httpx.Client) -> None:
    """A key's roles are bindings on its project, which show in both places whichever way they came."""
    created = project(api)["id"]
    made = key(api, created)["key"]["id"]
    held = {"principal_type": "api_key", "principal_id": made}
    (binding,) = api.get("/admin/role-bindings", params=held).json()["data"]
    assert (binding["resource_type"], binding["resource_id"]) == ("project", created)
    grant = held | {"resource_type": "project", "resource_id": created, "role": "DataPlaneViewer"}
    api.post("/admin/role-bindings", json=grant).raise_for_status()
    assert api.get(f"/admin/api-keys/{made}").json()["roles"] == ["ProjectEditor", "DataPlaneViewer"]
    api.delete(f"/admin/role-bindings/{binding['id']}").raise_for_status()
    assert api.get(f"/admin/api-keys/{made}").json()["roles"] == ["DataPlaneViewer"]
    api.delete(f"/admin/api-keys/{made}").raise_for_status()
    assert api.get("/admin/role-bindings", params=held).json()["data"] == []


@pytest.mark.rule("deleted")
def test_keys_are_deleted(api: httpx.Client, refusal: Refusal) -> None:
    """A deleted key is gone at once, from its project's list too, and cannot be deleted again."""
    created = project(api)["id"]
    first, second = key(api, created)["key"], key(api, created)["key"]
    answer = api.delete(f"/admin/api-keys/{first['id']}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert refusal(api.delete(f"/admin/api-keys/{first['id']}")) == (404, "NOT_FOUND")
    assert api.get(f"/admin/projects/{created}/api-keys").json() == {"data": [second]}


@pytest.mark.rule("key-quota")
def test_smallest_plan_has_five_keys(connect: Connect, refusal: Refusal) -> None:
    """On the smallest plan a project has five keys."""
    api = connect(Emulator(plan="Free"))
    created = project(api)["id"]
    for _ in range(5):
        key(api, created)
    answer = api.post(f"/admin/projects/{created}/api-keys", json={"name": "sixth"})
    assert refusal(answer) == (403, "PERMISSION_DENIED")
    assert created in answer.json()["error"]["message"]


def test_larger_plans_have_any_number_of_keys(api: httpx.Client) -> None:
    """On other plans there is no such limit."""
    created = project(api)["id"]
    for _ in range(6):
        key(api, created)


@pytest.mark.rule("plan-roles")
def test_plan_lacks_roles_for_keys(connect: Connect, refusal: Refusal) -> None:
    """A role that the plan lacks is refused for keys, in create and update, by name."""
    api = connect(Emulator(plan="Free"))
    created = project(api)["id"]
    made = key(api, created)["key"]["id"]
    for method, path in (
        ("POST", f"/admin/projects/{created}/api-keys"),
        ("PATCH", f"/admin/api-keys/{made}"),
    ):
        answer = api.request(method, path, json={"name": "ci", "roles": ["DataPlaneViewer"]})
        assert refusal(answer) == (403, "PERMISSION_DENIED")
        assert "DataPlaneViewer" in answer.json()["error"]["message"]


# Service accounts


@pytest.mark.rule("secrets-once", "client-credentials")
def test_secret_is_shown_once(api: httpx.Client) -> None:
    """Create answers 201 with the secret, which nothing shows again."""
    answer = api.post("/admin/service-accounts", json={"name": "ci"})
    document = answer.json()
    assert answer.status_code == 201
    assert set(document) == {"service_account", "client_secret"}
    account = document["service_account"]
    assert set(account) == {"id", "name", "client_id", "created_at", "updated_at"}
    path = f"/admin/service-accounts/{account['id']}"
    for shown in (api.get(path), api.get("/admin/service-accounts"), api.patch(path, json={})):
        assert document["client_secret"] not in shown.text
    assert api.get(path).json()["client_id"] == account["client_id"]


@pytest.mark.rule("service-account-empty-patch")
def test_service_account_patch_moves_its_time(api: httpx.Client) -> None:
    """A PATCH answers 200 and moves updated_at, without fields too, even while the clock stands."""
    account = service_account(api)["service_account"]
    path = f"/admin/service-accounts/{account['id']}"
    touched = api.patch(path, json={}).json()
    renamed = api.patch(path, json={"name": "renamed"}).json()
    assert touched | {"updated_at": account["updated_at"]} == account
    assert renamed["name"] == "renamed"
    times = [datetime.fromisoformat(each["updated_at"]) for each in (account, touched, renamed)]
    assert times == sorted(set(times))


@pytest.mark.rule("rotated-secret", "rotated-tokens")
def test_rotation_kills_the_old_secret_and_its_tokens(
    emulator: Emulator, api: httpx.Client, connect: Connect, refusal: Refusal
) -> None:
    """After a rotation only the new secret buys tokens, and those bought before are dead."""
    created = service_account(api)
    account = emulator.state.service_accounts.get(created["service_account"]["id"])
    assert account
    other = connect(emulator, account)
    answer = api.post(f"/admin/service-accounts/{account.id}/rotate-secret")
    assert answer.status_code == 200
    assert answer.json()["client_secret"] == account.client_secret != created["client_secret"]
    assert answer.json()["service_account"]["client_id"] == account.client_id
    assert refusal(other.get("/admin/projects")) == (401, "UNAUTHENTICATED")
    connect(emulator, account)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        connect(emulator, evolve(account, client_secret=created["client_secret"]))


@pytest.mark.rule("rotated-tokens")
def test_rotation_may_spare_live_tokens(connect: Connect) -> None:
    """Where the emulator was told so, tokens outlive the secret that bought them."""
    emulator = Emulator(rotation_revokes_tokens=False)
    api = connect(emulator)
    (own,) = emulator.state.service_accounts.listing
    api.post(f"/admin/service-accounts/{own.id}/rotate-secret").raise_for_status()
    assert api.get("/admin/projects").status_code == 200


@pytest.mark.rule("account-tokens", "deleted")
def test_deleting_a_service_account_revokes_everything(
    emulator: Emulator, api: httpx.Client, connect: Connect, refusal: Refusal
) -> None:
    """Its tokens, its secret and its roles die with a service account."""
    created = service_account(api, role_bindings=[{"resource_type": "organization", "role": "OrgMember"}])
    account = emulator.state.service_accounts.get(created["service_account"]["id"])
    assert account
    other = connect(emulator, account)
    assert other.get("/admin/projects").status_code == 200
    answer = api.delete(f"/admin/service-accounts/{account.id}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert refusal(other.get("/admin/projects")) == (401, "UNAUTHENTICATED")
    assert refusal(api.delete(f"/admin/service-accounts/{account.id}")) == (404, "NOT_FOUND")
    assert len(emulator.state.role_bindings) == len(emulator.state.tokens) == 1
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        connect(emulator, account)


def test_caller_may_delete_itself(emulator: Emulator, api: httpx.Client, refusal: Refusal) -> None:
    """Nothing keeps a service account from deleting itself, owner or not."""
    (own,) = emulator.state.service_accounts.listing
    assert api.delete(f"/admin/service-accounts/{own.id}").status_code == 202
    assert refusal(api.get("/admin/projects")) == (401, "UNAUTHENTICATED")


@pytest.mark.rule("plan-service-accounts")
def test_plan_without_service_accounts(connect: Connect, refusal: Refusal) -> None:
    """On the smallest plan service accounts are neither created nor changed nor rotated."""
    emulator = Emulator(plan="Free")
    api = connect(emulator)
    (own,) = emulator.state.service_accounts.listing
    path = f"/admin/service-accounts/{own.id}"
    for answer in (
        api.post("/admin/service-accounts", json={"name": "ci"}),
        api.patch(path, json={"name": "ci"}),
        api.post(f"{path}/rotate-secret"),
    ):
        assert refusal(answer) == (403, "FORBIDDEN")
        assert "Free" in answer.json()["error"]["message"]
    assert api.get(path).status_code == 200


def test_plans_are_configurable(emulator: Emulator, api: httpx.Client, refusal: Refusal) -> None:
    """What a plan includes is data of the state, and no service account takes a role beyond it."""
    settings = emulator.state.settings
    for change, code in ({"roles": ("OrgOwner",)}, "PERMISSION_DENIED"), ({"service_accounts": False}, "FORBIDDEN"):
        settings.plans = PLANS | {"Enterprise": evolve(PLANS["Enterprise"], **change)}
        grants = [{"resource_type": "organization", "role": "OrgMember"}]
        answer = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": grants})
        assert refusal(answer) == (403, code)


# Order of the checks


@pytest.mark.rule("check-order")
def test_checks_come_in_the_servers_order(connect: Connect, refusal: Refusal) -> None:
    """With everything wrong at once, each repair uncovers the next refusal of the server's order."""
    emulator = Emulator(plan="Free", payment_status="Suspended")
    state, now = emulator.state, emulator.clock.now()
    state.add_project("only", now)
    owner = connect(emulator)
    stranger = connect(emulator, state.add_service_account("stranger", now))
    token, version = stranger.headers["Authorization"], {"X-Pinecone-Api-Version": "2026-07"}
    with httpx.Client(transport=emulator.transport, base_url="https://api.pinecone.io") as nobody:
        wrong: dict[str, Any] = {"url": "/nowhere", "json": {"name": ""}}
        assert refusal(nobody.post(**wrong)) == (400, "INVALID_ARGUMENT")
        assert refusal(nobody.post(**wrong, headers=version)) == (401, "UNAUTHENTICATED")
        assert refusal(nobody.post(**wrong, headers=version | {"Authorization": token})) == (404, "NOT_FOUND")
    assert refusal(stranger.post("/admin/projects", json={"name": ""})) == (400, "INVALID_ARGUMENT")
    assert refusal(stranger.post("/admin/projects", json={"name": "x"})) == (403, "PERMISSION_DENIED")
    assert refusal(owner.post("/admin/projects", json={"name": "x"})) == (402, "UNKNOWN")
    state.organization.payment_status = "Active"
    assert refusal(owner.post("/admin/projects", json={"name": "x"})) == (403, "QUOTA_EXCEEDED")
