"""Tables and blocks for people, on a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.output.formats import Plain, is_list, is_object, text_of

if TYPE_CHECKING:
    from rich.console import Console

    from pinecone_admin.cli.session import Session

Row: TypeAlias = Mapping[str, Plain]
Column: TypeAlias = Callable[[Row], str]
"""Returns the text of a cell."""
Layout: TypeAlias = Mapping[str, Column]
"""The columns of a table by their headings."""

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)")
_SHORT_ID_LENGTH = 6
_CUT = "…"
_SHORT_TYPES = {"service_account": "account", "api_key": "key"}
_GAP = 2
_LEAST_TEXT = 30
"""Columns that a text needs so that it is wrapped in its table."""


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
    """Return the name of a key, with only the first character of the tag that a rotation puts before it."""
    from pinecone_admin.workflows.name_tags import parse_tag  # noqa: PLC0415 - explain loads no client

    name = show(value)
    tag = parse_tag(name)
    return name if tag is None else f"{name[0]}{_CUT} {tag.rest}"


def describe_omissions(layout: Layout, fullest: Layout) -> str:
    """Return a sentence about what a table leaves out for lack of room, or nothing if it shows all."""
    columns = layout.values()
    left_out = [f"there is no room for {name.upper()}" for name in fullest if name not in layout]
    if _shorten_tag in columns:
        left_out.append("some names of old keys are cut off")
    elif not {_show_principal, _show_resource}.isdisjoint(columns):
        left_out.append("there is no room for all ids")
    sentence = f"{', and '.join(left_out)}; a wider terminal or --output json shows all."
    return sentence[0].upper() + sentence[1:] if left_out else ""


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
            "who": fields("principal_type", "principal_name", "principal_id"),
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
    "Project": _CREATED,
    "ServiceAccount": _CREATED,
    "User": (
        {"email": fields("email"), "name": fields("name"), "id": fields("id")},
        {"email": fields("email"), "id": fields("id")},
    ),
}
"""The tables of each model, the fullest first; but for the narrowest of role bindings, each has the whole id."""


def make_console(stream: TextIO, env: Mapping[str, str]) -> Console:
    """Return the console of a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only tables need it

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704 - called where it was caught; rich would end the process with exit code 1

    return OwnConsole(file=stream, no_color=bool(env.get("NO_COLOR")), highlight=False, emoji=False, markup=False)


def print_rows(console: Console, rows: Sequence[Mapping[str, Plain]], kind: str = "") -> None:
    """Print the fullest table that fits the terminal; else wrap the texts in its last column, or print blocks.

    Args:
        console: The console.
        rows: The rows.
        kind: Name of the model of the rows; any other name shows all fields.
    """
    layouts = LAYOUTS.get(kind) or ({name: fields(name) for row in rows for name in row},)
    tables = [(layout, [[column(row) for column in layout.values()] for row in rows]) for layout in layouts]
    fitting = next((table for table in tables if _measure(*table) <= console.width), None)
    layout, cells = fitting or tables[0]
    if fitting is None and (kind in LAYOUTS or not _can_wrap(layout, cells, console.width)):
        _print_blocks(console, [dict(zip(layout, row, strict=True)) for row in cells])
        return
    _print_table(console, layout, cells)
    note = describe_omissions(layout, tables[0][0])
    if note:
        console.print(note, style="dim", soft_wrap=True)


def _can_wrap(layout: Layout, cells: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether the texts in the last column can be wrapped between their words."""
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    room = width - _measure([*layout][:-1], [row[:-1] for row in cells]) - _GAP
    longest = max(cell_len(word) for row in cells for word in row[-1].split(" "))
    return len(layout) > 1 and room >= max(longest, _LEAST_TEXT)


def _measure(headings: Iterable[str], cells: Sequence[Sequence[str]]) -> int:
    """Return how wide a table is."""
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    columns = zip(headings, *cells, strict=True)
    widths = [max(map(cell_len, column)) for column in columns]
    return sum(widths) + _GAP * (len(widths) - 1)


def _print_table(console: Console, headings: Layout, cells: Sequence[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - only tables need it
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    *_, last = headings
    for heading in headings:
        table.add_column(heading.upper(), no_wrap=heading != last, style="dim" if heading == "id" else "")
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_blocks(console: Console, rows: Sequence[Mapping[str, Plain]]) -> None:
    for position, row in enumerate(rows):
        if position:
            console.print()
        print_fields(console, row)


def print_fields(console: Console, fields: Mapping[str, Plain], indent: int = 0) -> None:
    """Print an object: one field a line, and what is in a field below it."""
    from rich.text import Text  # noqa: PLC0415 - only tables need it

    width = max((len(name) for name, value in fields.items() if not _is_nested(value)), default=0) + _GAP
    for name, value in fields.items():
        label = name.replace("_", " ")
        if _is_nested(value):
            console.print(Text(" " * indent + label, style="bold"))
            _print_nested(console, value, indent + _GAP)
        else:
            heading = (" " * indent + label.ljust(width), "bold")
            console.print(Text.assemble(heading, show(value) or "-"), soft_wrap=True)


def _is_nested(value: Plain) -> bool:
    """Return whether a value needs lines of its own: an object, or a list of more than words."""
    if is_list(value):
        return any(isinstance(each, dict | list) or " " in text_of(each) for each in value)
    return bool(value) and is_object(value)


def _print_nested(console: Console, value: Plain, indent: int) -> None:
    from rich.text import Text  # noqa: PLC0415 - only tables need it

    for each in value if is_list(value) else [value]:
        if is_object(each):
            print_fields(console, each, indent)
        else:
            console.print(Text(" " * indent + show(each)), soft_wrap=True)


def write_rows(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table without ids, whose last column, the reason or the result, is wrapped."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    names = [name for name in rows[0] if name != "id"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(show(row[name])) for name in names))
    make_console(session.stdout, session.env).print(table)
