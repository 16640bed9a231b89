"""The command ``doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.exit_codes import REFUSED
from pinecone_admin.cli.output.progress import show_progress

if TYPE_CHECKING:
    from rich.console import Console

    from pinecone_admin.cli.doctor.checks import Diagnosis
    from pinecone_admin.cli.session import Session

_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}
_STATUS_WIDTH, _CHECK_WIDTH = 7, 14


@click.command()
@click.pass_obj
def command(session: Session, /) -> None:
    """Check what a command needs, and write what was found."""
    from pinecone_admin.cli.doctor.run import examine  # noqa: PLC0415 - loads the client

    results = _note_failures(session, examine(session))
    if session.output == "table" and session.settings.get("query") is None:
        from pinecone_admin.cli.output.tables import make_console  # noqa: PLC0415 - only tables need it

        console = make_console(session.stdout, session.env)
        with session.until_closed():
            for result in results:
                _print_result(console, result)
    else:
        session.write_items(result.to_document() for result in results)
    for _ in results:  # whoever reads the output may have enough, but the exit code is that of all checks
        pass


def _note_failures(session: Session, results: Iterator[Diagnosis]) -> Iterator[Diagnosis]:
    while (result := _find_next(session, results)) is not None:
        if result.status == "failed":
            session.exit_code = REFUSED
        yield result


def _find_next(session: Session, results: Iterator[Diagnosis]) -> Diagnosis | None:
    with show_progress(session, "checking"):
        return next(results, None)


def _print_result(console: Console, result: Diagnosis) -> None:
    """Print one result, and below it how a failure is fixed."""
    from rich.table import Table  # noqa: PLC0415 - only tables need it
    from rich.text import Text  # noqa: PLC0415 - as above

    detail = Text(make_printable(result.detail), style="dim" if result.status == "skipped" else "")
    if result.fix:
        detail.append("\nfix: ", style="bold").append(make_printable(result.fix))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=_STATUS_WIDTH)
    grid.add_column(width=_CHECK_WIDTH)
    grid.add_column(overflow="fold")
    grid.add_row(Text(result.status, style=_STYLES[result.status]), result.check, detail)
    console.print(grid)
