# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""OrganizationPlan: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

OrganizationPlan: TypeAlias = (
    Literal[
        "Dedicated",
        "Enterprise",
        "Free",
        "Standard",
    ]
    | Unlisted
)
"""The plan of the organization. It decides on the quotas, and on the roles that exist."""
