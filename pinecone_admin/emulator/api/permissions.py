"""The permission matrix: which roles permit an operation, how far each reaches, and how well each cell is known.

Source: Pinecone's reference pages on organizations, projects and access, partly under the older role names Owner and
User. Where these pages are silent, a cell is assumed.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal, TypeAlias

from attrs import frozen

from pinecone_admin.emulator.model.records import Grant
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ORGANIZATION_ROLES, role_includes

Reach: TypeAlias = Literal["all", "below the owner", "own project", "itself", "none"]
"""What a role permits an operation on.

Below the owner: principals whose organization roles the caller holds and who own no project, so that no secret of a
more powerful account can be rotated. Own project: the project that the role is bound on. Itself: the caller.
"""

PERMISSION_MODES = ("published", "open")
"""Enforce the matrix, or only the rule that a principal cannot grant what it does not hold."""


@frozen
class Cell:
    """What one role permits.

    Args:
        reach: What the role permits the operation on.
        published: Whether Pinecone publishes it; otherwise it is assumed.
    """

    reach: Reach
    published: bool

    def covers(self, held: Grant, resource_id: str, involved: Iterable[Grant]) -> bool:
        """Return whether a grant of this role permits the operation on a resource that involves other grants."""
        if self.reach == "below the owner":
            return all(_is_below_owner(held, each) for each in involved)
        return self.reach == "all" or (self.reach == "own project" and held.resource_id == resource_id)


def _is_below_owner(held: Grant, involved: Grant) -> bool:
    if involved.resource_type == "project":
        return involved.role != "ProjectOwner"
    return role_includes(held.role, involved.role)


@frozen
class Permission:
    """A row of the matrix.

    Args:
        text: What the row permits, as the end of "the caller may not …".
        cells: The cell of each role.
    """

    text: str
    cells: Mapping[str, Cell]

    def permits(
        self, held: Iterable[Grant], *, resource_id: str = "", involved: Iterable[Grant] = (), oneself: bool = False
    ) -> bool:
        """Return whether the union of the held roles permits the operation.

        Args:
            held: The roles of the caller.
            resource_id: The id of the project that the operation is on.
            involved: The roles that the operation revokes, or those of the principal that it changes.
            oneself: Whether the operation is on the caller itself, which needs no role where the row permits that.
        """
        if oneself and any(cell.reach == "itself" for cell in self.cells.values()):
            return True
        return any(self.cells[each.role].covers(each, resource_id, involved) for each in held)


_ALL_P, _ALL_A = Cell("all", published=True), Cell("all", published=False)
_BELOW = Cell("below the owner", published=False)
_OWN_P, _OWN_A = Cell("own project", published=True), Cell("own project", published=False)
_SELF = Cell("itself", published=False)
_NO_P, _NO_A = Cell("none", published=True), Cell("none", published=False)


def _row(text: str, organization: tuple[Cell, ...], project: tuple[Cell, ...]) -> Permission:
    """Return a row, from the cells of the organization roles, and of ProjectOwner, Manager, Member and the others."""
    roles = (*ORGANIZATION_ROLES, "ProjectOwner", "ProjectManager", "ProjectMember", *API_KEY_ROLES)
    cells = chain(organization, project[:3], [project[3]] * len(API_KEY_ROLES))
    return Permission(text, dict(zip(roles, cells, strict=True)))


# The columns are OrgOwner, OrgManager, OrgMember, OrgBillingAdmin; ProjectOwner, ProjectManager, ProjectMember, others.
PERMISSIONS = {
    "read-organization": _row("see the organization", (_ALL_P, _ALL_P, _ALL_P, _ALL_P), (_NO_P, _NO_P, _NO_P, _NO_P)),
    "update-organization": _row(
        "update the organization", (_ALL_P, _ALL_A, _NO_P, _NO_A), (_NO_P, _NO_P, _NO_P, _NO_P)
    ),
    "delete-organization": _row("delete the organization", (_ALL_P, _NO_A, _NO_P, _NO_A), (_NO_P, _NO_P, _NO_P, _NO_P)),
    "read-principals": _row(
        "see users, invites and service accounts", (_ALL_P, _ALL_A, _ALL_A, _ALL_A), (_NO_A, _NO_A, _NO_A, _NO_A)
    ),
    "manage-members": _row("change users and invites", (_ALL_P, _BELOW, _NO_P, _NO_P), (_NO_P, _NO_P, _NO_P, _NO_P)),
    "manage-service-accounts": _row(
        "change service accounts", (_ALL_P, _BELOW, _NO_P, _NO_A), (_NO_P, _NO_P, _NO_P, _NO_P)
    ),
    "rotate-own-secret": _row("rotate its own secret", (_SELF, _SELF, _SELF, _SELF), (_SELF, _SELF, _SELF, _SELF)),
    "bind-on-organization": _row(
        "bind roles on the organization", (_ALL_P, _BELOW, _NO_P, _NO_P), (_NO_P, _NO_P, _NO_P, _NO_P)
    ),
    "create-project": _row("create projects", (_ALL_P, _ALL_A, _ALL_P, _NO_A), (_NO_A, _NO_A, _NO_A, _NO_A)),
    "read-projects": _row("see the project", (_ALL_P, _NO_P, _NO_P, _NO_P), (_OWN_P, _OWN_P, _OWN_P, _OWN_P)),
    "manage-projects": _row(
        "update or delete the project", (_ALL_P, _NO_P, _NO_P, _NO_P), (_OWN_P, _NO_P, _NO_P, _NO_P)
    ),
    "bind-on-project": _row("bind roles on the project", (_ALL_P, _NO_P, _NO_P, _NO_P), (_OWN_P, _NO_P, _NO_P, _NO_P)),
    "read-api-keys": _row("see the project's API keys", (_ALL_P, _NO_P, _NO_P, _NO_P), (_OWN_P, _OWN_P, _OWN_A, _NO_A)),
    "manage-api-keys": _row(
        "change the project's API keys", (_ALL_P, _NO_P, _NO_P, _NO_P), (_OWN_P, _NO_P, _NO_P, _NO_P)
    ),
    "read-role-bindings": _row("see the role binding", (_ALL_P, _ALL_A, _SELF, _ALL_A), (_OWN_A, _OWN_A, _SELF, _SELF)),
}
"""The rows by name, which are also the names of their rules."""
