"""Sign in: obtain the credentials of a service account and try them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from attrs import evolve

from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.caller import read_organizations
from pinecone_admin.cli.identity.client import limit_core_dumps, open_client, require_organization
from pinecone_admin.cli.identity.client_secrets import check_secret, read_secret_from, run_secret_command
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.profiles.profile import Profile
from pinecone_admin.cli.sentences import list_words
from pinecone_admin.cli.session import Session


def check_sources(session: Session, client_id: str | None, secret_command: Sequence[str]) -> None:
    """Check that the client id and the secret are given, or can be asked for.

    Args:
        session: The session.
        client_id: The client id that was given, or None.
        secret_command: Command that prints the secret; empty if none was given.

    Raises:
        CLIError: The client id or the secret is missing, and there is no terminal; or the secret is given twice.
    """
    has_piped_secret = bool(session.settings.get("client_secret_stdin"))
    if has_piped_secret and secret_command:
        raise CLIError("Give the client secret once: with --secret-command, or with --client-secret-stdin.")
    has_secret = has_piped_secret or bool(secret_command)
    if not session.is_interactive and not (client_id and has_secret):
        missing = [] if client_id else ["--client-id ID"]
        missing += [] if has_secret else ["either --secret-command COMMAND or --client-secret-stdin"]
        raise CLIError(f"{session.explain_silence()} Add {' and '.join(missing)}.")


def ask_client_id(session: Session) -> str:
    """Return the client id that is typed.

    Raises:
        CLIError: Nothing was typed.
    """
    client_id = session.ask_for_value("Client id of the service account")
    if not client_id:
        raise CLIError("You typed no client id, so nothing was saved. Run the command again.")
    return client_id


def obtain_secret(session: Session, profile: Profile) -> str:
    """Return the client secret: what the command of a profile prints, or stdin has, or is typed without being shown.

    Raises:
        CLIError: It cannot be obtained.
    """
    limit_core_dumps(0)
    if profile.secret_command:
        return run_secret_command(profile.secret_command, env=session.env, origin=f"profile {profile.name}")
    if session.settings.get("client_secret_stdin"):
        return read_secret_from(session.stdin)
    typed = session.ask_for_secret("Client secret")
    if not typed.strip():
        raise CLIError("You typed no client secret, so nothing was saved. Run the command again.")
    return check_secret(typed, source="The client secret that you typed")


def try_credentials(session: Session, profile: Profile, secret: str) -> Profile:
    """Fetch a token as the account of a profile; return the profile with the only organization that it may work on.

    An account that sees several organizations, or none, gets no expected organization.

    Raises:
        CLIError: The account belongs to another organization than the expected one.
        PineconeError: The credentials are not accepted, or the API cannot be reached.
    """
    session.identity = session.identity.with_secret(secret, source="the client secret")
    with closing(open_client(session, session.identity)) as admin, show_progress(session, "trying the credentials"):
        admin.token()
        expected = profile.expect_organization
        found = read_organizations(admin) if expected is None else require_organization(admin, expected)
    if session.is_interactive and found:
        places = (describe_resource("", name or None, id) for id, name in found.items())
        session.notify(f"The credentials work. The account belongs to {list_words(places)}.")
    return evolve(profile, expect_organization=next(iter(found))) if len(found) == 1 else profile
