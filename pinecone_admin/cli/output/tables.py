"""Tables and blocks for people, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from pinecone_admin.cli.output.columns import LAYOUTS, Layout, describe_omissions, fields, show
from pinecone_admin.cli.output.formats import Plain, text_of
from pinecone_admin.cli.output.plain import is_list, is_object

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
_LEAST_TEXT = 30
"""Columns that a text needs so that it is wrapped in its table."""


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
