# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Project as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    from_iso_8601,
    hash_listed_fields,
    read_date_time,
    read_optional_field,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class Project:
    """A project of the organization.

    Attributes:
        id: The id of the project.
            Example: "9a000000-0000-4000-8000-000000000001"
        name: The name of the project, 1 to 512 characters. It is not unique.
            Example: "search"
        max_pods: The maximum number of pods that the project may use.
            Example: 0
        force_encryption_with_cmek: Whether a customer-managed encryption key (CMEK) is
            required. Once it is true, it stays true.
            Example: True
        organization_id: The id of the organization that owns the project.
            Example: "-NharbourExampleOrg1"
        created_at: When the project was created. It can be absent.
            Example: datetime.fromisoformat("2026-02-02T09:00:00Z")
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the project."""
    name: str = field(metadata={"minLength": 1, "maxLength": 512})
    """The name of the project, 1 to 512 characters. It is not unique."""
    max_pods: int
    """The maximum number of pods that the project may use."""
    force_encryption_with_cmek: bool
    """Whether a customer-managed encryption key (CMEK) is required. Once it is true, it stays true."""
    organization_id: str
    """The id of the organization that owns the project."""
    created_at: datetime.datetime | None = None
    """When the project was created. It can be absent."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_project(json: Any) -> Project:
    """Decode Project from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.name = value if type(value := fields["name"]) is str else refuse_field(fields, "name", str)
        draft.max_pods = value if type(value := fields["max_pods"]) is int else refuse_field(fields, "max_pods", int)
        draft.force_encryption_with_cmek = (
            value
            if type(value := fields["force_encryption_with_cmek"]) is bool
            else refuse_field(fields, "force_encryption_with_cmek", bool)
        )
        draft.organization_id = (
            value if type(value := fields["organization_id"]) is str else refuse_field(fields, "organization_id", str)
        )
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
    draft.extra = NO_EXTRA if len(fields) == 5 + ("created_at" in fields) else fields
    draft.__class__ = Project
    model: Project = draft
    return model


_Draft = draft_class(Project, "extra")
readers[Project] = decode_project
