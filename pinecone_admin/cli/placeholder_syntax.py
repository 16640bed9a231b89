"""Placeholders in words that are filled only after it is known which word is an option and which is a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.failures import CLIError

BRACES = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[{}]")
"""A placeholder, an escaped brace, or a single one, which is an error."""


class Placeholder(NamedTuple):
    """Where a value belongs."""

    name: str


Word: TypeAlias = Sequence[str | Placeholder]


def parse_word(text: str) -> Word:
    """Return the parts of a word; ``{{`` and ``}}`` mean braces.

    Raises:
        CLIError: There is a single brace.
    """
    parts, end = list[str | Placeholder](), 0
    for found in BRACES.finditer(text):
        parts.append(text[end : found.start()])
        end = found.end()
        if found[1]:
            parts.append(Placeholder(found[1]))
        elif len(found[0]) == 1:
            raise CLIError(
                f"{quote_name(text)} has a single brace: write {{NAME}} for a value, and {{{{ or }}}} for a brace"
            )
        else:
            parts.append(found[0][0])
    return [part for part in [*parts, text[end:]] if part]


def names_of(words: Sequence[Word]) -> set[str]:
    """Return the names of the placeholders of words."""
    return {part.name for word in words for part in word if isinstance(part, Placeholder)}
