"""The reference of the command line: directives that document its commands, common options and topics of the help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import dedent

import click
from code_width import WIDTH
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from pinecone_admin.cli.commands import PROGRAM, ROOT, Command, load_commands
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


class CommandReference(SphinxDirective):
    """Document the commands that its arguments name by their first words, such as ``api-key`` or ``apply``."""

    required_arguments = 1
    optional_arguments = 99

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        context = click.Context(ROOT, info_name=PROGRAM)
        return [each for word in self.arguments for each in describe_commands(word, context)]


class CommandOptions(SphinxDirective):
    """Document the options that all commands have."""

    def run(self) -> list[nodes.Node]:
        """Return a list of them."""
        return [define(list_options(ROOT, click.Context(ROOT, info_name=PROGRAM), set()))]


class CommandTopics(SphinxDirective):
    """Document the topics of the help."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each topic."""
        return [write_section(name, *write_topic(text)) for name, text in TOPICS.items()]


def describe_commands(word: str, context: click.Context) -> Iterator[nodes.section]:
    """Yield a section for each command of a group, or one for a command outside of the groups."""
    common = {"--help", *(name for option in ROOT.params for name in option.opts)}
    command = ROOT.get_command(context, word)
    if isinstance(command, click.Group):
        below = click.Context(command, info_name=word, parent=context)
        for each in command.list_commands(below):
            found = command.get_command(below, each)
            if isinstance(found, Command):
                yield describe_command(found, below, each, common)
    elif isinstance(command, Command):
        yield describe_command(command, context, word, common)


def describe_command(command: Command, parent: click.Context, word: str, common: set[str]) -> nodes.section:
    """Return a section with the help of a command."""
    context = click.Context(command, info_name=word, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    return write_section(
        context.command_path.removeprefix(f"{PROGRAM} "),
        *write_paragraphs(command.help),
        nodes.literal_block(usage, usage, language="text", classes=["usage"]),  # it breaks where it has no room
        define(list_options(command, context, common)),
        nodes.paragraph("", "Example:"),
        write_code(break_command(command.example)),
    )


def list_options(command: click.Command, context: click.Context, common: set[str]) -> Definitions:
    """Yield the arguments and options of a command, each with its help, but for those that all commands have."""
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument):
            yield parameter.make_metavar(context), getattr(parameter, "text", "")
        elif (record := parameter.get_help_record(context)) and not common.intersection(parameter.opts):
            yield record


def write_section(title: str, *children: nodes.Node) -> nodes.section:
    """Return a section, whose hyphens stay hyphens: they are those of options."""
    return nodes.section("", nodes.title("", title), *children, ids=[nodes.make_id(title)], support_smartquotes=False)


def write_paragraphs(text: str | None) -> list[nodes.paragraph]:
    """Return the paragraphs of a help."""
    return [mark_code(" ".join(each.split())) for each in (text or "").split("\n\n") if each.strip()]


def write_topic(text: str) -> Iterator[nodes.Node]:
    """Yield the paragraphs of a topic, and its indented parts as lists of terms or as code."""
    for part in text.rstrip().split("\n\n"):
        if not part.startswith(" "):
            yield from write_paragraphs(part)
        elif ENTRY.sub("", part):
            yield write_code(dedent(part), "text")
        else:
            yield define((term, " ".join(meaning.split())) for term, meaning in ENTRY.findall(part))


def mark_code(text: str) -> nodes.paragraph:
    """Return a paragraph whose commands, options and values are marked as code."""
    marked = nodes.paragraph()
    end = 0
    for found in CODE.finditer(text):
        marked += [nodes.Text(text[end : found.start()]), nodes.literal("", found[0])]
        end = found.end()
    marked += nodes.Text(text[end:])
    return marked


def write_code(text: str, language: str = "sh") -> nodes.literal_block:
    """Return lines as they are."""
    return nodes.literal_block(text, text, language=language)


def break_command(command: str) -> str:
    """Return a command on as many lines as it needs, each of which but the first begins with an option."""
    lines = [""]
    for part in re.split(r" (?=--)", command):
        if len(f"{lines[-1]} {part} \\") > WIDTH:
            lines.append("   ")
        lines[-1] += f" {part}"
    return " \\\n".join(lines)[1:]


def define(entries: Definitions) -> nodes.definition_list:
    """Return a list of terms with their meanings."""
    items = nodes.definition_list()
    for term, meaning in entries:
        items += nodes.definition_list_item(
            "", nodes.term("", "", nodes.literal("", term)), nodes.definition("", mark_code(meaning))
        )
    return items


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.add_directive("command-reference", CommandReference)
    app.add_directive("command-options", CommandOptions)
    app.add_directive("command-topics", CommandTopics)
    return {"parallel_read_safe": True}
