# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/service-accounts/{service_account_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_service_account(
    *,
    service_account_id: str,
) -> Operation[None]:
    """Delete a service account and revoke its tokens.

    The service account is deleted at once, and a second request returns 404 NOT_FOUND. Its access
    tokens stop working within seconds.

    Args:
        service_account_id: The id of the service account, not its client_id.

    Example:
        >>> delete_service_account(service_account_id="9e000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="delete_service_account",
        method="DELETE",
        path="/admin/service-accounts/{service_account_id}",
        returns=None,
        path_parameters={
            "service_account_id": service_account_id,
        },
        api_version=API_VERSION,
    )
