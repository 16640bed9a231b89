"""Plans and what came of them, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from pinecone_admin.cli.output.columns import show
from pinecone_admin.cli.output.tables import make_console

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


def write_rows(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table without ids, whose last column, the reason or the result, is wrapped."""
    names = [name for name in rows[0] if name != "id"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(show(row[name])) for name in names))
    make_console(session.stdout, session.env).print(table)
