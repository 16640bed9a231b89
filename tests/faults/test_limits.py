"""Limits: no call exceeds its timeout, whatever the server does, and no oversized response is read."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from attrs import evolve

from pinecone_admin import PineconeConnectionError, PineconeError, PineconeTimeoutError, RetryPolicy
from pinecone_admin._concurrency.clock import SystemClock, use_clock
from pinecone_admin.operations import Operation
from pinecone_admin.retry import AsyncRetryTransport, RetryTransport
from tests.faults.cases import (
    ALL_CLIENT_KINDS,
    CLIENT_KINDS,
    FAULTS_BY_NAME,
    MIB,
    PATH,
    Certificates,
    ClientKind,
    make_operation,
    run_failing_server,
    send_and_close,
    send_and_drip,
    send_once,
)
from tests.faults.clients import AnyClient
from tests.faults.clock import RunningClock
from tests.faults.server import (
    RequestContext,
    Server,
    format_head,
    respond_when_set,
    send_project,
    send_response,
)
from tests.support.concurrency import PATIENCE, wait_until

TIMEOUT = 0.5
MAX_DURATION = PATIENCE
"""Seconds until a call with a timeout ends, however busy the machine is."""
UNLIMITED = RetryPolicy(max_attempts=1, attempt_timeout=10 * PATIENCE)
"""With this policy, nothing but the timeout of a call ends it in time."""


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Use the system clock."""
    with use_clock(SystemClock()):
        yield


def measure_call(
    client_kind: ClientKind, request: Operation[None] | None = None, **options: object
) -> tuple[float, object]:
    """Make one call, and return its duration and its result or error."""
    started = time.monotonic()
    defaults: dict[str, object] = {"timeout": TIMEOUT, "retry": evolve(UNLIMITED, max_attempts=None)}
    result = send_once(client_kind, request or make_operation("PUT"), **defaults | options)
    return time.monotonic() - started, result


@pytest.mark.parametrize(
    "name", ["TLS handshake hangs", "hang", "head drips", "1xx without end", "body hangs", "body drips"]
)
def test_slow_server_keeps_timeout(name: str, certificates: Certificates) -> None:
    """A server that hangs or drips its head or body does not extend a call beyond its timeout, retries included."""

    def measure(client_kind: ClientKind) -> tuple[float, object]:
        with run_failing_server(FAULTS_BY_NAME[name], certificates) as server:
            return measure_call(client_kind, host=server.url, access_token="supplied", ssl_verify=certificates.client)

    with ThreadPoolExecutor(len(ALL_CLIENT_KINDS)) as threads:
        for duration, result in threads.map(measure, ALL_CLIENT_KINDS):
            assert isinstance(result, PineconeTimeoutError)
            assert TIMEOUT * 0.8 < duration < MAX_DURATION


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("status", [429, 503])
def test_retries_end_with_timeout(status: int, client_kind: ClientKind, clock: RunningClock) -> None:
    """A server that fails at once is retried until the next wait exceeds the timeout."""
    clock.freeze()
    with Server(api_actions=[send_response(status)]) as server, use_clock(clock):
        policy = RetryPolicy(max_attempts=100, backoff=5.0, max_backoff=10.0)
        _, result = measure_call(client_kind, host=server.url, access_token="supplied", retry=policy, timeout=50.0)
        assert server.count_requests("PUT") > 3
    assert isinstance(result, PineconeError)
    assert 30 < sum(clock.slept) <= 50


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_attempt_after_401_shares_timeout(client_kind: ClientKind, clock: RunningClock) -> None:
    """The attempt after a 401 has only the rest of the timeout."""
    timeout = 10 * PATIENCE

    def refuse_late(context: RequestContext) -> None:
        clock.advance(timeout - 1)
        send_response(401)(context)

    with Server(api_actions=[refuse_late, send_and_close(b"", RequestContext.hang)]) as server, use_clock(clock):
        clock.freeze()  # only the first request takes time of the call
        client = {name: value for name, value in server.client_options.items() if name != "lazy"}
        duration, result = measure_call(client_kind, **client | {"timeout": timeout, "retry": UNLIMITED})
        assert len(server.requests) == 2
    assert isinstance(result, PineconeTimeoutError)
    assert duration < MAX_DURATION


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_hanging_token_endpoint_keeps_timeout(client_kind: ClientKind) -> None:
    """The wait for a token ends with the timeout of the call, and nothing is sent."""
    with Server(token_actions=[send_and_close(b"", RequestContext.hang)]) as server:
        client = {name: value for name, value in server.client_options.items() if name != "lazy"}
        duration, result = measure_call(client_kind, **client)
        assert not server.requests
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, duration < MAX_DURATION) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_wait_for_connection_keeps_timeout(client_kind: ClientKind) -> None:
    """The wait for a connection counts towards the timeout, and a request without a connection is not sent."""
    gate = threading.Event()
    with Server(api_actions=[respond_when_set(gate, send_project)]) as server:
        options = {"host": server.url, "access_token": "supplied", "max_connections": 1}
        with AnyClient(client_kind, **options, timeout=TIMEOUT, retry=UNLIMITED) as client:
            patient = client.admin.with_options(timeout=10 * PATIENCE)
            blocker = threading.Thread(target=client.run_call, args=(lambda: patient.send(make_operation("PUT")),))
            blocker.start()
            wait_until(lambda: server.requests)
            started = time.monotonic()
            result = client.run_call(lambda: client.admin.send(make_operation("POST")))
            duration = time.monotonic() - started
            gate.set()
            blocker.join()
        assert server.count_requests("POST") == 0
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, duration < MAX_DURATION) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)  # the name lookup of uvloop cannot be replaced
def test_many_unreachable_addresses_keep_timeout(client_kind: ClientKind) -> None:
    """A host with fifty unreachable addresses keeps the timeout of the call."""
    with ExitStack() as stack:
        port = listen_with_full_queue(stack)
        stack.enter_context(resolve_to("fifty.example", [f"127.0.0.{last}" for last in range(1, 51)]))
        duration, result = measure_call(
            client_kind, host=f"https://fifty.example:{port}", access_token="supplied", retry=UNLIMITED
        )
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, duration < MAX_DURATION) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)  # the name lookup of uvloop cannot be replaced
@pytest.mark.parametrize("first", ["drops", "refuses"])
def test_second_address_is_tried_in_same_attempt(first: str, client_kind: ClientKind) -> None:
    """The second address of a host is tried in the same attempt if the first one is unreachable."""
    with ExitStack() as stack:
        port = listen_with_full_queue(stack, "127.0.0.2")
        server = stack.enter_context(Server(bind=port if first == "drops" else 0))
        stack.enter_context(resolve_to("two.localhost", ["127.0.0.2", "127.0.0.1"]))
        policy = RetryPolicy(max_attempts=1)
        address = f"http://two.localhost:{server.address[1]}"
        options: dict[str, Any] = {"access_token": "supplied", "retry": policy, "timeout": 4.0, "allow_http": True}
        _, result = measure_call(client_kind, host=address, **options)
        assert result is None
        assert server.count_requests("PUT") == 1


def resolve_to(name: str, addresses: list[str]) -> AbstractContextManager[object]:
    """Resolve a host name to several addresses."""
    real_getaddrinfo = socket.getaddrinfo

    def fake(host: object, port: object, *args: object, **kwargs: object) -> list[object]:
        resolved = addresses if host in {name, name.encode()} else [host]
        return [found for each in resolved for found in real_getaddrinfo(each, port, *args, **kwargs)]  # type: ignore[arg-type]

    return patch("socket.getaddrinfo", fake)


def listen_with_full_queue(stack: ExitStack, address: str = "0.0.0.0") -> int:
    """Listen with a full queue, so that the kernel drops connection attempts, and return the port."""
    listener = stack.enter_context(socket.socket())
    listener.bind((address, 0))
    listener.listen(0)
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex((address.replace("0.0.0.0", "127.0.0.1"), listener.getsockname()[1]))
    return int(listener.getsockname()[1])


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_slow_upload_keeps_timeout(client_kind: ClientKind) -> None:
    """A large request to a server that reads slowly keeps the timeout: each piece is sent soon, but not the whole."""

    def read_slowly(connection: socket.socket) -> bool:
        # To the end, it takes longer than the test waits.
        while connection.recv(1024):
            time.sleep(0.01)
        return False

    large = Operation(id="large", method="PUT", path=PATH, returns=None, body={"name": "x" * 20 * MIB})
    with Server(connection_actions=[read_slowly]) as server:
        options = {"host": server.url, "access_token": "supplied", "retry": UNLIMITED}
        duration, result = measure_call(client_kind, large, **options)
    assert isinstance(result, PineconeTimeoutError)
    assert duration < MAX_DURATION


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("name", ["200 MB announced", "200 MB in chunks"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_oversized_response_is_refused(verb: str, name: str, client_kind: ClientKind) -> None:
    """An oversized response is refused early and not retried, and a POST counts as done."""
    sent: list[int] = []

    def flood(context: RequestContext) -> None:
        context.process()
        context.send(
            format_head(200, 200 * MIB) if name == "200 MB announced" else format_head(200, None, "Connection: close")
        )
        try:
            for number in range(200):
                context.socket.sendall(bytes(MIB))
                sent.append(number)
        except OSError:
            pass
        context.keep_alive = False

    with Server(api_actions=[flood]) as server:
        result = send_once(client_kind, make_operation(verb), host=server.url, access_token="supplied")
        assert server.count_requests(verb) == 1
    assert isinstance(result, PineconeConnectionError)
    assert result.outcome == "done"
    # The client reads 4 MiB of an unannounced length, and the kernel buffers more.
    assert len(sent) < (16 if name == "200 MB announced" else 48)


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_oversized_token_response_is_refused(client_kind: ClientKind) -> None:
    """An oversized token response is refused early, and nothing is sent to the API."""
    sent: list[int] = []

    def flood(context: RequestContext) -> None:
        context.send(format_head(200, None, "Connection: close") + b'{"access_token": "')
        try:
            for number in range(200):
                context.socket.sendall(b"x" * MIB)
                sent.append(number)
        except OSError:
            pass
        context.keep_alive = False

    with Server(token_actions=[flood]) as server:
        client = {name: value for name, value in server.client_options.items() if name != "lazy"}
        result = send_once(client_kind, make_operation("GET"), **client)
        assert not server.requests
    assert isinstance(result, PineconeError)
    assert result.outcome == "not_sent"
    assert len(sent) < 16 * 3  # three attempts, and the kernel buffers part of each


def test_retry_transport_works_in_httpx_client() -> None:
    """RetryTransport retries and keeps its timeout in an httpx.Client."""
    with Server(api_actions=[send_response(503), send_response(503), send_project]) as server:
        policy = RetryPolicy(backoff=0.01)
        with httpx.Client(transport=RetryTransport(httpx.HTTPTransport(), retry=policy, timeout=PATIENCE)) as client:
            assert client.get(server.url + PATH).status_code == 200
            assert server.count_requests("GET") == 3
    with Server(api_actions=[send_and_close(b"", RequestContext.hang)]) as server:
        started = time.monotonic()
        transport = RetryTransport(httpx.HTTPTransport(), timeout=TIMEOUT, retry=UNLIMITED)
        with (
            httpx.Client(transport=transport, timeout=10 * PATIENCE) as client,
            pytest.raises(httpx.TimeoutException),
        ):
            client.get(server.url + PATH)
        assert time.monotonic() - started < MAX_DURATION


def test_closing_retry_transport_interrupts_wait() -> None:
    """Closing a RetryTransport interrupts the wait of a Retry-After, and the request is not sent again."""
    waiting = threading.Event()
    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        ThreadPoolExecutor() as threads,
    ):
        transport = RetryTransport(httpx.HTTPTransport(), on_attempt=lambda _: waiting.set())
        future = threads.submit(transport.handle_request, httpx.Request("GET", server.url + PATH))
        assert waiting.wait(PATIENCE)
        transport.close()
        with pytest.raises(httpx.TransportError, match="closed"):
            future.result(PATIENCE)
        assert server.count_requests("GET") == 1


@pytest.mark.anyio
async def test_async_retry_transport_works_in_httpx_client() -> None:
    """AsyncRetryTransport retries in an httpx.AsyncClient, and sends a POST whose response is lost once."""
    with Server(api_actions=[send_response(503), send_project, send_and_close(b"")]) as server:
        policy = RetryPolicy(backoff=0.01)
        transport = AsyncRetryTransport(httpx.AsyncHTTPTransport(), retry=policy)
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get(server.url + PATH)).status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post(server.url + PATH, json={})
        assert (server.count_requests("GET"), server.count_requests("POST")) == (2, 1)


@pytest.mark.long
def test_endless_error_body_keeps_timeout() -> None:
    """An error response whose body drips raises its error within the timeout."""

    def measure(client_kind: ClientKind) -> tuple[float, object]:
        return measure_call(client_kind, host=server.url, access_token="supplied", timeout=3.0)

    with (
        Server(api_actions=[send_and_drip(format_head(400, 9999), b" ")]) as server,
        ThreadPoolExecutor(len(ALL_CLIENT_KINDS)) as threads,
    ):
        for duration, result in threads.map(measure, ALL_CLIENT_KINDS):
            assert isinstance(result, PineconeError)
            assert (result.outcome, duration < MAX_DURATION) == ("rejected", True)
