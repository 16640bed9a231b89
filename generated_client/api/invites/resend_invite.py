# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""POST /admin/invites/{invite_id}/resend"""

from __future__ import annotations

from ...models.invite import Invite
from ...types import API_VERSION, Operation


def resend_invite(
    *,
    invite_id: str,
) -> Operation[Invite]:
    """Send an invite again and restart its 7 days.

    The invite becomes pending, even if it had expired, and its 7 days start again. The server
    refuses a processed invite with 409 ALREADY_EXISTS. After 100 emails of the organization within
    an hour, with created and resent invites, the response is 429 RESOURCE_EXHAUSTED with Retry-
    After.

    Args:
        invite_id: The id of the invite.

    Example:
        >>> resend_invite(invite_id="9d000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="resend_invite",
        method="POST",
        path="/admin/invites/{invite_id}/resend",
        returns=Invite,
        path_parameters={
            "invite_id": invite_id,
        },
        api_version=API_VERSION,
    )
