"""Profiles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pinecone_admin.cli.commands import ROOT, SETTING, Noun, SavedProfile, argument
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.writing import write_items, write_value
from pinecone_admin.cli.parameters import split_command
from pinecone_admin.cli.session import Session

if TYPE_CHECKING:
    from pinecone_admin.cli.profiles.profile import Profiles

NOUN = Noun("profile")

_NOT_TYPED_YET = "unknown"
"""A client id for the checks of everything else, while nobody has been asked for it."""


_CREDENTIALS = (
    click.option("--client-id", metavar="ID", help="Client id of the service account."),
    click.option(
        "--secret-command",
        metavar="COMMAND",
        help="Program that prints the client secret, for example of a password manager, or of the store of the system: "
        "'secret-tool lookup pinecone staging' on Linux, 'security find-generic-password -s pinecone -w' on macOS. It "
        "does not get the PINECONE_ variables.",
    ),
    click.option("--api-url", "host", metavar="URL", help="URL of the API; default: production."),
    click.option("--oauth-url", metavar="URL", help="URL of the token endpoint; default: production."),
)


def _credentials(function: Callable[..., object]) -> Callable[..., object]:
    for option in reversed(_CREDENTIALS):
        function = option(function)
    return function


@ROOT.session_command(
    "reads",
    uses=("client_secret_stdin", "expect_organization"),
    example="pinecone-admin login --name staging --client-id ExampleExampleExampleExample0001 "
    "--secret-command 'op read op://staging/pinecone/secret' --no-check",
)
@click.option("--name", help="Name of the profile; without this option, 'default'.")
@_credentials
@click.option("--default", "make_default", is_flag=True, help="Make this the default profile.")
@click.option("--no-check", "is_unchecked", is_flag=True, help="Save the credentials without trying them.")
@click.option("--overwrite", is_flag=True, help="Replace a profile of this name, and its secret file.")
def login(
    session: Session,
    *,
    name: str = "default",
    client_id: str | None = None,
    secret_command: str | None = None,
    host: str | None = None,
    oauth_url: str | None = None,
    make_default: bool,
    is_unchecked: bool,
    overwrite: bool,
) -> None:
    """Sign in as a service account, and save a profile.

    The command asks for the client id and the client secret, which is not shown, and tries them. The secret goes into a
    file that only you can read, unless --secret-command prints it. If no profile is the default, this one becomes it.

    Later commands with the profile work only on the organization that is found now, or on that of
    --expect-organization. With --no-check, none is found.
    """
    from attrs import evolve  # noqa: PLC0415 - loaded when it is run

    from pinecone_admin.cli.identity.client import expect_organization  # noqa: PLC0415 - as above
    from pinecone_admin.cli.identity.sources import (  # noqa: PLC0415 - as above
        find_overriding_variables,
        identity_of_profile,
        require_same_addresses,
    )
    from pinecone_admin.cli.profiles import files  # noqa: PLC0415 - as above
    from pinecone_admin.cli.profiles.login import (  # noqa: PLC0415 - as above
        ask_client_id,
        check_sources,
        obtain_secret,
        try_credentials,
    )
    from pinecone_admin.cli.profiles.profile import Profile, parse_profiles  # noqa: PLC0415 - as above

    path = files.find_profile_file()
    command = _split_command(secret_command)
    check_sources(session, client_id, command)
    profile = Profile(
        name=name,
        client_id=_NOT_TYPED_YET if client_id is None else client_id,
        api_url=host,  # the parameter is named as the argument of the client, for its errors
        oauth_url=oauth_url,
        secret_command=command,
        secret_file=None if command or path is None else str(files.find_secret_file(path, name)),
    )
    session.identity = expect_organization(session, identity_of_profile(profile))
    profile = evolve(profile, expect_organization=session.identity.expect_organization)
    files.check_profile(profile, env=session.env)
    require_same_addresses(session.identity, session.env, remedy="Add --api-url and --oauth-url")

    def put(text: str) -> str:
        is_first = parse_profiles(text, source="the profiles").default is None
        return files.put_profile(text, profile, make_default=make_default or is_first, overwrite=overwrite)

    put(files.read_profiles(path))  # before anybody types anything
    if client_id is None:
        profile = evolve(profile, client_id=ask_client_id(session))
        session.identity = evolve(session.identity, client_id=profile.client_id)
        files.check_profile(profile, env=session.env)
    secret = None if command and is_unchecked else obtain_secret(session, profile)
    if secret is not None and not is_unchecked:
        profile = try_credentials(session, profile, secret)
    beside = None
    if secret is not None and profile.secret_file is not None:
        beside = files.secret_written(Path(profile.secret_file), secret)
    profiles = _change_profiles(session, "create_profile", name, put, beside=beside)
    if session.is_interactive and (variables := find_overriding_variables(session.env)):
        session.warn(
            f"{variables[0]} is set in this shell, so commands do not use the default profile. Unset it, or "
            f"pass --profile {name}."
        )
    write_value(session, profile.to_document(is_default=profiles.default == name))


def _split_command(text: str | None) -> tuple[str, ...]:
    words = () if text is None else tuple(split_command(text, "--secret-command"))
    if text is not None and not (words and all(map(str.strip, words))):
        raise CLIError(f"--secret-command {'has an empty word' if words else 'needs a value, but is empty'}.")
    return words


def _change_profiles(
    session: Session,
    operation: str,
    name: str,
    change: Callable[[str], str],
    *,
    beside: AbstractContextManager[object] | None = None,
) -> Profiles:
    """Change the file of the profiles, and enter that in the ledger.

    Args:
        session: The session.
        operation: The change, such as ``create_profile``.
        name: Name of the profile.
        change: Function that returns the new text of the file.
        beside: A change of another file, as ``change_profiles`` takes it.
    """
    from pinecone_admin.cli.profiles import files  # noqa: PLC0415 - loaded when it is run

    session.interruptions.hold()  # once a file is replaced, nobody must be told that nothing was changed
    before, profiles = files.change_profiles(files.find_profile_file(), change, beside=beside)
    session.ledger.note_local_change(operation, name)
    session.ledger.is_complete = True
    if profiles.by_name and profiles.default is None and before.default is not None:
        session.notify("No profile is the default now. Choose one with profile use.")
    elif profiles.default != before.default and operation == "create_profile":
        session.notify(f"Profile {profiles.default} is the default now.")
    return profiles


@NOUN.session_command("reads", uses=(), example="pinecone-admin profile list")
def list_(session: Session) -> None:
    """List the saved profiles."""
    from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - loaded when it is run
    from pinecone_admin.cli.profiles.profile import Profile  # noqa: PLC0415 - as above

    profiles = load_profiles(find_profile_file())
    write_items(
        session,
        (each.to_document(is_default=name == profiles.default) for name, each in profiles.by_name.items()),
        kind=Profile.__name__,
    )


@NOUN.session_command("reads", uses=("profile",), example="pinecone-admin profile show production")
@argument(
    "name",
    "Name of the profile; if left out, that of --profile or PINECONE_ADMIN_PROFILE, or the default.",
    required=False,
    metavar="[NAME]",
    type=SavedProfile(),
)
def show(session: Session, *, name: str | None = None) -> None:
    """Show a saved profile, without its client secret."""
    from pinecone_admin.cli.identity.sources import read_profile_name  # noqa: PLC0415 - loaded when it is run
    from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - loaded when it is run

    profiles = load_profiles(find_profile_file())
    named = session.settings.get("profile")
    if None not in {name, named} and name != named:
        raise CLIError(f"Two profiles are named: {name} and {named}. Give only one of them.")
    profile = profiles.find(name or named or read_profile_name(session.env))
    write_value(session, profile.to_document(is_default=profile.name == profiles.default))


@NOUN.session_command(
    "reads",
    uses=("expect_organization",),
    example="pinecone-admin profile update production --client-id ExampleExampleExampleExample0001",
)
@argument("name", "Name of the profile.", metavar="NAME", type=SavedProfile())
@_credentials
def update(
    session: Session,
    *,
    name: str,
    client_id: str | None = None,
    secret_command: str | None = None,
    host: str | None = None,
    oauth_url: str | None = None,
) -> None:
    """Change a saved profile.

    To change the organization that the profile works on, add --expect-organization, which every command has. A new
    client secret needs login with --overwrite, which tries the secret.
    """
    from attrs import evolve  # noqa: PLC0415 - loaded when it is run

    from pinecone_admin.cli.profiles import files  # noqa: PLC0415 - as above
    from pinecone_admin.cli.profiles.profile import parse_profiles  # noqa: PLC0415 - as above

    given = {
        "client_id": client_id,
        "api_url": host,
        "oauth_url": oauth_url,
        "expect_organization": session.settings.get("expect_organization"),
    }
    changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if secret_command is not None:
        changed |= {"secret_command": _split_command(secret_command), "secret_file": None}
    unused: list[str] = []

    def put(text: str) -> str:  # given what is there under the lock, since another command may change it, too
        before = parse_profiles(text, source="the profiles").find(name)
        profile = evolve(before, **changed)
        files.check_profile(profile, env=session.env)
        unused.extend([] if profile.secret_file == before.secret_file else [str(before.secret_file)])
        return files.put_profile(text, profile, make_default=False, overwrite=True)

    profiles = _change_profiles(session, "update_profile", name, put)
    for each in unused:
        session.notify(f"The profile no longer uses {each}. Delete that file if nothing else does.")
    write_value(session, profiles.find(name).to_document(is_default=profiles.default == name))


@NOUN.session_command("reads", uses=(), example="pinecone-admin profile use production")
@argument("name", "Name of the profile.", metavar="NAME", type=SavedProfile())
def use(session: Session, *, name: str) -> None:
    """Make a saved profile the default.

    Commands use the default profile if no option and no variable names an account.
    """
    from pinecone_admin.cli.profiles import files  # noqa: PLC0415 - loaded when it is run

    _change_profiles(session, "update_profile", name, lambda text: files.make_default(text, name))
    write_value(session, {"done": "profile use", "name": name})


@NOUN.session_command("reads", uses=(), example="pinecone-admin profile remove production --yes")
@argument("name", "Name of the profile.", metavar="NAME", type=SavedProfile())
@click.option("--yes", "-y", **SETTING, is_flag=True, help="Do not ask before a secret file is deleted.")
def remove(session: Session, *, name: str) -> None:
    """Remove a saved profile, and the secret file that login wrote for it.

    The file may be the only copy of the client secret, so the command asks first.
    """
    from pinecone_admin.cli.calls.confirmation import Consent, ask  # noqa: PLC0415 - loaded when it is run
    from pinecone_admin.cli.profiles import files  # noqa: PLC0415 - as above

    path = files.find_profile_file()
    profile = files.load_profiles(path).find(name)
    own = None if path is None else files.find_secret_file(path, name)
    secret_file = own if own is not None and profile.secret_file == str(own) and own.exists() else None
    if secret_file is not None:
        note = f"This deletes {secret_file}, which may be the only copy of the client secret of profile {name}."
        ask(session, Consent(what=f"profile remove {name}", notes=[note], is_local=True))
    beside = None if secret_file is None else files.secret_deleted(secret_file)
    _change_profiles(session, "delete_profile", name, lambda text: files.remove_profile(text, profile), beside=beside)
    write_value(session, {"done": "profile remove", "name": name})
