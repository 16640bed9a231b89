# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/role-bindings/{role_binding_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_role_binding(
    *,
    role_binding_id: str,
) -> Operation[None]:
    """Revoke a role of a principal by deleting its binding.

    The server refuses with 409 ABORTED to delete the last OrgOwner binding, and the last
    organization role of a pending invite or of a user who has other roles. The binding is deleted
    at once, and a second request returns 404 NOT_FOUND.

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
