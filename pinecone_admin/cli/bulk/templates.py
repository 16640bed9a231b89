"""The command of ``each``: click reads its words once, and the values of each row fill what click has read.

The options and values of a command are told apart before placeholders are filled. So no value of a row becomes an
option or a second word. Then click checks the filled values as those of any command.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from copy import copy
from math import isfinite
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import click

from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.bulk.row_files import Row
from pinecone_admin.cli.calls.pipeline import check_values
from pinecone_admin.cli.commands import PROGRAM, ROOT, Command, CommonOption, Noun, make_root_context
from pinecone_admin.cli.failures import CLIError, spell_parameter
from pinecone_admin.cli.output.formats import is_list
from pinecone_admin.cli.parameters import (
    OWNER_PLACEHOLDERS,
    NameOrId,
    explain_extra_words,
    given_values,
    suggest,
)
from pinecone_admin.cli.placeholder_syntax import BRACES, Placeholder, names_of, parse_word
from pinecone_admin.cli.session import Session

_NOT_FOR_ROWS = frozenset({"apply", "each", "emulator", "login", "profile", "run", "token"})
"""Commands that rows cannot run. The question for all rows is about the organization, not about what is kept here."""

_WITHOUT_PLACEHOLDER = frozenset({"client_id"})
"""Options that say which account acts."""

_READS_STDIN = frozenset({"-", "@-"})
_NO_ROW = Row(0, 0, None, {})
_IN_JSON = re.compile(r"\{[^{}\[\]\"'`:]+\}")
"""A placeholder in a text that may contain other braces."""


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
        raise CLIError(f"The value of column {column} is not text.")
    if value is None:
        raise CLIError(f"The value of column {column} is null.")
    if isinstance(value, float) and not isfinite(value):  # such as 1e400
        raise CLIError(f"The value of column {column} is too large, or not a number.")
    text = value if isinstance(value, str) else json.dumps(value)
    if re.search("[\0\ud800-\udfff]", text):
        raise CLIError(f"The value of column {column} has a character that cannot be typed.")
    return text


def unknown_column(column: str, columns: Sequence[str]) -> CLIError:
    """Return the error for a placeholder whose column does not exist.

    It does not list the columns: the file may be of another kind, and its first line a secret.
    """
    there = f"The file has {count_noun(len(columns), 'column')}." if columns else ""
    return CLIError(f"There is no column {column} for {{{column}}}. {suggest(column, columns, there)}".rstrip())


def refuse_placeholders(option: str, text: str) -> None:
    """Raise CLIError if a text that may contain other braces has a placeholder."""
    found = _IN_JSON.search(text)
    if found is not None:
        raise CLIError(f"{option} takes no placeholder such as {found[0]}")


class Template(NamedTuple):
    """A command with placeholders.

    Attributes:
        command: The command.
        words: Its words, as they were typed.
        values: The values that click has read, by the names of parameters, without those that are the same for all
            rows.
        order: The parameters that have values, in the order of the words; one with several, as often.
        columns: The columns that every row needs.
        changes: Whether it changes something.
        deletes: Whether it may delete something.
    """

    command: Command
    words: Sequence[str]
    values: Mapping[str, Any]
    order: Sequence[click.Parameter]
    columns: set[str]
    changes: bool
    deletes: bool

    def parse(self, row: Row, session: Session) -> click.Context:
        """Return the context to invoke the command for a row.

        Raises:
            CLIError: A value of the row has no place where it belongs.
            click.UsageError: A value of the row is none of its parameter.
        """
        if "store" in self.values:  # whose command is split into words before it is filled
            names = sorted(_names_in(self.values["store"]))
            wanted = [each for each in names if each in row.values or each not in OWNER_PLACEHOLDERS]
            session.columns = {each: read_value(row, each) for each in wanted}
        options, arguments = list[str](), list[str]()
        several = {name: iter(value) for name, value in self.values.items() if is_list(value)}
        for param in self.order:
            name = str(param.name)
            value: Any = next(several[name]) if name in several else self.values[name]
            texts = cast("Sequence[Any]", value) if isinstance(value, tuple) else (value,)
            filled = [_fill(param, text, row) for text in texts if isinstance(text, str)]  # a flag has none
            if isinstance(param, click.Argument):
                arguments += filled
            else:
                options += [param.secondary_opts[0] if value is False else param.opts[0], *filled]
        parent = _make_parent(self.command, session)
        return self.command.make_context(self.command.name, [*options, "--", *arguments], parent=parent)

    def check(self, row: Row, session: Session) -> Session:
        """Return a session with the settings of a row, after checks of what is known before the first request.

        Raises:
            CLIError: As ``parse``, or the command could not begin.
            click.UsageError: As ``parse``.
        """
        trial = copy(session)
        trial.settings = {}
        context = self.parse(row, trial)
        if not self.command.takes_session:
            check_values(trial, self.command, given_values(context.params))
        return trial

    def show(self, row: Row) -> str:
        """Return the command for a row as a person would type it."""

        def fill(found: re.Match[str]) -> str:
            return read_value(row, found[1]) if found[1] in self.columns else found[0]

        words = (BRACES.sub(fill, each) for each in self.words)
        return make_printable(shlex.join([*self.command.path, *words]))


def _names_in(text: str) -> set[str]:
    return names_of([parse_word(text)])


def _is_json(param: click.Parameter, text: str) -> bool:
    return param.name == "body" and not text.startswith("@")


def _fill(param: click.Parameter, text: str, row: Row) -> str:
    """Return a value of a parameter with the values of a row."""
    if param.name == "store" or _is_json(param, text):
        return text
    is_path = param.name == "path"  # of a URL, of which a value is one segment

    def fill_part(part: str | Placeholder) -> str:
        if isinstance(part, str):
            return part
        value = read_value(row, part.name)
        return quote(value, safe="") if is_path else value

    filled = "".join(map(fill_part, parse_word(text)))
    if filled in _READS_STDIN and not (isinstance(param.type, NameOrId) or param.name == "name"):
        raise CLIError(
            f"{spell_parameter(param)}: {quote_name(filled)} would read standard input, which rows cannot do"
        )
    return filled


def read_template(session: Session, words: Sequence[str]) -> Template:
    """Return the command that words with placeholders say, and take options that hold for all rows.

    Args:
        session: The session of ``each``.
        words: The words.

    Raises:
        CLIError: There is something that rows cannot have, or no placeholder.
        click.UsageError: There is no such command, option or constant value.
    """
    command, rest = _find_command(words)
    context = click.Context(command, info_name=command.name, parent=_make_parent(command, session))
    of_each = set[str]() if session.command is None else _list_options(session.command)
    for option in (name for word in rest if (name := word.partition("=")[0]) in of_each):
        if option == "--confirm" or option not in _list_options(command):
            raise _stands_before(option)
    rest = command.arrange_words(context, rest)
    values, extra, order = command.make_parser(context).parse_args(list(rest))
    if extra:
        raise click.UsageError(explain_extra_words(extra, command.params, values), context)
    for param in order:
        _take_for_all_rows(session, param, values, context)
    columns = _read_columns(session, command, values)
    facts = [each for each in command.own_params if each.name in command.facts_with]
    command = command.given({str(each.name): _read_fact(each, values, context) for each in facts})
    if command.makes is not None and "store" not in values and not session.is_dry_run:
        example = f"--store 'file:{{{min(columns, default='COLUMN')}}}.key'"
        raise CLIError(f"Each row makes a secret. Say where the secrets should go, for example {example}.")
    effect = command.effect
    for name, effects in command.effect_with.items():
        given = str(values.get(name)).upper()
        if "{" not in given:  # a placeholder may stand for the value that does most
            effect = effects.get(given, "changes")
    order = [each for each in order if str(each.name) in values]
    return Template(command, rest, values, order, columns, changes=effect != "reads", deletes=effect == "deletes")


def _make_parent(command: Command, session: Session) -> click.Context:
    """Return a context of what a command is in; its own, since it remembers which options were given."""
    return make_root_context(" ".join((PROGRAM, *command.path[:-1])), session)


def _find_command(words: Sequence[str]) -> tuple[Command, list[str]]:
    """Return a command, and the words behind its own."""
    found: click.Command = ROOT
    context, rest = make_root_context(), list(words)
    while isinstance(found, Noun):
        word = next(iter(rest), "")
        if not word:
            raise click.UsageError("Write the words of a command after --.", context)
        if word.startswith("-"):
            raise _stands_before(word)
        if "{" in word:
            raise CLIError(f"{quote_name(word)}: the words of a command have no placeholders")
        name, command, rest = found.resolve_command(context, rest)
        assert command is not None  # noqa: S101 - another word is an error
        if found is ROOT and name in _NOT_FOR_ROWS:  # whatever it was called
            raise CLIError(f"{name} cannot be run for each row")
        found, context = command, click.Context(command, info_name=name, parent=context)
    assert isinstance(found, Command)  # noqa: S101 - what is no group
    if found.makes is not None and found.makes.many:  # it has placeholders of its own
        raise CLIError(f"{found.full_name} cannot be run for each row")
    return found, rest


def _list_options(command: click.Command) -> set[str]:
    return {name for param in command.params if isinstance(param, click.Option) for name in param.opts}


def _stands_before(option: str) -> CLIError:
    return CLIError(f"{option} is for all rows, so put it before --")


def _take_for_all_rows(
    session: Session, param: click.Parameter, values: dict[str, Any], context: click.Context
) -> None:
    """Move an option that holds for all rows to the session; refuse one that rows cannot have."""
    name, option = str(param.name), max(param.opts, key=len)
    if name == "yes" or param not in context.command.params:  # the help
        raise _stands_before(option)
    if name == "output":
        raise output_error()
    if name == "reveal":
        raise CLIError("The secrets of rows cannot be shown. Leave out --reveal, and give --store with {COLUMN} in it.")
    if name in values and (isinstance(param, CommonOption) or name == "dry_run"):
        value = values.pop(name)
        if isinstance(value, str):
            refuse_placeholders(option, value)
            if name in session.settings:
                raise click.UsageError(f"{option} is given twice, and takes one value", context)
        param.handle_parse_result(context, {name: value}, [])


def output_error() -> CLIError:
    """Return the error for a format, which rows do not have."""
    return CLIError("each writes one line of JSON per row, so -o has no place here. Leave it out.")


def _read_columns(session: Session, command: Command, values: Mapping[str, Any]) -> set[str]:
    """Return the columns that a command needs, after checks of all that has no placeholder.

    Raises:
        CLIError: A placeholder is where none can be, or there is none.
        click.UsageError: A value without placeholders is wrong or missing.
    """
    found, columns = set[str](), set[str]()
    trial = copy(session)
    trial.settings = {}
    constants = click.Context(command, info_name=command.name, parent=_make_parent(command, trial))
    for param in command.params:
        value = values.get(str(param.name))
        listed = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
        names = set[str]()
        for text in (each for each in listed if isinstance(each, str)):
            if param.name in _WITHOUT_PLACEHOLDER or _is_json(param, text):
                refuse_placeholders(param.opts[0], text)
            elif not (new := _names_in(text)):
                _fill(param, text, _NO_ROW)
            else:
                names |= new
        if param.name == "store" and isinstance(value, str):
            from pinecone_admin.cli.secrets.store_template import parse_template  # noqa: PLC0415 - few commands need it

            parse_template(value, names, example="'file:{COLUMN}.secret'")
            if not names - {"kind"}:
                raise CLIError("--store is one place for the secrets of all rows. Put {COLUMN} in it")
        columns |= names.difference(OWNER_PLACEHOLDERS if param.name == "store" else ())
        if not names:
            param.handle_parse_result(constants, values, [])
        found |= names
    if not found:
        raise CLIError("The command has no placeholder. Write {COLUMN} where the value of a column belongs.")
    return columns


def _read_fact(param: click.Parameter, values: Mapping[str, Any], context: click.Context) -> Any:
    """Return the value of a parameter, as ``Command.given`` takes it; a placeholder may stand for 0."""
    value = values.get(str(param.name))
    if not isinstance(value, str):
        return value
    return param.type_cast_value(context, "0" if _names_in(value) else value)
