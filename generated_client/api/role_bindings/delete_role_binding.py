# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/role-bindings/{role_binding_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_role_binding(
    *,
    role_binding_id: str,
) -> Operation[None]:
    """Revoke a role of a principal by deleting its binding.

    Deleting the last OrgOwner binding, the last organization role of a user who holds other roles,
    or the last organization role of a pending invite is refused with 409 ABORTED. The binding is
    gone at once, and a repeated request returns 404 NOT_FOUND.

    Args:
        role_binding_id: The id of the role binding.

    Example:
        >>> delete_role_binding(role_binding_id="9f000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="delete_role_binding",
        method="DELETE",
        path="/admin/role-bindings/{role_binding_id}",
        returns=None,
        path_parameters={
            "role_binding_id": role_binding_id,
        },
        api_version=API_VERSION,
    )
