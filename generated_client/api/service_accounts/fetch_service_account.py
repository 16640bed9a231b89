# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/service-accounts/{service_account_id}"""

from __future__ import annotations

from ...models.service_account import ServiceAccount
from ...types import API_VERSION, Operation


def fetch_service_account(
    *,
    service_account_id: str,
) -> Operation[ServiceAccount]:
    """Fetch one service account.

    The response does not contain the client secret. An id outside the caller's organization returns
    404 NOT_FOUND.

    Args:
        service_account_id: The id of the service account, not its client_id.

    Example:
        >>> fetch_service_account(service_account_id="9e000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="fetch_service_account",
        method="GET",
        path="/admin/service-accounts/{service_account_id}",
        returns=ServiceAccount,
        path_parameters={
            "service_account_id": service_account_id,
        },
        api_version=API_VERSION,
    )
