"""Report each attempt to the caller's ``on_attempt`` and in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from attrs import fields, frozen

from pinecone_admin.errors import PineconeError

logger = logging.getLogger("pinecone_admin")


def warn(message: str, *args: object) -> None:
    """Log a warning during an undo or an interruption, which an error of a log handler must not end or replace."""
    with suppress(Exception):
        logger.warning(message, *args, stacklevel=2)


@frozen(kw_only=True)
class AttemptEvent:
    """An attempt to send a request that has ended, as ``on_attempt`` gets it. It contains no secret.

    There is no event for an attempt that was cancelled or interrupted.

    Attributes:
        operation: Id of the operation, such as ``create_project``, or ``get_token`` for a token request. It is None for
            a retry transport without a client.
        method: HTTP method.
        path: Template of the path, which contains no ids. For a retry transport without a client, the path itself.
        attempt: Number of the attempt in its call, from 1.
        status_code: HTTP status, or None if no complete response arrived.
        duration: Seconds that the attempt took.
        request_id: The server's id of the request, or None.
        error: None if the attempt succeeded. Otherwise the error that the call raises if there is no further attempt. A
            retry transport without a client returns the response, or raises the exception of its transport.
        delay: Seconds until the next attempt, or None if there is none. After a 401, the client may send the request
            once more with a new token.

    Example:
        >>> def count(event: AttemptEvent) -> None:
        ...     print(event.operation, event.attempt, event.status_code, event.delay)
        >>> admin = Admin(on_attempt=count)
    """

    operation: str | None
    """Id of the operation, such as ``create_project``, or ``get_token`` for a token request. It is None for a retry
    transport without a client."""
    method: str
    """HTTP method."""
    path: str
    """Template of the path, which contains no ids. For a retry transport without a client, the path itself."""
    attempt: int
    """Number of the attempt in its call, from 1."""
    status_code: int | None
    """HTTP status, or None if no complete response arrived."""
    duration: float
    """Seconds that the attempt took."""
    request_id: str | None
    """The server's id of the request, or None."""
    error: PineconeError | None
    """None if the attempt succeeded. Otherwise the error that the call raises if there is no further attempt."""
    delay: float | None
    """Seconds until the next attempt, or None if there is none."""


OnAttempt: TypeAlias = Callable[[AttemptEvent], object]


def report_attempt(event: AttemptEvent, on_attempt: OnAttempt | None, *, failure: str) -> None:
    """Log an attempt and pass it to the callback, whose errors are logged.

    Args:
        event: The attempt.
        on_attempt: The callback, if any.
        failure: Logged in place of the status, if there is none.
    """
    logger.debug(
        "%s %s -> %s, attempt %d, %.0f ms, request id %s",
        event.method,
        event.path,
        failure if event.status_code is None else event.status_code,
        event.attempt,
        event.duration * 1000,
        event.request_id,
        extra={each.name: getattr(event, each.name) for each in fields(AttemptEvent)},
    )
    if on_attempt is None:
        return
    try:
        on_attempt(event)
    except Exception as exc:  # noqa: BLE001 - an error in the caller's own code must not fail the request
        logger.warning("on_attempt raised %s", type(exc).__name__)
