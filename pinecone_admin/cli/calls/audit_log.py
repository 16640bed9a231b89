"""A log of changes: a JSON line for each, without secrets, which several processes can append to."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from generated_client.types import Operation
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.private_files import (
    OTHERS_CAN_WRITE,
    describe_path,
    find_access_problem,
    follow_own_links,
    wait_for_lock,
)

_MAX_ID_LENGTH = 500


@frozen(kw_only=True)
class AuditEntry:
    """A change that was sent, or was about to be sent.

    Attributes:
        time: When it ended.
        client_id: Client id of the service account that made it, or None if that is unknown.
        user: Name of the account on this machine that ran the command, or None.
        operation: Id of the operation, such as ``create_project``.
        request: Method and path template.
        ids: Ids in the request, and ``id``, that of what it created.
        outcome: What happened to it: ``done``, ``rejected``, ``unknown`` or ``not_sent``.
        status: HTTP status, or None if there was no response.
        error_code: The server's code, if it refused.
        request_id: The server's id of the request, or None.
    """

    time: datetime
    client_id: str | None
    user: str | None
    operation: str
    request: str
    ids: Mapping[str, str]
    outcome: str
    status: int | None
    error_code: str | None
    request_id: str | None

    def to_line(self) -> str:
        """Return the entry as one line of JSON, in ASCII."""
        fields = {
            "time": self.time.isoformat(timespec="milliseconds"),
            "who": {"client_id": self.client_id, "user": self.user},
            "operation": self.operation,
            "request": self.request,
            "ids": dict(self.ids),
            "outcome": self.outcome,
            "status": self.status,
            "error_code": self.error_code,
            "request_id": self.request_id,
        }
        return json.dumps(fields) + "\n"


def find_ids(operation: Operation[Any], result: object = None) -> dict[str, str]:
    """Return the ids in a request, and ``id``, that of what it created.

    Only fields whose names say that they are ids are read, so that no secret can be among them.
    """
    # A key or a service account that has just been created is a part of the result.
    made = next((part for name in ("key", "service_account") if (part := getattr(result, name, None))), result)
    found = {**operation.path_parameters, **_list_ids(operation.body), **_list_ids(made)}
    return {name: make_printable(value, most=_MAX_ID_LENGTH) for name, value in found.items()}


def _list_ids(value: object) -> dict[str, str]:
    fields = cast("Mapping[object, object]", value) if isinstance(value, Mapping) else _list_attributes(value)
    return {
        name: each
        for name, each in fields.items()
        if isinstance(name, str) and (name == "id" or name.endswith("_id")) and isinstance(each, str)
    }


def _list_attributes(value: object) -> dict[object, object]:
    return {each.name: getattr(value, each.name) for each in getattr(type(value), "__attrs_attrs__", ())}


class AuditLog:
    """A file to which entries are appended.

    Args:
        path: The file; a new one has mode 0600.
        on_failure: Function that is called with a line that could not be written.

    Raises:
        CLIError: It cannot be written, or another user can write it.
    """

    def __init__(self, path: str, *, on_failure: Callable[[str], object]) -> None:
        self._path = path
        self._on_failure = on_failure
        try:
            self._write(b"")
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or "invalid name"
            raise CLIError(f"--audit-log: {describe_path(path)} cannot be written: {reason}") from exc

    def append(self, entry: AuditEntry) -> None:
        """Append an entry; if that fails, report it, because the change has been made."""
        line = entry.to_line()
        try:
            self._write(line.encode("ascii"))
        except (OSError, CLIError):
            self._on_failure(f"not written to {describe_path(self._path)}: {line.rstrip()}")

    def _write(self, line: bytes) -> None:
        # Opened anew for each line, so that the file can be rotated.
        path = follow_own_links(Path(self._path).absolute())
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            status = os.fstat(descriptor)
            problem = find_access_problem(status, forbidden=OTHERS_CAN_WRITE)
            if problem:
                raise CLIError(f"--audit-log: {describe_path(self._path)} {problem}")
            # A full disk may have cut off the last line. While another process writes one, it only looks so.
            wait_for_lock(descriptor)
            if line and os.fstat(descriptor).st_size and _read_last_byte(descriptor) != b"\n":
                line = b"\n" + line
            # One write to a file that is open for appending: lines do not mix where there are no locks either.
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)


def _read_last_byte(descriptor: int) -> bytes:
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1)
