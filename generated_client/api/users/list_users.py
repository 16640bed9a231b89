# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/users"""

from __future__ import annotations

from ...models.user_list import UserList
from ...types import API_VERSION, Operation, Parameters

PARAMETERS: Parameters = {
    "email": {"type": str, "maxLength": 254, "format": "email"},
    "limit": {"type": int, "minimum": 1, "maximum": 100},
    "paginationToken": {"argument": "pagination_token", "type": str},
}


def list_users(
    *,
    email: str | None = None,
    limit: int | None = None,
    pagination_token: str | None = None,
) -> Operation[UserList]:
    """List one page of the users of the organization.

    A person who was invited and has not accepted is an invite, and not a user.

    Args:
        email: Only the user with this email address, at most 254 characters, ignoring case. The
            server refuses a malformed address with 400 INVALID_ARGUMENT.
        limit: Maximum number of items on a page, 1 to 100. Otherwise the response is 400
            OUT_OF_RANGE.
        pagination_token: Where the page starts: pagination.next of the page before, sent with
            the same filters and limit, or nothing for the first page. A token that is expired or
            from another list is refused with 400 INVALID_ARGUMENT.

    Example:
        >>> list_users(email="ada@harbour.example", limit=20)
    """
    return Operation(
        id="list_users",
        method="GET",
        path="/admin/users",
        returns=UserList,
        query={
            "email": email,
            "limit": limit,
            "paginationToken": pagination_token,
        },
        api_version=API_VERSION,
    )
