# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/users/{user_id}"""

from __future__ import annotations

from ...models.user import User
from ...types import API_VERSION, Operation


def fetch_user(
    *,
    user_id: str,
) -> Operation[User]:
    """Fetch one user.

    An id outside the caller's organization returns 404 NOT_FOUND.

    Args:
        user_id: The id of the user.

    Example:
        >>> fetch_user(user_id="9c000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="fetch_user",
        method="GET",
        path="/admin/users/{user_id}",
        returns=User,
        path_parameters={
            "user_id": user_id,
        },
        api_version=API_VERSION,
    )
