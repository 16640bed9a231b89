# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/projects/{project_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_project(
    *,
    project_id: str,
) -> Operation[None]:
    """Delete a project and its API keys.

    If the project still contains indexes, collections, assistants or backups, the server refuses
    the request with 412 FAILED_PRECONDITION. The message names the first of these kinds, in this
    order. The project is deleted at once, and a second request returns 404 NOT_FOUND.

    Args:
        project_id: The id of the project.

    Example:
        >>> delete_project(project_id="9a000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="delete_project",
        method="DELETE",
        path="/admin/projects/{project_id}",
        returns=None,
        path_parameters={
            "project_id": project_id,
        },
        api_version=API_VERSION,
    )
