"""The log of the requests that the emulator has received."""

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import overload

from attrs import frozen

from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES, operation_name
from pinecone_admin.emulator.api.serialization import Document, format_time

CAPACITY = 10_000
"""The number of requests that the log keeps; older ones are dropped."""

# Tokens and client secrets have 60 characters or more, ids and cursors fewer; API keys are known by their prefix.
_SECRET = re.compile(r"(pcsk|pckey)_[\w-]+|[\w-]{60,}", re.ASCII)


@frozen(kw_only=True)
class LoggedRequest:
    """A received request, with its secrets masked.

    Attributes:
        time: The time at which it arrived, by the emulator's clock.
        method: The method in upper case.
        path: The path, percent-encoded, without the query.
        query: The query, percent-encoded.
        operation_id: The operation that it calls, `get_token` for a token; empty if no operation matches.
        status: The status of the response; None if the connection ended without one.
        request_id: The request id of the response.
        fault: The kind of the fault that fired, in one word; None if none fired.
    """

    time: datetime
    method: str
    path: str
    query: str
    operation_id: str
    status: int | None
    request_id: str | None
    fault: str | None

    @property
    def method_name(self) -> str:
        """The method of a client that calls the operation, such as `projects.create`; empty if there is none."""
        return METHOD_NAMES.get(self.operation_id, "")

    @property
    def document(self) -> Document:
        """The entry as a document."""
        return {
            "time": format_time(self.time),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "operation_id": self.operation_id,
            "method_name": self.method_name,
            "status": self.status,
            "request_id": self.request_id,
            "fault": self.fault,
        }


class RequestLog:
    """The received requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=CAPACITY)

    def add(self, request: Request, operation_id: str, response: Response, now: datetime, fault: str | None) -> None:
        """Add a request and its response."""
        self._entries.append(
            LoggedRequest(
                time=now,
                method=request.method,
                path=mask_secrets(request.path),
                query=mask_secrets(request.query),
                operation_id=operation_id,
                status=None if response.delivery.end else response.status,
                request_id=response.headers.get("x-pinecone-request-id"),
                fault=fault,
            )
        )

    def filter(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        status: int | None = None,
        fault: str | None = None,
    ) -> list[LoggedRequest]:
        """Return the entries that match every filter, oldest first.

        Args:
            operation: The id or the method name of the operation, such as `create_project` or `projects.create`.
            method: The HTTP method.
            status: The status of the response.
            fault: The kind of the fault that fired.

        Raises:
            ValueError: The operation does not exist.
        """
        wanted = {
            "operation_id": operation if operation is None else operation_name("operation", operation),
            "method": method if method is None else method.upper(),
            "status": status,
            "fault": fault,
        }
        given = [(name, value) for name, value in wanted.items() if value is not None]
        return [entry for entry in self if all(getattr(entry, name) == value for name, value in given)]

    def clear(self) -> None:
        """Drop all entries."""
        self._entries.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        # A copy, because other threads may add entries meanwhile.
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> LoggedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[LoggedRequest]: ...
    def __getitem__(self, index: int | slice) -> LoggedRequest | list[LoggedRequest]:
        return list(self)[index] if isinstance(index, slice) else self._entries[index]


def mask_secrets(text: str) -> str:
    """Return a path or query with secrets masked that a client put there by mistake."""
    return _SECRET.sub("***", text)
