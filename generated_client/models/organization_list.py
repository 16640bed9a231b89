# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""OrganizationList as the API document describes it."""

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
class OrganizationList:
    """All organizations that the caller can see.

    Attributes:
        data: All organizations.
    """

    data: list[Organization]


def decode_organization_list(json: Any) -> OrganizationList:
    """Decode OrganizationList from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    model: OrganizationList = object.__new__(OrganizationList)
    set_data(model, read_field(fields, "data", list_of(decode_organization)))
    return model


(set_data,) = slot_setters(OrganizationList)
readers[OrganizationList] = decode_organization_list


# Imported below the class because models may refer to each other in a circle.
from ..models.organization import Organization, decode_organization
