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
    """Give a principal a role on an organization or a project.

    Bindings do not change: to change a role, create the new binding, then delete the old one. A role
    that does not fit the resource, or a project without resource_id, is refused with 400
    INVALID_ARGUMENT; a role that the plan lacks or that the caller does not hold with 403
    PERMISSION_DENIED; an identical binding, or any on a processed invite, with 409 ALREADY_EXISTS.

    Args:
        body: The role to give, to whom and on what.
    """
    return Operation(
        id="create_role_binding",
        method="POST",
        path="/admin/role-bindings",
        returns=RoleBinding,
        body=body,
        api_version=API_VERSION,
    )
