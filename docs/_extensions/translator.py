"""What the style sheet needs in the HTML: labels of cells, and where a word of code or a heading may break."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator
from tables import INNER_CAPITAL, UNIT

LONG_WORD = re.compile(r'<span class="pre">([^<]{37,})</span>')
"""A word of code that is wider than a list on a phone."""

PART_OF_NAME = re.compile(r"(?<=[._/:])(?=[^\W\d])|(?<=\()(?=&quot;)")
"""Where a long name may break: not in a number, nor in a time, but before a quoted argument."""

DATE = re.compile(r"\b\d{4}-\d\d-\d\d(?:T[\d:]+Z)?\b")
"""A date, with or without a time, which does not break after its hyphens."""


class Translator(HTML5Translator):
    """The HTML translator of the site."""

    in_heading = False

    def visit_thead(self, node: nodes.Element) -> None:
        """Begin the headings of a table."""
        self.in_heading = True
        super().visit_thead(node)

    def depart_thead(self, node: nodes.Element) -> None:
        """End the headings of a table."""
        super().depart_thead(node)
        self.in_heading = False

    def visit_Text(self, node: nodes.Text) -> None:  # noqa: N802 - the name is that of the node
        """Write a text: a number keeps its unit, and the heading of a table may break in the names of roles."""
        start = len(self.body)
        super().visit_Text(node)
        parts = [UNIT.sub("&#160;", LONG_WORD.sub(break_word, part)) for part in self.body[start:]]
        if isinstance(node.parent, nodes.title):
            parts = [keep_dates(part) for part in parts]
        if isinstance(node.parent, nodes.emphasis) and node == "[":  # of a type
            parts.append("<wbr>")
        self.body[start:] = [INNER_CAPITAL.sub("<wbr>", part) for part in parts] if self.in_heading else parts

    def visit_desc_parameterlist(self, node: nodes.Element) -> None:
        """Begin the parameters of a signature, which may break after the parenthesis, and so not before a comma."""
        super().visit_desc_parameterlist(node)
        self.body.append("<wbr>")

    def starttag(self, node: nodes.Element, *arguments: Any, **attributes: Any) -> str:
        """Return a start tag; that of a cell has its label."""
        if isinstance(node, nodes.entry) and node.get("label"):
            attributes["data-label"] = node["label"]
        tag: str = super().starttag(node, *arguments, **attributes)  # type: ignore[no-untyped-call]
        return tag


def break_word(word: re.Match[str]) -> str:
    """Return a long word of code, which breaks between the parts of a name, or else anywhere."""
    return f'<span class="pre long">{keep_dates(PART_OF_NAME.sub("<wbr>", word[1]))}</span>'


def keep_dates(text: str) -> str:
    """Return HTML in which no date breaks."""
    return DATE.sub(r'<span class="date">\g<0></span>', text)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.set_translator("html", Translator)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
