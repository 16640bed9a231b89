"""The table of docs and shared page once more, independent of the client, and faults over real sockets for each row."""

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
from tests.faults.server import Action, Exchange, Greeting, Server, answer, echo, head, reset, welcome

VERBS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST")
World: TypeAlias = Literal["sync", "asyncio", "trio"]
WORLDS: Sequence[World] = ("sync", "asyncio", "trio")
PATH = "/admin/projects/thing"
MIB = 1024 * 1024


@frozen
class Row:
    """What the page says of a failure: whether it is tried again, a POST too, and what is known in the end."""

    again: bool
    post_again: bool
    outcome: Outcome

    def tries_again(self, verb: str) -> bool:
        """Tell whether a request with this verb is sent again."""
        return self.post_again if verb == "POST" else self.again


NOT_SENT = Row(again=True, post_again=True, outcome="not_sent")
RATE_LIMITED = Row(again=True, post_again=True, outcome="rejected")
OVERLOADED = Row(again=True, post_again=False, outcome="unknown")
NO_ANSWER = Row(again=True, post_again=False, outcome="unknown")
BROKEN_BODY = Row(again=True, post_again=False, outcome="done")
TOO_LARGE = Row(again=False, post_again=False, outcome="done")
BROKEN_SERVER = Row(again=False, post_again=False, outcome="unknown")
UNREACHABLE = Row(again=False, post_again=False, outcome="not_sent")
REDIRECTED = Row(again=False, post_again=False, outcome="unknown")
REFUSED = Row(again=False, post_again=False, outcome="rejected")


@frozen
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: What it is called in reports.
        row: What the page says of it.
        error: Class of the error where it does not go away.
        step: What the server does with a request.
        greeting: What it does with a connection instead, before it reads.
        tls: Which certificate it shows; plain http where empty.
        slow: Whether only a timeout ends it.
        in_body: Whether it is one of the body, which the answer to HEAD does not have.
        listens: Whether the server takes connections.
        dns: What the look-up of the name fails with.
    """

    name: str
    row: Row
    error: type[PineconeError]
    step: Action = echo
    greeting: Greeting | None = None
    tls: str = ""
    slow: bool = False
    in_body: bool = False
    listens: bool = True
    dns: int | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def attempts(self) -> int:
        """How often to try."""
        return 2 if self.slow else 3

    @property
    def reachable(self) -> bool:
        """Whether the server sees connections."""
        return self.listens and self.dns is None

    def seen(self, server: Server, verb: str) -> int:
        """Count attempts as the server saw them: by connection where it reads no request."""
        return server.connections if self.greeting is not None or self.tls else server.calls(verb)


def ending(data: bytes, end: Callable[[Exchange], None] = lambda _: None, *, process: bool = True) -> Action:
    """Process the request, send what is not a whole answer, and end the connection."""

    def act(exchange: Exchange) -> None:
        if process:
            exchange.process()
        exchange.send(data)
        end(exchange)
        exchange.keep = False

    return act


def dripping(fixed: bytes, endless: bytes) -> Action:
    """Process the request, and go on answering for longer than anybody waits."""

    def act(exchange: Exchange) -> None:
        exchange.process()
        exchange.send(fixed)
        exchange.drip(endless * 1000)
        exchange.keep = False

    return act


def without_end(exchange: Exchange) -> None:
    """Send a body in chunks until the client goes."""
    exchange.process()
    chunk = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    exchange.send(head(200, None, "Transfer-Encoding: chunked"))
    for _ in range(200):
        exchange.socket.sendall(chunk)


def closing(connection: socket.socket) -> bool:
    """Close a connection as soon as something comes."""
    connection.recv(65536)
    return False


def resetting(connection: socket.socket) -> bool:
    """Reset a connection as soon as something comes."""
    connection.recv(1)
    reset(connection)
    return False


def plain(connection: socket.socket) -> bool:
    """Answer a TLS handshake in plain text."""
    connection.recv(65536)
    connection.sendall(head(400, 0))
    connection.shutdown(socket.SHUT_WR)
    return silent(connection)


def silent(connection: socket.socket) -> bool:
    """Say nothing to whoever connects."""
    while connection.recv(65536):
        pass
    return False


CHUNKED = head(200, None, "Transfer-Encoding: chunked")
FAULTS = (
    # before the request
    Fault("refused", NOT_SENT, e.PineconeConnectionError, listens=False),
    Fault("name server down", NOT_SENT, e.PineconeConnectionError, dns=socket.EAI_AGAIN),
    Fault("TLS handshake FIN", NOT_SENT, e.PineconeConnectionError, greeting=closing, tls="good"),
    Fault("TLS handshake RST", NOT_SENT, e.PineconeConnectionError, greeting=resetting, tls="good"),
    Fault("TLS handshake garbage", NOT_SENT, e.PineconeConnectionError, greeting=plain, tls="good"),
    Fault("TLS handshake hangs", NOT_SENT, e.PineconeTimeoutError, greeting=silent, tls="good", slow=True),
    Fault("certificate of an unknown authority", UNREACHABLE, e.PineconeConnectionError, tls="unknown"),
    Fault("certificate of another host", UNREACHABLE, e.PineconeConnectionError, tls="other"),
    Fault("certificate expired", UNREACHABLE, e.PineconeConnectionError, tls="expired"),
    Fault("unknown host", UNREACHABLE, e.PineconeConnectionError, dns=socket.EAI_NONAME),
    # refused or failed by the server
    Fault("429", RATE_LIMITED, e.RateLimitError, answer(429)),
    Fault("429 Retry-After", RATE_LIMITED, e.RateLimitError, answer(429, b"{}", "Retry-After: 2")),
    Fault("408", OVERLOADED, e.ApiError, answer(408)),
    Fault("500", OVERLOADED, e.ServiceError, answer(500)),
    Fault("502 HTML", OVERLOADED, e.ServiceError, answer(502, b"<html>Bad Gateway</html>")),
    Fault("503 Retry-After", OVERLOADED, e.ServiceError, answer(503, b"", "Retry-After: 1")),
    Fault("504", OVERLOADED, e.ServiceError, answer(504)),
    Fault("501", REFUSED, e.ServiceError, answer(501)),
    Fault("505", REFUSED, e.ServiceError, answer(505)),
    Fault("520", BROKEN_SERVER, e.ServiceError, answer(520)),
    Fault("400", REFUSED, e.BadRequestError, answer(400)),
    Fault("401", REFUSED, e.UnauthorizedError, answer(401)),
    Fault("403", REFUSED, e.ForbiddenError, answer(403)),
    Fault("404", REFUSED, e.NotFoundError, answer(404)),
    Fault("409", REFUSED, e.ConflictError, answer(409)),
    Fault("302", REDIRECTED, e.ApiError, answer(302, b"", "Location: /elsewhere")),
    # after the request
    Fault("FIN at once", NO_ANSWER, e.PineconeConnectionError, greeting=closing),
    Fault("RST at once", NO_ANSWER, e.PineconeConnectionError, greeting=resetting),
    Fault("FIN", NO_ANSWER, e.PineconeConnectionError, ending(b"")),
    Fault("RST", NO_ANSWER, e.PineconeConnectionError, ending(b"", Exchange.reset)),
    Fault("hang", NO_ANSWER, e.PineconeTimeoutError, ending(b"", Exchange.hang), slow=True),
    Fault("head truncated", NO_ANSWER, e.PineconeConnectionError, ending(b"HTTP/1.1 200 OK\r\nContent-Le")),
    Fault("head RST", NO_ANSWER, e.PineconeConnectionError, ending(b"HTTP/1.1 200 OK\r\nConte", Exchange.reset)),
    Fault("head drips", NO_ANSWER, e.PineconeTimeoutError, dripping(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), slow=True),
    Fault("head too large", NO_ANSWER, e.PineconeConnectionError, ending(head(200, 2, "x: " + "y" * 200_000))),
    Fault("1xx without end", NO_ANSWER, e.PineconeTimeoutError, dripping(b"", head(103, None)), slow=True),
    Fault("garbage", NO_ANSWER, e.PineconeConnectionError, ending(b"\x16\x03\x01\x00garbage\r\n\r\n")),
    Fault("another protocol", NO_ANSWER, e.PineconeConnectionError, ending(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    # in the body of a success
    Fault("body truncated", BROKEN_BODY, e.PineconeConnectionError, ending(head(200, 99) + b'{"id"'), in_body=True),
    Fault(
        "body RST",
        BROKEN_BODY,
        e.PineconeConnectionError,
        ending(head(200, 99) + b'{"id"', Exchange.reset),
        in_body=True,
    ),
    Fault("chunks truncated", BROKEN_BODY, e.PineconeConnectionError, ending(CHUNKED + b"5\r\n{}"), in_body=True),
    Fault("chunks garbage", BROKEN_BODY, e.PineconeConnectionError, ending(CHUNKED + b"zz\r\n{}\r\n"), in_body=True),
    Fault(
        "body hangs",
        BROKEN_BODY,
        e.PineconeTimeoutError,
        ending(head(200, 99) + b"{", Exchange.hang),
        slow=True,
        in_body=True,
    ),
    Fault("body drips", BROKEN_BODY, e.PineconeTimeoutError, dripping(head(200, 9999), b" "), slow=True, in_body=True),
    Fault("200 MB announced", TOO_LARGE, e.PineconeConnectionError, ending(head(200, 200 * MIB) + b"["), in_body=True),
    Fault("200 MB in chunks", TOO_LARGE, e.PineconeConnectionError, without_end, in_body=True),
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def operation(verb: str) -> Operation[None]:
    """Make a request that expects no answer, so that it fits every verb."""
    body = {"name": "x"} if verb in {"PUT", "PATCH", "POST"} else None
    return Operation(id=f"{verb.lower()}_thing", method=verb, path=PATH, returns=None, body=body)


def call(world: World, request: Operation[Any], **options: Any) -> object:
    """Send one request with a client of its own; an error of the package is returned."""
    if world == "sync":
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

    return anyio.run(main, backend=world)


@frozen
class Certificates:
    """Server contexts by the name of what is wrong with them, and the client's context that trusts the good one."""

    servers: dict[str, ssl.SSLContext] = field(repr=False)
    client: ssl.SSLContext = field(repr=False)


def make_certificates(authority: trustme.CA) -> Certificates:
    """Make servers' certificates, each with something else wrong, and a client's context that trusts the authority."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    made = {
        "good": authority.issue_cert("127.0.0.1", "localhost"),
        "unknown": trustme.CA().issue_cert("127.0.0.1", "localhost"),
        "other": authority.issue_cert("elsewhere.example"),
        "expired": authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday),
    }
    servers = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in made}
    for name, certificate in made.items():
        certificate.configure_cert(servers[name])
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(servers=servers, client=client)


@contextmanager
def failing(fault: Fault, certificates: Certificates, *, times: int | None = None) -> Generator[Server, None, None]:
    """Run a server with a fault that goes away after so many times, or never."""
    steps, greetings = [fault.step], [fault.greeting or welcome]
    if times is not None:
        steps, greetings = steps * times + [echo], greetings * times + [welcome]
    tls = certificates.servers[fault.tls] if fault.tls else None
    server = Server(steps=steps, greetings=greetings, tls=tls)
    if not fault.listens:
        try:
            yield server
        finally:
            server.stop()
        return
    with server:
        yield server


@contextmanager
def resolving(failure: int | None) -> Generator[None, None, None]:
    """Have every look-up of a name fail, where a failure is given."""
    if failure is None:
        yield
        return
    with patch("socket.getaddrinfo", side_effect=socket.gaierror(failure, "no address")):
        yield


def meet(fault: Fault, verb: str, world: World, certificates: Certificates, server: Server) -> object:
    """Send one request to a failing server."""
    with resolving(fault.dns):
        return call(
            world,
            operation(verb),
            host=server.url if fault.dns is None else "https://nowhere.example",
            access_token="given",
            ssl_verify=certificates.client,
            retry=RetryPolicy(max_attempts=fault.attempts, attempt_timeout=2.0 if fault.slow else 20.0),
        )


def check(fault: Fault, verb: str, world: World, certificates: Certificates) -> None:
    """Meet a fault that does not go away, and compare what the server saw and what the caller is told with the page."""
    with failing(fault, certificates) as server:
        result = meet(fault, verb, world, certificates, server)
    if verb == "HEAD" and fault.in_body:
        assert (result, server.calls(verb)) == (None, 1)
        return
    attempts = fault.attempts if fault.row.tries_again(verb) else 1
    assert fault.seen(server, verb) == (attempts if fault.reachable else 0)
    assert type(result) is fault.error, result
    assert isinstance(result, PineconeError)
    assert (result.outcome, result.attempts) == (fault.row.outcome, attempts)
    assert result.safe_to_retry == (verb != "POST" or fault.row.outcome in {"not_sent", "rejected"})
    assert verb != "POST" or server.processed[verb, PATH] <= 1
