"""The command ``token``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.progress import show_progress

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command()
@click.option("--reveal", is_flag=True, help="Show the token. Without this, nothing is done.")
@click.pass_obj
def command(session: Session, /, *, reveal: bool) -> None:
    """Write an access token for other tools."""
    if not reveal:
        raise CLIError("this shows an access token, which lets others act as this account: pass --reveal")
    with show_progress(session, "fetching a token"):
        token = session.admin.token()
    expires_at = None if token.expires_at is None else token.expires_at.isoformat(timespec="seconds")
    # A variable takes one line.
    is_raw = session.output == "raw" and session.settings.get("query") is None
    session.write(token.value if is_raw else {"access_token": token.value, "expires_at": expires_at})
