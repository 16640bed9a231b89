"""Expected results after one fault follows another."""

from __future__ import annotations

from attrs import frozen

from pinecone_admin import Admin, PineconeError, RetryPolicy
from pinecone_admin import errors as e
from pinecone_admin.errors import Outcome
from tests.faults.cases import make_operation, send_and_close
from tests.faults.server import Action, Server, format_head, send_project, send_response

OVERLOADED, RATE_LIMITED = send_response(503), send_response(429)
LOST_RESPONSE = send_and_close(b"")
BROKEN_BODY = send_and_close(format_head(200, 99) + b"{")


@frozen
class FaultSequence:
    """Two attempts and the expected result.

    Attributes:
        verb: The HTTP method.
        first: The server's reaction to the first attempt, which is retried.
        second: The server's reaction to the second attempt.
        error: Class of the error; None if the call succeeds.
        outcome: Outcome of the error.
    """

    verb: str
    first: Action
    second: Action
    error: type[PineconeError] | None
    outcome: Outcome = "done"


SEQUENCES = {
    "409 after an overload is definite": FaultSequence(
        "PUT", OVERLOADED, send_response(409), e.ConflictError, "rejected"
    ),
    "400 after a lost response is definite": FaultSequence(
        "PUT", LOST_RESPONSE, send_response(400), e.BadRequestError, "rejected"
    ),
    "404 after a lost response is ambiguous": FaultSequence(
        "PUT", LOST_RESPONSE, send_response(404), e.NotFoundError, "unknown"
    ),
    "401 after an overload is ambiguous": FaultSequence(
        "PUT", OVERLOADED, send_response(401), e.UnauthorizedError, "unknown"
    ),
    "403 after a lost response is ambiguous": FaultSequence(
        "PATCH", LOST_RESPONSE, send_response(403), e.ForbiddenError, "unknown"
    ),
    "407 after a lost response is ambiguous": FaultSequence(
        "PUT", LOST_RESPONSE, send_response(407), e.ApiError, "unknown"
    ),
    "429 after a lost response is ambiguous": FaultSequence(
        "PUT", LOST_RESPONSE, RATE_LIMITED, e.RateLimitError, "unknown"
    ),
    "success after an overload": FaultSequence("PUT", OVERLOADED, send_project, None),
    "overload after a broken body": FaultSequence("PATCH", BROKEN_BODY, OVERLOADED, e.ServiceError, "done"),
    "429 after a broken body": FaultSequence("PATCH", BROKEN_BODY, RATE_LIMITED, e.RateLimitError, "done"),
    "lost response after a broken body": FaultSequence(
        "PUT", BROKEN_BODY, LOST_RESPONSE, e.PineconeConnectionError, "done"
    ),
    "DELETE is 404 after a lost response": FaultSequence("DELETE", LOST_RESPONSE, send_response(404), None),
    "DELETE is 404 after a broken body": FaultSequence("DELETE", BROKEN_BODY, send_response(404), None),
    "DELETE is 404 after a 503": FaultSequence("DELETE", OVERLOADED, send_response(404), None),
    "DELETE is 409 after a lost response": FaultSequence(
        "DELETE", LOST_RESPONSE, send_response(409), e.ConflictError, "unknown"
    ),
    "DELETE is 400 after a broken body": FaultSequence(
        "DELETE", BROKEN_BODY, send_response(400), e.BadRequestError, "done"
    ),
    "DELETE is 501 after a 503": FaultSequence("DELETE", OVERLOADED, send_response(501), e.ServiceError, "unknown"),
    "PATCH is 409 after a broken body": FaultSequence(
        "PATCH", BROKEN_BODY, send_response(409), e.ConflictError, "done"
    ),
    "DELETE is 409 after a 429": FaultSequence("DELETE", RATE_LIMITED, send_response(409), e.ConflictError, "rejected"),
    "PATCH is 409 after a lost response": FaultSequence(
        "PATCH", LOST_RESPONSE, send_response(409), e.ConflictError, "rejected"
    ),
    "DELETE is 404 after a 429": FaultSequence("DELETE", RATE_LIMITED, send_response(404), e.NotFoundError, "rejected"),
    "POST succeeds after a 429": FaultSequence("POST", RATE_LIMITED, send_project, None),
    "POST is overloaded after a 429": FaultSequence("POST", RATE_LIMITED, OVERLOADED, e.ServiceError, "unknown"),
    "POST loses its response after a 429": FaultSequence(
        "POST", RATE_LIMITED, LOST_RESPONSE, e.PineconeConnectionError, "unknown"
    ),
    "POST has a broken body after a 429": FaultSequence(
        "POST", RATE_LIMITED, BROKEN_BODY, e.PineconeConnectionError, "done"
    ),
    "POST is 409 after a 429": FaultSequence("POST", RATE_LIMITED, send_response(409), e.ConflictError, "rejected"),
}


def check_sequence(sequence: FaultSequence) -> None:
    """Send a request that fails in two ways in turn, and check its result."""
    policy = RetryPolicy(max_attempts=2)
    with (
        Server(api_actions=[sequence.first, sequence.second]) as server,
        Admin(host=server.url, access_token="supplied", retry=policy) as admin,
    ):
        error: PineconeError | None = None
        try:
            admin.send(make_operation(sequence.verb))
        except PineconeError as exc:
            error = exc
    assert server.count_requests(sequence.verb) == 2
    if sequence.error is None:
        assert error is None
    else:
        assert error is not None
        assert (type(error), error.outcome, error.attempts) == (sequence.error, sequence.outcome, 2)
