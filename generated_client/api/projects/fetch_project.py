# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/projects/{project_id}"""

from __future__ import annotations

from ...models.project import Project
from ...types import API_VERSION, Operation


def fetch_project(
    *,
    project_id: str,
) -> Operation[Project]:
    """Fetch one project.

    An id outside the caller's organization returns 404 NOT_FOUND.

    Args:
        project_id: The id of the project.

    Example:
        >>> fetch_project(project_id="9a000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="fetch_project",
        method="GET",
        path="/admin/projects/{project_id}",
        returns=Project,
        path_parameters={
            "project_id": project_id,
        },
        api_version=API_VERSION,
    )
