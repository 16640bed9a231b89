#!/usr/bin/env python3
"""Write docs/errors-by-code.md: what each kind of error means, why it occurs and what to do, by its help code.

Usage: error_index.py [--check]

The source is the table of help codes, and the docstrings of the errors. With --check nothing is written, and the exit
status is 1 if the page differs.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path

from derived_page import render_table, write_or_check
from pinecone_admin import PineconeError, errors
from pinecone_admin._text.help_codes import HELP, Help

PAGE = Path(__file__).resolve().parent.parent / "docs/errors-by-code.md"

INTRODUCTION = """\
<!-- Derived by scripts/error_index.py from pinecone_admin/_text/help_codes.py. -->

# Errors by code

Every error has a short code, `error.help_code`, that stays the same when its message is reworded. This page says what
each code means, why the error occurs, and what to do. The line of an error of the command line ends in its code, such
as `[PA209]`, and `pinecone-admin explain PA209` shows the same.
"""


def render_page(help_by_code: Mapping[str, Help], names: Mapping[str, str]) -> str:
    """Return the page."""
    rows = [
        (f"[`{code}`](#{code.lower()})", f"`{names[code]}`: {entry.meaning}") for code, entry in help_by_code.items()
    ]
    sections = [render_section(code, names[code], entry) for code, entry in help_by_code.items()]
    return "\n".join([INTRODUCTION, render_table(("code", "error"), rows), *sections])


def render_section(code: str, name: str, entry: Help) -> str:
    """Return the section of one code."""
    remedies = {"What to do": entry.remedy}
    if entry.command_remedy:
        remedies = {"What to do in Python": entry.remedy, "On the command line": entry.command_remedy}
    lines = [f"- **{label}:** {text}" for label, text in {"Why": entry.reason, **remedies}.items()]
    return "\n".join([f"## {code}\n\n`{name}`: {entry.meaning}\n", *lines, ""])


def list_names() -> dict[str, str]:
    """Return the name of the public error with each code."""
    values = [getattr(errors, name) for name in errors.__all__]
    kinds = [value for value in values if inspect.isclass(value) and issubclass(value, PineconeError)]
    return {kind.help_code: kind.__name__ for kind in kinds}


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, render_page(HELP, list_names()), sys.argv[1:]))
