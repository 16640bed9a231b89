# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ProjectList as the API document describes it."""

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
class ProjectList:
    """All projects of the organization.

    Attributes:
        data: All projects.
    """

    data: list[Project]


def decode_project_list(json: Any) -> ProjectList:
    """Decode ProjectList from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    model: ProjectList = object.__new__(ProjectList)
    set_data(model, read_field(fields, "data", list_of(decode_project)))
    return model


(set_data,) = slot_setters(ProjectList)
readers[ProjectList] = decode_project_list


# Imported below the class because models may refer to each other in a circle.
from ..models.project import Project, decode_project
