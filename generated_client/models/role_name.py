# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleName: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

RoleName: TypeAlias = (
    Literal[
        "ControlPlaneEditor",
        "ControlPlaneViewer",
        "DataPlaneEditor",
        "DataPlaneViewer",
        "OrgBillingAdmin",
        "OrgManager",
        "OrgMember",
        "OrgOwner",
        "ProjectEditor",
        "ProjectManager",
        "ProjectMember",
        "ProjectOwner",
        "ProjectViewer",
    ]
    | Unlisted
)
"""The role. A role that starts with Org is on an organization, any other is on a project."""
