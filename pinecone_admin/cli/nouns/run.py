"""The command ``run``: a command with an API key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.commands import ROOT, argument
from pinecone_admin.cli.exit_codes import COMMAND_NOT_RUN
from pinecone_admin.cli.parameters import KEY_ROLE, Duration, NameOrId, Reference
from pinecone_admin.cli.session import Session

if TYPE_CHECKING:
    from pinecone_admin.models import APIKeyRole


@ROOT.by_hand(
    "changes",
    example="pinecone-admin run --project search --role DataPlaneViewer --yes -- ./run-tests",
    fails_with=COMMAND_NOT_RUN,
)
@click.option("--project", "project_id", type=NameOrId("project"), required=True, help="Name or id of the project.")
@click.option(
    "--role", "roles", type=KEY_ROLE, multiple=True, required=True, help="A role of the key; can be repeated."
)
@click.option(
    "--ttl",
    type=Duration(),
    help="How long at most the key outlives a kill, from 1m, rounded up to the next minute; 6h without the option.",
)
@argument("command", "The command, after --, and its arguments.", nargs=-1, required=True, metavar="COMMAND …")
def run(
    session: Session,
    *,
    project_id: Reference,
    roles: Sequence[APIKeyRole],
    command: Sequence[str],
    ttl: timedelta = timedelta(hours=6),
) -> None:
    """Run a command with an API key that lives only as long.

    The command finds the key in PINECONE_API_KEY, and gets no other credential of Pinecone from here. When it ends,
    the key is deleted. If this process is killed, the next run in the project, api-key delete-retired or rotate-due
    deletes the key when its time is over, and not before.

    The exit code is the command's, or 128 and the number of the signal that ended it; 125 if the command was not
    started, or 130 if run was interrupted before; 9 if it ended with 0, and the key could not be deleted.
    """
    from pinecone_admin.cli.calls.running import run_with_key  # noqa: PLC0415 - loads the client

    run_with_key(session, command, project=project_id, roles=roles, ttl=ttl)
