# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PaginationResponse as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    as_extra_fields,
    draft_class,
    hash_listed_fields,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class PaginationResponse:
    """Where the next page of a list starts.

    Attributes:
        next_: The paginationToken of the next page, to be sent with the same filters and limit.
            Its content has no meaning to the caller.
            Example: "example-token-of-the-next-page"
        extra: Fields that the API document does not list, by their names in JSON.
    """

    next_: str | None = field(default=None, metadata={"name": "next"})
    """The paginationToken of the next page, to be sent with the same filters and limit. Its content
    has no meaning to the caller."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_pagination_response(json: Any) -> PaginationResponse:
    """Decode PaginationResponse from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    draft.next_ = (
        value if (value := fields.get("next")) is None or type(value) is str else refuse_field(fields, "next", str)
    )
    draft.extra = NO_EXTRA if len(fields) == 0 + ("next" in fields) else fields
    draft.__class__ = PaginationResponse
    model: PaginationResponse = draft
    return model


_Draft = draft_class(PaginationResponse, "extra")
readers[PaginationResponse] = decode_pagination_response
