"""The command ``send``: a request that no other command covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


_METHODS = click.Choice(("GET", "POST", "PATCH", "PUT", "DELETE"), case_sensitive=False)
_ARGUMENTS = [
    Positional("method", text="What to do with it, in any case.", type=_METHODS),
    Positional("path", text="Path of the API, such as /admin/projects, with or without a query.", metavar="PATH"),
]


@click.command(params=_ARGUMENTS)
@click.option("--body", metavar="JSON", help="JSON to send; @FILE reads it from a file, and - from standard input.")
@click.option("--reveal", is_flag=True, help="Show secrets in the response.")
@click.pass_obj
def command(session: Session, /, method: str, path: str, body: str | None, reveal: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Send a request."""
    from pinecone_admin.cli.calls.sending import send_request  # noqa: PLC0415 - loads the client

    send_request(session, method, path, body=body, reveal=reveal)
