# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/service-accounts"""

from __future__ import annotations

from ...models.create_service_account_request import CreateServiceAccountRequest
from ...models.service_account_with_secret import ServiceAccountWithSecret
from ...types import API_VERSION, Operation


def create_service_account(
    *,
    body: CreateServiceAccountRequest,
) -> Operation[ServiceAccountWithSecret]:
    """Create a service account.

    The response contains the client secret, which is shown only once. Names are not unique, so a
    second request creates a second service account. On a plan without service accounts, the
    response is 403 FORBIDDEN. The server refuses a role that the plan does not include or that the
    caller does not have with 403 PERMISSION_DENIED.

    Args:
        body: The service account to create, and its roles.

    Example:
        >>> create_service_account(
        ...     body=CreateServiceAccountRequest(
        ...         name="deploy",
        ...         role_bindings=[
        ...             RoleBindingInput(
        ...                 resource_type="project",
        ...                 resource_id="9a000000-0000-4000-8000-000000000001",
        ...                 role="ProjectEditor",
        ...             )
        ...         ],
        ...     )
        ... )
    """
    return Operation(
        id="create_service_account",
        method="POST",
        path="/admin/service-accounts",
        returns=ServiceAccountWithSecret,
        body=body,
        api_version=API_VERSION,
    )
