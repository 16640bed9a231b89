"""A client that records each change in an audit log."""

from __future__ import annotations

import getpass
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from pinecone_admin import Admin, ApiError, AttemptEvent, Operation, PineconeError
from pinecone_admin.cli.calls.audit_log import AuditEntry, AuditLog, find_ids

_T = TypeVar("_T")


class ChangeRecorder:
    """Writes the entries of the changes of a client.

    Args:
        log: The audit log.
        client_id: Client id of the caller, or None if that is unknown.
        now: Clock.
    """

    def __init__(
        self, log: AuditLog, *, client_id: str | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._log = log
        self._client_id = client_id
        self._user = _find_user()
        self._now = now
        self._attempts = threading.local()

    def note_attempt(self, event: AttemptEvent) -> None:
        """Remember the latest attempt in this thread, which has the id of the request; for ``on_attempt``."""
        self._attempts.latest = event

    def send(self, send: Callable[[Operation[_T]], _T], operation: Operation[_T]) -> _T:
        """Send an operation, and record it if it is a change of which at least one attempt was made."""
        if operation.method == "GET":
            return send(operation)
        self._attempts.latest = None
        try:
            result = send(operation)
        except PineconeError as exc:
            if exc.attempts:
                self._record(operation, exc, outcome=exc.outcome)
            raise
        except BaseException:  # interrupted
            self._record(operation, None, outcome="unknown")
            raise
        self._record(operation, result, outcome="done")
        return result

    def _record(self, operation: Operation[_T], result: object, *, outcome: str) -> None:
        error = result if isinstance(result, PineconeError) else None
        attempt: AttemptEvent | None = self._attempts.latest
        self._log.append(
            AuditEntry(
                time=self._now(),
                client_id=self._client_id,
                user=self._user,
                operation=operation.id,
                request=f"{operation.method} {operation.path}",
                ids=find_ids(operation, None if error else result),
                outcome=outcome,
                status=attempt.status_code if attempt else None,
                error_code=error.error_code if isinstance(error, ApiError) else None,
                request_id=attempt.request_id if attempt else None,
            )
        )


def audited_client_class(recorder: ChangeRecorder) -> type[Admin]:
    """Return a class of clients that record their changes, as do the copies that ``with_options`` makes of them."""

    class AuditedAdmin(Admin):
        def send(self, operation: Operation[_T]) -> _T:
            return recorder.send(super().send, operation)

    return AuditedAdmin


def _find_user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no account and no variable has a name
        return None
