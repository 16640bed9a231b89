"""The page of the command line: the commands that the program has, their options, and the topics of its help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import dedent

import click

from documentation.docstrings import break_lines, render_item
from documentation.entries import WIDTH
from pinecone_admin.cli.commands import PROGRAM, ROOT, Command, load_commands, make_root_context
from pinecone_admin.cli.help.topics import TOPICS

Definitions = Iterable[tuple[str, str]]

_NAMES = sorted((each.full_name for each in load_commands() if each.path[1:]), reverse=True)
CODE = re.compile(
    r"(?:\baccess )?--[a-z][\w-]*(?: update\b| [A-Z]{2,}(?:,[A-Z]+)*\b)?|@FILE"
    r"|\b(?:env-file|file|exec):[A-Z#]+|\b[A-Z]+(?::[A-Z]+)+\b|\buser:[\w@.]+(?::\w+)+"
    r"|\bPINECONE_\w*(?:=1)?|\b[A-Z]+(?:_[A-Z]+)+\b(?:=1)?"
    r"|(?<![\w.])[~/][\w./-]*\w|\beval \"[^\"]+\""
    rf"|\bpinecone-admin (?:{'|'.join(_NAMES)}|(?:(?:help|explain) )?[\w-]+)(?: [A-Z/][\w/]*)*"
    rf"|(?<!\ba )\b(?:{'|'.join(_NAMES)})\b(?: FILE)?"
)
"""What is code in a help text: options, values, variables, paths and commands."""

ENTRY = re.compile(r"  (\S+(?: \S+)*)(?:  +|\n {6,})(\S.*(?:\n {6,}.*)*)(?:\n|$)")
"""A term of a topic, with its meaning beside or below it."""


def render_commands(words: Iterable[str]) -> Iterator[str]:
    """Yield a section for each command, which a word names alone or, as a noun, with the others of its group."""
    context = make_root_context()
    common = {"--help", *(name for option in ROOT.params for name in option.opts)}
    for word in words:
        command = ROOT.get_command(context, word)
        if isinstance(command, click.Group):
            below = click.Context(command, info_name=word, parent=context)
            for name in command.list_commands(below):
                yield render_command(command.get_command(below, name), below, name, common)
        else:
            yield render_command(command, context, word, common)


def render_command(command: click.Command | None, parent: click.Context, word: str, common: set[str]) -> str:
    """Return a section with the help of a command."""
    if not isinstance(command, Command):
        raise TypeError(f"{word} is no command of {PROGRAM}")
    context = click.Context(command, info_name=word, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    return "\n".join(
        [
            f"## {context.command_path.removeprefix(f'{PROGRAM} ')}\n",
            *list_paragraphs(command.help),
            f"```text\n{usage}\n```\n",
            render_list(list_options(command, context, common)),
            f"Example:\n\n```sh\n{break_command(command.example)}\n```\n",
            *(f"See also `{PROGRAM} help {topic}`.\n" for topic in command.topics),
        ]
    )


def render_common_options() -> str:
    """Return a list of the options that all commands have."""
    return render_list(list_options(ROOT, make_root_context(), set()))


def render_topics() -> Iterator[str]:
    """Yield a section for each topic of the help."""
    for name, text in TOPICS.items():
        yield f"## {name}\n"
        yield from render_topic(text)


def list_options(command: click.Command, context: click.Context, common: set[str]) -> Definitions:
    """Yield the arguments and options of a command, each with its help, without those that all commands have."""
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument):
            yield parameter.make_metavar(context), parameter.help or ""
        elif (record := parameter.get_help_record(context)) and not common.intersection(parameter.opts):
            yield record


def list_paragraphs(text: str | None) -> list[str]:
    """Return the paragraphs of a help."""
    return [break_lines(mark_code(" ".join(each.split()))) for each in (text or "").split("\n\n") if each.strip()]


def render_topic(text: str) -> Iterator[str]:
    """Yield the paragraphs of a topic, and its indented parts as lists of terms or as code."""
    for part in text.rstrip().split("\n\n"):
        if not part.startswith(" "):
            yield from list_paragraphs(part)
        elif ENTRY.sub("", part):
            yield f"```text\n{dedent(part)}\n```\n"
        else:
            yield render_list((term, " ".join(meaning.split())) for term, meaning in ENTRY.findall(part))


def mark_code(text: str) -> str:
    """Return a text whose commands, options and values are marked as code."""
    return CODE.sub(r"`\g<0>`", text)


def break_command(command: str) -> str:
    """Return a command on as many lines as it needs, each of which but the first begins with an option."""
    lines = [""]
    for part in re.split(r" (?=--)", command):
        if len(f"{lines[-1]} {part} \\") > WIDTH:
            lines.append("   ")
        lines[-1] += f" {part}"
    return " \\\n".join(lines)[1:]


def render_list(entries: Definitions) -> str:
    """Return a list of terms with their meanings."""
    return "".join(render_item(f"`{term}`", mark_code(meaning)) for term, meaning in entries)
