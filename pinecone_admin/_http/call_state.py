"""State that the attempts of one call share."""

from __future__ import annotations

from threading import Event

from attrs import define, field

from pinecone_admin.errors import Masked, Outcome

CALL_STATE_KEY = "pinecone_admin.call"
"""Key of the CallState in the extensions of a request."""

MAX_RESPONSE_BYTES = 8 * 1024 * 1024
"""Largest accepted body of a response, in bytes."""


@define(kw_only=True)
class CallState:
    """State that the attempts of one call share, including the attempt with a fresh token after a 401.

    Attributes:
        deadline: Monotonic time at which the call times out.
        idempotent: Whether sending the request twice has the same effect as sending it once.
        path_template: Path template, which contains no ids; logs show it instead of the path.
        endpoint: Host and port of the server, and the proxy if there is one, for error messages.
        closed: Set when the client is closed, which ends every wait.
        attempts: Number of attempts so far.
        ambiguous: Whether an earlier attempt may have been processed.
        outcome: What is known about the request so far.
        secrets: Secrets sent with the request, which must not appear in logs or errors.
        max_response_bytes: Largest accepted body of a response, in bytes.
    """

    deadline: float
    idempotent: bool
    path_template: str
    endpoint: str
    closed: Event
    attempts: int = 0
    ambiguous: bool = False
    outcome: Outcome = "not_sent"
    secrets: list[Masked] = field(factory=list[Masked])
    max_response_bytes: int = MAX_RESPONSE_BYTES
