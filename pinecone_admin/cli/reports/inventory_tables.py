"""What has changed between two inventories, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pinecone_admin.cli.output.tables import make_console
from pinecone_admin.workflows import Changes

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

_STYLES = {"+": "green", "-": "red", "~": "yellow", "?": "dim"}


def write_change_lines(session: Session, changes: Changes) -> None:
    """Write a line for each resource that changed, in the colour of its sign."""
    console = make_console(session.stdout, session.env)
    for line in str(changes).splitlines():
        console.print(Text(line, style=_STYLES[line[0]]), soft_wrap=True)
