# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/projects/{project_id}/api-keys"""

from __future__ import annotations

from ...models.list_api_keys_response import ListApiKeysResponse
from ...types import API_VERSION, Operation


def list_project_api_keys(
    *,
    project_id: str,
) -> Operation[ListApiKeysResponse]:
    """List the API keys of a project.

    The list is complete, and has no pages. It does not contain the values of the keys.

    Args:
        project_id: The id of the project.

    Example:
        >>> list_project_api_keys(project_id="9a000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="list_project_api_keys",
        method="GET",
        path="/admin/projects/{project_id}/api-keys",
        returns=ListApiKeysResponse,
        path_parameters={
            "project_id": project_id,
        },
        api_version=API_VERSION,
    )
