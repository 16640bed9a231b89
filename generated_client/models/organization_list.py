# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""OrganizationList as the API document describes it."""

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
class OrganizationList:
    """All organizations that the caller can see.

    Attributes:
        data: All organizations.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    data: list[Organization]
    """All organizations."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_organization_list(json: Any) -> OrganizationList:
    """Decode OrganizationList from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.data = read_list_field(fields, "data", decode_organization)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 1 else fields
    draft.__class__ = OrganizationList
    model: OrganizationList = draft
    return model


_Draft = draft_class(OrganizationList, "extra")
readers[OrganizationList] = decode_organization_list


# Imported below the class because models may refer to each other in a circle.
from ..models.organization import Organization, decode_organization
