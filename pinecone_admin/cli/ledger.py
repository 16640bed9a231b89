"""The ledger of a command: each change that it sent, what became of it, and where new secrets went."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.workflows.sent_changes import ENDS_SAID, Effects, SentChange, find_effects

if TYPE_CHECKING:
    from pinecone_admin.workflows.changes import Change, Ref

SecretState: TypeAlias = Literal["undelivered", "stored", "shown", "rescued", "lost"]
"""Where a new secret is: with the command alone, at its destination, in a rescue file, or nowhere."""

_SECRET_STATES: Mapping[SecretState, str] = {
    "undelivered": "The new {noun} of {owner} may not be stored.",
    "stored": "The {noun} of {owner} is stored.",
    "shown": "The {noun} of {owner} was written to stdout.",
    "rescued": (
        "The new {noun} of {owner} could not be stored, so it is in {place}, which only you can read. Store it, then "
        "delete the file."
    ),
    "lost": "The new {noun} of {owner} could not be kept anywhere, and is lost. Rotate {pronoun} again. {place}.",
}
_MOST_NAMED = 5
"""How many changes a line names."""


class SecretEntry:
    """A new secret, and where it is.

    Args:
        owner: Its owner, such as ``key reader``.
        owner_id: Id of that.

    Attributes:
        state: Where it is.
        place: Its destination if it is stored there, the rescue file, or why there is none.
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
    """The changes of a command so far.

    Attributes:
        changes: The changes in the order of their begin.
        secrets: The new secrets.
        names: Names of what the command is about, by their ids, as far as they are known.
        parts: What is deleted with what the command deletes, by the id of that, as far as it was read.
        vanishing: Id of what the command deletes, or names by the name that it changes; of a request written by hand,
            the path. Repeated, its words would find nothing, or something else. Of ``each``, the file, if it has a row
            of that kind. None if nothing vanishes.
        is_complete: Whether the work is done, so that only its result is still to be written.
        is_storing: Whether a new secret is being stored at this moment.
        on_settled: Function that is called once with each change when it has ended.
    """

    def __init__(self) -> None:
        self.changes: list[SentChange] = []
        self.secrets: list[SecretEntry] = []
        self.names: dict[str, str] = {}
        self.parts: dict[str, tuple[Ref, ...]] = {}
        self.vanishing: str | None = None
        self.is_complete: bool = False
        self.is_storing: bool = False
        self.on_settled: Callable[[SentChange], object] | None = None
        self._open: dict[int, SentChange] = {}

    @property
    def effects(self) -> Effects:
        """What the changes come to."""
        return find_effects(self.changes)

    def is_repeatable(self, effects: Effects, *, goes_on: bool = False) -> bool:
        """Return whether the command can be run again without a second effect of what remains of its changes.

        Args:
            effects: The result of the changes.
            goes_on: Whether the next run recognizes what this one has made.
        """
        is_safe = effects.is_recognizable if goes_on else all(each.is_repeatable for each in effects.remaining)
        return is_safe and all((each.target or each.path) != self.vanishing for each in effects.remaining)

    def begin(self, change: SentChange) -> None:
        """Enter a change that is about to be sent."""
        self.changes.append(change)
        self._open[id(change)] = change

    def settle(self, change: SentChange) -> None:
        """Note that a change has ended, unless that was noted before."""
        if self._open.pop(id(change), None) is not None and self.on_settled is not None:
            self.on_settled(change)

    def close(self) -> None:
        """Settle the changes whose responses nobody waits for any longer."""
        for change in list(self._open.values()):
            self.settle(change)

    def describe_open(self) -> str:
        """Return what the command waits for, as a sentence; empty if it sends no change."""
        changes = [*self._open.values()]
        if not changes:
            return ""
        if len(changes) > 1:
            return (
                f"Waiting for the responses to {count_noun(len(changes), 'change')}, which show whether they were made."
            )
        (latest,) = changes
        if latest.undoes:
            created = next((each for each in self.changes if each.made == latest.target), latest)
            return f"Deleting {name_changed(created, with_id=False)}, which was just made. Ctrl-C again leaves it."
        participle = _PARTICIPLES.get(latest.operation.partition("_")[0], "carried out")
        return f"Waiting for the response that shows whether {name_changed(latest, with_id=False)} was {participle}."

    def note_name(self, id: str, name: str | None) -> None:
        """Note a name, if it is known, so that what is said of the id from now on has it, too."""
        if name is not None:
            self.names[id] = name

    def add_parts(self, change: Change) -> Change:
        """Return a change with what is deleted together with its target."""
        from attrs import evolve  # noqa: PLC0415 - a help has no changes, and does not load it

        parts = self.parts.get(change.target.id or "") if change.action == "delete" else None
        return change if parts is None else evolve(change, also_deletes=parts)

    def note_local_change(self, operation: str, name: str) -> None:
        """Enter a change of a file of this machine, which has been made.

        Args:
            operation: The change, such as ``create_profile``.
            name: Name of what was created, changed or deleted.
        """
        change = SentChange(operation, method="PUT", path="", name=name)
        change.outcome = "done"
        self.changes.append(change)


_PARTICIPLES = {
    "add": "added",
    "configure": "left without deletion protection",  # nothing else of an index is changed
    "create": "created",
    "delete": "deleted",
    "remove": "removed",
    "resend": "sent again",
    "rotate": "replaced",
    "update": "changed",
}


def describe_changes(effects: Effects, said: str = "") -> list[str]:
    """Return what remains of changes, as sentences.

    Args:
        effects: The changes.
        said: What is said before. What it says may remain is not named again, and neither is a rotation whose outcome
            it says, or a change of what it names by its id, or of what another change created. It names a role binding
            only to say what became of it.
    """
    created = {each.made for each in effects.done} - {None}
    named = {id for each in effects.done if _is_named(id := each.made or each.target, said)}
    # The note on a deletion of what the command has created, and that failed, names what is left.
    names_left = any(each.undoes and not each.is_api_404 for each in (*effects.rejected, *effects.unknown))
    left = named if names_left else set[str]()
    done, unread, unknown = (
        [each for each in changes if not _says_end_of(each.made or each.target, said)]
        for changes in (effects.done, effects.unread, effects.unknown)
    )
    unknown = [
        each for each in unknown if not _is_named(each.target, said) or (not names_left and each.kind != "role_binding")
    ]
    done = [
        each
        for each in done
        if each.made not in left
        and (each.made or each.target not in created | named)
        and not (each.kind == "role_binding" and each.made in named)
    ]
    forms = (
        (done, "{was} {participle}."),
        (unread, "{was} {participle}, but the response could not be read."),
        (unknown, "may have been {participle}."),
    )
    return [sentence for changes, form in forms for sentence in _describe_in(form, changes)]


def _says_end_of(id: str | None, text: str) -> bool:
    """Return whether a text says of something what became of it, such as of a new key that its value is stored."""
    return id is not None and re.search(rf"{re.escape(id)}\b[^.;]* (?:{'|'.join(ENDS_SAID)})\b", text) is not None


def _is_named(id: str | None, text: str) -> bool:
    return id is not None and re.search(rf"(?<![\w-]){re.escape(id)}(?![\w-])", text) is not None


def _describe_in(form: str, changes: Sequence[SentChange]) -> list[str]:
    names: dict[str, list[str]] = {}
    for change in changes:
        verb = change.operation.partition("_")[0]
        names.setdefault(_PARTICIPLES.get(verb, "carried out"), []).append(name_changed(change))
    sentences = list[str]()
    for participle, found in names.items():
        named = list(dict.fromkeys(found))
        further = len(named) - _MOST_NAMED
        shown = ", ".join(named[:_MOST_NAMED]) + (f" and {further} more" if further > 0 else "")
        was = "was" if len(named) == 1 else "were"
        sentences.append(f"{shown[:1].upper()}{shown[1:]} {form.format(was=was, participle=participle)}")
    return sentences


def name_changed(change: SentChange, *, with_id: bool = True) -> str:
    """Return what a change creates, changes or deletes, such as ``API key reader (ID)``.

    Args:
        change: The change.
        with_id: Whether the id stands beside a name.
    """
    if not change.kind:  # of a request written by hand
        return str(change)
    noun = change.kind.replace("_", " ").replace("api", "API")
    noun = re.sub("(.*) secret", r"the secret of \1", noun)
    id = change.made or change.target
    if change.name is not None:
        return describe_resource(noun, change.name, id if with_id else None)
    if id is not None:
        return f"{noun} {id}"
    return f"{'an' if noun[0] in 'aeiouA' else 'a'} {noun}"
