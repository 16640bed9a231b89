# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ListApiKeysResponse as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    hash_listed_fields,
    read_list_field,
    readers,
    refuse,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class ListApiKeysResponse:
    """All API keys of a project.

    Attributes:
        data: All keys, without their values.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    data: list[APIKey]
    """All keys, without their values."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_list_api_keys_response(json: Any) -> ListApiKeysResponse:
    """Decode ListApiKeysResponse from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.data = read_list_field(fields, "data", decode_api_key)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 1 else fields
    draft.__class__ = ListApiKeysResponse
    model: ListApiKeysResponse = draft
    return model


_Draft = draft_class(ListApiKeysResponse, "extra")
readers[ListApiKeysResponse] = decode_list_api_keys_response


# Imported below the class because models may refer to each other in a circle.
from ..models.api_key import APIKey, decode_api_key
