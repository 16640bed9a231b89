"""Everything that this package raises.

PineconeError                       message, operation, outcome, safe_to_retry, attempts, request_id
├─ PineconeValueError (ValueError)  before anything was sent
├─ PineconeTypeError (TypeError)    before anything was sent
├─ ReadOnlyError                    before anything was sent
├─ ApiError                         status_code, error_code, details, body, headers, retry_after
│   ├─ BadRequestError 400
│   ├─ UnauthorizedError 401
│   ├─ PaymentRequiredError 402
│   ├─ ForbiddenError 403
│   ├─ NotFoundError 404
│   ├─ ConflictError 409
│   ├─ FailedPreconditionError 412
│   ├─ UnprocessableEntityError 422
│   ├─ RateLimitError 429
│   ├─ ServiceError 5xx
│   └─ TokenError                   the token endpoint refused, or answered something that is not a token
│       └─ InvalidCredentialsError (UnauthorizedError)
├─ PineconeConnectionError          no answer: refused, reset, TLS or proxy failure
├─ PineconeTimeoutError (TimeoutError)
├─ ResponseParsingError             a 2xx that does not fit the API description
├─ AmbiguousNameError               several things share a name
├─ PaginationError                  the server gave a page token twice
├─ RefusedError                     a workflow saw that it must not go on; says why
├─ SecretNotStoredError             a new secret that nobody has stored; secret.reveal() has it
├─ LeftoverError                    a workflow could not remove what it had made; left says what
└─ ClientClosedError

``outcome`` says what became of the request: ``"not_sent"``; ``"rejected"`` by the server; ``"unknown"``, it may have
been processed; ``"done"``, a 2xx whose body could not be read. ``safe_to_retry`` is True where repeating the call
cannot do the thing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

__all__ = [
    "AmbiguousNameError",
    "ApiError",
    "BadRequestError",
    "ClientClosedError",
    "ConflictError",
    "FailedPreconditionError",
    "ForbiddenError",
    "InvalidCredentialsError",
    "LeftoverError",
    "Masked",
    "NotFoundError",
    "Outcome",
    "PaginationError",
    "PaymentRequiredError",
    "PineconeConnectionError",
    "PineconeError",
    "PineconeTimeoutError",
    "PineconeTypeError",
    "PineconeValueError",
    "RateLimitError",
    "ReadOnlyError",
    "RefusedError",
    "ResponseParsingError",
    "SecretNotStoredError",
    "ServiceError",
    "TokenError",
    "UnauthorizedError",
    "UnprocessableEntityError",
    "ValidationError",
]

Outcome: TypeAlias = Literal["not_sent", "rejected", "unknown", "done"]


class ErrorContext(TypedDict, total=False):
    """What every error says of its call; see the attributes of ``PineconeError``."""

    operation: str | None
    outcome: Outcome
    safe_to_retry: bool
    attempts: int
    request_id: str | None


class PineconeError(Exception):
    """Base of every error of this package.

    Attributes:
        message: What went wrong, without the operation and the status.
        operation: Id of the operation, such as ``create_project``, or None outside of one.
        outcome: What became of the request.
        safe_to_retry: Whether repeating the call cannot do the thing twice.
        attempts: How often the request went out, or was tried to.
        request_id: The server's id of the request, for its support, where it gave one.
    """

    message: str
    operation: str | None = None
    outcome: Outcome = "not_sent"
    safe_to_retry: bool = True
    attempts: int = 0
    request_id: str | None = None

    def __init__(self, message: str, **context: Unpack[ErrorContext]) -> None:
        super().__init__(message)
        self.message = message
        for name in ErrorContext.__annotations__:
            setattr(self, name, context.get(name, getattr(type(self), name)))

    def __str__(self) -> str:
        prefix = f"{self.operation}: " if self.operation else ""
        suffix = f" (request_id: {self.request_id})" if self.request_id else ""
        return f"{prefix}{self._headline()}{suffix}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_error, (type(self), self.message, self.__dict__)

    def _headline(self) -> str:
        return self.message


def _unpickle_error(cls: type[PineconeError], message: str, state: dict[str, object]) -> PineconeError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class PineconeValueError(PineconeError, ValueError):
    """An argument has a value that cannot be right; nothing was sent."""


class PineconeTypeError(PineconeError, TypeError):
    """An argument has a type that cannot be right; nothing was sent."""


ValidationError = PineconeValueError
"""The name that the official client gives this error."""


class ReadOnlyError(PineconeError):
    """A client made with ``read_only=True`` was asked to change something; nothing was sent."""


class ApiError(PineconeError):
    """The server refused the request or failed to process it.

    Attributes:
        status_code: HTTP status.
        error_code: The server's code, such as ``ALREADY_EXISTS``; match on this, never on the message.
        details: What the server adds to the error, as JSON.
        body: Body of the answer as text; empty for errors of the token endpoint, which could hold a token.
        headers: Headers of the answer, names in lower case.
        retry_after: Seconds that the server asks to wait, where it does.
    """

    outcome: Outcome = "rejected"
    attempts: int = 1

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        error_code: str | None = None,
        details: Mapping[str, Any] | None = None,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.status_code = status_code
        self.error_code = error_code
        self.details = details
        self.body = body
        self.headers: Mapping[str, str] = headers or {}
        self.retry_after = retry_after

    def _headline(self) -> str:
        status = f"{self.status_code} {self.error_code}" if self.error_code else str(self.status_code)
        return f"[{status}] {self.message}"


class BadRequestError(ApiError):
    """400: a field is missing, malformed or out of range."""


class UnauthorizedError(ApiError):
    """401: the token is missing, unknown, expired or revoked, also after a fresh one was tried."""


class PaymentRequiredError(ApiError):
    """402: the billing state of the organization forbids creating."""


class ForbiddenError(ApiError):
    """403: the caller may not do this, or a quota of the plan is used up."""


class NotFoundError(ApiError):
    """404: there is no such thing in the organization of the caller."""


class ConflictError(ApiError):
    """409: it already exists, or the state of the thing forbids the change."""


class FailedPreconditionError(ApiError):
    """412: something must be removed first, such as the indexes of a project to delete."""


class UnprocessableEntityError(ApiError):
    """422: the server understood the request and cannot process it."""


class RateLimitError(ApiError):
    """429: too many requests; ``retry_after`` says how long to wait where the server does."""


class ServiceError(ApiError):
    """5xx: the server failed; after a create its outcome is unknown."""


class TokenError(ApiError):
    """The token endpoint refused the exchange, or its answer is not a usable token."""


class InvalidCredentialsError(TokenError, UnauthorizedError):
    """The token endpoint does not accept the client id and secret."""


class PineconeConnectionError(PineconeError):
    """No answer came: the connection was refused, reset, or failed at TLS or at a proxy."""


class PineconeTimeoutError(PineconeError, TimeoutError):
    """No answer came in time."""


class Masked:
    """Holds a text that may contain a secret, so that it is shown only when asked for. Not kept by pickle."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself; it is empty after the error was pickled."""
        return self._text

    def __repr__(self) -> str:
        return "Masked('***')"

    def __reduce__(self) -> tuple[type[Masked], tuple[str]]:
        return Masked, ("",)


class ResponseParsingError(PineconeError):
    """A 2xx answer that does not fit the API description; the request was processed.

    Attributes:
        path: Where in the body it does not fit, such as ``data[3].role``; empty for the body as a whole.
        status_code: HTTP status.
        raw: The body as it came, masked: ``raw.reveal()`` recovers a secret that is shown only once.
    """

    outcome: Outcome = "done"
    safe_to_retry: bool = False
    attempts: int = 1

    def __init__(
        self, message: str, *, path: str, status_code: int, raw: Masked, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, **context)
        self.path = path
        self.status_code = status_code
        self.raw = raw


class AmbiguousNameError(PineconeError):
    """Several things share the name that was asked for.

    Attributes:
        ids: Ids of all that share it.
    """

    outcome: Outcome = "done"

    def __init__(self, message: str, *, ids: Sequence[str], **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.ids = list(ids)


class PaginationError(PineconeError):
    """The server gave a page token that it had already given, which would never end."""


class ClientClosedError(PineconeError):
    """The client was closed before or during the call."""


class RefusedError(PineconeError):
    """A workflow saw that it must not go on, before its first change wherever that can be known then."""


class SecretNotStoredError(PineconeError):
    """A secret was rotated, and what should store the new one failed; the old one is dead.

    Attributes:
        service_account_id: Id of the service account.
        secret: The new secret, masked: ``secret.reveal()`` gives it. Not kept by pickle.
    """

    outcome: Outcome = "done"
    safe_to_retry: bool = False

    def __init__(
        self, message: str, *, service_account_id: str, secret: Masked, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, **context)
        self.service_account_id = service_account_id
        self.secret = secret


class LeftoverError(PineconeError):
    """A workflow failed, or was done, and could not remove what it had made on the way.

    Attributes:
        left: What is left, in words, with its ids.
    """

    outcome: Outcome = "unknown"

    def __init__(self, message: str, *, left: Sequence[str], **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.left = list(left)
