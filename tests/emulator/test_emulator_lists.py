"""Lists: pages, cursors, filters, and how fast they stay."""

from collections.abc import Callable, Iterator
from itertools import chain, product
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.emulator.model.roles import API_KEY_ROLES

Connect = Callable[..., httpx.Client]
Refusal = Callable[[httpx.Response], tuple[int, str]]

PAGED = ["users", "invites", "service-accounts", "role-bindings"]
FILTERS = [
    [*principal, *resource, *role]
    for principal, resource, role in product(
        ([], ["principal_type"], ["principal_type", "principal_id"]),
        ([], ["resource_type"], ["resource_type", "resource_id"]),
        ([], ["role"]),
    )
]


def fill(emulator: Emulator, name: str, size: int) -> None:
    """Fill one list to a size."""
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


def pages(api: httpx.Client, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Walk a list page by page."""
    while True:
        document = api.get(path, params=query).raise_for_status().json()
        yield document["data"]
        if not document["pagination"]:
            return
        query["paginationToken"] = document["pagination"]["next"]


@pytest.mark.rule("paged-lists")
@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize(("query", "sizes"), [({}, [100, 100, 50]), ({"limit": 83}, [83, 83, 83, 1])])
def test_lists_come_in_pages(
    emulator: Emulator, api: httpx.Client, name: str, query: dict[str, int], sizes: list[int]
) -> None:
    """A page has the limit's size, 100 by default; together they hold everything once, oldest first."""
    fill(emulator, name, 250 - len(api.get(f"/admin/{name}").json()["data"]))
    walked = list(pages(api, f"/admin/{name}", **query))
    assert [len(page) for page in walked] == sizes
    ids = [record["id"] for page in walked for record in page]
    assert len(set(ids)) == 250
    assert ids[:50] == [record["id"] for record in api.get(f"/admin/{name}?limit=50").json()["data"]]


@pytest.mark.rule("last-page")
def test_full_last_page_has_no_next(emulator: Emulator, api: httpx.Client) -> None:
    """A list that ends with a full page says so on that page."""
    fill(emulator, "users", 200)
    assert [len(page) for page in pages(api, "/admin/users")] == [100, 100]


@pytest.mark.rule("whole-lists")
@pytest.mark.parametrize("name", ["organizations", "projects"])
def test_short_lists_come_whole(emulator: Emulator, api: httpx.Client, name: str) -> None:
    """Organizations and projects, like keys, are not paged."""
    for number in range(150):
        emulator.state.add_project(str(number), emulator.clock.now())
    document = api.get(f"/admin/{name}?limit=1").json()
    assert set(document) == {"data"}
    assert len(document["data"]) == (150 if name == "projects" else 1)


@pytest.mark.rule("limit-range")
@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "9" * 5000])
def test_limit_has_a_range(api: httpx.Client, refusal: Refusal, name: str, limit: str) -> None:
    """A limit outside 1 to 100 has an error code of its own."""
    answer = api.get(f"/admin/{name}", params={"limit": limit})
    assert refusal(answer) == (400, "OUT_OF_RANGE")
    assert "limit" in answer.json()["error"]["message"]


@pytest.mark.parametrize("limit", ["", "ten", "1.0", "+1", " 1", "1_0", "\u0661", "0x1"])
def test_limit_is_an_integer(api: httpx.Client, refusal: Refusal, limit: str) -> None:
    """What is no integer is malformed."""
    assert refusal(api.get("/admin/users", params={"limit": limit})) == (400, "INVALID_ARGUMENT")


@pytest.mark.rule("page-token")
@pytest.mark.parametrize("token", ["", "x", "AAAAAAAB", "A" * 24, "é", "\0", "=" * 24])
def test_made_up_cursor_is_refused(api: httpx.Client, refusal: Refusal, token: str) -> None:
    """A cursor that the server never gave is refused."""
    answer = api.get("/admin/users", params={"paginationToken": token})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert "paginationToken" in answer.json()["error"]["message"]


@pytest.mark.rule("page-token")
def test_cursor_belongs_to_its_list_and_filters(
    emulator: Emulator, api: httpx.Client, connect: Connect, refusal: Refusal
) -> None:
    """A cursor of another list, of other filters or of another server is refused; another limit is not."""
    fill(emulator, "users", 3)
    fill(emulator, "role-bindings", 3)
    token = api.get("/admin/role-bindings?limit=1&role=OrgMember").json()["pagination"]["next"]
    for path in ("users?limit=1", "role-bindings?limit=1", "role-bindings?limit=1&role=OrgOwner"):
        answer = api.get(f"/admin/{path}&paginationToken={token}")
        assert refusal(answer) == (400, "INVALID_ARGUMENT")
    own = f"/admin/role-bindings?limit=2&role=OrgMember&paginationToken={token}"
    assert len(api.get(own).json()["data"]) == 2
    other = Emulator()
    fill(other, "role-bindings", 3)
    assert refusal(connect(other).get(own)) == (400, "INVALID_ARGUMENT")


def test_cursor_survives_changes(emulator: Emulator, api: httpx.Client) -> None:
    """Deleting what was seen and adding at the end neither repeats nor skips anything."""
    fill(emulator, "users", 30)
    walk = pages(api, "/admin/users", limit=10)
    seen = next(walk)
    for record in seen:
        api.delete(f"/admin/users/{record['id']}").raise_for_status()
    late = emulator.state.add_user("late@example.com")
    addresses = [record["email"] for page in walk for record in page]
    assert addresses == [f"{number}@example.com" for number in range(10, 30)] + [late.email]


@pytest.fixture
def crowd(emulator: Emulator) -> None:
    """Fill the emulator with bindings of every kind."""
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
@pytest.mark.usefixtures("crowd")
def test_filters_combine_with_and(api: httpx.Client) -> None:
    """Each combination of filters gives exactly the bindings that are equal in all of them, in order."""
    everything = api.get("/admin/role-bindings").json()["data"]
    assert len(everything) == 37
    for sample in everything[::5]:
        for chosen in FILTERS:
            query = {field: sample[field] for field in chosen}
            expected = [each for each in everything if query.items() <= each.items()]
            assert list(chain(*pages(api, "/admin/role-bindings", limit=2, **query))) == expected


@pytest.mark.rule("binding-filter-types")
@pytest.mark.parametrize(
    ("query", "missing"),
    [({"principal_id": "x"}, "principal_type"), ({"resource_id": "x"}, "resource_type")],
)
def test_ids_need_their_type(api: httpx.Client, refusal: Refusal, query: dict[str, str], missing: str) -> None:
    """An id without its type is ambiguous and refused."""
    answer = api.get("/admin/role-bindings", params=query)
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert missing in answer.json()["error"]["message"]


@pytest.mark.parametrize("field", ["principal_type", "resource_type", "role"])
@pytest.mark.parametrize("value", ["", "nonsense", "orgowner"])
def test_filters_take_known_values(api: httpx.Client, refusal: Refusal, field: str, value: str) -> None:
    """A filter with a value that does not exist is refused by name."""
    answer = api.get("/admin/role-bindings", params={field: value})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")
    assert field in answer.json()["error"]["message"]


def test_filters_that_match_nothing_give_nothing(api: httpx.Client) -> None:
    """Ids that belong to nothing are no error in a filter."""
    query = {"principal_type": "user", "principal_id": "x", "resource_type": "project", "resource_id": "y"}
    assert api.get("/admin/role-bindings", params=query).json() == {"data": [], "pagination": None}
