# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PATCH /admin/projects/{project_id}"""

from __future__ import annotations

from ...models.project import Project
from ...models.update_project_request import UpdateProjectRequest
from ...types import API_VERSION, Operation


def update_project(
    *,
    project_id: str,
    body: UpdateProjectRequest,
) -> Operation[Project]:
    """Change the name, the pod limit or the encryption of a project.

    Omitted fields keep their value. Encryption with a customer-managed key can be turned on, and
    never off again.

    Args:
        project_id: The id of the project.
        body: The fields of a project to change. Omitted fields keep their value.

    Example:
        >>> update_project(
        ...     project_id="9a000000-0000-4000-8000-000000000001",
        ...     body=UpdateProjectRequest(name="semantic-search"),
        ... )
    """
    return Operation(
        id="update_project",
        method="PATCH",
        path="/admin/projects/{project_id}",
        returns=Project,
        path_parameters={
            "project_id": project_id,
        },
        body=body,
        api_version=API_VERSION,
    )
