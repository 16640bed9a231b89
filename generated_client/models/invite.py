# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Invite as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.invite_status import InviteStatus
from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    from_iso_8601,
    hash_listed_fields,
    read_date_time,
    read_field,
    read_optional_field,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class Invite:
    """An invitation to join the organization. After acceptance, its role bindings belong to a user
    with a new id, and keep their id and created_at.

    Attributes:
        id: The id of the invite.
            Example: "9d000000-0000-4000-8000-000000000001"
        email: The email address of the invited person.
            Example: "chi@harbour.example"
        status: Pending while the invite can be accepted, expired after its 7 days, processed
            after acceptance.
            Example: "pending"
        created_at: When the invite was created.
            Example: datetime.fromisoformat("2026-06-10T10:00:00Z")
        expires_at: When the invite expires, 7 days after it was created or last resent. It can
            be null or absent.
            Example: datetime.fromisoformat("2026-06-17T10:00:00Z")
        processed_at: When the invite was accepted. It is null or absent until then.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the invite."""
    email: str = field(metadata={"format": "email"})
    """The email address of the invited person."""
    status: InviteStatus
    """Pending while the invite can be accepted, expired after its 7 days, processed after acceptance."""
    created_at: datetime.datetime
    """When the invite was created."""
    expires_at: datetime.datetime | None = None
    """When the invite expires, 7 days after it was created or last resent. It can be null or absent."""
    processed_at: datetime.datetime | None = None
    """When the invite was accepted. It is null or absent until then."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_invite(json: Any) -> Invite:
    """Decode Invite from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.email = value if type(value := fields["email"]) is str else refuse_field(fields, "email", str)
        draft.status = value if type(value := fields["status"]) is str else refuse_field(fields, "status", str)
        try:
            draft.created_at = (
                from_iso_8601(value)
                if (value := fields["created_at"])[-1] == "Z"
                else from_iso_8601(value + "T00Z")
                if len(value) == 10
                else read_date_time(value)
            )
        except (LookupError, Misfit, TypeError, ValueError):
            draft.created_at = read_field(fields, "created_at", read_date_time)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    try:
        draft.expires_at = (
            None
            if (value := fields.get("expires_at")) is None
            else from_iso_8601(value)
            if value[-1] == "Z"
            else from_iso_8601(value + "T00Z")
            if len(value) == 10
            else read_date_time(value)
        )
    except (LookupError, Misfit, TypeError, ValueError):
        draft.expires_at = read_optional_field(fields, "expires_at", read_date_time)
    try:
        draft.processed_at = (
            None
            if (value := fields.get("processed_at")) is None
            else from_iso_8601(value)
            if value[-1] == "Z"
            else from_iso_8601(value + "T00Z")
            if len(value) == 10
            else read_date_time(value)
        )
    except (LookupError, Misfit, TypeError, ValueError):
        draft.processed_at = read_optional_field(fields, "processed_at", read_date_time)
    draft.extra = NO_EXTRA if len(fields) == 4 + ("expires_at" in fields) + ("processed_at" in fields) else fields
    draft.__class__ = Invite
    model: Invite = draft
    return model


_Draft = draft_class(Invite, "extra")
readers[Invite] = decode_invite
