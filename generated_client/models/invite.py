# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Invite as the API document describes it."""

from __future__ import annotations

import datetime

from attrs import frozen

from ..models.invite_status import InviteStatus


@frozen(kw_only=True)
class Invite:
    """An invitation to join the organization. When it is accepted, a user with a new id takes over its
    role bindings, which keep their id and created_at.

    Attributes:
        id: The id of the invite.
        email: The mail address of the invited person.
        status: Pending while the invite can be accepted, expired once its 7 days are over, processed once
            it has been accepted.
        created_at: When the invite was created.
        expires_at: When the invite expires, 7 days after it was created or last resent. Can be null or absent.
        processed_at: When the invite was accepted. Null or absent until then.
    """

    id: str
    email: str
    status: InviteStatus
    created_at: datetime.datetime
    expires_at: datetime.datetime | None = None
    processed_at: datetime.datetime | None = None
