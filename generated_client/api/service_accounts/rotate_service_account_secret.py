# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/service-accounts/{service_account_id}/rotate-secret"""

from __future__ import annotations

from ...models.service_account_with_secret import ServiceAccountWithSecret
from ...types import API_VERSION, Operation


def rotate_service_account_secret(
    *,
    service_account_id: str,
) -> Operation[ServiceAccountWithSecret]:
    """Replace the client secret of a service account.

    The response contains the new secret, which is shown only once. The old secret stops working
    within seconds, so do not rely on an overlap. A second request replaces the secret of the first
    one. Access tokens from the old secret can stop working within seconds, or work until they
    expire.

    Args:
        service_account_id: The id of the service account, not its client_id.

    Example:
        >>> rotate_service_account_secret(
        ...     service_account_id="9e000000-0000-4000-8000-000000000001"
        ... )
    """
    return Operation(
        id="rotate_service_account_secret",
        method="POST",
        path="/admin/service-accounts/{service_account_id}/rotate-secret",
        returns=ServiceAccountWithSecret,
        path_parameters={
            "service_account_id": service_account_id,
        },
        api_version=API_VERSION,
    )
