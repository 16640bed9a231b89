"""What is known in the end after one fault and then another."""

from __future__ import annotations

from attrs import frozen

from pinecone_admin import Admin, PineconeError, RetryPolicy
from pinecone_admin import errors as e
from pinecone_admin.errors import Outcome
from tests.faults.cases import ending, operation
from tests.faults.server import Action, Server, answer, echo, head

OVERLOADED, RATE_LIMITED = answer(503), answer(429)
LOST = ending(b"")
BROKEN = ending(head(200, 99) + b"{")


@frozen
class Sequence:
    """Two attempts and what comes of them.

    Attributes:
        verb: The method.
        first: What becomes of the first attempt, which the page says is followed by another.
        then: What becomes of that.
        error: The error; None where the call succeeds.
        outcome: What it says.
    """

    verb: str
    first: Action
    then: Action
    error: type[PineconeError] | None
    outcome: Outcome = "done"


SEQUENCES = {
    "a later refusal settles it": Sequence("PUT", OVERLOADED, answer(409), e.ConflictError, "rejected"),
    "a lost answer, and a refusal": Sequence("PUT", LOST, answer(400), e.BadRequestError, "rejected"),
    "a lost answer, and not found": Sequence("PUT", LOST, answer(404), e.NotFoundError, "rejected"),
    "a later 401 does not": Sequence("PUT", OVERLOADED, answer(401), e.UnauthorizedError, "unknown"),
    "a later 403 does not": Sequence("PATCH", LOST, answer(403), e.ForbiddenError, "unknown"),
    "a later 407 does not": Sequence("PUT", LOST, answer(407), e.ApiError, "unknown"),
    "a later 429 does not": Sequence("PUT", LOST, RATE_LIMITED, e.RateLimitError, "unknown"),
    "a later success does": Sequence("PUT", OVERLOADED, echo, None),
    "done, and then overloaded": Sequence("PATCH", BROKEN, OVERLOADED, e.ServiceError, "done"),
    "done, and then too often": Sequence("PATCH", BROKEN, RATE_LIMITED, e.RateLimitError, "done"),
    "done, and then lost": Sequence("PUT", BROKEN, LOST, e.PineconeConnectionError, "done"),
    "deleted, the answer lost": Sequence("DELETE", LOST, answer(404), None),
    "deleted, the answer broken": Sequence("DELETE", BROKEN, answer(404), None),
    "deleted behind a 503": Sequence("DELETE", OVERLOADED, answer(404), None),
    "not deleted behind a 429": Sequence("DELETE", RATE_LIMITED, answer(404), e.NotFoundError, "rejected"),
    "a create behind a 429": Sequence("POST", RATE_LIMITED, echo, None),
    "a create that ends overloaded": Sequence("POST", RATE_LIMITED, OVERLOADED, e.ServiceError, "unknown"),
    "a create that ends lost": Sequence("POST", RATE_LIMITED, LOST, e.PineconeConnectionError, "unknown"),
    "a create that ends broken": Sequence("POST", RATE_LIMITED, BROKEN, e.PineconeConnectionError, "done"),
    "a create that ends refused": Sequence("POST", RATE_LIMITED, answer(409), e.ConflictError, "rejected"),
}


def check_sequence(sequence: Sequence) -> None:
    """Let both happen, and compare."""
    policy = RetryPolicy(max_attempts=2)
    with (
        Server(steps=[sequence.first, sequence.then]) as server,
        Admin(host=server.url, access_token="given", retry=policy) as admin,
    ):
        error: PineconeError | None = None
        try:
            admin.send(operation(sequence.verb))
        except PineconeError as exc:
            error = exc
    assert server.calls(sequence.verb) == 2
    if sequence.error is None:
        assert error is None
    else:
        assert error is not None
        assert (type(error), error.outcome, error.attempts) == (sequence.error, sequence.outcome, 2)
