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
    """Invite a person to the organization by mail.

    The invite is valid for 7 days. An address that belongs to a member or has a pending invite,
    whose id the error names, is refused with 409 ALREADY_EXISTS; roles without any organization
    role with 400 INVALID_ARGUMENT; a role that the caller does not hold with 403 PERMISSION_DENIED.
    More than 100 mails an hour for the organization, created and resent invites together, return
    429 RESOURCE_EXHAUSTED with Retry-After.

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
