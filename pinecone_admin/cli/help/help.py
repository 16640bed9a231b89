"""The command ``help``: pages about topics, and the help of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.help.topics import TOPICS, summarize_topic
from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


_WORDS = Positional(
    "words",
    text="Topic, or words of a command; without any, the topics are listed.",
    metavar="[TOPIC|COMMAND]",
    nargs=-1,
)


@click.command(params=[_WORDS])
@click.pass_context
def command(context: click.Context, /, words: tuple[str, ...]) -> None:
    """Show a topic, the help of a command, or the list of topics."""
    session: Session = context.obj
    if not words:
        session.stdout.write(_list_topics())
    elif len(words) == 1 and words[0] in TOPICS:
        session.stdout.write(TOPICS[words[0]])
    else:
        session.stdout.write(_render_command(context.find_root(), words))


def _list_topics() -> str:
    width = max(map(len, TOPICS)) + 2
    topics = "".join(f"  {name:{width}}{summarize_topic(name)}\n" for name in TOPICS)
    return f"Topics, each shown by pinecone-admin help TOPIC:\n\n{topics}\nOf a command: pinecone-admin help COMMAND\n"


def _render_command(root: click.Context, words: tuple[str, ...]) -> str:
    found, context = root.command, root
    for word in words:
        below = found.get_command(context, word) if isinstance(found, click.Group) else None
        if below is None:
            raise click.UsageError(
                f"there is no topic or command {' '.join(words)!r}: the topics are {', '.join(TOPICS)}"
            )
        found, context = below, click.Context(below, parent=context, info_name=word)
    return f"{found.get_help(context)}\n"
