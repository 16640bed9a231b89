# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""DELETE /admin/invites/{invite_id}"""

from __future__ import annotations

from ...types import API_VERSION, Operation


def delete_invite(
    *,
    invite_id: str,
) -> Operation[None]:
    """Withdraw a pending or expired invite.

    The server refuses to delete a processed invite with 409 ABORTED. The invite is deleted at once,
    and a second request returns 404 NOT_FOUND.

    Args:
        invite_id: The id of the invite.

    Example:
        >>> delete_invite(invite_id="9d000000-0000-4000-8000-000000000001")
    """
    return Operation(
        id="delete_invite",
        method="DELETE",
        path="/admin/invites/{invite_id}",
        returns=None,
        path_parameters={
            "invite_id": invite_id,
        },
        api_version=API_VERSION,
    )
