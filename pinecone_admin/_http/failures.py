"""Classify the statuses and exceptions of failed attempts."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from enum import Enum, auto

import httpx

from pinecone_admin._concurrency import AttemptProgress

# The server, or a gateway before it, may succeed a moment later.
_OVERLOADED = frozenset({408, 500, 502, 503, 504})
# Not Implemented and HTTP Version Not Supported: the server refused before it processed anything.
_NOT_PROCESSED = frozenset({501, 505})
# TLS alerts of a server that does not accept the client certificate, or requires one.
_CERTIFICATE_REFUSED = re.compile(r".*_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)")


class ResponseTooLargeError(httpx.ReadError):
    """The response is larger than any that this API sends."""


class Failure(Enum):
    """Why an attempt did not get a usable response."""

    NOT_SENT = auto()  # connection refused, DNS, TLS handshake, pool, CONNECT refused
    RATE_LIMITED = auto()  # 429
    OVERLOADED = auto()  # 408, 500, 502, 503, 504
    NO_RESPONSE = auto()  # sent, then reset, EOF or read timeout
    BROKEN_BODY = auto()  # 2xx, then an incomplete body
    TOO_LARGE = auto()  # 2xx, with a body larger than any that this API sends
    BROKEN_SERVER = auto()  # any other 5xx; the request may have been processed
    UNREACHABLE = auto()  # server or client certificate refused, unknown host, 407 of a proxy
    REDIRECTED = auto()  # 3xx; the request may have been processed
    REFUSED = auto()  # any other status


class RequestTrace(AttemptProgress):
    """Trace hook of httpcore that records how far an attempt got; a CONNECT to a proxy is not the request."""

    def __call__(self, event: str, info: Mapping[str, object]) -> None:
        """Record one event."""
        self.seen = True
        self.secured = self.secured or event.endswith(".start_tls.complete")
        if event.endswith(".send_request_headers.started"):
            self.sent = self.sent or getattr(info.get("request"), "method", b"") != b"CONNECT"


def classify_status(status: int) -> Failure | None:
    """Return the failure of a status, or None for a success."""
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return None
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Failure.RATE_LIMITED
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirection
        return Failure.REDIRECTED
    if status in _OVERLOADED:
        return Failure.OVERLOADED
    return Failure.BROKEN_SERVER if status >= 500 and status not in _NOT_PROCESSED else Failure.REFUSED  # noqa: PLR2004


def classify_error(
    error: Exception, progress: AttemptProgress, *, response_started: bool, handled: BaseException | None = None
) -> Failure:
    """Return the failure that an exception of a transport stands for.

    If nothing reported any progress, the request counts as sent, unless the kind of error rules it out.

    Args:
        error: Exception that the attempt raised.
        progress: What our sockets recorded; if they took no part, what httpcore's trace events reported.
        response_started: Whether the headers of a response had arrived.
        handled: Exception that the caller was handling when the attempt began, which is not a cause of the error.
    """
    if response_started:
        return Failure.TOO_LARGE if isinstance(error, ResponseTooLargeError) else Failure.BROKEN_BODY
    if _is_certificate_refused(error, progress, handled):
        return Failure.UNREACHABLE
    if progress.sent:
        return Failure.NO_RESPONSE
    # A retry cannot help against a bad certificate, an unknown host or a proxy that asks for a password.
    if _is_permanent(error, handled):
        return Failure.UNREACHABLE
    kinds = (
        httpx.PoolTimeout,
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    )
    return Failure.NOT_SENT if isinstance(error, kinds) or progress.seen else Failure.NO_RESPONSE


def _is_permanent(error: Exception, handled: BaseException | None) -> bool:
    if isinstance(error, httpx.ProxyError):
        return str(error).startswith("407")
    return any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME)
        for cause in exception_chain(error, until=handled)
    )


def _is_certificate_refused(error: Exception, progress: AttemptProgress, handled: BaseException | None) -> bool:
    # In TLS 1.3 the server checks the client certificate after the client may send, so the request may be under way.
    if not (progress.secured if progress.sent else progress.seen):
        return False
    reasons = [cause.reason for cause in exception_chain(error, until=handled) if isinstance(cause, ssl.SSLError)]
    return any(reason and _CERTIFICATE_REFUSED.fullmatch(reason) for reason in reasons)


def exception_chain(error: BaseException | None, *, until: BaseException | None) -> list[BaseException]:
    """Return an exception and its causes, the first cause last, up to but not including ``until``."""
    chain: list[BaseException] = []
    while error is not None and error is not until and error not in chain:
        chain.append(error)
        # Contexts count too: httpcore re-raises errors with ``from None``, which removes the explicit cause.
        error = error.__cause__ or error.__context__
    return chain


def forget_origin(error: BaseException, *, handled: BaseException | None) -> BaseException:
    """Remove from an exception what a traceback with local variables could show of credentials.

    The frames of the transports below hold requests and responses as bytes; those of httpcore hold proxy credentials.

    Args:
        error: Exception that cancels or interrupts an attempt.
        handled: Exception that the caller was handling when the attempt began, which remains its context.
    """
    members: Sequence[BaseException] = getattr(error, "exceptions", ())  # those of a group
    for each in members:
        forget_origin(each, handled=None)
    error.__cause__, error.__context__ = None, handled
    return error.with_traceback(None)
