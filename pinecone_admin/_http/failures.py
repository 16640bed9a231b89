"""What kept an attempt from a usable answer: statuses and exceptions, classified."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from enum import Enum, auto

import httpx

_OVERLOADED = frozenset({408, 500, 502, 503, 504})
_NOT_PROCESSED = frozenset({501, 505})
# What a server says where it does not accept our own certificate, or the lack of one.
_CERTIFICATE_REFUSED = re.compile(r".*_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)")


class ResponseTooLargeError(httpx.ReadError):
    """The answer is larger than any of this API."""


class Failure(Enum):
    """What kept an attempt from a usable answer."""

    NOT_SENT = auto()  # refused, DNS, TLS handshake, pool, CONNECT refused
    RATE_LIMITED = auto()  # 429
    OVERLOADED = auto()  # 408, 500, 502, 503, 504
    NO_RESPONSE = auto()  # sent, then reset, EOF or read timeout
    BROKEN_BODY = auto()  # 2xx, and then the body breaks off
    TOO_LARGE = auto()  # 2xx, and a body beyond any of this API
    BROKEN_SERVER = auto()  # another 5xx, which may have been processed
    UNREACHABLE = auto()  # certificate failure, theirs or ours, unknown host, proxy authentication
    REDIRECTED = auto()  # 3xx, which may stand for success elsewhere
    REFUSED = auto()  # any other status


class RequestTrace:
    """Listens to httpcore: whether the request itself, and not only a CONNECT, began to go out, and over new TLS."""

    def __init__(self) -> None:
        self.seen = False
        self.sent = False
        self.secured = False

    def __call__(self, event: str, info: Mapping[str, object]) -> None:
        """Take one event."""
        self.seen = True
        self.secured = self.secured or event.endswith(".start_tls.complete")
        if event.endswith(".send_request_headers.started"):
            self.sent = self.sent or getattr(info.get("request"), "method", b"") != b"CONNECT"


def classify_status(status: int) -> Failure | None:
    """Tell what a status means; None for success."""
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
    error: Exception, trace: RequestTrace, *, response_started: bool, handled: BaseException | None = None
) -> Failure:
    """Tell what an exception of the transport below means; one that reports no events counts as sent.

    Args:
        error: What the attempt raised.
        trace: What it told of its progress.
        response_started: Whether the head of an answer had come.
        handled: What the caller was handling when the attempt began, and so no cause of it.
    """
    if response_started:
        return Failure.TOO_LARGE if isinstance(error, ResponseTooLargeError) else Failure.BROKEN_BODY
    if _is_certificate_refused(error, trace, handled):
        return Failure.UNREACHABLE
    if trace.sent:
        return Failure.NO_RESPONSE
    if _is_permanent(error, handled):
        return Failure.UNREACHABLE
    kinds = (
        httpx.PoolTimeout,
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    )
    return Failure.NOT_SENT if isinstance(error, kinds) or trace.seen else Failure.NO_RESPONSE


def _is_permanent(error: Exception, handled: BaseException | None) -> bool:
    if isinstance(error, httpx.ProxyError):
        return str(error).startswith("407")
    return any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME)
        for cause in exception_chain(error, until=handled)
    )


def _is_certificate_refused(error: Exception, trace: RequestTrace, handled: BaseException | None) -> bool:
    """Tell whether the server ended the handshake for our certificate: in TLS 1.3 the request is on its way by then."""
    if not (trace.secured if trace.sent else trace.seen):
        return False
    reasons = [cause.reason for cause in exception_chain(error, until=handled) if isinstance(cause, ssl.SSLError)]
    return any(reason and _CERTIFICATE_REFUSED.fullmatch(reason) for reason in reasons)


def exception_chain(error: BaseException | None, *, until: BaseException | None) -> list[BaseException]:
    """Follow an exception to its first cause, through contexts too: httpcore cuts the explicit chain."""
    chain: list[BaseException] = []
    while error is not None and error is not until and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain
