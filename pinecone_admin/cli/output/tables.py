"""Tables and blocks for people, on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.output.formats import Plain, text_of
from pinecone_admin.cli.output.plain import is_list, is_object

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "APIKey": {"name": ("name",), "roles": ("roles",), "id": ("id",)},
    "Invite": {"email": ("email",), "status": ("status",), "expires": ("expires_at",), "id": ("id",)},
    "KeyOfProject": {"project": ("project_name",), "name": ("name",), "roles": ("roles",), "id": ("id",)},
    "Organization": {"name": ("name",), "plan": ("plan",), "payment": ("payment_status",), "id": ("id",)},
    "Project": {"name": ("name",), "created": ("created_at",), "id": ("id",)},
    "RoleBinding": {
        "role": ("role",),
        "who": ("principal_type", "principal_id"),
        "on": ("resource_type", "resource_id"),
        "id": ("id",),
    },
    "ServiceAccount": {"name": ("name",), "created": ("created_at",), "id": ("id",)},
    "User": {"email": ("email",), "name": ("name",), "id": ("id",)},
}
"""The columns of a table of each model, by their headings: the fields that each shows."""

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)")
_GAP = 2


def make_console(stream: TextIO, env: Mapping[str, str]) -> Console:
    """Return the console of a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only tables need it

    return Console(file=stream, no_color=bool(env.get("NO_COLOR")), highlight=False, emoji=False, markup=False)


def print_rows(console: Console, rows: Sequence[Mapping[str, Plain]], kind: str = "") -> None:
    """Print a table, or, where it is too wide for the terminal, a block for each row.

    Args:
        console: The console.
        rows: The rows.
        kind: Name of the model of the rows; any other name shows all fields.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    columns = COLUMNS.get(kind) or {name: (name,) for row in rows for name in row}
    cells = [[_join_fields(row, fields) for fields in columns.values()] for row in rows]
    widths = [
        max(map(cell_len, [heading, *column]))
        for heading, column in zip(columns, zip(*cells, strict=True), strict=True)
    ]
    if sum(widths) + _GAP * (len(widths) - 1) > console.width:
        _print_blocks(console, [dict(zip(columns, row, strict=True)) for row in cells])
    else:
        _print_table(console, list(columns), cells)


def _join_fields(row: Mapping[str, Plain], names: Iterable[str]) -> str:
    return " ".join(filter(None, (show(row.get(name)) for name in names)))


def show(value: Plain) -> str:
    """Return a value for people, on one line: dates to the minute in UTC, yes and no, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_list(value):
        return ", ".join(map(show, value))
    text = make_printable(text_of(value))
    moment = _DATE_TIME.fullmatch(text)
    return f"{moment[1]} {moment[2]} UTC" if moment else text


def _print_table(console: Console, headings: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - only tables need it
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading.upper(), no_wrap=True, style="dim" if heading == "id" else "")
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
    return bool(value) and (is_object(value) or (is_list(value) and not _is_short(value)))


def _is_short(values: Sequence[Plain]) -> bool:
    return not any(isinstance(each, dict | list) or " " in text_of(each) for each in values)


def _print_nested(console: Console, value: Plain, indent: int) -> None:
    from rich.text import Text  # noqa: PLC0415 - only tables need it

    for each in value if is_list(value) else [value]:
        if is_object(each):
            print_fields(console, each, indent)
        else:
            console.print(Text(" " * indent + show(each)), soft_wrap=True)
