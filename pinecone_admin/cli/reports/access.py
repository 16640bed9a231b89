"""The command ``access``: who can do what, and what a reviewer should check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pinecone_admin.cli.parameters import Choice, Count, Duration

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command()
@click.option("--html", metavar="FILE", help="Write a page for a browser, which loads nothing else.")
@click.option("--csv", metavar="FILE", help="Write a table for a spreadsheet.")
@click.option("--markdown", metavar="FILE", help="Write a report for a wiki or a ticket.")
@click.option("--inventory", metavar="FILE", help="Review an inventory that was saved before; nothing is read online.")
@click.option("--project", metavar="PROJECT", help="Show only this project, given by its id or name.")
@click.option(
    "--level",
    type=Choice(("reads", "writes", "owns")),
    help="Show only who can do at least this. Whoever owns can write, and whoever writes can read.",
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
    help="Exit with 8 if there is a finding of one of these kinds; any for all of them; can be repeated.",
)
@click.option("--accept", metavar="FILE", help="Findings that are accepted, each with a reason and an end, as YAML.")
@click.pass_obj
def command(session: Session, /, **options: Any) -> None:
    """Show who can do what."""
    from pinecone_admin.cli.reports.access_report import AccessOptions, report_access  # noqa: PLC0415 - loads the models

    report_access(session, AccessOptions(**options))
