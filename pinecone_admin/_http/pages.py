"""What a page of a list is, and where the next one starts: pure, and the same for both worlds."""

from __future__ import annotations

from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from attrs import evolve, field, fields, frozen, make_class

from generated_client import models
from generated_client.types import Operation
from pinecone_admin.errors import PaginationError

_T = TypeVar("_T")


class ListResponse(Protocol[_T]):
    """What every answer that holds a list has; a ``pagination`` beside it says where the next page starts."""

    data: list[_T]


@frozen(kw_only=True)
class Page(Generic[_T]):
    """One page of a list.

    Attributes:
        items: What is on it.
        pagination_token: Where the next page starts; None on the last one.
    """

    items: list[_T]
    pagination_token: str | None

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.pagination_token is not None


class PageCursor:
    """Where a reading of a list has come to.

    Args:
        first: Fetches the first page. The answer of a list that came whole so far is read with a ``pagination``, too.
    """

    def __init__(self, first: Operation[Any]) -> None:
        self._operation: Operation[Any] | None = first
        self._seen_tokens: set[object] = {first.query.get("paginationToken")}
        self._repeated = False

    def next_operation(self) -> Operation[Any] | None:
        """Give the operation that fetches the next page, or None after the last one.

        Raises:
            PaginationError: The server gave a page token that it had already given.
        """
        if self._repeated and self._operation is not None:
            raise PaginationError(
                "the server gave a page token that it had already given", operation=self._operation.id, outcome="done"
            )
        return self._operation

    def advance(self, response: ListResponse[_T]) -> Page[_T]:
        """Take the answer, and move on."""
        # The generator appends an underscore to names that Python has taken.
        token = getattr(getattr(response, "pagination", None), "next_", None) or None
        operation: Any = self._operation
        self._repeated = token in self._seen_tokens
        self._seen_tokens.add(token)
        query = {**operation.query, "paginationToken": token}
        self._operation = None if token is None else evolve(operation, query=query)
        return Page(items=response.data, pagination_token=token)


def with_pagination(operation: Operation[Any]) -> Operation[Any]:
    """Let the answer have a ``pagination``, should the API start paging a list that came whole so far."""
    data: Any = operation
    changed: Operation[Any] = evolve(data, returns=_with_pagination(data.returns))
    return changed


@cache
def _with_pagination(model: Any) -> Any:
    response: Any = getattr(models, "PaginationResponse", None)  # an older API document pages nothing
    if response is None or "pagination" in {field.name for field in fields(model)}:
        return model
    pagination = field(default=None, type=response | None)
    return make_class(model.__name__, {"pagination": pagination}, bases=(model,), frozen=True, kw_only=True)
