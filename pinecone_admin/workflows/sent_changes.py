"""The changes that are sent, and what they come to, for workflows and for the ledger of a command."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from itertools import count
from operator import is_not
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, cast

from pinecone_admin._concurrency.context import setting
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import (
    ForbiddenError,
    NotFoundError,
    Outcome,
    PaymentRequiredError,
    PineconeError,
    TokenError,
)

if TYPE_CHECKING:  # each command loads this module, and a help needs no models
    from generated_client.types import Operation
    from pinecone_admin.workflows.changes import Change

_CREATE_VERBS = ("create_", "add_")  # the latter creates what another resource holds
_MAX_ID_LENGTH = 500
_SHORTEST_ID = 20
"""Characters; what is shorter is a name, which a text may have by chance."""

MAY_EXIST = "may exist: the outcome of its creation is unknown"
"""The end of the note on a create that was interrupted."""

NOT_DELETED = "could not be deleted"
"""What the note says of something that was created and remains: its deletion was refused, or not sent."""

MAY_NOT_BE_DELETED = "may not have been deleted"
"""What the note says of something that was created if nothing shows whether its deletion took effect."""

NOT_DELETED_IN_TIME = "the time was up, or this was interrupted again"
"""The end of the note on what was created and not deleted, although nothing refused that."""

ROTATED: Mapping[str, str] = MappingProxyType({"unknown": "may have been rotated", "done": "was rotated"})
"""The result of a rotation whose response nobody has read, by its outcome, behind the id of the service account."""

STILL_WORKS: Mapping[bool, str] = MappingProxyType({True: "still works", False: "may still work"})
"""What the note on a rotation says of the old key, by whether that is certain, behind the id of the key."""

ENDS_SAID = (*ROTATED.values(), *STILL_WORKS.values(), "is stored")
"""What notes say of something behind its id, so that what became of it need not be said again."""

MAY_BE_OF_OTHERS = "is kept: the response to its creation was lost, so somebody else may have created it"
"""The end of the note on something that appeared after a create without a response."""

_numbers = count()
_undoing = ContextVar("pinecone_admin_undoing", default=False)
_collections = ContextVar[tuple["list[SentChange]", ...]]("pinecone_admin_changes", default=())
"""The lists that get each change, with the list of the outermost workflow first."""
_sending = ContextVar["tuple[Operation[Any], SentChange] | None"]("pinecone_admin_sending", default=None)
"""The operation that a run is about to send, with its record."""


def is_api_404(error: BaseException | None) -> bool:
    """Return whether an error is the API's 404; one without a code is from something on the way, such as a proxy."""
    return isinstance(error, NotFoundError) and error.error_code is not None


def is_foreign_refusal(error: BaseException | None) -> bool:
    """Return whether a refusal was sent by another server than the API, such as a proxy.

    It says nothing about roles, the plan of the organization, or the thing itself.
    """
    return (
        isinstance(error, PaymentRequiredError | ForbiddenError | NotFoundError)
        and error.status_code is not None
        and error.error_code is None
    )


def may_have_been_processed(failed: PineconeError | SentChange) -> bool:
    """Return whether a request that has failed may have taken effect."""
    return failed.outcome in {"unknown", "done"}


class IgnoreGone:
    """Context that an error leaves, unless it shows that a resource does not exist."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return is_api_404(error)


def marking_undo() -> AbstractContextManager[None]:
    """Mark the deletions of the block as those of what the workflow itself has created."""
    return setting(_undoing, value=True)


def record_change(operation: Operation[Any], change: Change) -> SentChange:
    """Record a change that a run is about to send for the workflows in progress, and return the record."""
    from pinecone_admin.workflows.name_tags import original_name  # noqa: PLC0415 - as above

    name = change.target.name
    sent = SentChange.of(operation, {} if name is None else {change.target.id or "": original_name(name)})
    sent.change = change
    for each in _collections.get():
        each.append(sent)
    _sending.set((operation, sent))
    return sent


class SentChange:
    """A change that was sent, or was about to be sent.

    Args:
        operation: Id of the operation, such as ``create_project``.
        method: HTTP method.
        path: Path template.
        target: Id of what it is about, or None if that is what it creates.
        ids: Ids in the request, by their names.
        undoes: Whether it is the deletion of what this command has created itself.
        name: Name or email address of what it creates, or None.

    Attributes:
        change: The change as data, if that is known.
        outcome: What happened to it; ``unknown`` until that is known.
        is_readable: Whether its response could be read.
        made: Id of what it created, or None.
        found: Id of what was found in the place of what it may have created, or None.
        is_api_404: Whether the API answered its deletion with 404; in a run, whether a 404 shows that its target was
            deleted.
        may_be_gone: Whether a 404 does not show whether its target was deleted, or only is out of sight.
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
        name: str | None = None,
    ) -> None:
        self.operation: Final = operation
        self.method: Final = method
        self.path: Final = path
        self.target: Final = target
        self.ids: dict[str, str] = dict(ids or {})
        self.undoes: Final = undoes
        self.name = name
        self.change: Change | None = None
        self.outcome: Outcome = "unknown"
        self.is_readable: bool = True
        self.made: str | None = None
        self.found: str | None = None
        self.is_api_404: bool = False
        self.may_be_gone: bool = False
        self.attempts: int | None = None
        self.status: int | None = None
        self.error_code: str | None = None
        self.request_id: str | None = None

    @classmethod
    def of(cls, operation: Operation[Any], names: Mapping[str, str] = MappingProxyType({})) -> Self:
        """Return the change that an operation is about to make.

        Args:
            operation: The operation.
            names: Names of what exists, by their ids, as far as they are known.
        """
        in_path = [] if operation.id.startswith(_CREATE_VERBS) else list(operation.path_parameters.values())
        return cls(
            operation.id,
            method=operation.method,
            path=operation.path,
            target=in_path[-1] if in_path else None,
            ids=find_ids(operation),
            undoes=_undoing.get(),
            name=names.get(in_path[-1]) if in_path else _find_name(operation.body),
        )

    def note_result(self, operation: Operation[Any], result: object) -> None:
        """Note that the change was made, and its result."""
        self.outcome, self.made = "done", _find_created_id(operation, result)
        self.ids.update(find_ids(operation, result))

    def note_error(self, error: PineconeError) -> None:
        """Note what an error says of the change."""
        # Without a token, only the token endpoint was asked.
        self.outcome, self.attempts = error.outcome, 0 if isinstance(error, TokenError) else error.attempts
        self.is_readable = error.outcome != "done"
        self.error_code = error.error_code
        self.is_api_404 = self.method == "DELETE" and is_api_404(error)

    def note_absence(self, *, listed: bool | None) -> None:
        """Note whether what got a 404 is listed; None if that cannot be seen."""
        self.is_api_404, self.may_be_gone = listed is False, listed is None

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent twice without a second effect."""
        return self.method != "POST"

    @property
    def kind(self) -> str:
        """The resource that it creates, changes or deletes, such as ``project``."""
        return self.operation.partition("_")[2]

    def __str__(self) -> str:
        name = f"{self.method} {self.path}" if self.operation == "send" else self.operation
        return make_printable(" ".join(filter(None, (name, self.made or self.target or self.found))))


def find_ids(operation: Operation[Any], result: object = None) -> dict[str, str]:
    """Return the ids in a request, and ``id``, that of what it created.

    Only fields whose names say that they are ids are read, so that no secret can be among them.
    """
    found = {**operation.path_parameters, **_list_ids(operation.body), **_list_ids(_find_resource(result))}
    return {name: make_printable(value, most=_MAX_ID_LENGTH) for name, value in found.items()}


def _find_name(body: object) -> str | None:
    """Return the name or the email address of what a request creates, without the tag of a temporary name."""
    from pinecone_admin.workflows.name_tags import original_name  # noqa: PLC0415 - what only reads needs no tags

    name = next((found for each in ("name", "email") if isinstance(found := getattr(body, each, None), str)), None)
    return None if name is None else make_printable(original_name(name), most=_MAX_ID_LENGTH)


def _find_created_id(operation: Operation[Any], result: object) -> str | None:
    """Return the id of what an operation has created, or None if it creates nothing."""
    found = _list_ids(_find_resource(result)).get("id")
    return found if operation.method == "POST" and found not in operation.path_parameters.values() else None


def _find_resource(result: object) -> object:
    # A key or a service account that has just been created is a part of the result.
    return next((part for name in ("key", "service_account") if (part := getattr(result, name, None))), result)


def _list_ids(value: object) -> dict[str, str]:
    attributes = {each.name: getattr(value, each.name) for each in getattr(type(value), "__attrs_attrs__", ())}
    fields = cast("Mapping[object, object]", value) if isinstance(value, Mapping) else attributes
    return {
        name: each
        for name, each in fields.items()
        if isinstance(name, str) and (name == "id" or name.endswith("_id")) and isinstance(each, str)
    }


class Effects(NamedTuple):
    """The result of the changes of a command.

    It is about requests. A command and ``send`` have requests without a step, and a step may have several requests, so
    that this is not read from the steps, whose states ``ending`` decides.

    Attributes:
        done: Changes that were made and remain.
        unread: Changes that the server has made, without a readable response.
        unknown: Changes that may have been made.
        undone: Changes that were made and then undone.
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

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of all changes together, or None if there are none.

        It is unknown whether something remains that this command has created if a deletion of it may have taken effect.
        """
        if not self.remaining:
            is_rejected = any(each.outcome == "rejected" for each in self.rejected)
            return "undone" if self.undone else "rejected" if is_rejected else "not_sent" if self.rejected else None
        attempted = {each.target for each in self.unknown if each.method == "DELETE"}
        attempted |= {each.target for each in self.rejected if each.may_be_gone}
        doubtful = _find_vanished(self.done, _find_created(self.done), attempted)
        is_certain = any(doubtful.isdisjoint({each.made, each.target, *each.ids.values()}) for each in self.done)
        return "done" if is_certain or self.unread else "unknown"

    @property
    def is_recognizable(self) -> bool:
        """Whether the next run of a workflow recognizes all that was made: not what only may have been made."""
        return all(each.is_repeatable for each in (*self.unread, *self.unknown))


def find_effects(changes: Sequence[SentChange]) -> Effects:
    """Return what changes come to.

    A change is undone if this command has created its resource and deleted the resource again. This also holds for
    resources within such a resource. The workflow's deletion of a created resource also undoes its create if the
    response could not be read.

    Args:
        changes: The changes in their order.
    """
    deleted, created = _find_deleted(changes), _find_created(changes)
    vanished = _find_vanished(changes, created, deleted)
    undone = _find_undone_lost_creates(changes, created)
    undone |= {
        id(change) for change in changes if not vanished.isdisjoint({change.made, change.target, *change.ids.values()})
    }
    undone |= _find_needless_undos(changes, created, undone)
    found: dict[str, list[SentChange]] = {name: [] for name in Effects._fields}
    for position, each in enumerate(changes):
        found[_classify(each, changes[position + 1 :], deleted, is_undone=id(each) in undone)].append(each)
    return Effects(**{name: tuple(found[name]) for name in Effects._fields})


def keep_existing(descriptions: Iterable[str]) -> list[str]:
    """Return the descriptions of things, without those that the workflow in progress has deleted since.

    The deletion of a project also deletes a key in it, although the deletion of the key itself failed.

    Args:
        descriptions: Descriptions of things of this workflow, with their ids and those of what contains them.
    """
    changes = next(iter(_collections.get()), list[SentChange]())
    vanished = _find_vanished(changes, _find_created(changes), _find_deleted(changes))
    return [each for each in descriptions if not any(id in each for id in vanished if len(id) >= _SHORTEST_ID)]


def _find_created(changes: Iterable[SentChange]) -> set[str]:
    return {each.made for each in changes if each.made is not None}


def _find_deleted(changes: Iterable[SentChange]) -> set[str | None]:
    return {each.target for each in changes if each.is_api_404 or (each.method == "DELETE" and _has_deleted(each))}


def _find_vanished(changes: Sequence[SentChange], created: set[str], deleted: set[str | None]) -> set[str]:
    """Return the ids of what the command has made that was deleted again, or that was in such a thing."""
    vanished = created & deleted
    while within := {
        change.made
        for change in changes
        if change.made is not None and change.made not in vanished and not vanished.isdisjoint(change.ids.values())
    }:
        vanished |= within  # the server deletes a thing with what is in it
    return vanished


def _find_undone_lost_creates(changes: Sequence[SentChange], created: set[str]) -> set[int]:
    """Return the deletions that undo a create whose response was lost, and these creates, by ``id``."""
    undone: set[int] = set()
    for position, each in enumerate(changes):
        if each.undoes and _has_deleted(each) and each.target not in created:
            lost = [before for before in changes[:position] if _is_lost_create(before, each.kind)]
            lost = [before for before in lost if id(before) not in undone]
            undone |= {id(each), id(lost[-1])} if lost else set()
    return undone


def _find_needless_undos(changes: Sequence[SentChange], created: set[str], undone: set[int]) -> set[int]:
    """Return the failed deletions of what lost creates have made, by ``id``, if these creates are all undone."""
    needless: set[int] = set()
    for position, each in enumerate(changes):
        if each.undoes and each.target not in created:
            lost = [before for before in changes[:position] if _is_lost_create(before, each.kind)]
            needless |= {id(each)} if lost and undone.issuperset(map(id, lost)) else set()
    return needless


def _has_deleted(change: SentChange) -> bool:
    return change.outcome == "done" or change.is_api_404


def _is_lost_create(change: SentChange, kind: str) -> bool:
    is_create = change.method == "POST" and change.target is None
    return is_create and change.kind == kind and change.made is None and may_have_been_processed(change)


def _classify(change: SentChange, later: Sequence[SentChange], deleted: set[str | None], *, is_undone: bool) -> str:
    """Return the name of the field of ``Effects`` for a change."""
    if change.outcome in {"rejected", "not_sent"} or _was_repeated(change, later):
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


def _was_repeated(change: SentChange, later: Sequence[SentChange]) -> bool:
    """Return whether a create was sent again and took effect then, so that it had none before.

    Only creates of secrets are repeated although the server does not refuse a second one.
    """
    if change.change is None or change.change.makes_secret or change.target is not None or change.made is not None:
        return False
    return any(each.change == change.change and each.outcome == "done" for each in later)


def find_record(operation: Operation[Any]) -> SentChange | None:
    """Return the record of the run that is about to send an operation, which learns more of it than its response."""
    sending = _sending.get()
    return sending[1] if sending is not None and sending[0] is operation else None


def note_found(operation: Operation[Any], id: str) -> None:
    """Note what was found in the place of what a create without a readable response may have created."""
    sent = SentChange.of(operation)

    def is_lost(change: SentChange) -> bool:
        is_same = (change.operation, change.ids, change.name) == (sent.operation, sent.ids, sent.name)
        return is_same and change.made is None and may_have_been_processed(change)

    for changes in _collections.get():
        if (latest := next(filter(is_lost, reversed(changes)), None)) is not None:
            latest.found = id


@contextmanager
def reporting_remaining_changes() -> Generator[Sequence[SentChange], None, None]:
    """Set the outcome and a note of an error that leaves the block, from all changes in the block; yield these changes.

    An error knows of the last request only, or of none.
    """
    changes = list[SentChange]()
    _collections.set((*_collections.get(), changes))
    try:
        yield changes
    except BaseException as error:
        effects = find_effects(list(changes))
        if isinstance(error, PineconeError):
            set_outcome_of_changes(error, effects)
        if changes:
            _note_remaining_changes(error, effects)
        raise
    finally:
        # No token: a coroutine may be closed in another context, and the garbage collector within a later block.
        _collections.set(tuple(filter(partial(is_not, changes), _collections.get())))


class LeaveOutChanges:
    """Context whose changes are not in the outcomes of the workflows in progress: what ``store`` does is its own.

    No generator: it would set the traceback of an exception of the caller, whose class may be frozen.
    """

    def __enter__(self) -> None:
        self._outer, self._own = _collections.get(), list[SentChange]()
        _collections.set((self._own,))

    def __exit__(self, *_: object) -> None:
        # No token, as above. In another context, nothing is replaced.
        found = ((self._outer if each is self._own else (each,)) for each in _collections.get())
        _collections.set(tuple(each for some in found for each in some))


def set_outcome_of_changes(error: PineconeError, effects: Effects) -> None:
    """Set the outcome of an error to the one of all changes."""
    outcome = effects.outcome or "not_sent"
    if not effects.remaining:
        error.safe_to_retry = True
        if outcome == "not_sent" and error.outcome == "rejected":  # a request that only read
            outcome = "rejected"
    error.outcome = outcome
    if not effects.is_recognizable:
        error.safe_to_retry = False


class WorkflowNote(str):
    """A note that a workflow has added to an error. It is plain text in another process.

    Attributes:
        number: Number of the note among all runs and notes of this process, in the order of time.
    """

    __slots__ = ("number",)

    def __init__(self, _: str) -> None:
        self.number: int = draw_number()

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class RemainingChanges(WorkflowNote):
    """The note of an error that names the changes that remain; the command line names them itself."""

    __slots__ = ()


def draw_number() -> int:
    """Return the next number for a run or a note."""
    return next(_numbers)


def remove_earlier_notes(error: BaseException, number: int) -> None:
    """Remove the notes of earlier runs from an error and its cause: a ``store`` may raise one object in each run.

    Args:
        error: The error.
        number: Number of the run; notes with smaller numbers were there before it began.
    """
    for each in filter(None, (error, error.__cause__)):
        earlier: list[str] = getattr(each, "__notes__", [])
        notes = [note for note in earlier if not (isinstance(note, WorkflowNote) and note.number < number)]
        if len(notes) < len(earlier):
            set_notes(each, notes)


def _note_remaining_changes(error: BaseException, effects: Effects) -> None:
    """Note the changes that remain, unless the error names what each was about."""
    earlier: list[str] = getattr(error, "__notes__", [])
    # A workflow within this one has named what has been undone since, or a part of what remains.
    notes = [each for each in earlier if not isinstance(each, RemainingChanges)]
    text = "; ".join([read_text(error), *notes])
    own = error.operation if isinstance(error, PineconeError) else None

    def is_mentioned(change: SentChange) -> bool:
        id = change.made or change.target or change.found
        if id is None:
            return change.operation == own or MAY_EXIST in text or MAY_BE_OF_OTHERS in text
        return len(id) >= _SHORTEST_ID and id in text

    left = Effects(*([each for each in some if not is_mentioned(each)] for some in effects))
    if clauses := describe_remaining(left, _name_each):
        notes.append(RemainingChanges("; ".join(clauses)))
    if notes != earlier:
        set_notes(error, notes)


def add_note(error: BaseException, note: str) -> None:
    """Add a note to any error, also to one of the caller whose class is frozen; this never raises."""
    set_notes(error, [*getattr(error, "__notes__", ()), WorkflowNote(make_printable(note))])


def set_notes(error: BaseException, notes: list[str]) -> None:
    """Replace the notes of any error, as ``add_note`` adds one."""
    with suppress(Exception):
        BaseException.__setattr__(error, "__notes__", notes)


def read_reason(error: BaseException) -> str:
    """Return the text of any error with its notes, each once."""
    return "; ".join(dict.fromkeys([read_text(error), *getattr(error, "__notes__", ())]))


def read_text(error: BaseException) -> str:
    """Return the text of any error, or the name of its class if the text is empty or ``__str__`` fails."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - it comes from a class of the caller
        return type(error).__name__


def describe_remaining(effects: Effects, name_changes: Callable[[Sequence[SentChange]], str]) -> list[str]:
    """Return the changes that remain, each kind as a clause."""
    clauses = (
        (effects.done, "was done", "were done"),
        (effects.unread, "was processed", "were processed"),
        (effects.unknown, "may have been processed", "may have been processed"),
    )
    return [
        f"{name_changes(changes)} {one if len({*map(str, changes)}) == 1 else more}"
        for changes, one, more in clauses
        if changes
    ]


def _name_each(changes: Sequence[SentChange]) -> str:
    return ", ".join(dict.fromkeys(map(str, changes)))
