"""The command ``profile add``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command(params=[Positional("name", text="Name of the profile, which --profile takes.", metavar="NAME")])
@click.option("--client-id", metavar="ID", required=True, help="Client id of the service account.")
@click.option("--secret-command", metavar="COMMAND", help="Command that prints the client secret; no shell is used.")
@click.option("--host", metavar="URL", help="URL of the API; production by default.")
@click.option("--oauth-url", metavar="URL", help="URL of the token endpoint; production by default.")
@click.option("--default", "make_default", is_flag=True, help="Use it where nothing else says who acts.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    name: str,
    client_id: str,
    secret_command: str | None,
    host: str | None,
    oauth_url: str | None,
    make_default: bool,
) -> None:
    """Save a profile."""
    from pinecone_admin.cli.profiles.edits import add_profile, check_profile  # noqa: PLC0415 - loaded when it is run
    from pinecone_admin.cli.profiles.files import change_profiles, find_profile_file  # noqa: PLC0415 - as above
    from pinecone_admin.cli.profiles.profile import Profile  # noqa: PLC0415 - as above

    profile = Profile(
        name=name,
        client_id=client_id,
        host=host,
        oauth_url=oauth_url,
        expect_organization=session.settings.get("expect_organization"),
        secret_command=_split_command(secret_command),
    )
    check_profile(profile, env=session.env)
    session.interruptions.hold()  # once the file is replaced, nobody must be told that nothing was changed
    change_profiles(find_profile_file(), lambda text: add_profile(text, profile, make_default=make_default))
    session.ledger.note_local_change(f"profile add {name}")
    session.ledger.is_complete = True
    session.write(profile.to_document(is_default=make_default))


def _split_command(text: str | None) -> tuple[str, ...]:
    try:
        words = () if text is None else tuple(shlex.split(text))
    except ValueError as exc:
        raise CLIError(f"--secret-command: {exc}") from exc
    if text is not None and not words:
        raise CLIError("--secret-command is empty")
    return words
