"""The command of ``each``: its words are read once, and the values of each row fill its placeholders.

Which word is an option, and which is a value, is decided before a placeholder is filled. So no value of a row becomes
an option or a second word.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from math import isfinite
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import click

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.bulk.row_files import Row
from pinecone_admin.cli.commands import PROGRAM, ROOT, Command, CommonOption, Noun
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.formats import is_list
from pinecone_admin.cli.parameters import OWNER_PLACEHOLDERS, check_options, protect_ids, suggest
from pinecone_admin.cli.placeholder_syntax import Placeholder, Word, escape, names_of, parse_word
from pinecone_admin.cli.session import Session

_NOT_FOR_ROWS = frozenset({"apply", "each", "emulator", "run", "token"})
_FOR_ALL_ROWS = frozenset({"yes", "dry_run"})
"""Options of many commands that stand before ``--``, beside those of every command."""
_READS_STDIN = frozenset({"-", "@-"})

_IN_JSON = re.compile(r"\{[^{}\[\]\"'`:]+\}")
"""A placeholder in a text that has braces of its own."""


def read_value(row: Row, column: str) -> str:
    """Return a value of a row as it would be typed.

    Raises:
        CLIError: There is none, or it cannot be typed.
    """
    if row.problem:
        raise CLIError(row.problem)
    if column not in row.values:
        raise unknown_column(column, list(row.values))
    value = row.values[column]
    if isinstance(value, dict | list):
        raise CLIError(f"the value of column {column} is not text")
    if value is None:
        raise CLIError(f"the value of column {column} is null")
    if isinstance(value, float) and not isfinite(value):  # such as 1e400
        raise CLIError(f"the value of column {column} is too large, or not a number")
    text = value if isinstance(value, str) else json.dumps(value)
    if re.search("[\0\ud800-\udfff]", text):
        raise CLIError(f"the value of column {column} has a character that cannot be typed")
    return text


def unknown_column(column: str, columns: Sequence[str]) -> CLIError:
    """Return the error for a placeholder whose column does not exist."""
    return CLIError(
        f"{{{column}}}: there is no such column: {suggest(column, columns) if columns else 'there is none'}"
    )


class Slot(NamedTuple):
    """A value of the command.

    Attributes:
        name: Name of its parameter.
        option: The option whose value it is; empty for a positional one.
        words: One word, or those of a command that it runs.
        prefix: What stands before the words of such a command.
        convert: Returns a value of a row as it stands in the words, or raises CLIError.
        known: Placeholders that the command itself fills, unless the row has a column of that name.
    """

    name: str
    option: str
    words: Sequence[Word]
    prefix: str = ""
    convert: Callable[[str], str] = str
    known: Sequence[str] = ()

    def fill(self, row: Row) -> str:
        """Return the value for a row.

        Raises:
            CLIError: A value of the row has no place here.
        """
        words = ["".join(self._fill_part(part, row) for part in word) for word in self.words]
        text = self.prefix + shlex.join(words) if self.prefix else words[0]
        if text in _READS_STDIN:
            raise CLIError(f"{text!r} would read standard input, which rows cannot do")
        if self.option and text.startswith("-") and isinstance(self.words[0][0], Placeholder):
            raise CLIError(f"{self.option}: {text!r} begins with a dash")
        return text

    def _fill_part(self, part: str | Placeholder, row: Row) -> str:
        if isinstance(part, str):
            return escape(part) if self.known else part
        if part.name in self.known and part.name not in row.values:
            return f"{{{part.name}}}"
        value = self.convert(read_value(row, part.name))
        return escape(value) if self.known else value


def _make_slot(param: click.Parameter, text: str) -> Slot:
    name = str(param.name)
    option = param.opts[0] if isinstance(param, click.Option) else ""
    if name == "store":
        return _make_store_slot(text)
    is_json = name == "body" and not text.startswith("@")
    if is_json or name in {"client_id", "secret_command", "host", "oauth_url"}:  # which decide who signs in
        refuse_placeholders(option, text)
    if name == "path":  # of a URL
        return Slot(name, option, [parse_word(text)], convert=_quote_segment)
    return Slot(name, option, [[text] if is_json else parse_word(text)])


def _quote_segment(value: str) -> str:
    return quote(value, safe="")


def refuse_placeholders(option: str, text: str) -> None:
    """Raise CLIError if a text that may have braces of its own has a placeholder."""
    found = _IN_JSON.search(text)
    if found is not None:
        raise CLIError(f"{option} takes no placeholder such as {found[0]}")


def _make_store_slot(text: str) -> Slot:
    form, colon, rest = text.partition(":")
    if not colon or "{" in form:
        raise CLIError("--store: its form, such as file:, is written without a placeholder")
    try:
        words = [parse_word(word) for word in shlex.split(rest)] if form == "exec" else [parse_word(text)]
    except ValueError as error:
        raise CLIError(f"--store: the command cannot be split into words: {error}") from error
    if not names_of(words) - {"kind"}:
        raise CLIError("--store: the secret of each row needs a place of its own: write {COLUMN} in it")
    convert = partial(_check_store_value, is_in_env_file=form == "env-file")
    prefix = f"{form}:" if form == "exec" else ""
    return Slot("store", "--store", words, prefix=prefix, convert=convert, known=OWNER_PLACEHOLDERS)


def _check_store_value(value: str, *, is_in_env_file: bool) -> str:
    from pinecone_admin.cli.secrets.store_template import find_problem_of_value  # noqa: PLC0415 - few commands need it

    if problem := find_problem_of_value(value, is_in_env_file=is_in_env_file):
        raise CLIError(f"--store: {value!r} {problem}, so it cannot be a part of a place.")
    return value


class Template(NamedTuple):
    """A command with placeholders.

    Attributes:
        command: The command.
        options: Its options in the order in which they were written, each with the places of its values.
        arguments: The places of its positional values.
        changes: Whether it changes something.
        deletes: Whether it may delete something.
        store: The places of the secrets of all rows, if it makes any.
    """

    command: Command
    options: Sequence[str | Slot]
    arguments: Sequence[Slot]
    changes: bool
    deletes: bool
    store: str | None

    @property
    def slots(self) -> list[Slot]:
        """The places of all values."""
        return [*(each for each in self.options if isinstance(each, Slot)), *self.arguments]

    @property
    def columns(self) -> set[str]:
        """The columns that it needs."""
        return {column for each in self.slots for column in names_of(each.words) - {*each.known}}

    def fill(self, row: Row) -> list[str]:
        """Return the words of the command for a row.

        Raises:
            CLIError: A value of the row has no place where it belongs.
        """
        options = [each.fill(row) if isinstance(each, Slot) else each for each in self.options]
        return [*self.command.path, *options, "--", *(each.fill(row) for each in self.arguments)]

    def show(self, row: Row) -> str:
        """Return the command for a row as a person would type it, or what is wrong with the row."""
        try:
            words = self.fill(row)
        except CLIError as error:
            return f"(row {row.number}: {error.message})"
        behind = words[words.index("--") + 1 :]
        if not any(word.startswith("-") for word in behind):
            words.remove("--")
        return make_printable(shlex.join(words))


def read_template(session: Session, words: Sequence[str]) -> Template:
    """Return the command that words with placeholders say.

    Args:
        session: The session of ``each``.
        words: The words.

    Raises:
        CLIError: There is something that rows cannot have, or no placeholder.
        click.UsageError: There is no such command, option or constant value.
    """
    command, context, rest = _find_command(words)
    context.obj = copy(session)
    context.obj.settings = {}
    if any(word.partition("=")[0] == "--confirm" for word in rest):
        raise CLIError("--confirm stands before --, with the number of rows that may be deleted.")
    rest = protect_ids(rest, command.params)
    check_options(command, context, rest)
    values, extra, order = command.make_parser(context).parse_args(list(rest))
    if extra:
        raise click.UsageError(f"unexpected argument {extra[0]!r}", context)
    template = _place_values(command, values, order)
    if not any(names_of(each.words) for each in template.slots):
        raise CLIError("the command has no placeholder: write {COLUMN} where the value of a column belongs")
    _check_constants(context, template, values)
    if command.makes is not None and "--store" not in template.options and not session.is_dry_run:
        raise CLIError("each row makes a secret: give --store with {COLUMN} in it, so that each has a place of its own")
    return template


def _find_command(words: Sequence[str]) -> tuple[Command, click.Context, list[str]]:
    """Return a command, a context of it, and the words behind its own."""
    found: click.Command = ROOT
    context, rest = click.Context(ROOT, info_name=PROGRAM), list(words)
    while isinstance(found, Noun):
        word = next(iter(rest), "")
        if not word:
            raise click.UsageError("write the words of a command after --", context)
        if word.startswith("-"):
            raise _stands_before(word)
        if found is ROOT and word in _NOT_FOR_ROWS:
            raise CLIError(f"{word} cannot be run for each row")
        if "{" in word:
            raise CLIError(f"{word!r}: the words of a command have no placeholders")
        name, command, rest = found.resolve_command(context, rest)
        assert command is not None  # noqa: S101 - another word is an error
        found, context = command, click.Context(command, info_name=name, parent=context)
    assert isinstance(found, Command)  # noqa: S101 - what is no group
    if found.makes is not None and found.makes.many:  # it has placeholders of its own
        raise CLIError(f"{found.full_name} cannot be run for each row")
    return found, context, rest


def _stands_before(option: str) -> CLIError:
    return CLIError(f"{option} stands before --, and holds for all rows")


def _place_values(command: Command, values: Mapping[str, Any], order: Sequence[click.Parameter]) -> Template:
    options, arguments = list[str | Slot](), list[Slot]()
    repeated = {name: iter(value) for name, value in values.items() if is_list(value)}
    for each in order:
        name = str(each.name)
        value: Any = next(repeated[name]) if name in repeated else values[name]
        texts = cast("tuple[str, ...]", value) if isinstance(value, tuple) else (value,)
        slots = [_make_slot(each, text) for text in texts if isinstance(text, str)]  # a flag has none
        if isinstance(each, click.Argument):
            arguments += slots
            continue
        is_help = each not in command.params
        if is_help or isinstance(each, CommonOption) or name in _FOR_ALL_ROWS:
            raise _stands_before(max(each.opts, key=len))
        if name == "reveal":
            raise CLIError("--reveal: the secrets of rows are not shown; give --store with {COLUMN} in it")
        options += [each.secondary_opts[0] if value is False else each.opts[0], *slots]
    wanted = command.deletes_with.items()
    only_reads = all(str(values.get(name)).upper() == value for name, value in command.reads_with.items())
    changes = command.effect != "reads" and not (command.reads_with and only_reads)
    # A placeholder may stand for the value that deletes.
    may_delete = all("{" in (given := str(values.get(name))) or given.upper() == value for name, value in wanted)
    deletes = changes and command.effect == "deletes" and may_delete
    return Template(command, options, arguments, changes, deletes, values.get("store"))


def _check_constants(context: click.Context, template: Template, values: Mapping[str, Any]) -> None:
    """Raise UsageError or CLIError if a value without placeholders is wrong or missing."""
    varying = {each.name for each in template.slots if names_of(each.words)}
    for slot in template.slots:
        if not names_of(slot.words):
            slot.fill(Row(0, None, {}))
    for each in template.command.params:
        if each.name not in varying:
            each.handle_parse_result(context, values, [])
