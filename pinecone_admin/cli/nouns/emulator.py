"""The command ``emulator``: serve an organization to try things with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pinecone_admin.cli.commands import ROOT, argument
from pinecone_admin.cli.parameters import Choice, Count
from pinecone_admin.cli.session import Session


@ROOT.by_hand("reads", example='eval "$(pinecone-admin emulator --format env --background)"')
@click.option("--host", metavar="ADDRESS", help="Address to listen on; by default, 127.0.0.1.")
@click.option("--port", type=Count(0, 65_535), help="Port to listen on; by default, any free one.")
@click.option("--state", metavar="FILE", help="File to load at the start, if it exists, and to write at the end.")
@click.option(
    "--plan",
    type=Choice(("Free", "Standard", "Enterprise", "Dedicated")),
    help="Plan of the organization; by default, that of the file, or Enterprise.",
)
@click.option(
    "--permissions",
    type=Choice(("published", "open")),
    help="Which permissions are enforced; by default, those of the file, or published.",
)
@click.option(
    "--token-lifetime",
    type=Count(1),
    metavar="SECONDS",
    help="How long tokens live; by default, as in the file, or 1800.",
)
@click.option("--seed", type=int, metavar="N", help="Make ids and secrets the same in every run.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that other machines can reach.")
@click.option(
    "--format",
    "form",
    type=Choice(("json", "env")),
    default="json",
    help="Say where it listens: as a line of JSON, which is the default, or as commands for a shell.",
)
@click.option("--background", is_flag=True, help="Return once it listens; it ends when this shell does.")
@click.option("--advertise", metavar="URL", help="URL to print in place of the address that it listens on.")
@click.option("--client-id", metavar="ID", help="Client id of the owner, or @FILE; by default, a new one.")
@click.option("--client-secret", metavar="SECRET", help="Its secret, or @FILE; by default, a new one.")
@click.option("--tls", is_flag=True, help="Serve the production addresses over TLS, too; needs the extra tls.")
@click.option("--tls-port", type=Count(0, 65_535), help="Port for TLS; by default, any free one.")
@click.option("--ca-file", metavar="FILE", help="Where to write the certificate that clients have to trust.")
@argument(
    "command",
    "After --, a command to run with no network but the emulator, at the production addresses, with --tls on Linux.",
    nargs=-1,
    metavar="[COMMAND …]",
)
def emulator(session: Session, *, form: str, background: bool, command: Sequence[str] = (), **options: Any) -> None:
    """Serve an organization on this machine, to try things without an account.

    The example starts an emulator that ends with the shell; if it cannot start, the line fails. Without --background,
    the command serves until it is stopped, and says where it listens. It needs the extra emulator.

    pinecone-admin send GET /_emulator lists what else it can do: add faults and users, accept invites, and put its
    clock forward.

    The variables PINECONE_EMULATOR_CLIENT_ID and PINECONE_EMULATOR_CLIENT_SECRET say the same as the two options, so
    that no secret has to be on a command line.
    """
    from pinecone_admin.cli.emulator.background import serve  # noqa: PLC0415 - loads the emulator

    if command and background:
        raise click.UsageError(
            "An emulator that runs a COMMAND ends with it, so --background has no place here. Leave it out."
        )
    spelled = {f"--{name.replace('_', '-')}": value for name, value in options.items() if value is not False}
    arguments = [word for name, value in spelled.items() for word in ((name,) if value is True else (name, f"{value}"))]
    serve(session, [*arguments, *(("--", *command) if command else ())], form=form, background=background)
