# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""APIKeyWithSecret as the API document describes it."""

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
    masked,
    read_field,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class APIKeyWithSecret:
    """A new API key together with its value.

    Attributes:
        key: An API key without its value. It has no dates of expiry or last use.
        value: The secret for authentication, such as pcsk_label_unique. Only this response
            contains it, and it cannot be fetched again.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    key: APIKey
    """An API key without its value. It has no dates of expiry or last use."""
    value: str = field(
        repr=masked,
    )
    """The secret for authentication, such as pcsk_label_unique. Only this response contains it, and it
    cannot be fetched again."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_api_key_with_secret(json: Any) -> APIKeyWithSecret:
    """Decode APIKeyWithSecret from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.key = read_field(fields, "key", decode_api_key)
        draft.value = value if type(value := fields["value"]) is str else refuse_field(fields, "value", str)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 2 else fields
    draft.__class__ = APIKeyWithSecret
    model: APIKeyWithSecret = draft
    return model


_Draft = draft_class(APIKeyWithSecret, "extra")
readers[APIKeyWithSecret] = decode_api_key_with_secret


# Imported below the class because models may refer to each other in a circle.
from ..models.api_key import APIKey, decode_api_key
