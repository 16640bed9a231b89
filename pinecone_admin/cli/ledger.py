"""The ledger of a command: each change that it sent, what became of it, and where new secrets went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import Outcome

SecretState: TypeAlias = Literal["undelivered", "stored", "shown", "rescued", "lost"]
"""Where a new secret is: with the command alone, at its destination, in a rescue file, or nowhere."""

_SECRET_STATES: Mapping[SecretState, str] = {
    "undelivered": "the new secret of {owner} was not stored",
    "stored": "the secret of {owner} is stored",
    "shown": "the secret of {owner} was written to stdout",
    "rescued": "the new secret of {owner} is in {place}: store it, and delete that file",
    "lost": "the new secret of {owner} is lost: make another one ({place})",
}
_MOST_NAMED = 5
"""How many changes a line names."""


class SentChange:
    """A change that was sent, or was about to be sent.

    Args:
        operation: Id of the operation, such as ``create_project``.
        method: HTTP method.
        path: Path template.
        target: Id of what it is about, or None if that is what it creates.
        ids: Ids in the request, by their names.
        undoes: Whether it is the deletion of what this command has created itself.

    Attributes:
        outcome: What happened to it; ``unknown`` until that is known.
        is_readable: Whether its response could be read.
        made: Id of what it created, or None.
        is_gone: Whether the API answered its deletion with 404.
        attempts: How many times it was sent or sending it was tried; None if that is unknown.
        status: HTTP status, or None if there was no response.
        error_code: The server's code, if it refused.
        request_id: The server's id of the request, or None.
    """

    def __init__(
        self,
        operation: str,
        *,
        method: str,
        path: str,
        target: str | None = None,
        ids: Mapping[str, str] | None = None,
        undoes: bool = False,
    ) -> None:
        self.operation: Final = operation
        self.method: Final = method
        self.path: Final = path
        self.target: Final = target
        self.ids: dict[str, str] = dict(ids or {})
        self.undoes: Final = undoes
        self.outcome: Outcome = "unknown"
        self.is_readable: bool = True
        self.made: str | None = None
        self.is_gone: bool = False
        self.attempts: int | None = None
        self.status: int | None = None
        self.error_code: str | None = None
        self.request_id: str | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent twice without a second effect."""
        return self.method != "POST"

    @property
    def kind(self) -> str:
        """What it creates, changes or deletes, such as ``project``."""
        return self.operation.partition("_")[2]

    def __str__(self) -> str:
        name = f"{self.method} {self.path}" if self.operation == "send" else self.operation
        return make_printable(" ".join(filter(None, (name, self.made or self.target))))


class SecretEntry:
    """A new secret, and where it is.

    Args:
        owner: What it belongs to, such as ``API key ID``.
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
        return _SECRET_STATES[self.state].format(owner=self.owner, place=self.place)


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


class Effects(NamedTuple):
    """What the changes of a command come to.

    Attributes:
        done: Changes that were made and remain.
        unread: Changes that the server has made, of which no response could be read.
        unknown: Changes that may have been made.
        undone: Changes that were made, and whose effect is gone again.
        rejected: Changes that the server refused.
    """

    done: Sequence[SentChange] = ()
    unread: Sequence[SentChange] = ()
    unknown: Sequence[SentChange] = ()
    undone: Sequence[SentChange] = ()
    rejected: Sequence[SentChange] = ()

    @property
    def remaining(self) -> list[SentChange]:
        """The changes that were made or may have been made, and that nothing has undone."""
        return [*self.done, *self.unread, *self.unknown]


def find_effects(changes: Sequence[SentChange], gone: Iterable[str] = ()) -> Effects:
    """Return what changes come to.

    A change of something that this command has made and deleted again is undone, and so is one of what it has made
    within that. A create without a readable response is undone by the deletion with which the workflow removes what it
    had created.

    Args:
        changes: The changes in their order.
        gone: Ids of what was seen to be gone besides.
    """
    deleted = {each.target for each in changes if each.method == "DELETE" and _has_deleted(each)} | set(gone)
    made = {each.made for each in changes if each.made is not None}
    vanished = _find_vanished(changes, made, deleted)
    undone = _find_undone_lost_creates(changes, made)
    undone |= {id(each) for each in changes if not vanished.isdisjoint({each.made, each.target, *each.ids.values()})}
    found: dict[str, list[SentChange]] = {name: [] for name in Effects._fields}
    for position, each in enumerate(changes):
        found[_classify(each, changes[position + 1 :], deleted, is_undone=id(each) in undone)].append(each)
    return Effects(**{name: tuple(found[name]) for name in Effects._fields})


def _find_vanished(changes: Sequence[SentChange], made: set[str], deleted: set[str | None]) -> set[str]:
    """Return the ids of what the command has made that was deleted again, or that was in such a thing."""
    vanished = made & deleted
    while within := {
        each.made
        for each in changes
        if each.made is not None and each.made not in vanished and not vanished.isdisjoint(each.ids.values())
    }:
        vanished |= within  # the server deletes a thing with what is in it
    return vanished


def _find_undone_lost_creates(changes: Sequence[SentChange], made: set[str]) -> set[int]:
    """Return the deletions that undo a create whose response was lost, and these creates, by ``id``."""
    undone: set[int] = set()
    for position, each in enumerate(changes):
        if each.undoes and _has_deleted(each) and each.target not in made:
            lost = [before for before in changes[:position] if _is_lost_create(before, each.kind)]
            lost = [before for before in lost if id(before) not in undone]
            undone |= {id(each), id(lost[-1])} if lost else set()
    return undone


def _has_deleted(change: SentChange) -> bool:
    return change.outcome == "done" or change.is_gone


def _is_lost_create(change: SentChange, kind: str) -> bool:
    is_create = change.method == "POST" and change.target is None
    return is_create and change.kind == kind and change.made is None and change.outcome in {"unknown", "done"}


def _classify(change: SentChange, later: Sequence[SentChange], deleted: set[str | None], *, is_undone: bool) -> str:
    """Return to which field of ``Effects`` a change belongs."""
    if change.outcome in {"rejected", "not_sent"}:
        return "rejected"
    if is_undone:
        return "undone"
    if change.outcome == "done" and change.is_readable:
        return "done"
    # The same change was sent again, and answered.
    same = (each for each in later if (each.operation, each.target) == (change.operation, change.target))
    if change.target is not None and any(map(_has_deleted, same)):
        return "done"
    if change.method == "DELETE" and change.target in deleted:
        return "done"
    return "unread" if change.outcome == "done" else "unknown"


def name_changes(changes: Sequence[SentChange]) -> str:
    """Return the names of changes, each once, and of many only the first."""
    names = list(dict.fromkeys(map(str, changes)))
    further = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {further} more" if further > 0 else "")
