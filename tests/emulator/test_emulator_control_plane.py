"""Contents of a project in the control plane."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, PendingResource, Principal, ProjectRecord

VERSION = {"x-pinecone-api-version": "2026-04"}


@pytest.fixture(autouse=True)
def check_contract() -> None:
    """Exclude these responses from the check against the Admin API's document, which lacks them."""


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with a seed."""
    return Emulator(seed=1)


@pytest.fixture
def project(emulator: Emulator) -> ProjectRecord:
    """Return a project with contents of every kind."""
    project = emulator.state.add_project("p", emulator.clock.now())
    project.contents["indexes"] |= {"a", "b"}
    project.contents["collections"] |= {"c"}
    project.contents["assistants"] |= {"h"}
    project.contents["backups"] |= {f"b-{number:02}" for number in range(25)}
    return project


def send(emulator: Emulator, project: ProjectRecord, method: str, path: str, *, roles: Any = None, **more: Any) -> Any:
    """Send a request with a new key of the project and return the response."""
    key = emulator.state.add_api_key(project, "k")
    role_names = ["ControlPlaneEditor"] if roles is None else roles
    grants = [Grant(role, "project", project.id) for role in role_names]
    emulator.state.bind(Principal("api_key", key.id), grants, emulator.clock.now())
    with httpx.Client(transport=emulator.transport, headers=VERSION | {"api-key": key.value}) as client:
        return client.request(method, f"https://api.pinecone.io{path}", **more)


def read_error(response: httpx.Response) -> tuple[int, str]:
    """Return the status and code of an error response."""
    return response.status_code, response.json()["error"]["code"]


def test_index_is_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """A deleted index is terminating for a while, and blocks the deletion of its project meanwhile."""
    assert [each["name"] for each in send(emulator, project, "GET", "/indexes").json()["indexes"]] == ["a", "b"]
    for _ in range(2):  # a second request changes nothing
        assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202
    first, second = send(emulator, project, "GET", "/indexes").json()["indexes"]
    assert (first["status"], second["status"]) == (
        {"ready": False, "state": "Terminating"},
        {"ready": True, "state": "Ready"},
    )
    emulator.clock.advance(2)
    assert [each["name"] for each in send(emulator, project, "GET", "/indexes").json()["indexes"]] == ["b"]
    assert read_error(send(emulator, project, "DELETE", "/indexes/a")) == (404, "NOT_FOUND")


def test_protected_index_cannot_be_deleted(emulator: Emulator, project: ProjectRecord) -> None:
    """A protected index cannot be deleted until its protection is disabled."""
    body = {"deletion_protection": "enabled"}
    assert send(emulator, project, "PATCH", "/indexes/a", json=body).json()["deletion_protection"] == "enabled"
    assert read_error(send(emulator, project, "DELETE", "/indexes/a")) == (403, "FORBIDDEN")
    assert read_error(send(emulator, project, "PATCH", "/indexes/a", json={"deletion_protection": 1}))[0] == 400
    send(emulator, project, "PATCH", "/indexes/a", json={"deletion_protection": "disabled"})
    assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202


def test_contents_in_creation_cannot_be_deleted(emulator: Emulator, project: ProjectRecord) -> None:
    """A backup in creation, and the source index of a collection in creation, cannot be deleted."""
    until = emulator.clock.now()
    project.pending["c"] = PendingResource("a", until.replace(year=until.year + 1))
    project.pending["b-00"] = PendingResource("", until.replace(year=until.year + 1))
    assert read_error(send(emulator, project, "DELETE", "/indexes/a")) == (412, "FAILED_PRECONDITION")
    assert read_error(send(emulator, project, "DELETE", "/backups/b-00")) == (412, "FAILED_PRECONDITION")
    assert send(emulator, project, "GET", "/collections").json()["collections"][0]["status"] == "Initializing"
    emulator.clock.advance(400 * 86_400)
    assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202
    assert send(emulator, project, "DELETE", "/backups/b-00").status_code == 202


def test_backups_are_paged(emulator: Emulator, project: ProjectRecord) -> None:
    """A page has 10 backups by default and up to 100, and a token of another list is refused."""
    first = send(emulator, project, "GET", "/backups").json()
    assert len(first["data"]) == 10
    token = first["pagination"]["next"]
    second = send(emulator, project, "GET", "/backups", params={"limit": 100, "paginationToken": token}).json()
    assert len(second["data"]) == 15
    assert second["pagination"] is None
    assert read_error(send(emulator, project, "GET", "/backups", params={"limit": 101})) == (400, "OUT_OF_RANGE")
    other = send(emulator, project, "GET", "/assistant/assistants", params={"pagination_token": token})
    assert read_error(other) == (400, "INVALID_ARGUMENT")


def test_assistants_are_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """Deleting an assistant returns 200 without a body, and takes a while."""
    response = send(emulator, project, "DELETE", "/assistant/assistants/h")
    assert (response.status_code, response.content) == (200, b"")
    assert send(emulator, project, "GET", "/assistant/assistants").json() == {
        "assistants": [{"name": "h", "status": "Terminating"}]
    }
    emulator.clock.advance(4)
    assert send(emulator, project, "GET", "/assistant/assistants").json() == {"assistants": []}
    for number in range(12):
        project.contents["assistants"].add(f"h-{number:02}")
    page = send(emulator, project, "GET", "/assistant/assistants").json()
    assert len(page["assistants"]) == 10
    params = {"pagination_token": page["pagination"]["next"]}
    assert len(send(emulator, project, "GET", "/assistant/assistants", params=params).json()["assistants"]) == 2


def test_collections_require_pod_access(emulator: Emulator, project: ProjectRecord) -> None:
    """The list of collections is 404 unless the project has some or has pod access."""
    assert send(emulator, project, "DELETE", "/collections/c").status_code == 202
    assert read_error(send(emulator, project, "GET", "/collections")) == (404, "NOT_FOUND")
    emulator.state.settings.pod_access = True
    assert send(emulator, project, "GET", "/collections").json() == {"collections": []}


def test_key_is_limited_to_its_project_and_roles(emulator: Emulator, project: ProjectRecord) -> None:
    """A key is accepted only for its own project and roles, and a bearer token is refused."""
    other = emulator.state.add_project("other", emulator.clock.now())
    assert send(emulator, other, "GET", "/indexes").json() == {"indexes": []}
    assert read_error(send(emulator, other, "DELETE", "/indexes/a")) == (404, "NOT_FOUND")
    assert send(emulator, project, "GET", "/indexes", roles=["ProjectViewer"]).status_code == 200
    assert read_error(send(emulator, project, "DELETE", "/indexes/a", roles=["ProjectViewer"])) == (403, "FORBIDDEN")
    assert read_error(send(emulator, project, "GET", "/indexes", roles=["DataPlaneEditor"])) == (403, "FORBIDDEN")
    with httpx.Client(transport=emulator.transport, headers=VERSION) as client:
        bearer = {"authorization": "Bearer t"}
        assert read_error(client.get("https://api.pinecone.io/indexes", headers=bearer)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(("method", "path"), [("POST", "/indexes"), ("GET", "/indexes/a"), ("DELETE", "/backups")])
def test_other_control_plane_routes_do_not_exist(
    method: str, path: str, emulator: Emulator, project: ProjectRecord
) -> None:
    """Only the control plane routes for emptying a project exist."""
    assert read_error(send(emulator, project, method, path)) == (405, "UNIMPLEMENTED")
    assert read_error(send(emulator, project, "GET", "/assistants"))[0] in {401, 404}


def test_terminating_contents_block_project_deletion(emulator: Emulator) -> None:
    """Terminating contents block the deletion of a project."""
    admin = emulator.admin()
    project = emulator.state.projects[admin.projects.create(name="p").id]
    project.contents["indexes"].add("a")
    assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202
    with pytest.raises(Exception, match="1 indexes"):
        admin.projects.delete(project_id=project.id)
    emulator.clock.advance(2)
    admin.projects.delete(project_id=project.id)
