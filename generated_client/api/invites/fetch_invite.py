# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""GET /admin/invites/{invite_id}"""

from __future__ import annotations

from ...models.invite import Invite
from ...types import API_VERSION, Operation


def fetch_invite(
    *,
    invite_id: str,
) -> Operation[Invite]:
    """Fetch one invite, whatever its status.

    An id outside the caller's organization returns 404 NOT_FOUND.

    Args:
        invite_id: The id of the invite.

    Example:
        >>> fetch_invite(invite_id="9d000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="fetch_invite",
        method="GET",
        path="/admin/invites/{invite_id}",
        returns=Invite,
        path_parameters={
            "invite_id": invite_id,
        },
        api_version=API_VERSION,
    )
