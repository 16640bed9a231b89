"""Paginated lists, read item by item, page by page or all at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from generated_client.types import Operation
from pinecone_admin._http.argument_checks import check_integer
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.pages import ListResponse, Page, PageCursor, PageOfList
from pinecone_admin.errors import PineconeTypeError

if TYPE_CHECKING:
    from pinecone_admin._async.sender import AsyncSender

_T = TypeVar("_T")


class AsyncPaginator(Generic[_T]):
    """A list with pages, which are fetched on demand.

    Each iteration starts again at the first page, or at the given ``pagination_token``. The client's ``timeout`` is the
    time for each page.

    Example:
        >>> async for user in admin.users.list(limit=50):
        ...     print(user.email)
        >>> emails = [user.email for user in await admin.users.list().to_list(max_items=10)]
        >>> async for page in admin.users.list(limit=50).pages():
        ...     print(len(page.items), page.has_more, page.pagination_token)
    """

    def __init__(
        self,
        sender: AsyncSender,
        operation: Operation[PageOfList[_T]],
        *,
        filters: Sequence[str] = (),
    ) -> None:
        self._operation = operation
        self._filters = filters
        # Checked here, so that a wrong argument fails in the call that has it, and not again for each page.
        check_operation(operation)
        self._send = partial(sender.send, is_checked=True)

    async def pages(self) -> AsyncIterator[Page[_T]]:
        """Return the pages one after another, and fetch each when it is needed.

        Raises:
            PaginationError: The list would never end.
        """
        cursor = PageCursor(self._operation, self._filters)
        while operation := cursor.next_operation():
            yield cursor.advance(await self._send(operation))

    async def __aiter__(self) -> AsyncIterator[_T]:
        cursor = PageCursor(self._operation, self._filters)
        while operation := cursor.next_operation():
            page: Page[_T] = cursor.advance(await self._send(operation))
            for item in page.items:
                yield item

    async def to_list(self, max_items: int | None = None) -> list[_T]:
        """Fetch all items, or only the first ``max_items``.

        Args:
            max_items: Maximum number of items, from 1. Further pages are not requested.

        Raises:
            PineconeValueError: ``max_items`` is below 1. No request was sent.
            PaginationError: The list would never end.
        """
        if max_items is not None:
            check_integer("max_items", max_items, least=1)
        items: list[_T] = []
        cursor = PageCursor(self._operation, self._filters)
        while (max_items is None or len(items) < max_items) and (operation := cursor.next_operation()):
            page: Page[_T] = cursor.advance(await self._send(operation))
            items += page.items
        return items[:max_items]

    # <async only>
    def __await__(self) -> Generator[object, None, list[_T]]:
        """Fetch all items, so that every ``list`` of the client can be awaited."""
        return self.to_list().__await__()

    # </async only>
    if not TYPE_CHECKING:  # type checkers refuse both

        def __getitem__(self, _index: object) -> NoReturn:
            message = "the items are fetched while they are read: for an index or a length, use await to_list()"
            raise PineconeTypeError(message, operation=self._operation.id)

        def __len__(self) -> int:
            return self[0]

        def __bool__(self) -> bool:
            return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.id}: iterate over it, or call to_list()>"


async def fetch_all(
    sender: AsyncSender, operation: Operation[ListResponse[_T]], *, is_checked: bool = False
) -> list[_T]:
    """Fetch a list whole; the timeout of a call limits all of its pages together.

    Args:
        sender: Sends the operations.
        operation: Operation that lists.
        is_checked: Whether ``check_operation`` has accepted it.

    Raises:
        PineconeTimeoutError: The server returned one page after another until the time was up.
        PaginationError: The list would never end.
    """
    if not is_checked:
        check_operation(operation)
    deadline, cursor, items = sender.start_deadline(), PageCursor(operation), list[_T]()
    while page := cursor.next_operation():
        items += cursor.advance(await sender.send(page, is_checked=True, deadline=deadline)).items
    return items


# <async only>
class AsyncCompleteList(Generic[_T]):
    """A list that the API returns whole: await it, or iterate over it with ``async for``.

    Each time, the list is fetched again. The client's ``timeout`` is the time for the whole list.

    Example:
        >>> projects = await admin.projects.list()
        >>> async for project in admin.projects.list():
        ...     print(project.name)
    """

    def __init__(self, sender: AsyncSender, operation: Operation[ListResponse[_T]]) -> None:
        self._operation = operation
        check_operation(operation)
        self._sender = sender

    def __await__(self) -> Generator[object, None, list[_T]]:
        """Fetch the list."""
        items: Awaitable[list[_T]] = fetch_all(self._sender, self._operation, is_checked=True)
        return items.__await__()

    async def __aiter__(self) -> AsyncIterator[_T]:
        for item in await self:
            yield item

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.id}: await it, or iterate over it>"


# </async only>
