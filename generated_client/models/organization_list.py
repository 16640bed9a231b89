# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""OrganizationList as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class OrganizationList:
    """All organizations that the caller can see.

    Attributes:
        data: All organizations.
    """

    data: list[Organization]


# Imported below the class because models may refer to each other in a circle.
from ..models.organization import Organization
