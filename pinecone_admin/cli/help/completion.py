"""The command ``completion``, and what a shell asks for when somebody presses the tab key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click import shell_completion

from pinecone_admin.cli.parameters import Choice, Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PINECONE_ADMIN_COMPLETE"
"""The scripts of click call the program with this variable; it then prints words and sends nothing."""


@click.command(params=[Positional("shell", text="bash, zsh or fish.", type=Choice(SHELLS), metavar="SHELL")])
@click.pass_obj
def command(session: Session, /, shell: str) -> None:
    """Print the completion script of a shell."""
    kind = shell_completion.get_completion_class(shell)
    if kind is not None:
        session.stdout.write(kind(click.Command("pinecone-admin"), {}, "pinecone-admin", VARIABLE).source() + "\n")


def complete_words(session: Session, root: click.Command) -> int:
    """Print the words that can come next for the shell that asks for them, and return the exit code."""
    context: dict[str, Any] = {"obj": session}
    return shell_completion.shell_complete(root, context, "pinecone-admin", VARIABLE, session.env[VARIABLE])
