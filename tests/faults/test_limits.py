"""No call outlives its timeout by more than a moment, whatever the server does; no answer is read that is too large."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from unittest.mock import patch

import httpx
import pytest

from pinecone_admin import PineconeConnectionError, PineconeError, PineconeTimeoutError, RetryPolicy
from pinecone_admin._concurrency import SystemClock, use_clock
from pinecone_admin.operations import Operation
from pinecone_admin.retry import AsyncRetryTransport, RetryTransport
from tests.faults.cases import (
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
    respond_after,
    respond_when_set,
    send_project,
    send_response,
)
from tests.support.together import PATIENCE, wait_until

TIMEOUT = 0.5
PROMPT = 8.0
"""Seconds within which a call has ended that kept its timeout, on a busy machine too; one that did not takes 20."""


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Let time pass as it does."""
    with use_clock(SystemClock()):
        yield


def seconds_of(
    client_kind: ClientKind, request: Operation[None] | None = None, **options: object
) -> tuple[float, object]:
    """Measure one call, by default with a timeout of half a second, whose attempts could take longer."""
    started = time.monotonic()
    result = send_once(client_kind, request or make_operation("PUT"), **{"timeout": TIMEOUT} | options)
    return time.monotonic() - started, result


@pytest.mark.parametrize(
    "name", ["TLS handshake hangs", "hang", "head drips", "1xx without end", "body hangs", "body drips"]
)
def test_a_server_that_takes_its_time(name: str, certificates: Certificates) -> None:
    """Neither silence nor drops of head or body keep a call beyond its timeout, retries and all, in any world."""

    def measure(client_kind: ClientKind) -> tuple[float, object]:
        with run_failing_server(FAULTS_BY_NAME[name], certificates) as server:
            return seconds_of(client_kind, host=server.url, access_token="supplied", ssl_verify=certificates.client)

    with ThreadPoolExecutor(len(CLIENT_KINDS)) as threads:
        for took, result in threads.map(measure, CLIENT_KINDS):
            assert isinstance(result, PineconeTimeoutError)
            assert TIMEOUT * 0.8 < took < PROMPT


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("status", [429, 503])
def test_failures_without_end(status: int, client_kind: ClientKind, clock: RunningClock) -> None:
    """A server that fails at once is asked until the waits no longer fit into the timeout."""
    clock.freeze()
    with Server(api_actions=[send_response(status)]) as server, use_clock(clock):
        policy = RetryPolicy(max_attempts=100, backoff=5.0, max_backoff=10.0)
        _, result = seconds_of(client_kind, host=server.url, access_token="supplied", retry=policy, timeout=50.0)
        assert server.count_requests("PUT") > 3
    assert isinstance(result, PineconeError)
    assert 30 < sum(clock.slept) <= 50


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_401_starts_no_second_timeout(client_kind: ClientKind) -> None:
    """What the first attempt and the exchange have taken, the second attempt does not have."""
    with Server(
        api_actions=[respond_after(0.2, send_response(401)), send_and_close(b"", RequestContext.hang)]
    ) as server:
        client = {name: value for name, value in server.client_options.items() if name != "lazy"}
        took, result = seconds_of(client_kind, **client)
        assert len(server.requests) == 2
    assert isinstance(result, PineconeTimeoutError)
    assert took < PROMPT


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_token_endpoint_that_hangs(client_kind: ClientKind) -> None:
    """The wait for a token ends with the timeout of the call, and nothing is sent."""
    with Server(token_actions=[send_and_close(b"", RequestContext.hang)]) as server:
        client = {name: value for name, value in server.client_options.items() if name != "lazy"}
        took, result = seconds_of(client_kind, **client)
        assert not server.requests
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, took < PROMPT) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_busy_pool(client_kind: ClientKind) -> None:
    """Waiting for one of the connections counts, and what never got one was not sent."""
    gate = threading.Event()
    with Server(api_actions=[respond_when_set(gate, send_project)]) as server:
        options = {"host": server.url, "access_token": "supplied", "max_connections": 1}
        with AnyClient(client_kind, **options, timeout=TIMEOUT, retry=RetryPolicy(max_attempts=1)) as client:
            patient = client.admin.with_options(timeout=PATIENCE)
            blocker = threading.Thread(target=client.run_call, args=(lambda: patient.send(make_operation("PUT")),))
            blocker.start()
            wait_until(lambda: server.requests)
            started = time.monotonic()
            result = client.run_call(lambda: client.admin.send(make_operation("POST")))
            took = time.monotonic() - started
            gate.set()
            blocker.join()
        assert server.count_requests("POST") == 0
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, took < PROMPT) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_addresses_that_swallow_connections(client_kind: ClientKind) -> None:
    """A host with fifty addresses, of which none answers, takes no longer than one."""
    with ExitStack() as stack:
        port = swallow(stack)
        stack.enter_context(several("fifty.example", [f"127.0.0.{last}" for last in range(1, 51)]))
        policy = RetryPolicy(max_attempts=1)
        took, result = seconds_of(
            client_kind, host=f"https://fifty.example:{port}", access_token="supplied", retry=policy
        )
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, took < PROMPT) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("first", ["swallows", "refuses"])
def test_an_address_that_answers_behind_one_that_does_not(first: str, client_kind: ClientKind) -> None:
    """Where the first address of a host leads nowhere, the second one is reached in the same attempt."""
    with ExitStack() as stack:
        port = swallow(stack, "127.0.0.2")
        server = stack.enter_context(Server(bind=port if first == "swallows" else 0))
        stack.enter_context(several("two.localhost", ["127.0.0.2", "127.0.0.1"]))
        policy = RetryPolicy(max_attempts=1)
        address = f"http://two.localhost:{server.address[1]}"
        _, result = seconds_of(client_kind, host=address, access_token="supplied", retry=policy, timeout=4.0)
        assert result is None
        assert server.count_requests("PUT") == 1


def several(name: str, addresses: list[str]) -> AbstractContextManager[object]:
    """Let a name have several addresses."""
    look_up = socket.getaddrinfo

    def fake(host: object, port: object, *args: object, **kwargs: object) -> list[object]:
        known = addresses if host in {name, name.encode()} else [host]
        return [found for each in known for found in look_up(each, port, *args, **kwargs)]  # type: ignore[arg-type]

    return patch("socket.getaddrinfo", fake)


def swallow(stack: ExitStack, address: str = "0.0.0.0") -> int:
    """Listen with a queue that is full, so that the kernel drops what comes."""
    listener = stack.enter_context(socket.socket())
    listener.bind((address, 0))
    listener.listen(0)
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex((address.replace("0.0.0.0", "127.0.0.1"), listener.getsockname()[1]))
    return int(listener.getsockname()[1])


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_server_that_reads_slowly(client_kind: ClientKind) -> None:
    """A large request that the server takes in drops ends with the timeout too."""

    def sip(connection: socket.socket) -> bool:
        while connection.recv(65536):
            time.sleep(0.005)
        return False

    large = Operation(id="large", method="PUT", path=PATH, returns=None, body={"name": "x" * 40 * MIB})
    with Server(connection_actions=[sip]) as server:
        policy = RetryPolicy(max_attempts=1)
        took, result = seconds_of(client_kind, large, host=server.url, access_token="supplied", retry=policy)
    assert isinstance(result, PineconeTimeoutError)
    assert took < PROMPT


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", ["200 MB announced", "200 MB in chunks"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_an_answer_of_200_mb(verb: str, name: str, client_kind: ClientKind) -> None:
    """It is refused once it is known to be too large, and not asked for again; a POST was done."""
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
    assert len(sent) < (16 if name == "200 MB announced" else 48)  # 32 are read, and the kernel holds some more


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_token_answer_that_is_too_large(client_kind: ClientKind) -> None:
    """The token endpoint is no way to fill the memory either."""
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
    assert len(sent) < 16 * 3  # a failure is tried three times, and the kernel holds some of each


def test_the_transport_alone() -> None:
    """In an httpx.Client of one's own the transport has a deadline, attempts and the table."""
    with Server(api_actions=[send_response(503), send_response(503), send_project]) as server:
        policy = RetryPolicy(backoff=0.01)
        with httpx.Client(transport=RetryTransport(httpx.HTTPTransport(), retry=policy, timeout=PATIENCE)) as alone:
            assert alone.get(server.url + PATH).status_code == 200
            assert server.count_requests("GET") == 3
    with Server(api_actions=[send_and_close(b"", RequestContext.hang)]) as server:
        started = time.monotonic()
        with (
            httpx.Client(transport=RetryTransport(httpx.HTTPTransport(), timeout=TIMEOUT)) as alone,
            pytest.raises(httpx.TimeoutException),
        ):
            alone.get(server.url + PATH)
        assert time.monotonic() - started < PROMPT


def test_closing_the_transport_alone_ends_its_wait() -> None:
    """Half a minute of Retry-After is over at once, and the request is not sent again."""
    waiting = threading.Event()
    policy = RetryPolicy(on_retry=lambda _: waiting.set())
    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        ThreadPoolExecutor() as threads,
    ):
        transport = RetryTransport(httpx.HTTPTransport(), retry=policy)
        future = threads.submit(transport.handle_request, httpx.Request("GET", server.url + PATH))
        assert waiting.wait(PATIENCE)
        transport.close()
        with pytest.raises(httpx.TransportError, match="closed"):
            future.result(PATIENCE)
        assert server.count_requests("GET") == 1


@pytest.mark.anyio
async def test_the_async_transport_alone() -> None:
    """In an httpx.AsyncClient it is the same; a POST whose answer is lost goes out once."""
    with Server(api_actions=[send_response(503), send_project, send_and_close(b"")]) as server:
        policy = RetryPolicy(backoff=0.01)
        transport = AsyncRetryTransport(httpx.AsyncHTTPTransport(), retry=policy)
        async with httpx.AsyncClient(transport=transport) as alone:
            assert (await alone.get(server.url + PATH)).status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await alone.post(server.url + PATH, json={})
        assert (server.count_requests("GET"), server.count_requests("POST")) == (2, 1)


def test_an_error_body_without_end() -> None:
    """An error whose body drips is an error within the timeout, with what has come of the body, in any world."""

    def measure(client_kind: ClientKind) -> tuple[float, object]:
        return seconds_of(client_kind, host=server.url, access_token="supplied", timeout=3.0)

    with (
        Server(api_actions=[send_and_drip(format_head(400, 9999), b" ")]) as server,
        ThreadPoolExecutor(len(CLIENT_KINDS)) as threads,
    ):
        for took, result in threads.map(measure, CLIENT_KINDS):
            assert isinstance(result, PineconeError)
            assert (result.outcome, took < PROMPT) == ("rejected", True)
