"""Names in sentences: none can read as a part of the sentence."""

from __future__ import annotations

import re

# As in printable.py, these are compiled when they are used.
_PLAIN_NAME = r"[A-Za-z0-9_.@+-]*[A-Za-z0-9][A-Za-z0-9_.@+-]*"
# Python prints these, and a reader sees nothing, or a space.
_BLANK = "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0]"


def quote_name(name: str) -> str:
    """Return a name as it is if it is one plain word, otherwise in quotes.

    An address shows letters beyond ASCII by their codes: one that only looks like that of a colleague gets their roles.
    """
    if re.fullmatch(_PLAIN_NAME, name):
        return name
    return ascii(name) if "@" in name else re.sub(_BLANK, lambda match: ascii(match[0])[1:-1], repr(name))


def describe_resource(noun: str, name: str | None, id: str | None) -> str:
    """Return the name with the id, since names are not unique, or what is known of the two."""
    shown = [] if name is None else [quote_name(name)]
    shown += [] if id is None else [id if name is None else f"({id})"]
    return " ".join(filter(None, [noun, *shown]))
