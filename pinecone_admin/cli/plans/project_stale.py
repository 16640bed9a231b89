"""The command ``project stale``: find projects that test runs left behind, and save a plan to delete them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.parameters import Duration

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command()
@click.option("--name", "name_pattern", required=True, metavar="PATTERN", help="Names of the projects, such as 'ci-*'.")
@click.option("--older-than", required=True, type=Duration(), help="Age that a project must exceed, such as 7d.")
@click.option("--save", metavar="FILE", help="Write the plan to a file, which project delete-stale reads.")
@click.pass_obj
def command(session: Session, /, name_pattern: str, older_than: timedelta, save: str | None) -> None:
    """Find stale projects, and delete none of them."""
    from pinecone_admin.cli.plans.stale_projects import plan_deletion  # noqa: PLC0415 - loads the models

    plan_deletion(session, name_pattern=name_pattern, older_than=older_than, save=save)
