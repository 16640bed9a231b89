"""Profiles."""

from __future__ import annotations

import shlex

import click

from pinecone_admin.cli.commands import Noun, argument, complete_profile
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.writing import write_items, write_value
from pinecone_admin.cli.session import Session

NOUN = Noun("profile")


@NOUN.by_hand(
    "reads",
    example="pinecone-admin profile add staging --client-id ExampleExampleExampleExample0001 "
    "--secret-command 'op read op://staging/pinecone/secret'",
)
@argument("name", "Name of the profile, which --profile takes.", metavar="NAME")
@click.option("--client-id", metavar="ID", required=True, help="Client id of the service account.")
@click.option("--secret-command", metavar="COMMAND", help="Command that prints the client secret; no shell is used.")
@click.option("--host", metavar="URL", help="URL of the API; production by default.")
@click.option("--oauth-url", metavar="URL", help="URL of the token endpoint; production by default.")
@click.option("--default", "make_default", is_flag=True, help="Use it where nothing else says who acts.")
def add(
    session: Session,
    *,
    name: str,
    client_id: str,
    secret_command: str | None = None,
    host: str | None = None,
    oauth_url: str | None = None,
    make_default: bool,
) -> None:
    """Save a profile: who commands act as, without the secret.

    The secret is what --secret-command prints, or is piped to --client-secret-stdin. --expect-organization ID is saved,
    too: every command with the profile refuses any other organization.
    """
    from pinecone_admin.cli.profiles.files import add_profile, change_profiles, check_profile, find_profile_file  # noqa: PLC0415 - loaded when it is run  # noqa: PLC0415 - as above
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
    write_value(session, profile.to_document(is_default=make_default))


def _split_command(text: str | None) -> tuple[str, ...]:
    try:
        words = () if text is None else tuple(shlex.split(text))
    except ValueError as exc:
        raise CLIError(f"--secret-command: {exc}") from exc
    if text is not None and not words:
        raise CLIError("--secret-command is empty")
    return words


@NOUN.by_hand("reads", example="pinecone-admin profile list")
def list_(session: Session) -> None:
    """List the saved profiles."""
    from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - loaded when it is run

    profiles = load_profiles(find_profile_file())
    write_items(
        session, (each.to_document(is_default=name == profiles.default) for name, each in profiles.by_name.items())
    )


@NOUN.by_hand("reads", example="pinecone-admin profile use production")
@argument("name", "Name of the profile.", metavar="NAME", shell_complete=complete_profile)
def use(session: Session, *, name: str) -> None:
    """Make a saved profile the default, which is used where nothing else says who acts."""
    from pinecone_admin.cli.profiles.files import (  # noqa: PLC0415 - as above
        change_profiles,
        find_profile_file,
        make_default,
    )

    session.interruptions.hold()  # once the file is replaced, nobody must be told that nothing was changed
    change_profiles(find_profile_file(), lambda text: make_default(text, name))
    session.ledger.note_local_change(f"profile use {name}")


@NOUN.by_hand("reads", example="pinecone-admin profile remove production")
@argument("name", "Name of the profile.", metavar="NAME", shell_complete=complete_profile)
def remove(session: Session, *, name: str) -> None:
    """Remove a saved profile."""
    from pinecone_admin.cli.profiles.files import (  # noqa: PLC0415 - as above
        change_profiles,
        find_profile_file,
        remove_profile,
    )

    session.interruptions.hold()  # once the file is replaced, nobody must be told that nothing was changed
    change_profiles(find_profile_file(), lambda text: remove_profile(text, name))
    session.ledger.note_local_change(f"profile remove {name}")
