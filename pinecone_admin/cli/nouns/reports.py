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


@ROOT.session_command("reads", example="pinecone-admin access --project search --level writes")
@click.option("--html", metavar="FILE", help="Write a page for a browser, with findings.")
@click.option("--csv", metavar="FILE", help="Write a table for a spreadsheet, without findings.")
@click.option("--markdown", metavar="FILE", help="Write a report for a wiki or a ticket, with findings.")
@overwrite
@click.option("--inventory", metavar="FILE", help="Review a saved inventory instead of the organization.")
@click.option(
    "--project",
    metavar="PROJECT",
    help="Show only this project (name or id), and findings that may concern it.",
)
@click.option(
    "--level",
    type=Choice(("reads", "writes", "owns")),
    help="Show only who can do at least this. Findings are not filtered.",
)
@click.option("--max-owners", type=Count(1), default=3, help="Up to this many owners are no finding; default 3.")
@click.option(
    "--max-pending",
    type=Duration(),
    default="3d",
    help="Report invites that were sent longer ago than this; default 3d.",
)
@click.option("--max-key-age", type=Duration(), help="Report API keys that are older than this; default: none.")
@click.option(
    "--fail-on",
    multiple=True,
    metavar="KIND[,KIND]",
    shell_complete=_complete_kinds,
    help="Exit with 8 on findings of these kinds (any: every kind), or with 9 if parts are not shown; can be repeated.",
)
@click.option(
    "--waivers",
    metavar="FILE",
    help="Findings you accept, each with a reason and an end date (help waivers).",
)
def access(session: Session, **options: Any) -> None:
    """Show who can do what, and what to look at in a review.

    Roles show what is allowed, not what was used. --query findings -o csv lists the findings, and --query
    "access[?principal=='ada@example.com']" shows what one person may do. Only you can read the files that it writes.

    pinecone-admin help findings explains each finding, and help waivers shows how to accept one.
    """
    from pinecone_admin.cli.reports.access_report import report_access  # noqa: PLC0415 - loads the models

    report_access(session, **options)


@ROOT.session_command("reads", example="pinecone-admin inventory --output table")
@out("Write the inventory to a file, too, for diff, plan and access.")
def inventory(session: Session, *, out: str | None = None) -> None:
    """Read everything in the organization.

    --out also saves it to a file, which diff can compare later. The table shows only how many there are of each kind;
    -o json shows everything. If a part cannot be read, the command still shows and saves the other parts.
    """
    from pinecone_admin.cli.reports.inventory_report import report_inventory  # noqa: PLC0415 - loads the models

    report_inventory(session, out)


@ROOT.session_command("reads", example="pinecone-admin diff inventory.json")
@argument("old", "A file that inventory --out wrote.", metavar="OLD")
@argument("new", "A later inventory; without it, the organization as it is now.", required=False, metavar="[NEW]")
@click.option(
    "--fail-on-change", is_flag=True, help="Exit with 8 if anything has changed, or with 9 if parts are not shown."
)
def diff(session: Session, *, old: str, new: str | None = None, fail_on_change: bool) -> None:
    """Show what changed since a saved inventory, or between two."""
    from pinecone_admin.cli.reports.inventory_report import report_changes  # noqa: PLC0415 - loads the models

    report_changes(session, old, new, fail_on_change=fail_on_change)
