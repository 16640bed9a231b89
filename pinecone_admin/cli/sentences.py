"""The messages of the command line are sentences: this makes them of the clauses that the library states."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?(?=[ ,:]|'s |$)")
"""A word that begins a clause in small letters; a name of a file, a field or an option has other characters."""
_QUOTED = r"(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)|\"(?:[^\"\\]|\\.)*\""
_PARTS = re.compile(rf"(?:{_QUOTED}|[^;]|;(?! ))+", re.DOTALL)
_ID_BEHIND_NAME = re.compile(r" \(([\w-]{20,})\)")
_ENDS = (".", "?", "!", "…")


def as_sentences(text: str) -> str:
    """Return clauses, of which each but the first stands behind a semicolon, as sentences.

    Quoted names stay as they are.
    """
    clauses = (each.strip() for each in _PARTS.findall(text))
    return join_sentences(each[:1].upper() + each[1:] if _PLAIN_WORD.match(each) else each for each in clauses)


def join_sentences(sentences: Iterable[str]) -> str:
    """Return sentences as one line; one that does not end in a full stop gets it."""
    return " ".join(each if each.endswith(_ENDS) else f"{each}." for each in sentences if each)


def name_ids_once(text: str) -> str:
    """Return a text in which an id in brackets, which stands behind a name, is there only the first time."""

    def keep_first(match: re.Match[str]) -> str:
        return "" if match[1] in text[: match.start()] else match[0]

    return _ID_BEHIND_NAME.sub(keep_first, text)
