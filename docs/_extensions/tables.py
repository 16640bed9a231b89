"""Tables that can be read on a phone: where the columns have no room, the cells of a row stand below each other.

Each cell but the first, which names the row, then begins with the heading of its column.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

PHONE = 38
"""How many characters fit a row on a phone, with the space between its cells."""

COLUMN = 95
"""How many fit a row on a wide screen."""

INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

UNIT = re.compile(r"(?<=\d) (?=(?:µs|ms|s|MB|MiB)\b)|(?<=≤) ")
"""The space between a number and its unit or sign, where no line breaks."""


def prepare_tables(_app: Sphinx, document: nodes.document) -> None:
    """Choose the layout of each table, and give its cells their labels."""
    for table in document.findall(nodes.table):
        for text in list(table.findall(nodes.Text)):
            text.parent.replace(text, nodes.Text(UNIT.sub("\u00a0", text)))
        headings, *rows = (list(row.findall(nodes.entry)) for row in table.findall(nodes.row))
        texts = [cell.astext() for cell in headings], [[cell.astext() for cell in row] for row in rows]
        table["classes"] += choose_layout(*texts)
        for text in [text for heading in headings for text in heading.findall(nodes.Text)]:
            text.parent.replace(text, nodes.Text(INNER_CAPITAL.sub("\u200b", text)))  # where a name of a role may break
        for row in rows:
            for heading, cell in zip(headings[1:], row[1:], strict=True):
                if cell.astext():
                    label = re.sub(r"[^?…]$", r"\g<0>:", heading.astext())
                    cell[0].insert(0, nodes.inline("", f"{label} ", classes=["label"]))
                else:
                    cell["classes"].append("empty")


def choose_layout(headings: list[str], rows: list[list[str]]) -> list[str]:
    """Return the classes of a table: none if a phone shows each row in about three lines."""
    broken = [[INNER_CAPITAL.sub(" ", each) for each in headings], *rows]
    words = [[re.split("[ \n]+", cell) for cell in row] for row in broken]
    narrowest = measure_row([[max(map(len, cell), default=0) for cell in row] for row in words])
    if narrowest > COLUMN:
        return ["stacked", "wide"]
    whole = measure_row([[len(cell) for cell in row] for row in [headings, *rows]])
    return [] if narrowest <= PHONE and whole <= 3 * PHONE else ["stacked"]


def measure_row(lengths: list[list[int]]) -> int:
    """Return how many characters a row needs, given those that each cell of the table needs."""
    return sum(max(column) + 2 for column in zip(*lengths, strict=True))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("doctree-read", prepare_tables)
    return {"parallel_read_safe": True}
