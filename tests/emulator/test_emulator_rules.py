"""Every rule of the server has a test that names it; here are those that are about several namespaces at once."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.rule_catalogue import RULES

Refusal = Callable[[httpx.Response], tuple[int, str]]

HERE = Path(__file__).parent
MEMBER = {"resource_type": "organization", "role": "OrgMember"}


def named() -> set[str]:
    """Find every rule that the mark of a test here names."""
    calls = [
        node
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule"
    ]
    return {str(ast.literal_eval(argument)) for call in calls for argument in call.args}


def test_every_rule_has_a_test_that_names_it() -> None:
    """The marks of the tests and the catalogue agree."""
    assert named() == set(RULES)


@pytest.fixture
def made(api: httpx.Client, emulator: Emulator) -> dict[str, tuple[int, dict[str, Any]]]:
    """Create one of each thing, and return with which status and what came."""

    def create(path: str, **body: object) -> tuple[int, dict[str, Any]]:
        answer = api.post(path, json=body)
        return answer.status_code, answer.raise_for_status().json()

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


Made = dict[str, tuple[int, dict[str, Any]]]


def record_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a document that may carry a secret beside it."""
    record: dict[str, Any] = document.get("key") or document.get("service_account") or document
    return record


@pytest.mark.rule("uuids")
def test_ids_are_uuids(made: Made) -> None:
    """The id of everything but the organization is a UUID."""
    for _, document in made.values():
        identifier = record_of(document)["id"]
        assert str(UUID(identifier)) == identifier


@pytest.mark.rule("created")
def test_creating_has_its_status(made: Made) -> None:
    """A key and a service account answer 201, a project, an invite and a binding 200."""
    statuses = {name: status for name, (status, _) in made.items()}
    assert statuses == {
        "project": 200,
        "key": 201,
        "invite": 200,
        "service account": 201,
        "role binding": 200,
        "user": 200,
    }


@pytest.mark.rule("changed")
def test_changing_answers_200(made: Made, api: httpx.Client, emulator: Emulator) -> None:
    """Every PATCH, a resend and a rotation answer 200."""
    account = f"/admin/service-accounts/{record_of(made['service account'][1])['id']}"
    for method, path in (
        ("PATCH", f"/admin/organizations/{emulator.organization_id}"),
        ("PATCH", f"/admin/projects/{made['project'][1]['id']}"),
        ("PATCH", f"/admin/api-keys/{record_of(made['key'][1])['id']}"),
        ("PATCH", account),
        ("POST", f"/admin/invites/{made['invite'][1]['id']}/resend"),
        ("POST", f"{account}/rotate-secret"),
    ):
        assert api.request(method, path, json={"name": "new"}).status_code == 200


@pytest.mark.rule("deleted")
def test_deleting_answers_202_once(made: Made, api: httpx.Client, refusal: Refusal) -> None:
    """Every delete answers 202 without a body, and 404 when it is repeated."""
    paths = {
        "role binding": "role-bindings",
        "key": "api-keys",
        "project": "projects",
        "invite": "invites",
        "service account": "service-accounts",
        "user": "users",
    }
    for name, path in paths.items():
        target = f"/admin/{path}/{record_of(made[name][1])['id']}"
        answer = api.delete(target)
        assert (answer.status_code, answer.content) == (202, b"")
        assert refusal(api.get(target)) == (404, "NOT_FOUND")
        assert refusal(api.delete(target)) == (404, "NOT_FOUND")


@pytest.mark.rule("whole-lists")
def test_keys_come_whole(made: Made, api: httpx.Client) -> None:
    """All keys of a project come at once, whatever limit is asked for."""
    path = f"/admin/projects/{made['project'][1]['id']}/api-keys"
    for number in range(120):
        api.post(path, json={"name": str(number)}).raise_for_status()
    document = api.get(f"{path}?limit=1").json()
    assert set(document) == {"data"}
    assert len(document["data"]) == 121


@pytest.mark.rule("bindings-immutable")
def test_bindings_are_not_changed(made: Made, api: httpx.Client) -> None:
    """No method changes a binding."""
    path = f"/admin/role-bindings/{made['role binding'][1]['id']}"
    for method in ("PATCH", "PUT", "POST"):
        answer = api.request(method, path, json={"role": "OrgOwner"})
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, DELETE"


@pytest.mark.rule("service-account-role-bindings", "invite-role-bindings")
def test_up_to_a_hundred_bindings_come_at_once(api: httpx.Client, emulator: Emulator) -> None:
    """A service account is created with none to a hundred bindings, an invite with one to a hundred."""
    projects = [emulator.state.add_project(str(number), emulator.clock.now()) for number in range(100)]
    viewer = [{"resource_type": "project", "resource_id": each.id, "role": "ProjectViewer"} for each in projects]
    grants = [MEMBER, *viewer]
    for count, account, invite in ((0, 201, 400), (1, 201, 200), (100, 201, 200), (101, 400, 400)):
        body = {"name": "ci", "email": f"{count}@example.com", "role_bindings": grants[:count]}
        assert api.post("/admin/service-accounts", json=body).status_code == account
        assert api.post("/admin/invites", json=body).status_code == invite
