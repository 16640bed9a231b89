# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/api-keys/{api_key_id}"""

from __future__ import annotations

from ...models.api_key import APIKey
from ...types import API_VERSION, Operation


def fetch_api_key(
    *,
    api_key_id: str,
) -> Operation[APIKey]:
    """Fetch one API key.

    The response does not contain the value of the key. An id outside the caller's organization
    returns 404 NOT_FOUND.

    Args:
        api_key_id: The id of the API key, not its value.

    Example:
        >>> fetch_api_key(api_key_id="9b000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="fetch_api_key",
        method="GET",
        path="/admin/api-keys/{api_key_id}",
        returns=APIKey,
        path_parameters={
            "api_key_id": api_key_id,
        },
        api_version=API_VERSION,
    )
