# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/invites"""

from __future__ import annotations

from ...models.create_invite_request import CreateInviteRequest
from ...models.invite import Invite
from ...types import API_VERSION, Operation


def create_invite(
    *,
    body: CreateInviteRequest,
) -> Operation[Invite]:
    """Invite a person to the organization by email.

    The invite is valid for 7 days. If a member has the address, or there is a pending or expired
    invite for it, the server refuses the request with 409 ALREADY_EXISTS, and names the invite. At
    least one role must be on the organization. Otherwise the response is 400 INVALID_ARGUMENT. A
    role that the caller does not have is refused with 403 PERMISSION_DENIED. After 100 emails of
    the organization within an hour, with created and resent invites, the response is 429
    RESOURCE_EXHAUSTED with Retry-After.

    Args:
        body: The person to invite and the roles to grant on acceptance.

    Example:
        >>> create_invite(
        ...     body=CreateInviteRequest(
        ...         email="chi@harbour.example",
        ...         role_bindings=[
        ...             RoleBindingInput(resource_type="organization", role="OrgMember"),
        ...             RoleBindingInput(
        ...                 resource_type="project",
        ...                 resource_id="9a000000-0000-4000-8000-000000000001",
        ...                 role="ProjectViewer",
        ...             ),
        ...         ],
        ...     )
        ... )
    """
    return Operation(
        id="create_invite",
        method="POST",
        path="/admin/invites",
        returns=Invite,
        body=body,
        api_version=API_VERSION,
    )
