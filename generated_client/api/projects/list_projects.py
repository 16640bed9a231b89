# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/projects"""

from __future__ import annotations

from ...models.project_list import ProjectList
from ...types import API_VERSION, Operation


def list_projects() -> Operation[ProjectList]:
    """List the projects of the organization.

    The list is complete, and has no pages. Several projects can have the same name.
    """
    return Operation(
        id="list_projects",
        method="GET",
        path="/admin/projects",
        returns=ProjectList,
        api_version=API_VERSION,
    )
