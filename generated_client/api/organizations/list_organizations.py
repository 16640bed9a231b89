# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/organizations"""

from __future__ import annotations

from ...models.organization_list import OrganizationList
from ...types import API_VERSION, Operation


def list_organizations() -> Operation[OrganizationList]:
    """List the organizations that the caller can see.

    The list is complete, and has no pages.
    """
    return Operation(
        id="list_organizations",
        method="GET",
        path="/admin/organizations",
        returns=OrganizationList,
        api_version=API_VERSION,
    )
