"""A log of changes: a JSON line for each, without secrets, which several processes can append to."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.files import (
    OTHERS_CAN_WRITE,
    describe_path,
    describe_unwritable,
    find_access_problem,
    follow_own_links,
)
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.sent_changes import SentChange

_LOCK_TIMEOUT = 10.0
_LOCK_INTERVAL = 0.01


def format_entry(
    change: SentChange, *, time: datetime, caller: Mapping[str, str | None], job: Mapping[str, str]
) -> str:
    """Return the entry of a change as one line of JSON, in ASCII.

    Args:
        change: The change.
        time: When it ended.
        caller: The ``client_id`` of the service account that made it, and the ``user`` of this machine, or None.
        job: The variables of the environment that say which job it was, if it was one.
    """
    fields = {
        "time": time.isoformat(timespec="milliseconds"),
        "who": caller,
        "job": job,
        "operation": change.operation,
        "request": f"{change.method} {change.path}",
        "ids": change.ids,
        "change": None if change.change is None else to_dict(change.change),
        "outcome": change.outcome,
        "status": change.status,
        "error_code": change.error_code,
        "request_id": change.request_id,
    }
    return json.dumps(fields) + "\n"


class AuditLog:
    """A file that gets a line for each event at its end.

    Args:
        path: The file; a new one has mode 0600.
        source: The option or the variable that names it, for errors.
        on_failure: Function that is called with a line that could not be written.

    Raises:
        CLIError: It cannot be written, or another user can write it.
    """

    def __init__(self, path: str, *, source: str = "--audit-log", on_failure: Callable[[str], object]) -> None:
        self._path = path
        self._source = source
        self._on_failure = on_failure
        try:
            self._write(b"")
        except (OSError, ValueError) as exc:
            cause = exc if isinstance(exc, OSError) else PineconeValueError
            raise CLIError(f"{source}: {describe_unwritable(path, exc)}.", cause=cause) from exc

    def append(self, line: str) -> None:
        """Append a line; if that fails, report it, because the change has been made."""
        try:
            self._write(line.encode("ascii"))
        except (OSError, CLIError):
            self._on_failure(f"This entry could not be written to {describe_path(self._path)}: {line.rstrip()}")

    def _write(self, line: bytes) -> None:
        # Opened again for each line, so that the file can be rotated.
        path = follow_own_links(Path(self._path).absolute())
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            status = os.fstat(descriptor)
            problem = find_access_problem(status, forbidden=OTHERS_CAN_WRITE)
            if problem:
                raise CLIError(f"{self._source}: {describe_path(self._path)} {problem}")
            # A full disk may have cut off the last line. While another process writes one, it only looks so.
            _wait_for_lock(descriptor)
            if line and os.fstat(descriptor).st_size and _read_last_byte(descriptor) != b"\n":
                line = b"\n" + line
            # One write to a file that is open for appending: lines do not mix where there are no locks either.
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)


def _wait_for_lock(descriptor: int) -> None:
    """Lock an open file until it is closed, unless there are no locks or another process holds it for ten seconds."""
    with suppress(ImportError, OSError):  # missing on Windows; some network file systems have no locks
        import fcntl  # noqa: PLC0415 - as above

        deadline = time.monotonic() + _LOCK_TIMEOUT
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() >= deadline:
                return
            time.sleep(_LOCK_INTERVAL)


def _read_last_byte(descriptor: int) -> bytes:
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1)
