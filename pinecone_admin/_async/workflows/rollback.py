"""Delete what a workflow has created if it fails, is cancelled or is interrupted."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._concurrency.waiting import async_complete_if_interrupted, async_shield_from_cancellation
from pinecone_admin.errors import LeftoverError, PineconeError
from pinecone_admin.workflows.sent_changes import MAY_EXIST, is_gone, marking_undo

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

_T = TypeVar("_T")

COMPLETION_TIMEOUT = 10.0
"""Seconds that a create may still take once its workflow is cancelled."""

_UNDO_TIMEOUT = 30.0
"""Seconds for undoing everything."""

_SHORTEST_TIMEOUT = 0.1

Deletion: TypeAlias = "Callable[[AsyncAdmin], Awaitable[None]]"


def describe_deletion(missing: PineconeError | None = None) -> str:
    """Return what became of something that was to be deleted, given the 404 if there was one."""
    # An earlier attempt, whose response was lost, may have deleted it.
    if missing is None or missing.attempts > 1:
        return "was deleted again"
    return "was not there when it was to be deleted"


class AsyncRollback:
    """Context that deletes what a workflow has created, in reverse order, if an exception leaves it before ``keep``.

    Args:
        admin: The client.
    """

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin
        self._deletions: list[tuple[str, Deletion]] = []
        self._uncertain: str | None = None
        self._is_kept = False
        self._remarks: list[str] = []
        self._describe_first: Callable[[BaseException], str] = lambda _: ""

    async def create(
        self,
        description: str,
        send: Callable[[], Awaitable[_T]],
        undo: Callable[[_T], tuple[str, Deletion]] | None = None,
    ) -> _T:
        """Create something and record it; if this is cancelled, still wait for the response, to know what to undo.

        Args:
            description: What may exist if there is no response.
            send: Sends the request.
            undo: Returns the description of what was created, and how to delete it; None if it cannot be undone.
        """

        async def send_and_record() -> _T:
            self._uncertain = description
            try:
                made = await send()
            except PineconeError as error:
                if error.outcome in {"not_sent", "rejected", "undone"}:
                    self._uncertain = None
                raise
            self._uncertain = None
            if undo is not None:
                self.record(*undo(made))
            return made

        return await async_complete_if_interrupted(send_and_record, COMPLETION_TIMEOUT)

    def record(self, description: str, delete: Deletion) -> None:
        """Record something that this workflow has created, and how to delete it."""
        if not self._is_kept:
            self._deletions.append((description, delete))

    def settle(self) -> None:
        """Note that what a create whose response was lost may have made is known to be deleted."""
        self._uncertain = None

    def adopt(self, remark: str) -> None:
        """Note in an error why something that only may be of this workflow is not deleted."""
        self._uncertain = None
        self._remarks.append(remark)

    def note(self, remark: str) -> None:
        """Add the remark as a note to an error that comes before something has to be kept."""
        self._remarks.append(remark)

    def add_first_note(self, describe: Callable[[BaseException], str]) -> None:
        """Begin the notes of a later error with the text that this returns for it, unless it is empty."""
        self._describe_first = describe

    def keep(self, remark: str) -> None:
        """Delete nothing from now on; a later error gets the remark as a note."""
        self._deletions.clear()
        self._is_kept = True
        self._remarks = [remark]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            return
        if first := self._describe_first(error):
            error.__notes__ = [first, *getattr(error, "__notes__", ())]
        for remark in self._remarks:
            error.add_note(remark)
        if self._uncertain is not None:
            error.add_note(f"{self._uncertain} {MAY_EXIST}")
        if self._deletions:
            await self._undo_all(error)

    async def _undo_all(self, error: BaseException) -> None:
        failures: dict[str, PineconeError] = {}
        try:
            # Two layers: the inner one also survives a second cancellation of the task, which no scope shields from.
            with async_shield_from_cancellation(math.inf):
                await async_complete_if_interrupted(partial(self._delete_all, error, failures), _UNDO_TIMEOUT)
        finally:
            notes: list[str] = [*getattr(error, "__notes__", ())]
            left = [*failures, *(description for description, _ in reversed(self._deletions))]
            if left:
                error.add_note(f"left, made by this call: {', '.join(left)}")
        if left and isinstance(error, Exception):
            reason = next(iter(failures.values()), "the time was up")
            leftover = LeftoverError(
                f"{', '.join(left)}, made by this call, could not be deleted: {reason}, after: {error}", left=left
            )
            leftover.__notes__ = notes
            raise leftover from error

    async def _delete_all(self, error: BaseException, failures: dict[str, PineconeError]) -> None:
        """Delete everything that was recorded, and note each deletion on the error."""
        backoff = PollBackoff(_UNDO_TIMEOUT)
        with async_shield_from_cancellation(_UNDO_TIMEOUT):
            while self._deletions:
                description, delete = self._deletions[-1]
                seconds = min(self._admin.timeout, max(backoff.seconds_left, _SHORTEST_TIMEOUT))
                try:
                    with marking_undo():
                        await delete(self._admin.with_options(timeout=seconds))
                    error.add_note(f"{description} {describe_deletion()}")
                except PineconeError as failure:
                    if is_gone(failure):
                        error.add_note(f"{description} {describe_deletion(failure)}")
                    else:
                        failures[description] = failure
                self._deletions.pop()


def join_rollback(admin: AsyncAdmin, outer: AsyncRollback | None) -> AbstractAsyncContextManager[AsyncRollback]:
    """Return the rollback of an outer workflow, without leaving it at the end, or a new one if there is none."""
    return AsyncRollback(admin) if outer is None else nullcontext(outer)
