"""Messages with replaceable names of arguments and methods. The command line replaces them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias


class Name(NamedTuple):
    """The name of an argument, of the environment variable in its place, or of a method, in a message.

    Attributes:
        name: The name.
        within: Where in an argument the message points to, such as ``[1]: role``.
    """

    name: str
    within: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.within}"


MessageParts: TypeAlias = Sequence[str | Name]
"""A message, with its names apart from its words."""


def join_message(parts: MessageParts, names: Mapping[str, str]) -> str:
    """Return the message with the names that ``names`` maps replaced."""
    return "".join(
        f"{names.get(part.name, part.name)}{part.within}" if isinstance(part, Name) else part for part in parts
    )


def find_argument(parts: MessageParts) -> str | None:
    """Return the argument that a message begins with; None if the message begins with another word."""
    first = parts[0] if parts else None
    return first.name if isinstance(first, Name) else None


def list_names(names: Iterable[str]) -> list[str | Name]:
    """Return the parts of a message that enumerate names."""
    parts: list[str | Name] = []
    for name in names:
        parts += [", ", Name(name)] if parts else [Name(name)]
    return parts
