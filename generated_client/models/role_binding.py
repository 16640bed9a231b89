# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleBinding as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.principal_type import PrincipalType
from ..models.resource_type import ResourceType
from ..models.role_name import RoleName
from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    from_iso_8601,
    hash_listed_fields,
    read_date_time,
    read_field,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class RoleBinding:
    """One role of one principal on one organization or project. It never changes, with one exception:
    after acceptance of an invite, the user is its principal.

    Attributes:
        id: The id of the role binding.
            Example: "9f000000-0000-4000-8000-000000000001"
        principal_type: The kind of principal that has the role.
            Example: "user"
        principal_id: The id of the user, service account, API key or invite that has the role.
            Example: "9c000000-0000-4000-8000-000000000002"
        resource_type: Whether the role is on an organization or on a project.
            Example: "project"
        resource_id: The id of the organization or project of the role.
            Example: "9a000000-0000-4000-8000-000000000001"
        role: The role. A role that starts with Org is on an organization, any other is on a
            project.
            Example: "ProjectEditor"
        created_at: When the role binding was created.
            Example: datetime.fromisoformat("2026-05-06T07:30:00Z")
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the role binding."""
    principal_type: PrincipalType
    """The kind of principal that has the role."""
    principal_id: str
    """The id of the user, service account, API key or invite that has the role."""
    resource_type: ResourceType
    """Whether the role is on an organization or on a project."""
    resource_id: str
    """The id of the organization or project of the role."""
    role: RoleName
    """The role. A role that starts with Org is on an organization, any other is on a project."""
    created_at: datetime.datetime
    """When the role binding was created."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_role_binding(json: Any) -> RoleBinding:
    """Decode RoleBinding from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.principal_type = (
            value if type(value := fields["principal_type"]) is str else refuse_field(fields, "principal_type", str)
        )
        draft.principal_id = (
            value if type(value := fields["principal_id"]) is str else refuse_field(fields, "principal_id", str)
        )
        draft.resource_type = (
            value if type(value := fields["resource_type"]) is str else refuse_field(fields, "resource_type", str)
        )
        draft.resource_id = (
            value if type(value := fields["resource_id"]) is str else refuse_field(fields, "resource_id", str)
        )
        draft.role = value if type(value := fields["role"]) is str else refuse_field(fields, "role", str)
        try:
            draft.created_at = (
                from_iso_8601(value)
                if (value := fields["created_at"])[-1] == "Z"
                else from_iso_8601(value + "T00Z")
                if len(value) == 10
                else read_date_time(value)
            )
        except (LookupError, Misfit, TypeError, ValueError):
            draft.created_at = read_field(fields, "created_at", read_date_time)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 7 else fields
    draft.__class__ = RoleBinding
    model: RoleBinding = draft
    return model


_Draft = draft_class(RoleBinding, "extra")
readers[RoleBinding] = decode_role_binding
