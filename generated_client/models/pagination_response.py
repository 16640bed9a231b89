# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PaginationResponse as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen


@frozen(kw_only=True)
class PaginationResponse:
    """Where the next page of a list starts.

    Attributes:
        next_: The paginationToken of the next page, to be sent with the same filters and limit. Its
            content has no meaning to the caller.
    """

    next_: str | None = field(default=None, metadata={"name": "next"})
