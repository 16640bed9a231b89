# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ProjectList as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ProjectList:
    """All projects of the organization.

    Attributes:
        data: All projects.
    """

    data: list[Project]


# Imported below the class because models may refer to each other in a circle.
from ..models.project import Project
