"""Make text that others chose printable, on one line: names, messages of servers, and ids."""

from __future__ import annotations

import re

# Line breaks and control characters could forge lines of a report or drive a terminal, bidirectional ones and the byte
# order mark make one name look like another, and unpaired surrogates cannot be encoded.
# Compiled when they are used, which takes 0.7 ms: most calls of the client need neither.
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
_SURROGATE = "[\ud800-\udfff]"
_KEY_VALUE = r"(pc(?:sk|key)_)\w{20,}"  # a name that begins so is shorter
_ELLIPSIS = "…"
_LONGEST_QUOTED = 40
"""Characters of a value that a message may quote. All secrets of Pinecone are longer."""


def make_printable(text: str, *, most: int | None = None) -> str:
    """Return a text as one line, with characters that cannot be printed shown by their code.

    Args:
        text: Any text.
        most: Maximum number of characters; what is cut off is shown by an ellipsis.
    """
    shown = re.sub(_UNPRINTABLE, _show_code, text if most is None else text[: most + 1])
    return shown if most is None or len(shown) <= most else shown[: most - 1] + _ELLIPSIS


def quote_input(value: object) -> str:
    """Return a value from a file for a message: in quotes if it is short, otherwise only its length.

    A longer value may be a secret: it may be in the wrong field, or the file may be of another kind.
    """
    quoted = repr(value)
    if len(quoted) <= _LONGEST_QUOTED:
        return make_printable(mask_key_values(quoted))
    length = len(value if isinstance(value, str) else quoted)  # more than one, so that the plural fits
    return f"'{_ELLIPSIS}' ({length} characters)"


def mask_key_values(text: str) -> str:
    """Return a text without the values of API keys, which begin with pcsk_ or pckey_."""
    return re.sub(_KEY_VALUE, rf"\1{_ELLIPSIS}", text)


def escape_surrogates(json: str) -> str:
    """Return JSON that can be encoded: unpaired surrogates become escapes, which mean the same."""
    return re.sub(_SURROGATE, _show_code, json)


def _show_code(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
