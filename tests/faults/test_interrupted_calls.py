"""Calls that are cancelled or interrupted at any await or system call show no credential in their traceback."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from types import FrameType
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from pinecone_admin import Admin, AsyncAdmin, PineconeError, RetryPolicy
from pinecone_admin._concurrency.clock import SystemClock, use_clock
from tests.faults.canaries import HEADER, KEY, PASSWORD, TOKEN, SecretSearch
from tests.faults.cases import CLIENT_KINDS, Certificates, ClientKind, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, accept_requests, format_head, open_tunnel, send_response
from tests.support.concurrency import PATIENCE
from tests.support.sampling import some_daily
from tests.support.socks import SocksProxy

CREATED_KEY = json.dumps(
    {"key": {"id": "k", "name": "n", "project_id": "p", "roles": ["ProjectEditor"]}, "value": KEY}
).encode()
SYSTEM_CALLS = {"connect", "do_handshake", "getaddrinfo", "poll", "read", "recv", "send", "settimeout", "shutdown"}
NETWORK_MODULES = {"_socket", "socket", "_ssl", "ssl", "select"}


@pytest.fixture
def search() -> Iterator[SecretSearch]:
    """Collect findings, and require that there are none."""
    search = SecretSearch()
    yield search
    assert search.places
    assert not search.found, "\n".join(search.found)


@contextmanager
def run_servers(route: str, certificates: Certificates, *actions: Action) -> Generator[dict[str, Any], None, None]:
    """Run a server, and a proxy with a password if the route has one; yield the arguments of a client."""
    options: dict[str, Any] = {
        "access_token": TOKEN,
        "additional_headers": {"x-secret": HEADER},
        "max_connections": 1,
        "ssl_verify": certificates.client,
        "timeout": PATIENCE,
    }
    with (
        Server(api_actions=actions, tls=None if route == "plain" else certificates.servers["good"]) as server,
        Server(
            api_actions=[open_tunnel],
            connection_actions=[SocksProxy(f"ada:{PASSWORD}".encode()) if route == "SOCKS" else accept_requests],
        ) as proxy,
    ):
        options["host"] = server.url
        if route in {"proxy", "SOCKS"}:
            scheme = "http" if route == "proxy" else "socks5"
            options["proxy_url"] = f"{scheme}://ada:{PASSWORD}@127.0.0.1:{proxy.address[1]}"
        yield options


def is_of_network(called: Any) -> bool:
    """Return whether a function written in C belongs to a module for the network."""
    owner = getattr(called, "__self__", None)
    return getattr(owner, "__name__", type(owner).__module__) in NETWORK_MODULES


def interrupt_system_call(number: int) -> Callable[[FrameType, str, Any], None]:
    """Return a profile function that interrupts the system call with this number."""
    remaining = number

    def profile(_: FrameType, event: str, called: Any) -> None:
        nonlocal remaining
        if event == "c_call" and called.__name__ in SYSTEM_CALLS and is_of_network(called):
            remaining -= 1
            if remaining < 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    return profile


# The standard library does not close a socket whose connecting is interrupted.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("route", ["plain", "TLS", "proxy", "SOCKS"])
def test_interrupted_call_shows_no_credential(route: str, certificates: Certificates, search: SecretSearch) -> None:
    """A call that is interrupted before any of its system calls shows no credential."""
    with run_servers(route, certificates, send_response(201, CREATED_KEY)) as options:
        for number in count():
            with Admin(lazy=True, **options) as admin:
                sys.setprofile(interrupt_system_call(number))
                try:
                    admin.api_keys.create(project_id="p", name="n")
                    break
                except KeyboardInterrupt as exc:
                    search.frames(f"system call {number}", exc)
                finally:
                    sys.setprofile(None)
        assert number >= {"plain": 5, "TLS": 8, "proxy": 10, "SOCKS": 12}[route]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # as above
def test_interrupted_call_gives_its_connection_back(certificates: Certificates) -> None:
    """A call that is interrupted before any of its system calls leaves the only connection to the next call."""
    with run_servers("plain", certificates, send_response(201, CREATED_KEY)) as options:
        for number in count():
            with Admin(lazy=True, **options | {"timeout": 5.0}) as admin:
                sys.setprofile(interrupt_system_call(number))
                try:
                    admin.api_keys.create(project_id="p", name="n")
                    break
                except KeyboardInterrupt:
                    assert admin.api_keys.create(project_id="p", name="n").value == KEY
                finally:
                    sys.setprofile(None)
        assert number >= 5


def interrupt_call_of(name: str) -> Callable[[FrameType, str, Any], None]:
    """Return a profile function that interrupts the next function of this name as it is entered."""

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == name:
            sys.setprofile(None)
            raise KeyboardInterrupt

    return profile


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # as above
def test_an_interrupt_while_a_connection_is_given_back_does_not_lose_it(certificates: Certificates) -> None:
    """Neither when the pool is told to take it back, nor while it does; later calls have the only connection."""
    with run_servers("plain", certificates, send_response(201, CREATED_KEY)) as options:
        for name in ("is_reusable", "release_connection", "is_idle"):
            with Admin(lazy=True, **options | {"timeout": 5.0}) as admin:
                sys.setprofile(interrupt_call_of(name))
                try:
                    with pytest.raises(KeyboardInterrupt):
                        admin.api_keys.create(project_id="p", name="n")
                finally:
                    sys.setprofile(None)
                for _ in range(2):
                    assert admin.api_keys.create(project_id="p", name="n").value == KEY


@pytest.mark.anyio
@pytest.mark.parametrize("route", some_daily(["plain", "TLS", "proxy", "SOCKS"], 2))
async def test_cancelled_call_shows_no_credential(route: str, certificates: Certificates, search: SecretSearch) -> None:
    """A call that is cancelled at any checkpoint, on a new or a reused connection, shows no credential."""
    cancelled: list[BaseException] = []

    async def create() -> None:
        with scope:
            try:
                await admin.api_keys.create(project_id="p", name="n")
            except BaseException as exc:
                cancelled.append(exc)
                raise

    with run_servers(route, certificates, send_response(201, CREATED_KEY)) as options:
        for step in range(25):
            async with AsyncAdmin(lazy=True, **options) as admin:
                for _ in range(2):
                    scope = anyio.CancelScope()
                    async with anyio.create_task_group() as group:
                        group.start_soon(create)
                        for _ in range(step):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()
                    await admin.api_keys.create(project_id="p", name="n")
    assert len(cancelled) > 10
    for number, exc in enumerate(cancelled):
        search.frames(f"cancellation {number}", exc)


HANGING: dict[str, tuple[str, Action]] = {
    "CONNECT": ("proxy", send_and_close(b"", RequestContext.hang)),
    "response": ("plain", send_and_close(b"", RequestContext.hang)),
    "body": ("plain", send_and_close(format_head(201, 999) + CREATED_KEY, RequestContext.hang)),
    "echoed reason": (
        "plain",
        send_and_close(f"HTTP/1.1 201 {TOKEN}\r\nContent-Length: 999\r\n\r\n{KEY}".encode(), RequestContext.hang),
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("where", HANGING)
async def test_call_cancelled_in_wait_shows_no_credential(where: str, search: SecretSearch) -> None:
    """A call that is cancelled while it waits for a proxy, a response or the rest of a body shows no credential."""
    route, action = HANGING[where]
    with Server(api_actions=[action]) as server:
        options: dict[str, Any] = {"host": server.url}
        if route == "proxy":
            address = server.url.replace("//", f"//ada:{PASSWORD}@")
            options = {"host": "https://api.example", "proxy_url": address}
        async with AsyncAdmin(access_token=TOKEN, **options) as admin:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:

                    async def create() -> None:
                        try:
                            await admin.api_keys.create(project_id="p", name="n")
                        except BaseException as exc:
                            search.error(where, exc)
                            raise

                    group.start_soon(create)
                    while not server.requests:  # noqa: ASYNC110 - a thread adds them
                        await anyio.sleep(0.002)
                    await anyio.sleep(0.05)
                    scope.cancel()


class EchoingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport whose errors quote a line that the server echoed, as those of h11 do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Fail."""
        raise httpx.RemoteProtocolError(f"illegal header line: {request.headers['authorization']!r}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail."""
        return self.handle_request(request)


@pytest.mark.anyio
async def test_call_interrupted_after_an_echo_shows_no_credential(search: SecretSearch) -> None:
    """A call that ends between two attempts shows nothing that the error of the last one quotes."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    options: dict[str, Any] = {"access_token": TOKEN, "transport": EchoingTransport()}
    with Admin(on_attempt=interrupt, **options) as admin, pytest.raises(KeyboardInterrupt) as interrupted:
        admin.projects.describe(project_id="x")
    search.error("interrupted", interrupted.value)
    with use_clock(SystemClock()), anyio.CancelScope() as scope:
        async_admin = AsyncAdmin(on_attempt=lambda _: scope.cancel(), **options)
        try:
            await async_admin.projects.describe(project_id="x")
        except BaseException as exc:
            search.error("cancelled", exc)
            raise
    assert scope.cancelled_caught


class InterruptingTransport(httpx.BaseTransport):
    """A transport of the caller that is interrupted while its frames hold the request as bytes."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raise KeyboardInterrupt while another error is handled."""
        bytes_to_send = repr(request.headers.raw)
        try:
            raise OSError(bytes_to_send)  # noqa: TRY301 - its text is what is tested
        except OSError:
            raise KeyboardInterrupt  # noqa: B904 - the context is what is tested


def test_callers_transport_shows_no_credential(search: SecretSearch) -> None:
    """An interrupt in a caller's transport loses its frames and context, but keeps what the caller was handling."""
    handled, kept = ValueError("handled by the caller"), False
    try:
        raise handled
    except ValueError:
        with Admin(access_token=TOKEN, transport=InterruptingTransport()) as admin:
            try:
                admin.projects.describe(project_id="x")
            except KeyboardInterrupt as exc:
                search.error("transport", exc)
                kept = exc.__context__ is handled
    assert kept


def echo_token(context: RequestContext) -> None:
    """Respond with the credentials of the request as reason phrase and in a header."""
    sent = context.request.headers["authorization"]
    context.send(f"HTTP/1.1 409 {sent}\r\nx-debug: {sent}\r\nContent-Length: 2\r\n\r\n{{}}".encode())


def refuse_with_credentials(context: RequestContext) -> None:
    """Refuse a CONNECT with the credentials of the proxy as reason phrase and in a header."""
    sent = context.request.headers["proxy-authorization"]
    context.send(f"HTTP/1.1 403 {sent}\r\nx-debug: {sent}\r\nContent-Length: 0\r\n\r\n".encode())
    context.keep_alive = False


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_httpcore_logs_no_credential(client_kind: ClientKind, search: SecretSearch) -> None:
    """The DEBUG lines of httpcore name the events of our connections, and show no credential that is echoed."""
    policy = RetryPolicy(max_attempts=1)
    with (
        search.logs("httpcore"),
        Server(api_actions=[echo_token]) as server,
        AnyClient(client_kind, host=server.url, access_token=TOKEN, retry=policy) as client,
    ):
        error = client.describe_project()
        assert isinstance(error, PineconeError)
        search.error("echo", error)
    with search.logs("httpcore, proxy"), Server(api_actions=[refuse_with_credentials]) as proxy:
        address = proxy.url.replace("//", f"//ada:{PASSWORD}@")
        options = {"host": "https://api.example", "proxy_url": address, "retry": policy}
        with AnyClient(client_kind, access_token=TOKEN, **options) as client:
            assert isinstance(client.describe_project(), PineconeError)


def test_httpcore_logs_events(caplog: pytest.LogCaptureFixture) -> None:
    """Of httpcore's DEBUG lines, those about connecting keep their details; other users of httpcore keep all."""
    caplog.set_level(logging.DEBUG, logger="httpcore")
    with Server() as server:
        with AnyClient("sync", host=server.url, access_token=TOKEN) as client:
            assert client.describe_project() == "x"
        lines = [record.getMessage() for record in caplog.records]
        assert any(line.startswith("connect_tcp.started host='127.0.0.1'") for line in lines)
        assert "receive_response_headers.complete" in lines
        caplog.clear()
        with httpx.Client() as other:
            other.get(f"{server.url}/x")
        assert any("Content-Length" in record.getMessage() for record in caplog.records)
