# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/projects/{project_id}/api-keys"""

from __future__ import annotations

from ...models.api_key_with_secret import APIKeyWithSecret
from ...models.create_api_key_request import CreateAPIKeyRequest
from ...types import API_VERSION, Operation


def create_api_key(
    *,
    project_id: str,
    body: CreateAPIKeyRequest,
) -> Operation[APIKeyWithSecret]:
    """Create an API key for a project.

    The response contains the value of the key, which is shown only once. Names are not unique, so a
    second request creates a second key. The server refuses with 403 PERMISSION_DENIED more keys
    than the plan allows in a project (5 on the smallest plan), and a role that the plan does not
    include or that the caller may not grant.

    Args:
        project_id: The id of the project.
        body: The API key to create.

    Example:
        >>> create_api_key(
        ...     project_id="9a000000-0000-4000-8000-000000000001",
        ...     body=CreateAPIKeyRequest(name="indexer", roles=["DataPlaneEditor"]),
        ... )
    """
    return Operation(
        id="create_api_key",
        method="POST",
        path="/admin/projects/{project_id}/api-keys",
        returns=APIKeyWithSecret,
        path_parameters={
            "project_id": project_id,
        },
        body=body,
        api_version=API_VERSION,
    )
