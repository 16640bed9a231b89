"""The commands ``access``, ``inventory`` and ``diff``: who can do what, what there is, and what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pinecone_admin.cli.commands import ROOT, argument, out, overwrite
from pinecone_admin.cli.parameters import Choice, Count, Duration
from pinecone_admin.cli.session import Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete_kinds(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from pinecone_admin.cli.completion import find_kinds  # noqa: PLC0415 - only completion needs it

    return find_kinds(incomplete)


@ROOT.by_hand("reads", example="pinecone-admin access --project search --level writes")
@click.option("--html", metavar="FILE", help="Write a page for a browser, with findings; it loads nothing else.")
@click.option("--csv", metavar="FILE", help="Write a table for a spreadsheet, without findings.")
@click.option("--markdown", metavar="FILE", help="Write a report for a wiki or a ticket, with findings.")
@overwrite
@click.option("--inventory", metavar="FILE", help="Review an inventory that was saved before; nothing is read online.")
@click.option(
    "--project",
    metavar="PROJECT",
    help="Show only this project, given by its id or name, and findings that may concern it.",
)
@click.option(
    "--level",
    type=Choice(("reads", "writes", "owns")),
    help="Show only who can do at least this, and all findings. Owners can write, and whoever writes can read.",
)
@click.option("--max-owners", type=Count(1), default=3, help="More owners are a finding; by default, more than 3.")
@click.option(
    "--max-pending", type=Duration(), default="3d", help="An older pending invite is a finding; by default, after 3d."
)
@click.option("--max-key-age", type=Duration(), help="An older API key is a finding; by default, ages are not checked.")
@click.option(
    "--fail-on",
    multiple=True,
    metavar="KIND[,KIND]",
    shell_complete=_complete_kinds,
    help="Exit with 8 if there is a finding of one of these kinds; any for all of them; can be repeated.",
)
@click.option(
    "--waivers",
    metavar="FILE",
    help="Findings that you accept, each with a reason and an end, as YAML (help waivers).",
)
def access(session: Session, **options: Any) -> None:
    """Show who can do what in which project, and what a reviewer should check.

    It shows what roles permit, not what was used, which the API does not say. Files are readable only by you.
    pinecone-admin help findings explains the findings, and pinecone-admin help waivers how to accept some. JSON has
    access and findings: --query "access[?principal=='ada@example.com']" selects what one person may do, and
    --query findings --output csv writes the findings for a spreadsheet.

    If a part could not be read, the exit code is 9, or 8 if --fail-on finds something.
    """
    from pinecone_admin.cli.reports.access_report import report_access  # noqa: PLC0415 - loads the models

    report_access(session, **options)


@ROOT.by_hand("reads", example="pinecone-admin inventory --output table")
@out("Write the inventory to a file, for diff, plan and access.")
def inventory(session: Session, *, out: str | None = None) -> None:
    """Read everything in the organization.

    --out saves it, and diff shows later what has changed. A table has the number of each kind, without one if not all
    could be read. So has the output beside --out, unless --output or --query asks for the inventory.

    If a part could not be read, the exit code is 9, and what was read is saved all the same.
    """
    from pinecone_admin.cli.reports.inventory_report import report_inventory  # noqa: PLC0415 - loads the models

    report_inventory(session, out)


@ROOT.by_hand("reads", example="pinecone-admin diff inventory.json")
@argument("old", "The inventory that inventory --out saved.", metavar="OLD")
@argument("new", "A later one; without it, the organization is read now.", required=False, metavar="[NEW]")
@click.option("--fail-on-change", is_flag=True, help="Exit with 8 if anything has changed.")
def diff(session: Session, *, old: str, new: str | None = None, fail_on_change: bool) -> None:
    """Show what has changed since an inventory was saved, or between two saved ones.

    If one of the two lacks a part, the exit code is 9, unless --fail-on-change has found a change.
    """
    from pinecone_admin.cli.reports.inventory_report import report_changes  # noqa: PLC0415 - loads the models

    report_changes(session, old, new, fail_on_change=fail_on_change)
