"""What roles open: which of them reach every project, and what each lets its holder do in one.

From Pinecone's pages on organization roles, project roles and role-based access: an organization owner is an owner of
every project, other organization roles open none; a project manager builds and queries without managing members or
keys; a project member sees the settings and needs another role for the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from generated_client.models import PrincipalType, Project, RoleBinding, RoleName

Level: TypeAlias = Literal["owns", "writes", "reads", "unknown"]

LEVELS: Mapping[str, Level] = {
    "OrgOwner": "owns",
    "OrgManager": "writes",
    "OrgBillingAdmin": "writes",
    "OrgMember": "reads",
    "ProjectOwner": "owns",
    "ProjectManager": "writes",
    "ProjectEditor": "writes",
    "ControlPlaneEditor": "writes",
    "DataPlaneEditor": "writes",
    "ProjectViewer": "reads",
    "ProjectMember": "reads",
    "ControlPlaneViewer": "reads",
    "DataPlaneViewer": "reads",
}
"""What a role lets its holder do where it reaches; one that the API document does not list is unknown."""

ORGANIZATION_WRITERS = frozenset({"OrgOwner", "OrgManager", "OrgBillingAdmin"})
"""The roles that change the organization itself."""

SECRET_KEEPERS = frozenset({"OrgOwner", "OrgManager"})
"""The roles whose holders may have made service accounts, and so have seen secrets."""

_HIGHEST_FIRST = ("owns", "writes", "unknown", "reads")


def highest_level(roles: Iterable[str]) -> Level:
    """Tell the most that any of the roles lets its holder do."""
    levels = {LEVELS.get(role, "unknown") for role in roles}
    return next(each for each in _HIGHEST_FIRST if each in levels)


def roles_by_project(bindings: Iterable[RoleBinding], projects: Sequence[Project]) -> dict[str, list[RoleName]]:
    """Unite the roles of one principal by project, those that reach every project included."""
    reached: dict[str, list[RoleName]] = {}
    for binding in bindings:
        for project_id in _reached_projects(binding, projects):
            held = reached.setdefault(project_id, [])
            if binding.role not in held:
                held.append(binding.role)
    return reached


def _reached_projects(binding: RoleBinding, projects: Sequence[Project]) -> list[str]:
    if binding.resource_type == "project":
        return [binding.resource_id]
    return [project.id for project in projects] if binding.role == "OrgOwner" else []


def bindings_by_principal(bindings: Iterable[RoleBinding]) -> dict[tuple[PrincipalType, str], list[RoleBinding]]:
    """Group bindings by the kind and id of their principals."""
    held: dict[tuple[PrincipalType, str], list[RoleBinding]] = {}
    for binding in bindings:
        held.setdefault((binding.principal_type, binding.principal_id), []).append(binding)
    return held
