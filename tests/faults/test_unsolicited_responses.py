"""A response that nobody asked for, in any layer below the client, is never given to the next request."""

from __future__ import annotations

import fcntl
import select
import socket
import ssl
import sys
import termios
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import product
from typing import Any, TypeVar

import pytest
import trustme
from attrs import field, frozen

from pinecone_admin import PineconeConnectionError, RetryPolicy
from pinecone_admin._async.transports.network import AsyncBoundedBackend
from pinecone_admin._concurrency.attempts import Attempt
from tests.faults.cases import ALL_CLIENT_KINDS, Certificates, ClientKind, make_operation, send_once
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, format_head, open_tunnel, send_project
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.socks import SocksProxy, Tunnel, forward_both_ways, forward_bytes

_T = TypeVar("_T")

STALE_BODY = b'{"id":"stale","name":"stale","max_pods":0,"force_encryption_with_cmek":false,"organization_id":"o"}'
STALE = format_head(200, len(STALE_BODY)) + STALE_BODY
CHUNKED_HEAD = format_head(200, None, "Transfer-Encoding: chunked")


def pad_response(size: int) -> bytes:
    """Return a response of exactly this many bytes."""
    head = format_head(200, size - len(format_head(200, size)))
    return head + b" " * (size - len(head))


FRAMINGS: dict[str, tuple[str, bytes]] = {
    "content-length": ("PUT", format_head(200, 2) + b"{}"),
    "chunked": ("PUT", CHUNKED_HEAD + b"2\r\n{}\r\n0\r\n\r\n"),
    "204": ("PUT", format_head(204, None)),
    "HEAD": ("HEAD", format_head(200, 500)),
    "one record of TLS": ("PUT", pad_response(16 * 1024)),
    "64 KiB": ("PUT", pad_response(64 * 1024)),
    "256,000 bytes": ("PUT", pad_response(256_000)),
    "256 KiB": ("PUT", pad_response(256 * 1024)),
}


class Delivery:
    """How a surplus follows a response: in one write, in a write of its own in the same segment, or once told to."""

    def __init__(self, response: bytes) -> None:
        self._response = response
        self.told = threading.Event()
        self._sent = threading.Event()
        self._sockets: list[socket.socket] = []
        self._is_forwarding = False

    def together(self, context: RequestContext) -> None:
        """Send both in one write: one record of TLS, if both are small."""
        self._sockets.append(context.socket)
        context.send(self._response + STALE)
        self._sent.set()

    def in_one_segment(self, context: RequestContext) -> None:
        """Send both in writes of their own, which the kernel puts into the same segment: two records of TLS."""
        self._sockets.append(context.socket)
        context.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        context.send(self._response)
        context.send(STALE)
        context.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        self._sent.set()

    def later(self, context: RequestContext) -> None:
        """Send the surplus when the connection is idle."""
        self._sockets.append(context.socket)
        context.send(self._response)
        assert self.told.wait(PATIENCE)
        context.send(STALE)
        self._sent.set()

    def forward(self, client: socket.socket, server: socket.socket) -> None:
        """Forward bytes both ways, and watch those that are under way."""
        backward = threading.Thread(target=self._forward_back, args=(server, client))
        backward.start()
        forward_bytes(client, server)
        backward.join()

    def _forward_back(self, source: socket.socket, sink: socket.socket) -> None:
        self._sockets.append(source)
        with suppress(OSError):
            while select.select([source], [], []):
                self._is_forwarding = True  # before the queue is emptied
                if not (data := source.recv(1024 * 1024)):
                    break
                sink.sendall(data)
                self._is_forwarding = False
        self._is_forwarding = False  # the client may have closed its connection at once
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def has_arrived(self) -> bool:
        """Return whether no socket between the server and the client's holds any of it."""
        return self._sent.is_set() and not self._is_forwarding and not any(map(count_queued_bytes, self._sockets))


def count_queued_bytes(connection: socket.socket) -> int:
    """Return the bytes that a socket has received and not handed on, and those that it has not delivered."""
    try:
        queued = [fcntl.ioctl(connection, queue, bytes(4)) for queue in (termios.FIONREAD, termios.TIOCOUTQ)]
    except (OSError, ValueError):  # closed meanwhile
        return 0
    return sum(int.from_bytes(each, sys.byteorder) for each in queued)


DELIVERIES: dict[str, Callable[[Delivery], Action]] = {
    "together": lambda delivery: delivery.together,
    "in one segment": lambda delivery: delivery.in_one_segment,
    "later": lambda delivery: delivery.later,
}


class SplittingTunnel:
    """A tunnel that, while it is told to, keeps the last bytes from the server until the client sends more."""

    def __init__(self) -> None:
        self.splits = threading.Event()

    def __call__(self, client: socket.socket, server: socket.socket) -> None:
        """Forward bytes both ways."""
        kept: list[bytes] = []
        backward = threading.Thread(target=self._forward_back, args=(server, client, kept))
        backward.start()
        with suppress(OSError):
            while data := client.recv(65536):
                client.sendall(b"".join(kept))
                kept.clear()
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        backward.join()

    def _forward_back(self, source: socket.socket, sink: socket.socket, kept: list[bytes]) -> None:
        with suppress(OSError):
            while received := source.recv(1024 * 1024):
                data = b"".join(kept) + received  # a response may arrive in parts, which must stay in order
                split = len(data) - 9 if self.splits.is_set() else len(data)
                kept[:] = [data[split:]]
                sink.sendall(data[:split])


@frozen
class Contexts:
    """SSL contexts of servers by version of TLS, and of the client."""

    servers: dict[str, ssl.SSLContext] = field(repr=False)
    client: ssl.SSLContext = field(repr=False)


@pytest.fixture(scope="session")
def contexts(authority: trustme.CA, certificates: Certificates) -> Contexts:
    """Return a server context for each version of TLS, and the client's."""
    servers: dict[str, ssl.SSLContext] = {}
    for name, version in {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}.items():
        servers[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        servers[name].minimum_version = servers[name].maximum_version = version
        authority.issue_cert("127.0.0.1").configure_cert(servers[name])
    return Contexts(servers, certificates.client)


ROUTES = ("plain", "TLS 1.2", "TLS 1.3", "plain, http proxy", "TLS 1.3, https proxy", "TLS 1.3, SOCKS proxy")
OTHER_ROUTES = (
    "plain, https proxy",
    "TLS 1.2, http proxy",
    "TLS 1.3, http proxy",
    "TLS 1.2, https proxy",
    "plain, SOCKS proxy",
    "TLS 1.2, SOCKS proxy",
)
"""They combine the layers of the others, and are tested among the long tests."""
on_each_route = pytest.mark.parametrize(
    "route", [*ROUTES, *(pytest.param(route, marks=pytest.mark.long) for route in OTHER_ROUTES)]
)


@contextmanager
def run_route(
    route: str, actions: list[Action], contexts: Contexts, tunnel: Tunnel = forward_both_ways, surplus: bytes = b""
) -> Generator[tuple[Server, dict[str, Any]], None, None]:
    """Run a server, and a proxy if the route has one; yield the server and the arguments of a client."""
    target, _, proxy_kind = route.partition(", ")
    version = target.removeprefix("TLS ")
    proxy_tls = contexts.servers["1.3"] if proxy_kind.startswith("https") else None
    with ExitStack() as stack:
        if proxy_kind.startswith("http") and target == "plain":  # the proxy itself responds to a request for plain HTTP
            server = stack.enter_context(Server(api_actions=actions, tls=proxy_tls))
            yield server, {"host": "http://127.0.0.1:1", "proxy_url": server.url}
            return
        server = stack.enter_context(Server(api_actions=actions, tls=contexts.servers.get(version)))
        options = {"host": server.url}
        if proxy_kind.startswith("SOCKS"):
            proxy = stack.enter_context(Server(connection_actions=[SocksProxy(tunnel=tunnel)]))
            options["proxy_url"] = proxy.url.replace("http", "socks5")
        elif proxy_kind:
            connect = partial(open_tunnel, tunnel=tunnel, surplus=surplus)
            options["proxy_url"] = stack.enter_context(Server(api_actions=[connect], tls=proxy_tls)).url
        yield server, options


def sample_cases(cases: Sequence[_T], route: str, client_kind: ClientKind, step: int) -> Sequence[_T]:
    """Return every so many cases; so many kinds of clients or routes in a row get all of them between them."""
    start = (*ROUTES, *OTHER_ROUTES).index(route) + ALL_CLIENT_KINDS.index(client_kind)
    return cases[start % step :: step]


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@on_each_route
def test_unsolicited_response_is_not_used(
    route: str, client_kind: ClientKind, contexts: Contexts, stride: Callable[[int], int]
) -> None:
    """The next call gets its own response over a new connection, wherever the surplus of the last response waits."""
    common = {"access_token": "supplied", "ssl_verify": contexts.client, "retry": RetryPolicy(max_attempts=1)}
    cases = list(product(FRAMINGS.items(), DELIVERIES.items()))
    for (framing, (verb, response)), (name, deliver) in sample_cases(cases, route, client_kind, stride(5)):
        delivery = Delivery(response)
        with (
            run_route(route, [deliver(delivery), send_project], contexts, delivery.forward) as (server, options),
            AnyClient(client_kind, **common, **options, max_connections=1) as client,
        ):
            assert client.run_call(lambda: client.admin.send(make_operation(verb))) is None, framing  # noqa: B023
            delivery.told.set()
            wait_until(delivery.has_arrived)
            assert client.describe_project("own") == "own", (framing, name)
            assert (server.connections, len(server.requests)) == (2, 2), (framing, name)


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@on_each_route
def test_clean_connection_is_reused(
    route: str, client_kind: ClientKind, contexts: Contexts, stride: Callable[[int], int]
) -> None:
    """A connection without a surplus is used again, unless so much came at once that more may be hidden."""
    common = {"access_token": "supplied", "ssl_verify": contexts.client, "retry": RetryPolicy(max_attempts=1)}
    for framing, (verb, response) in sample_cases(list(FRAMINGS.items()), route, client_kind, stride(3)):
        actions: list[Action] = [partial(RequestContext.send, data=response), send_project]
        with (
            run_route(route, actions, contexts) as (server, options),
            AnyClient(client_kind, **common, **options) as client,
        ):
            assert client.run_call(lambda: client.admin.send(make_operation(verb))) is None, framing  # noqa: B023
            assert client.describe_project("own") == "own"
            assert server.connections == 1 or (server.connections == 2 and framing.startswith("256")), framing


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("route", ["TLS 1.2, http proxy", "TLS 1.3, http proxy", "TLS 1.3, SOCKS proxy"])
def test_unfinished_record_is_not_used(route: str, client_kind: ClientKind, contexts: Contexts) -> None:
    """If only the beginning of a TLS record has arrived, the connection is not used again."""
    tunnel = SplittingTunnel()

    def respond(context: RequestContext) -> None:
        tunnel.splits.set()
        Delivery(format_head(204, None)).in_one_segment(context)

    common = {"access_token": "supplied", "ssl_verify": contexts.client, "retry": RetryPolicy(max_attempts=1)}
    with (
        run_route(route, [respond, send_project], contexts, tunnel) as (server, options),
        AnyClient(client_kind, **common, **options) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("PUT"))) is None
        tunnel.splits.clear()
        assert client.describe_project("own") == "own"
        assert server.connections == 2


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("route", ["TLS 1.2, http proxy", "TLS 1.3, http proxy", "TLS 1.3, https proxy"])
@pytest.mark.parametrize("surplus", [b"\n", b"\x16\x03\x03", STALE], ids=len)
def test_surplus_after_connect_is_an_error(
    surplus: bytes,
    route: str,
    client_kind: ClientKind,
    contexts: Contexts,
) -> None:
    """If a proxy sends more than its response to CONNECT, nothing is sent through it, and a create is retried."""
    with run_route(route, [send_project], contexts, surplus=surplus) as (server, options):
        policy = RetryPolicy(max_attempts=2)
        common: dict[str, Any] = {"access_token": "supplied", "ssl_verify": contexts.client, "retry": policy}
        error = send_once(client_kind, make_operation("POST"), **common, **options)
        assert isinstance(error, PineconeConnectionError)
        assert "more than its response" in str(error)
        assert (error.outcome, error.attempts, server.requests) == ("not_sent", 2, [])


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1000, 64 * 1024, 256_000, 256 * 1024, 2 * 256_000, 2 * 256 * 1024])
@pytest.mark.parametrize("surplus", [b"", b"x"], ids=len)
async def test_queue_of_event_loop_is_known(surplus: bytes, size: int) -> None:
    """Bytes that an event loop received with others, and keeps in its queue, count as unread."""
    backend = AsyncBoundedBackend()
    # Of its own, since a call that another test interrupted may have left the one that has ended.
    with Attempt(), socket.create_server(("127.0.0.1", 0)) as listener:
        room = (socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * size)
        stream = await backend.connect_tcp("127.0.0.1", listener.getsockname()[1], socket_options=[room])
        with listener.accept()[0] as server:
            server.sendall(bytes(size) + surplus)
            wait_until(lambda: not count_queued_bytes(server))  # the loop stands still until all has arrived
            left = size
            while left:
                left -= len(await stream.read(min(left, 64 * 1024)))
            found = stream.get_extra_info("is_readable")
            await stream.aclose()
    assert found if surplus else (not found or size >= 256_000)  # a full receive always counts
