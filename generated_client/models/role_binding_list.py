# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleBindingList as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class RoleBindingList:
    """One page of role bindings.

    Attributes:
        data: The role bindings on this page.
        pagination: Where the next page starts. Null or absent on the last page.
    """

    data: list[RoleBinding]
    pagination: PaginationResponse | None = None


# Imported below the class because models may refer to each other in a circle.
from ..models.pagination_response import PaginationResponse
from ..models.role_binding import RoleBinding
