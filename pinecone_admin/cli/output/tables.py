"""Tables and blocks for people."""

from __future__ import annotations

import io
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice
from typing import Any, TypeAlias

import click

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.error_output import find_width, fit
from pinecone_admin.cli.output.formats import Plain, is_list, is_object, text_of
from pinecone_admin.cli.parameters import spell_noun
from pinecone_admin.cli.sentences import list_words
from pinecone_admin.cli.session import Session

Row: TypeAlias = Mapping[str, Plain]
Column: TypeAlias = Callable[[Row], str]
"""Returns the text of a cell."""
Layout: TypeAlias = Mapping[str, Column]
"""The columns of a table by their headings."""

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)")
_SHORT_ID_LENGTH = 6
_CUT = "…"
_STYLED = r"((?:\x1b\[[\d;]*m)*)(.*?)((?:\x1b\[[\d;]*m)*)"
"""A line with the codes of its style, which have no width."""
_HANGING = "  "
"""What the further lines of a sentence begin with, so that it is one of several."""
_SHORT_TYPES = {"service_account": "account", "api_key": "key"}
_GAP = 2
_LEAST_TEXT = 30
"""Columns that a text of more than a few lines needs so that it is wrapped in its table."""
_FEW = 2
"""Lines of a text that is easy to read in any width."""
_LEAST_NAME = 20
"""Columns that a name needs so that it is cut, and its table is not replaced by blocks."""
_UNLIMITED = 1_000_000
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def show(value: Plain) -> str:
    """Return a value for people, on one line: dates to the minute in UTC, yes and no, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_list(value):
        return ", ".join(map(show, value))
    text = make_printable(text_of(value))
    moment = _DATE_TIME.fullmatch(text)
    return f"{moment[1]} {moment[2]} UTC" if moment else text


def fields(*names: str) -> Column:
    """Return a column that shows these fields, separated by spaces."""
    return lambda row: " ".join(filter(None, (show(row.get(name)) for name in names)))


def _day(name: str) -> Column:
    return lambda row: show(row.get(name)).partition(" ")[0]


def _shorten(id: Any) -> str:
    return show(id)[:_SHORT_ID_LENGTH] + _CUT


def _show_whole_principal(row: Row) -> str:
    kind = spell_noun(show(row.get("principal_type")).replace("_", "-"))
    return f"{kind} {fields('principal_name', 'principal_id')(row)}"


def _show_principal(row: Row) -> str:
    kind, name = show(row.get("principal_type")), _without_tag(row.get("principal_name"))
    if kind == "user" and name:  # an address alone is a user: in 80 columns, there is no room for the word
        return name
    return f"{_SHORT_TYPES.get(kind, kind)} {name or _shorten(row.get('principal_id'))}"


def _show_resource(row: Row) -> str:
    if row.get("resource_type") != "project":
        return "org"
    return show(row.get("resource_name")) or _shorten(row.get("resource_id"))


def _shorten_tag(row: Row) -> str:
    return _without_tag(row.get("name"))


def _without_tag(value: Plain) -> str:
    """Return a name without the tag of a workflow."""
    from pinecone_admin.workflows.name_tags import describe_name  # noqa: PLC0415 - explain loads no client

    return describe_name(show(value))


def describe_omissions(layout: Layout, fullest: Layout, *, has_cut_names: bool = False) -> str:
    """Return a sentence about what a table leaves out for lack of room, or nothing if it shows all."""
    columns = layout.values()
    missing = [_describe_heading(name) for name in fullest if name not in layout]
    left_out = [f"there is no room for {list_words(missing)}"] if missing else []
    if _shorten_tag in columns:
        left_out.append("names of old and unfinished keys are shortened, such as reader (old)")
    elif not {_show_principal, _show_resource}.isdisjoint(columns):
        left_out.append("there is no room for all ids")
    if has_cut_names:
        left_out.append("long names are cut in the middle")
    sentence = f"{', and '.join(left_out)}; a wider terminal or --output json shows all."
    return sentence[0].upper() + sentence[1:] if left_out else ""


def _describe_heading(name: str) -> str:
    return name.replace("_", " ").upper()


_CREATED: Sequence[Layout] = (
    {"name": fields("name"), "created": fields("created_at"), "id": fields("id")},
    {"name": fields("name"), "created": _day("created_at"), "id": fields("id")},
    {"name": fields("name"), "id": fields("id")},
)

LAYOUTS: Mapping[str, Sequence[Layout]] = {
    "APIKey": (
        {"name": fields("name"), "roles": fields("roles"), "id": fields("id")},
        {"name": _shorten_tag, "roles": fields("roles"), "id": fields("id")},
    ),
    "Invite": (
        {"email": fields("email"), "status": fields("status"), "expires": fields("expires_at"), "id": fields("id")},
        {"email": fields("email"), "status": fields("status"), "expires": _day("expires_at"), "id": fields("id")},
        {"email": fields("email"), "status": fields("status"), "id": fields("id")},
    ),
    "KeyOfProject": (
        {"project": fields("project_name"), "name": fields("name"), "roles": fields("roles"), "id": fields("id")},
        {"project": fields("project_name"), "name": _shorten_tag, "roles": fields("roles"), "id": fields("id")},
    ),
    "NamedBinding": (
        {
            "role": fields("role"),
            "who": _show_whole_principal,
            "on": fields("resource_type", "resource_name", "resource_id"),
            "id": fields("id"),
        },
        {"role": fields("role"), "who": _show_principal, "on": _show_resource, "id": fields("id")},
        # Commands also take a role binding by its holder.
        {"role": fields("role"), "who": _show_principal, "on": _show_resource, "id": lambda row: _shorten(row["id"])},
    ),
    "Organization": (
        {"name": fields("name"), "plan": fields("plan"), "payment": fields("payment_status"), "id": fields("id")},
    ),
    "Profile": tuple(
        {name: fields(name) for name in ("name", "default", "client_id", *others)}
        for others in (
            ("api_url", "oauth_url", "expect_organization", "secret_command", "secret_file"),
            ("expect_organization",),
            (),
        )
    ),
    "Project": _CREATED,
    "ServiceAccount": _CREATED,
    "User": (
        {"email": fields("email"), "name": fields("name"), "id": fields("id")},
        {"email": fields("email"), "id": fields("id")},
    ),
}
"""The tables of each model, the fullest first. Each has the whole id, except the narrowest of role bindings."""


def _find_room(session: Session) -> int:
    """Return how wide a table can be."""
    return find_width(session.stdout) if session.stdout.isatty() else _UNLIMITED


def write_lines(session: Session, lines: Iterable[str]) -> None:
    """Write lines to stdout without the blanks at their ends; they keep their styles only on a terminal."""
    is_plain = bool(session.env.get("NO_COLOR")) or session.env.get("TERM") in {"dumb", "unknown"}
    # Cells are padded to the width of their column, which without a terminal has no limit.
    click.echo(
        "".join(f"{line.rstrip()}\n" for line in lines),
        session.stdout,
        nl=False,
        color=session.stdout.isatty() and not is_plain,
    )


def write_sentences(session: Session, lines: Iterable[str]) -> None:
    """Write lines of text to stdout; on a terminal, a long one is wrapped between words."""
    parts = (re.fullmatch(_STYLED, line, re.DOTALL) for line in lines)
    write_lines(
        session,
        (f"{each[1]}{fit(each[2], session.stdout, indent=_HANGING).rstrip()}{each[3]}" for each in parts if each),
    )


def write_rows(session: Session, rows: Sequence[Row], kind: str = "") -> None:
    """Write the fullest table that fits the terminal, and say on stderr what it leaves out; a pipe has no limit.

    If none fits, long names are cut in the middle, or the texts in the last column wrapped; else each row is a block.

    Args:
        session: The session.
        rows: The rows.
        kind: Name of the model of the rows; any other name shows all fields.
    """
    layouts = LAYOUTS.get(kind) or ({name: fields(name) for row in rows for name in row},)
    room = _find_room(session)
    tables = [_TextTable(layout, rows) for layout in layouts]
    fitting = next((table for table in tables if table.width <= room), None)
    table = fitting or next((table for table in tables if table.cut_names(room)), None)
    if table is not None:
        write_lines(session, table.format_lines())
        note = describe_omissions(table.layout, tables[0].layout, has_cut_names=fitting is None)
        if note:
            session.notify(note)
    elif kind not in LAYOUTS and tables[0].can_be_wrapped(room):
        _print_wrapped(session, tables[0])
    else:
        blocks = (format_fields(dict(zip(layouts[0], row, strict=True))) for row in tables[0].cells)
        write_lines(session, islice(chain.from_iterable(["", *block] for block in blocks), 1, None))


class _TextTable:
    """A table of texts.

    Args:
        layout: The columns.
        rows: The rows.

    Attributes:
        layout: The columns.
        cells: The texts of each row.
        widths: How wide each column is.
    """

    def __init__(self, layout: Layout, rows: Sequence[Row]) -> None:
        self.layout: Layout = layout
        self.cells: list[list[str]] = [[column(row) for column in layout.values()] for row in rows]
        columns = zip(layout, *self.cells, strict=True)
        self.widths: list[int] = [max(map(_measure, column)) for column in columns]

    @property
    def width(self) -> int:
        """How wide it is."""
        return sum(self.widths) + _GAP * (len(self.widths) - 1)

    def cut_names(self, room: int) -> bool:
        """Cut long names so that the table fits; return whether it does."""
        named = [position for position, each in enumerate(self.layout.items()) if _has_names(*each)]
        others = self.width - sum(self.widths[each] for each in named)
        fitting = (
            most
            for most in range(room - others, _LEAST_NAME - 1, -1)
            if others + sum(min(self.widths[each], most) for each in named) <= room
        )
        most = next(fitting, None) if named else None
        if most is None:
            return False
        for position in named:
            self.widths[position] = min(self.widths[position], most)
            for row in self.cells:
                row[position] = cut_middle(row[position], most)
        return True

    def format_lines(self) -> Iterator[str]:
        """Yield its lines, with styles."""
        yield self._format_line([*map(_describe_heading, self.layout)], [_BOLD] * len(self.layout))
        styles = [_DIM if name == "id" else "" for name in self.layout]
        for row in self.cells:
            yield self._format_line(row, styles)

    def _format_line(self, texts: Sequence[str], styles: Sequence[str]) -> str:
        line = ""
        for text, style, width in zip(texts, styles, self.widths, strict=True):
            # An empty cell has no codes, because blanks before codes would stay at the end of a line.
            line += f"{style}{text}{_RESET}" if style and text else text
            line += " " * (width - _measure(text) + _GAP)
        return line

    def can_be_wrapped(self, room: int) -> bool:
        """Return whether the texts in the last column can be wrapped between their words."""
        left = room - (self.width - self.widths[-1])
        longest = max(_measure(word) for row in self.cells for word in row[-1].split(" "))
        if len(self.layout) == 1 or left < longest:
            return False
        from textwrap import wrap  # noqa: PLC0415 - only what does not fit needs it

        return left >= _LEAST_TEXT or all(
            len(wrap(row[-1], left, break_on_hyphens=False)) <= _FEW for row in self.cells
        )


def _print_wrapped(session: Session, table: _TextTable) -> None:
    """Write a table with the texts in the last column wrapped between their words."""
    from rich.console import Console  # noqa: PLC0415 - only what is wrapped needs it
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    wrapped = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    *_, last = table.layout
    for heading in table.layout:
        wrapped.add_column(_describe_heading(heading), no_wrap=heading != last, style="dim" if heading == "id" else "")
    for row in table.cells:
        wrapped.add_row(*map(Text, row))
    text = io.StringIO()  # if nobody reads stdout any longer, rich would end the process
    console = Console(
        file=text,
        force_terminal=session.stdout.isatty(),
        width=_find_room(session),
        highlight=False,
        emoji=False,
        markup=False,
    )
    console.print(wrapped)
    write_lines(session, text.getvalue().split("\n")[:-1])


def _has_names(heading: str, column: Column) -> bool:
    """Return whether what is in a column may be cut: ids are copied."""
    return heading in {"email", "name", "project"} or column in {_show_principal, _show_resource}


def _measure(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - few names need it

    return cell_len(text)


def cut_middle(text: str, room: int) -> str:
    """Return a text without its middle if it takes more columns than there are."""
    if _measure(text) <= room:
        return text
    end = (room - 1) // 2
    return f"{_take(text, room - 1 - end)}{_CUT}{_take(text[::-1], end)[::-1]}"


def _take(text: str, room: int) -> str:
    """Return as much of the beginning of a text as there is room for."""
    return text[: bisect([*accumulate(map(_measure, text))], room)]


def format_fields(fields: Mapping[str, Plain], indent: int = 0) -> Iterator[str]:
    """Yield the lines of an object, with styles: one field a line, and what is in a field below it."""
    width = max((len(name) for name, value in fields.items() if not _is_nested(value)), default=0) + _GAP
    for name, value in fields.items():
        label = " " * indent + name.replace("_", " ")
        if _is_nested(value):
            yield f"{_BOLD}{label}{_RESET}"
            yield from _format_nested(value, indent + _GAP)
        else:
            yield f"{_BOLD}{label.ljust(indent + width)}{_RESET}{show(value) or '-'}"


def _is_nested(value: Plain) -> bool:
    """Return whether a value needs separate lines: an object, or a list of more than words."""
    if is_list(value):
        return any(isinstance(each, dict | list) or " " in text_of(each) for each in value)
    return bool(value) and is_object(value)


def _format_nested(value: Plain, indent: int) -> Iterator[str]:
    for number, each in enumerate(value if is_list(value) else [value]):
        if is_object(each):
            if number and len(each) > 1:
                yield ""  # otherwise, nothing shows where an item of a list begins
            yield from format_fields(each, indent)
        else:
            yield " " * indent + show(each)
