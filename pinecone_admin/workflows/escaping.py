"""Escape names for HTML, CSV and Markdown, so that none is read as markup, a formula or a link.

Other people choose these names. Control characters are shown as codes: a character that reverses the direction of text
could make one name look like another.
"""

from __future__ import annotations

import re
from html import escape

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Spreadsheets also read full-width signs, and a sign after white space, as the start of a formula.
_FORMULA = re.compile("[\t\r\n]|\\s*[=+@\uff1d\uff0b\uff0d\uff20-]")
# Renderers such as GitHub's also turn bare "www." and "name@host" into links, and "#1" and "@team" into references.
_MARKUP = re.compile(r"(?i)[\\`*_\[\]|~:#$]|(?<=\bwww)\.|@")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape_html(text: str) -> str:
    """Escape a text for an element or a quoted attribute of a page."""
    return escape(_show_control_characters(text))


def escape_csv(text: str) -> str:
    """Prefix an apostrophe to a text that a spreadsheet would read as a formula."""
    text = _show_control_characters(text)
    return f"'{text}" if _FORMULA.match(text) else text


def escape_markdown(text: str) -> str:
    """Escape a text as a single line without markup or links."""
    line = re.sub(r"\s+", " ", _show_control_characters(text))
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", line)
    return re.sub("[&<>]", lambda match: _ENTITIES[match[0]], escaped)


def _show_control_characters(text: str) -> str:
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
