# Derived from tests/_async/test_pagination.py by scripts/unasync.py: change that, not this file.
"""Lists: paginated ones by page, by item or in full, and the three that are complete."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    Admin,
    PaginationError,
    PineconeTimeoutError,
    PineconeTypeError,
    PineconeValueError,
    ResponseParsingError,
    UnauthorizedError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import DroppedQueries
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio


def make_page(*names: str, after: Any = ...) -> ScriptedResponse:
    """Return a page of users; ``after`` is the value of pagination, omitted by default."""
    users = [{"id": name, "email": f"{name}@example.com"} for name in names]
    return ScriptedResponse(body={"data": users} | ({} if after is ... else {"pagination": after}))


def script_two_pages() -> ScriptedTransport:
    """Return a script that serves the page a, b and then the page c, any number of times."""

    def respond(request: Any) -> ScriptedResponse:
        return make_page("c") if "paginationToken" in request.url.params else make_page("a", "b", after={"next": "t1"})

    return ScriptedTransport(respond)


def test_a_list_whose_filters_are_dropped_has_only_what_was_asked_for(emulator: Emulator) -> None:
    """A proxy or a cache may drop the query of an address; others would lose what was listed for one of them."""
    emulator.add_user("ada@example.com")
    bob = emulator.add_user("bob@example.com").id
    transport = DroppedQueries(emulator)
    with emulator.admin(transport=transport) as admin:
        everybody = {each.email for each in admin.users.list()}
        assert everybody > {"ada@example.com", "bob@example.com"}
        assert [each.email for each in admin.users.list(email="Bob@example.com")] == ["bob@example.com"]
        asked: dict[str, Any] = {"principal_type": "user", "principal_id": bob.upper()}
        assert [each.principal_id for each in admin.role_bindings.list(**asked)] == [bob]
        asked |= {"resource_type": "organization", "resource_id": emulator.organization_id}
        for role, count in (("OrgMember", 1), ("OrgOwner", 0)):
            assert len(admin.role_bindings.list(**asked | {"role": role}).to_list()) == count
        pages = [page.items for page in admin.role_bindings.list(**asked, role="OrgOwner").pages()]
        assert pages == [[]]


def test_a_role_is_changed_without_filters(emulator: Emulator) -> None:
    """Nobody else loses a role, and none is taken for granted that somebody else holds."""
    admin = emulator.admin()
    for name in ("other", "robot"):
        robot = admin.service_accounts.create(name=name, role_bindings=[on_organization("OrgManager")])
    id = robot.service_account.id
    before = {each.id for each in admin.role_bindings.list() if each.principal_id != id}
    with emulator.admin(transport=DroppedQueries(emulator)) as proxied:
        proxied.role_bindings.change_role(
            principal_type="service_account",
            principal_id=id,
            resource_type="organization",
            from_role="OrgManager",
            to_role="OrgMember",
        )
        account = proxied.service_accounts.ensure(
            name="robot",
            role_bindings=[on_organization("OrgManager")],
            on_difference="update",
            revoke_unlisted=True,
            store=lambda _: None,
        )
        assert [str(each) for each in account.differences]
    bindings = admin.role_bindings.list().to_list()
    assert {each.id for each in bindings if each.principal_id != id} == before
    assert [each.role for each in bindings if each.principal_id == id] == ["OrgManager"]


def test_a_list_is_lazy(make_client: Callable[..., Admin]) -> None:
    """Creating a list sends no request, and each page is fetched when its first item is needed."""
    script = script_two_pages()
    listed = make_client(script).users.list()
    assert script.requests == []
    seen = [(user.id, len(script.requests)) for user in listed]
    assert seen == [("a", 1), ("b", 1), ("c", 2)]


def test_a_list_has_no_length_and_no_index(make_client: Callable[..., Admin]) -> None:
    """Both raise a TypeError that names to_list, and send nothing; a list is true, whatever is in it."""
    script = script_two_pages()
    listed: Any = make_client(script).users.list()
    for read in (len, itemgetter(0), itemgetter(slice(2))):
        with raises(PineconeTypeError, match=r"to_list\(\)") as caught:
            read(listed)
        assert caught.value.operation == "list_users"
    assert bool(listed)
    assert script.requests == []


def test_iterating_again_starts_from_the_beginning(make_client: Callable[..., Admin]) -> None:
    """A list can be read any number of times, by item, by page or in full."""
    listed = make_client(script_two_pages()).users.list()
    for _ in range(2):
        assert [user.id for user in listed] == ["a", "b", "c"]
        assert [user.id for user in listed.to_list()] == ["a", "b", "c"]
        assert [len(page.items) for page in listed.pages()] == [2, 1]


def test_iterations_of_one_list_are_independent(make_client: Callable[..., Admin]) -> None:
    """Each iteration of a list has its own position."""
    listed = make_client(script_two_pages()).users.list()
    seen = [(one.id, two.id) for one in listed for two in listed]
    assert len(seen) == 9


def test_a_page_has_the_token_of_the_next_page(make_client: Callable[..., Admin]) -> None:
    """A page has has_more and pagination_token, and the token resumes the list elsewhere."""
    admin = make_client(script_two_pages())
    pages = [(page.has_more, page.pagination_token) for page in admin.users.list().pages()]
    assert pages == [(True, "t1"), (False, None)]
    rest = admin.users.list(pagination_token="t1").to_list()
    assert [user.id for user in rest] == ["c"]


def test_every_page_request_has_filters_and_limit(make_client: Callable[..., Admin]) -> None:
    """A request with a page token repeats the filters and the limit."""
    script = script_two_pages()
    make_client(script).users.list(email="a@b.c", limit=2).to_list()
    assert [request.url.query for request in script.requests] == [
        b"email=a%40b.c&limit=2",
        b"email=a%40b.c&limit=2&paginationToken=t1",
    ]


@pytest.mark.parametrize("method", ["organizations.list", "projects.list", "api_keys.list", "projects.exists"])
def test_a_complete_list_without_end_times_out(
    method: str, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A list that the server pages without end, with a new token each time, is over when the timeout is."""

    def next_page(_: httpx.Request) -> ScriptedResponse:
        clock.advance(1)
        return ScriptedResponse(body={"data": [], "pagination": {"next": f"token-{clock.monotonic()}"}})

    script = ScriptedTransport(next_page)
    namespace, name = method.split(".")
    arguments = {"api_keys.list": {"project_id": "p"}, "projects.exists": {"name": "x"}}.get(method, {})
    with raises(PineconeTimeoutError, match="time limit") as caught:
        getattr(getattr(make_client(script, timeout=10), namespace), name)(**arguments)
    assert (len(script.requests), caught.value.outcome) == (10, "not_sent")


# </async only>
@pytest.mark.parametrize(("max_items", "names", "requests"), [(1, "a", 1), (2, "ab", 1), (3, "abc", 2), (9, "abc", 2)])
def test_max_items_fetches_no_extra_page(
    max_items: int, names: str, requests: int, make_client: Callable[..., Admin]
) -> None:
    """With max_items, no further page is fetched once there are enough items."""
    script = script_two_pages()
    users = make_client(script).users.list().to_list(max_items=max_items)
    assert "".join(user.id for user in users) == names
    assert len(script.requests) == requests


@pytest.mark.parametrize(
    ("max_items", "error"),
    [(0, PineconeValueError), (-1, PineconeValueError), (True, PineconeTypeError), ("1", PineconeTypeError)],
)
def test_invalid_max_items_raises(
    max_items: Any, error: type[PineconeValueError], make_client: Callable[..., Admin]
) -> None:
    """max_items below 1 or of another type raises before a request."""
    script = script_two_pages()
    with raises(error, match="max_items"):
        make_client(script).users.list().to_list(max_items=max_items)
    assert script.requests == []


@pytest.mark.parametrize("after", [..., None, {}, {"next": None}, {"next": ""}], ids=str)
def test_a_list_ends_without_a_next_token(after: Any, make_client: Callable[..., Admin]) -> None:
    """A list ends, even if it is empty, where pagination is absent, null or without a next token."""
    for names in ("a", ""):
        script = ScriptedTransport(make_page(*names, after=after))
        assert len(make_client(script).users.list().to_list()) == len(names)
        assert len(script.requests) == 1


def test_an_empty_page_does_not_end_the_list(make_client: Callable[..., Admin]) -> None:
    """A page without items but with a next token does not end a list."""
    script = ScriptedTransport(make_page(after={"next": "t1"}), make_page("a"))
    assert [user.id for user in make_client(script).users.list()] == ["a"]


CYCLES = {
    "the first": ([], ["t1", "t1"], 2),
    "two": ([], ["t1", "t2", "t1"], 3),
    "three": ([], ["t1", "t2", "t3", "t1"], 4),
    "the second": ([], ["t1", "t2", "t2"], 3),
    "the caller's": (["t1"], ["t1"], 1),
}


@pytest.mark.parametrize(("initial_tokens", "tokens", "requests"), CYCLES.values(), ids=CYCLES)
def test_a_repeated_page_token_raises(
    initial_tokens: list[str], tokens: list[str], requests: int, make_client: Callable[..., Admin]
) -> None:
    """A cycle of page tokens raises, however the list is read."""
    for read in ("iterate", "pages", "to_list"):
        script = ScriptedTransport(*(make_page("a", after={"next": token}) for token in tokens))
        listed = make_client(script).users.list(pagination_token=initial_tokens[0] if initial_tokens else None)
        with raises(PaginationError) as caught:
            {"iterate": read_items, "pages": read_pages, "to_list": read_all}[read](listed)
        assert len(script.requests) == requests
        assert caught.value.operation == "list_users"


def test_a_list_whose_pages_bring_nothing_new_ends(make_client: Callable[..., Admin]) -> None:
    """A new page token each time is no progress, with empty pages or with the same ones."""
    for items in ((), ("a",)):
        for read in (read_items, read_pages, read_all):
            script = ScriptedTransport(*(make_page(*items, after={"next": f"t{number}"}) for number in range(102)))
            with raises(PaginationError, match="100 pages in a row without a new item") as caught:
                read(make_client(script).users.list())
            assert (len(script.requests), caught.value.operation) == (100 + len(items), "list_users")


def test_an_item_that_moves_between_pages_is_one_item(make_client: Callable[..., Admin]) -> None:
    """What an earlier page had, or the same one, is not shown again."""

    def respond(request: Any) -> ScriptedResponse:
        is_second = "paginationToken" in request.url.params
        return make_page("b", "c") if is_second else make_page("a", "b", "b", after={"next": "t"})

    listed = make_client(ScriptedTransport(respond)).users.list()
    assert [user.id for user in listed] == [user.id for user in listed.to_list()] == ["a", "b", "c"]
    assert [[user.id for user in page.items] for page in listed.pages()] == [["a", "b"], ["c"]]


def test_an_item_that_a_list_shows_twice_is_not_ambiguous(make_client: Callable[..., Admin]) -> None:
    """A workflow finds the one resource of a name."""
    project = {"id": "p", "name": "p"} | COMPLETE["projects"][1]
    script = ScriptedTransport(ScriptedResponse(body={"data": [project, project]}))
    ensured = make_client(script).projects.ensure(name="p")
    assert (ensured.value.id, ensured.created) == ("p", False)


def read_items(listed: Any) -> int:
    """Read a list by item."""
    return len([user.id for user in listed])


def read_pages(listed: Any) -> int:
    """Read a list by page."""
    return len([page.items for page in listed.pages()])


def read_all(listed: Any) -> int:
    """Read a list in full."""
    return len(listed.to_list())


def test_an_error_on_a_later_page_follows_the_earlier_items(make_client: Callable[..., Admin]) -> None:
    """The items of earlier pages are yielded before the error of a later page is raised."""
    script = ScriptedTransport(make_page("a", after={"next": "t1"}), ScriptedResponse(401))
    seen: list[str] = []
    with raises(UnauthorizedError) as caught:
        for user in make_client(script, access_token="x").users.list():
            seen += [user.id]
    assert seen == ["a"]
    assert caught.value.operation == "list_users"


LISTS: dict[str, Callable[[Admin], Any]] = {
    "organizations": lambda a: a.organizations.list(),
    "projects": lambda a: a.projects.list(),
    "api_keys": lambda a: a.api_keys.list(project_id="p"),
    "users": lambda a: a.users.list().to_list(),
    "invites": lambda a: a.invites.list().to_list(),
    "service_accounts": lambda a: a.service_accounts.list().to_list(),
    "role_bindings": lambda a: a.role_bindings.list().to_list(),
}


@pytest.mark.parametrize("call", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": "x"}, {"projects": []}], ids=str)
def test_a_list_without_data_raises(body: Any, call: Callable[[Admin], Any], make_client: Callable[..., Admin]) -> None:
    """A response without a list of data raises, rather than being taken for an empty list."""
    with raises(ResponseParsingError) as caught:
        call(make_client(ScriptedTransport(ScriptedResponse(body=body))))
    assert caught.value.path == "data"


@pytest.mark.parametrize("body", [[], "x", None, 5])
def test_a_list_that_is_not_an_object_raises(body: Any, make_client: Callable[..., Admin]) -> None:
    """A list response that is not a JSON object raises."""
    with raises(ResponseParsingError) as caught:
        make_client(ScriptedTransport(ScriptedResponse(body=body))).projects.list()
    assert caught.value.path == ""


@pytest.mark.parametrize("pagination", [5, "t", [], {"next": 5}, {"next": {}}], ids=str)
def test_invalid_pagination_raises(pagination: Any, make_client: Callable[..., Admin]) -> None:
    """A pagination that cannot be read raises, rather than ending the list early."""
    with raises(ResponseParsingError) as caught:
        make_client(ScriptedTransport(make_page("a", after=pagination))).users.list().to_list()
    assert caught.value.path.startswith("pagination")


def test_the_repr_of_a_list_names_its_operation(make_client: Callable[..., Admin]) -> None:
    """The repr of a list names its operation, without a filter value or an id."""
    listed = make_client(script_two_pages()).users.list(email="ann@example.com")
    assert repr(listed) == f"<{type(listed).__name__} of list_users: iterate over it, or call to_list()>"


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 100])
def test_the_page_size_does_not_change_a_list(limit: int | None, emulator: Emulator) -> None:
    """A list is the same for any limit."""
    admin = emulator.admin()
    for number in range(5):
        admin.invites.create(email=f"{number}@b.c", role_bindings=[on_organization("OrgMember")])
    emails = [invite.email for invite in admin.invites.list(limit=limit)]
    assert emails == [f"{number}@b.c" for number in range(5)]


COMPLETE: dict[str, tuple[Callable[[Admin], Any], dict[str, Any]]] = {
    "organizations": (
        LISTS["organizations"],
        {
            "plan": "Free",
            "payment_status": "Active",
            "created_at": "2026-01-01T00:00:00Z",
            "support_tier": "Free",
        },
    ),
    "projects": (LISTS["projects"], {"max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}),
    "api_keys": (LISTS["api_keys"], {"project_id": "p", "roles": []}),
}


@pytest.mark.parametrize(("call", "fields"), COMPLETE.values(), ids=COMPLETE)
def test_a_complete_list_follows_page_tokens(
    call: Callable[[Admin], Any], fields: dict[str, Any], make_client: Callable[..., Admin]
) -> None:
    """A list that the API returns complete today follows a page token if there is one."""
    one, two = ({"id": name, "name": name} | fields for name in "ab")
    script = ScriptedTransport(
        ScriptedResponse(body={"data": [one], "pagination": {"next": "t"}}), ScriptedResponse(body={"data": [two]})
    )
    assert [item.id for item in call(make_client(script))] == ["a", "b"]
    assert script.requests[1].url.query == b"paginationToken=t"
