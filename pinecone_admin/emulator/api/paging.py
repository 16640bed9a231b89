"""Pages of a list: what a query asks for, and the page that it gets."""

from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.context import OperationContext
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.listing import Listing, Positioned

R = TypeVar("R", bound=Positioned)


@frozen
class PageRequest:
    """Which page of a list is asked for."""

    listing: str
    after: int
    limit: int


def read_page_request(context: OperationContext, name: str, filters: object = None) -> PageRequest:
    """Read which page of a list a query asks for."""
    listing = repr((name, filters))
    limit = context.query.optional("limit", checks.page_limit) or checks.LARGEST_PAGE
    token = context.query.optional("paginationToken", checks.string)
    after = 0 if token is None else context.state.decode_cursor(listing, token)
    if after is None:
        raise invalid_argument(f"paginationToken is not of this list with these filters: {quoted(token)}")
    return PageRequest(listing, after, limit)


def page_document(
    context: OperationContext, page_request: PageRequest, records: Listing[R], document: Callable[[R], Document]
) -> Document:
    """Return a page of records."""
    ahead = records.after(page_request.after, page_request.limit + 1)
    page = ahead[: page_request.limit]
    more = len(ahead) > len(page)
    pagination = {"next": context.state.encode_cursor(page_request.listing, page[-1].position)} if more else None
    return {"data": [document(record) for record in page], "pagination": pagination}
