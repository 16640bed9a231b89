"""The access of people, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.output.tables import print_layouts
from pinecone_admin.cli.reports.waiver_files import describe_waiver
from pinecone_admin.cli.session import Session
from pinecone_admin.workflows import Access, AccessRow, Review
from pinecone_admin.workflows.name_tags import parse_tag

_LEVEL_STYLES = {"owns": "bold red", "writes": "yellow", "reads": "green", "unknown": "magenta"}
_KINDS = {"user": "person", "invite": "invited", "service_account": "service account", "api_key": "API key"}


def write_tables(session: Session, access: Access, review: Review, *, rows: bool) -> None:
    """Write who can do what, then the findings.

    Args:
        session: The session.
        access: The access to show.
        review: The findings.
        rows: Whether to show the access, too.
    """
    print_layouts(session, *([build_access_table(access)] if rows else []), build_findings(review))
    if rows and any(each.is_owner for each in access.holders):
        session.notify("Owners of the organization own every project, and are listed once.")
    if access.findings:
        session.notify("To see what to do about a finding, run pinecone-admin explain KIND.")


def build_access_table(access: Access) -> Table:
    """Return a table with a row for each principal and each place where it has roles, grouped by place."""
    title = Text(f"Access in {make_printable(access.organization)}, {describe_minute(access.taken_at)}", style="bold")
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0)
    )
    for name in ("where", "who", "kind", "level", "roles"):
        table.add_column(name.upper(), overflow="fold", no_wrap=name in {"kind", "level"})
    previous = None
    rows = access.rows()
    owners = {row.principal_id for row in rows if not row.project_id and row.level == "owns"}
    for row in sorted(rows, key=_order):
        if not row.project_id or row.principal_id not in owners:
            table.add_row(*_build_cells(row, is_first=row.project_id != previous))
            previous = row.project_id
    return table


def _order(row: AccessRow) -> tuple[str, str, int, str]:
    rank = ("owns", "writes", "unknown", "reads").index(row.level)
    return row.project.casefold(), row.project_id, rank, row.principal.casefold()


def _build_cells(row: AccessRow, *, is_first: bool) -> Iterable[Text]:
    where = (row.project or "the organization") if is_first else ""
    return (
        Text(make_printable(where), style="bold"),
        Text(make_printable(_name_principal(row))),
        Text(_KINDS.get(row.principal_type, row.principal_type), style="dim"),
        Text(row.level, style=_LEVEL_STYLES[row.level]),
        Text(", ".join(map(make_printable, row.roles))),
    )


def _name_principal(row: AccessRow) -> str:
    """Return the name, of a key that a workflow has renamed without its tag."""
    tag = parse_tag(row.principal) if row.principal_type == "api_key" else None
    return row.principal if tag is None else f"{tag.rest} (temporary name)"


def build_findings(review: Review) -> Group:
    """Return the findings by kind, each accepted one with what the waiver says."""
    notes = [(each, "") for each in review.open]
    notes += [(each, describe_waiver(waiver)) for each, waiver in review.accepted]
    accepted = f", and {len(review.accepted)} accepted" if review.accepted else ""
    parts: list[RenderableType] = [Text(f"\nFindings: {len(review.open) or 'none'}{accepted}", style="bold")]
    for kind in dict.fromkeys(finding.kind for finding, _ in notes):
        parts.append(Text(kind, style="yellow"))
        for finding, note in notes:
            if finding.kind == kind:
                text = Text(finding.text).append(make_printable(note), style="green")
                parts.append(Padding(text, (0, 0, 0, 2), expand=False))
    return Group(*parts)
