"""The ledger of a command: each change that it sent, what became of it, and where new secrets went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from pinecone_admin.workflows.sent_changes import SentChange

SecretState: TypeAlias = Literal["undelivered", "stored", "shown", "rescued", "lost"]
"""Where a new secret is: with the command alone, at its destination, in a rescue file, or nowhere."""

_SECRET_STATES: Mapping[SecretState, str] = {
    "undelivered": "the new {noun} of {owner} was not stored",
    "stored": "the {noun} of {owner} is stored",
    "shown": "the {noun} of {owner} was written to stdout",
    "rescued": (
        "The new {noun} of {owner} could not be stored, so it is in {place}, which only you can read. Store it, then "
        "delete the file."
    ),
    "lost": "The new {noun} of {owner} could not be kept anywhere ({place}), and is lost. Rotate {pronoun} again.",
}
_MOST_NAMED = 5
"""How many changes a line names."""


class SecretEntry:
    """A new secret, and where it is.

    Args:
        owner: What it belongs to, such as ``key reader``.
        owner_id: Id of that.

    Attributes:
        state: Where it is.
        place: The rescue file, or why there is none.
    """

    def __init__(self, owner: str, owner_id: str) -> None:
        self.owner: Final = owner
        self.owner_id: Final = owner_id
        self.state: SecretState = "undelivered"
        self.place: str = ""

    def __str__(self) -> str:
        noun, pronoun = ("value", "the key") if self.owner.startswith("key ") else ("secret", "it")
        return _SECRET_STATES[self.state].format(noun=noun, pronoun=pronoun, owner=self.owner, place=self.place)


class Ledger:
    """What a command has done so far.

    Attributes:
        changes: The changes in the order in which they began.
        secrets: The new secrets.
        gone: Ids of what was seen to be gone.
        is_complete: Whether the work is done, so that only its result is still to be written.
        on_settled: Function that is called once with each change when it has ended.
    """

    def __init__(self) -> None:
        self.changes: list[SentChange] = []
        self.secrets: list[SecretEntry] = []
        self.gone: set[str] = set()
        self.is_complete: bool = False
        self.on_settled: Callable[[SentChange], object] | None = None
        self._open: dict[int, SentChange] = {}

    def begin(self, change: SentChange) -> None:
        """Enter a change that is about to be sent."""
        self.changes.append(change)
        self._open[id(change)] = change

    def settle(self, change: SentChange) -> None:
        """Note that a change has ended, unless that was noted before."""
        if self._open.pop(id(change), None) is not None and self.on_settled is not None:
            self.on_settled(change)

    def close(self) -> None:
        """Settle the changes for whose responses nobody waits any longer."""
        for change in list(self._open.values()):
            self.settle(change)

    def note_local_change(self, description: str) -> None:
        """Enter a change of a file of this machine, which has been made."""
        change = SentChange(description, method="PUT", path="")
        change.outcome = "done"
        self.changes.append(change)


def name_changes(changes: Sequence[SentChange]) -> str:
    """Return the names of changes, each once, and of many only the first."""
    names = list(dict.fromkeys(map(str, changes)))
    further = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {further} more" if further > 0 else "")
