"""Send one request without credentials, to learn where the way to a server ends."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import datetime
from typing import Literal, TypeAlias

import httpx
from attrs import frozen

from pinecone_admin._http.retry_after import parse_http_date
from pinecone_admin._http.transport_errors import exception_chain
from pinecone_admin._text.printable import make_printable
from pinecone_admin.operations import API_VERSION

Stage: TypeAlias = Literal["name look-up", "proxy", "connection", "certificates"]

STAGES: tuple[Stage, ...] = ("proxy", "name look-up", "connection", "certificates")
"""The stages before a server can respond, in this order."""

Cause: TypeAlias = Literal["not TLS", "TLS ended", "untrusted", "other host", "validity", "not HTTP", ""]
"""Why a stage failed, where that decides how it is fixed; empty where the stage alone does."""

# The codes of OpenSSL's x509_vfy.h: not yet valid and expired, and a certificate of another host or address.
_VALIDITY = frozenset({9, 10})
_OTHER_HOST = frozenset({62, 64})
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's errors for bytes that are not TLS. They depend on its version."""


@frozen(kw_only=True)
class Probe:
    """How far a request got.

    Attributes:
        url: Its URL.
        failed: The stage that failed, or None if there was a response.
        reason: The host or the proxy where it failed, and the reason.
        cause: The cause that decides on the fix, together with the stage.
        date: The server's time, or None if the response did not say.
    """

    url: str
    failed: Stage | None = None
    reason: str = ""
    cause: Cause = ""
    date: datetime | None = None

    @property
    def host(self) -> str:
        """Host of the URL, and the port if it is unusual."""
        return httpx.URL(self.url).netloc.decode("ascii")


def send_probe(
    url: str, *, proxy: httpx.Proxy | None, ssl_context: ssl.SSLContext | None, timeout: float = 10.0
) -> Probe:
    """Send a GET without credentials; any response will do.

    Args:
        url: Where to.
        proxy: Proxy that a client would use, or None.
        ssl_context: TLS context that a client would use; None if neither the URL nor the proxy is https.
        timeout: Seconds for each step of the connection and for the response.
    """
    limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    headers = {"accept": "application/json", "x-pinecone-api-version": API_VERSION}
    request = httpx.Request("GET", url, headers=headers, extensions={"timeout": limits})
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if ssl_context is None else ssl_context  # the former trusts nobody
    transport = httpx.HTTPTransport(verify=verify, trust_env=False, proxy=proxy)
    try:
        with transport:
            response = transport.handle_request(request)
            response.close()
    except (httpx.TransportError, OSError) as exc:
        stage, reason, cause = classify_failure(exc, through_proxy=proxy is not None)
        target = proxy.url if proxy is not None and stage == "proxy" else request.url
        return Probe(url=url, failed=stage, reason=f"{target.netloc.decode('ascii')}: {reason}", cause=cause)
    return Probe(url=url, date=parse_http_date(response.headers.get("date", "")))


def classify_failure(error: Exception, *, through_proxy: bool) -> tuple[Stage, str, Cause]:
    """Return the stage that failed, the reason, and the cause that decides on the fix.

    Args:
        error: The error of the transport.
        through_proxy: Whether it was to use a proxy.
    """
    chain = exception_chain(error, until=None)
    tls = next((each for each in chain if isinstance(each, ssl.SSLError)), None)
    if isinstance(tls, ssl.SSLCertVerificationError):
        code = tls.verify_code
        cause: Cause = "validity" if code in _VALIDITY else "other host" if code in _OTHER_HOST else "untrusted"
        return "certificates", make_printable(tls.verify_message, most=200), cause
    if isinstance(error, httpx.ProxyError):
        # A proxy can put any text after its status, such as the password that it received.
        status = re.match(r"\d{3}\b", str(error))
        return "proxy", f"it responded with status {status[0]}" if status else "it refused the connection", ""
    if tls is not None:
        reason = (tls.reason or "the TLS handshake failed").replace("_", " ").lower()
        return "certificates", reason, "not TLS" if tls.reason in _NOT_TLS else "TLS ended"
    return _classify_connection(error, chain, through_proxy=through_proxy)


def _classify_connection(
    error: Exception, chain: list[BaseException], *, through_proxy: bool
) -> tuple[Stage, str, Cause]:
    if any(isinstance(each, socket.gaierror) for each in chain):
        return ("proxy", "its name is unknown", "") if through_proxy else ("name look-up", "the name is unknown", "")
    reason = "no response in time" if isinstance(error, httpx.TimeoutException) else "the connection was refused"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return ("proxy" if through_proxy else "connection"), reason, ""
    if isinstance(error, httpx.TimeoutException):
        return "connection", reason, ""
    return "connection", "the connection ended early, or the response was not HTTP", "not HTTP"
