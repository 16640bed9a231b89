# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ListApiKeysResponse as the API document describes it."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from ..types import (
    list_of,
    read_field,
    readers,
    refuse,
    slot_setters,
)


@frozen(kw_only=True)
class ListApiKeysResponse:
    """All API keys of a project.

    Attributes:
        data: All keys, without their values.
    """

    data: list[APIKey]


def decode_list_api_keys_response(json: Any) -> ListApiKeysResponse:
    """Decode ListApiKeysResponse from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    model: ListApiKeysResponse = object.__new__(ListApiKeysResponse)
    set_data(model, read_field(fields, "data", list_of(decode_api_key)))
    return model


(set_data,) = slot_setters(ListApiKeysResponse)
readers[ListApiKeysResponse] = decode_list_api_keys_response


# Imported below the class because models may refer to each other in a circle.
from ..models.api_key import APIKey, decode_api_key
