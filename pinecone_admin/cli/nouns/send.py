"""The command ``send``: a request that no other command covers."""

from __future__ import annotations

import click

from pinecone_admin.cli.commands import ALLOW_GROUP, ROOT, SETTING, STORE, StoreOption, argument
from pinecone_admin.cli.parameters import Choice
from pinecone_admin.cli.session import Session


@ROOT.session_command(
    "deletes",
    example="pinecone-admin send GET '/admin/users?limit=5'",
    confirms=True,
    effect_with={"method": {"GET": "reads", "DELETE": "deletes"}},
)
@argument(
    "method",
    "GET, POST, PATCH, PUT or DELETE; capital letters do not matter.",
    type=Choice(("GET", "POST", "PATCH", "PUT", "DELETE"), case_sensitive=False),
    metavar="METHOD",
)
@argument("path", "Path of the API, such as /admin/projects, with or without a query.", metavar="PATH")
@click.option("--body", metavar="JSON", help="JSON to send; @FILE reads it from a file, and - from standard input.")
@click.option(
    "--store",
    cls=StoreOption,
    **SETTING,
    metavar="DESTINATION",
    help=STORE,
)
@click.option("--reveal", **SETTING, is_flag=True, help="Show secrets in the response.")
@click.option("--allow-group", **SETTING, is_flag=True, help=ALLOW_GROUP)
def send(session: Session, *, method: str, path: str, body: str | None = None) -> None:
    """Send a request that no other command covers.

    The request has the same token, retries and errors as every command. For a DELETE, you are asked for the last part
    of the path. A request that creates a secret needs --store or --reveal.
    """
    from pinecone_admin.cli.calls.sending import send_request  # noqa: PLC0415 - loads the client

    send_request(session, method, path, body=body)
