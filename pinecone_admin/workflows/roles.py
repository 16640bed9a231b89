"""The access that a role gives to projects, with its level, and the names of roles in a file.

Source: Pinecone's pages on organization roles, project roles and role-based access. An organization owner owns every
project; other organization roles give access to none, and of these only a manager changes something: it creates
projects. A project manager creates and queries, but manages neither members nor keys. A project member sees the
settings, and needs another role to read data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from generated_client.models import APIKey, PrincipalType, Project, RoleBinding, RoleName
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin.workflows.changes import Ref

PLACES = ("organization", "project")
"""The types of resources on which workflows give, take and compare roles."""

Level: TypeAlias = Literal["owns", "writes", "reads", "unknown"]

LEVELS: Mapping[str, Level] = {
    "OrgOwner": "owns",
    "OrgManager": "writes",
    "OrgBillingAdmin": "reads",
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
"""Access level of each role; a role that the API document does not list is unknown."""

# An unknown role counts above "reads": it could permit writing.
_HIGHEST_FIRST = ("owns", "writes", "unknown", "reads")


def highest_level(roles: Iterable[str]) -> Level:
    """Return the highest access level of any of the roles."""
    levels = {LEVELS.get(role, "unknown") for role in roles}
    return next(each for each in _HIGHEST_FIRST if each in levels)


def is_on_known_place(binding: RoleBinding) -> bool:
    """Return whether a role is on the organization or on a project.

    A newer API may have other resource types. No file and no change names them: workflows leave such roles alone.
    """
    return binding.resource_type in PLACES


def describe_roles_elsewhere(bindings: Iterable[RoleBinding]) -> list[str]:
    """Return the roles of one principal that are on other resources."""
    elsewhere = [each for each in bindings if not is_on_known_place(each)]
    return sorted(f"{each.role} on {each.resource_type} {each.resource_id}" for each in elsewhere)


def find_owner_ids(bindings: Iterable[RoleBinding]) -> list[str]:
    """Return the ids of the users who own the organization.

    The server keeps one user as owner: service accounts and invites that own the organization do not count.
    """
    found = (binding.principal_id for binding in bindings if binding.principal_type == "user" and is_ownership(binding))
    return list(dict.fromkeys(found))


def is_ownership(binding: RoleBinding) -> bool:
    """Return whether a role owns the organization."""
    return (binding.resource_type, binding.role) == ("organization", "OrgOwner")


def describe_lost_owners(owner_ids: Iterable[str], leaving: Iterable[Ref]) -> str | None:
    """Return why these users cannot all be removed, or None. At least one owner must remain."""
    owners = {*owner_ids}
    last = {each.id: str(each) for each in leaving if each.id in owners}
    if not last or last.keys() != owners:
        return None
    if len(last) == 1:
        who = f"{', '.join(last.values())} is the last user who is an OrgOwner"
    else:
        who = f"{', '.join(last.values())} are the last users who are OrgOwners"
    return f"{who}: make another user an OrgOwner first"


def roles_by_project(bindings: Iterable[RoleBinding], projects: Sequence[Project]) -> dict[str, list[RoleName]]:
    """Return the effective roles of one principal by project id, including roles that apply to every project."""
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
    return [project.id for project in projects] if is_ownership(binding) else []


def bindings_by_principal(bindings: Iterable[RoleBinding]) -> dict[tuple[PrincipalType, str], list[RoleBinding]]:
    """Group bindings by the type and id of their principals."""
    held: dict[tuple[PrincipalType, str], list[RoleBinding]] = {}
    for binding in bindings:
        held.setdefault((binding.principal_type, binding.principal_id), []).append(binding)
    return held


def date_keys_by_bindings(bindings: Iterable[RoleBinding]) -> dict[str, datetime]:
    """Return when the oldest role binding of each API key was created, by the id of the key.

    A change of its roles may replace the bindings of a key, so that it may be older.
    """
    return {
        id: min(each.created_at for each in held)
        for (kind, id), held in bindings_by_principal(bindings).items()
        if kind == "api_key"
    }


def find_key_date(key: APIKey, oldest_bindings: Mapping[str, datetime]) -> datetime | None:
    """Return when a key was created, or else when its oldest role binding was; None if neither can be right."""
    return plausible_date(key.created_at) or plausible_date(oldest_bindings.get(key.id))


class RoleProject(NamedTuple):
    """A project, as roles in a file name it.

    Attributes:
        text: Its name, or its id if others have the name.
        name: Its name.
        id: Its id; None if the plan creates it.
    """

    text: str
    name: str
    id: str | None


def index_projects(projects: Iterable[tuple[str, str | None]]) -> dict[str, RoleProject]:
    """Return projects, given by name and id, by what names them in a role: their id, and their name if it is unique."""
    known = list(projects)
    counts = Counter(name for name, _ in known)
    places: dict[str, RoleProject] = {}
    for name, id in known:
        place = RoleProject(name if counts[name] == 1 or id is None else id, name, id)
        places |= {place.text: place, id or place.text: place}
    return places


def format_role(binding: RoleBinding, places: Mapping[str, RoleProject]) -> str:
    """Return a role as the file has it: ``ROLE`` on the organization, or ``PROJECT:ROLE``."""
    if binding.resource_type != "project":
        return binding.role
    place = places.get(binding.resource_id)
    return f"{binding.resource_id if place is None else place.text}:{binding.role}"
