# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleBindingInput as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.resource_type import ResourceType
from ..models.role_name import RoleName
from ..types import (
    NO_EXTRA,
    as_extra_fields,
    hash_listed_fields,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class RoleBindingInput:
    """A role to grant to a principal that the same request creates.

    Attributes:
        resource_type: Whether the role is granted on the organization or on a project.
        role: The role to grant. A role that starts with Org is for the organization, any other
            is for a project. The server refuses a role for the other type, and a role that the
            caller does not have.
        resource_id: The id of the project, which is required for a project. For the
            organization, it can be omitted, or be the id of the organization.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> RoleBindingInput(
        ...     resource_type="project",
        ...     resource_id="9a000000-0000-4000-8000-000000000001",
        ...     role="ProjectEditor",
        ... )
    """

    resource_type: ResourceType
    """Whether the role is granted on the organization or on a project."""
    role: RoleName
    """The role to grant. A role that starts with Org is for the organization, any other is for a
    project. The server refuses a role for the other type, and a role that the caller does not have."""
    resource_id: str | None = None
    """The id of the project, which is required for a project. For the organization, it can be omitted,
    or be the id of the organization."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
