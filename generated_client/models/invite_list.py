# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""InviteList as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class InviteList:
    """One page of pending and expired invites.

    Attributes:
        data: The invites on this page.
        pagination: Where the next page starts. Null or absent on the last page.
    """

    data: list[Invite]
    pagination: PaginationResponse | None = None


# Imported below the class because models may refer to each other in a circle.
from ..models.invite import Invite
from ..models.pagination_response import PaginationResponse
