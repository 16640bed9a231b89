"""Names that others chose, made inert in what people open: no markup, no formula, nothing that reorders its neighbours.

A spreadsheet takes some first characters for a formula, full-width ones and those after a blank among them. What
reverses the direction of text is shown by its code, so that no name looks like another.
"""

from __future__ import annotations

import re
from html import escape

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMULA = re.compile("[\t\r\n]|\\s*[=+@\uff1d\uff0b\uff0d\uff20-]")
_MARKUP = re.compile(r"(?i)[\\`*_\[\]|~:#$]|(?<=\bwww)\.|@")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape_html(text: str) -> str:
    """Write it as text or attribute of a page."""
    return escape(_show_control_characters(text))


def escape_csv(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    text = _show_control_characters(text)
    return f"'{text}" if _FORMULA.match(text) else text


def escape_markdown(text: str) -> str:
    """Write it on one line that holds no markup, not even a link."""
    line = re.sub(r"\s+", " ", _show_control_characters(text))
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", line)
    return re.sub("[&<>]", lambda match: _ENTITIES[match[0]], escaped)


def _show_control_characters(text: str) -> str:
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
