"""Every error that this package raises.

PineconeError                       message, operation, argument, outcome, safe_to_retry, worth_retrying, attempts,
│                                   status_code, error_code, retry_after, request_id, help_code
├─ PineconeValueError (ValueError)  before a change is sent
├─ PineconeTypeError (TypeError)    before a change is sent; only ``store`` may prove wrong after a create
├─ ReadOnlyError                    before a change is sent
├─ ApiError                         details, body, headers
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
│   └─ TokenError                   no access token, from the token endpoint or from your callable
│       └─ InvalidCredentialsError (UnauthorizedError)
├─ PineconeConnectionError          no response: connection refused or reset, TLS or proxy failure
├─ PineconeTimeoutError (TimeoutError)
├─ ResponseParsingError             a 2xx response that does not fit the API description
├─ AmbiguousNameError               several resources share a name
├─ PaginationError                  the list would never end
├─ RefusedError                     a workflow stopped because it would be unsafe to continue
├─ SecretNotStoredError             a workflow could not store a secret; secret.reveal() returns it
├─ LeftoverError                    a workflow could not delete something; left names it
└─ ClientClosedError                the client was closed before or during the call

``outcome`` shows whether a request took effect:

- ``"not_sent"``: the client did not send it.
- ``"rejected"``: the server refused it.
- ``"unknown"``: it may have taken effect.
- ``"done"``: the server reported success, but the client could not use the response, for example because it could not
  read it.

The outcome of a workflow is about all of its changes:

- ``"not_sent"`` and ``"rejected"``: the workflow changed nothing.
- ``"undone"``: the workflow undid its changes.
- ``"unknown"``: changes may remain, and none is known to remain.
- ``"done"``: at least one change remains.

The message and the notes (``__notes__``) name what was done and what remains. The notes are an empty list if there are
none. Call again only if ``safe_to_retry`` and ``worth_retrying`` are True. After a refused certificate, an unknown
host, or an error about arguments, credentials, permissions, quotas or conflicts, something must change first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias, TypedDict, Unpack

from pinecone_admin._text.messages import Name, find_argument, join_message
from pinecone_admin._text.printable import make_printable

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

Outcome: TypeAlias = Literal["not_sent", "rejected", "undone", "unknown", "done"]
"""Whether a request or the changes of a workflow took effect; the page on errors has a table of the values."""

# A list of what is left or found may be long, and is complete in an attribute; a server gets fewer characters.
_MAX_MESSAGE_LENGTH = 2000


class ErrorContext(TypedDict, total=False):
    """The context of a call that every error carries; see the attributes of ``PineconeError``."""

    operation: str | None
    argument: str | None
    outcome: Outcome
    safe_to_retry: bool
    worth_retrying: bool
    attempts: int
    status_code: int | None
    error_code: str | None
    retry_after: float | None
    request_id: str | None


class PineconeError(Exception):
    """Base class of every error of this package.

    ``__notes__`` is the list of its notes, and is empty if there are none.

    Attributes:
        message: The problem, without the operation and the status.
        operation: Id of the operation, such as ``create_project``, or the name of the workflow or search, such as
            ``rotate_api_key`` or ``describe_by_name``. It is None outside of these.
        argument: Name of the argument that is wrong, or of the first of several. If the message begins with an
            environment variable that replaces the argument, it is the name of that variable. Otherwise it is None, also
            if the text of the message comes from the server, or advises to pass an argument.
        outcome: Whether the request took effect. Of a workflow, whether all of its changes together did, such as
            ``"undone"``.
        safe_to_retry: Whether a second call cannot make the same change twice. It does not show whether a second call
            would help.
        worth_retrying: Whether the same call may succeed later: after 408, 429, 5xx except 501 and 505, and network
            failures except refused certificates and unknown hosts. Call again if this and ``safe_to_retry`` are True.
        attempts: Number of attempts to send the request that failed, or 0 if no request failed, for example if a search
            found nothing.
        status_code: HTTP status of the response. It is None if no server sent one, for example if there was no
            connection, or if a search by name found nothing.
        error_code: The server's code, such as ``ALREADY_EXISTS``, or None if the server sent none. Compare this, and
            not the message.
        retry_after: Number of seconds that the server wants the caller to wait, or None.
        request_id: The server's id of the request, or None if the server sent none. Support of Pinecone can find the
            request by it.
        help_code: Short, stable code of the kind of error, such as ``PA205``. The documentation explains each code.

    Example:
        >>> try:
        ...     admin.projects.create(name="checkout")
        ... except PineconeError as error:
        ...     if error.outcome == "unknown":
        ...         print("look for the project before you create it again:", error)
    """

    message: str
    """The problem, without the operation and the status."""
    operation: str | None = None
    """Id of the operation, such as ``create_project``, or the name of the workflow or search, such as
    ``rotate_api_key`` or ``describe_by_name``. It is None outside of these."""
    argument: str | None = None
    """Name of the argument that is wrong, or of the first of several. If the message begins with an environment
    variable that replaces the argument, it is the name of that variable. Otherwise it is None,"""
    outcome: Outcome = "not_sent"
    """Whether the request took effect. Of a workflow, whether all of its changes together did, such as ``"undone"``."""
    safe_to_retry: bool = True
    """Whether a second call cannot make the same change twice."""
    worth_retrying: bool = False
    """Whether the same call may succeed later: after 408, 429, 5xx except 501 and 505, and network failures except
    refused certificates and unknown hosts."""
    attempts: int = 0
    """Number of attempts to send the request that failed, or 0 if no request failed, for example if a search found
    nothing."""
    status_code: int | None = None
    """HTTP status of the response. It is None if no server sent one, for example if there was no connection, or if a
    search by name found nothing."""
    error_code: str | None = None
    """The server's code, such as ``ALREADY_EXISTS``, or None if the server sent none."""
    retry_after: float | None = None
    """Number of seconds that the server wants the caller to wait, or None."""
    request_id: str | None = None
    """The server's id of the request, or None if the server sent none."""
    help_code: str = "PA100"
    """Short, stable code of the kind of error, such as ``PA205``. The documentation explains each code."""

    def __init__(self, *message: str | Name, **context: Unpack[ErrorContext]) -> None:
        self._parts = message
        self.message = self.message_with_names({})
        super().__init__(self.message)
        self.__notes__: list[str] = []  # otherwise, only the first note adds the attribute
        for name in ErrorContext.__annotations__:
            setattr(self, name, context.get(name, getattr(type(self), name)))
        if self.argument is None:
            self.argument = find_argument(message)

    def message_with_names(self, names: Mapping[str, str]) -> str:
        """Return ``message`` with other names of arguments, such as the names of a program's options or fields.

        Args:
            names: The other names by argument. An argument that is not among them keeps its name.

        Example:
            >>> try:
            ...     admin.projects.create(name="")
            ... except PineconeValueError as error:
            ...     print(error.message_with_names({"name": "The field Name"}))
            The field Name must have 1 to 512 characters, not 0
        """
        # Messages quote names and servers, and are logged and printed.
        return make_printable(join_message(self._parts, names), most=_MAX_MESSAGE_LENGTH)

    def __str__(self) -> str:
        prefix = f"{self.operation}: " if self.operation else ""
        suffix = f" (request_id: {self.request_id})" if self.request_id else ""
        return make_printable(f"{prefix}{self._headline()}{suffix}")

    def __repr__(self) -> str:
        facts = {name: getattr(self, name) for name in ("operation", "status_code", "error_code")}
        shown = [f"{name}={value!r}" for name, value in facts.items() if value is not None]
        return f"{type(self).__name__}({', '.join([repr(self.message), *shown])})"

    def add_note(self, note: str, /) -> None:
        """Add a note as one printable line. Tracebacks show the note.

        Args:
            note: Text of the note.
        """
        super().add_note(make_printable(note))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_error, (type(self), self.message, {**self.__dict__, "__notes__": [*self.__notes__]})

    def _headline(self) -> str:
        return self.message


def _unpickle_error(cls: type[PineconeError], message: str, state: dict[str, object]) -> PineconeError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class PineconeValueError(PineconeError, ValueError):
    """An argument has an invalid value. No change was sent."""

    help_code = "PA101"


class PineconeTypeError(PineconeError, TypeError):
    """An argument has the wrong type. No change was sent.

    There is one exception: a ``store`` may only prove wrong after a create.
    """

    help_code = "PA102"


ValidationError = PineconeValueError
"""Another name of ``PineconeValueError``, after the error of the official SDK."""


class ReadOnlyError(PineconeError):
    """A client with ``read_only=True`` was to make a change. The change was not sent."""

    help_code = "PA103"


class ApiError(PineconeError):
    """The server refused the request, or failed to process it.

    Workflows and searches also raise subclasses of this error for what they find by reading. Then ``status_code`` is
    None.

    Attributes:
        details: Details that the server adds to the error, as JSON.
        body: Response body as text, at most the first 64 KiB. It is empty for errors of the token endpoint, because
            that body could contain a token.
        headers: Response headers, with names in lower case.

    Example:
        >>> try:
        ...     admin.projects.describe(project_id="no-such-project")
        ... except ApiError as error:
        ...     print(error.status_code, error.error_code)
        404 NOT_FOUND
    """

    help_code = "PA200"
    outcome: Outcome = "rejected"
    attempts = 1

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        if context.get("status_code") is None:  # no request was refused: this is what reads have found
            context.setdefault("outcome", "not_sent")
            context.setdefault("attempts", 0)
        super().__init__(message, **context)
        self.details = details
        """Details that the server adds to the error, as JSON."""
        self.body = body
        """Response body as text, at most the first 64 KiB. It is empty for errors of the token endpoint, because that
        body could contain a token."""
        self.headers: Mapping[str, str] = headers or {}
        """Response headers, with names in lower case."""

    def _headline(self) -> str:
        if self.status_code is None:
            return self.message
        status = f"{self.status_code} {self.error_code}" if self.error_code else str(self.status_code)
        return f"[{status}] {self.message}"


class BadRequestError(ApiError):
    """400: a field is missing, malformed or out of range."""

    help_code = "PA201"


class UnauthorizedError(ApiError):
    """401: the token is missing, unknown, expired or revoked.

    A new token was tried, if the client could get one, and had not fetched one after a 401 in the last 30 seconds.
    """

    help_code = "PA202"


class PaymentRequiredError(ApiError):
    """402: the billing state of the organization does not allow the creation of resources."""

    help_code = "PA203"


class ForbiddenError(ApiError):
    """403: the caller lacks permission, or has used up a quota of the plan."""

    help_code = "PA204"


class NotFoundError(ApiError):
    """404: the resource does not exist, or the caller cannot see it."""

    help_code = "PA205"


class ConflictError(ApiError):
    """409: the resource already exists, or its state does not allow the change."""

    help_code = "PA206"


class FailedPreconditionError(ApiError):
    """412: something must be removed first, such as the indexes of a project before the project."""

    help_code = "PA207"


class UnprocessableEntityError(ApiError):
    """422: the server understood the request but cannot process it."""

    help_code = "PA208"


class RateLimitError(ApiError):
    """429: too many requests. ``retry_after`` is the time to wait, if the server sent one."""

    help_code = "PA209"
    worth_retrying = True


class ServiceError(ApiError):
    """5xx: the server failed. The outcome of a create is ``"unknown"``, except after 501 and 505."""

    help_code = "PA210"
    worth_retrying = True


class TokenError(ApiError):
    """The token endpoint returned no access token, or a callable that you passed raised an exception.

    Attributes:
        callable_traceback: Masked traceback of the exception that your ``access_token``, ``client_id`` or
            ``client_secret`` callable raised, or None. ``reveal()`` returns the traceback, which can contain a secret.
            Pickling drops it.

    Example:
        >>> try:
        ...     projects = admin.projects.list()
        ... except TokenError as error:
        ...     if error.callable_traceback is not None:
        ...         print(error.callable_traceback.reveal())
    """

    help_code = "PA301"
    callable_traceback: Masked | None = None
    """Masked traceback of the exception that your ``access_token``, ``client_id`` or ``client_secret`` callable raised,
    or None."""


class InvalidCredentialsError(TokenError, UnauthorizedError):
    """The token endpoint does not accept the client id and secret."""

    help_code = "PA302"


class PineconeConnectionError(PineconeError):
    """No complete response arrived because the connection was refused or reset, or because TLS or a proxy failed."""

    help_code = "PA401"
    worth_retrying = True


class PineconeTimeoutError(PineconeError, TimeoutError):
    """No complete response arrived in time."""

    help_code = "PA402"
    worth_retrying = True


class Masked:
    """A text that may contain a secret. Only ``reveal()`` shows it, and pickling drops it.

    Args:
        text: The text as str, or as bytes in UTF-8.

    Example:
        >>> secret = Masked("the text")
        >>> secret
        Masked('***')
        >>> secret.reveal()
        'the text'
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | bytes) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. It is empty after pickling. Bytes that are not UTF-8 are escaped."""
        # Decoded here, because a body can have megabytes and is seldom looked at.
        return self._text if isinstance(self._text, str) else self._text.decode("utf-8", "backslashreplace")

    def __repr__(self) -> str:
        return "Masked('***')"

    # Without these two, a copy would be made as pickling makes it, and lose the text.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Mapping[int, object]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Masked], tuple[str]]:
        return Masked, ("",)


class ResponseParsingError(PineconeError):
    """A 2xx response does not fit the API description. The request took effect.

    Attributes:
        path: Part of the body that does not fit, such as ``data[3].role``; empty if it is the whole body.
        raw: The body as it was received, masked. ``raw.reveal()`` returns it with a secret that the server shows only
            once.

    Example:
        >>> try:
        ...     created = admin.api_keys.create(project_id=project.id, name="writer")
        ... except ResponseParsingError as error:
        ...     print(f"store this by hand: {error.raw.reveal()}")
    """

    help_code = "PA501"
    outcome: Outcome = "done"
    safe_to_retry = False
    attempts = 1

    def __init__(self, message: str, *, path: str, raw: Masked, **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.path = path
        """Part of the body that does not fit, such as ``data[3].role``; empty if it is the whole body."""
        self.raw = raw
        """The body as it was received, masked. ``raw.reveal()`` returns it with a secret that the server shows only
        once."""


class AmbiguousNameError(PineconeError):
    """Several resources have the requested name.

    ``outcome`` is ``"unknown"`` if one of them may come from a create whose response was lost.

    Attributes:
        ids: Ids of all resources with this name.

    Example:
        >>> try:
        ...     project = admin.projects.describe_by_name(name="search")
        ... except AmbiguousNameError as error:
        ...     print(error.ids)
    """

    help_code = "PA601"

    def __init__(self, message: str, *, ids: Sequence[str], **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.ids: tuple[str, ...] = tuple(ids)
        """Ids of all resources with this name."""


class PaginationError(PineconeError):
    """The list would never end: the server repeated a page token, or returned 100 pages in a row without a new item."""

    help_code = "PA502"


class ClientClosedError(PineconeError):
    """The client was closed before or during the call."""

    help_code = "PA104"


class RefusedError(PineconeError):
    """A workflow stopped because it would be unsafe to continue, before its first change if possible."""

    help_code = "PA602"


class SecretNotStoredError(PineconeError):
    """A client secret was rotated, but ``store`` failed or was interrupted, so the new secret may not be stored.

    The old secret no longer works. If ``store`` is a ``workflows.ReadableStore`` and returns the new secret, the
    exception of ``store`` is raised instead, and its notes show that the secret is stored.

    If the rotation was interrupted or cancelled, the interruption is raised, and this error is its ``__cause__``.

    Attributes:
        service_account_id: Id of the service account.
        client_id: Client id of the service account, which programs need beside the secret.
        secret: The new secret, masked. ``secret.reveal()`` returns it. Pickling drops it.

    Example:
        >>> try:
        ...     admin.service_accounts.rotate(
        ...         service_account_id=account.id, store=lambda rotated: print(1 / 0)
        ...     )
        ... except SecretNotStoredError as error:
        ...     secret_store["nightly"] = error.secret.reveal()
    """

    help_code = "PA603"
    outcome: Outcome = "done"
    safe_to_retry = False

    def __init__(
        self, message: str, *, service_account_id: str, client_id: str, secret: Masked, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, **context)
        self.service_account_id = service_account_id
        """Id of the service account."""
        self.client_id = client_id
        """Client id of the service account, which programs need beside the secret."""
        self.secret = secret
        """The new secret, masked. ``secret.reveal()`` returns it."""


class LeftoverError(PineconeError):
    """A workflow may have left resources or roles that it could not delete.

    The message shows the reason: a deletion failed or had no response, or another run changed the same resource.

    Attributes:
        left: Descriptions of what remains, with names or roles, and ids. It is empty if the rest of the workflow
            deleted all of it.

    Example:
        >>> try:
        ...     admin.projects.delete_with_cleanup(project_id=project.id)
        ... except LeftoverError as error:
        ...     print("delete by hand:", error.left)
    """

    help_code = "PA604"
    outcome: Outcome = "unknown"

    def __init__(self, message: str, *, left: Sequence[str], **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.left: list[str] = list(left)
        """Descriptions of what remains, with names or roles, and ids."""
