# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/role-bindings"""

from __future__ import annotations

from ...models.create_role_binding_request import CreateRoleBindingRequest
from ...models.role_binding import RoleBinding
from ...types import API_VERSION, Operation


def create_role_binding(
    *,
    body: CreateRoleBindingRequest,
) -> Operation[RoleBinding]:
    """Grant a principal a role on an organization or a project.

    Bindings cannot be changed. To change a role, create the new binding, then delete the old one.
    The server refuses a project without resource_id with 400 INVALID_ARGUMENT. It refuses with 403
    PERMISSION_DENIED a role that does not fit the resource, that the plan does not include, or that
    the caller does not have. It refuses an identical binding, and any binding of a processed
    invite, with 409 ALREADY_EXISTS.

    Args:
        body: The role to grant, with its principal and its resource.

    Example:
        >>> create_role_binding(
        ...     body=CreateRoleBindingRequest(
        ...         principal_type="user",
        ...         principal_id="9c000000-0000-4000-8000-000000000002",
        ...         resource_type="project",
        ...         resource_id="9a000000-0000-4000-8000-000000000001",
        ...         role="ProjectEditor",
        ...     )
        ... )
    """
    return Operation(
        id="create_role_binding",
        method="POST",
        path="/admin/role-bindings",
        returns=RoleBinding,
        body=body,
        api_version=API_VERSION,
    )
