"""Contents of a project, as the control plane lists and deletes them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, PendingResource, Principal, ProjectRecord

VERSION = {"x-pinecone-api-version": "2026-04"}


@pytest.fixture(autouse=True)
def contract() -> None:
    """Exclude these responses from the check against the Admin API's document, which lacks them."""


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator."""
    return Emulator(seed=1)


@pytest.fixture
def project(emulator: Emulator) -> ProjectRecord:
    """Return a project with contents of each kind."""
    project = emulator.state.add_project("p", emulator.clock.now())
    project.contents["indexes"] |= {"a", "b"}
    project.contents["collections"] |= {"c"}
    project.contents["assistants"] |= {"h"}
    project.contents["backups"] |= {f"b-{number:02}" for number in range(25)}
    return project


def call(emulator: Emulator, project: ProjectRecord, method: str, path: str, *, roles: Any = None, **more: Any) -> Any:
    """Send a request with a new key of the project, and return the response."""
    key = emulator.state.add_api_key(project, "k")
    granted = ["ControlPlaneEditor"] if roles is None else roles
    grants = [Grant(role, "project", project.id) for role in granted]
    emulator.state.bind(Principal("api_key", key.id), grants, emulator.clock.now())
    with httpx.Client(transport=emulator.transport, headers=VERSION | {"api-key": key.value}) as client:
        return client.request(method, f"https://api.pinecone.io{path}", **more)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def test_index_is_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """A deleted index is terminating for a while, and blocks the deletion of its project meanwhile."""
    assert [each["name"] for each in call(emulator, project, "GET", "/indexes").json()["indexes"]] == ["a", "b"]
    for _ in range(2):  # asking again changes nothing
        assert call(emulator, project, "DELETE", "/indexes/a").status_code == 202
    first, second = call(emulator, project, "GET", "/indexes").json()["indexes"]
    assert (first["status"], second["status"]) == (
        {"ready": False, "state": "Terminating"},
        {"ready": True, "state": "Ready"},
    )
    emulator.clock.advance(2)
    assert [each["name"] for each in call(emulator, project, "GET", "/indexes").json()["indexes"]] == ["b"]
    assert code(call(emulator, project, "DELETE", "/indexes/a")) == (404, "NOT_FOUND")


def test_deletion_protection_refuses_until_it_is_lifted(emulator: Emulator, project: ProjectRecord) -> None:
    """A protected index is not deleted, whatever the role of the key: the status is 403."""
    body = {"deletion_protection": "enabled"}
    assert call(emulator, project, "PATCH", "/indexes/a", json=body).json()["deletion_protection"] == "enabled"
    assert code(call(emulator, project, "DELETE", "/indexes/a")) == (403, "FORBIDDEN")
    assert code(call(emulator, project, "PATCH", "/indexes/a", json={"deletion_protection": 1}))[0] == 400
    call(emulator, project, "PATCH", "/indexes/a", json={"deletion_protection": "disabled"})
    assert call(emulator, project, "DELETE", "/indexes/a").status_code == 202


def test_contents_in_creation_are_not_deleted(emulator: Emulator, project: ProjectRecord) -> None:
    """A backup in creation, and an index that is the source of a collection in creation, are not deleted."""
    until = emulator.clock.now()
    project.pending["c"] = PendingResource("a", until.replace(year=until.year + 1))
    project.pending["b-00"] = PendingResource("", until.replace(year=until.year + 1))
    assert code(call(emulator, project, "DELETE", "/indexes/a")) == (412, "FAILED_PRECONDITION")
    assert code(call(emulator, project, "DELETE", "/backups/b-00")) == (412, "FAILED_PRECONDITION")
    assert call(emulator, project, "GET", "/collections").json()["collections"][0]["status"] == "Initializing"
    emulator.clock.advance(400 * 86_400)
    assert call(emulator, project, "DELETE", "/indexes/a").status_code == 202
    assert call(emulator, project, "DELETE", "/backups/b-00").status_code == 202


def test_backups_come_in_pages(emulator: Emulator, project: ProjectRecord) -> None:
    """A page has ten backups by default and up to a hundred, and a token of another list is refused."""
    first = call(emulator, project, "GET", "/backups").json()
    assert len(first["data"]) == 10
    token = first["pagination"]["next"]
    second = call(emulator, project, "GET", "/backups", params={"limit": 100, "paginationToken": token}).json()
    assert len(second["data"]) == 15
    assert second["pagination"] is None
    assert code(call(emulator, project, "GET", "/backups", params={"limit": 101})) == (400, "OUT_OF_RANGE")
    other = call(emulator, project, "GET", "/assistant/assistants", params={"pagination_token": token})
    assert code(other) == (400, "INVALID_ARGUMENT")


def test_assistants_are_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """The deletion of an assistant is accepted with 200 and no body, and takes a while."""
    answer = call(emulator, project, "DELETE", "/assistant/assistants/h")
    assert (answer.status_code, answer.content) == (200, b"")
    assert call(emulator, project, "GET", "/assistant/assistants").json() == {
        "assistants": [{"name": "h", "status": "Terminating"}]
    }
    emulator.clock.advance(4)
    assert call(emulator, project, "GET", "/assistant/assistants").json() == {"assistants": []}
    for number in range(12):
        project.contents["assistants"].add(f"h-{number:02}")
    page = call(emulator, project, "GET", "/assistant/assistants").json()
    assert len(page["assistants"]) == 10
    params = {"pagination_token": page["pagination"]["next"]}
    assert len(call(emulator, project, "GET", "/assistant/assistants", params=params).json()["assistants"]) == 2


def test_collections_need_a_plan_or_pods(emulator: Emulator, project: ProjectRecord) -> None:
    """The list of collections is 404 unless the project has some or has pod access."""
    assert call(emulator, project, "DELETE", "/collections/c").status_code == 202
    assert code(call(emulator, project, "GET", "/collections")) == (404, "NOT_FOUND")
    emulator.state.settings.pod_access = True
    assert call(emulator, project, "GET", "/collections").json() == {"collections": []}


def test_a_key_opens_its_own_project_only(emulator: Emulator, project: ProjectRecord) -> None:
    """A key is accepted for its own project and its roles only, and a token is refused."""
    other = emulator.state.add_project("other", emulator.clock.now())
    assert call(emulator, other, "GET", "/indexes").json() == {"indexes": []}
    assert code(call(emulator, other, "DELETE", "/indexes/a")) == (404, "NOT_FOUND")
    assert call(emulator, project, "GET", "/indexes", roles=["ProjectViewer"]).status_code == 200
    assert code(call(emulator, project, "DELETE", "/indexes/a", roles=["ProjectViewer"])) == (403, "FORBIDDEN")
    assert code(call(emulator, project, "GET", "/indexes", roles=["DataPlaneEditor"])) == (403, "FORBIDDEN")
    with httpx.Client(transport=emulator.transport, headers=VERSION) as client:
        bearer = {"authorization": "Bearer t"}
        assert code(client.get("https://api.pinecone.io/indexes", headers=bearer)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(("method", "path"), [("POST", "/indexes"), ("GET", "/indexes/a"), ("DELETE", "/backups")])
def test_other_control_plane_routes_are_missing(
    method: str, path: str, emulator: Emulator, project: ProjectRecord
) -> None:
    """Control plane routes that emptying a project does not need do not exist."""
    assert code(call(emulator, project, method, path)) == (405, "UNIMPLEMENTED")
    assert code(call(emulator, project, "GET", "/assistants"))[0] in {401, 404}


def test_terminating_contents_block_project_deletion(emulator: Emulator) -> None:
    """Terminating contents block the deletion of a project, in the server's order of refusals."""
    admin = emulator.admin()
    project = emulator.state.projects[admin.projects.create(name="p").id]
    project.contents["indexes"].add("a")
    assert call(emulator, project, "DELETE", "/indexes/a").status_code == 202
    with pytest.raises(Exception, match="1 indexes"):
        admin.projects.delete(project_id=project.id)
    emulator.clock.advance(2)
    admin.projects.delete(project_id=project.id)
