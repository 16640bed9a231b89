# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/service-accounts"""

from __future__ import annotations

from ...models.service_account_list import ServiceAccountList
from ...types import API_VERSION, Operation, Parameters

PARAMETERS: Parameters = {
    "limit": {"type": int, "minimum": 1, "maximum": 100},
    "paginationToken": {"argument": "pagination_token", "type": str},
}


def list_service_accounts(
    *,
    limit: int | None = None,
    pagination_token: str | None = None,
) -> Operation[ServiceAccountList]:
    """List one page of the service accounts of the organization.

    The list does not contain client secrets.

    Args:
        limit: Maximum number of items on a page, 1 to 100. Otherwise the response is 400
            OUT_OF_RANGE.
        pagination_token: Where the page starts: pagination.next of the page before, sent with
            the same filters and limit, or nothing for the first page. A token that is expired or
            from another list is refused with 400 INVALID_ARGUMENT.

    Example:
        >>> list_service_accounts(limit=20)
    """
    return Operation(
        id="list_service_accounts",
        method="GET",
        path="/admin/service-accounts",
        returns=ServiceAccountList,
        query={
            "limit": limit,
            "paginationToken": pagination_token,
        },
        api_version=API_VERSION,
    )
