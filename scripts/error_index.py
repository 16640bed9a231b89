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
from textwrap import fill

from derived_page import render_table, write_or_check
from pinecone_admin import PineconeError, errors
from pinecone_admin._text.help_codes import HELP, Help

PAGE = Path(__file__).resolve().parent.parent / "docs/errors-by-code.md"

INTRODUCTION = """\
---
keywords: help code, error codes, explain, PA code, exception hierarchy, base classes
---

<!-- Derived by scripts/error_index.py from pinecone_admin/_text/help_codes.py and the classes. -->

# Errors by code

This page is for people who have the code of an error, such as `PA209`. For each code, it shows what the error means,
why it happens, and what to do.

In Python, the code is `error.help_code`. On the command line, it is at the end of the line of an error, such as
`[PA209]`, and `pinecone-admin explain PA209` shows the same help. A code stays the same if a message changes. You can
catch each error by its own name, by the names in the last column, and by `PineconeError`.
"""


def render_page(help_by_code: Mapping[str, Help], kinds: Mapping[str, type[PineconeError]]) -> str:
    """Return the page."""
    rows = [
        (f"[`{code}`](#{code.lower()})", f"`{kinds[code].__name__}`", entry.meaning, list_bases(kinds[code]))
        for code, entry in help_by_code.items()
    ]
    sections = [render_section(code, kinds[code].__name__, entry) for code, entry in help_by_code.items()]
    return "\n".join([INTRODUCTION, render_table(("code", "error", "meaning", "also caught as"), rows), *sections])


def list_bases(kind: type[PineconeError]) -> str:
    """Return the names of the more general errors that an error also is."""
    common = {*PineconeError.__mro__, kind}
    return ", ".join(f"`{each.__name__}`" for each in kind.__mro__ if each not in common)


def render_section(code: str, name: str, entry: Help) -> str:
    """Return the section of one code."""
    remedies = {"What to do": entry.remedy}
    if entry.command_remedy:
        remedies = {"What to do in Python": entry.remedy, "On the command line": entry.command_remedy}
    items = [f"- **{label}:** {text}" for label, text in {"Why": entry.reason, **remedies}.items()]
    lines = [fill(item, 120, subsequent_indent="  ", break_on_hyphens=False) for item in items]
    return "\n".join([f"## {code}\n\n`{name}`: {entry.meaning}\n", *lines, ""])


def list_kinds() -> dict[str, type[PineconeError]]:
    """Return the public error with each code."""
    values = [getattr(errors, name) for name in errors.__all__]
    kinds = [value for value in values if inspect.isclass(value) and issubclass(value, PineconeError)]
    return {kind.help_code: kind for kind in kinds}


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, render_page(HELP, list_kinds()), sys.argv[1:]))
