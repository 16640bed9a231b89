"""Long names, in headings and in code, which break at their dots, slashes, underscores and inner capitals."""

from __future__ import annotations

import re
from itertools import chain, pairwise

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LONG = 15
"""How many characters of a word need no break: a line of the largest heading on a phone has 18."""

BORDER = re.compile(r"(?<=[./])(?=[\w{]{3})|(?<=[^\W_]_)(?=\w)|(?<=[a-z])(?=[A-Z])")


class Break(nodes.Inline, nodes.Element):
    """A place where a line may break; unlike a character, nobody finds or copies it."""


def add_breaks(_app: Sphinx, document: nodes.document, _page: str) -> None:
    """Let long words break, except those that code_width has marked as short."""
    for each in document.findall(lambda node: isinstance(node, nodes.title | nodes.literal)):
        if "short" not in each["classes"] and max(map(len, each.astext().split()), default=0) > LONG:
            for text in list(each.findall(nodes.Text)):
                text.parent.replace(text, split(text))


def split(text: str) -> list[nodes.Node]:
    """Return the parts of a text, with a break between each and the next."""
    borders = [0, *(found.start() for found in BORDER.finditer(text)), len(text)]
    parts = [nodes.Text(text[start:end]) for start, end in pairwise(borders)]
    return [parts[0], *chain.from_iterable((Break(), part) for part in parts[1:])]


def write_break(writer: HTML5Translator, _node: nodes.Element) -> None:
    """Write a break."""
    writer.body.append("<wbr>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.add_node(Break, html=(write_break, None))
    app.connect("doctree-resolved", add_breaks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
