"""The access of people to projects: effective roles, findings, and their output as CSV, JSON, Markdown and HTML."""

from __future__ import annotations

import csv
import io
import json
from collections import ChainMap
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from attrs import asdict, evolve, field, fields, frozen

from generated_client.models import PrincipalType, RoleBinding, RoleName
from pinecone_admin._http.argument_checks import check_integer, check_timedelta
from pinecone_admin._text.printable import escape_surrogates
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.escaping import escape_csv, escape_markdown
from pinecone_admin.workflows.findings import (
    Finding,
    find_deleted_principals,
    find_editor_keys,
    find_many_owners,
    find_old_keys,
    find_overdue_keys,
    find_risky_service_accounts,
    find_stale_invites,
    list_unnamed_principals,
    report_unread_parts,
)
from pinecone_admin.workflows.organization_index import has_lapsed
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.roles import Level, bindings_by_principal, highest_level, roles_by_project
from pinecone_admin.workflows.waivers import Review, Waiver, review_findings

NOTE = (
    "This shows what roles permit, as reported by the Admin API. It cannot see usage: neither whether access was used, "
    "nor when a key or a secret was last used."
)


@frozen(kw_only=True)
class Holder:
    """A principal with all its roles.

    Attributes:
        type: Type of the principal. An invite has the roles that the user will have after accepting it.
        id: Id of the principal.
        name: Email address of a user or an invite, or name of another principal. It is the id if only role bindings
            mention the principal.
        organization_roles: Roles on the organization.
        roles: Effective roles by project id, including roles on the organization that apply to the project.
    """

    type: PrincipalType
    """Type of the principal. An invite has the roles that the user will have after accepting it."""
    id: str
    """Id of the principal."""
    name: str
    """Email address of a user or an invite, or name of another principal. It is the id if only role bindings mention
    the principal."""
    organization_roles: list[RoleName] = field(factory=list[RoleName])
    """Roles on the organization."""
    roles: Mapping[str, list[RoleName]] = field(factory=dict[str, list[RoleName]])
    """Effective roles by project id, including roles on the organization that apply to the project."""

    @property
    def is_owner(self) -> bool:
        """Whether the principal is an owner of the organization, and so of every project."""
        return "OrgOwner" in self.organization_roles


@frozen(kw_only=True)
class AccessRow:
    """The roles of one principal in one project or on the organization.

    Attributes:
        principal_type: Type of the principal.
        principal_id: Id of the principal.
        principal: Email address or name of the principal. It is the id if only role bindings mention the principal.
        project_id: Id of the project; empty for the organization.
        project: Name of the project, or its id if the account cannot see it; empty for the organization.
        level: ``"owns"``, ``"writes"`` or ``"reads"``; ``"unknown"`` for a role that this package does not know. The
            reference lists the level of each role under Levels.
        roles: The effective roles.
    """

    principal_type: PrincipalType
    """Type of the principal."""
    principal_id: str
    """Id of the principal."""
    principal: str
    """Email address or name of the principal. It is the id if only role bindings mention the principal."""
    project_id: str
    """Id of the project; empty for the organization."""
    project: str
    """Name of the project, or its id if the account cannot see it; empty for the organization."""
    level: Level
    """``"owns"``, ``"writes"`` or ``"reads"``; ``"unknown"`` for a role that this package does not know."""
    roles: list[RoleName]
    """The effective roles."""


@frozen(kw_only=True)
class Access:
    """The access of all principals, computed from one inventory. It shows permissions, and not their use.

    Attributes:
        taken_at: The ``taken_at`` of the inventory.
        organization: Name of the organization; ``"unknown"`` if it could not be read.
        projects: Names of the projects by id.
        holders: All principals: users, pending invites, service accounts and API keys. If a list could not be read, it
            contains those that role bindings mention.
        findings: Findings for a reviewer.
        unread: Parts that could not be read and are missing.

    Example:
        >>> access = admin.inventory().access(max_owners=3, max_key_age=timedelta(days=90))
        >>> for finding in access.findings:
        ...     print(f"{finding.kind}: {finding.text}")
        >>> writing = [row for row in access.rows() if row.level in {"owns", "writes"}]
        >>> writers = {row.principal for row in writing}
        >>> page, table = access.to_html(), access.to_csv()
        >>> text, data = access.to_markdown(), access.to_json()
    """

    taken_at: datetime
    """The ``taken_at`` of the inventory."""
    organization: str
    """Name of the organization; ``"unknown"`` if it could not be read."""
    projects: Mapping[str, str]
    """Names of the projects by id."""
    holders: list[Holder]
    """All principals: users, pending invites, service accounts and API keys."""
    findings: list[Finding]
    """Findings for a reviewer."""
    unread: list[str]
    """Parts that could not be read and are missing."""

    def rows(self) -> list[AccessRow]:
        """Return a row for each principal and each project, or the organization, that it has roles on.

        An owner of the organization has a row for each project, too.
        """
        return [
            AccessRow(
                principal_type=holder.type,
                principal_id=holder.id,
                principal=holder.name,
                project_id=project_id,
                project=self.projects.get(project_id, project_id),
                level=highest_level(roles),
                roles=list(roles),
            )
            for holder in self.holders
            for project_id, roles in {"": holder.organization_roles, **holder.roles}.items()
            if roles
        ]

    def accept(self, waivers: Sequence[Waiver], *, today: date | None = None) -> Review:
        """Return which findings are open, and which ones waivers accept.

        Args:
            waivers: Accepted findings, each with a reason and a last day.
            today: The day to compare with the last day of each waiver. By default, it is the day of the inventory, in
                UTC.

        Raises:
            PineconeTypeError: An argument has the wrong type.

        Example:
            >>> until = date(2027, 1, 31)
            >>> waiver = Waiver(kind="many-owners", reason="the board", until=until)
            >>> review = admin.inventory().access().accept([waiver])
            >>> [finding.text for finding in review.open]
        """
        return review_findings(self.findings, waivers, today=self.taken_at.date() if today is None else today)

    def to_csv(self) -> str:
        """Return the rows as CSV.

        A value that a spreadsheet would read as a formula is prefixed with an apostrophe.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(each.name for each in fields(AccessRow))
        for row in self.rows():
            values = {**asdict(row), "roles": " ".join(row.roles)}
            writer.writerow(escape_csv(value) for value in values.values())
        return text.getvalue()

    def to_json(self) -> str:
        """Return the rows and the findings as JSON. ``access`` contains the rows, and ages are ``age_seconds``."""
        document = {
            "taken_at": self.taken_at.isoformat(),
            "organization": self.organization,
            "note": NOTE,
            "unread": self.unread,
            "findings": [to_dict(finding) for finding in self.findings],
            "access": [asdict(row) for row in self.rows()],
        }
        return escape_surrogates(json.dumps(document, ensure_ascii=False, indent=2))

    def to_markdown(self) -> str:
        """Return the findings and rows as Markdown."""
        lines = [
            f"# Access in {escape_markdown(self.organization)}",
            "",
            f"{self.taken_at:%Y-%m-%d %H:%M %Z}. {NOTE}",
            "",
        ]
        lines += ["## Findings", ""]
        lines += [f"- **{finding.kind}:** {escape_markdown(finding.text)}" for finding in self.findings] or ["None."]
        lines += ["", "## Access", "", "| who | kind | where | level | roles |", "|---|---|---|---|---|"]
        for row in self.rows():
            cells = (row.principal, row.principal_type, row.project or "organization", row.level, ", ".join(row.roles))
            lines.append(f"| {' | '.join(map(escape_markdown, cells))} |")
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """Return one HTML page with the findings, who can write where, and people by project.

        The page loads no other file.
        """
        from pinecone_admin.workflows.access_page import render_page  # noqa: PLC0415 - it builds on this module

        return render_page(self, note=NOTE)


def build_access(
    inventory: Resources, *, max_owners: int, max_pending: timedelta, max_key_age: timedelta | None
) -> Access:
    """Compute the effective roles of all principals, and the findings."""
    check_integer("max_owners", max_owners, least=1)
    check_timedelta("max_pending", max_pending, allow_zero=True)
    if max_key_age is not None:
        check_timedelta("max_key_age", max_key_age)
    held = bindings_by_principal(inventory.role_bindings)
    owned: dict[str, list[RoleName]] = {project.id: ["OrgOwner"] for project in inventory.projects}
    holders = [
        _build_holder(kind, id, name, held.get((kind, id), ()), owned) for kind, id, name in _list_principals(inventory)
    ]
    roles_of_keys = {key.id: (key.project_id, key.roles) for key in inventory.api_keys}
    holders = [_add_key_roles(holder, roles_of_keys) for holder in holders]
    return Access(
        taken_at=inventory.taken_at,
        organization=", ".join(organization.name for organization in inventory.organizations) or "unknown",
        projects={project.id: project.name for project in inventory.projects},
        holders=holders,
        findings=[
            *report_unread_parts(inventory),
            *find_many_owners(
                [
                    holder.name if holder.type == "user" else f"{holder.name} ({holder.id})"
                    for holder in holders
                    if holder.is_owner and holder.type != "invite"
                ],
                max_owners,
            ),
            *find_stale_invites(inventory, max_pending),
            *find_risky_service_accounts(inventory),
            *find_editor_keys(inventory),
            *(find_old_keys(inventory, max_key_age) if max_key_age is not None else ()),
            *find_overdue_keys(inventory),
            *find_deleted_principals(inventory),
        ],
        unread=[str(missing) for missing in inventory.unread],
    )


def _list_principals(inventory: Resources) -> list[tuple[PrincipalType, str, str]]:
    """Return type, id and name of each principal; the id stands for the name if only role bindings mention it."""
    return [
        *(("user", user.id, user.email) for user in inventory.users),
        *(("invite", invite.id, invite.email) for invite in inventory.invites if not has_lapsed(invite)),
        *(("service_account", account.id, account.name) for account in inventory.service_accounts),
        *(("api_key", key.id, key.name) for key in inventory.api_keys),
        *((kind, id, id) for kind, id in list_unnamed_principals(inventory)),
    ]


def _build_holder(
    kind: PrincipalType, id: str, name: str, bindings: Sequence[RoleBinding], owned: dict[str, list[RoleName]]
) -> Holder:
    organization_roles: list[RoleName] = [
        binding.role for binding in bindings if binding.resource_type == "organization"
    ]
    roles: Mapping[str, list[RoleName]] = roles_by_project(bindings, ())
    if "OrgOwner" in organization_roles:
        # All owners share one mapping of all projects: a copy each would take 0.6 GB for 500 owners of 10,000 projects.
        both: dict[str, list[RoleName]] = {on: [*owned.get(on, ()), *own] for on, own in roles.items()}
        roles = ChainMap(both, owned)
    return Holder(type=kind, id=id, name=name, organization_roles=organization_roles, roles=roles)


def _add_key_roles(holder: Holder, roles_of_keys: Mapping[str, tuple[str, Sequence[RoleName]]]) -> Holder:
    """Add the roles that a key itself reports: they need not be listed as role bindings."""
    if holder.type != "api_key" or holder.id not in roles_of_keys:
        return holder
    project_id, own = roles_of_keys[holder.id]
    united = dict.fromkeys([*holder.roles.get(project_id, ()), *own])
    return evolve(holder, roles={**holder.roles, project_id: list(united)})
