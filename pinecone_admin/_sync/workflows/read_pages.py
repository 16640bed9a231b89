# Derived from pinecone_admin/_async/workflows/read_pages.py by scripts/unasync.py: change that, not this file.
"""Lists of the control plane, which a client reads with an API key, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from pinecone_admin._http.pages import Trail
from pinecone_admin.errors import PaginationError

if TYPE_CHECKING:
    from generated_client.types import Operation
    from pinecone_admin._sync.client import Admin


class ControlPlanePage(Protocol):
    """A page, and where the next one starts."""

    @property
    def names(self) -> Sequence[str]:
        """What identifies the items of the page."""
        ...

    @property
    def next_page(self) -> str | None:
        """Token of the next page, or None on the last page."""
        ...


_Page = TypeVar("_Page", bound=ControlPlanePage)


def read_pages(keyed: Admin, list_page: Callable[[str | None], Operation[_Page]]) -> Iterator[_Page]:
    """Read the pages of a list one after another.

    Args:
        keyed: Client that sends an API key.
        list_page: Returns the operation that lists a page, given its token.

    Raises:
        PaginationError: The list would never end.
    """
    token: str | None = None
    trail = Trail(token)
    while True:
        operation = list_page(token)
        page = keyed.send(operation)
        yield page
        if not (token := page.next_page):
            return
        trail.find_new(page.names, str)
        if (problem := trail.find_problem(token)) is not None:
            raise PaginationError(problem, operation=operation.id, outcome="done")
