# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""InviteList as the API document describes it."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from ..types import (
    list_of,
    read_field,
    read_optional_field,
    readers,
    refuse,
    slot_setters,
)


@frozen(kw_only=True)
class InviteList:
    """One page of pending and expired invites.

    Attributes:
        data: The invites on this page.
        pagination: Where the next page starts. Null or absent on the last page.
    """

    data: list[Invite]
    pagination: PaginationResponse | None = None


def decode_invite_list(json: Any) -> InviteList:
    """Decode InviteList from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    model: InviteList = object.__new__(InviteList)
    set_data(model, read_field(fields, "data", list_of(decode_invite)))
    set_pagination(model, read_optional_field(fields, "pagination", decode_pagination_response))
    return model


(
    set_data,
    set_pagination,
) = slot_setters(InviteList)
readers[InviteList] = decode_invite_list


# Imported below the class because models may refer to each other in a circle.
from ..models.invite import Invite, decode_invite
from ..models.pagination_response import PaginationResponse, decode_pagination_response
