"""The command ``send``: a request that no other command covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.parameters import Choice, Positional
from pinecone_admin.cli.secrets.options import destination_options

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


_METHODS = Choice(("GET", "POST", "PATCH", "PUT", "DELETE"), case_sensitive=False)
_ARGUMENTS = [
    Positional("method", text="GET, POST, PATCH, PUT or DELETE, in any case.", type=_METHODS, metavar="METHOD"),
    Positional("path", text="Path of the API, such as /admin/projects, with or without a query.", metavar="PATH"),
]


_BODY = click.Option(
    ["--body"], metavar="JSON", help="JSON to send; @FILE reads it from a file, and - from standard input."
)
_DESTINATION = destination_options(
    store="Where to store the secret that the request makes: env-file:PATH#NAME, file:PATH, or exec:COMMAND.",
    reveal="Show secrets in the response.",
)


@click.command(params=[*_ARGUMENTS, _BODY, *_DESTINATION])
@click.pass_obj
def command(session: Session, /, method: str, path: str, body: str | None) -> None:
    """Send a request."""
    from pinecone_admin.cli.calls.sending import send_request  # noqa: PLC0415 - loads the client

    send_request(session, method, path, body=body)
