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
    BY_NAME,
    MIB,
    PATH,
    WORLDS,
    Certificates,
    World,
    call,
    dripping,
    ending,
    failing,
    operation,
)
from tests.faults.clients import Client
from tests.faults.clock import RunningClock
from tests.faults.server import Exchange, Server, answer, echo, head, held, late
from tests.support.together import PATIENCE, wait_until

TIMEOUT = 0.5
PROMPT = 8.0
"""Seconds within which a call has ended that kept its timeout, on a busy machine too; one that did not takes 20."""


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Let time pass as it does."""
    with use_clock(SystemClock()):
        yield


def seconds_of(world: World, request: Operation[None] | None = None, **options: object) -> tuple[float, object]:
    """Measure one call, by default with a timeout of half a second, whose attempts could take longer."""
    started = time.monotonic()
    result = call(world, request or operation("PUT"), **{"timeout": TIMEOUT} | options)
    return time.monotonic() - started, result


@pytest.mark.parametrize(
    "name", ["TLS handshake hangs", "hang", "head drips", "1xx without end", "body hangs", "body drips"]
)
def test_a_server_that_takes_its_time(name: str, certificates: Certificates) -> None:
    """Neither silence nor drops of head or body keep a call beyond its timeout, retries and all, in any world."""

    def measure(world: World) -> tuple[float, object]:
        with failing(BY_NAME[name], certificates) as server:
            return seconds_of(world, host=server.url, access_token="given", ssl_verify=certificates.client)

    with ThreadPoolExecutor(len(WORLDS)) as threads:
        for took, result in threads.map(measure, WORLDS):
            assert isinstance(result, PineconeTimeoutError)
            assert TIMEOUT * 0.8 < took < PROMPT


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("status", [429, 503])
def test_failures_without_end(status: int, world: World, clock: RunningClock) -> None:
    """A server that fails at once is asked until the waits no longer fit into the timeout."""
    clock.hold()
    with Server(steps=[answer(status)]) as server, use_clock(clock):
        policy = RetryPolicy(max_attempts=100, backoff=5.0, max_backoff=10.0)
        _, result = seconds_of(world, host=server.url, access_token="given", retry=policy, timeout=50.0)
        assert server.calls("PUT") > 3
    assert isinstance(result, PineconeError)
    assert 30 < sum(clock.slept) <= 50


@pytest.mark.parametrize("world", WORLDS)
def test_a_401_starts_no_second_timeout(world: World) -> None:
    """What the first attempt and the exchange have taken, the second attempt does not have."""
    with Server(steps=[late(0.2, answer(401)), ending(b"", Exchange.hang)]) as server:
        client = {name: value for name, value in server.client.items() if name != "lazy"}
        took, result = seconds_of(world, **client)
        assert len(server.requests) == 2
    assert isinstance(result, PineconeTimeoutError)
    assert took < PROMPT


@pytest.mark.parametrize("world", WORLDS)
def test_a_token_endpoint_that_hangs(world: World) -> None:
    """The wait for a token ends with the timeout of the call, and nothing is sent."""
    with Server(tokens=[ending(b"", Exchange.hang)]) as server:
        client = {name: value for name, value in server.client.items() if name != "lazy"}
        took, result = seconds_of(world, **client)
        assert not server.requests
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, took < PROMPT) == ("not_sent", True)


@pytest.mark.parametrize("world", WORLDS)
def test_a_busy_pool(world: World) -> None:
    """Waiting for one of the connections counts, and what never got one was not sent."""
    gate = threading.Event()
    with Server(steps=[held(gate, echo)]) as server:
        options = {"host": server.url, "access_token": "given", "max_connections": 1}
        with Client(world, **options, timeout=TIMEOUT, retry=RetryPolicy(max_attempts=1)) as client:
            patient = client.admin.with_options(timeout=PATIENCE)
            blocker = threading.Thread(target=client.do, args=(lambda: patient.send(operation("PUT")),))
            blocker.start()
            wait_until(lambda: server.requests)
            started = time.monotonic()
            result = client.do(lambda: client.admin.send(operation("POST")))
            took = time.monotonic() - started
            gate.set()
            blocker.join()
        assert server.calls("POST") == 0
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, took < PROMPT) == ("not_sent", True)


@pytest.mark.parametrize("world", WORLDS)
def test_addresses_that_swallow_connections(world: World) -> None:
    """A host with fifty addresses, of which none answers, takes no longer than one."""
    with ExitStack() as stack:
        port = swallow(stack)
        stack.enter_context(several("fifty.example", [f"127.0.0.{last}" for last in range(1, 51)]))
        policy = RetryPolicy(max_attempts=1)
        took, result = seconds_of(world, host=f"https://fifty.example:{port}", access_token="given", retry=policy)
    assert isinstance(result, PineconeTimeoutError)
    assert (result.outcome, took < PROMPT) == ("not_sent", True)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("first", ["swallows", "refuses"])
def test_an_address_that_answers_behind_one_that_does_not(first: str, world: World) -> None:
    """Where the first address of a host leads nowhere, the second one is reached in the same attempt."""
    with ExitStack() as stack:
        port = swallow(stack, "127.0.0.2")
        server = stack.enter_context(Server(bind=port if first == "swallows" else 0))
        stack.enter_context(several("two.localhost", ["127.0.0.2", "127.0.0.1"]))
        policy = RetryPolicy(max_attempts=1)
        address = f"http://two.localhost:{server.address[1]}"
        _, result = seconds_of(world, host=address, access_token="given", retry=policy, timeout=4.0)
        assert result is None
        assert server.calls("PUT") == 1


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


@pytest.mark.parametrize("world", WORLDS)
def test_a_server_that_reads_slowly(world: World) -> None:
    """A large request that the server takes in drops ends with the timeout too."""

    def sip(connection: socket.socket) -> bool:
        while connection.recv(65536):
            time.sleep(0.005)
        return False

    large = Operation(id="large", method="PUT", path=PATH, returns=None, body={"name": "x" * 40 * MIB})
    with Server(greetings=[sip]) as server:
        policy = RetryPolicy(max_attempts=1)
        took, result = seconds_of(world, large, host=server.url, access_token="given", retry=policy)
    assert isinstance(result, PineconeTimeoutError)
    assert took < PROMPT


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", ["200 MB announced", "200 MB in chunks"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_an_answer_of_200_mb(verb: str, name: str, world: World) -> None:
    """It is refused once it is known to be too large, and not asked for again; a POST was done."""
    sent: list[int] = []

    def flood(exchange: Exchange) -> None:
        exchange.process()
        exchange.send(head(200, 200 * MIB) if name == "200 MB announced" else head(200, None, "Connection: close"))
        try:
            for number in range(200):
                exchange.socket.sendall(bytes(MIB))
                sent.append(number)
        except OSError:
            pass
        exchange.keep = False

    with Server(steps=[flood]) as server:
        result = call(world, operation(verb), host=server.url, access_token="given")
        assert server.calls(verb) == 1
    assert isinstance(result, PineconeConnectionError)
    assert result.outcome == "done"
    assert len(sent) < (16 if name == "200 MB announced" else 48)  # 32 are read, and the kernel holds some more


@pytest.mark.parametrize("world", WORLDS)
def test_a_token_answer_that_is_too_large(world: World) -> None:
    """The token endpoint is no way to fill the memory either."""
    sent: list[int] = []

    def flood(exchange: Exchange) -> None:
        exchange.send(head(200, None, "Connection: close") + b'{"access_token": "')
        try:
            for number in range(200):
                exchange.socket.sendall(b"x" * MIB)
                sent.append(number)
        except OSError:
            pass
        exchange.keep = False

    with Server(tokens=[flood]) as server:
        client = {name: value for name, value in server.client.items() if name != "lazy"}
        result = call(world, operation("GET"), **client)
        assert not server.requests
    assert isinstance(result, PineconeError)
    assert result.outcome == "not_sent"
    assert len(sent) < 16 * 3  # a failure is tried three times, and the kernel holds some of each


def test_the_transport_alone() -> None:
    """In an httpx.Client of one's own the transport has a deadline, attempts and the table."""
    with Server(steps=[answer(503), answer(503), echo]) as server:
        policy = RetryPolicy(backoff=0.01)
        with httpx.Client(transport=RetryTransport(httpx.HTTPTransport(), retry=policy, timeout=PATIENCE)) as alone:
            assert alone.get(server.url + PATH).status_code == 200
            assert server.calls("GET") == 3
    with Server(steps=[ending(b"", Exchange.hang)]) as server:
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
    with Server(steps=[answer(429, b"", "Retry-After: 30"), echo]) as server, ThreadPoolExecutor() as threads:
        transport = RetryTransport(httpx.HTTPTransport(), retry=policy)
        call = threads.submit(transport.handle_request, httpx.Request("GET", server.url + PATH))
        assert waiting.wait(PATIENCE)
        transport.close()
        with pytest.raises(httpx.TransportError, match="closed"):
            call.result(PATIENCE)
        assert server.calls("GET") == 1


@pytest.mark.anyio
async def test_the_async_transport_alone() -> None:
    """In an httpx.AsyncClient it is the same; a POST whose answer is lost goes out once."""
    with Server(steps=[answer(503), echo, ending(b"")]) as server:
        policy = RetryPolicy(backoff=0.01)
        transport = AsyncRetryTransport(httpx.AsyncHTTPTransport(), retry=policy)
        async with httpx.AsyncClient(transport=transport) as alone:
            assert (await alone.get(server.url + PATH)).status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await alone.post(server.url + PATH, json={})
        assert (server.calls("GET"), server.calls("POST")) == (2, 1)


def test_an_error_body_without_end() -> None:
    """An error whose body drips is an error within the timeout, with what has come of the body, in any world."""

    def measure(world: World) -> tuple[float, object]:
        return seconds_of(world, host=server.url, access_token="given", timeout=3.0)

    with Server(steps=[dripping(head(400, 9999), b" ")]) as server, ThreadPoolExecutor(len(WORLDS)) as threads:
        for took, result in threads.map(measure, WORLDS):
            assert isinstance(result, PineconeError)
            assert (result.outcome, took < PROMPT) == ("rejected", True)
