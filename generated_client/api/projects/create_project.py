# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/projects"""

from __future__ import annotations

from ...models.create_project_request import CreateProjectRequest
from ...models.project import Project
from ...types import API_VERSION, Operation


def create_project(
    *,
    body: CreateProjectRequest,
) -> Operation[Project]:
    """Create a project.

    Names are not unique, so a second request creates a second project. A plan allows 1, 5, 20 or
    100 projects per organization. The server refuses another one with 403 QUOTA_EXCEEDED. If the
    billing state forbids the creation, the response is 402.

    Args:
        body: The project to create.

    Example:
        >>> create_project(
        ...     body=CreateProjectRequest(name="search", force_encryption_with_cmek=True)
        ... )
    """
    return Operation(
        id="create_project",
        method="POST",
        path="/admin/projects",
        returns=Project,
        body=body,
        api_version=API_VERSION,
    )
