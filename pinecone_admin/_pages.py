"""What a page of a list is, and where the next one starts: pure, and the same for both worlds."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from attrs import evolve, frozen

from generated_client.types import Operation
from pinecone_admin.errors import PaginationError

_T = TypeVar("_T")


class ListAnswer(Protocol[_T]):
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


class Cursor:
    """Where a reading of the list has come to; ``operation`` fetches the next page, and is None after the last."""

    def __init__(self, first: Operation[Any]) -> None:
        self.operation: Operation[Any] | None = first
        self._given = {first.query.get("paginationToken")}

    def advance(self, answer: ListAnswer[_T]) -> Page[_T]:
        """Take the answer of the operation, and move on to the next one."""
        # The generator appends an underscore to names that Python has taken.
        token = getattr(getattr(answer, "pagination", None), "next_", None) or None
        self.operation = self._following(token)
        return Page(items=answer.data, pagination_token=token)

    def _following(self, token: str | None) -> Operation[Any] | None:
        if token is None or self.operation is None:
            return None
        if token in self._given:
            raise PaginationError(
                "the server gave a page token that it had already given",
                operation=self.operation.id,
                outcome="done",
            )
        self._given.add(token)
        operation: Any = self.operation
        following: Operation[Any] = evolve(operation, query={**operation.query, "paginationToken": token})
        return following
