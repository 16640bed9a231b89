"""The clients of commands: one enters each change in the ledger, one shows the first change instead of sending it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self, TypeVar, cast

from pinecone_admin import Admin, ApiError, AttemptEvent, NotFoundError, Operation, PineconeError
from pinecone_admin._http.call_state import raising_404s
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger, name_changed
from pinecone_admin.errors import ErrorContext
from pinecone_admin.workflows.sent_changes import SentChange, find_record, may_have_been_processed

_T = TypeVar("_T")


class ChangeRecorder:
    """Enters the changes of a client, and what became of them.

    Args:
        ledger: Where they are entered.
        interruptions: The signals. A second one ends what the command still does.
    """

    def __init__(self, ledger: Ledger, interruptions: Interruptions) -> None:
        self._ledger, self._interruptions = ledger, interruptions
        self._attempts = threading.local()

    def note_attempt(self, event: AttemptEvent) -> None:
        """Remember the latest attempt in this thread, which has the id of the request; for ``on_attempt``."""
        self._attempts.latest = event

    def send(
        self,
        send: Callable[[Operation[_T]], _T],
        operation: Operation[_T],
        is_listed: Callable[[Operation[Any]], bool | None],
    ) -> _T | None:
        """Send an operation, and enter it if it is a change.

        Args:
            send: Sends it.
            operation: The operation.
            is_listed: Returns whether a list has what an operation was to delete; None if that cannot be seen.
        """
        if operation.method == "GET":
            return send(operation)
        change = SentChange.of(operation, self._ledger.names)
        if (record := find_record(operation)) is not None:
            record.name = record.name if change.name is None else change.name
            change = record
        # What an audit log shows of it, if there is one; a request written by hand is shown as it is.
        if self._ledger.on_settled is not None and operation.id != "send":
            from pinecone_admin.workflows.change_operations import read_change  # noqa: PLC0415 - few commands need it
            from pinecone_admin.workflows.changes import with_known_names  # noqa: PLC0415 - as above

            known = change.change or self._ledger.add_parts(read_change(operation))
            change.change = with_known_names(known, self._ledger.names)
        self._interruptions.check_change()
        self._ledger.begin(change)
        if change.undoes:
            self._interruptions.explain()
        try:
            if change is record:  # its run asks a list itself
                result: _T | None = self._send_change(send, operation, change)
            else:
                with raising_404s():
                    result = self._send_deletion(send, operation, change, is_listed)
            change.note_result(operation, result)
            return result
        finally:  # also if it is interrupted: then its outcome stays unknown
            self._ledger.settle(change)

    def _send_deletion(
        self,
        send: Callable[[Operation[_T]], _T],
        operation: Operation[_T],
        change: SentChange,
        is_listed: Callable[[Operation[Any]], bool | None],
    ) -> _T | None:
        """Send a change; if it is a deletion, ask a list what a 404 means after an attempt whose response was lost."""
        try:
            return self._send_change(send, operation, change)
        except NotFoundError as error:
            if not (change.is_api_404 and may_have_been_processed(error)):
                raise
            listed = is_listed(operation)
            change.note_absence(listed=listed)
            if listed is None:
                error.add_note("whether it still exists is not known")
                raise
            if listed:
                change.outcome = "rejected"
                raise _describe_false_404(error, name_changed(change)) from error
            return None

    def _send_change(self, send: Callable[[Operation[_T]], _T], operation: Operation[_T], change: SentChange) -> _T:
        self._attempts.latest = None
        try:
            return send(operation)
        except PineconeError as error:
            change.note_error(error)
            raise
        finally:
            attempt: AttemptEvent | None = self._attempts.latest
            if attempt is not None:
                change.status, change.request_id = attempt.status_code, attempt.request_id


def _describe_false_404(error: NotFoundError, thing: str) -> ApiError:
    """Return the error of a 404 that a thing got although a list contains it: that is no ``NotFoundError``."""
    context: Any = {name: getattr(error, name) for name in ErrorContext.__annotations__}
    context["outcome"] = "rejected"
    found = ApiError(error.message, details=error.details, body=error.body, headers=error.headers, **context)
    found.add_note(f"{thing} still exists, because a list contains it")
    return found


def describe_attempt(event: AttemptEvent) -> str:
    """Return an attempt as ``--verbose`` shows it, with no secret and no id but that of the request."""
    result = event.status_code or "no response"
    waits = "" if event.delay is None else f", again in {event.delay:.1f} s"
    request = f"{event.method} {event.path}: {result}, {event.duration * 1000:.0f} ms, attempt {event.attempt}"
    return f"{request}, request id {event.request_id or 'unknown'}{waits}"


def describe_reason_to_wait(event: AttemptEvent) -> str:
    """Return why a client waits after an attempt, as the beginning of a sentence."""
    server = "The token endpoint" if event.operation == "get_token" else "The API"
    if event.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return f"{server} limits requests"
    return f"{server} did not answer" if event.status_code is None else f"{server} failed"


class RecordedAdmin(Admin):
    """A client that records its changes, as do the copies that ``with_options`` makes of it."""

    recorder: ChangeRecorder

    def send(self, operation: Operation[_T]) -> _T:
        """Send an operation, and record it if it is a change."""
        return cast("_T", self.recorder.send(super().send, operation, self._is_listed))

    def _is_listed(self, operation: Operation[Any]) -> bool | None:
        if operation.id == "send":  # it says nothing of what it is about
            return None
        from pinecone_admin._sync.workflows.absence import is_listed  # noqa: PLC0415 - only a 404 needs it
        from pinecone_admin.workflows.change_operations import read_change  # noqa: PLC0415 - as above

        return is_listed(self, read_change(operation).target)

    def with_options(self, **options: Any) -> Self:
        """Return a copy with other options."""
        copy = super().with_options(**options)
        copy.recorder = self.recorder
        return copy


class WouldSend(Exception):  # noqa: N818 - it is no failure
    """A change that a dry run does not send.

    Attributes:
        operation: The operation of the change.
    """

    def __init__(self, operation: Operation[Any]) -> None:
        super().__init__(operation.id)
        self.operation: Operation[Any] = operation


class PreviewAdmin(Admin):
    """A client that sends reads only, and raises ``WouldSend`` in place of the first change."""

    def send(self, operation: Operation[_T]) -> _T:
        """Send a read; check a change as if it were sent."""
        if operation.method == "GET":
            return super().send(operation)
        check_operation(operation)
        raise WouldSend(operation)
