"""The command ``emulator``: serve an organization to try things with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from pinecone_admin.cli.commands import ROOT, argument
from pinecone_admin.cli.parameters import Choice
from pinecone_admin.cli.session import Session
from pinecone_admin.emulator.options import COMMAND, OPTIONS


def _options(function: Callable[..., object]) -> Callable[..., object]:
    """Add the emulator's own options, whose values it reads itself."""
    for option in reversed(OPTIONS):
        kind: dict[str, Any] = {"metavar": option.metavar} if option.metavar else {"is_flag": True}
        if option.choices:
            kind = {"type": Choice(option.choices), "metavar": option.metavar or None}
        function = click.option(option.name, **kind, help=option.text)(function)
    return function


@ROOT.session_command(
    "reads", topics=("emulator-control",), example='eval "$(pinecone-admin emulator --format env --background)"'
)
@_options
@click.option("--background", is_flag=True, help="Return once it listens; it ends with this shell.")
@argument("command", COMMAND, nargs=-1, metavar="[-- COMMAND…]")
def emulator(session: Session, *, background: bool, command: Sequence[str] = (), **options: Any) -> None:
    """Serve an organization on this machine, to try things.

    The example starts an emulator that ends with the shell. Without --background, it serves until you stop it. Others
    can see --client-secret in a command line. Use @FILE or PINECONE_EMULATOR_CLIENT_SECRET instead.
    """
    from pinecone_admin.cli.emulator.background import serve  # noqa: PLC0415 - loads the emulator

    if command and background:
        raise click.UsageError(
            "An emulator that runs a COMMAND ends with it, so --background has no place here. Leave it out."
        )
    form = options.pop("format", "json")  # in the background, of what is printed here
    spelled = {f"--{name.replace('_', '-')}": value for name, value in options.items() if value is not False}
    arguments = [name if value is True else f"{name}={value}" for name, value in spelled.items()]
    serve(session, [*arguments, *(("--", *command) if command else ())], form=form, background=background)
