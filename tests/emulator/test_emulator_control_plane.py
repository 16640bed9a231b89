"""Contents of a project in the control plane."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal, ProjectRecord

VERSIONS = ["2025-10", "2026-04", "2026-07"]
SERVERLESS = {"serverless": {"cloud": "aws", "region": "us-east-1"}}
MOVIES = {"name": "movies", "dimension": 4, "spec": SERVERLESS}
PODS = {"name": "pods", "dimension": 4, "spec": {"pod": {"environment": "e"}}}


def version_header(version: str) -> dict[str, str]:
    """Return the version header."""
    return {"x-pinecone-api-version": version}


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with a seed."""
    return Emulator(seed=1)


@pytest.fixture
def project(emulator: Emulator) -> ProjectRecord:
    """Return a project with contents of every kind."""
    project = emulator.state.add_project("p", emulator.clock.now())
    names = {"indexes": ["a", "b"], "collections": ["c"], "assistants": ["h"], "workspaces": ["w"]}
    for kind, each in (names | {"backups": [f"b-{number:02}" for number in range(25)]}).items():
        for name in each:
            emulator.hold(project.id, kind, name)
    return project


def send(
    emulator: Emulator,
    project: ProjectRecord,
    method: str,
    path: str,
    *,
    roles: Any = None,
    version: str = "2026-04",
    **more: Any,
) -> Any:
    """Send a request with a new key of the project and return the response."""
    key = emulator.state.add_api_key(project, "k")
    role_names = ["ControlPlaneEditor"] if roles is None else roles
    grants = [Grant(role, "project", project.id) for role in role_names]
    emulator.state.bind(Principal("api_key", key.id), grants, emulator.clock.now())
    with httpx.Client(transport=emulator.transport, headers=version_header(version) | {"api-key": key.value}) as client:
        return client.request(method, f"https://api.pinecone.io{path}", **more)


def read_error(response: httpx.Response) -> tuple[int, str]:
    """Return the status and code of an error response."""
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.rule("index-deletion")
def test_index_is_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """A deleted index is terminating for a while. Until then, it blocks the deletion of its project."""
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


@pytest.mark.rule("index-deletion")
def test_protected_index_cannot_be_deleted(emulator: Emulator, project: ProjectRecord) -> None:
    """A protected index cannot be deleted until its protection is disabled."""
    body = {"deletion_protection": "enabled"}
    assert send(emulator, project, "PATCH", "/indexes/a", json=body).json()["deletion_protection"] == "enabled"
    assert read_error(send(emulator, project, "DELETE", "/indexes/a")) == (403, "FORBIDDEN")
    assert read_error(send(emulator, project, "PATCH", "/indexes/a", json={"deletion_protection": 1}))[0] == 400
    send(emulator, project, "PATCH", "/indexes/a", json={"deletion_protection": "disabled"})
    assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202


@pytest.mark.rule("index-deletion", "backup-deletion")
def test_contents_in_creation_cannot_be_deleted(emulator: Emulator, project: ProjectRecord) -> None:
    """A backup in creation, and the source index of a collection in creation, cannot be deleted."""
    ready_at = emulator.clock.now() + timedelta(days=365)
    project.collections["c"].source = "a"
    project.collections["c"].ready_at = project.backups["b-00"].ready_at = ready_at
    assert read_error(send(emulator, project, "DELETE", "/indexes/a")) == (412, "FAILED_PRECONDITION")
    assert read_error(send(emulator, project, "DELETE", "/backups/b-00")) == (412, "FAILED_PRECONDITION")
    assert send(emulator, project, "GET", "/collections").json()["collections"][0]["status"] == "Initializing"
    emulator.clock.advance(400 * 86_400)
    assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202
    assert send(emulator, project, "DELETE", "/backups/b-00").status_code == 202


@pytest.mark.rule("backup-pages")
def test_backups_are_paged(emulator: Emulator, project: ProjectRecord) -> None:
    """A page has 10 backups by default and up to 100, and a token of another list is refused."""
    first = send(emulator, project, "GET", "/backups").json()
    assert len(first["data"]) == 10
    token = first["pagination"]["next"]
    second = send(emulator, project, "GET", "/backups", params={"limit": 100, "paginationToken": token}).json()
    assert len(second["data"]) == 15
    assert "pagination" not in second
    assert read_error(send(emulator, project, "GET", "/backups", params={"limit": 101})) == (400, "OUT_OF_RANGE")
    other = send(emulator, project, "GET", "/assistant/assistants", params={"pagination_token": token})
    assert read_error(other) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("assistant-deletion")
def test_assistants_are_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """Deleting an assistant returns 200 without a body, and takes a while."""
    response = send(emulator, project, "DELETE", "/assistant/assistants/h")
    assert (response.status_code, response.content) == (200, b"")
    (leaving,) = send(emulator, project, "GET", "/assistant/assistants").json()["assistants"]
    assert leaving["status"] == "Terminating"
    emulator.clock.advance(4)
    assert send(emulator, project, "GET", "/assistant/assistants").json() == {"assistants": []}
    assert read_error(send(emulator, project, "GET", "/assistant/assistants/h")) == (404, "NOT_FOUND")


@pytest.mark.rule("assistant-pages")
def test_assistants_are_paged(emulator: Emulator, project: ProjectRecord) -> None:
    """A page has 50 assistants by default; version 2025-10 knows no pages."""
    for number in range(52):
        emulator.hold(project.id, "assistants", f"h-{number:02}")
    page = send(emulator, project, "GET", "/assistant/assistants").json()
    assert len(page["assistants"]) == 50
    params = {"pagination_token": page["pagination"]["next"]}
    assert len(send(emulator, project, "GET", "/assistant/assistants", params=params).json()["assistants"]) == 3
    whole = send(emulator, project, "GET", "/assistant/assistants", version="2025-10").json()["assistants"]
    assert len(whole) == 53


@pytest.mark.rule("workspace-deletion")
def test_workspaces_are_deleted_after_a_while(emulator: Emulator, project: ProjectRecord) -> None:
    """A deleted workspace is terminating for a while, and then not found; another key does not see it."""
    listed = send(emulator, project, "GET", "/workspaces", version="2026-07").json()
    (workspace,) = listed["workspaces"]
    assert (workspace["name"], workspace["status"]) == ("w", {"ready": True, "state": "Ready"})
    assert send(emulator, project, "DELETE", "/workspaces/w", roles=["ProjectViewer"]).status_code == 403
    for _ in range(2):  # a second request changes nothing
        response = send(emulator, project, "DELETE", "/workspaces/w", version="2026-07")
        assert (response.status_code, response.content) == (202, b"")
    leaving = send(emulator, project, "GET", "/workspaces/w", version="2026-07").json()
    assert leaving == workspace | {"status": {"ready": False, "state": "Terminating"}}
    emulator.clock.advance(4)
    for method in ("GET", "DELETE"):
        assert read_error(send(emulator, project, method, "/workspaces/w")) == (404, "NOT_FOUND")
    assert send(emulator, project, "GET", "/workspaces").json() == {"workspaces": []}
    emulator.hold(project.id, "workspaces", "w")
    other = emulator.state.add_project("other", emulator.clock.now())
    assert send(emulator, other, "GET", "/workspaces").json() == {"workspaces": []}


@pytest.mark.rule("workspace-pages")
def test_workspaces_are_paged(emulator: Emulator, project: ProjectRecord) -> None:
    """A page has 10 workspaces by default and up to 100."""
    for number in range(20):
        emulator.hold(project.id, "workspaces", f"w-{number:02}")
    first = send(emulator, project, "GET", "/workspaces").json()
    assert len(first["workspaces"]) == 10
    params = {"limit": 100, "paginationToken": first["pagination"]["next"]}
    second = send(emulator, project, "GET", "/workspaces", params=params).json()
    assert (len(second["workspaces"]), "pagination" in second) == (11, False)
    assert read_error(send(emulator, project, "GET", "/workspaces", params={"limit": 0})) == (400, "OUT_OF_RANGE")


@pytest.mark.rule("collection-list")
def test_collections_are_listed_where_there_are_none(emulator: Emulator, project: ProjectRecord) -> None:
    """The list of collections is empty where there are none."""
    assert send(emulator, project, "DELETE", "/collections/c").status_code == 202
    assert send(emulator, project, "GET", "/collections").json() == {"collections": []}


@pytest.mark.rule("control-key")
def test_key_is_limited_to_its_project_and_roles(emulator: Emulator, project: ProjectRecord) -> None:
    """A key is accepted only for its own project and roles, and a bearer token is refused."""
    other = emulator.state.add_project("other", emulator.clock.now())
    assert send(emulator, other, "GET", "/indexes").json() == {"indexes": []}
    assert read_error(send(emulator, other, "DELETE", "/indexes/a")) == (404, "NOT_FOUND")
    assert send(emulator, project, "GET", "/indexes", roles=["ProjectViewer"]).status_code == 200
    assert read_error(send(emulator, project, "DELETE", "/indexes/a", roles=["ProjectViewer"])) == (403, "FORBIDDEN")
    assert read_error(send(emulator, project, "GET", "/indexes", roles=["DataPlaneEditor"])) == (403, "FORBIDDEN")
    with httpx.Client(transport=emulator.transport, headers=version_header("2026-04")) as client:
        bearer = {"authorization": "Bearer t"}
        assert read_error(client.get("https://api.pinecone.io/indexes", headers=bearer)) == (401, "UNAUTHENTICATED")


@pytest.mark.rule("index-host", "control-key")
def test_hosts_of_indexes_show_the_project(emulator: Emulator, project: ProjectRecord) -> None:
    """The hosts of all indexes of a project have one slug, which no other project has."""
    other = emulator.state.add_project("other", emulator.clock.now())
    for each in (project, other):
        for name in ("movies", "songs-2"):
            emulator.hold(each.id, "indexes", name)

    def read_slugs(of: ProjectRecord, role: str) -> set[str]:
        indexes = send(emulator, of, "GET", "/indexes", roles=[role]).json()["indexes"]
        return {each["host"].partition(".")[0].removeprefix(f"{each['name']}-") for each in indexes}

    readers = ("ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer")
    (slug,), (another,) = ({s for role in readers for s in read_slugs(of, role)} for of in (project, other))
    assert re.fullmatch("[0-9a-f]{7}", slug)
    assert slug != another
    for role in ("DataPlaneEditor", "DataPlaneViewer"):
        assert read_error(send(emulator, project, "GET", "/indexes", roles=[role])) == (403, "FORBIDDEN")


def test_other_methods_and_routes_are_refused(emulator: Emulator, project: ProjectRecord) -> None:
    """A route refuses other methods, and a change that is not emulated says so."""
    assert read_error(send(emulator, project, "DELETE", "/backups")) == (405, "UNIMPLEMENTED")
    assert read_error(send(emulator, project, "PUT", "/indexes/a")) == (405, "UNIMPLEMENTED")
    assert read_error(send(emulator, project, "GET", "/assistants"))[0] in {401, 404}
    assert send(emulator, project, "PATCH", "/indexes/a", json={"embed": {"model": "m"}}).status_code == 501


@pytest.mark.rule("control-version")
@pytest.mark.parametrize("version", VERSIONS)
def test_contents_are_described(version: str, emulator: Emulator, project: ProjectRecord) -> None:
    """Each resource is described as in its list, and not found where it is not."""
    paths = {"/indexes": "a", "/collections": "c", "/assistant/assistants": "h", "/backups": "b-00", "/workspaces": "w"}
    for path, name in paths.items():
        listed, *_ = next(iter(send(emulator, project, "GET", path, version=version).json().values()))
        assert send(emulator, project, "GET", f"{path}/{name}", version=version).json() == listed
        assert read_error(send(emulator, project, "GET", f"{path}/x", version=version)) == (404, "NOT_FOUND")


@pytest.mark.rule("control-version", "control-created", "index-pods")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("spec", "deployment"),
    [
        (SERVERLESS, {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}),
        ({"byoc": {"environment": "e"}}, {"deployment_type": "byoc", "environment": "e"}),
        (
            {"pod": {"environment": "e", "pod_type": "p1.x1", "replicas": 2}},
            {"deployment_type": "pod", "environment": "e", "pod_type": "p1.x1", "replicas": 2, "shards": 1},
        ),
    ],
    ids=["serverless", "byoc", "pod"],
)
def test_indexes_are_created(
    version: str, spec: dict[str, Any], deployment: dict[str, str], emulator: Emulator, project: ProjectRecord
) -> None:
    """An index that is created by one version is shown as the same index by every version."""
    if "pod" in spec:  # later versions show a pod-based index, but do not create one
        version = min(version, "2026-04")
    body: dict[str, Any] = {"name": "movies", "dimension": 4, "metric": "euclidean", "spec": spec}
    if version == "2026-07":
        vectors = {"type": "dense_vector", "dimension": 4, "metric": "euclidean"}
        body = {"name": "movies", "deployment": deployment, "schema": {"fields": {"v": vectors}}}
    body |= {"tags": {"team": "a"}, "deletion_protection": "enabled"}
    created = send(emulator, project, "POST", "/indexes", json=body, version=version)
    assert created.status_code == 201
    for other in VERSIONS:
        shown = send(emulator, project, "GET", "/indexes/movies", version=other).json()
        assert (shown["dimension"], shown["metric"], shown["vector_type"]) == (4, "euclidean", "dense")
        assert (shown["tags"], shown["deletion_protection"], set(shown["spec"])) == (
            {"team": "a"},
            "enabled",
            set(spec),
        )
        if other == version:
            assert shown == created.json()
        if other == "2026-07":
            assert shown["deployment"] == deployment
    assert read_error(send(emulator, project, "POST", "/indexes", json=body, version=version)) == (
        409,
        "ALREADY_EXISTS",
    )


def test_sparse_and_nameless_indexes_are_created(emulator: Emulator, project: ProjectRecord) -> None:
    """A sparse index has no dimension; version 2026-07 names an index that has no name."""
    body: dict[str, Any] = {"name": "movies", "vector_type": "sparse", "spec": SERVERLESS}
    sparse = send(emulator, project, "POST", "/indexes", json=body).json()
    assert (sparse["metric"], sparse["vector_type"], "dimension" in sparse) == ("dotproduct", "sparse", False)
    body = {"schema": {"fields": {"_sparse_values": {"type": "sparse_vector"}}}, "read_capacity": {"mode": "OnDemand"}}
    created = send(emulator, project, "POST", "/indexes", json=body, version="2026-07").json()
    assert created["name"] in project.indexes
    assert created["schema"] == body["schema"]
    dedicated = {"mode": "Dedicated", "dedicated": {"node_type": "t1", "scaling": "Manual"}}
    body = MOVIES | {"name": "d", "spec": {"serverless": SERVERLESS["serverless"] | {"read_capacity": dedicated}}}
    capacity = send(emulator, project, "POST", "/indexes", json=body).json()["spec"]["serverless"]["read_capacity"]
    assert capacity == dedicated | {"status": {"state": "Ready"}}


@pytest.mark.rule("control-fields", "index-tags")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": None}, 422),
        ({"spec": None}, 422),
        ({"name": "Movies"}, 400),
        ({"name": "m" * 46}, 400),
        ({"name": "-m"}, 400),
        ({"dimension": None}, 400),
        ({"dimension": 0}, 400),
        ({"dimension": 4, "vector_type": "sparse"}, 400),
        ({"dimension": None, "vector_type": "sparse", "metric": "cosine"}, 400),
        ({"metric": "manhattan"}, 400),
        ({"spec": {}}, 400),
        ({"spec": SERVERLESS | {"byoc": {"environment": "e"}}}, 400),
        ({"spec": {"serverless": {"cloud": "x", "region": "y"}}}, 400),
        ({"tags": {"a": 1}}, 400),
        ({"tags": {"a b": "c"}}, 400),
        ({"tags": {"k" * 81: "c"}}, 400),
        ({"tags": {"a": "c/d"}}, 400),
        ({"tags": {"a": "v" * 121}}, 400),
        ({"tags": {"a": "\ud800"}}, 400),
        ({"deletion_protection": "on"}, 400),
    ],
)
def test_malformed_indexes_are_refused(
    change: dict[str, Any], status: int, emulator: Emulator, project: ProjectRecord
) -> None:
    """A missing field is 422, a malformed one 400, and neither creates an index."""
    assert send(emulator, project, "POST", "/indexes", content=json.dumps(MOVIES | change)).status_code == status
    assert set(project.indexes) == {"a", "b"}


DENSE = {"type": "dense_vector", "dimension": 4}
POD = {"deployment_type": "pod", "environment": "e", "pod_type": "p1.x1"}


@pytest.mark.rule("index-schema", "index-pods")
def test_schemas_have_searched_fields_only(emulator: Emulator, project: ProjectRecord) -> None:
    """Version 2026-07 creates indexes with searched fields, and refuses other fields, pods and sources."""

    def create(fields: Any, **more: Any) -> Any:
        body = {"schema": {"fields": fields}} | more
        return send(emulator, project, "POST", "/indexes", json=body, version="2026-07")

    searched = {"body": {"type": "string", "full_text_search": {"language": "en"}}}
    assert create(searched).json()["schema"] == {"fields": searched}
    refusals: list[tuple[Any, dict[str, Any], int, str]] = [
        ({"title": {"type": "string"}}, {}, 422, "neither"),
        ({"v": DENSE, "title": {"type": "string", "filterable": True}}, {}, 400, "only accepts fields used for search"),
        ({"v": DENSE, "year": {"type": "float", "filterable": True}}, {}, 400, "only accepts fields used for search"),
        ({"v": DENSE}, {"deployment": POD}, 400, "'pod' is not supported on this API version"),
        ({"v": DENSE}, {"source_collection": "c"}, 400, "source_collection is not supported"),
        ({"v": DENSE}, {"source_backup_id": "b"}, 400, "source_backup_id is not supported"),
    ]
    for fields, more, status, words in refusals:
        refused = create(fields, **more)
        assert (refused.status_code, words in refused.json()["error"]["message"]) == (status, True), refused.text


@pytest.mark.rule("control-fields", "collection-source", "assistant-size")
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/collections", {"name": "x"}, 422),
        ("/collections", {"name": "x", "source": "unknown"}, 400),
        ("/collections", {"name": "x", "source": "a"}, 400),
        ("/indexes/unknown/backups", {}, 404),
        ("/indexes/a/backups", {"name": 1}, 400),
        ("/assistant/assistants", {}, 400),
        ("/assistant/assistants", {"name": "h"}, 409),
        ("/assistant/assistants", {"name": "n", "region": "asia"}, 400),
        ("/assistant/assistants", {"name": "n", "metadata": 1}, 400),
        ("/assistant/assistants", {"name": "n", "metadata": {"a": "é" * 8192}}, 400),
        ("/assistant/assistants", {"name": "n", "instructions": "é" * 8193}, 400),
    ],
)
def test_malformed_contents_are_refused(
    path: str, body: dict[str, Any], status: int, emulator: Emulator, project: ProjectRecord
) -> None:
    """A create that is malformed, or whose name is taken, is refused."""
    assert send(emulator, project, "POST", path, json=body).status_code == status


@pytest.mark.rule("control-created")
@pytest.mark.parametrize("version", VERSIONS)
def test_other_contents_are_created(version: str, emulator: Emulator, project: ProjectRecord) -> None:
    """Collections, backups and assistants are created, ready at once, and shown with what they were created with."""
    send(emulator, project, "POST", "/indexes", json=MOVIES | {"tags": {"a": "b"}})
    send(emulator, project, "POST", "/indexes", json=PODS)
    body = {"name": "archive", "source": "pods"}
    collection = send(emulator, project, "POST", "/collections", json=body, version=version)
    assert (collection.status_code, collection.json()["status"], collection.json()["dimension"]) == (201, "Ready", 4)
    assert collection.json()["environment"] == "e"
    assert send(emulator, project, "POST", "/collections", json=body, version=version).status_code == 409
    body = {"name": "weekly", "description": "d"}
    backup = send(emulator, project, "POST", "/indexes/movies/backups", json=body, version=version)
    assert backup.status_code == 201
    assert {**backup.json(), **body, "source_index_name": "movies", "tags": {"a": "b"}} == backup.json()
    nameless = send(emulator, project, "POST", "/indexes/movies/backups", version=version).json()
    listed = send(emulator, project, "GET", "/indexes/movies/backups", version=version).json()["data"]
    assert {each["backup_id"] for each in listed} == {backup.json()["backup_id"], nameless["backup_id"]}
    body = {"name": "helper", "instructions": "Be brief.", "metadata": {"team": ["a"]}}  # type: ignore[dict-item]
    assistant = send(emulator, project, "POST", "/assistant/assistants", json=body, version=version)
    assert (assistant.status_code, {**assistant.json(), **body}) == (200, assistant.json())


def test_created_contents_survive_in_the_state(emulator: Emulator, project: ProjectRecord) -> None:
    """A state that is dumped and loaded has the properties of its contents, and none of what was deleted."""
    send(emulator, project, "POST", "/indexes", json=MOVIES | {"tags": {"a": "b"}})
    before = send(emulator, project, "GET", "/indexes/movies").json()
    emulator.load(emulator.dump())
    loaded = emulator.state.projects[project.id]
    assert send(emulator, loaded, "GET", "/indexes/movies").json() == before
    send(emulator, loaded, "DELETE", "/indexes/movies")
    emulator.clock.advance(2)
    send(emulator, loaded, "POST", "/indexes", json=MOVIES)
    assert "tags" not in send(emulator, loaded, "GET", "/indexes/movies").json()


@pytest.mark.rule("index-patch")
def test_tags_are_merged(emulator: Emulator, project: ProjectRecord) -> None:
    """PATCH adds and changes tags, and removes those that are empty."""
    send(emulator, project, "PATCH", "/indexes/a", json={"tags": {"team": "x", "tier": "1"}})
    response = send(emulator, project, "PATCH", "/indexes/a", json={"tags": {"team": "y", "tier": ""}})
    assert (response.status_code, response.json()["tags"]) == (202, {"team": "y"})
    assert "tags" not in send(emulator, project, "PATCH", "/indexes/a", json={"tags": {"team": ""}}).json()


@pytest.mark.rule("assistant-patch")
@pytest.mark.parametrize("version", VERSIONS)
def test_assistants_are_updated(version: str, emulator: Emulator, project: ProjectRecord) -> None:
    """PATCH replaces the instructions and the metadata of an assistant, and keeps fields that are not sent."""
    body = {"name": "helper", "instructions": "Be brief.", "metadata": {"team": "a", "tier": "1"}}
    created = send(emulator, project, "POST", "/assistant/assistants", json=body, version=version).json()
    emulator.clock.advance(1)
    path, change = "/assistant/assistants/helper", {"metadata": {"team": "b"}}
    updated = send(emulator, project, "PATCH", path, json=change, version=version)
    assert (updated.status_code, updated.json()["assistant_name"]) == (200, "helper")
    shown = send(emulator, project, "GET", path, version=version).json()
    assert shown == created | change | {"updated_at": shown["updated_at"]}
    assert shown["updated_at"] > created["updated_at"]
    missing = send(emulator, project, "PATCH", "/assistant/assistants/unknown", json={}, version=version)
    assert read_error(missing) == (404, "NOT_FOUND")


def test_read_capacity_is_changed(emulator: Emulator, project: ProjectRecord) -> None:
    """PATCH changes the read capacity of an index."""
    for capacity in ({"mode": "Dedicated", "dedicated": {"node_type": "t1"}}, {"mode": "OnDemand"}):
        body = {"read_capacity": capacity}
        changed = send(emulator, project, "PATCH", "/indexes/a", json=body, version="2026-07").json()
        assert changed["read_capacity"] == capacity | {"status": {"state": "Ready"}}
    assert read_error(send(emulator, project, "PATCH", "/indexes/a", json={"read_capacity": {}}))[0] == 400


@pytest.mark.rule("backup-source")
def test_backups_outlive_their_index(emulator: Emulator, project: ProjectRecord) -> None:
    """The backups of a deleted index are listed on request, and are not those of a later index of the same name."""

    def list_backups(**parameters: str) -> Any:
        return send(emulator, project, "GET", "/indexes/movies/backups", params=parameters, version="2026-07")

    for _ in range(2):
        send(emulator, project, "POST", "/indexes", json=MOVIES)
        send(emulator, project, "POST", "/indexes/movies/backups", json={})
        assert len(list_backups().json()["data"]) == 1
        send(emulator, project, "DELETE", "/indexes/movies")
        emulator.clock.advance(2)
        assert read_error(list_backups()) == (404, "NOT_FOUND")
    all_of_them = list_backups(include_deleted="true").json()["data"]
    assert len({each["source_index_deleted_at"] for each in all_of_them}) == 2
    assert read_error(list_backups(include_deleted="maybe")) == (400, "INVALID_ARGUMENT")


def test_creation_takes_as_long_as_is_set(emulator: Emulator, project: ProjectRecord) -> None:
    """With a delay, a resource is initializing at first, and blocks what depends on it."""
    emulator.configure(creation_delay=3)
    assert send(emulator, project, "POST", "/indexes", json=MOVIES).json()["status"] == {
        "ready": False,
        "state": "Initializing",
    }
    send(emulator, project, "POST", "/indexes", json=PODS)
    collection = send(emulator, project, "POST", "/collections", json={"name": "x", "source": "pods"})
    assert collection.json()["status"] == "Initializing"
    assert read_error(send(emulator, project, "DELETE", "/indexes/pods")) == (412, "FAILED_PRECONDITION")
    emulator.clock.advance(3)
    assert send(emulator, project, "GET", "/indexes/movies").json()["status"]["ready"]
    assert send(emulator, project, "DELETE", "/indexes/pods").status_code == 202


@pytest.mark.rule("control-key", "billing")
def test_creating_requires_billing_and_a_role(emulator: Emulator, project: ProjectRecord) -> None:
    """A key of a viewer, or a payment status that forbids creating, cannot create."""
    assert read_error(send(emulator, project, "POST", "/indexes", json=MOVIES, roles=["ProjectViewer"]))[0] == 403
    emulator.configure(payment_status="Restricted")
    assert read_error(send(emulator, project, "POST", "/indexes", json=MOVIES)) == (402, "PAYMENT_REQUIRED")


@pytest.mark.rule("index-quota", "backup-quota", "quota-message")
@pytest.mark.parametrize(
    ("plan", "indexes", "backups"),
    [("Free", 5, 0), ("Builder", 10, 0), ("Standard", 20, 500), ("Enterprise", 200, 1000), ("Dedicated", 200, 1000)],
)
def test_plan_limits_indexes_and_backups(
    plan: str, indexes: int, backups: int, emulator: Emulator, project: ProjectRecord
) -> None:
    """A project holds as many indexes and backups as the plan allows; the error names project and organization."""
    emulator.configure(plan="Free" if plan == "Builder" else plan, builder=plan == "Builder")
    for number in range(indexes - 2):
        emulator.hold(project.id, "indexes", f"i-{number}")
    for number in range(backups - 25):
        emulator.hold(project.id, "backups", f"more-{number}")
    for path, body, kind in (("/indexes", MOVIES, "indexes"), ("/indexes/b/backups", {}, "backups")):
        refused = send(emulator, project, "POST", path, json=body)
        assert read_error(refused) == (403, "QUOTA_EXCEEDED")
        words = f"You've reached the max {kind} allowed in project p of organization Emulated Organization."
        assert refused.json()["error"]["message"].startswith(words)
        emulator.release(project.id, kind, min(project.contents[kind]))
    assert send(emulator, project, "POST", "/indexes", json=MOVIES).status_code == 201
    assert send(emulator, project, "POST", "/indexes/b/backups", json={}).status_code == (201 if backups else 403)


@pytest.mark.rule("plan-regions", "region-refusal")
@pytest.mark.parametrize("version", ["2026-04", "2026-07"])
def test_starter_has_one_region(version: str, emulator: Emulator, project: ProjectRecord) -> None:
    """On Starter, a serverless index in another region than us-east-1 of aws is refused; on Builder it is not."""

    def create(cloud: str, region: str) -> httpx.Response:
        place: dict[str, Any] = {"cloud": cloud, "region": region}
        body = {"name": f"in-{region}", "dimension": 4, "spec": {"serverless": place}}
        if version == "2026-07":
            deployment = {"deployment_type": "managed"} | place
            body = {"name": f"in-{region}", "schema": {"fields": {"v": DENSE}}, "deployment": deployment}
        response: httpx.Response = send(emulator, project, "POST", "/indexes", json=body, version=version)
        return response

    emulator.configure(plan="Free")
    for cloud, region in (("aws", "us-west-2"), ("gcp", "us-central1")):
        refused = create(cloud, region)
        assert read_error(refused) == (400, "INVALID_ARGUMENT")
        assert f"{region} of {cloud}" in refused.json()["error"]["message"]
    assert create("aws", "us-east-1").status_code == 201
    emulator.configure(builder=True)
    assert create("aws", "us-west-2").status_code == 201


@pytest.mark.rule("control-version-header", "no-version")
def test_responses_have_their_version(emulator: Emulator, project: ProjectRecord) -> None:
    """Each response of the control plane, an error too, has the version that it is of; the oldest without a version."""
    for version in ("2026-04", "2026-04.alpha"):
        for path in ("/indexes", "/indexes/x"):
            response = send(emulator, project, "GET", path, version=version)
            assert response.headers["x-pinecone-api-version"] == version
    key = next(iter(emulator.state.api_keys.values()))
    with httpx.Client(transport=emulator.transport) as client:
        listed = client.get("https://api.pinecone.io/assistant/assistants", headers={"api-key": key.value})
        refused = client.get("https://api.pinecone.io/admin/projects")
    assert listed.headers["x-pinecone-api-version"] == "2025-10"
    assert "region" not in listed.json()["assistants"][0]
    assert "x-pinecone-api-version" not in refused.headers


@pytest.mark.rule("doubled-version")
def test_version_header_may_be_doubled(emulator: Emulator, project: ProjectRecord) -> None:
    """The version header may come twice with one value, as the official SDK 8 sends it, and not with two."""
    assert send(emulator, project, "GET", "/indexes", version="2025-04, 2025-04").status_code == 200
    assert read_error(send(emulator, project, "GET", "/indexes", version="2025-04, 2026-04")) == (
        400,
        "INVALID_ARGUMENT",
    )


@pytest.mark.rule("project-contents")
def test_terminating_contents_block_project_deletion(emulator: Emulator) -> None:
    """Terminating contents block the deletion of a project."""
    admin = emulator.admin()
    project = emulator.state.projects[admin.projects.create(name="p").id]
    emulator.hold(project.id, "indexes", "a")
    assert send(emulator, project, "DELETE", "/indexes/a").status_code == 202
    with pytest.raises(Exception, match="still holds 1 index"):
        admin.projects.delete(project_id=project.id)
    emulator.clock.advance(2)
    admin.projects.delete(project_id=project.id)
