"""Lists: paged ones page by page, item by item or whole, and the three that come complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    PaginationError,
    PineconeTypeError,
    PineconeValueError,
    ResponseParsingError,
    UnauthorizedError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from tests.support.errors import raises
from tests.support.scripted_transport import Answer, Script

pytestmark = pytest.mark.anyio


def page(*names: str, after: Any = ...) -> Answer:
    """Make a page of users; ``after`` is what pagination holds, left out by default."""
    users = [{"id": name, "email": f"{name}@example.com"} for name in names]
    return Answer(body={"data": users} | ({} if after is ... else {"pagination": after}))


def two_pages() -> Script:
    """Answer with a, b and then c, as long as somebody asks."""

    def answer(request: Any) -> Answer:
        return page("c") if "paginationToken" in request.url.params else page("a", "b", after={"next": "t1"})

    return Script(answer)


async def test_nothing_is_fetched_before_the_first_item_is_asked_for(connect: Callable[..., AsyncAdmin]) -> None:
    """A list is lazy: making it sends nothing, and each page is fetched when its first item is needed."""
    script = two_pages()
    listed = connect(script).users.list()
    assert script.requests == []
    seen = [(user.id, len(script.requests)) async for user in listed]
    assert seen == [("a", 1), ("b", 1), ("c", 2)]


async def test_iterating_again_starts_from_the_beginning(connect: Callable[..., AsyncAdmin]) -> None:
    """The same list can be read any number of times, in every way."""
    listed = connect(two_pages()).users.list()
    for _ in range(2):
        assert [user.id async for user in listed] == ["a", "b", "c"]
        assert [user.id for user in await listed.to_list()] == ["a", "b", "c"]
        assert [len(page.items) async for page in listed.pages()] == [2, 1]


async def test_two_readers_of_one_list_do_not_disturb_each_other(connect: Callable[..., AsyncAdmin]) -> None:
    """Each iteration has a position of its own."""
    listed = connect(two_pages()).users.list()
    seen = [(one.id, two.id) async for one in listed async for two in listed]
    assert len(seen) == 9


async def test_a_page_says_whether_and_where_the_next_one_starts(connect: Callable[..., AsyncAdmin]) -> None:
    """Pages have items, has_more and pagination_token; the token resumes the list in another process."""
    admin = connect(two_pages())
    pages = [(page.has_more, page.pagination_token) async for page in admin.users.list().pages()]
    assert pages == [(True, "t1"), (False, None)]
    rest = await admin.users.list(pagination_token="t1").to_list()
    assert [user.id for user in rest] == ["c"]


async def test_filters_and_limit_go_with_every_page(connect: Callable[..., AsyncAdmin]) -> None:
    """A page token is sent with the filters and the limit that it belongs to."""
    script = two_pages()
    await connect(script).users.list(email="a@b.c", limit=2).to_list()
    assert [request.url.query for request in script.requests] == [
        b"email=a%40b.c&limit=2",
        b"email=a%40b.c&limit=2&paginationToken=t1",
    ]


# <async only>
async def test_every_list_can_be_awaited(connect: Callable[..., AsyncAdmin]) -> None:
    """Awaiting a paged list gives the whole of it, as awaiting the complete ones does."""
    admin = connect(two_pages())
    assert [user.id for user in await admin.users.list()] == ["a", "b", "c"]
    assert await connect(Script()).projects.list() == []


# </async only>
@pytest.mark.parametrize(("most", "names", "requests"), [(1, "a", 1), (2, "ab", 1), (3, "abc", 2), (9, "abc", 2)])
async def test_max_items_fetches_no_page_too_many(
    most: int, names: str, requests: int, connect: Callable[..., AsyncAdmin]
) -> None:
    """Once enough items are there, no further page is asked for."""
    script = two_pages()
    users = await connect(script).users.list().to_list(max_items=most)
    assert "".join(user.id for user in users) == names
    assert len(script.requests) == requests


@pytest.mark.parametrize(
    ("most", "error"),
    [(0, PineconeValueError), (-1, PineconeValueError), (True, PineconeTypeError), ("1", PineconeTypeError)],
)
async def test_max_items_is_a_count_from_1(
    most: Any, error: type[PineconeValueError], connect: Callable[..., AsyncAdmin]
) -> None:
    """Anything else is refused before a request."""
    script = two_pages()
    with raises(error, match="max_items"):
        await connect(script).users.list().to_list(max_items=most)
    assert script.requests == []


@pytest.mark.parametrize("after", [..., None, {}, {"next": None}, {"next": ""}], ids=str)
async def test_a_list_ends_where_no_next_page_is_named(after: Any, connect: Callable[..., AsyncAdmin]) -> None:
    """A pagination that is absent, null or without a next token ends the list, also an empty one."""
    for names in ("a", ""):
        script = Script(page(*names, after=after))
        assert len(await connect(script).users.list().to_list()) == len(names)
        assert len(script.requests) == 1


async def test_an_empty_page_in_the_middle_does_not_end_the_list(connect: Callable[..., AsyncAdmin]) -> None:
    """What ends a list is the missing token, not the missing items."""
    script = Script(page(after={"next": "t1"}), page("a"))
    assert [user.id async for user in connect(script).users.list()] == ["a"]


CYCLES = {
    "the first": ([], ["t1", "t1"], 2),
    "two": ([], ["t1", "t2", "t1"], 3),
    "three": ([], ["t1", "t2", "t3", "t1"], 4),
    "the second": ([], ["t1", "t2", "t2"], 3),
    "the caller's": (["t1"], ["t1"], 1),
}


@pytest.mark.parametrize(("given", "tokens", "requests"), CYCLES.values(), ids=CYCLES)
async def test_a_token_given_twice_is_an_error(
    given: list[str], tokens: list[str], requests: int, connect: Callable[..., AsyncAdmin]
) -> None:
    """Any cycle of page tokens would never end, so it raises, however the list is read."""
    for read in ("iterate", "pages", "to_list"):
        script = Script(*(page("a", after={"next": token}) for token in tokens))
        listed = connect(script).users.list(pagination_token=given[0] if given else None)
        with raises(PaginationError) as caught:
            await {"iterate": count, "pages": count_pages, "to_list": to_list}[read](listed)
        assert len(script.requests) == requests
        assert caught.value.operation == "list_users"


async def count(listed: Any) -> int:
    """Read item by item."""
    return len([user.id async for user in listed])


async def count_pages(listed: Any) -> int:
    """Read page by page."""
    return len([page.items async for page in listed.pages()])


async def to_list(listed: Any) -> int:
    """Read it whole."""
    return len(await listed.to_list())


async def test_an_error_on_a_later_page_leaves_the_items_before_it(connect: Callable[..., AsyncAdmin]) -> None:
    """Items are given as they come, and the failure is raised where its page would start."""
    script = Script(page("a", after={"next": "t1"}), Answer(401))
    seen: list[str] = []
    with raises(UnauthorizedError) as caught:
        async for user in connect(script, access_token="x").users.list():
            seen += [user.id]
    assert seen == ["a"]
    assert caught.value.operation == "list_users"


LISTS: dict[str, Callable[[AsyncAdmin], Any]] = {
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
async def test_a_list_without_data_is_an_error(
    body: Any, call: Callable[[AsyncAdmin], Any], connect: Callable[..., AsyncAdmin]
) -> None:
    """An answer that holds no list is never taken for an empty one."""
    with raises(ResponseParsingError) as caught:
        await call(connect(Script(Answer(body=body))))
    assert caught.value.path == "data"


@pytest.mark.parametrize("body", [[], "x", None, 5])
async def test_a_list_that_is_no_object_is_an_error(body: Any, connect: Callable[..., AsyncAdmin]) -> None:
    """A bare JSON list has no data either."""
    with raises(ResponseParsingError) as caught:
        await connect(Script(Answer(body=body))).projects.list()
    assert caught.value.path == ""


@pytest.mark.parametrize("pagination", [5, "t", [], {"next": 5}, {"next": {}}], ids=str)
async def test_a_pagination_of_the_wrong_kind_is_an_error(pagination: Any, connect: Callable[..., AsyncAdmin]) -> None:
    """A list never ends early because where it goes on cannot be read."""
    with raises(ResponseParsingError) as caught:
        await connect(Script(page("a", after=pagination))).users.list().to_list()
    assert caught.value.path.startswith("pagination")


async def test_a_list_is_shown_by_its_operation(connect: Callable[..., AsyncAdmin]) -> None:
    """The repr says what it lists, without an address or an id."""
    listed = connect(two_pages()).users.list(email="ann@example.com")
    assert repr(listed) == f"<{type(listed).__name__} of list_users>"


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 100])
async def test_the_emulator_pages_as_the_service_does(limit: int | None, emulator: Emulator) -> None:
    """Whatever the size of a page, the list is the same."""
    admin = emulator.async_admin()
    for number in range(5):
        await admin.invites.create(email=f"{number}@b.c", role_bindings=[on_organization("OrgMember")])
    emails = [invite.email async for invite in admin.invites.list(limit=limit)]
    assert emails == [f"{number}@b.c" for number in range(5)]


COMPLETE: dict[str, tuple[Callable[[AsyncAdmin], Any], dict[str, Any]]] = {
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
async def test_a_complete_list_stays_complete_if_the_api_starts_paging_it(
    call: Callable[[AsyncAdmin], Any], fields: dict[str, Any], connect: Callable[..., AsyncAdmin]
) -> None:
    """A page token in the answer of a list that came whole so far is followed, not ignored."""
    one, two = ({"id": name, "name": name} | fields for name in "ab")
    script = Script(Answer(body={"data": [one], "pagination": {"next": "t"}}), Answer(body={"data": [two]}))
    assert [item.id for item in await call(connect(script))] == ["a", "b"]
    assert script.requests[1].url.query == b"paginationToken=t"
