"""Every rule has a test that names it; the tests of rules for several namespaces are here."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.rule_catalogue import RULES

ReadError = Callable[[httpx.Response], tuple[int, str]]

HERE = Path(__file__).parent
MEMBER = {"resource_type": "organization", "role": "OrgMember"}


def find_named_rules() -> set[str]:
    """Return every rule that a mark of these tests names."""
    calls = [
        node
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule"
    ]
    return {str(ast.literal_eval(argument)) for call in calls for argument in call.args}


def test_every_rule_has_a_test() -> None:
    """The marks of the tests name exactly the rules of the catalogue."""
    assert find_named_rules() == set(RULES)


@pytest.fixture
def created(api: httpx.Client, emulator: Emulator) -> dict[str, tuple[int, dict[str, Any]]]:
    """Create one record of each kind, and return the status and document of each response."""

    def create(path: str, **body: object) -> tuple[int, dict[str, Any]]:
        response = api.post(path, json=body)
        return response.status_code, response.raise_for_status().json()

    project = create("/admin/projects", name="search")
    project_id = project[1]["id"]
    account = create("/admin/service-accounts", name="ci")
    binding = {"principal_type": "service_account", "principal_id": account[1]["service_account"]["id"]} | MEMBER
    invite = create("/admin/invites", email="a@example.com", role_bindings=[MEMBER])
    user = emulator.add_user("b@example.com")
    return {
        "project": project,
        "key": create(f"/admin/projects/{project_id}/api-keys", name="ci"),
        "invite": invite,
        "service account": account,
        "role binding": create("/admin/role-bindings", **binding),
        "user": (200, api.get(f"/admin/users/{user.id}").json()),
    }


Created = dict[str, tuple[int, dict[str, Any]]]


def read_record(document: dict[str, Any]) -> dict[str, Any]:
    """Return the record in a document that may also contain a secret."""
    record: dict[str, Any] = document.get("key") or document.get("service_account") or document
    return record


@pytest.mark.rule("uuids")
def test_ids_are_uuids(created: Created) -> None:
    """The id of every record except the organization is a UUID."""
    for _, document in created.values():
        record_id = read_record(document)["id"]
        assert str(UUID(record_id)) == record_id


@pytest.mark.rule("created", "created-key")
def test_create_statuses(created: Created) -> None:
    """Creating a service account returns 201, and a project, invite or role binding 200."""
    statuses = {name: status for name, (status, _) in created.items()}
    assert statuses == {
        "project": 200,
        "key": 200,
        "invite": 200,
        "service account": 201,
        "role binding": 200,
        "user": 200,
    }


@pytest.mark.rule("created-key")
def test_status_of_a_created_key_is_configurable(created: Created, api: httpx.Client, emulator: Emulator) -> None:
    """A setting makes the status of a created key 201, as the document has it, and nothing else."""
    emulator.configure(created_key_status=201)
    path = f"/admin/projects/{created['project'][1]['id']}/api-keys"
    assert api.post(path, json={"name": "ci"}).status_code == 201
    assert api.post("/admin/projects", json={"name": "search"}).status_code == 200
    for status in (199, 202):
        with pytest.raises(ValueError, match="created_key_status must be from 200 to 201"):
            emulator.configure(created_key_status=status)


@pytest.mark.rule("changed")
def test_update_status_is_200(created: Created, api: httpx.Client, emulator: Emulator) -> None:
    """Every PATCH, resend and rotation returns 200."""
    account = f"/admin/service-accounts/{read_record(created['service account'][1])['id']}"
    for method, path in (
        ("PATCH", f"/admin/organizations/{emulator.organization_id}"),
        ("PATCH", f"/admin/projects/{created['project'][1]['id']}"),
        ("PATCH", f"/admin/api-keys/{read_record(created['key'][1])['id']}"),
        ("PATCH", account),
        ("POST", f"/admin/invites/{created['invite'][1]['id']}/resend"),
        ("POST", f"{account}/rotate-secret"),
    ):
        assert api.request(method, path, json={"name": "new"}).status_code == 200


@pytest.mark.rule("deleted")
def test_delete_status_is_202_once(created: Created, api: httpx.Client, read_error: ReadError) -> None:
    """Every delete returns 202 without a body, and 404 when repeated."""
    paths = {
        "role binding": "role-bindings",
        "key": "api-keys",
        "project": "projects",
        "invite": "invites",
        "service account": "service-accounts",
        "user": "users",
    }
    for name, path in paths.items():
        target = f"/admin/{path}/{read_record(created[name][1])['id']}"
        response = api.delete(target)
        assert (response.status_code, response.content) == (202, b"")
        assert read_error(api.get(target)) == (404, "NOT_FOUND")
        assert read_error(api.delete(target)) == (404, "NOT_FOUND")


@pytest.mark.rule("whole-lists")
def test_keys_are_not_paged(created: Created, api: httpx.Client) -> None:
    """The list of keys ignores the limit."""
    path = f"/admin/projects/{created['project'][1]['id']}/api-keys"
    for number in range(120):
        api.post(path, json={"name": str(number)}).raise_for_status()
    document = api.get(f"{path}?limit=1").json()
    assert set(document) == {"data"}
    assert len(document["data"]) == 121


@pytest.mark.rule("bindings-immutable")
def test_bindings_cannot_be_updated(created: Created, api: httpx.Client) -> None:
    """No method updates a role binding."""
    path = f"/admin/role-bindings/{created['role binding'][1]['id']}"
    for method in ("PATCH", "PUT", "POST"):
        response = api.request(method, path, json={"role": "OrgOwner"})
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, DELETE"


@pytest.mark.rule("service-account-role-bindings", "invite-role-bindings")
def test_creates_accept_up_to_a_hundred_bindings(api: httpx.Client, emulator: Emulator) -> None:
    """A service account accepts 0 to 100 role bindings, and an invite 1 to 100."""
    projects = [emulator.state.add_project(str(number), emulator.clock.now()) for number in range(100)]
    viewer = [{"resource_type": "project", "resource_id": each.id, "role": "ProjectViewer"} for each in projects]
    grants = [MEMBER, *viewer]
    for count, account, invite in ((0, 201, 400), (1, 201, 200), (100, 201, 200), (101, 400, 400)):
        body = {"name": "ci", "email": f"{count}@example.com", "role_bindings": grants[:count]}
        assert api.post("/admin/service-accounts", json=body).status_code == account
        assert api.post("/admin/invites", json=body).status_code == invite
