"""The clients of commands: one enters each change in the ledger, one shows the first change instead of sending it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self, TypeVar

from pinecone_admin import Admin, AttemptEvent, Operation, PineconeError
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.workflows.sent_changes import SentChange, find_record

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

    def _add_details(self, change: SentChange, operation: Operation[Any]) -> None:
        """Add what an audit log shows of a change, if there is one; a request written by hand is shown as it is."""
        if self._ledger.on_settled is None or operation.id == "send":
            return
        from pinecone_admin.workflows.change_operations import read_change  # noqa: PLC0415 - only an audit log needs it
        from pinecone_admin.workflows.changes import with_known_names  # noqa: PLC0415 - as above

        change.change = with_known_names(change.change or read_change(operation), self._ledger.names)

    def send(self, send: Callable[[Operation[_T]], _T], operation: Operation[_T]) -> _T:
        """Send an operation, and enter it if it is a change."""
        if operation.method == "GET":
            return send(operation)
        self._attempts.latest = None
        change = SentChange.of(operation, self._ledger.names)
        if (record := find_record(operation)) is not None:
            record.name = record.name if change.name is None else change.name
            change = record
        self._add_details(change, operation)
        self._interruptions.check_change()
        self._ledger.begin(change)
        if change.undoes:
            self._interruptions.explain()
        try:
            result = send(operation)
        except PineconeError as error:
            change.note_error(error)
            raise
        else:
            change.note_result(operation, result)
            return result
        finally:  # also if it is interrupted: then its outcome stays unknown
            attempt: AttemptEvent | None = self._attempts.latest
            if attempt is not None:
                change.status, change.request_id = attempt.status_code, attempt.request_id
            self._ledger.settle(change)


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
        return self.recorder.send(super().send, operation)

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
