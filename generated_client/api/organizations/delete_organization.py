# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/organizations/{organization_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_organization(
    *,
    organization_id: str,
) -> Operation[None]:
    """Delete an organization.

    The organization must be on the Free plan, have the payment status Active and contain no
    projects. Otherwise the response is 412 FAILED_PRECONDITION. The organization is deleted at
    once, and a second request returns 404 NOT_FOUND.

    Args:
        organization_id: The id of the organization, a free string that can start with a hyphen.

    Example:
        >>> delete_organization(organization_id="-NharbourExampleOrg1")
    """
    return Operation(
        id="delete_organization",
        method="DELETE",
        path="/admin/organizations/{organization_id}",
        returns=None,
        path_parameters={
            "organization_id": organization_id,
        },
        api_version=API_VERSION,
    )
