"""Classify the exceptions of failed attempts, and remove from them what they could show of credentials."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Sequence

import httpx

from pinecone_admin._concurrency.attempts import Attempt, AttemptProgress, TraceEvents, is_sent
from pinecone_admin._http.retry_policy import Failure

# TLS alerts of a server that does not accept the client certificate, or requires one.
_CERTIFICATE_REFUSED = r".*_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)"
# How httpcore's error begins if an HTTP proxy, or a SOCKS proxy after the greeting or later, wants other credentials.
_CREDENTIALS_REFUSED = ("407", "Requested ", "Invalid username")


_CONNECTION_ERRORS = (httpx.ConnectError, httpx.ProxyError, ssl.SSLCertVerificationError, socket.gaierror)


class ResponseTooLargeError(httpx.ReadError):
    """The response is larger than any that this API sends."""


def classify_error(error: Exception, attempt: Attempt, *, handled: BaseException | None = None) -> Failure:
    """Return the failure that an exception of a transport stands for.

    If nothing reported how far the attempt got, the request counts as sent, unless the error itself rules that out.

    Args:
        error: Exception that the attempt raised.
        attempt: The record of our sockets; if they took no part, of httpcore's trace events.
        handled: Exception that the caller was handling when the attempt began, which is not a cause of the error.
    """
    if attempt.arrived is not None:
        return Failure.BODY_TOO_LARGE if isinstance(error, ResponseTooLargeError) else Failure.INCOMPLETE_BODY
    progress = attempt if attempt.seen else read_trace(attempt.events)
    if _is_certificate_refused(error, progress, handled):
        return Failure.CANNOT_CONNECT
    if progress.sent:
        return Failure.NO_RESPONSE
    # A retry cannot help against a bad certificate, an unknown host or a proxy that asks for a password. Where nothing
    # was reported, such a cause may be of an earlier host, before the one that got the request.
    if (progress.seen or isinstance(error, _CONNECTION_ERRORS)) and _is_permanent(error, handled):
        return Failure.CANNOT_CONNECT
    return Failure.NOT_SENT if progress.seen else Failure.NO_RESPONSE


def read_trace(events: TraceEvents) -> AttemptProgress:
    """Return how far httpcore got, given its trace events."""
    progress = AttemptProgress()
    progress.seen = bool(events)
    for event, info in events.items():
        progress.secured = progress.secured or event.endswith(".start_tls.complete")
        progress.sent = progress.sent or is_sent(event, info)
    return progress


def _is_permanent(error: Exception, handled: BaseException | None) -> bool:
    if isinstance(error, httpx.ProxyError):
        return str(error).startswith(_CREDENTIALS_REFUSED)
    return any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME)
        for cause in exception_chain(error, until=handled)
    )


def _is_certificate_refused(error: Exception, progress: AttemptProgress, handled: BaseException | None) -> bool:
    # In TLS 1.3 the server checks the client certificate after the client may send, so the request may be under way.
    if not (progress.secured if progress.sent else progress.seen):
        return False
    chain = exception_chain(error, until=handled)
    # Python code can raise an SSLError that has no reason.
    reasons = [getattr(cause, "reason", None) for cause in chain if isinstance(cause, ssl.SSLError)]
    return any(reason and re.fullmatch(_CERTIFICATE_REFUSED, reason) for reason in reasons)


def exception_chain(error: BaseException | None, *, until: BaseException | None) -> list[BaseException]:
    """Return an exception and its causes, the first cause last, up to but not including ``until``."""
    chain: list[BaseException] = []
    while error is not None and error is not until and error not in chain:
        chain.append(error)
        # Contexts count too: httpcore re-raises errors with ``from None``, which removes the explicit cause.
        error = error.__cause__ or error.__context__
    return chain


def remove_frames(error: BaseException, *, handled: BaseException | None) -> BaseException:
    """Remove the frames and the context of an exception, because their local variables may contain credentials.

    The frames of the transports below hold requests and responses as bytes; those of httpcore hold proxy credentials.

    Args:
        error: Exception that cancels or interrupts an attempt.
        handled: Exception that the caller was handling when the attempt began, which remains its context.
    """
    members: Sequence[BaseException] = getattr(error, "exceptions", ())  # those of a group
    for each in members:
        remove_frames(each, handled=None)
    error.__cause__, error.__context__ = None, handled
    error.__suppress_context__ = False  # which setting a cause has changed
    return error.with_traceback(None)
