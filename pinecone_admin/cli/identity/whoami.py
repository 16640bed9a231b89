"""The command ``whoami``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.output.progress import show_progress

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command()
@click.pass_obj
def command(session: Session, /) -> None:
    """Write what can be seen of the caller."""
    from pinecone_admin.cli.identity.caller import look_at_caller  # noqa: PLC0415 - loads the client
    from pinecone_admin.cli.identity.client import find_client_id  # noqa: PLC0415 - as above

    with show_progress(session, "reading who this is"):
        view = look_at_caller(session.admin, client_id=find_client_id(session))
    session.write({**view.to_document(), "identity_from": session.identity.origin})
