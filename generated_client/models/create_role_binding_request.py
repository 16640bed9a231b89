# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateRoleBindingRequest as the API document describes it."""

from __future__ import annotations

from attrs import frozen

from ..models.principal_type import PrincipalType
from ..models.resource_type import ResourceType
from ..models.role_name import RoleName


@frozen(kw_only=True)
class CreateRoleBindingRequest:
    """The role to give, to whom and on what.

    Attributes:
        principal_type: What kind of principal gets the role.
        principal_id: The id of the user, service account, API key or invite that gets the role. A user has to be
            a member already; a processed invite is refused with 409 ALREADY_EXISTS.
        resource_type: Whether the role is given on the organization or on a project.
        role: The role to give: one that starts with Org on the organization, any other on a project; to
            an API key only one that ends with Editor or Viewer. A mismatch is refused with 400
            INVALID_ARGUMENT, a role that the caller does not hold with 403 PERMISSION_DENIED.
        resource_id: The id of the project, for an API key its own; a project without it is refused with 400
            INVALID_ARGUMENT. For the organization it can be left out or be the id of the organization.
    """

    principal_type: PrincipalType
    principal_id: str
    resource_type: ResourceType
    role: RoleName
    resource_id: str | None = None
