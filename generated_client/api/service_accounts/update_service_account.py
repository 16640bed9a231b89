# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PATCH /admin/service-accounts/{service_account_id}"""

from __future__ import annotations

from ...models.service_account import ServiceAccount
from ...models.update_service_account_request import UpdateServiceAccountRequest
from ...types import API_VERSION, Operation


def update_service_account(
    *,
    service_account_id: str,
    body: UpdateServiceAccountRequest,
) -> Operation[ServiceAccount]:
    """Rename a service account.

    This changes only the name. Role bindings change the roles. A request without fields is
    accepted, and changes updated_at.

    Args:
        service_account_id: The id of the service account, not its client_id.
        body: The fields of a service account to change.

    Example:
        >>> update_service_account(
        ...     service_account_id="9e000000-0000-4000-8000-000000000001",
        ...     body=UpdateServiceAccountRequest(name="deploy-staging"),
        ... )
    """
    return Operation(
        id="update_service_account",
        method="PATCH",
        path="/admin/service-accounts/{service_account_id}",
        returns=ServiceAccount,
        path_parameters={
            "service_account_id": service_account_id,
        },
        body=body,
        api_version=API_VERSION,
    )
