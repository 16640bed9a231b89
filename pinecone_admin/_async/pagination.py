"""Lists that come in pages: read page by page, item by item, or whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, Protocol, TypeVar

from generated_client.types import Operation
from pinecone_admin._http.arguments import check_integer
from pinecone_admin._http.pages import Page, PageCursor, with_pagination
from pinecone_admin._http.validation import check_operation

_T = TypeVar("_T")


class _Sender(Protocol):
    async def send(self, operation: Operation[_T]) -> _T: ...


class AsyncPaginator(Generic[_T]):
    """The items of a paged list, fetched as they are asked for; iterating again starts from the beginning."""

    def __init__(self, admin: _Sender, operation: Operation[Any]) -> None:
        check_operation(operation)
        self._admin = admin
        self._operation = with_pagination(operation)

    async def pages(self) -> AsyncIterator[Page[_T]]:
        """Fetch page after page.

        Raises:
            PaginationError: The server gave a page token that it had already given.
        """
        cursor = PageCursor(self._operation)
        while operation := cursor.next_operation():
            yield cursor.advance(await self._admin.send(operation))

    async def __aiter__(self) -> AsyncIterator[_T]:
        cursor = PageCursor(self._operation)
        while operation := cursor.next_operation():
            page: Page[_T] = cursor.advance(await self._admin.send(operation))
            for item in page.items:
                yield item

    async def to_list(self, max_items: int | None = None) -> list[_T]:
        """Fetch all items, or the first of them.

        Args:
            max_items: How many to fetch at most, from 1; no page beyond them is asked for.

        Raises:
            PaginationError: The server gave a page token that it had already given.
        """
        if max_items is not None:
            check_integer("max_items", max_items, least=1)
        items: list[_T] = []
        cursor = PageCursor(self._operation)
        while (max_items is None or len(items) < max_items) and (operation := cursor.next_operation()):
            page: Page[_T] = cursor.advance(await self._admin.send(operation))
            items += page.items
        return items[:max_items]

    # <async only>
    def __await__(self) -> Generator[object, None, list[_T]]:
        """Fetch all items, so that every ``list`` of the client can be awaited."""
        return self.to_list().__await__()

    # </async only>
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.id}>"
