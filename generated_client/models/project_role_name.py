# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ProjectRoleName: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

ProjectRoleName: TypeAlias = (
    Literal[
        "ControlPlaneEditor",
        "ControlPlaneViewer",
        "DataPlaneEditor",
        "DataPlaneViewer",
        "ProjectEditor",
        "ProjectManager",
        "ProjectMember",
        "ProjectOwner",
        "ProjectViewer",
    ]
    | Unlisted
)
"""A role on a project."""
