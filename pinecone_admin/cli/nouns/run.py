"""The command ``run``: a command with a new API key."""

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


@ROOT.session_command(
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
    help="How long the key can remain if this process is killed; at least 1m, default 6h.",
)
@argument("command", "The program and its arguments.", nargs=-1, required=True, metavar="-- COMMAND…")
def run(
    session: Session,
    *,
    project_id: Reference,
    roles: Sequence[APIKeyRole],
    command: Sequence[str],
    ttl: timedelta = timedelta(hours=6),
) -> None:
    """Run a program with a temporary API key.

    The program reads the key from PINECONE_API_KEY. Its environment has no other credentials of pinecone-admin. When
    the program ends, the key is deleted. If this process is killed, the key remains until its expiry time. After
    that, api-key delete-retired, api-key rotate-due or the next pinecone-admin run in the project deletes it.

    The exit code is that of the program, or 125 if the program was not started. If the program ended with 0 and the key
    could not be deleted, the exit code is 9, or 6 if the key may have been deleted.
    """
    from pinecone_admin.cli.calls.running import run_with_key  # noqa: PLC0415 - loads the client

    run_with_key(session, command, project=project_id, roles=roles, ttl=ttl)
