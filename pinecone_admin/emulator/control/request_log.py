"""The log of the requests that the emulator has received."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast, overload

from attrs import evolve, field, frozen

from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES, OwnOperation, operation_name
from pinecone_admin.emulator.api.routing import matches_path
from pinecone_admin.emulator.api.serialization import Document, format_time

CAPACITY = 10_000
"""The number of requests that the log keeps; older ones are dropped."""

LARGEST_BODY = 1 << 14
"""The size in bytes of the largest body that the log keeps: 10,000 larger ones would fill the memory."""

# API keys are known by their prefix. Tokens and client secrets have 60 characters or more, ids and cursors fewer. A
# name may be as long, but hardly with letters of both cases and without a space.
_SECRET = re.compile(r"(pcsk|pckey)_[\w-]+|eyJ[\w-]+\.[\w-]+\.[\w-]+|[\w-]{60,}", re.ASCII)
_MASK = "***"
_SECRET_HEADERS = frozenset({"api-key", "cookie", "proxy-authorization"})
_SECRET_FIELDS = frozenset({"access_token", "api_key", "client_assertion", "client_secret", "refresh_token", "token"})


@frozen(kw_only=True)
class LoggedRequest:
    """A request that the emulator received, with masked secrets.

    Attributes:
        time: When the request arrived, by the emulator's clock.
        method: The method in upper case.
        path: The path, percent-encoded, without the query.
        query: The query, percent-encoded.
        operation_id: Id of the operation, or `get_token` for a token request; empty if no operation matches.
        status: The status of the response; None if the connection ended without one.
        request_id: Request id of the response.
        fault: Kind of the fault that fired, in one word; None if no fault fired.

    Example:
        >>> created = emulator.requests.filter("projects.create")[-1]
        >>> assert created.json == {"name": "search"}
        >>> assert created.headers["x-pinecone-api-version"] == "2026-07"
    """

    time: datetime
    """When the request arrived, by the emulator's clock."""
    method: str
    """The method in upper case."""
    path: str
    """The path, percent-encoded, without the query."""
    query: str
    """The query, percent-encoded."""
    operation_id: str
    """Id of the operation, or `get_token` for a token request; empty if no operation matches."""
    status: int | None
    """The status of the response; None if the connection ended without one."""
    request_id: str | None
    """Request id of the response."""
    fault: str | None
    """Kind of the fault that fired, in one word; None if no fault fired."""
    # Masked when they are read: most entries never are, and masking takes as long as handling the request.
    _sent: Request = field(repr=False, eq=False, alias="sent")

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name, with masked secrets."""
        return {name: _mask_header(name, value) for name, value in self._sent.headers.items()}

    @property
    def json(self) -> Any:
        """The JSON value of the body, with masked secrets; None if the body is not JSON or exceeds 16 KiB."""
        try:
            return _mask_value(self._sent.json)
        except RecursionError:
            return None

    @property
    def method_name(self) -> str:
        """The method of a client that calls the operation, such as `projects.create`; empty if no method does."""
        return METHOD_NAMES.get(self.operation_id, "")

    @property
    def document(self) -> Document:
        """The entry as a document."""
        return {
            "time": format_time(self.time),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "json": self.json,
            "operation_id": self.operation_id,
            "method_name": self.method_name,
            "status": self.status,
            "request_id": self.request_id,
            "fault": self.fault,
        }


class RequestLog:
    """The requests that the emulator received, the oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=CAPACITY)

    def add(self, request: Request, operation_id: str, response: Response, now: datetime, fault: str | None) -> None:
        """Add a request and its response."""
        kept = request if len(request.body) <= LARGEST_BODY else evolve(request, body=b"")
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
                sent=kept,
            )
        )

    def filter(
        self,
        operation: str | OwnOperation | None = None,
        *,
        method: str | None = None,
        status: int | None = None,
        fault: str | None = None,
    ) -> list[LoggedRequest]:
        """Return the requests that match every filter, the oldest first.

        Args:
            operation: Id or method name of the operation, such as `create_project` or `projects.create`. Or an
                `Operation` of your own, which matches by its method and path.
            method: The HTTP method.
            status: The status of the response.
            fault: Kind of the fault that fired.

        Raises:
            ValueError: The operation does not exist.
        """
        entries = list(self) if operation is None else self._entries_of(operation)
        wanted = {"method": method if method is None else method.upper(), "status": status, "fault": fault}
        given = [(name, value) for name, value in wanted.items() if value is not None]
        return [entry for entry in entries if all(getattr(entry, name) == value for name, value in given)]

    def _entries_of(self, operation: str | OwnOperation) -> list[LoggedRequest]:
        if not isinstance(operation, str):
            method, path = operation.method, operation.path
            return [entry for entry in self if entry.method == method and matches_path(path, entry.path)]
        entries = list(self)
        # A fault may have named an operation that the emulator does not have.
        named = operation if any(entry.operation_id == operation != "" for entry in entries) else None
        wanted = named or operation_name("operation", operation)
        return [entry for entry in entries if entry.operation_id == wanted]

    def clear(self) -> None:
        """Remove all requests."""
        self._entries.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        # A copy, because other threads may add entries at the same time.
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
    """Return a text with the secrets in it masked."""
    return _SECRET.sub(_mask_match, text)


def _mask_match(match: re.Match[str]) -> str:
    found = match[0]
    is_secret = match[1] or "." in found or (found != found.lower() and found != found.upper())
    return _MASK if is_secret else found


def _mask_header(name: str, value: str) -> str:
    if name == "authorization":
        return f"{value.partition(' ')[0]} {_MASK}" if " " in value else _MASK
    return _MASK if name in _SECRET_HEADERS else mask_secrets(value)


def _mask_value(value: object) -> object:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value).items()
        return {_mask_value(name): _MASK if name in _SECRET_FIELDS else _mask_value(each) for name, each in fields}
    if isinstance(value, list):
        return [_mask_value(each) for each in cast("list[object]", value)]
    # JSON can carry a lone surrogate as an escape; UTF-8 cannot encode it.
    return mask_secrets(value.encode(errors="backslashreplace").decode()) if isinstance(value, str) else value
