"""Resources that the emulator knows only from the table that is derived from the API document."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from attrs import define, field

from generation.emulator_table import make_table
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.routing import Router
from pinecone_admin.emulator.control import snapshot
from pinecone_admin.emulator.model.listing import Table
from pinecone_admin.emulator.model.state import State
from tests.support import contract
from tests.support.api_documents import document_with_more_resources, load_document

ReadError = Callable[[httpx.Response], tuple[int, str]]


@pytest.fixture
def api(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """Return a client of an emulator that has read a document with lanterns and puffins."""
    document = document_with_more_resources()
    monkeypatch.setattr(dispatch, "_ADMIN_ROUTER", Router(dispatch.read_routes(make_table(document))))
    monkeypatch.setattr(contract, "load_document", {"admin": document, "oauth": load_document("oauth")}.__getitem__)
    return api


@pytest.fixture
def project_id(api: httpx.Client) -> str:
    """Create a project, and return its id."""
    return str(api.post("/admin/projects", json={"name": "search"}).json()["id"])


def create(api: httpx.Client, path: str, **body: object) -> dict[str, Any]:
    """Create a record, and return it."""
    record: dict[str, Any] = api.post(path, json=body).raise_for_status().json()
    return record


@pytest.mark.rule("plain-resources")
def test_plain_records_are_kept(api: httpx.Client, emulator: Emulator, read_error: ReadError) -> None:
    """A record is created with defaults, listed, fetched, changed, and gone when it is deleted."""
    lantern = create(api, "/admin/lanterns", name="red", kind="team")
    path = f"/admin/lanterns/{lantern['id']}"
    assert (lantern["name"], lantern["kind"], lantern["size"]) == ("red", "team", 10)
    assert api.get(path).json() == lantern
    emulator.clock.advance(1)
    changed = api.patch(path, json={"name": "blue", "labels": ["a"]}).json()
    assert changed == lantern | {"name": "blue", "labels": ["a"], "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > lantern["updated_at"]
    assert api.get("/admin/lanterns").json() == {"data": [changed], "pagination": None}
    assert (api.delete(path).status_code, api.get("/admin/lanterns").json()["data"]) == (202, [])
    for method in ("GET", "PATCH", "DELETE"):
        response = api.request(method, path, json={})
        assert read_error(response) == (404, "NOT_FOUND")
        assert response.json()["error"]["message"] == f"Lantern '{lantern['id']}' not found"


@pytest.mark.rule("plain-resources")
def test_plain_lists_are_paged_and_filtered(api: httpx.Client, read_error: ReadError) -> None:
    """A list has pages and filters if the document has them, and a page token belongs to its filters."""
    kinds = {"a": "team", "b": "guild", "c": "team"}
    lanterns = {name: create(api, "/admin/lanterns", name=name, kind=kind) for name, kind in kinds.items()}
    page = api.get("/admin/lanterns", params={"limit": 2}).json()
    rest = {"limit": 2, "paginationToken": page["pagination"]["next"]}
    assert [*page["data"], *api.get("/admin/lanterns", params=rest).json()["data"]] == list(lanterns.values())
    assert api.get("/admin/lanterns", params={"kind": "guild"}).json()["data"] == [lanterns["b"]]
    assert read_error(api.get("/admin/lanterns", params=rest | {"kind": "team"})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("plain-resources")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x", "kind": "club"}, "kind"),
        ({"name": "x", "size": -1}, "size"),
        ({"name": "x", "labels": ["a", 1]}, "labels[1]"),
        ({"name": "x", "labels": list("abcd")}, "labels"),
    ],
)
def test_plain_requests_are_checked(
    api: httpx.Client, read_error: ReadError, body: dict[str, object], field: str
) -> None:
    """A request that its schema does not allow is refused, and the error names the field."""
    response = api.post("/admin/lanterns", json=body)
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert response.json()["error"]["message"].startswith(f"{field} ")
    assert api.get("/admin/lanterns").json()["data"] == []


@pytest.mark.rule("plain-resources")
def test_plain_records_belong_to_what_the_path_names(api: httpx.Client, project_id: str, read_error: ReadError) -> None:
    """A nested record is found below its own project only, and is deleted with it."""
    other_id = create(api, "/admin/projects", name="other")["id"]
    path = f"/admin/projects/{project_id}/puffins"
    puffin = create(api, path, rules={"a": [1]})
    assert (puffin["project_id"], puffin["rules"]) == (project_id, {"a": [1]})
    assert api.get(f"{path}/{puffin['id']}").json() == puffin
    assert api.get(path).json() == {"data": [puffin]}
    assert api.get(f"/admin/projects/{other_id}/puffins").json() == {"data": []}
    assert read_error(api.get(f"/admin/projects/{other_id}/puffins/{puffin['id']}")) == (404, "NOT_FOUND")
    assert read_error(api.get(f"/admin/projects/{puffin['id']}/puffins")) == (404, "NOT_FOUND")
    assert api.delete(f"/admin/projects/{project_id}").status_code == 202
    assert read_error(api.get(path)) == (404, "NOT_FOUND")


@pytest.mark.rule("plain-resources")
def test_plain_resources_have_no_conflicts(api: httpx.Client) -> None:
    """Two records may be equal but for their ids, and a value that looks like an id need not be one."""
    first, second = (create(api, "/admin/lanterns", name="red", labels=["no-such-id"]) for _ in range(2))
    assert first | {"id": second["id"]} == second
    assert api.get("/admin/lanterns").json()["data"] == [first, second]


@pytest.mark.rule("plain-resources")
@pytest.mark.usefixtures("api")
def test_owners_use_plain_resources(emulator: Emulator, project_id: str, connect: Callable[..., httpx.Client]) -> None:
    """An owner of a project uses what belongs to the project, and nobody but owners uses anything."""
    statuses: dict[str, list[int]] = {}
    for role in (("ProjectOwner", project_id), ("ProjectEditor", project_id), "OrgManager"):
        client = emulator.add_client(roles=[role])
        account = next(each for each in emulator.state.service_accounts.listing if each.client_id == client.client_id)
        paths = (f"/admin/projects/{project_id}/puffins", "/admin/lanterns")
        statuses[role[0] if isinstance(role, tuple) else role] = [
            connect(emulator, account).get(path).status_code for path in paths
        ]
    assert statuses == {"ProjectOwner": [200, 403], "ProjectEditor": [404, 403], "OrgManager": [404, 403]}


@pytest.mark.rule("unemulated")
def test_operation_that_is_not_plain_says_so(api: httpx.Client, read_error: ReadError) -> None:
    """An operation of the document that is neither plain nor emulated returns 501 with its name."""
    response = api.post("/admin/lanterns/x/archive")
    assert read_error(response) == (501, "UNIMPLEMENTED")
    assert "archive_lantern is not emulated" in response.json()["error"]["message"]


def test_plain_records_are_dumped(api: httpx.Client, emulator: Emulator, project_id: str) -> None:
    """A dump has plain records, and loading it restores them."""
    lantern, puffin = (
        create(api, "/admin/lanterns", name="a"),
        create(api, f"/admin/projects/{project_id}/puffins", rules={}),
    )
    document = emulator.dump()
    emulator.load({})
    emulator.load(document)
    assert emulator.dump() == document
    assert api.get("/admin/lanterns").json()["data"] == [lantern]
    assert api.get(f"/admin/projects/{project_id}/puffins/{puffin['id']}").json() == puffin


@define(eq=False)
class Badge:
    """A record that no state has."""

    id: str
    label: str | None
    position: int


@define(kw_only=True)
class StateWithBadges(State):
    """A state with a collection more."""

    badges: Table[Badge] = field(factory=Table[Badge], init=False)


@define(kw_only=True)
class StateWithQueue(State):
    """A state with a field of a type that no document has."""

    queue: list[bytes] = field(factory=list, init=False)


def test_new_record_type_is_dumped_and_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of a state are in its dump without a line of code for them."""
    monkeypatch.setattr(snapshot, "State", StateWithBadges)
    emulator = Emulator()
    assert isinstance(emulator.state, StateWithBadges)
    emulator.state.badges.add(Badge("b1", "gold", 7))
    document = emulator.dump()
    assert document["badges"] == [{"id": "b1", "label": "gold", "position": 7}]
    emulator.load(document)
    assert emulator.dump() == document


def test_state_that_no_document_can_hold_is_refused() -> None:
    """A dump that would lose a field is refused, and the error names the field."""
    emulator = Emulator()
    state = emulator.state
    emulator.state = StateWithQueue(organization=state.organization, settings=state.settings, random=state._random)
    with pytest.raises(ValueError, match=r"a state file cannot hold queue, which is list\[bytes\]"):
        emulator.dump()
