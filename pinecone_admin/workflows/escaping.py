"""Escape names for HTML, CSV and Markdown, so that none is read as markup, a formula or a link.

Other people choose these names. Line breaks and control characters are shown as codes.
"""

from __future__ import annotations

import re
from html import escape

from pinecone_admin._text.printable import make_printable

# Spreadsheets also read full-width signs, and a sign after white space or a quote, as the start of a formula. A cell
# begins at each separator of any spreadsheet, since one that expects a semicolon ignores the quotes around a comma.
_FORMULA_START = re.compile("(^|[;,|])(?=[\\s\"']*[=+@\uff1d\uff0b\uff0d\uff20-])")
# Renderers such as GitHub's also turn bare "www." and "name@host" into links, and "#1" and "@team" into references.
_MARKUP = re.compile(r"(?i)[\\`*_\[\]|~:#$]|(?<=\bwww)\.|@")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape_html(text: str) -> str:
    """Escape a text for an element or a quoted attribute of a page."""
    return escape(make_printable(text))


def escape_csv(text: str) -> str:
    """Put an apostrophe before whatever a spreadsheet would read as a formula, at the start and after separators."""
    return _FORMULA_START.sub(r"\1'", make_printable(text))


def escape_markdown(text: str) -> str:
    """Escape a text as a single line without markup or links."""
    line = re.sub(r"\s+", " ", make_printable(text))
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", line)
    return re.sub("[&<>]", lambda match: _ENTITIES[match[0]], escaped)
