"""The permission matrix: which roles permit an operation, how far each reaches, and where Pinecone publishes the cell.

A cell is assumed where Pinecone's pages are silent. `preconditions` refuses by the matrix.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal, TypeAlias

from attrs import frozen

from pinecone_admin.emulator.model.records import Grant
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ORGANIZATION_ROLES

Reach: TypeAlias = Literal["all", "own project", "itself", "none"]
"""The resources where a role permits an operation.

"own project" is, for a project role, the project that it is bound on. For an organization role, it is each project
where the caller has a role. "itself" is the caller.
"""

PERMISSION_MODES = ("published", "open")
"""Enforce the matrix, or only the rule that a principal cannot grant what it does not hold."""


@frozen
class Cell:
    """The permission of one role.

    Args:
        reach: The resources where the role permits the operation.
        page: The page of Pinecone's documentation that publishes it; empty if it is assumed.
    """

    reach: Reach
    page: str = ""


@frozen
class Permission:
    """A row of the matrix.

    Args:
        text: The operation, as the end of "the caller may not …".
        cells: The cell of each role.
    """

    text: str
    cells: Mapping[str, Cell]

    def permits(self, held: Iterable[Grant], *, resource_id: str = "", oneself: bool = False) -> bool:
        """Return whether the union of the held roles permits the operation.

        Args:
            held: The roles of the caller.
            resource_id: The id of the project that the operation is on.
            oneself: Whether the operation is on the caller itself, which needs no role where the row permits that.
        """
        grants = list(held)
        on_project = [
            grant for grant in grants if grant.resource_type == "project" and grant.resource_id == resource_id
        ]
        counted = [*on_project, *(grant for grant in grants if grant.resource_type == "organization")]
        reaches = {self.cells[each.role].reach for each in counted}
        return (
            "all" in reaches
            or ("own project" in reaches and bool(on_project))
            or (oneself and any(cell.reach == "itself" for cell in self.cells.values()))
        )


_ORGANIZATIONS = "admin/organizations/organizations-overview"
_PROJECTS = "admin/projects/projects-overview"

_ALL, _NOBODY = Cell("all", _ORGANIZATIONS), Cell("none", _ORGANIZATIONS)
_OWN, _NO = Cell("own project", _PROJECTS), Cell("none", _PROJECTS)
_ALL_A, _OWN_A, _SELF_A, _NO_A = Cell("all"), Cell("own project"), Cell("itself"), Cell("none")


def _row(text: str, organization: tuple[Cell, ...], project: tuple[Cell, ...]) -> Permission:
    """Return a row, from the cells of the organization roles, and of ProjectOwner, Manager, Member and the others."""
    roles = (*ORGANIZATION_ROLES, "ProjectOwner", "ProjectManager", "ProjectMember", *API_KEY_ROLES)
    cells = chain(organization, project[:3], [project[3]] * len(API_KEY_ROLES))
    return Permission(text, dict(zip(roles, cells, strict=True)))


# The columns are OrgOwner, OrgManager, OrgMember, OrgBillingAdmin; ProjectOwner, ProjectManager, ProjectMember, others.
_OWNER_ONLY = (_ALL, _NOBODY, _NOBODY, _NOBODY)
_PROJECT_OWNER_ONLY = (_OWN, _NO, _NO, _NO)
_NO_PROJECT_ROLE, _NO_PROJECT_ROLE_A = (_NO,) * 4, (_NO_A,) * 4

PERMISSIONS = {
    "read-organization": _row("see the organization", (_ALL,) * 4, _NO_PROJECT_ROLE_A),
    "update-organization": _row("update the organization", _OWNER_ONLY, _NO_PROJECT_ROLE_A),
    "delete-organization": _row("delete the organization", _OWNER_ONLY, _NO_PROJECT_ROLE_A),
    "create-project": _row("create projects", (_ALL, _ALL, _NOBODY, _NOBODY), _NO_PROJECT_ROLE_A),
    "manage-members": _row("change users and invites", _OWNER_ONLY, _NO_PROJECT_ROLE),
    "bind-on-organization": _row("bind roles on the organization", _OWNER_ONLY, _NO_PROJECT_ROLE),
    "manage-service-accounts": _row("change service accounts", _OWNER_ONLY, _NO_PROJECT_ROLE),
    "read-principals": _row(
        "see users, invites and service accounts", (_ALL, _ALL_A, _ALL_A, _ALL_A), _NO_PROJECT_ROLE_A
    ),
    "rotate-own-secret": _row("rotate its own secret", (_SELF_A,) * 4, (_SELF_A,) * 4),
    "read-projects": _row("see the project", (_ALL, _OWN_A, _OWN_A, _OWN_A), (_OWN, _OWN, _OWN, _NO)),
    "manage-projects": _row("update or delete the project", _OWNER_ONLY, _PROJECT_OWNER_ONLY),
    "bind-on-project": _row("bind roles on the project", _OWNER_ONLY, _PROJECT_OWNER_ONLY),
    "read-api-keys": _row("see the project's API keys", _OWNER_ONLY, (_OWN, _OWN, _OWN, _NO)),
    "manage-api-keys": _row("change the project's API keys", _OWNER_ONLY, _PROJECT_OWNER_ONLY),
    "read-role-bindings": _row("see the role binding", (_ALL, _SELF_A, _SELF_A, _SELF_A), (_OWN, _OWN, _OWN, _SELF_A)),
}
"""The rows by name, which are also the names of their rules."""
