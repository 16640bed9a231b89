"""Lists of the control plane, which a client reads with an API key, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from pinecone_admin.errors import PaginationError

if TYPE_CHECKING:
    from generated_client.types import Operation
    from pinecone_admin._async.client import AsyncAdmin


class ControlPlanePage(Protocol):
    """A page, and where the next one starts."""

    @property
    def next_page(self) -> str | None:
        """Token of the next page, or None on the last page."""
        ...


_Page = TypeVar("_Page", bound=ControlPlanePage)


async def read_pages(keyed: AsyncAdmin, list_page: Callable[[str | None], Operation[_Page]]) -> AsyncIterator[_Page]:
    """Read the pages of a list one after another.

    Args:
        keyed: Client that sends an API key.
        list_page: Returns the operation that lists a page, given its token.

    Raises:
        PaginationError: The server returned the same page token twice.
    """
    seen: list[str | None] = [None]
    while True:
        operation = list_page(seen[-1])
        page = await keyed.send(operation)
        yield page
        if not page.next_page:
            return
        if page.next_page in seen:
            raise PaginationError(
                "the server returned the same page token twice", operation=operation.id, outcome="done"
            )
        seen.append(page.next_page)
