"""Pages of a list, and the operations that fetch them; shared by the sync and async clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from attrs import evolve, frozen

from generated_client import api
from generated_client.types import Operation, extra_fields
from pinecone_admin._http.argument_checks import as_plain_value
from pinecone_admin.errors import PaginationError

_T = TypeVar("_T")

_MOST_IDLE_PAGES = 100
"""Pages in a row without a new item. Some are right: a server may filter a page after it has read it."""


class NextPage(Protocol):
    """Where the next page of a list starts."""

    @property
    def next_(self) -> str | None:  # the generator appends an underscore to reserved names
        """Token of the next page."""
        ...


class ListResponse(Protocol[_T]):
    """A response with a list."""

    @property
    def data(self) -> list[_T]:
        """The items of the list, or of one page of it."""
        ...


class PageOfList(ListResponse[_T], Protocol[_T]):
    """A response with one page of a list.

    Type checkers find here which lists a new API document pages in another way.
    """

    @property
    def pagination(self) -> NextPage | None:
        """The next page; None on the last page."""
        ...


@frozen(kw_only=True)
class Page(Generic[_T]):
    """One page of a list.

    Attributes:
        items: The items of the page.
        pagination_token: Token of the next page, or None on the last page.

    Example:
        >>> for page in admin.users.list(limit=50).pages():
        ...     print(len(page.items), page.has_more, page.pagination_token)
    """

    items: list[_T]
    """The items of the page."""
    pagination_token: str | None
    """Token of the next page, or None on the last page."""

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.pagination_token is not None


class Trail:
    """What was read of a list: its items and page tokens, so that no item counts twice and the list ends.

    Args:
        token: Token of the first page.
    """

    def __init__(self, token: object) -> None:
        self._tokens: set[object] = {token}
        self._ids: set[object] = set()
        self._idle_pages = 0

    def find_new(self, items: Iterable[_T], identify: Callable[[_T], object]) -> list[_T]:
        """Return the items of the next page that no earlier one had: some move between pages while these are read.

        Args:
            items: The items of the page.
            identify: Returns what identifies an item; None for one that is always new.
        """
        new: list[_T] = []
        for item in items:
            id = identify(item)
            if id is None or id not in self._ids:
                self._ids.add(id)
                new.append(item)
        self._idle_pages = 0 if new else self._idle_pages + 1
        return new

    def find_problem(self, token: str) -> str | None:
        """Return why a list would never end if the page with this token was read, or None."""
        if token in self._tokens:
            return "the server returned the same page token twice"
        self._tokens.add(token)
        if self._idle_pages >= _MOST_IDLE_PAGES:
            return f"the server returned {_MOST_IDLE_PAGES} pages in a row without a new item, and the list goes on"
        return None


class PageCursor:
    """Position in a list that is read page by page.

    Args:
        first: Operation that fetches the first page.
        filters: Parameters of the query that are also fields of the items. If a proxy drops the query, a list has other
            items, too, which must not be taken for what was asked for.
    """

    def __init__(self, first: Operation[Any], filters: Sequence[str] = ()) -> None:
        self._operation: Operation[Any] | None = first
        self._filters = {name: _fold(value) for name in filters if (value := first.query.get(name)) is not None}
        self._parameter = _token_parameter(first.id)
        self._given_query = {name: value for name, value in first.query.items() if value is not None}
        self._trail = Trail(first.query.get(self._parameter))
        self._problem: str | None = None

    def next_operation(self) -> Operation[Any] | None:
        """Return the operation that fetches the next page, or None after the last page.

        Raises:
            PaginationError: The list would never end.
        """
        if self._operation is not None and self._problem is not None:
            raise PaginationError(self._problem, operation=self._operation.id, outcome="done")
        return self._operation

    def advance(self, response: ListResponse[_T]) -> Page[_T]:
        """Return the page in a response, without items that an earlier one had or that do not match, and move on.

        Raises:
            PaginationError: The response says in another way where the next page starts.
        """
        operation: Any = self._operation
        token = _find_token(response)
        if not isinstance(token, str | None):  # a list that ends here would look complete
            message = "the pagination of the response has no token of the next page"
            raise PaginationError(message, operation=operation.id, outcome="done")
        token = token or None
        items = self._trail.find_new(response.data, lambda item: getattr(item, "id", None))
        self._problem = None if token is None else self._trail.find_problem(token)
        query = {**self._given_query, self._parameter: token}
        self._operation = None if token is None else evolve(operation, query=query)
        return Page(items=[*filter(self._matches, items)] if self._filters else items, pagination_token=token)

    def _matches(self, item: object) -> bool:
        return all(_fold(getattr(item, name)) == wanted for name, wanted in self._filters.items())


def _fold(value: object) -> str:
    """Return a value in lower case, as a server may compare ids."""
    return str(as_plain_value(value)).lower()


def _token_parameter(operation_id: str) -> str:
    """Return the name that the page token has in requests, also of a list that the API document does not page."""
    parameters = api.parameters_of(operation_id).items()
    names = (name for name, stated in parameters if stated.get("argument", name) == "pagination_token")
    return next(names, "paginationToken")


def _find_token(response: object) -> object:
    """Return the token of the next page, also of a list that the API document does not page."""
    found: Any = getattr(response, "pagination", None) or extra_fields(response).get("pagination")
    if found is None:
        return None
    if isinstance(found, dict):
        return cast("dict[str, object]", found).get("next")
    return getattr(found, "next_", False)
