# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/users/{user_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_user(
    *,
    user_id: str,
) -> Operation[None]:
    """Remove a user from the organization.

    The server refuses with 409 ABORTED to remove the last OrgOwner, or a user whom an identity
    provider manages. The user is removed at once, and a second request returns 404 NOT_FOUND.

    Args:
        user_id: The id of the user.

    Example:
        >>> delete_user(user_id="9c000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="delete_user",
        method="DELETE",
        path="/admin/users/{user_id}",
        returns=None,
        path_parameters={
            "user_id": user_id,
        },
        api_version=API_VERSION,
    )
