# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/role-bindings"""

from __future__ import annotations

from ...models.principal_type import PrincipalType
from ...models.resource_type import ResourceType
from ...models.role_binding_list import RoleBindingList
from ...models.role_name import RoleName
from ...types import API_VERSION, Operation, Parameters

PARAMETERS: Parameters = {
    "principal_type": {"type": PrincipalType},
    "principal_id": {"type": str},
    "resource_type": {"type": ResourceType},
    "resource_id": {"type": str},
    "role": {"type": RoleName},
    "limit": {"type": int, "minimum": 1, "maximum": 100},
    "paginationToken": {"argument": "pagination_token", "type": str},
}


def list_role_bindings(
    *,
    principal_type: PrincipalType | None = None,
    principal_id: str | None = None,
    resource_type: ResourceType | None = None,
    resource_id: str | None = None,
    role: RoleName | None = None,
    limit: int | None = None,
    pagination_token: str | None = None,
) -> Operation[RoleBindingList]:
    """List one page of the role bindings of the organization.

    The list contains the bindings that match all filters. The server refuses an id filter without
    its type filter with 400 INVALID_ARGUMENT.

    Args:
        principal_type: Only bindings of this kind of principal.
        principal_id: Only bindings of the principal with this id. Without principal_type it is
            refused with 400 INVALID_ARGUMENT.
        resource_type: Only bindings on this kind of resource.
        resource_id: Only bindings on the organization or project with this id. Without
            resource_type it is refused with 400 INVALID_ARGUMENT.
        role: Only bindings that give this role.
        limit: Maximum number of items on a page, 1 to 100. Otherwise the response is 400
            OUT_OF_RANGE.
        pagination_token: Where the page starts: pagination.next of the page before, sent with
            the same filters and limit, or nothing for the first page. A token that is expired or
            from another list is refused with 400 INVALID_ARGUMENT.

    Example:
        >>> list_role_bindings(
        ...     principal_type="user",
        ...     principal_id="9c000000-0000-4000-8000-000000000002",
        ...     resource_type="project",
        ...     resource_id="9a000000-0000-4000-8000-000000000001",
        ...     role="ProjectEditor",
        ...     limit=20,
        ... )
    """
    return Operation(
        id="list_role_bindings",
        method="GET",
        path="/admin/role-bindings",
        returns=RoleBindingList,
        query={
            "principal_type": principal_type,
            "principal_id": principal_id,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "role": role,
            "limit": limit,
            "paginationToken": pagination_token,
        },
        api_version=API_VERSION,
    )
