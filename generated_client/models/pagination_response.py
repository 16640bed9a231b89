# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PaginationResponse as the API document describes it."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from ..types import (
    readers,
    refuse,
    refuse_field,
    slot_setters,
)


@frozen(kw_only=True)
class PaginationResponse:
    """Where the next page of a list starts.

    Attributes:
        next_: The paginationToken of the next page, to be sent with the same filters and limit. Its
            content has no meaning to the caller.
    """

    next_: str | None = field(default=None, metadata={"name": "next"})


def decode_pagination_response(json: Any) -> PaginationResponse:
    """Decode PaginationResponse from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    get = fields.get
    model: PaginationResponse = object.__new__(PaginationResponse)
    set_next_(
        model, value if (value := get("next")) is None or type(value) is str else refuse_field(fields, "next", str)
    )
    return model


(set_next_,) = slot_setters(PaginationResponse)
readers[PaginationResponse] = decode_pagination_response
