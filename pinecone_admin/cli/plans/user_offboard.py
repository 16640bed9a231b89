"""The command ``user offboard``: remove one person, or several with a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


_USER = Positional("email", text="Email address or id of one person.", required=False, metavar="[USER]")


@click.command(params=[_USER])
@click.option("--from", "people", metavar="FILE", help="Make a plan for the people in a CSV file with a column email.")
@click.option("--plan", metavar="FILE", help="Remove the people of a plan that was saved before, and nobody else.")
@click.option("--save", metavar="FILE", help="Write the plan to a file; for one person or --plan, the report.")
@click.pass_obj
def command(session: Session, /, **options: Any) -> None:
    """Remove people from the organization."""
    from pinecone_admin.cli.plans.offboarding import OffboardOptions, offboard  # noqa: PLC0415 - loads the models

    offboard(session, OffboardOptions(**options))
