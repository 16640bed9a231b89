# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/invites"""

from __future__ import annotations

from ...models.invite_list import InviteList
from ...types import API_VERSION, Operation, Parameters

PARAMETERS: Parameters = {
    "limit": {"type": int, "minimum": 1, "maximum": 100},
    "paginationToken": {"argument": "pagination_token", "type": str},
}


def list_invites(
    *,
    limit: int | None = None,
    pagination_token: str | None = None,
) -> Operation[InviteList]:
    """List one page of the pending and expired invites of the organization.

    The list contains no processed invites. They can only be fetched by id.

    Args:
        limit: Maximum number of items on a page, 1 to 100. Otherwise the response is 400
            OUT_OF_RANGE.
        pagination_token: Where the page starts: pagination.next of the page before, sent with
            the same filters and limit, or nothing for the first page. A token that is expired or
            from another list is refused with 400 INVALID_ARGUMENT.

    Example:
        >>> list_invites(limit=20)
    """
    return Operation(
        id="list_invites",
        method="GET",
        path="/admin/invites",
        returns=InviteList,
        query={
            "limit": limit,
            "paginationToken": pagination_token,
        },
        api_version=API_VERSION,
    )
