"""Paging: which page a query asks for, and the page itself."""

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
    """The page that a request asks for.

    Args:
        listing: The list and its filters; a cursor is valid only for the same ones.
        after: The position before the first item of the page.
        limit: The largest number of records.
    """

    listing: str
    after: int
    limit: int


def read_page_request(context: OperationContext, name: str, filters: object = None) -> PageRequest:
    """Read the page that a query asks for."""
    listing = repr((name, filters))
    limit = context.query.optional("limit", checks.page_limit) or checks.LARGEST_PAGE
    token = context.query.optional("paginationToken", checks.string)
    after = 0 if token is None else context.state.decode_cursor(listing, token)
    if after is None:
        raise invalid_argument(f"paginationToken does not belong to this list with these filters: {quoted(token)}")
    return PageRequest(listing, after, limit)


def page_document(
    context: OperationContext, page_request: PageRequest, records: Listing[R], document: Callable[[R], Document]
) -> Document:
    """Return a page of records as a document."""
    # One record more than asked for shows whether another page follows.
    ahead = records.after(page_request.after, page_request.limit + 1)
    page = ahead[: page_request.limit]
    more = len(ahead) > len(page)
    pagination = {"next": context.state.encode_cursor(page_request.listing, page[-1].position)} if more else None
    return {"data": [document(record) for record in page], "pagination": pagination}
