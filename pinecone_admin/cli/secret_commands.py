"""Deliver the secrets that commands make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

import click

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import build_setting
from pinecone_admin.cli.registry import CommandSpec

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


def secret_options(spec: CommandSpec) -> list[click.Parameter]:
    """Return the options of every command that makes a secret."""
    return [build_setting(["--reveal"], is_flag=True, help="Show the secret.")] if spec.secret else []


def check_destination(session: Session, spec: CommandSpec) -> None:
    """Raise CLIError, before anything is sent, unless the secret that a command makes has somewhere to go."""
    if spec.secret and not session.is_dry_run and not session.settings.get("reveal"):
        raise CLIError("this makes a secret, which is shown only once: give --reveal")


def call_with_secret(
    session: Session,  # noqa: ARG001 - it has the options
    spec: CommandSpec,  # noqa: ARG001 - it says what kind of secret it is
    method: Callable[..., Any],
    arguments: Mapping[str, Any],
) -> object:
    """Call the method that makes a secret, deliver the secret, and return what to write."""
    from pinecone_admin.models import to_dict  # noqa: PLC0415 - loads the models

    kept = list[Any]()
    takes_store = "store" in signature(method).parameters
    result = method(**arguments, store=kept.append) if takes_store else method(**arguments)
    return to_dict(kept[0] if kept else result, reveal=True)
