# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UserList as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class UserList:
    """One page of users.

    Attributes:
        data: The users on this page.
        pagination: Where the next page starts. Null or absent on the last page.
    """

    data: list[User]
    pagination: PaginationResponse | None = None


# Imported below the class because models may refer to each other in a circle.
from ..models.pagination_response import PaginationResponse
from ..models.user import User
