"""The command ``each``: run another one for each row of a file."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pinecone_admin.cli.commands import ROOT, SETTING, argument, overwrite
from pinecone_admin.cli.parameters import Count
from pinecone_admin.cli.session import Session

_MOST_AT_ONCE = 20  # as many connections as a client has


@ROOT.session_command(
    "changes", example="pinecone-admin each people.csv --yes -- user ensure '{email}' --role OrgMember"
)
@argument("file", "CSV with a header, JSON, or JSON Lines; - for standard input.", metavar="FILE")
@argument(
    "command",
    "A command, with {COLUMN} for values; {{ is a brace.",
    nargs=-1,
    required=True,
    metavar="-- COMMAND…",
)
@click.option(
    "--concurrency",
    type=Count(1, _MOST_AT_ONCE),
    help="Rows to run at once, if the command only reads; default 1.",
)
@click.option(
    "--confirm",
    **SETTING,
    type=Count(1),
    help="Permit a command that deletes, for at most N rows.",
)
@click.option("--stop-on-error", "stop", is_flag=True, help="Stop after the first row that fails.")
@click.option(
    "--failed-rows",
    "failed",
    metavar="FILE",
    help="Write the rows to run again, to a new file.",
)
@overwrite
def each(
    session: Session, *, file: str, command: Sequence[str], concurrency: int = 1, stop: bool, failed: str | None = None
) -> None:
    """Run a command once for each row of a CSV or JSON file.

    {email} stands for the column email. All rows are checked before the first one runs; rows of standard input are
    checked one by one. With --dry-run, a row ignores earlier rows. A row that fails does not stop the others. A value
    never becomes an option or a second word. Write FILE with -o json, because csv changes names like =A1.

    --yes and --confirm stand before --. On a terminal, one question shows the first ten commands and their number. A
    command that deletes needs that number, typed or as --confirm N. A secret needs --store with {COLUMN} in it.

    The output has one line of JSON per row, with row, exit, and result or error. --query selects from the result.
    """
    from pinecone_admin.cli.bulk.row_runner import run_for_each  # noqa: PLC0415 - loads the client

    run_for_each(session, file, command, concurrency=concurrency, stop=stop, failed=failed)
