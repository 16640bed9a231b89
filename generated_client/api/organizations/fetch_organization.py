# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/organizations/{organization_id}"""

from __future__ import annotations

from ...models.organization import Organization
from ...types import API_VERSION, Operation


def fetch_organization(
    *,
    organization_id: str,
) -> Operation[Organization]:
    """Fetch one organization.

    An id that the caller cannot see returns 404 NOT_FOUND.

    Args:
        organization_id: The id of the organization, a free string that can start with a hyphen.

    Example:
        >>> fetch_organization(organization_id="-NharbourExampleOrg1")
    """
    return Operation(
        id="fetch_organization",
        method="GET",
        path="/admin/organizations/{organization_id}",
        returns=Organization,
        path_parameters={
            "organization_id": organization_id,
        },
        api_version=API_VERSION,
    )
