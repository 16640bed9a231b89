"""Organizations, projects, API keys and service accounts: fields, defaults, limits, errors and revocation."""

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
ReadError = Callable[[httpx.Response], tuple[int, str]]

UNKNOWN_ID = "4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60"


def create_project(api: httpx.Client, **fields: object) -> dict[str, Any]:
    """Create a project."""
    return _read_document(api.post("/admin/projects", json={"name": "search"} | fields))


def create_key(api: httpx.Client, project_id: str, **fields: object) -> dict[str, Any]:
    """Create an API key."""
    return _read_document(api.post(f"/admin/projects/{project_id}/api-keys", json={"name": "ci"} | fields))


def create_service_account(api: httpx.Client, **fields: object) -> dict[str, Any]:
    """Create a service account."""
    return _read_document(api.post("/admin/service-accounts", json={"name": "ci"} | fields))


def _read_document(response: httpx.Response) -> dict[str, Any]:
    document: dict[str, Any] = response.raise_for_status().json()
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
@pytest.mark.parametrize("target", [UNKNOWN_ID, "not-a-uuid"])
def test_unknown_id_is_not_found(api: httpx.Client, read_error: ReadError, method: str, path: str, target: str) -> None:
    """An unknown id is not found, and the error names it."""
    response = api.request(method, path.format(target), json={"name": "x"})
    assert read_error(response) == (404, "NOT_FOUND")
    assert target in response.json()["error"]["message"]


@pytest.mark.rule("not-found")
def test_not_found_message_is_the_one_that_clients_match(api: httpx.Client) -> None:
    """The Terraform provider and the Go client's tests look for these words, in this form."""
    for path, words in (("projects", "Project"), ("api-keys", "API Key"), ("service-accounts", "Service account")):
        message = api.get(f"/admin/{path}/{UNKNOWN_ID}").json()["error"]["message"]
        assert message == f"{words} '{UNKNOWN_ID}' not found"


@pytest.mark.rule("project-name", "key-name", "service-account-name")
@pytest.mark.parametrize(
    ("path", "max_length", "letter"),
    [
        ("/admin/projects", 512, "é"),
        ("/admin/projects/{project}/api-keys", 80, "é"),
        ("/admin/service-accounts", 80, "x"),
        ("/admin/service-accounts", 40, "é"),
    ],
)
def test_names_have_a_maximum_length(
    api: httpx.Client, read_error: ReadError, path: str, max_length: int, letter: str
) -> None:
    """A name has between 1 and 512 or 80 characters, or bytes for service accounts."""
    path = path.format(project=create_project(api)["id"])
    assert api.post(path, json={"name": letter * max_length}).is_success
    for name in ("", letter * (max_length + 1)):
        assert read_error(api.post(path, json={"name": name})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("fields")
@pytest.mark.parametrize("name", [None, 5, True, ["x"], {"x": 1}, 1.5])
def test_names_must_be_strings(api: httpx.Client, emulator: Emulator, read_error: ReadError, name: object) -> None:
    """A name of another JSON type is refused in creates and updates, and the error names the field."""
    project_id = create_project(api)["id"]
    for method, path in (
        ("POST", "/admin/projects"),
        ("PATCH", f"/admin/projects/{project_id}"),
        ("PATCH", f"/admin/organizations/{emulator.organization_id}"),
    ):
        response = api.request(method, path, json={"name": name})
        assert read_error(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["message"].startswith("name must be a string")


@pytest.mark.rule("fields")
@pytest.mark.parametrize("path", ["/admin/projects", "/admin/service-accounts", "/admin/invites"])
def test_missing_fields_are_refused(api: httpx.Client, read_error: ReadError, path: str) -> None:
    """A missing field is refused, and the error names it."""
    response = api.post(path, json={})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "is missing" in response.json()["error"]["message"]


def test_unknown_fields_are_ignored(api: httpx.Client) -> None:
    """A field that the document does not define is ignored."""
    assert "color" not in create_project(api, color="blue")


@pytest.mark.rule("check-order")
def test_validation_is_checked_before_existence(api: httpx.Client, read_error: ReadError) -> None:
    """A malformed update of an unknown id is refused as malformed."""
    assert read_error(api.patch(f"/admin/projects/{UNKNOWN_ID}", json={"name": ""})) == (400, "INVALID_ARGUMENT")


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
    """Two creates with one name create two records."""
    path = path.format(project=create_project(api)["id"])
    first, second = (api.post(path, json={"name": "same"}).raise_for_status().json() for _ in range(2))
    assert first[field] != second[field]


# Organizations


@pytest.mark.rule("organization-id")
def test_caller_has_one_organization(api: httpx.Client, emulator: Emulator) -> None:
    """The organization is listed and described, and its id is not a UUID."""
    (organization,) = api.get("/admin/organizations").json()["data"]
    assert organization == api.get(f"/admin/organizations/{emulator.organization_id}").json()
    assert organization["plan"] == "Enterprise"
    assert organization["payment_status"] == "Active"
    assert organization["id"].startswith("-N")
    assert len(organization["id"]) == 20


@pytest.mark.rule("organization-name")
def test_organization_is_renamed(api: httpx.Client, emulator: Emulator) -> None:
    """A name of up to 512 characters replaces the old one, and an update without a name changes nothing."""
    path = f"/admin/organizations/{emulator.organization_id}"
    assert api.patch(path, json={"name": "é" * 512}).json()["name"] == "é" * 512
    assert api.patch(path, json={}).json()["name"] == "é" * 512
    assert api.patch(path, json={"name": "x" * 513}).status_code == 400


@pytest.mark.rule("organization-deletion")
@pytest.mark.parametrize(
    ("plan", "payment_status", "blocker"),
    [("Standard", "PastDue", "Standard"), ("Free", "PastDue", "PastDue"), ("Free", "Active", "1 project")],
)
def test_organization_deletion_is_blocked(
    connect: Connect, read_error: ReadError, plan: str, payment_status: str, blocker: str
) -> None:
    """An organization that is not free, paid and empty is not deleted, and the error names the first blocker."""
    emulator = Emulator(plan=plan, payment_status=payment_status)
    api = connect(emulator)
    create_project(api)
    response = api.delete(f"/admin/organizations/{emulator.organization_id}")
    assert read_error(response) == (412, "FAILED_PRECONDITION")
    assert blocker in response.json()["error"]["message"]


def test_deleted_organization_has_no_principals(connect: Connect, read_error: ReadError) -> None:
    """Deleting the organization deletes its invites, users and service accounts, including the caller."""
    emulator = Emulator(plan="Free", user_quota=3)
    api = connect(emulator)
    for email in ("a@example.com", "b@example.com"):
        grants = [{"resource_type": "organization", "role": "OrgMember"}]
        api.post("/admin/invites", json={"email": email, "role_bindings": grants}).raise_for_status()
    emulator.state.accept_invite(next(iter(emulator.state.open_invites)), emulator.clock.now())
    response = api.delete(f"/admin/organizations/{emulator.organization_id}")
    assert (response.status_code, response.content) == (202, b"")
    assert read_error(api.get("/admin/organizations")) == (401, "UNAUTHENTICATED")
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        connect(emulator)
    assert not emulator.state.invites
    assert not len(emulator.state.role_bindings)
    assert not len(emulator.state.users)


# Projects


@pytest.mark.rule("max-pods", "encryption")
def test_project_defaults(connect: Connect) -> None:
    """A project has no pods and no forced encryption by default."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC)))
    api = connect(emulator)
    response = api.post("/admin/projects", json={"name": "search"})
    created = response.json()
    assert response.status_code == 200
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
def test_nul_in_project_name_is_refused(api: httpx.Client, read_error: ReadError) -> None:
    """A project name with a NUL character is refused."""
    assert read_error(api.post("/admin/projects", json={"name": "a\0b"})) == (400, "INVALID_ARGUMENT")


def test_project_update_keeps_other_fields(connect: Connect) -> None:
    """An update of one field leaves the others unchanged."""
    api = connect(Emulator(pod_access=True))
    path = f"/admin/projects/{create_project(api, max_pods=3)['id']}"
    assert api.patch(path, json={"name": "renamed"}).json()["max_pods"] == 3
    assert api.patch(path, json={"max_pods": 0}).json()["name"] == "renamed"
    assert api.get(path).json()["max_pods"] == 0


@pytest.mark.parametrize("value", [1.0, "1", True, None, -1])
def test_max_pods_must_be_a_count(connect: Connect, read_error: ReadError, value: object) -> None:
    """A max_pods value that is not an integer of at least 0 is refused."""
    response = connect(Emulator(pod_access=True)).post("/admin/projects", json={"name": "x", "max_pods": value})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "max_pods" in response.json()["error"]["message"]


@pytest.mark.rule("pod-defaults")
def test_pods_have_a_default_and_a_floor(connect: Connect) -> None:
    """With pod access, a project gets the default, and a smaller number than the floor is raised to it."""
    api = connect(Emulator(pod_access=True, default_max_pods=20, max_pods_floor=50))
    project = create_project(api)
    assert project["max_pods"] == 20
    for requested, granted in ((0, 0), (8, 50), (50, 50), (60, 60)):
        assert create_project(api, max_pods=requested)["max_pods"] == granted
        patched = api.patch(f"/admin/projects/{project['id']}", json={"max_pods": requested})
        assert patched.json()["max_pods"] == granted
    assert api.patch(f"/admin/projects/{project['id']}", json={"name": "new"}).json()["max_pods"] == 60
    assert create_project(connect(Emulator(default_max_pods=20)))["max_pods"] == 0


@pytest.mark.rule("pod-access")
def test_pods_require_pod_access(api: httpx.Client, read_error: ReadError) -> None:
    """Without pod access, more than 0 pods are refused in create and update."""
    project_id = create_project(api, max_pods=0)["id"]
    response = api.post("/admin/projects", json={"name": "pods", "max_pods": 2})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert read_error(api.patch(f"/admin/projects/{project_id}", json={"max_pods": 1})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("encryption")
def test_encryption_cannot_be_turned_off(api: httpx.Client, read_error: ReadError) -> None:
    """Forced encryption can be turned on and never off."""
    path = f"/admin/projects/{create_project(api)['id']}"
    field = "force_encryption_with_cmek"
    assert api.patch(path, json={field: False}).json()[field] is False
    assert api.patch(path, json={field: True}).json()[field] is True
    assert api.patch(path, json={"name": "x"}).json()[field] is True
    assert read_error(api.patch(path, json={field: False, "name": "y"})) == (400, "INVALID_ARGUMENT")
    assert api.get(path).json()["name"] == "x"


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_encryption_must_be_a_boolean(api: httpx.Client, read_error: ReadError, value: object) -> None:
    """An encryption value other than true and false is refused."""
    response = api.post("/admin/projects", json={"name": "x", "force_encryption_with_cmek": value})
    assert read_error(response) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("project-quota", "quota-message")
@pytest.mark.parametrize(
    ("plan", "builder", "quota"),
    [
        ("Free", False, 1),
        ("Free", True, 5),
        ("Standard", True, 20),
        ("Enterprise", False, 100),
        ("Dedicated", False, 100),
    ],
)
def test_projects_have_a_quota(connect: Connect, read_error: ReadError, plan: str, builder: bool, quota: int) -> None:
    """Each plan limits the number of projects, and a deletion makes room for another."""
    api = connect(Emulator(plan=plan, builder=builder))
    project_ids = [create_project(api)["id"] for _ in range(quota)]
    response = api.post("/admin/projects", json={"name": "one more"})
    assert read_error(response) == (403, "QUOTA_EXCEEDED")
    message = response.json()["error"]["message"]
    assert message.startswith("You've reached the max projects allowed in organization Emulated Organization.")
    assert message.endswith("To add more projects, upgrade your plan.")
    assert api.delete(f"/admin/projects/{project_ids[0]}").status_code == 202
    create_project(api)


def test_project_quota_is_configurable(connect: Connect, read_error: ReadError) -> None:
    """A configured quota replaces the plan's."""
    api = connect(Emulator(plan="Free", project_quota=2))
    create_project(api)
    create_project(api)
    assert read_error(api.post("/admin/projects", json={"name": "x"})) == (403, "QUOTA_EXCEEDED")


@pytest.mark.rule("billing")
@pytest.mark.parametrize("status", ["Restricted", "Suspended", "Deactivated"])
def test_unpaid_organization_cannot_create(connect: Connect, read_error: ReadError, status: str) -> None:
    """With a bad payment status, creating projects and keys is refused, and updates are accepted."""
    emulator = Emulator()
    api = connect(emulator)
    project_id = create_project(api)["id"]
    emulator.state.organization.payment_status = status
    for path in ("/admin/projects", f"/admin/projects/{project_id}/api-keys"):
        response = api.post(path, json={"name": "x"})
        assert read_error(response)[0] == 402
        assert status in response.json()["error"]["message"]
    assert api.patch(f"/admin/projects/{project_id}", json={"name": "y"}).status_code == 200


@pytest.mark.parametrize("status", ["Active", "PaymentPending", "PastDue"])
def test_organization_with_pending_payment_can_create(connect: Connect, status: str) -> None:
    """With a pending or late payment, creating is allowed."""
    create_project(connect(Emulator(payment_status=status)))


@pytest.mark.rule("project-contents", "project-workspaces")
def test_project_contents_block_its_deletion(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """Contents of each kind block a project's deletion, and the error names the first kind."""
    project_id = create_project(api)["id"]
    contents = emulator.state.projects[project_id].contents
    for kind in PROJECT_CONTENTS:
        emulator.hold(project_id, kind, "a")
        emulator.hold(project_id, kind, "b")
    for kind in ("indexes", "collections", "assistants", "backups", "workspaces"):
        response = api.delete(f"/admin/projects/{project_id}")
        assert read_error(response) == (412, "FAILED_PRECONDITION")
        assert f"2 {kind}" in response.json()["error"]["message"]
        contents[kind].clear()
    assert api.delete(f"/admin/projects/{project_id}").status_code == 202


@pytest.mark.rule("project-keys", "deleted")
def test_deleting_a_project_deletes_its_keys(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """Deleting a project deletes its keys and every role binding on it."""
    project_id = create_project(api)["id"]
    key_id = create_key(api, project_id)["key"]["id"]
    grants = [{"resource_type": "project", "resource_id": project_id, "role": "ProjectViewer"}]
    create_service_account(api, role_bindings=grants)
    response = api.delete(f"/admin/projects/{project_id}")
    assert (response.status_code, response.content) == (202, b"")
    assert read_error(api.delete(f"/admin/projects/{project_id}")) == (404, "NOT_FOUND")
    assert read_error(api.get(f"/admin/api-keys/{key_id}")) == (404, "NOT_FOUND")
    assert len(emulator.state.role_bindings) == 2  # of the two owners


# API keys


@pytest.mark.rule("secrets-once", "key-value", "key-fields", "key-roles-default")
def test_key_value_is_returned_once(api: httpx.Client) -> None:
    """Create returns the key's value, and no other response contains it."""
    project_id = create_project(api)["id"]
    response = api.post(f"/admin/projects/{project_id}/api-keys", json={"name": "ci"})
    document = response.raise_for_status().json()
    assert set(document) == {"key", "value"}
    assert document["key"] == {
        "id": document["key"]["id"],
        "name": "ci",
        "project_id": project_id,
        "roles": ["ProjectEditor"],
        "created_at": api.get(f"/admin/projects/{project_id}").json()["created_at"],
    }
    prefix, label, unique = document["value"].split("_")
    assert (prefix, bool(label), bool(unique)) == ("pcsk", True, True)
    path = f"/admin/api-keys/{document['key']['id']}"
    for later in (api.get(path), api.patch(path, json={}), api.get(f"/admin/projects/{project_id}/api-keys")):
        assert document["value"] not in later.text
    assert api.get(path).json() == document["key"]


@pytest.mark.rule("key-fields")
def test_key_can_have_only_documented_fields(connect: Connect) -> None:
    """By a setting, a key has no created_at; the time is kept when a state is loaded."""
    emulator = Emulator()
    api = connect(emulator)
    emulator.clock.advance(60)
    created = create_key(api, create_project(api)["id"])["key"]
    emulator.load(emulator.dump())
    assert api.get(f"/admin/api-keys/{created['id']}").json() == created
    emulator.configure(key_created_at=False)
    del created["created_at"]
    assert api.get(f"/admin/api-keys/{created['id']}").json() == created


@pytest.mark.rule("key-value")
def test_key_prefix_is_configurable(connect: Connect) -> None:
    """A key's value begins with the configured prefix."""
    api = connect(Emulator(key_prefix="pckey_"))
    assert create_key(api, create_project(api)["id"])["value"].startswith("pckey_")


@pytest.mark.rule("key-roles-replaced")
def test_patch_replaces_the_roles_of_a_key(api: httpx.Client) -> None:
    """Key roles keep their order without duplicates; PATCH replaces them if it contains roles."""
    project_id = create_project(api)["id"]
    roles = ["DataPlaneViewer", "ControlPlaneViewer", "DataPlaneViewer"]
    key = create_key(api, project_id, roles=roles)["key"]
    assert key["roles"] == ["DataPlaneViewer", "ControlPlaneViewer"]
    path = f"/admin/api-keys/{key['id']}"
    replaced = api.patch(path, json={"roles": ["DataPlaneEditor", "DataPlaneViewer"]}).json()
    assert replaced["roles"] == ["DataPlaneEditor", "DataPlaneViewer"]
    assert api.patch(path, json={"name": "new"}).json() == replaced | {"name": "new"}
    assert api.patch(path, json={"roles": []}).json()["roles"] == []


@pytest.mark.rule("key-roles")
@pytest.mark.parametrize(
    "roles", [["ProjectOwner"], ["OrgOwner"], ["Nonsense"], "ProjectEditor", None, [5], {"ProjectEditor": 1}]
)
def test_key_roles_are_limited(api: httpx.Client, read_error: ReadError, roles: object) -> None:
    """A key accepts only a list of key roles, in create and update."""
    project_id = create_project(api)["id"]
    key_id = create_key(api, project_id)["key"]["id"]
    for method, path in (
        ("POST", f"/admin/projects/{project_id}/api-keys"),
        ("PATCH", f"/admin/api-keys/{key_id}"),
    ):
        response = api.request(method, path, json={"name": "ci", "roles": roles})
        assert read_error(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["message"].startswith("roles")


def test_key_roles_are_role_bindings(api: httpx.Client) -> None:
    """The roles of a key are role bindings on its project, and both endpoints show every change."""
    project_id = create_project(api)["id"]
    key_id = create_key(api, project_id)["key"]["id"]
    principal = {"principal_type": "api_key", "principal_id": key_id}
    (binding,) = api.get("/admin/role-bindings", params=principal).json()["data"]
    assert (binding["resource_type"], binding["resource_id"]) == ("project", project_id)
    grant = principal | {"resource_type": "project", "resource_id": project_id, "role": "DataPlaneViewer"}
    api.post("/admin/role-bindings", json=grant).raise_for_status()
    assert api.get(f"/admin/api-keys/{key_id}").json()["roles"] == ["ProjectEditor", "DataPlaneViewer"]
    api.delete(f"/admin/role-bindings/{binding['id']}").raise_for_status()
    assert api.get(f"/admin/api-keys/{key_id}").json()["roles"] == ["DataPlaneViewer"]
    api.delete(f"/admin/api-keys/{key_id}").raise_for_status()
    assert api.get("/admin/role-bindings", params=principal).json()["data"] == []


@pytest.mark.rule("deleted")
def test_deleted_key_disappears(api: httpx.Client, read_error: ReadError) -> None:
    """A deleted key disappears at once from its project's list, and cannot be deleted again."""
    project_id = create_project(api)["id"]
    first, second = create_key(api, project_id)["key"], create_key(api, project_id)["key"]
    response = api.delete(f"/admin/api-keys/{first['id']}")
    assert (response.status_code, response.content) == (202, b"")
    assert read_error(api.delete(f"/admin/api-keys/{first['id']}")) == (404, "NOT_FOUND")
    assert api.get(f"/admin/projects/{project_id}/api-keys").json() == {"data": [second]}


@pytest.mark.rule("key-quota")
def test_smallest_plan_limits_keys(connect: Connect, read_error: ReadError) -> None:
    """On the smallest plan a project has at most five keys."""
    api = connect(Emulator(plan="Free"))
    project_id = create_project(api)["id"]
    for _ in range(5):
        create_key(api, project_id)
    response = api.post(f"/admin/projects/{project_id}/api-keys", json={"name": "sixth"})
    assert read_error(response) == (403, "PERMISSION_DENIED")
    assert project_id in response.json()["error"]["message"]


def test_larger_plans_do_not_limit_keys(api: httpx.Client) -> None:
    """On the other plans the number of keys is not limited."""
    project_id = create_project(api)["id"]
    for _ in range(6):
        create_key(api, project_id)


@pytest.mark.rule("plan-key-roles", "plan-roles")
@pytest.mark.parametrize("builder", [False, True])
def test_key_of_the_smallest_plans_has_the_default_role(connect: Connect, read_error: ReadError, builder: bool) -> None:
    """On Starter and Builder, other key roles are refused in create, update and binding, and the error names them."""
    emulator = Emulator(plan="Free", builder=builder)
    api = connect(emulator)
    project_id = create_project(api)["id"]
    key_id = create_key(api, project_id, roles=["ProjectEditor"])["key"]["id"]
    binding = {"principal_type": "api_key", "principal_id": key_id, "role": "ProjectViewer"}
    binding |= {"resource_type": "project", "resource_id": project_id}
    for method, path, body in (
        ("POST", f"/admin/projects/{project_id}/api-keys", {"name": "ci", "roles": ["ProjectViewer"]}),
        ("PATCH", f"/admin/api-keys/{key_id}", {"roles": ["ProjectEditor", "ProjectViewer"]}),
        ("POST", "/admin/role-bindings", binding),
    ):
        response = api.request(method, path, json=body)
        assert read_error(response) == (403, "PERMISSION_DENIED")
        assert "ProjectViewer" in response.json()["error"]["message"]
    assert api.get(f"/admin/api-keys/{key_id}").json()["roles"] == ["ProjectEditor"]
    emulator.configure(plan="Standard")
    create_key(api, project_id, roles=["ProjectViewer"])


# Service accounts


@pytest.mark.rule("secrets-once", "client-credentials")
def test_client_secret_is_returned_once(api: httpx.Client) -> None:
    """Create returns 201 with the client secret, and no other response contains it."""
    response = api.post("/admin/service-accounts", json={"name": "ci"})
    document = response.json()
    assert response.status_code == 201
    assert set(document) == {"service_account", "client_secret"}
    account = document["service_account"]
    assert set(account) == {"id", "name", "client_id", "created_at", "updated_at"}
    path = f"/admin/service-accounts/{account['id']}"
    for later in (api.get(path), api.get("/admin/service-accounts"), api.patch(path, json={})):
        assert document["client_secret"] not in later.text
    assert api.get(path).json()["client_id"] == account["client_id"]


@pytest.mark.rule("service-account-empty-patch")
def test_service_account_patch_changes_updated_at(api: httpx.Client) -> None:
    """A PATCH returns 200 and a later updated_at, even without fields and while the clock stands still."""
    account = create_service_account(api)["service_account"]
    path = f"/admin/service-accounts/{account['id']}"
    touched = api.patch(path, json={}).json()
    renamed = api.patch(path, json={"name": "renamed"}).json()
    assert touched | {"updated_at": account["updated_at"]} == account
    assert renamed["name"] == "renamed"
    times = [datetime.fromisoformat(each["updated_at"]) for each in (account, touched, renamed)]
    assert times == sorted(set(times))


@pytest.mark.rule("service-account-same-name", "rotated-updated-at")
def test_same_name_and_rotation_change_updated_at(api: httpx.Client) -> None:
    """A PATCH with the same name, and a rotation, have a later updated_at, which lasts."""
    account = api.post("/admin/service-accounts", json={"name": "ci"}).json()["service_account"]
    path = f"/admin/service-accounts/{account['id']}"
    renamed = api.patch(path, json={"name": "ci"}).json()
    rotated = api.post(f"{path}/rotate-secret").json()["service_account"]
    times = [datetime.fromisoformat(each["updated_at"]) for each in (account, renamed, rotated)]
    assert times[0] < times[1] < times[2]
    assert api.get(path).json() == rotated


@pytest.mark.rule("service-account-same-name", "rotated-updated-at")
@pytest.mark.parametrize("setting", ["same_name_changes_updated_at", "rotation_changes_updated_at"])
def test_settings_keep_updated_at(api: httpx.Client, emulator: Emulator, setting: str) -> None:
    """Each of the two changes keeps updated_at if a setting says so; another name and no field always change it."""
    account = api.post("/admin/service-accounts", json={"name": "ci"}).json()["service_account"]
    path = f"/admin/service-accounts/{account['id']}"
    changes: dict[str, Any] = {setting: False}
    emulator.configure(**changes)
    named = api.patch(path, json={"name": "ci"}).json()["updated_at"]
    rotated = api.post(f"{path}/rotate-secret").json()["service_account"]["updated_at"]
    assert (named == account["updated_at"]) == (setting == "same_name_changes_updated_at")
    assert (rotated == named) == (setting == "rotation_changes_updated_at")
    assert rotated < api.patch(path, json={}).json()["updated_at"]
    assert api.get(path).json()["updated_at"] < api.patch(path, json={"name": "other"}).json()["updated_at"]


@pytest.mark.rule("rotated-secret", "rotated-tokens")
def test_rotation_revokes_the_old_secret_and_its_tokens(
    emulator: Emulator, api: httpx.Client, connect: Connect, read_error: ReadError
) -> None:
    """A rotation revokes the old client secret and the tokens issued for it."""
    created = create_service_account(api)
    account = emulator.state.service_accounts.get(created["service_account"]["id"])
    assert account
    other = connect(emulator, account)
    response = api.post(f"/admin/service-accounts/{account.id}/rotate-secret")
    assert response.status_code == 200
    assert response.json()["client_secret"] == account.client_secret != created["client_secret"]
    assert response.json()["service_account"]["client_id"] == account.client_id
    assert read_error(other.get("/admin/projects")) == (401, "UNAUTHENTICATED")
    connect(emulator, account)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        connect(emulator, evolve(account, client_secret=created["client_secret"]))


@pytest.mark.rule("rotated-tokens")
def test_rotation_can_keep_tokens(connect: Connect) -> None:
    """With rotation_revokes_tokens=False, tokens stay valid after a rotation."""
    emulator = Emulator(rotation_revokes_tokens=False)
    api = connect(emulator)
    (own,) = emulator.state.service_accounts.listing
    api.post(f"/admin/service-accounts/{own.id}/rotate-secret").raise_for_status()
    assert api.get("/admin/projects").status_code == 200


@pytest.mark.rule("account-tokens", "deleted")
def test_deleting_a_service_account_revokes_everything(
    emulator: Emulator, api: httpx.Client, connect: Connect, read_error: ReadError
) -> None:
    """Deleting a service account revokes its tokens, its client secret and its roles."""
    created = create_service_account(api, role_bindings=[{"resource_type": "organization", "role": "OrgMember"}])
    account = emulator.state.service_accounts.get(created["service_account"]["id"])
    assert account
    other = connect(emulator, account)
    assert other.get("/admin/projects").status_code == 200
    response = api.delete(f"/admin/service-accounts/{account.id}")
    assert (response.status_code, response.content) == (202, b"")
    assert read_error(other.get("/admin/projects")) == (401, "UNAUTHENTICATED")
    assert read_error(api.delete(f"/admin/service-accounts/{account.id}")) == (404, "NOT_FOUND")
    assert len(emulator.state.role_bindings) == 2  # of the two owners
    assert len(emulator.state.tokens) == 1
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        connect(emulator, account)


def test_caller_can_delete_itself(emulator: Emulator, api: httpx.Client, read_error: ReadError) -> None:
    """A service account can delete itself, even as the owner."""
    (own,) = emulator.state.service_accounts.listing
    assert api.delete(f"/admin/service-accounts/{own.id}").status_code == 202
    assert read_error(api.get("/admin/projects")) == (401, "UNAUTHENTICATED")


@pytest.mark.rule("plan-service-accounts")
@pytest.mark.parametrize("plan", ["Free", "Standard"])
def test_smaller_plans_refuse_service_accounts(connect: Connect, read_error: ReadError, plan: str) -> None:
    """Below Enterprise, service accounts cannot be created, updated or rotated."""
    emulator = Emulator(plan=plan)
    api = connect(emulator)
    (own,) = emulator.state.service_accounts.listing
    path = f"/admin/service-accounts/{own.id}"
    for response in (
        api.post("/admin/service-accounts", json={"name": "ci"}),
        api.patch(path, json={"name": "ci"}),
        api.post(f"{path}/rotate-secret"),
    ):
        assert read_error(response) == (403, "FORBIDDEN")
        message = response.json()["error"]["message"]
        assert message.startswith("Service accounts require an Enterprise plan")
        assert plan in message
    assert api.get(path).status_code == 200


@pytest.mark.rule("plan-service-accounts")
@pytest.mark.parametrize("plan", ["Enterprise", "Dedicated"])
def test_larger_plans_have_service_accounts(connect: Connect, plan: str) -> None:
    """From Enterprise on, service accounts can be created, updated and rotated."""
    api = connect(Emulator(plan=plan))
    path = f"/admin/service-accounts/{create_service_account(api)['service_account']['id']}"
    assert api.patch(path, json={"name": "ci"}).status_code == 200
    assert api.post(f"{path}/rotate-secret").status_code == 200


@pytest.mark.rule("user-quota")
def test_users_have_a_quota(connect: Connect, read_error: ReadError) -> None:
    """On the Free plan, the organization can have two users. One can be invited, and again after a deletion."""
    emulator = Emulator(plan="Free", token_lifetime=30 * 24 * 3600)
    api = connect(emulator)

    def invite(email: str) -> httpx.Response:
        grants = [{"resource_type": "organization", "role": "OrgMember"}]
        return api.post("/admin/invites", json={"email": email, "role_bindings": grants})

    expired = invite("a@example.com").json()
    assert read_error(invite("b@example.com")) == (403, "QUOTA_EXCEEDED")
    emulator.clock.advance(8 * 24 * 3600)
    pending = invite("b@example.com").json()
    response = api.post(f"/admin/invites/{expired['id']}/resend")
    assert read_error(response) == (403, "QUOTA_EXCEEDED")
    assert "the max users allowed in organization Emulated Organization" in response.json()["error"]["message"]
    assert api.post(f"/admin/invites/{pending['id']}/resend").status_code == 200
    user = emulator.accept_invite(pending["id"])
    assert read_error(invite("c@example.com")) == (403, "QUOTA_EXCEEDED")
    api.delete(f"/admin/users/{user.id}").raise_for_status()
    assert invite("c@example.com").status_code == 200


@pytest.mark.rule("user-quota")
@pytest.mark.parametrize("plan", ["Standard", "Enterprise", "Dedicated"])
def test_user_quota_is_configurable(connect: Connect, read_error: ReadError, plan: str) -> None:
    """Larger plans have no limit of users; a configured quota replaces that of a plan, and Builder's are five."""
    emulator = Emulator(plan=plan)
    api = connect(emulator)
    grants = [{"resource_type": "organization", "role": "OrgMember"}]
    for number in range(4):
        api.post("/admin/invites", json={"email": f"{number}@x.com", "role_bindings": grants}).raise_for_status()
    changes: list[dict[str, Any]] = [{"plan": "Free", "builder": True}, {"plan": plan, "user_quota": 5}]
    for each in changes:
        emulator.configure(**each)
        response = api.post("/admin/invites", json={"email": "5@x.com", "role_bindings": grants})
        assert read_error(response) == (403, "QUOTA_EXCEEDED")


def test_plans_are_configurable(emulator: Emulator, api: httpx.Client, read_error: ReadError) -> None:
    """The plans are settings, and service accounts accept only the roles of their plan."""
    settings = emulator.state.settings
    for change, code in ({"roles": ("OrgOwner",)}, "PERMISSION_DENIED"), ({"service_accounts": False}, "FORBIDDEN"):
        settings.plans = PLANS | {"Enterprise": evolve(PLANS["Enterprise"], **change)}
        grants = [{"resource_type": "organization", "role": "OrgMember"}]
        response = api.post("/admin/service-accounts", json={"name": "ci", "role_bindings": grants})
        assert read_error(response) == (403, code)


# Order of checks


@pytest.mark.rule("check-order")
def test_checks_run_in_the_servers_order(connect: Connect, read_error: ReadError) -> None:
    """A request with several errors is refused for the first of them in the server's order."""
    emulator = Emulator(plan="Free", payment_status="Suspended")
    state, now = emulator.state, emulator.clock.now()
    state.add_project("only", now)
    owner = connect(emulator)
    account_without_roles = connect(emulator, state.add_service_account("stranger", now))
    token, version = account_without_roles.headers["Authorization"], {"X-Pinecone-Api-Version": "2026-07"}
    with httpx.Client(transport=emulator.transport, base_url="https://api.pinecone.io") as anonymous:
        wrong: dict[str, Any] = {"url": "/nowhere", "json": {"name": ""}}
        malformed = {"X-Pinecone-Api-Version": "latest"}
        assert read_error(anonymous.post(**wrong, headers=malformed)) == (400, "INVALID_ARGUMENT")
        assert read_error(anonymous.post(**wrong, headers=version)) == (401, "UNAUTHENTICATED")
        assert read_error(anonymous.post(**wrong, headers=version | {"Authorization": token})) == (404, "NOT_FOUND")
    assert read_error(account_without_roles.post("/admin/projects", json={"name": ""})) == (400, "INVALID_ARGUMENT")
    assert read_error(account_without_roles.post("/admin/projects", json={"name": "x"})) == (403, "PERMISSION_DENIED")
    assert read_error(owner.post("/admin/projects", json={"name": "x"})) == (402, "UNKNOWN")
    state.organization.payment_status = "Active"
    assert read_error(owner.post("/admin/projects", json={"name": "x"})) == (403, "QUOTA_EXCEEDED")
