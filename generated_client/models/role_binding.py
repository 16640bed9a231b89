# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleBinding as the API document describes it."""

from __future__ import annotations

import datetime

from attrs import frozen

from ..models.principal_type import PrincipalType
from ..models.resource_type import ResourceType
from ..models.role_name import RoleName


@frozen(kw_only=True)
class RoleBinding:
    """One role of one principal on one organization or project. It never changes, except that the user
    replaces an accepted invite as its principal.

    Attributes:
        id: The id of the role binding.
        principal_type: The kind of principal that holds the role.
        principal_id: The id of the user, service account, API key or invite that holds the role.
        resource_type: Whether the role is held on an organization or on a project.
        resource_id: The id of the organization or project that the role is held on.
        role: The role. A role that starts with Org is held on an organization, any other on a project.
        created_at: When the role binding was created.
    """

    id: str
    principal_type: PrincipalType
    principal_id: str
    resource_type: ResourceType
    resource_id: str
    role: RoleName
    created_at: datetime.datetime
