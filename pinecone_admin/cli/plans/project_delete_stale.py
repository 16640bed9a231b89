"""The command ``project delete-stale``: delete the projects of a saved plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command(params=[Positional("plan", text="File that project stale has written.", metavar="PLAN")])
@click.pass_obj
def command(session: Session, /, plan: str) -> None:
    """Delete the projects of a plan."""
    from pinecone_admin.cli.plans.stale_projects import carry_out_deletion  # noqa: PLC0415 - loads the models

    carry_out_deletion(session, plan)
