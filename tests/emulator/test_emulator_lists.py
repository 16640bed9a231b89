"""Lists: pages, cursors and filters."""

from collections.abc import Callable, Iterator
from itertools import chain, product
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.emulator.model.roles import API_KEY_ROLES

Connect = Callable[..., httpx.Client]
ReadError = Callable[[httpx.Response], tuple[int, str]]

PAGED = ["users", "invites", "service-accounts", "role-bindings"]
FILTERS = [
    [*principal, *resource, *role]
    for principal, resource, role in product(
        ([], ["principal_type"], ["principal_type", "principal_id"]),
        ([], ["resource_type"], ["resource_type", "resource_id"]),
        ([], ["role"]),
    )
]


def fill_list(emulator: Emulator, name: str, size: int) -> None:
    """Add records to one list."""
    state, now = emulator.state, emulator.clock.now()
    for number in range(size):
        if name == "users":
            state.add_user(f"{number}@example.com")
        elif name == "invites":
            state.add_invite(f"{number}@example.com", now)
        elif name == "service-accounts":
            state.add_service_account(str(number), now)
        else:
            state.bind(Principal("user", str(number)), [Grant("OrgMember", "organization", "o")], now)


def walk_pages(api: httpx.Client, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of a list."""
    while True:
        document = api.get(path, params=query).raise_for_status().json()
        yield document["data"]
        if not document["pagination"]:
            return
        query["paginationToken"] = document["pagination"]["next"]


@pytest.mark.rule("paged-lists")
@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize(("query", "sizes"), [({}, [100, 100, 50]), ({"limit": 83}, [83, 83, 83, 1])])
def test_lists_are_paged(
    emulator: Emulator, api: httpx.Client, name: str, query: dict[str, int], sizes: list[int]
) -> None:
    """Each page has up to the limit, 100 by default, and all pages contain every record once."""
    fill_list(emulator, name, 250 - len(api.get(f"/admin/{name}").json()["data"]))
    pages = list(walk_pages(api, f"/admin/{name}", **query))
    assert [len(page) for page in pages] == sizes
    ids = [record["id"] for page in pages for record in page]
    assert len(set(ids)) == 250
    assert ids[:50] == [record["id"] for record in api.get(f"/admin/{name}?limit=50").json()["data"]]


@pytest.mark.rule("last-page")
def test_full_last_page_has_no_next(emulator: Emulator, api: httpx.Client) -> None:
    """A full last page has no token for a next page."""
    fill_list(emulator, "users", 199)  # and the owner
    assert [len(page) for page in walk_pages(api, "/admin/users")] == [100, 100]


@pytest.mark.rule("whole-lists")
@pytest.mark.parametrize("name", ["organizations", "projects"])
def test_short_lists_are_not_paged(emulator: Emulator, api: httpx.Client, name: str) -> None:
    """The lists of organizations and projects ignore the limit."""
    for number in range(150):
        emulator.state.add_project(str(number), emulator.clock.now())
    document = api.get(f"/admin/{name}?limit=1").json()
    assert set(document) == {"data"}
    assert len(document["data"]) == (150 if name == "projects" else 1)


@pytest.mark.rule("limit-range")
@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "9" * 5000])
def test_limit_has_a_range(api: httpx.Client, read_error: ReadError, name: str, limit: str) -> None:
    """A limit outside 1 to 100 is refused with OUT_OF_RANGE."""
    response = api.get(f"/admin/{name}", params={"limit": limit})
    assert read_error(response) == (400, "OUT_OF_RANGE")
    assert "limit" in response.json()["error"]["message"]


@pytest.mark.parametrize("limit", ["", "ten", "1.0", "+1", " 1", "1_0", "\u0661", "0x1"])
def test_limit_must_be_an_integer(api: httpx.Client, read_error: ReadError, limit: str) -> None:
    """A limit that is not an integer is refused with INVALID_ARGUMENT."""
    assert read_error(api.get("/admin/users", params={"limit": limit})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("page-token")
@pytest.mark.parametrize("token", ["", "x", "AAAAAAAB", "A" * 24, "é", "\0", "=" * 24])
def test_invalid_cursor_is_refused(api: httpx.Client, read_error: ReadError, token: str) -> None:
    """A cursor that the server did not issue is refused."""
    response = api.get("/admin/users", params={"paginationToken": token})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert "paginationToken" in response.json()["error"]["message"]


@pytest.mark.rule("page-token")
def test_cursor_belongs_to_its_list_and_filters(
    emulator: Emulator, api: httpx.Client, connect: Connect, read_error: ReadError
) -> None:
    """A cursor of another list, filter or server is refused, and another limit is accepted."""
    fill_list(emulator, "users", 3)
    fill_list(emulator, "role-bindings", 3)
    token = api.get("/admin/role-bindings?limit=1&role=OrgMember").json()["pagination"]["next"]
    for path in ("users?limit=1", "role-bindings?limit=1", "role-bindings?limit=1&role=OrgOwner"):
        response = api.get(f"/admin/{path}&paginationToken={token}")
        assert read_error(response) == (400, "INVALID_ARGUMENT")
    own = f"/admin/role-bindings?limit=2&role=OrgMember&paginationToken={token}"
    assert len(api.get(own).json()["data"]) == 2
    other = Emulator()
    fill_list(other, "role-bindings", 3)
    assert read_error(connect(other).get(own)) == (400, "INVALID_ARGUMENT")


def test_cursor_survives_changes(emulator: Emulator, connect: Connect) -> None:
    """Deleting and adding records between pages neither repeats nor skips any."""
    emulator.load({"users": []})
    api = connect(emulator)
    fill_list(emulator, "users", 30)
    pages = walk_pages(api, "/admin/users", limit=10)
    seen = next(pages)
    for record in seen:
        api.delete(f"/admin/users/{record['id']}").raise_for_status()
    late = emulator.state.add_user("late@example.com")
    emails = [record["email"] for page in pages for record in page]
    assert emails == [f"{number}@example.com" for number in range(10, 30)] + [late.email]


@pytest.fixture
def populated(emulator: Emulator) -> None:
    """Add bindings of every kind of principal."""
    state, now = emulator.state, emulator.clock.now()
    projects = [state.add_project(str(number), now) for number in range(3)]
    for project in projects:
        key = state.add_api_key(project, "ci")
        state.bind(
            Principal("api_key", key.id),
            [Grant(role, "project", project.id) for role in API_KEY_ROLES],
            now,
        )
        user = state.add_user(f"{project.name}@example.com")
        grants = [Grant("OrgMember", "organization", emulator.organization_id)]
        grants += [Grant("ProjectViewer", "project", each.id) for each in projects]
        state.bind(Principal("user", user.id), grants, now)
        state.bind(Principal("invite", state.add_invite(f"x{user.email}", now).id), grants[:2], now)


@pytest.mark.rule("binding-filters")
@pytest.mark.usefixtures("populated")
def test_filters_combine_with_and(api: httpx.Client) -> None:
    """A combination of filters returns exactly the bindings that match all of them, in order."""
    everything = api.get("/admin/role-bindings").json()["data"]
    assert len(everything) == 38
    for sample in everything[::5]:
        for fields in FILTERS:
            query = {field: sample[field] for field in fields}
            expected = [each for each in everything if query.items() <= each.items()]
            assert list(chain(*walk_pages(api, "/admin/role-bindings", limit=2, **query))) == expected


@pytest.mark.rule("binding-filter-types")
@pytest.mark.parametrize(
    ("query", "missing"),
    [({"principal_id": "x"}, "principal_type"), ({"resource_id": "x"}, "resource_type")],
)
def test_id_filters_require_their_type(
    api: httpx.Client, read_error: ReadError, query: dict[str, str], missing: str
) -> None:
    """A filter by id without the type is refused."""
    response = api.get("/admin/role-bindings", params=query)
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert missing in response.json()["error"]["message"]


@pytest.mark.parametrize("field", ["principal_type", "resource_type", "role"])
@pytest.mark.parametrize("value", ["nonsense", "orgowner"])
def test_unknown_filter_value_is_refused(api: httpx.Client, read_error: ReadError, field: str, value: str) -> None:
    """A filter with an unknown value is refused, and the error names the filter."""
    response = api.get("/admin/role-bindings", params={field: value})
    assert read_error(response) == (400, "INVALID_ARGUMENT")
    assert field in response.json()["error"]["message"]


@pytest.mark.rule("binding-filters-empty")
@pytest.mark.usefixtures("populated")
def test_empty_filter_counts_as_absent(api: httpx.Client) -> None:
    """An empty filter filters nothing and requires no type, and a page token is valid with and without it."""
    everything = api.get("/admin/role-bindings").json()
    for name in ("principal_type", "principal_id", "resource_type", "resource_id", "role"):
        assert api.get("/admin/role-bindings", params={name: ""}).json() == everything
        first = api.get("/admin/role-bindings", params={name: "", "limit": 2}).json()["pagination"]["next"]
        page = api.get("/admin/role-bindings", params={"limit": 2, "paginationToken": first}).json()
        assert page["data"] == everything["data"][2:4]


def test_filters_without_matches_return_nothing(api: httpx.Client) -> None:
    """Filters by unknown ids return an empty list."""
    query = {"principal_type": "user", "principal_id": "x", "resource_type": "project", "resource_id": "y"}
    assert api.get("/admin/role-bindings", params=query).json() == {"data": [], "pagination": None}
