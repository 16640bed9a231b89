# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""OrganizationRoleName: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

OrganizationRoleName: TypeAlias = (
    Literal[
        "OrgBillingAdmin",
        "OrgManager",
        "OrgMember",
        "OrgOwner",
    ]
    | Unlisted
)
"""A role on the organization."""
