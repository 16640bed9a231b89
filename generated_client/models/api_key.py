# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""APIKey as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.api_key_role import APIKeyRole
from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    from_iso_8601,
    hash_listed_fields,
    read_date_time,
    read_list_field,
    read_optional_field,
    read_string,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class APIKey:
    """An API key without its value. It has no dates of expiry or last use.

    Attributes:
        id: The id of the key, not its value.
            Example: "9b000000-0000-4000-8000-000000000001"
        name: The name of the key. It is not unique.
            Example: "indexer"
        project_id: The id of the project that the key belongs to.
            Example: "9a000000-0000-4000-8000-000000000001"
        roles: The roles of the key, all on its own project.
            Example: ["DataPlaneEditor"]
        created_at: When the key was created. The API document does not list this field, so a
            response need not have it.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the key, not its value."""
    name: str
    """The name of the key. It is not unique."""
    project_id: str
    """The id of the project that the key belongs to."""
    roles: list[APIKeyRole]
    """The roles of the key, all on its own project."""
    created_at: datetime.datetime | None = None
    """When the key was created. The API document does not list this field, so a response need not have
    it."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_api_key(json: Any) -> APIKey:
    """Decode APIKey from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.name = value if type(value := fields["name"]) is str else refuse_field(fields, "name", str)
        draft.project_id = (
            value if type(value := fields["project_id"]) is str else refuse_field(fields, "project_id", str)
        )
        draft.roles = read_list_field(fields, "roles", read_string)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    try:
        draft.created_at = (
            None
            if (value := fields.get("created_at")) is None
            else from_iso_8601(value)
            if value[-1] == "Z"
            else from_iso_8601(value + "T00Z")
            if len(value) == 10
            else read_date_time(value)
        )
    except (LookupError, Misfit, TypeError, ValueError):
        draft.created_at = read_optional_field(fields, "created_at", read_date_time)
    draft.extra = NO_EXTRA if len(fields) == 4 + ("created_at" in fields) else fields
    draft.__class__ = APIKey
    model: APIKey = draft
    return model


_Draft = draft_class(APIKey, "extra")
readers[APIKey] = decode_api_key
