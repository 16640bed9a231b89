"""The command ``inventory``: everything in the organization, and what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command()
@click.option("--save", metavar="FILE", help="Write the inventory to a file, to compare it later.")
@click.option("--diff", metavar="FILE", help="Show what has changed since this inventory was saved.")
@click.option("--compare", metavar="OLD NEW", nargs=2, help="Compare two saved inventories; nothing is read online.")
@click.option("--fail-on-change", is_flag=True, help="Exit with 8 if anything has changed.")
@click.pass_obj
def command(session: Session, /, **options: Any) -> None:
    """Read everything, save it, or compare it."""
    from pinecone_admin.cli.reports.inventory_report import InventoryOptions, report_inventory  # noqa: PLC0415 - loads the models

    report_inventory(session, InventoryOptions(**options))
