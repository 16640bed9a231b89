"""What the attempts of one call share."""

from __future__ import annotations

from threading import Event

from attrs import define, field

from pinecone_admin.errors import Masked, Outcome

CALL_STATE_KEY = "pinecone_admin.call"
"""Key of the Call in the extensions of a request."""

MAX_RESPONSE_BYTES = 32 * 1024 * 1024
"""Bytes that the body of an answer may have."""


@define(kw_only=True)
class CallState:
    """What the attempts of one call share, also across the one with a fresh token.

    Attributes:
        deadline: Monotonic time at which the call gives up.
        idempotent: Whether doing it twice is the same as doing it once.
        path_template: What logs call it: the path template, which holds no ids.
        endpoint: What errors call the other side: its host and port, and the proxy on the way.
        closed: Set once the client is closed, which ends every wait.
        attempts: How often it was tried.
        ambiguous: Whether an earlier attempt may have been processed.
        outcome: What is known of it.
        secrets: What goes along with the request and has no place in a log or an error.
        max_response_bytes: Bytes that the body of an answer may have.
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
