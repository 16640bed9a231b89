# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Project as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    as_extra_fields,
    find_extra_fields,
    read_date_time,
    read_optional_field,
    readers,
    refuse,
    refuse_field,
    represent,
    slot_setters,
)


@frozen(kw_only=True, repr=False)
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
            required. Once true, it stays true.
            Example: True
        organization_id: The id of the organization that owns the project.
            Example: "-NharbourExampleOrg1"
        created_at: When the project was created. It can be absent.
            Example: datetime.fromisoformat("2026-02-02T09:00:00Z")
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    name: str = field(metadata={"minLength": 1, "maxLength": 512})
    max_pods: int
    force_encryption_with_cmek: bool
    organization_id: str
    created_at: datetime.datetime | None = None
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)

    __repr__ = represent


def decode_project(json: Any) -> Project:
    """Decode Project from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    get = fields.get
    model: Project = object.__new__(Project)
    set_id(model, value if type(value := get("id")) is str else refuse_field(fields, "id", str))
    set_name(model, value if type(value := get("name")) is str else refuse_field(fields, "name", str))
    set_max_pods(model, value if type(value := get("max_pods")) is int else refuse_field(fields, "max_pods", int))
    set_force_encryption_with_cmek(
        model,
        value
        if type(value := get("force_encryption_with_cmek")) is bool
        else refuse_field(fields, "force_encryption_with_cmek", bool),
    )
    set_organization_id(
        model, value if type(value := get("organization_id")) is str else refuse_field(fields, "organization_id", str)
    )
    set_created_at(model, read_optional_field(fields, "created_at", read_date_time))
    set_extra(model, NO_EXTRA if len(fields) == 5 + ("created_at" in fields) else find_extra_fields(Project, fields))
    return model


set_id, set_name, set_max_pods, set_force_encryption_with_cmek, set_organization_id, set_created_at, set_extra = (
    slot_setters(Project)
)
readers[Project] = decode_project
