"""How an error is shown: one line for people and, if asked for, an object for scripts; it needs no other package."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TextIO

_WIDTH: Final = 80
"""Columns of a terminal that does not tell how many it has."""


class CommandFailure(NamedTuple):
    """How a command failed.

    Attributes:
        message: One line.
        exit: The exit code.
        details: Further facts, by their names in the error object.
    """

    message: str
    exit: int
    details: Mapping[str, Any] = MappingProxyType({})

    @property
    def line(self) -> str:
        """The error as one line. It ends with the code that ``explain`` explains."""
        code = self.details.get("help_code")
        return f"error: {self.message}" + (f" [{code}]" if code else "")

    @property
    def document(self) -> dict[str, Any]:
        """The error as an object."""
        facts = {name: self.details.get(name) for name in ("status", "request_id", "retry_after")}
        return {
            "error": {
                "message": self.message,
                "problems": self.details.get("problems", []),
                "code": self.details.get("help_code"),
                "exit": self.exit,
                "outcome": self.details.get("outcome", "not_sent"),
                "worth_retrying": self.details.get("worth_retrying", False),
                **facts,
            }
        }

    def render(self, *, as_json: bool) -> str:
        """Return the line, or the object alone if JSON is asked for."""
        if not as_json:
            return f"{self.line}\n"
        import json  # noqa: PLC0415 - only this needs it

        return f"{json.dumps(self.document)}\n"


def write_failure(stream: TextIO, failure: CommandFailure, *, as_json: bool) -> None:
    """Write a failure as one line, wrapped between words on a terminal, or as an object."""
    stream.write(failure.render(as_json=True) if as_json else fit(failure.render(as_json=False), stream))
    stream.flush()


def fit(line: str, stream: TextIO, *, indent: str = "") -> str:
    """Return a line for a stream: on a terminal, several lines that end between words; no word is cut.

    Args:
        line: The line, with its line break.
        stream: The stream.
        indent: What the further lines begin with, where others of the same list follow.
    """
    if not line.strip() or not stream.isatty():
        return line
    import textwrap  # noqa: PLC0415 - only a terminal needs it

    width = find_width(stream)
    lines = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{each}\n" for each in lines)


def find_width(stream: TextIO) -> int:
    """Return how many columns the terminal of a stream has."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH


def render_notice(text: str, kind: str, facts: Mapping[str, Any]) -> str:
    """Return a line for people as JSON: a ``warning``, or another ``note``, with what else is known as data."""
    import json  # noqa: PLC0415 - only this needs it

    return json.dumps({kind: {"message": text, **facts}})


def asks_for_json(argv: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON, even if it cannot be parsed; what follows ``--`` does not."""
    argv = list(takewhile(lambda word: word != "--", argv))
    return any(
        word in {"--json", "--output=json", "-ojson"} or (word in {"--output", "-o"} and following == "json")
        for word, following in pairwise([*argv, ""])
    )
