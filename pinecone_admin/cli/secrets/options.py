"""The options of the commands that make a secret, and the place that they name for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import build_setting
from pinecone_admin.cli.registry import CommandSpec

if TYPE_CHECKING:
    from pinecone_admin.cli.secrets.stores import SecretStore
    from pinecone_admin.cli.session import Session

STORE_FORMS = "env-file:PATH#NAME, file:PATH or exec:COMMAND"
_STORE_KEY = "Where to store the secret: env-file:PATH#NAME, file:PATH, or exec:COMMAND, which gets it on stdin."
_STORE_ACCOUNT = (
    "Where to store the secret and the client id: env-file:PATH#NAME, where the id is named like NAME, with ID for "
    "SECRET; file:PATH; or exec:COMMAND, which gets the secret on stdin."
)


def secret_options(spec: CommandSpec) -> list[click.Parameter]:
    """Return the options of every command that makes a secret."""
    if not spec.secret:
        return []
    return destination_options(
        store=_STORE_ACCOUNT if is_for_account(spec) else _STORE_KEY, reveal="Show the secret instead of storing it."
    )


def destination_options(*, store: str, reveal: str) -> list[click.Parameter]:
    """Return the options that say where a secret goes, with the helps of the first two."""
    return [
        build_setting(["--store"], metavar="PLACE", help=store),
        build_setting(["--reveal"], is_flag=True, help=reveal),
        build_setting(["--allow-group"], is_flag=True, help="Let --store use a file that its group can read."),
    ]


def check_destination(session: Session, spec: CommandSpec) -> None:
    """Raise CLIError, before anything is sent, unless the secret that a command makes has somewhere to go."""
    if not spec.secret:
        return
    given, reveal = session.settings.get("store"), session.settings.get("reveal")
    if given is not None and reveal:
        raise CLIError("give either --store or --reveal, not both")
    if given is not None or reveal:
        _check(find_store(session, spec), session, spec)
    elif not session.is_dry_run:
        raise CLIError(
            "this makes a secret, which is shown only once: "
            f"give --store {STORE_FORMS} to store it, or --reveal to show it"
        )


def find_store(session: Session, spec: CommandSpec) -> SecretStore:
    """Return the place for a secret that the options name: stdout, or a store.

    Raises:
        CLIError: They name none.
    """
    from pinecone_admin.cli.secrets.standard_output import StandardOutput  # noqa: PLC0415 - only these commands need it
    from pinecone_admin.cli.secrets.store_error import StoreError  # noqa: PLC0415 - as above
    from pinecone_admin.cli.secrets.stores import parse_store  # noqa: PLC0415 - as above

    if session.settings.get("reveal"):
        # Of what exists already, ensure shows no secret.
        outcome = {"created": True} if spec.path[-1] == "ensure" else {}
        is_nested = spec.path[-1] == "provision"  # its output is about more than the key
        return StandardOutput(session, is_for_account=is_for_account(spec), is_nested=is_nested, outcome=outcome)
    allow_group = bool(session.settings.get("allow_group"))
    try:
        return parse_store(
            session.settings["store"],
            allow_group=allow_group,
            replaces=spec.path[-1].startswith("rotate"),
            is_for_account=is_for_account(spec),
            interruptions=session.interruptions,
        )
    except StoreError as error:
        raise CLIError(f"--store: {error}") from error


def is_for_account(spec: CommandSpec) -> bool:
    """Return whether the secret of a command belongs to a service account, and not to an API key."""
    return spec.secret == "service-account"  # noqa: S105 - a kind of secret


def _check(store: SecretStore, session: Session, spec: CommandSpec) -> None:
    from pinecone_admin.cli.secrets.store_error import StoreError  # noqa: PLC0415 - only these commands need it
    from pinecone_admin.cli.secrets.stores import ReadableFileStore  # noqa: PLC0415 - as above

    try:
        store.check()
        if isinstance(store, ReadableFileStore) and (remark := store.describe_replacement()) is not None:
            session.notify(remark)
        if spec.path[-1] == "create":  # others may find that the secret was made and stored by an earlier run
            store.check_unused()
    except StoreError as error:
        option = "--reveal" if session.settings.get("reveal") else "--store"
        raise CLIError(f"{option}: {error}", says_if_unchanged=True) from error
