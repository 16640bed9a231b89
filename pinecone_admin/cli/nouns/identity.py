"""The commands ``whoami``, ``doctor`` and ``token``: who commands act as, and whether that works."""

from __future__ import annotations

import click

from pinecone_admin.cli.commands import ROOT
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_value
from pinecone_admin.cli.session import Session


@ROOT.session_command("reads", example="pinecone-admin whoami")
def whoami(session: Session) -> None:
    """Show the account that commands use, and its roles.

    The output also has its organization, and when its token expires. What the account may not see of itself is shown as
    unknown. In JSON, roles and token_expires_at are null if they are unknown.
    """
    from pinecone_admin.cli.identity.caller import look_at_caller  # noqa: PLC0415 - loads the client

    with show_progress(session, "reading who this is"):
        view = look_at_caller(session.admin, client_id=session.client_id)
    write_value(session, {**view.to_document(), "identity_from": session.identity.origin})


@ROOT.session_command("reads", example="pinecone-admin doctor")
def doctor(session: Session) -> None:
    """Check network, clock, credentials and roles.

    For each check that fails, the output has a way to mend it. The variables and the profile are checked, too.
    """
    from pinecone_admin.cli.doctor.run import run_checks  # noqa: PLC0415 - loads the client

    run_checks(session)


@ROOT.session_command("reads", example="pinecone-admin token --reveal")
@click.option("--reveal", is_flag=True, help="Show the token. Without this, nothing is done.")
def token(session: Session, *, reveal: bool) -> None:
    """Print an access token for other tools.

    With -o json or -o yaml, the output also has the expiry time. For example:

    curl -H "Authorization: Bearer $(pinecone-admin token --reveal)" URL
    """
    if not reveal:
        raise CLIError("An access token lets whoever has it act as this account. To print it, add --reveal.")
    with show_progress(session, "fetching a token"):
        found = session.admin.token()
    expires_at = None if found.expires_at is None else found.expires_at.isoformat(timespec="seconds")
    if session.settings.get("output") not in {"json", "yaml"} and "query" not in session.settings:
        session.settings["output"] = "raw"  # a header or a variable takes the token alone
        write_value(session, found.value)
        return
    write_value(session, {"access_token": found.value, "expires_at": expires_at})
