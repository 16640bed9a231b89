"""The time limit of an attempt and how far it got, known to the sockets below every transport in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import define

_HTTPCORE_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")


@define(eq=False)
class AttemptProgress:
    """How far an attempt got.

    Attributes:
        seen: Whether anything below the transports reported at all.
        sent: Whether sending the request began; what a proxy or TLS needs first does not count.
        secured: Whether a TLS handshake was completed.
    """

    seen: bool = False
    sent: bool = False
    secured: bool = False


@define(eq=False)
class _TimedAttempt:
    end: float
    progress: AttemptProgress


_current: ContextVar[_TimedAttempt | None] = ContextVar("pinecone_admin_attempt", default=None)


@contextmanager
def limit_attempt(seconds: float, progress: AttemptProgress) -> Generator[None, None, None]:
    """Limit every connect, read and write within the block to end after this many seconds, and record the progress."""
    token = _current.set(_TimedAttempt(time.monotonic() + seconds, progress))
    try:
        yield
    finally:
        _current.reset(token)


def current_progress() -> AttemptProgress:
    """Return the progress of the current attempt, to record what happens to it."""
    attempt = _current.get()
    return AttemptProgress() if attempt is None else attempt.progress


def time_left(timeout: float | None, expired: type[Exception]) -> float | None:
    """Return the seconds that an operation may take, given its own timeout.

    Raises:
        Exception: The time limit has passed; of the type ``expired``.
    """
    attempt = _current.get()
    if attempt is None:
        return timeout
    left = attempt.end - time.monotonic()
    if left <= 0:
        raise expired("the time limit of this attempt has passed")
    return left if timeout is None else min(timeout, left)


def _keep_event_name(record: logging.LogRecord) -> bool:
    # The details of all events but these quote credentials of proxies, response headers and reason phrases.
    if _current.get() is not None and not record.getMessage().startswith(("connect_tcp.", "start_tls.")):
        record.msg, record.args = record.getMessage().partition(" ")[0], None
    return True


def hide_details_in_logs() -> None:
    """Reduce httpcore's log records about the attempts of this package to what holds no credential."""
    for name in _HTTPCORE_LOGGERS:
        logging.getLogger(name).addFilter(_keep_event_name)  # a filter is added once only
