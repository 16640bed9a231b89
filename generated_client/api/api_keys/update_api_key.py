# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PATCH /admin/api-keys/{api_key_id}"""

from __future__ import annotations

from ...models.api_key import APIKey
from ...models.update_api_key_request import UpdateAPIKeyRequest
from ...types import API_VERSION, Operation


def update_api_key(
    *,
    api_key_id: str,
    body: UpdateAPIKeyRequest,
) -> Operation[APIKey]:
    """Change the name or the roles of an API key.

    Omitted fields keep their value. Roles replace all roles of the key. The server refuses a role
    that the plan does not include or that the caller may not grant with 403 PERMISSION_DENIED.

    Args:
        api_key_id: The id of the API key, not its value.
        body: The fields of an API key to change. Omitted fields keep their value.

    Example:
        >>> update_api_key(
        ...     api_key_id="9b000000-0000-4000-8000-000000000001",
        ...     body=UpdateAPIKeyRequest(roles=["ControlPlaneEditor", "DataPlaneEditor"]),
        ... )
    """
    return Operation(
        id="update_api_key",
        method="PATCH",
        path="/admin/api-keys/{api_key_id}",
        returns=APIKey,
        path_parameters={
            "api_key_id": api_key_id,
        },
        body=body,
        api_version=API_VERSION,
    )
