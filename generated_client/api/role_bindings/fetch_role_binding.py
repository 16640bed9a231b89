# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/role-bindings/{role_binding_id}"""

from __future__ import annotations

from ...models.role_binding import RoleBinding
from ...types import API_VERSION, Operation


def fetch_role_binding(
    *,
    role_binding_id: str,
) -> Operation[RoleBinding]:
    """Fetch one role binding.

    An id outside the caller's organization returns 404 NOT_FOUND.

    Args:
        role_binding_id: The id of the role binding.

    Example:
        >>> fetch_role_binding(role_binding_id="9f000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="fetch_role_binding",
        method="GET",
        path="/admin/role-bindings/{role_binding_id}",
        returns=RoleBinding,
        path_parameters={
            "role_binding_id": role_binding_id,
        },
        api_version=API_VERSION,
    )
