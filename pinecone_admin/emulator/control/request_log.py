"""What the emulator remembers of the requests that it received."""

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.serialization import Document, format_time

CAPACITY = 10_000
"""How many requests are remembered; older ones are forgotten."""

# No id or cursor of the API is this long; every token and client secret is, and so is what follows a key's prefix.
_SECRET = re.compile(r"(pcsk|pckey)_[\w-]+|[\w-]{60,}", re.ASCII)


@frozen(kw_only=True)
class LoggedRequest:
    """A request that was received, without its secrets.

    Attributes:
        time: when it arrived, by the emulator's clock.
        method: in capitals.
        path: percent-encoded, without the query.
        query: percent-encoded.
        operation_id: which operation it asked for, `get_token` for a token, empty where there is none.
        status: of the answer; None where the connection ended without one.
        request_id: of the answer.
        fault: what went wrong on purpose, in one word.
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
    def document(self) -> Document:
        """The entry as JSON."""
        return {
            "time": format_time(self.time),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "operation_id": self.operation_id,
            "status": self.status,
            "request_id": self.request_id,
            "fault": self.fault,
        }


class RequestLog:
    """The requests received, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=CAPACITY)

    def add(self, request: Request, operation_id: str, response: Response, now: datetime, fault: str | None) -> None:
        """Remember a request and what it was answered."""
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

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> LoggedRequest:
        return self._entries[index]


def mask_secrets(text: str) -> str:
    """Return a path or query without the secrets that somebody put there by mistake."""
    return _SECRET.sub("***", text)
