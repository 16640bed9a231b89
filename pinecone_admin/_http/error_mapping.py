"""Map responses and failed attempts to errors, by status and body, before anything is decoded."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import httpx

from generated_client.models import SECRET_NAMES
from generated_client.types import wire_attributes
from pinecone_admin import errors
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.codec import DecodeFailure, as_json_object, is_deeper_than, parse_json_object
from pinecone_admin._http.redaction import find_field_values, redact_body, redact_text
from pinecone_admin._http.retry_after import parse_retry_after
from pinecone_admin._http.retry_policy import Failure, classify_status, is_safe_to_retry
from pinecone_admin._http.transport_errors import exception_chain
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import ApiError, Masked, PineconeError

_E = TypeVar("_E", bound=PineconeError)

_CLASS_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    402: errors.PaymentRequiredError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    412: errors.FailedPreconditionError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}
_CHANGES_OF_PEOPLE = frozenset(
    {"delete_user", "create_invite", "delete_invite", "resend_invite", "create_role_binding", "delete_role_binding"}
)
_MANAGED_BY_PROVIDER = (
    "if an identity provider manages this person (SCIM), it decides on membership and roles: change them there"
)
_OTHER_CAUSES = frozenset({"last", "OrgOwner", "accepted", "processed", "remove"})
"""Words of a message that names another cause than an identity provider: of the last owner or role, or an invite."""
# Search and decoding of escapes take 40 times as long as json.loads; the API's own bodies have less than 1 KiB.
_MAX_ERROR_BYTES = 64 * 1024
_MAX_SECRET_BYTES = 16 * 1024
"""So much more is searched, because a secret that was cut would not be recognized."""
_MAX_MESSAGE_LENGTH = 500
_MAX_REQUEST_ID_LENGTH = 100
_MAX_REDIRECT_LENGTH = 200
# Far below Python's recursion limit of 1000, where repr and pickle fail.
_MAX_DEPTH = 50


class ErrorMapper(Protocol):
    """Returns the error for a response that is not a success."""

    def __call__(self, response: BufferedResponse, *, call: CallState, wall: float) -> PineconeError:
        """Return the error; ``wall`` is the time in seconds since the epoch."""
        ...


def error_from_response(response: BufferedResponse, *, call: CallState, wall: float) -> ApiError:
    """Return the error for a response that is not a success, whatever its body contains."""
    status, headers = response.status, response.headers
    code, message, details = parse_error_body(response.body)
    unlisted = errors.ServiceError if status >= 500 else ApiError  # noqa: PLR2004
    error = _CLASS_BY_STATUS.get(status, unlisted)(
        f"{message or describe_foreign_response(response, call)}{_describe_outcome(call)}",
        status_code=status,
        error_code=code,
        details=details,
        body=response.body.decode("utf-8", "replace"),
        headers=dict(headers),
        retry_after=parse_retry_after(headers, wall=wall),
        operation=call.operation,
        outcome=call.outcome,
        safe_to_retry=is_safe_to_retry(call),
        worth_retrying=call.worth_retrying,
        attempts=call.attempts,
        request_id=find_request_id(headers),
    )
    # Whole words: an address has such letters, too.
    names_cause = any(word.strip(".,:;") in _OTHER_CAUSES for word in (message or "").split())
    if code == "ABORTED" and call.operation in _CHANGES_OF_PEOPLE and not names_cause:
        error.add_note(_MANAGED_BY_PROVIDER)
    return _note_used_up_budget(error, call)


def is_foreign_body(body: bytes) -> bool:
    """Return whether the body of an error has no code of the API, so that something on the way has sent it.

    An empty body has none either. Everybody who has the error in place of the body asks for its ``error_code``.
    """
    return parse_error_body(body)[0] is None


def is_own_404(response: BufferedResponse) -> bool:
    """Return whether a response is a 404 of the API."""
    return response.status == HTTPStatus.NOT_FOUND and not is_foreign_body(response.body)


def describe_foreign_response(response: BufferedResponse, call: CallState) -> str:
    """Describe a response that has no message in the form of the API, which something else may have sent."""
    status = f"HTTP {response.status} {_reason_phrase(response.status)}".rstrip()
    target = _find_redirect_target(response)
    if target is not None:
        return f"{status} from {call.endpoint}, which redirects to {target}"
    return f"{status} from {call.endpoint}, without a message of the API"


def _find_redirect_target(response: BufferedResponse) -> str | None:
    location = response.headers.get("location")
    if location is None or classify_status(response.status) is not Failure.REDIRECT:
        return None
    # The query of a login page may hold state that is secret.
    return make_printable(re.split("[?#]", location)[0], most=_MAX_REDIRECT_LENGTH)


def parse_error_body(body: bytes) -> tuple[str | None, str | None, dict[str, Any] | None]:
    """Return the code, message and details of an error body; each is None if the body lacks it."""
    error = as_json_object((parse_json_object(body) or {}).get("error")) or {}
    details = as_json_object(error.get("details"))
    return (
        _as_printable_text(error.get("code")),
        _as_printable_text(error.get("message")),
        None if is_deeper_than(_MAX_DEPTH, details) else details,  # repr and pickle recurse
    )


def _as_printable_text(value: object) -> str | None:
    return make_printable(value, most=_MAX_MESSAGE_LENGTH) if isinstance(value, str) and value else None


def _reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def redact_secrets(response: BufferedResponse, call: CallState) -> BufferedResponse:
    """Redact secrets that a response has in its headers and, unless it is a success, all secrets in its body.

    Only the start of an error's body is kept. It may be that of a success, if its status was damaged on the way.
    """
    names = ("access_token",) if call.is_token_exchange else _secret_names(call.returns)
    # A header may repeat what the body has.
    secrets = [*call.reveal_secrets(), *find_field_values(response.body, names)]
    headers = [
        (name, redact_text(value.decode("latin-1"), secrets).encode("latin-1")) for name, value in response.headers.raw
    ]
    body = response.body
    if response.status not in SUCCESSES:
        body = redact_body(body[: _MAX_ERROR_BYTES + _MAX_SECRET_BYTES], secrets, names)[:_MAX_ERROR_BYTES]
    return BufferedResponse(response.status, httpx.Headers(headers), body, response.extensions)


def _secret_names(returns: object) -> Sequence[str]:
    """Return the names in JSON of the secrets in a response; behind a function, these may be those of any model."""
    if isinstance(returns, type):
        return [name for _, name, is_secret in wire_attributes(returns) if is_secret]
    return SECRET_NAMES if returns else ()


def find_request_id(headers: Mapping[str, str]) -> str | None:
    """Return the server's id of a request, printable and not too long, or None if the response has none."""
    request_id = headers.get("x-pinecone-request-id") or headers.get("x-request-id")
    return make_printable(request_id, most=_MAX_REQUEST_ID_LENGTH) if request_id else None


def error_from_decode_failure(
    failure: DecodeFailure, response: BufferedResponse, call: CallState
) -> errors.ResponseParsingError:
    """Return the error for a success that does not match the API description."""
    where = f"the response's {failure.path}" if failure.path else f"the response from {call.endpoint}"
    return errors.ResponseParsingError(
        f"{where} {failure.problem} (status {response.status}){_describe_outcome(call)}",
        path=failure.path,
        status_code=response.status,
        raw=Masked(response.body),
        operation=call.operation,
        outcome="done",
        safe_to_retry=is_safe_to_retry(call),
        attempts=call.attempts,
        request_id=find_request_id(response.headers),
    )


def error_from_exception(error: Exception, call: CallState) -> PineconeError:
    """Return the error for a call that got no complete response."""
    kind: type[PineconeError] = errors.PineconeConnectionError
    if isinstance(error, httpx.TimeoutException):
        kind = errors.PineconeTimeoutError
    # A transport of the caller's may quote anything in its errors.
    reason = redact_text(_safe_reason(error), call.reveal_secrets())[:_MAX_MESSAGE_LENGTH]
    mapped = kind(
        f"{_describe_failure(error, call)} {call.endpoint}: {reason}{_describe_outcome(call)}",
        operation=call.operation,
        outcome=call.outcome,
        safe_to_retry=is_safe_to_retry(call),
        worth_retrying=call.worth_retrying,
        attempts=call.attempts,
    )
    return _note_used_up_budget(mapped, call)


def _note_used_up_budget(error: _E, call: CallState) -> _E:
    if call.is_budget_used_up:
        error.add_note("not sent again: the retry budget has too few points left")
    return error


def add_call_context(error: PineconeError, call: CallState) -> PineconeError:
    """Set the operation and outcome of the call on an error that was raised during it, such as a token error."""
    error.operation = call.operation
    # The token may be a fresh one after a 401, so an attempt may have been sent already.
    if call.attempts:
        error.attempts, error.outcome = call.attempts, call.outcome
        error.safe_to_retry = is_safe_to_retry(call)
    return error.with_traceback(None)


def error_from_closing(call: CallState) -> errors.ClientClosedError:
    """Return the error for a call that was in progress when its client was closed."""
    return errors.ClientClosedError(
        f"the client was closed during the call{_describe_outcome(call)}",
        operation=call.operation,
        outcome=call.outcome,
        safe_to_retry=is_safe_to_retry(call),
        attempts=call.attempts,
    )


def _describe_outcome(call: CallState) -> str:
    # The message alone must warn against repeating the call.
    if is_safe_to_retry(call):
        return ""
    return "; the request was processed" if call.outcome == "done" else "; the request may have been processed"


def _describe_failure(error: Exception, call: CallState) -> str:
    # Neither httpx nor the network raises others: a transport, a log handler or an event loop does, at any time.
    if not isinstance(error, httpx.HTTPError | OSError):
        return "other code failed in the call to"
    if call.outcome == "done":
        return "incomplete response from"
    if isinstance(error, httpx.PoolTimeout) and call.outcome == "not_sent":
        return "request not sent in time to"
    if isinstance(error, httpx.TimeoutException):
        return "no response in time from"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused the connection to"
    return "no connection to" if isinstance(error, httpx.ConnectError) else "no response from"


def _safe_reason(error: Exception) -> str:
    if isinstance(error, httpx.RemoteProtocolError):
        return "the connection ended early, or the response was not HTTP"
    if isinstance(error, httpx.PoolTimeout):
        return "no connection was free, or the time limit had passed"
    # The text of other exceptions can quote sent or received bytes, and so the token.
    if not isinstance(error, httpx.NetworkError | httpx.ProxyError | ssl.SSLError):
        return type(error).__name__
    # A proxy can put any text after its status, such as the password that it received.
    if isinstance(error, httpx.ProxyError) and (status := re.match(r"\d{3}\b", str(error))):
        return f"{status[0]} {_reason_phrase(int(status[0]))}".rstrip()
    # trio's error for a bad certificate has no text; the ssl error that caused it has.
    reasons = [
        str(cause) for cause in exception_chain(error, until=None) if cause is error or isinstance(cause, ssl.SSLError)
    ]
    return next(filter(None, reasons), type(error).__name__)
