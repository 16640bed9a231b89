"""Build the options and arguments of commands from the registry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

import click

from pinecone_admin.cli.output.query import check_query
from pinecone_admin.cli.registry import CommandSpec, Kind, ParameterSpec

FORMATS = ("table", "json", "yaml", "csv", "raw")

# The ids of organizations are made by a scheme whose first character can be a dash.
DASHED_ID = re.compile(r"-[\w-]{19}", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_METAVARS: Mapping[Kind, str] = {
    "duration": "TIME",
    "grants": "TYPE:WHO:ROLE",
    "integer": "N",
    "limit": "N",
    "role": "[PROJECT:]ROLE",
    "roles": "[PROJECT:]ROLE",
    "text": "TEXT",
}


class CommonOption(click.Option):
    """An option that every command has."""


class Positional(click.Argument):
    """A positional parameter with a help text, which click has since 8.5 only.

    Attributes:
        text: The help.
    """

    def __init__(self, name: str, *, text: str, **attributes: Any) -> None:
        super().__init__([name], **attributes)
        self.text = text


class Choice(click.Choice[str]):
    """One of a few words, in capitals if case does not matter; another word is an error that says the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        words = list(map(str, self.choices))
        text = str(value) if self.case_sensitive else str(value).upper()
        if text not in words:
            self.fail(f"{value!r} is not one of them: {suggest(str(value), words)}", param, ctx)
        return text

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """Return the words if there is room for them."""
        return super().get_metavar(param, ctx) if len(self.choices) <= _MOST_SHOWN else "ROLE"


_MOST_SHOWN = 5


def suggest(word: str, words: Sequence[str]) -> str:
    """Return which of the words was probably meant, or all of them."""
    nearest = find_nearest(word, words)
    return f"did you mean {nearest}?" if nearest else f"choose from {', '.join(words)}"


def find_nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word that is spelt nearly like another one, if there is one."""
    lower = {each.lower(): each for each in words}
    close = get_close_matches(word.lower(), lower, n=1)
    return lower[close[0]] if close else None


class Count(click.ParamType[int]):
    """A whole number.

    Args:
        least: The least that it may be.
        most: The most that it may be; None for no limit.
    """

    name = "N"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        number = int(value) if re.fullmatch(r"\d{1,9}", str(value), re.ASCII) else -1
        if number < self._least or (self._most is not None and number > self._most):
            limit = "" if self._most is None else f" to {self._most}"
            self.fail(f"{value!r} is not a whole number from {self._least}{limit}", param, ctx)
        return number


class Duration(click.ParamType[timedelta]):
    """A time such as 7d, 90m or 0."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the time as a timedelta."""
        if isinstance(value, timedelta):
            return value
        duration = parse_duration(value)
        if duration is None:
            self.fail(
                f"{value!r} is not a time: write a number and a unit, such as 90s, 90m, 12h, 7d or 2w", param, ctx
            )
        return duration


def parse_duration(text: str) -> timedelta | None:
    """Return the time that a text such as ``7d`` means, or None if it is none."""
    if text == "0":
        return timedelta(0)
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return timedelta(**{_UNITS[found[2]]: float(found[1])})
    except OverflowError:
        return None


def protect_ids(args: Sequence[str], params: Sequence[click.Parameter]) -> list[str]:
    """Move ids that start with a dash, and would be read as options, behind ``--``."""
    takes_value = {
        name for param in params if isinstance(param, click.Option) and not param.is_flag for name in param.opts
    }
    ids, others = list[str](), list[str]()
    for position, word in enumerate(args):
        is_value = position > 0 and args[position - 1] in takes_value
        (ids if DASHED_ID.fullmatch(word) and not is_value else others).append(word)
    return [*others, "--", *ids] if ids and "--" not in args else list(args)


def check_options(command: click.Command, context: click.Context, args: Sequence[str]) -> None:
    """Raise UsageError if an option has an empty value, or if one that takes one value is given twice.

    An unset variable of a script gives an empty value, and some options would then count as not given. Of two values,
    be one before the words of the command, click would take the last one. A flag that can only be set says the same
    twice.
    """
    if context.resilient_parsing:  # for completion
        return
    values, _, order = command.make_parser(context).parse_args(list(args))
    given: set[str] = context.meta.setdefault(f"{__name__}.given", set())  # shared with the contexts of the groups
    for each in order:
        value: object = values.get(str(each.name))
        if isinstance(each, click.Option) and (value == "" or (isinstance(value, list) and "" in value)):
            raise click.UsageError(f"{each.opts[0]}: the value is empty", context)
        if isinstance(each, click.Option) and not each.multiple and not (each.is_flag and not each.secondary_opts):
            if each.opts[0] in given:
                raise click.UsageError(f"{each.opts[0]} is given twice, and takes one value", context)
            given.add(each.opts[0])


def build_parameters(spec: CommandSpec) -> list[click.Parameter]:
    """Return the parameters of a command that calls a method."""
    return [_build_parameter(each) for each in spec.parameters]


def _build_parameter(spec: ParameterSpec) -> click.Parameter:
    kind = _value_type(spec)
    metavar = None if spec.choices else spec.metavar or _METAVARS.get(spec.kind) or spec.noun.split("-")[-1].upper()
    if not spec.option:
        return Positional(spec.name, text=spec.help, type=kind, required=spec.required, metavar=metavar)
    names = [spec.option, spec.name]
    if spec.kind == "switch":
        names[0] += f"/--no-{spec.option[2:]}"
    is_boolean = spec.kind in {"flag", "switch"}
    return click.Option(
        names,
        type=bool if is_boolean else kind,
        is_flag=is_boolean,
        **_default_of(spec),
        required=spec.required,
        multiple=spec.repeated,
        metavar=None if is_boolean else metavar,
        help=spec.help,
    )


def _default_of(spec: ParameterSpec) -> dict[str, Any]:
    # To click, a default of None is a value, which an option that is required must not have.
    if spec.kind == "flag":
        return {"default": False}
    return {} if spec.required else {"default": None}


def _value_type(spec: ParameterSpec) -> click.ParamType[Any]:
    if spec.kind == "duration":
        return Duration()
    if spec.kind in {"integer", "limit"}:
        return Count(1 if spec.kind == "limit" else 0)
    return Choice(spec.choices) if spec.choices else click.STRING


def change_options(spec: CommandSpec) -> list[click.Parameter]:
    """Return the options of every command that changes something, if only by temporary API keys."""
    if spec.effect == "reads":
        return [_yes("Make the temporary API keys without asking.")] if spec.makes_temporary_keys else []
    preview = "Show what would be done, and change nothing."
    if spec.makes_temporary_keys:
        yes = _yes("With --dry-run: make the temporary API keys without asking.")
        preview = "Show what would be done, with temporary API keys; change nothing else."
    else:
        # Where the name must be typed, --yes is hidden: given, it is refused with a message. send alone shows it, since
        # only a DELETE needs the name.
        yes = _yes("Do it without asking.", hidden=spec.confirms and not spec.module)
    confirm = build_setting(["--confirm"], metavar="NAME", help="Do it without asking; NAME must be its name.")
    dry_run = build_setting(["--dry-run"], is_flag=True, help=preview)
    return [yes, *([confirm] if spec.confirms or spec.removes_own else []), dry_run]


def _yes(text: str, *, hidden: bool = False) -> click.Option:
    return build_setting(["--yes", "-y"], is_flag=True, help=text, hidden=hidden)


def common_options() -> list[click.Parameter]:
    """Return the options of every command."""
    return [
        _common(
            ["--output", "-o"],
            type=Choice(FORMATS),
            metavar="FORMAT",
            help="table (on a terminal), json (elsewhere), yaml, csv, or raw: one value per line.",
        ),
        _common(["--query"], metavar="JMESPATH", help="Show only this part of the output."),
        _common(["--read-only"], is_flag=True, help="Refuse every change; PINECONE_ADMIN_READ_ONLY=1 does the same."),
        _common(["--profile"], metavar="NAME", help="Act as a saved profile, whatever the environment says."),
        _common(["--env-file"], metavar="FILE", help="Act as the PINECONE_ variables in FILE say."),
        _common(["--client-secret-stdin"], is_flag=True, help="Read the client secret from stdin."),
        _common(["--expect-organization"], metavar="ID", help="Refuse to work on any other organization."),
        _common(["--audit-log"], metavar="FILE", help="Append a line of JSON to FILE for each change."),
    ]


def build_setting(names: list[str], kind: type[click.Option] = click.Option, **attributes: Any) -> click.Option:
    """Return an option whose value goes to ``session.settings``."""
    return kind(names, expose_value=False, callback=_keep_setting, default=None, **attributes)


def _common(names: list[str], **attributes: Any) -> click.Option:
    return build_setting(names, CommonOption, **attributes)


def _keep_setting(context: click.Context, option: click.Parameter, value: object) -> object:
    if value is not None:
        if option.name == "query":
            check_query(str(value))
        context.obj.settings[option.name] = value
    return value
