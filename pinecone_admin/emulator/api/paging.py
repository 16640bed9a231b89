"""Pages of a list: what a query asks for, and the page that it gets."""

from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import invalid, shown
from pinecone_admin.emulator.api.messages import Call
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.listing import Listing, Positioned

R = TypeVar("R", bound=Positioned)


@frozen
class Window:
    """Which page of a list is asked for."""

    listing: str
    after: int
    limit: int


def window(call: Call, name: str, filters: object = None) -> Window:
    """Read which page of a list a query asks for."""
    listing = repr((name, filters))
    limit = call.query.optional("limit", checks.page_limit) or checks.LARGEST_PAGE
    token = call.query.optional("paginationToken", checks.string)
    after = 0 if token is None else call.state.position_of(listing, token)
    if after is None:
        raise invalid(f"paginationToken is not of this list with these filters: {shown(token)}")
    return Window(listing, after, limit)


def page(call: Call, window: Window, records: Listing[R], document: Callable[[R], Document]) -> Document:
    """Return a page of records."""
    ahead = records.after(window.after, window.limit + 1)
    page = ahead[: window.limit]
    more = len(ahead) > len(page)
    pagination = {"next": call.state.cursor(window.listing, page[-1].position)} if more else None
    return {"data": [document(record) for record in page], "pagination": pagination}
