"""The commands ``help``, ``explain`` and ``completion``."""

from __future__ import annotations

from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.commands import PROGRAM, ROOT, Noun, argument, load_commands
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.help.explanations import find_explanation, list_explanations
from pinecone_admin.cli.help.topics import TOPICS, summarize_topic
from pinecone_admin.cli.nouns import NOUNS
from pinecone_admin.cli.output.writing import write_items, write_value
from pinecone_admin.cli.parameters import Choice, suggest
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import NotFoundError


def _complete_word(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    found: click.Command | None = ROOT
    for word in context.params.get("words") or ():
        found = found.get_command(context, word) if isinstance(found, Noun) else None
    below: Mapping[str, str] = found.summaries() if isinstance(found, Noun) else {}
    topics = {name: summarize_topic(name) for name in TOPICS} if found is ROOT else {}
    return [
        CompletionItem(word, help=text) for word, text in {**topics, **below}.items() if word.startswith(incomplete)
    ]


@ROOT.session_command("reads", example="pinecone-admin help exit-codes")
@argument(
    "words",
    "Topic, or words of a command; without any, the topics are listed.",
    metavar="[TOPIC|COMMAND]",
    nargs=-1,
    shell_complete=_complete_word,
)
def help_(session: Session, *, words: tuple[str, ...] = ()) -> None:
    """Show a topic, or the help of a command."""
    words = tuple(word for each in words for word in each.split())
    if not words:
        width = max(map(len, TOPICS)) + 2
        topics = "".join(f"  {name:{width}}{summarize_topic(name)}\n" for name in TOPICS)
        session.stdout.write(
            f"Topics, each shown by pinecone-admin help TOPIC:\n\n{topics}\nOf a command: pinecone-admin help COMMAND\n"
        )
    elif len(words) == 1 and words[0] in TOPICS:
        session.stdout.write(TOPICS[words[0]])
    else:
        session.stdout.write(_render_command(click.get_current_context(), words))


def _render_command(context: click.Context, words: tuple[str, ...]) -> str:
    place = context.find_root()
    found = place.command
    rest = list(words)
    while rest:
        if isinstance(found, Noun):
            rest[:1] = found.find_alias(rest[0], found.list_commands(place))
        word = rest.pop(0)
        below = found.get_command(place, word) if isinstance(found, click.Group) else None
        if below is None:
            known = [*TOPICS, *NOUNS, *(each.full_name for each in load_commands())]
            advice = suggest(" ".join(words), known, otherwise="All topics: pinecone-admin help.")
            message = f"There is no topic or command {' '.join(words)}. {advice}"
            raise CLIError(message, cause=NotFoundError, is_local=True)
        found, place = below, below.context_class(below, parent=place, info_name=word)
    return f"{found.get_help(place)}\n"


def _complete_code(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    begun = incomplete.casefold()
    return [
        CompletionItem(explanation.code, help=explanation.meaning)
        for explanation in list_explanations()
        if explanation.code.casefold().startswith(begun)
    ]


@ROOT.session_command("reads", example="pinecone-admin explain PA205")
@argument(
    "code",
    "Such as PA205, 5 or many-owners; without one, all are listed.",
    required=False,
    metavar="[CODE]",
    shell_complete=_complete_code,
)
def explain(session: Session, *, code: str | None = None) -> None:
    """Explain the code of an error, exit or finding.

    Most errors end with a code, such as [PA205]. The output shows what the code means, and what to do.
    """
    if code is None:
        write_items(session, ({"code": each.code, "meaning": each.meaning} for each in list_explanations()))
        return
    found = find_explanation(code.removeprefix("[").removesuffix("]"))  # as errors end in it
    if found is None:
        # The number of an error is not misspelt but another one.
        known = [each.code for each in list_explanations() if not each.code.startswith("PA")]
        advice = suggest(code, known, otherwise="To list all codes, run pinecone-admin explain.")
        message = f"There is no code {quote_name(code)}. {advice}"
        raise CLIError(message, cause=NotFoundError, is_local=True)
    if session.output == "table" and session.settings.get("query") is None:
        lines = (f"{found.code}: {found.meaning}", found.reason, f"What to do: {found.remedy}")
        from pinecone_admin.cli.output.tables import write_sentences  # noqa: PLC0415 - a topic needs no tables

        write_sentences(session, filter(None, lines))
    else:
        write_value(session, found._asdict())


@ROOT.session_command("reads", example="pinecone-admin completion bash")
@argument("shell", "bash, zsh or fish.", type=Choice(("bash", "zsh", "fish")), metavar="SHELL")
def completion(session: Session, *, shell: str) -> None:
    """Print the script with which a shell completes commands.

    In ~/.bashrc: eval "$(pinecone-admin completion bash)". In ~/.zshrc the same with zsh. Fish reads its file from
    ~/.config/fish/completions/pinecone-admin.fish. Other shells, such as PowerShell, have no completion.
    """
    from pinecone_admin.cli.completion import build_script  # noqa: PLC0415 - only this command needs it

    session.stdout.write(build_script(shell, PROGRAM))
