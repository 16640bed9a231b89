"""Pages of a list, and the operations that fetch them; shared by the sync and async clients."""

from __future__ import annotations

from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from attrs import evolve, field, fields, frozen, make_class

from generated_client import api, models
from generated_client.types import Operation, read_optional_field, readers
from pinecone_admin.errors import PaginationError

_T = TypeVar("_T")


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
    pagination_token: str | None

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.pagination_token is not None


class PageCursor:
    """Position in a list that is read page by page.

    Args:
        first: Operation that fetches the first page.
    """

    def __init__(self, first: Operation[Any]) -> None:
        self._operation: Operation[Any] | None = _accept_pagination(first)
        self._parameter = _token_parameter(first.id)
        self._given_query = {name: value for name, value in first.query.items() if value is not None}
        self._seen_tokens: set[object] = {first.query.get(self._parameter)}
        self._repeated = False

    def next_operation(self) -> Operation[Any] | None:
        """Return the operation that fetches the next page, or None after the last page.

        Raises:
            PaginationError: The server returned the same page token twice.
        """
        if self._repeated and self._operation is not None:
            # Following a repeated token would never end.
            message = "the server returned the same page token twice"
            raise PaginationError(message, operation=self._operation.id, outcome="done")
        return self._operation

    def advance(self, response: ListResponse[_T]) -> Page[_T]:
        """Return the page in a response, and move to the next page.

        Raises:
            PaginationError: The API document says in another way where the next page starts.
        """
        operation: Any = self._operation
        pagination: Any = getattr(response, "pagination", None)
        if pagination is not None and not hasattr(pagination, "next_"):
            # A list that ends here would look complete.
            message = f"{type(pagination).__name__} has no token of the next page"
            raise PaginationError(message, operation=operation.id, outcome="done")
        token = None if pagination is None else pagination.next_ or None
        self._repeated = token in self._seen_tokens
        self._seen_tokens.add(token)
        query = {**self._given_query, self._parameter: token}
        self._operation = None if token is None else evolve(operation, query=query)
        return Page(items=response.data, pagination_token=token)


def _token_parameter(operation_id: str) -> str:
    """Return the name that the page token has in requests, also of a list that the API document does not page."""
    parameters = api.parameters_of(operation_id).items()
    names = (name for name, stated in parameters if stated.get("argument", name) == "pagination_token")
    return next(names, "paginationToken")


def _accept_pagination(operation: Operation[Any]) -> Operation[Any]:
    """Return the operation with a response model that accepts ``pagination``.

    The API returns some lists whole; if it starts to page them, the next pages are still found.
    """
    data: Any = operation
    changed: Operation[Any] = evolve(data, returns=_with_pagination(data.returns))
    return changed


@cache
def _with_pagination(model: Any) -> Any:
    response: Any = getattr(models, "PaginationResponse", None)  # an older API document has no pagination
    if response is None or "pagination" in {field.name for field in fields(model)}:
        return model
    pagination = field(default=None, type=response | None)
    paged = make_class(model.__name__, {"pagination": pagination}, bases=(model,), frozen=True, kw_only=True)

    def decode(json: Any) -> Any:
        decoded = readers[model](json)
        values = {each.name: getattr(decoded, each.name) for each in fields(model)}
        return paged(**values, pagination=read_optional_field(json, "pagination", readers[response]))

    readers[paged] = decode
    return paged
