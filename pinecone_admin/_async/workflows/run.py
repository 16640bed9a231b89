"""A run: sends the changes of a workflow, records each as a step, and undoes what it created if the workflow fails.

This is the only module of the workflows that sends a change.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import evolve

from pinecone_admin._async.workflows.absence import is_listed
from pinecone_admin._async.workflows.client_state import (
    get_work_in_progress,
    max_attempts,
)
from pinecone_admin._concurrency.clock import PollBackoff, current_clock
from pinecone_admin._concurrency.waiting import (
    COMPLETION_TIMEOUT,
    UNDO_TIMEOUT,
    async_complete_if_interrupted,
    async_shield_from_cancellation,
)
from pinecone_admin._http.argument_checks import check_bool, set_operation_on_errors
from pinecone_admin._http.attempt_event import warn
from pinecone_admin._http.call_state import checking_responses, raising_404s
from pinecone_admin._http.lookup import is_same_name
from pinecone_admin.errors import ConflictError, LeftoverError, NotFoundError, Outcome, PineconeError
from pinecone_admin.models import RoleBinding
from pinecone_admin.workflows.change_operations import build_operation, find_other_values, find_undo
from pinecone_admin.workflows.changes import Change, Ref, RoleAt, Step
from pinecone_admin.workflows.ending import (
    Created,
    Thing,
    Undo,
    describe_adopted,
    describe_created,
    describe_deletion,
    find_created,
    find_foreign_part,
    has_failed,
    note_leftovers,
    refer_to,
    step_from_error,
    step_from_gone,
)
from pinecone_admin.workflows.sent_changes import (
    MAY_BE_OF_OTHERS,
    MAY_EXIST,
    SentChange,
    WorkflowNote,
    add_note,
    draw_number,
    find_effects,
    is_api_404,
    keep_existing,
    marking_undo,
    may_have_been_processed,
    note_found,
    read_text,
    record_change,
    remove_earlier_notes,
    reporting_remaining_changes,
    set_notes,
    set_outcome_of_changes,
)

if TYPE_CHECKING:
    from generated_client.types import Operation
    from pinecone_admin._async.client import AsyncAdmin

_T = TypeVar("_T")

_SHORTEST_TIMEOUT = 0.1

LISTING_TIMEOUT = 5.0
"""Seconds until a list shows a new item, or a new name."""


@asynccontextmanager
async def open_run(admin: AsyncAdmin, operation: str, *, dry_run: bool = False) -> AsyncGenerator[AsyncRun]:
    """Begin a run. Closing the client waits for its end. Its errors have the outcome of all of its changes.

    Args:
        admin: The client.
        operation: Name of the workflow, for errors.
        dry_run: Whether changes are only previewed.
    """
    with set_operation_on_errors(operation):
        check_bool("dry_run", dry_run)
    run = AsyncRun(admin, operation, dry_run=dry_run)
    with reporting_remaining_changes(), get_work_in_progress(admin).register():
        try:
            async with run:
                yield run
        except PineconeError as error:
            error.operation = error.operation or operation
            raise


class AsyncRun:
    """Sends changes, and knows what was done; parts of a workflow that are undone on their own have runs of their own.

    As a context manager, it undoes what it created if the block ends with an error. ``create``, ``create_secret``,
    ``do`` and ``send`` send a change and record it as a step. ``skip`` records a change that is not made. From ``keep``
    on, the run undoes nothing. ``keep`` and ``note`` add a note to a later error.

    Args:
        admin: The client.
        operation: Name of the workflow, for errors.
        dry_run: Whether changes are only previewed.
        project: Name of the project where everything is changed, if it is known.

    Attributes:
        steps: The changes in order, and what happened to each.
        mark: A mark that distinguishes the temporary names of this run from those of all others; empty in a dry run.
        known: Ids of what existed before, so that no response to a create can be about it.
    """

    def __init__(self, admin: AsyncAdmin, operation: str, *, dry_run: bool, project: str | None = None) -> None:
        self.admin = admin
        self.operation = operation
        self.dry_run = dry_run
        self.project = project
        self.steps: list[Step] = []
        self.mark = "" if dry_run else secrets.token_hex(4)
        self.known: set[str] = set()
        self._max_attempts = max_attempts(admin)
        self._maker = os.getpid()
        self._number = draw_number()
        self._undos: list[Undo] = []
        self._uncertain: dict[str, None] = {}  # what may exist, in the order of sending
        self._listed_from: dict[str, float] = {}  # when a list surely has what this run has created, by its id
        self._gone: set[str] = set()
        self._sent: list[SentChange] = []
        self._is_kept = False
        self._remarks: list[str] = []
        self._describe_first: Callable[[BaseException], str] = lambda _: ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # An interruption at the edge of the block leaves it to the garbage collector, which raises GeneratorExit. It
        # comes at any time, also after the next run has found what this one has created.
        if error is not None and not isinstance(error, GeneratorExit):
            await self.undo(error)

    async def create(
        self,
        change: Change,
        find_new: Callable[[], Awaitable[_T | None]],
        *,
        fits: Callable[[_T], Awaitable[bool]] | None = None,
        is_unique: bool,
        can_undo: bool = True,
    ) -> Created[_T]:
        """Create something that has no secret, or return what has appeared after a create without a response.

        A resource that is only probably of this run is not deleted. One that differs from what was sent is not new.

        Args:
            change: The change.
            find_new: Returns what was not there before the change was sent.
            fits: Returns whether a resource is as it was sent; None if what is found always is.
            is_unique: Whether the server refuses a second one, so that the create may be repeated, up to
                ``max_attempts`` times in all.
            can_undo: Whether it is deleted if the workflow fails.

        Returns:
            The created resource; in a dry run, its value is None.

        Raises:
            PineconeError: The create failed, or its response was lost and nothing new appeared before the deadline.
        """
        if self.dry_run:
            return Created(cast("_T", await self.do(change)))
        backoff, position, sent = PollBackoff(self.admin.timeout), len(self.steps), 0
        lost: PineconeError | None = None
        found: _T | None = None
        while found is None:
            try:
                if lost is None or (is_unique and sent < self._max_attempts):
                    sent += 1
                    return Created(await self._send(position, change, can_undo=can_undo))
            except ConflictError as error:
                # ABORTED does not say that it exists, so that there is nothing to wait for.
                if error.error_code == "ABORTED" or (found := await self._poll_until_listed(find_new)) is None:
                    raise
                break
            except PineconeError as error:
                if not may_have_been_processed(error):
                    raise
                lost = error
            if not await backoff.async_wait():
                assert lost is not None  # noqa: S101 - otherwise the create would have returned
                raise lost
            found = await find_new()
        is_own = lost is not None and (fits is None or await fits(found))
        self._uncertain.pop(describe_created(change), None)
        self.steps[position] = describe_adopted(change, found, lost, is_probably_own=is_own)
        if is_own:
            self._note_found(change, found, is_kept=can_undo)
        return Created(found, is_new=is_own, is_certain=lost is None)

    async def create_secret(self, change: Change, preview: Any = None) -> Any:
        """Create something with a secret, under a temporary name; return it with the secret.

        If the response with the secret is lost, what has the name is deleted, and another one is created.
        """
        if self.dry_run:
            return await self.do(change, preview=preview)
        name, target = change.settings.name or "", change.target

        async def find_lost() -> list[Any]:
            if target.kind == "service_account":
                return [each async for each in self.admin.service_accounts.list() if is_same_name(each.name, name)]
            keys = await self.admin.api_keys.list(project_id=(target.project and target.project.id) or "")
            return [each for each in keys if is_same_name(each.name, name)]

        async def prepare_next(lost: PineconeError) -> None:
            found = await self._poll_until_listed(find_lost)
            await self._delete_lost(change, found, lost)

        try:
            return await self.repeat_if_response_is_lost(
                lambda: self._send(len(self.steps), change),
                prepare_next,
                most=self._max_attempts,
            )
        except PineconeError:
            raise
        except BaseException as error:
            # Interrupted or cancelled, and there was no response in time
            if describe_created(change) in self._uncertain:
                with async_shield_from_cancellation(UNDO_TIMEOUT), suppress(PineconeError):
                    await self._delete_lost(change, await find_lost(), error)
            raise

    async def repeat_if_response_is_lost(
        self,
        call: Callable[[], Awaitable[_T]],
        prepare_next: Callable[[PineconeError], Awaitable[None]] | None = None,
        *,
        most: float,
    ) -> _T:
        """Make a call that returns a secret; until the deadline, repeat it if its response, with the secret, is lost.

        Args:
            call: The call.
            prepare_next: Undoes what a call whose response was lost may have done; called after each of them.
            most: How many calls are made at most.
        """
        backoff = PollBackoff(self.admin.timeout)
        lost_response: PineconeError | None = None
        lost = 0
        while True:
            try:
                return await call()
            except PineconeError as error:
                for note in [*getattr(lost_response, "__notes__", ())]:
                    error.add_note(note)
                if not may_have_been_processed(error):
                    raise error from lost_response
                lost_response = error
            if prepare_next is not None:
                await prepare_next(lost_response)
            lost += 1
            if lost >= most or not await backoff.async_wait():
                raise lost_response

    async def do(
        self,
        change: Change,
        *,
        binding_id: str | None = None,
        preview: Any = None,
        then_keep: str = "",
        if_rejected: str = "",
    ) -> Any:
        """Send a change, and return its result; a dry run returns the preview.

        If this is interrupted or cancelled, it waits for the response, to know what was done. The resource may have
        been deleted before.

        Args:
            change: The change; all that it names has an id.
            binding_id: Id of the role binding that is deleted, if a role is revoked.
            preview: Result of a dry run.
            then_keep: If this is given, nothing is undone once the change may have been made, and it is a note then.
            if_rejected: A note if the server refuses.
        """
        if self.dry_run:
            self.steps.append(Step(change=change, state="planned"))
            return preview
        return await self._send(
            len(self.steps), change, binding_id=binding_id, then_keep=then_keep, if_rejected=if_rejected
        )

    async def send(self, change: Change, call: Callable[[], Awaitable[_T]]) -> _T:
        """Make a change with a function that sends it, as ``do`` does."""
        return cast("_T", await self._send(len(self.steps), change, call))

    async def _send(
        self,
        position: int,
        change: Change,
        call: Callable[[], Awaitable[Any]] | None = None,
        *,
        binding_id: str | None = None,
        can_undo: bool = True,
        then_keep: str = "",
        if_rejected: str = "",
    ) -> Any:
        """Send a change, and record at a position of the steps what became of it."""
        description = describe_created(change)
        # A refusal says nothing about an earlier request.
        was_lost, is_repeated = description in self._uncertain, position < len(self.steps)
        operation = build_operation(change, binding_id=binding_id)

        async def send_and_record() -> Any:
            self.steps[position:] = [Step(change=change, state="sent", error="there was no response")]
            if change.creates or change.action == "grant":
                self._uncertain[description] = None
            outcome: Outcome = "unknown"
            try:
                result = await self._exchange(change, operation, call or partial(self.admin.send, operation))
            except PineconeError as error:
                outcome = "done" if is_api_404(error) else error.outcome
                step = step_from_error(change, error)
                if is_repeated:
                    step = evolve(step, state="sent")
                self.steps[position] = step
                if not was_lost and not may_have_been_processed(error):
                    self._uncertain.pop(description, None)
                raise
            finally:
                if outcome == "rejected" and if_rejected:
                    self.note(if_rejected)
                elif then_keep and outcome not in {"rejected", "not_sent"}:
                    self.keep(then_keep)
            if not (was_lost and change.makes_secret):  # names of keys and accounts are not unique
                self._uncertain.pop(description, None)
            return self._record_result(position, change, result, can_undo=can_undo)

        return await async_complete_if_interrupted(send_and_record, COMPLETION_TIMEOUT)

    async def _exchange(self, change: Change, operation: Operation[Any], call: Callable[[], Awaitable[Any]]) -> Any:
        """Send the operation of a change; return its result, or the 404 that shows that a deletion was not needed."""
        sent = record_change(operation, change)
        self._sent.append(sent)
        try:
            with raising_404s(), checking_responses(partial(find_foreign_part, change, self.known)):
                result = await call()
        except PineconeError as error:
            sent.note_error(error)
            sent.is_api_404 = False  # also if the search is interrupted
            if change.action in {"update", "delete", "revoke"}:
                binding_id = sent.target if change.action == "revoke" else None
                # What is undone is this run's own binding alone.
                roles = change.roles if change.action == "revoke" and not sent.undoes else ()
                listed = await self._is_listed(change.target, binding_id, roles) if is_api_404(error) else True
                sent.note_absence(listed=listed)
                if listed and roles and is_api_404(error):
                    add_note(
                        error, f"a list shows that {change.target} holds {roles[0]}: somebody may have granted it again"
                    )
            if change.action == "update" or not sent.is_api_404:
                raise
            if error.outcome == "rejected":
                return error
            result = None  # it is gone, most likely by an attempt whose response was lost
        sent.note_result(operation, result)
        if sent.made is not None:
            self.known.add(sent.made)
            self._listed_from[sent.made] = current_clock().monotonic() + LISTING_TIMEOUT
        return result

    async def _is_listed(self, target: Ref, binding_id: str | None = None, roles: Sequence[RoleAt] = ()) -> bool | None:
        id = binding_id or target.id or ""
        if self.is_gone(id):
            return False
        backoff = PollBackoff(self._listed_from.get(id, -inf) - current_clock().monotonic())
        while (listed := await is_listed(self.admin, target, binding_id=binding_id, roles=roles)) is False:
            if backoff.seconds_left == 0 or not await backoff.async_wait():
                self._gone |= {id} - {""}
                break
        return listed

    def is_gone(self, id: str) -> bool:
        """Return whether this run has seen that something was deleted by others."""
        return id in self._gone

    def _record_result(self, position: int, change: Change, result: Any, *, can_undo: bool) -> Any:
        """Record a change that was made, or was not needed, and what undoes it; return the result."""
        if isinstance(result, PineconeError):
            self.steps[position] = step_from_gone(change)
            return None
        created = find_created(change, result)
        note = find_other_values(change, result if created is None else created)
        self.steps[position] = Step(change=change, state="done", resource=created, note=note)
        if created is not None and can_undo and not self._is_kept:
            binding_id = created.id if isinstance(created, RoleBinding) else None
            undo = find_undo(change, change.target if isinstance(created, RoleBinding) else self.refer_to(created))
            if undo is not None:
                self._undos.append(Undo(position, describe_created(change, created), undo, binding_id))
        return result

    def refer_to(self, thing: Thing) -> Ref:
        """Return the reference to a resource, with the name of its project if that is known."""
        return refer_to(thing, project=self.project)

    def note(self, remark: str) -> None:
        """Add the remark as a note to an error that comes before something has to be kept."""
        self._remarks.append(remark)

    def keep(self, remark: str, *, first: Callable[[BaseException], str] | None = None) -> None:
        """Undo nothing from now on.

        Args:
            remark: A note for a later error.
            first: Returns the note before all others for such an error, unless it is empty.
        """
        self._describe_first = first or self._describe_first
        self._undos.clear()
        self._is_kept = True
        self._remarks = [remark]

    @staticmethod
    async def _poll_until_listed(list_named: Callable[[], Awaitable[_T]]) -> _T:
        """Repeat a search while it finds nothing, since a list may show a new item late."""
        backoff = PollBackoff(LISTING_TIMEOUT)
        while True:
            found = await list_named()
            if found or not await backoff.async_wait():
                return found

    def _note_found(self, change: Change, found: Any, *, is_kept: bool) -> None:
        note_found(build_operation(change), found.id)
        if is_kept:
            self._remarks.append(f"{describe_created(change, found)} {MAY_BE_OF_OTHERS}")

    async def _delete_lost(self, change: Change, found: Sequence[Any], error: BaseException) -> None:
        """Delete what creates made whose responses were lost; what the first one made may appear after the next one."""
        if found:
            self._uncertain.pop(describe_created(change), None)
        lost = [position for position, each in enumerate(self.steps) if each.change == change and has_failed(each)]
        undos: list[Undo] = []
        for number, each in enumerate(found):
            position = lost[min(number, len(lost) - 1)]
            self.steps[position] = evolve(self.steps[position], resource=each)
            undo = Change(action="delete", target=self.refer_to(each))
            undos.append(Undo(position, describe_created(change, each), undo, None))
        await self._undo_steps(undos, error)

    async def undo(self, error: BaseException | None) -> None:
        """Delete the created resources. If the workflow ends with an error, add notes to the error.

        Raises:
            LeftoverError: Something could not be deleted, and the workflow was not interrupted or cancelled.
        """
        if error is not None:
            remove_earlier_notes(error, self._number)
            if first := self._describe_first(error):
                set_notes(error, [WorkflowNote(first), *getattr(error, "__notes__", ())])
            for remark in self._remarks:
                add_note(error, remark)
            for description in self._uncertain:
                add_note(error, f"{description} {MAY_EXIST}")
        if os.getpid() == self._maker:  # a forked child deletes nothing: its parent still uses it
            await self._undo_steps(self._undos, error)

    async def _undo_steps(self, undos: list[Undo], error: BaseException | None) -> None:
        """Delete what some steps have created."""
        if not undos:
            return
        failures: dict[Undo, PineconeError] = {}
        try:
            # Two layers: the inner one also survives a second cancellation of the task, which no scope shields from.
            with async_shield_from_cancellation(inf):
                await async_complete_if_interrupted(partial(self._send_undos, undos, error, failures), UNDO_TIMEOUT)
        except BaseException as interruption:
            note_leftovers(error or interruption, undos, failures)
            for note in getattr(error, "__notes__", ()):
                add_note(interruption, note)
            if error is not None:
                interruption.__cause__ = error  # a task group of anyio removes the context
            raise
        notes: list[str] = [*getattr(error, "__notes__", ())]
        left, message = note_leftovers(error, undos, failures)
        if isinstance(error, LeftoverError):  # of a deletion before these
            error.left = keep_existing(error.left)
            left = [*error.left, *left] if left else []
        if left and isinstance(error, Exception | None):
            after, cause = (
                ("", next(iter(failures.values()), None)) if error is None else (f", after: {read_text(error)}", error)
            )
            leftover = LeftoverError(f"{message}{after}", left=left, operation=self.operation)
            set_outcome_of_changes(leftover, find_effects(self._sent))
            leftover.__notes__ = notes
            raise leftover from cause

    async def _send_undos(
        self, undos: list[Undo], error: BaseException | None, failures: dict[Undo, PineconeError]
    ) -> None:
        """Delete everything, the latest first, and note each deletion on the error."""
        backoff = PollBackoff(UNDO_TIMEOUT)
        with async_shield_from_cancellation(UNDO_TIMEOUT):
            while undos:
                undo = undos[-1]
                seconds = min(self.admin.timeout, max(backoff.seconds_left, _SHORTEST_TIMEOUT))
                missing: PineconeError | None = None
                try:
                    with marking_undo():
                        operation = build_operation(undo.change, binding_id=undo.binding_id)
                        send = partial(self.admin.with_options(timeout=seconds).send, operation)
                        missing = await self._exchange(undo.change, operation, send)
                except PineconeError as failure:
                    failures[undo] = failure
                else:
                    self.steps[undo.position] = evolve(self.steps[undo.position], state="undone")
                with suppress(ValueError):  # closing the client may undo it, too
                    undos.remove(undo)
                if undo in failures:
                    continue
                end = describe_deletion(missing)
                if error is not None:
                    add_note(error, f"{undo.description} {end}")
                elif end != describe_deletion():
                    warn("%s %s", undo.description, end)

    @asynccontextmanager
    async def ignore_gone(self, target: Ref) -> AsyncGenerator[None]:
        """Suppress a 404 in the block that shows that something was deleted, and no other error."""
        try:
            yield
        except NotFoundError as error:
            if not await self.shows_deletion(error, target):
                raise

    async def shows_deletion(self, error: PineconeError, target: Ref) -> bool:
        """Return whether an error shows that something was deleted, as the function of this name does.

        It waits until a list surely has what this run has created.
        """
        return is_api_404(error) and await self._is_listed(target) is False

    def skip(self, change: Change, reason: str) -> None:
        """Record a change that is not made, with the reason."""
        self.steps.append(Step(change=evolve(change, reason=reason), state="skipped"))
