# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/api-keys/{api_key_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_api_key(
    *,
    api_key_id: str,
) -> Operation[None]:
    """Delete an API key.

    The key is deleted at once, and a second request returns 404 NOT_FOUND.

    Args:
        api_key_id: The id of the API key, not its value.

    Example:
        >>> delete_api_key(api_key_id="9b000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="delete_api_key",
        method="DELETE",
        path="/admin/api-keys/{api_key_id}",
        returns=None,
        path_parameters={
            "api_key_id": api_key_id,
        },
        api_version=API_VERSION,
    )
