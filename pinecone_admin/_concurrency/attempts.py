"""The attempt that is under way: its time limit, how far it got, and what httpcore reports of it.

Every transport in between passes the attempt on without knowing: the sockets find it in ``current_attempt``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from math import inf
from types import TracebackType
from typing import Any, Self, TypeAlias

_HTTPCORE_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")

TraceListener: TypeAlias = Callable[[str, dict[str, Any]], object]
"""The trace hook of httpcore: a function of the name of an event and its details."""

AsyncTraceListener: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[object]]


class AttemptProgress:
    """How far an attempt got.

    Attributes:
        seen: Whether our own connections took part, or httpcore reported events, so that ``sent`` can be believed.
        sent: Whether sending the request began; what a proxy or TLS needs first does not count.
        secured: Whether a TLS handshake was completed.
    """

    seen: bool = False
    sent: bool = False
    secured: bool = False


class TraceEvents(dict[str, Mapping[str, object]]):
    """Events that a trace hook got, by name. The details of some hold credentials."""

    def record(self, event: str, info: Mapping[str, object]) -> None:
        """Record an event in place of the last one of its name, unless that one says that a request was sent.

        A transport that fails over to another host may open a tunnel after it has sent the request.
        """
        if event not in self or not is_sent(event, self[event]):
            self[event] = info

    def __repr__(self) -> str:
        return f"<events: {len(self)}>"


def is_sent(event: str, info: Mapping[str, object]) -> bool:
    """Return whether an event says that sending the request began; a CONNECT to a proxy is not the request."""
    is_start = event.endswith(".send_request_headers.started")
    return is_start and getattr(info.get("request"), "method", b"") != b"CONNECT"


class Attempt(AttemptProgress):
    """An attempt, as a context manager that ends every connect, read and write at its deadline.

    Args:
        seconds: Seconds from now until the attempt ends; None for no limit.
        body_bytes: Size of the body of the request; infinite if that is unknown.

    Attributes:
        body_bytes: As above.
        arrived: The part of a response that has arrived, or None.
        events: The reports of httpcore to the trace hook; used only if no connection of ours took part.
    """

    def __init__(self, seconds: float | None = None, *, body_bytes: float = inf) -> None:
        self.body_bytes = body_bytes
        self._end = inf if seconds is None else time.monotonic() + seconds
        self._outer: Attempt | None = None
        self.arrived: object = None
        self.events: TraceEvents = TraceEvents()

    def __enter__(self) -> Self:
        self._outer = current_attempt.get()
        current_attempt.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._outer is not None  # noqa: S101 - set on entry
        current_attempt.set(self._outer)  # no token: a coroutine may be closed in another context

    @property
    def seconds_left(self) -> float:
        """The seconds until the attempt ends; below 0 after its end."""
        return self._end - time.monotonic()

    def limit_timeout(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """Return the seconds that an operation may take, given its own timeout.

        Raises:
            Exception: The attempt has ended; of the type ``expired``.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise expired("the time limit of this attempt has passed")
        if left == inf:
            return timeout
        return left if timeout is None or timeout > left else timeout


_NO_ATTEMPT = Attempt()

current_attempt: ContextVar[Attempt] = ContextVar("pinecone_admin_attempt", default=_NO_ATTEMPT)
"""The attempt that is under way, or one without a limit where there is none."""


def record_events(attempt: Attempt, listener: TraceListener | None) -> TraceListener:
    """Return a trace hook that records events in the attempt and forwards them to another listener, if any."""

    def record_and_forward(event: str, info: dict[str, Any]) -> object:
        attempt.events.record(event, info)
        return None if listener is None else listener(event, info)

    return record_and_forward


def async_record_events(attempt: Attempt, listener: AsyncTraceListener | None) -> AsyncTraceListener:
    """Async version of ``record_events``: httpcore awaits the hook of async transports."""

    async def record_and_forward(event: str, info: dict[str, Any]) -> None:
        attempt.events.record(event, info)
        if listener is not None:
            await listener(event, info)

    return record_and_forward


def _keep_event_name(record: logging.LogRecord) -> bool:
    # The details of all events but these quote credentials of proxies, response headers and reason phrases.
    if current_attempt.get() is not _NO_ATTEMPT and not record.getMessage().startswith(("connect_tcp.", "start_tls.")):
        record.msg, record.args = record.getMessage().partition(" ")[0], None
    return True


def hide_details_in_logs() -> None:
    """Reduce httpcore's log records about the attempts of this package to what holds no credential."""
    for name in _HTTPCORE_LOGGERS:
        logging.getLogger(name).addFilter(_keep_event_name)  # a filter is added once only
