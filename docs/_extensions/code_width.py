"""The width of code: a line that does not fit the column of a page scrolls sideways, so the build refuses it."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

WIDTH = 90
"""How many characters of code fit the column, whose width is the same in every window of 1000 pixels and more."""

PHONE = 30
"""How many characters of a word of code fit a line on a phone, wherever the code stands."""

INDENTATION = 4
"""How many of them a list takes from the code in it."""


def report_long_lines(_app: Sphinx, document: nodes.document) -> None:
    """Warn of each line of code that does not fit."""
    for block in document.findall(nodes.literal_block):
        room = find_room(block)
        for line in block.astext().splitlines():
            if len(line) > room:
                message = "a line of code has %d characters, but only %d fit: %s"
                logging.getLogger(__name__).warning(message, len(line), room, line, location=block)


def find_room(node: nodes.Element | None) -> int:
    """Return how many characters fit a line of code in an element."""
    if node is None:
        return WIDTH
    narrows = isinstance(node, nodes.list_item | nodes.definition)
    return find_room(node.parent) - INDENTATION * narrows


def mark_short_words(_app: Sphinx, document: nodes.document) -> None:
    """Mark code whose words fit any line: they need not break, so that a comma after them stays with them."""
    for literal in document.findall(nodes.literal):
        if not isinstance(literal.parent, nodes.title) and all(len(word) <= PHONE for word in literal.astext().split()):
            literal["classes"].append("short")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("doctree-read", report_long_lines)
    app.connect("doctree-read", mark_short_words)
    return {"parallel_read_safe": True}
