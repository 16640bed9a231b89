# Derived from pinecone_admin/_async/pagination.py by scripts/unasync.py: change that, not this file.
"""Paginated lists, read item by item, page by page or all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from generated_client.types import Operation
from pinecone_admin._http.argument_checks import check_integer
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.pages import ListResponse, Page, PageCursor, PageOfList
from pinecone_admin.errors import PineconeTypeError

if TYPE_CHECKING:
    from pinecone_admin._sync.sender import Sender

_T = TypeVar("_T")


class Paginator(Generic[_T]):
    """A list with pages, which are fetched on demand.

    Each iteration starts again at the first page, or at the given ``pagination_token``. The client's ``timeout`` is the
    time for each page.

    Example:
        >>> for user in admin.users.list(limit=50):
        ...     print(user.email)
        >>> emails = [user.email for user in admin.users.list().to_list(max_items=10)]
        >>> for page in admin.users.list(limit=50).pages():
        ...     print(len(page.items), page.has_more, page.pagination_token)
    """

    def __init__(
        self,
        sender: Sender,
        operation: Operation[PageOfList[_T]],
        *,
        filters: Sequence[str] = (),
    ) -> None:
        self._operation = operation
        self._filters = filters
        # Checked here, so that a wrong argument fails in the call that has it, and not again for each page.
        check_operation(operation)
        self._send = partial(sender.send, is_checked=True)

    def pages(self) -> Iterator[Page[_T]]:
        """Return the pages one after another, and fetch each when it is needed.

        Raises:
            PaginationError: The list would never end.
        """
        cursor = PageCursor(self._operation, self._filters)
        while operation := cursor.next_operation():
            yield cursor.advance(self._send(operation))

    def __iter__(self) -> Iterator[_T]:
        cursor = PageCursor(self._operation, self._filters)
        while operation := cursor.next_operation():
            page: Page[_T] = cursor.advance(self._send(operation))
            for item in page.items:
                yield item

    def to_list(self, max_items: int | None = None) -> list[_T]:
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
            page: Page[_T] = cursor.advance(self._send(operation))
            items += page.items
        return items[:max_items]

    if not TYPE_CHECKING:  # type checkers refuse both

        def __getitem__(self, _index: object) -> NoReturn:
            message = "the items are fetched while they are read: for an index or a length, use to_list()"
            raise PineconeTypeError(message, operation=self._operation.id)

        def __len__(self) -> int:
            return self[0]

        def __bool__(self) -> bool:
            return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.id}: iterate over it, or call to_list()>"


def fetch_all(sender: Sender, operation: Operation[ListResponse[_T]], *, is_checked: bool = False) -> list[_T]:
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
        items += cursor.advance(sender.send(page, is_checked=True, deadline=deadline)).items
    return items
