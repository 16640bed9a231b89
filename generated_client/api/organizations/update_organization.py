# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PATCH /admin/organizations/{organization_id}"""

from __future__ import annotations

from ...models.organization import Organization
from ...models.update_organization_request import UpdateOrganizationRequest
from ...types import API_VERSION, Operation


def update_organization(
    *,
    organization_id: str,
    body: UpdateOrganizationRequest,
) -> Operation[Organization]:
    """Rename an organization.

    Only the name can be changed here. A name that is empty or longer than 512 characters is refused
    with 400 INVALID_ARGUMENT.

    Args:
        organization_id: The id of the organization, a free string that can start with a hyphen.
        body: The fields of an organization to change.

    Example:
        >>> update_organization(
        ...     organization_id="-NharbourExampleOrg1",
        ...     body=UpdateOrganizationRequest(name="Harbour Research"),
        ... )
    """
    return Operation(
        id="update_organization",
        method="PATCH",
        path="/admin/organizations/{organization_id}",
        returns=Organization,
        path_parameters={
            "organization_id": organization_id,
        },
        body=body,
        api_version=API_VERSION,
    )
