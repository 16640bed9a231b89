"""The documented retry table, written independently of the client, and socket faults for each of its rows."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from unittest.mock import patch

import anyio
import trustme
from attrs import field, frozen

from pinecone_admin import Admin, AsyncAdmin, PineconeError, RetryPolicy
from pinecone_admin import errors as e
from pinecone_admin.errors import Outcome
from pinecone_admin.operations import Operation
from tests.faults.server import (
    Action,
    ConnectionAction,
    RequestContext,
    Server,
    accept_requests,
    format_head,
    reset_on_close,
    send_project,
    send_response,
)

VERBS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST")
ClientKind: TypeAlias = Literal["sync", "asyncio", "trio", "uvloop"]
CLIENT_KINDS: Sequence[ClientKind] = ("sync", "asyncio", "trio")
ALL_CLIENT_KINDS: Sequence[ClientKind] = (*CLIENT_KINDS, "uvloop")
"""For tests whose result may depend on how an event loop reads; uvloop's sockets differ from those of asyncio."""
PATH = "/admin/projects/thing"
MIB = 1024 * 1024


@frozen
class ExpectedRule:
    """The documented rule for a failure: whether to retry, whether to retry a POST, and two attributes of the error."""

    retry: bool
    retry_post: bool
    outcome: Outcome
    worth_retrying: bool

    def is_retried(self, verb: str) -> bool:
        """Return whether a request with this verb is sent again."""
        return self.retry_post if verb == "POST" else self.retry


NOT_SENT = ExpectedRule(retry=True, retry_post=True, outcome="not_sent", worth_retrying=True)
RATE_LIMITED = ExpectedRule(retry=True, retry_post=True, outcome="rejected", worth_retrying=True)
OVERLOADED = ExpectedRule(retry=True, retry_post=False, outcome="unknown", worth_retrying=True)
NO_RESPONSE = ExpectedRule(retry=True, retry_post=False, outcome="unknown", worth_retrying=True)
BROKEN_BODY = ExpectedRule(retry=True, retry_post=False, outcome="done", worth_retrying=True)
TOO_LARGE = ExpectedRule(retry=False, retry_post=False, outcome="done", worth_retrying=False)
BROKEN_SERVER = ExpectedRule(retry=False, retry_post=False, outcome="unknown", worth_retrying=True)
UNREACHABLE = ExpectedRule(retry=False, retry_post=False, outcome="not_sent", worth_retrying=False)
REDIRECTED = ExpectedRule(retry=False, retry_post=False, outcome="unknown", worth_retrying=False)
REFUSED = ExpectedRule(retry=False, retry_post=False, outcome="rejected", worth_retrying=False)


@frozen
class Fault:
    """A failure to simulate.

    Attributes:
        name: Name in reports.
        rule: The documented rule.
        error: Class of the error if the fault is permanent.
        api_action: The server's reaction to a request.
        connection_action: The server's reaction to a connection before it reads a request.
        tls: Name of the server's certificate; empty for plain HTTP.
        slow: Whether only a timeout ends the call.
        in_body: Whether the fault is in the response body, which a response to HEAD lacks.
        listens: Whether the server accepts connections.
        dns_error: Error number of the failing name lookup.
    """

    name: str
    rule: ExpectedRule
    error: type[PineconeError]
    api_action: Action = send_project
    connection_action: ConnectionAction | None = None
    tls: str = ""
    slow: bool = False
    in_body: bool = False
    listens: bool = True
    dns_error: int | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def attempts(self) -> int:
        """Return the number of attempts allowed."""
        return 2 if self.slow else 3

    @property
    def reaches_server(self) -> bool:
        """Return whether the server sees connections."""
        return self.listens and self.dns_error is None

    def count_attempts(self, server: Server, verb: str) -> int:
        """Return the number of attempts seen by the server: connections if it reads no request, else requests."""
        return server.connections if self.connection_action is not None or self.tls else server.count_requests(verb)


def send_and_close(
    data: bytes, end: Callable[[RequestContext], None] = lambda _: None, *, process: bool = True
) -> Action:
    """Process the request, send incomplete data, and close the connection."""

    def act(context: RequestContext) -> None:
        if process:
            context.process()
        context.send(data)
        end(context)
        context.keep_alive = False

    return act


def send_and_drip(fixed: bytes, endless: bytes) -> Action:
    """Process the request, then send bytes slowly for longer than any timeout."""

    def act(context: RequestContext) -> None:
        context.process()
        context.send(fixed)
        context.drip(endless * 1000)
        context.keep_alive = False

    return act


def send_endless_chunks(context: RequestContext) -> None:
    """Send a chunked body until the client disconnects."""
    context.process()
    chunk = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    context.send(format_head(200, None, "Transfer-Encoding: chunked"))
    for _ in range(200):
        context.socket.sendall(chunk)


def close_on_data(connection: socket.socket) -> bool:
    """Close the connection when data arrives."""
    connection.recv(65536)
    return False


def reset_on_data(connection: socket.socket) -> bool:
    """Reset the connection when data arrives."""
    connection.recv(1)
    reset_on_close(connection)
    return False


def reply_in_plaintext(connection: socket.socket) -> bool:
    """Respond to a TLS handshake in plain text."""
    connection.recv(65536)
    connection.sendall(format_head(400, 0))
    connection.shutdown(socket.SHUT_WR)
    return stay_silent(connection)


def stay_silent(connection: socket.socket) -> bool:
    """Send nothing until the client disconnects."""
    while connection.recv(65536):
        pass
    return False


CHUNKED = format_head(200, None, "Transfer-Encoding: chunked")
FAULTS = (
    # before the request is sent
    Fault("refused", NOT_SENT, e.PineconeConnectionError, listens=False),
    Fault("name server down", NOT_SENT, e.PineconeConnectionError, dns_error=socket.EAI_AGAIN),
    Fault("TLS handshake FIN", NOT_SENT, e.PineconeConnectionError, connection_action=close_on_data, tls="good"),
    Fault("TLS handshake RST", NOT_SENT, e.PineconeConnectionError, connection_action=reset_on_data, tls="good"),
    Fault(
        "TLS handshake garbage", NOT_SENT, e.PineconeConnectionError, connection_action=reply_in_plaintext, tls="good"
    ),
    Fault(
        "TLS handshake hangs", NOT_SENT, e.PineconeTimeoutError, connection_action=stay_silent, tls="good", slow=True
    ),
    Fault("certificate of an unknown authority", UNREACHABLE, e.PineconeConnectionError, tls="unknown"),
    Fault("certificate of another host", UNREACHABLE, e.PineconeConnectionError, tls="other"),
    Fault("certificate expired", UNREACHABLE, e.PineconeConnectionError, tls="expired"),
    Fault("unknown host", UNREACHABLE, e.PineconeConnectionError, dns_error=socket.EAI_NONAME),
    # error responses
    Fault("429", RATE_LIMITED, e.RateLimitError, send_response(429)),
    Fault("429 Retry-After", RATE_LIMITED, e.RateLimitError, send_response(429, b"{}", "Retry-After: 2")),
    Fault("408", OVERLOADED, e.ApiError, send_response(408)),
    Fault("500", OVERLOADED, e.ServiceError, send_response(500)),
    Fault("502 HTML", OVERLOADED, e.ServiceError, send_response(502, b"<html>Bad Gateway</html>")),
    Fault("503 Retry-After", OVERLOADED, e.ServiceError, send_response(503, b"", "Retry-After: 1")),
    Fault("504", OVERLOADED, e.ServiceError, send_response(504)),
    Fault("501", REFUSED, e.ServiceError, send_response(501)),
    Fault("505", REFUSED, e.ServiceError, send_response(505)),
    Fault("520", BROKEN_SERVER, e.ServiceError, send_response(520)),
    Fault("400", REFUSED, e.BadRequestError, send_response(400)),
    Fault("401", REFUSED, e.UnauthorizedError, send_response(401)),
    Fault("403 HTML", REDIRECTED, e.ForbiddenError, send_response(403, b"<html>blocked</html>")),
    Fault("403 empty", REDIRECTED, e.ForbiddenError, send_response(403, b"")),
    Fault("404", REFUSED, e.NotFoundError, send_response(404)),
    Fault("409", REFUSED, e.ConflictError, send_response(409)),
    Fault("302", REDIRECTED, e.ApiError, send_response(302, b"", "Location: /elsewhere")),
    # after the request is sent, before a response
    Fault("FIN at once", NO_RESPONSE, e.PineconeConnectionError, connection_action=close_on_data),
    Fault("RST at once", NO_RESPONSE, e.PineconeConnectionError, connection_action=reset_on_data),
    Fault("FIN", NO_RESPONSE, e.PineconeConnectionError, send_and_close(b"")),
    Fault("RST", NO_RESPONSE, e.PineconeConnectionError, send_and_close(b"", RequestContext.reset)),
    Fault("hang", NO_RESPONSE, e.PineconeTimeoutError, send_and_close(b"", RequestContext.hang), slow=True),
    Fault("head truncated", NO_RESPONSE, e.PineconeConnectionError, send_and_close(b"HTTP/1.1 200 OK\r\nContent-Le")),
    Fault(
        "head RST",
        NO_RESPONSE,
        e.PineconeConnectionError,
        send_and_close(b"HTTP/1.1 200 OK\r\nConte", RequestContext.reset),
    ),
    Fault(
        "head drips", NO_RESPONSE, e.PineconeTimeoutError, send_and_drip(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), slow=True
    ),
    Fault(
        "head too large",
        NO_RESPONSE,
        e.PineconeConnectionError,
        send_and_close(format_head(200, 2, "x: " + "y" * 200_000)),
    ),
    Fault(
        "1xx without end", NO_RESPONSE, e.PineconeTimeoutError, send_and_drip(b"", format_head(103, None)), slow=True
    ),
    Fault("garbage", NO_RESPONSE, e.PineconeConnectionError, send_and_close(b"\x16\x03\x01\x00garbage\r\n\r\n")),
    Fault("another protocol", NO_RESPONSE, e.PineconeConnectionError, send_and_close(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    # in the body of a successful response
    Fault(
        "body truncated",
        BROKEN_BODY,
        e.PineconeConnectionError,
        send_and_close(format_head(200, 99) + b'{"id"'),
        in_body=True,
    ),
    Fault(
        "body RST",
        BROKEN_BODY,
        e.PineconeConnectionError,
        send_and_close(format_head(200, 99) + b'{"id"', RequestContext.reset),
        in_body=True,
    ),
    Fault(
        "chunks truncated", BROKEN_BODY, e.PineconeConnectionError, send_and_close(CHUNKED + b"5\r\n{}"), in_body=True
    ),
    Fault(
        "chunks garbage",
        BROKEN_BODY,
        e.PineconeConnectionError,
        send_and_close(CHUNKED + b"zz\r\n{}\r\n"),
        in_body=True,
    ),
    Fault(
        "body hangs",
        BROKEN_BODY,
        e.PineconeTimeoutError,
        send_and_close(format_head(200, 99) + b"{", RequestContext.hang),
        slow=True,
        in_body=True,
    ),
    Fault(
        "body drips",
        BROKEN_BODY,
        e.PineconeTimeoutError,
        send_and_drip(format_head(200, 9999), b" "),
        slow=True,
        in_body=True,
    ),
    Fault(
        "200 MB announced",
        TOO_LARGE,
        e.PineconeConnectionError,
        send_and_close(format_head(200, 200 * MIB) + b"["),
        in_body=True,
    ),
    Fault("200 MB in chunks", TOO_LARGE, e.PineconeConnectionError, send_endless_chunks, in_body=True),
)
FAULTS_BY_NAME = {fault.name: fault for fault in FAULTS}


def make_operation(verb: str) -> Operation[None]:
    """Return a request that expects no response body, so that it fits every verb."""
    body = {"name": "x"} if verb in {"PUT", "PATCH", "POST"} else None
    return Operation(id=f"{verb.lower()}_thing", method=verb, path=PATH, returns=None, body=body)


def event_loop_options(client_kind: ClientKind) -> dict[str, Any]:
    """Return anyio's arguments for the event loop of a kind of client."""
    if client_kind == "uvloop":
        return {"backend": "asyncio", "backend_options": {"use_uvloop": True}}
    return {"backend": client_kind}


def send_once(client_kind: ClientKind, request: Operation[Any], **options: Any) -> object:
    """Send one request with a new client, and return its result or error."""
    if client_kind == "sync":
        with Admin(lazy=True, **options) as admin:
            try:
                return admin.send(request)
            except PineconeError as exc:
                return exc

    async def main() -> object:
        async with AsyncAdmin(lazy=True, **options) as admin:
            try:
                return await admin.send(request)
            except PineconeError as exc:
                return exc

    return anyio.run(main, **event_loop_options(client_kind))


@frozen
class Certificates:
    """SSL contexts of servers by the certificate's defect, and a client context that trusts the good one."""

    servers: dict[str, ssl.SSLContext] = field(repr=False)
    client: ssl.SSLContext = field(repr=False)


def make_certificates(authority: trustme.CA) -> Certificates:
    """Return server certificates, one for each defect, and a client context that trusts the CA."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    issued = {
        "good": authority.issue_cert("127.0.0.1", "localhost"),
        "unknown": trustme.CA().issue_cert("127.0.0.1", "localhost"),
        "other": authority.issue_cert("elsewhere.example"),
        "expired": authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday),
    }
    servers = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in issued}
    for name, certificate in issued.items():
        certificate.configure_cert(servers[name])
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(servers=servers, client=client)


@contextmanager
def run_failing_server(
    fault: Fault, certificates: Certificates, *, times: int | None = None
) -> Generator[Server, None, None]:
    """Run a server with a fault that occurs a number of times, or for ever if times is None."""
    api_actions, connection_actions = [fault.api_action], [fault.connection_action or accept_requests]
    if times is not None:
        api_actions, connection_actions = (
            api_actions * times + [send_project],
            connection_actions * times + [accept_requests],
        )
    tls = certificates.servers[fault.tls] if fault.tls else None
    server = Server(api_actions=api_actions, connection_actions=connection_actions, tls=tls)
    if not fault.listens:
        try:
            yield server
        finally:
            server.stop()
        return
    with server:
        yield server


@contextmanager
def fail_name_lookup(error_number: int | None) -> Generator[None, None, None]:
    """Make every name lookup fail with an error, if one is set."""
    if error_number is None:
        yield
        return
    with patch("socket.getaddrinfo", side_effect=socket.gaierror(error_number, "no address")):
        yield


def call_failing_server(
    fault: Fault, verb: str, client_kind: ClientKind, certificates: Certificates, server: Server
) -> object:
    """Send one request to a failing server, and return its result or error."""
    with fail_name_lookup(fault.dns_error):
        return send_once(
            client_kind,
            make_operation(verb),
            host=server.url if fault.dns_error is None else "https://nowhere.example",
            access_token="supplied",
            ssl_verify=certificates.client,
            retry=RetryPolicy(max_attempts=fault.attempts, attempt_timeout=2.0 if fault.slow else 20.0),
        )


def check_permanent_fault(fault: Fault, verb: str, client_kind: ClientKind, certificates: Certificates) -> None:
    """Check attempts, error and outcome of a request under a permanent fault against the documented rule."""
    with run_failing_server(fault, certificates) as server:
        result = call_failing_server(fault, verb, client_kind, certificates, server)
    if verb == "HEAD" and fault.in_body:
        assert (result, server.count_requests(verb)) == (None, 1)
        return
    attempts = fault.attempts if fault.rule.is_retried(verb) else 1
    assert fault.count_attempts(server, verb) == (attempts if fault.reaches_server else 0)
    assert type(result) is fault.error, result
    assert isinstance(result, PineconeError)
    assert (result.outcome, result.attempts) == (fault.rule.outcome, attempts)
    assert result.worth_retrying == fault.rule.worth_retrying
    assert result.safe_to_retry == (verb != "POST" or fault.rule.outcome in {"not_sent", "rejected"})
    assert verb != "POST" or server.processed[verb, PATH] <= 1
