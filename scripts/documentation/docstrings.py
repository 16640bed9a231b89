"""Docstrings as Markdown."""

from __future__ import annotations

import re
from textwrap import TextWrapper, dedent
from typing import NamedTuple

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example):\n((?:(?: {4}.*)?(?:\n|$))+)", re.MULTILINE)
_ENTRY = re.compile(r"^(\w+): ?(.*(?:\n(?:    .*)?)*)", re.MULTILINE)
LONG = 100
"""How many characters of code are too many for one line."""

_CODE = re.compile(r"`[^`]*`")


class Docstring(NamedTuple):
    """A docstring in parts.

    Attributes:
        text: The text before the sections, as Markdown.
        sections: The sections by their titles, dedented.
    """

    text: str
    sections: dict[str, str]

    @property
    def summary(self) -> str:
        """The first sentence."""
        return re.split(r"(?<=\.)\s", self.text, maxsplit=1)[0].replace("\n", " ")

    def entries(self, title: str) -> dict[str, str]:
        """Return what a section says about each name."""
        return {name: mark_example(join_lines(text)) for name, text in _ENTRY.findall(self.sections.get(title, ""))}

    def render_example(self) -> str:
        """Return the example as a block of code, if there is one."""
        code = self.sections.get("Example", "").strip("\n")
        return f"**Example**\n\n```pycon\n{code}\n```\n" if code else ""


def parse_docstring(text: str) -> Docstring:
    """Return the parts of a docstring that `inspect.getdoc` has cleaned."""
    sections = {title: dedent(body) for title, body in _SECTION.findall(text)}
    return Docstring(_SECTION.sub("", text).replace("``", "`").strip(), sections)


def join_lines(text: str) -> str:
    """Return a text on one line, with code between single backticks."""
    return " ".join(text.split()).replace("``", "`")


def mark_example(text: str) -> str:
    """Mark the value after the word "Example" at the end of an entry as code."""
    return re.sub(r"(?<= )Example: ([^`]+)$", r"Example: `\1`", text)


def render_item(term: str, text: str) -> str:
    """Return an item of a list."""
    return break_lines(f"- {term}: {text}" if text else f"- {term}", "  ")


def break_lines(text: str, indent: str = "") -> str:
    """Return a paragraph in lines as long as those of our code, which break at no space within short code."""
    wrapper = TextWrapper(120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    kept = _CODE.sub(lambda found: found[0].replace(" ", "\0") if len(found[0]) < LONG else found[0], text)
    return wrapper.fill(kept).replace("\0", " ") + "\n"
