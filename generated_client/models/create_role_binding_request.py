# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateRoleBindingRequest as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.principal_type import PrincipalType
from ..models.resource_type import ResourceType
from ..models.role_name import RoleName
from ..types import (
    NO_EXTRA,
    as_extra_fields,
    hash_listed_fields,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class CreateRoleBindingRequest:
    """The role to grant, with its principal and its resource.

    Attributes:
        principal_type: The kind of principal that gets the role.
        principal_id: The id of the user, service account, API key or invite that gets the role.
            A user must already be a member. The server refuses a processed invite with 409
            ALREADY_EXISTS.
        resource_type: Whether the role is granted on the organization or on a project.
        role: The role to grant. A role that starts with Org is for the organization, any other
            is for a project. An API key can get only roles that end with Editor or Viewer. The
            server refuses other roles, and roles that the caller does not have, with 403
            PERMISSION_DENIED.
        resource_id: The id of the project. For an API key, it must be the project of the key.
            If it is missing for a project, the response is 400 INVALID_ARGUMENT. For the
            organization, it can be omitted, or be the id of the organization.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> CreateRoleBindingRequest(
        ...     principal_type="user",
        ...     principal_id="9c000000-0000-4000-8000-000000000002",
        ...     resource_type="project",
        ...     resource_id="9a000000-0000-4000-8000-000000000001",
        ...     role="ProjectEditor",
        ... )
    """

    principal_type: PrincipalType
    """The kind of principal that gets the role."""
    principal_id: str
    """The id of the user, service account, API key or invite that gets the role. A user must already
    be a member. The server refuses a processed invite with 409 ALREADY_EXISTS."""
    resource_type: ResourceType
    """Whether the role is granted on the organization or on a project."""
    role: RoleName
    """The role to grant. A role that starts with Org is for the organization, any other is for a
    project. An API key can get only roles that end with Editor or Viewer. The server refuses other
    roles, and roles that the caller does not have, with 403 PERMISSION_DENIED."""
    resource_id: str | None = None
    """The id of the project. For an API key, it must be the project of the key. If it is missing for a
    project, the response is 400 INVALID_ARGUMENT. For the organization, it can be omitted, or be
    the id of the organization."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
