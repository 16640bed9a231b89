"""How an error is shown: one line for people and, if asked for, an object for scripts; it needs no other package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from types import MappingProxyType
from typing import Any, NamedTuple


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
        """The error as one line, at whose end stands the code that ``explain`` explains."""
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


def render_notice(text: str, kind: str) -> str:
    """Return a line for people as JSON: a ``warning``, or another ``note``."""
    import json  # noqa: PLC0415 - only this needs it

    return json.dumps({kind: {"message": text}})


def asks_for_json(argv: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON, even if it cannot be parsed; what follows ``--`` does not."""
    argv = list(takewhile(lambda word: word != "--", argv))
    return any(
        word in {"--output=json", "-ojson"} or (word in {"--output", "-o"} and following == "json")
        for word, following in pairwise([*argv, ""])
    )
