"""The command ``help``: pages about topics, and the help of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from pinecone_admin.cli.commands import COMMANDS
from pinecone_admin.cli.help.topics import TOPICS, summarize_topic
from pinecone_admin.cli.parameters import Positional, find_nearest
from pinecone_admin.cli.registry import NOUNS, find_command, list_below

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


def _complete_word(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    words: tuple[str, ...] = context.params.get("words") or ()
    below = [CompletionItem(word, help=_summarize((*words, word))) for word in list_below(words, COMMANDS)]
    topics = [] if words else [CompletionItem(name, help=summarize_topic(name)) for name in TOPICS]
    return [each for each in (*topics, *below) if each.value.startswith(incomplete)]


def _summarize(path: tuple[str, ...]) -> str:
    spec = find_command(path, COMMANDS)
    return NOUNS[path[0]] if spec is None else spec.summary


_WORDS = Positional(
    "words",
    text="Topic, or words of a command; without any, the topics are listed.",
    metavar="[TOPIC|COMMAND]",
    nargs=-1,
    shell_complete=_complete_word,
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
            raise click.UsageError(f"there is no topic or command {' '.join(words)!r}: {_advise(words)}")
        found, context = below, click.Context(below, parent=context, info_name=word)
    return f"{found.get_help(context)}\n"


def _advise(words: tuple[str, ...]) -> str:
    nearest = find_nearest(" ".join(words), [*TOPICS, *NOUNS, *(each.name for each in COMMANDS)])
    return f"did you mean {nearest}?" if nearest else f"the topics are {', '.join(TOPICS)}"
