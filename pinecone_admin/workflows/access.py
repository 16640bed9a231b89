"""Who can do what in which project: the union of everybody's roles, and what in it deserves a look."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import asdict, evolve, field, fields, frozen

from generated_client.models import PrincipalType, RoleBinding, RoleName
from pinecone_admin._http.arguments import check_integer, check_seconds
from pinecone_admin.workflows.escaping import escape_csv, escape_markdown
from pinecone_admin.workflows.findings import (
    Finding,
    find_deleted_principals,
    find_editor_keys,
    find_many_owners,
    find_risky_service_accounts,
    find_stale_invites,
    list_unnamed_principals,
    report_unread_parts,
)
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.roles import Level, bindings_by_principal, highest_level, roles_by_project

NOTE = (
    "This shows what roles permit, as the Admin API tells it. It cannot see usage: neither whether anybody used an "
    "access, nor when a key or a secret was last used."
)


@frozen(kw_only=True)
class Holder:
    """A principal with everything it may do.

    Attributes:
        type: Kind of the principal; an invite is not accepted yet, and shows what the user will be able to do.
        id: Its id.
        name: Address of a user or an invite, name of anything else.
        organization_roles: Roles on the organization.
        roles: Effective roles by project id, those on the organization that reach it included.
    """

    type: PrincipalType
    id: str
    name: str
    organization_roles: list[RoleName] = field(factory=list[RoleName])
    roles: Mapping[str, list[RoleName]] = field(factory=dict[str, list[RoleName]])

    @property
    def is_owner(self) -> bool:
        """Whether it owns the organization, and so every project."""
        return "OrgOwner" in self.organization_roles


@frozen(kw_only=True)
class AccessRow:
    """What one principal may do in one place.

    Attributes:
        principal_type: Kind of the principal.
        principal_id: Its id.
        principal: Its address or name.
        project_id: Id of the project; empty for the organization itself.
        project: Name of the project; empty for the organization itself.
        level: ``"owns"``, ``"writes"``, ``"reads"``, or ``"unknown"`` for a role this package does not know.
        roles: The effective roles.
    """

    principal_type: PrincipalType
    principal_id: str
    principal: str
    project_id: str
    project: str
    level: Level
    roles: list[RoleName]


@frozen(kw_only=True)
class Access:
    """Who can do what, from one inventory. It cannot see usage.

    Attributes:
        taken_at: When the inventory was taken.
        organization: Name of the organization.
        projects: Names of the projects by their ids.
        holders: Everybody: users, pending invites, service accounts, API keys.
        findings: What deserves a look.
        unread: What could not be read, and is missing here.
    """

    taken_at: datetime
    organization: str
    projects: Mapping[str, str]
    holders: list[Holder]
    findings: list[Finding]
    unread: list[str]

    def rows(self) -> list[AccessRow]:
        """Give a row for each principal and place."""
        return [row for holder in self.holders for row in self._rows_of(holder)]

    def _rows_of(self, holder: Holder) -> list[AccessRow]:
        places = {"": holder.organization_roles, **holder.roles}
        return [
            AccessRow(
                principal_type=holder.type,
                principal_id=holder.id,
                principal=holder.name,
                project_id=place,
                project=self.projects.get(place, place),
                level=highest_level(roles),
                roles=list(roles),
            )
            for place, roles in places.items()
            if roles
        ]

    def to_csv(self) -> str:
        """Write the rows as CSV; what a spreadsheet would take for a formula gets an apostrophe in front."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(each.name for each in fields(AccessRow))
        for row in self.rows():
            values = {**asdict(row), "roles": " ".join(row.roles)}
            writer.writerow(escape_csv(value) for value in values.values())
        return text.getvalue()

    def to_json(self) -> str:
        """Write the rows and findings as JSON."""
        document = {
            "taken_at": self.taken_at.isoformat(),
            "organization": self.organization,
            "note": NOTE,
            "unread": self.unread,
            "findings": [asdict(finding) for finding in self.findings],
            "access": [asdict(row) for row in self.rows()],
        }
        return json.dumps(document, ensure_ascii=False, indent=2)

    def to_markdown(self) -> str:
        """Write findings and rows as Markdown."""
        lines = [
            f"# Access in {escape_markdown(self.organization)}",
            "",
            f"{self.taken_at:%Y-%m-%d %H:%M %Z}. {NOTE}",
            "",
        ]
        lines += ["## Findings", ""]
        lines += [f"- **{each.kind}:** {escape_markdown(each.text)}" for each in self.findings] or ["None."]
        lines += ["", "## Access", "", "| who | kind | where | level | roles |", "|---|---|---|---|---|"]
        for row in self.rows():
            cells = (row.principal, row.principal_type, row.project or "organization", row.level, ", ".join(row.roles))
            lines.append(f"| {' | '.join(map(escape_markdown, cells))} |")
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """Write a page of its own: findings, who can write where, and people by projects; it loads nothing."""
        from pinecone_admin.workflows.access_page import render_page  # noqa: PLC0415 - it builds on this module

        return render_page(self, note=NOTE)


def build_access(inventory: Inventory, *, max_owners: int, pending_days: float) -> Access:
    """Unite everybody's roles, and look for what deserves a look."""
    check_integer("max_owners", max_owners, least=1)
    check_seconds("pending_days", pending_days, allow_zero=True)
    held = bindings_by_principal(inventory.role_bindings)
    holders = [
        _build_holder(kind, id, name, held.get((kind, id), ()), inventory)
        for kind, id, name in _list_principals(inventory)
    ]
    roles_of_keys = {key.id: (key.project_id, key.roles) for key in inventory.api_keys}
    holders = [_add_key_roles(holder, roles_of_keys) for holder in holders]
    return Access(
        taken_at=inventory.taken_at,
        organization=", ".join(each.name for each in inventory.organizations) or "unknown",
        projects={project.id: project.name for project in inventory.projects},
        holders=holders,
        findings=[
            *report_unread_parts(inventory),
            *find_many_owners(
                [_display_owner(each) for each in holders if each.is_owner and each.type != "invite"], max_owners
            ),
            *find_stale_invites(inventory, timedelta(days=pending_days)),
            *find_risky_service_accounts(inventory),
            *find_editor_keys(inventory),
            *find_deleted_principals(inventory),
        ],
        unread=[str(each) for each in inventory.unread],
    )


def _display_owner(holder: Holder) -> str:
    return holder.name if holder.type == "user" else f"{holder.name} ({holder.id})"


def _list_principals(inventory: Inventory) -> list[tuple[PrincipalType, str, str]]:
    """Name everybody; who is known by the roles alone is named by its id."""
    return [
        *(("user", each.id, each.email) for each in inventory.users),
        *(("invite", each.id, each.email) for each in inventory.invites if each.status != "expired"),
        *(("service_account", each.id, each.name) for each in inventory.service_accounts),
        *(("api_key", each.id, each.name) for each in inventory.api_keys),
        *((kind, id, id) for kind, id in list_unnamed_principals(inventory)),
    ]


def _build_holder(
    kind: PrincipalType, id: str, name: str, bindings: Sequence[RoleBinding], inventory: Inventory
) -> Holder:
    on_organization: list[RoleName] = [each.role for each in bindings if each.resource_type == "organization"]
    roles = roles_by_project(bindings, inventory.projects)
    return Holder(type=kind, id=id, name=name, organization_roles=on_organization, roles=roles)


def _add_key_roles(holder: Holder, roles_of_keys: Mapping[str, tuple[str, Sequence[RoleName]]]) -> Holder:
    """A key tells its roles itself, whether or not they are listed as bindings, too."""
    if holder.type != "api_key" or holder.id not in roles_of_keys:
        return holder
    project_id, own = roles_of_keys[holder.id]
    united = dict.fromkeys([*holder.roles.get(project_id, ()), *own])
    return evolve(holder, roles={**holder.roles, project_id: list(united)})
