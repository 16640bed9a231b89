"""Connections that are used again: each call gets its own answer, and a create goes out once."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pinecone_admin import ClientClosedError, PineconeConnectionError, RetryPolicy
from pinecone_admin._async.transports import pool as async_pools
from pinecone_admin._sync.transports import pool as sync_pools
from pinecone_admin.operations import Operation
from tests.faults.cases import PATH, WORLDS, Certificates, World, ending, operation
from tests.faults.clients import Client
from tests.faults.server import Action, Exchange, Server, echo, head
from tests.support.together import PATIENCE, wait_until


def then(data: bytes, *, keep: bool = True) -> Action:
    """Answer a request without a body, send something right behind it, and keep the connection or close it."""

    def act(exchange: Exchange) -> None:
        exchange.process()
        exchange.send(head(200, 0) + data)
        exchange.keep = keep

    return act


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("data", [head(200, 0), head(408, 0, "Connection: close"), b"garbage"], ids=len)
def test_what_comes_behind_an_answer_answers_nothing(data: bytes, world: World) -> None:
    """A server that says more than it was asked, such as that it is about to close, is left for a new connection."""
    with (
        Server(steps=[then(data), echo]) as server,
        Client(world, host=server.url, access_token="given", retry=RetryPolicy(max_attempts=1)) as client,
    ):
        assert client.do(lambda: client.admin.send(operation("PUT"))) is None
        assert client.describe("own") == "own"
        assert server.connections == 2


@pytest.mark.parametrize("world", WORLDS)
def test_a_connection_that_was_closed_meanwhile(world: World) -> None:
    """A create after the server has closed the connection goes over a new one, and is processed."""
    with (
        Server(steps=[then(b"", keep=False), echo]) as server,
        Client(world, host=server.url, access_token="given", max_connections=1) as client,
    ):
        assert client.do(lambda: client.admin.send(operation("PUT"))) is None
        wait_until(lambda: not server._open)
        assert client.do(lambda: client.admin.send(operation("POST"))) is None
        assert (server.processed["POST", PATH], server.connections) == (1, 2)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("processes", [True, False])
def test_a_connection_that_is_closed_in_the_same_moment(world: World, *, processes: bool) -> None:
    """A create that meets the end of the connection is not repeated, as nobody can know whether it was processed."""

    def close(exchange: Exchange) -> None:
        if processes:
            exchange.process()
        exchange.keep = False

    with (
        Server(steps=[echo, close, echo]) as server,
        Client(world, host=server.url, access_token="given", max_connections=1) as client,
    ):
        assert client.describe() == "x"
        error = client.do(lambda: client.admin.send(operation("POST")))
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, error.safe_to_retry) == ("unknown", False)
        assert (server.calls("POST"), server.processed["POST", PATH]) == (1, int(processes))
        assert client.describe() == "x"


@pytest.mark.parametrize("world", WORLDS)
def test_connections_that_failed_are_forgotten(world: World) -> None:
    """However many end, none but the one in use is kept in memory."""
    with (
        Server(steps=[ending(b"")] * 30 + [echo]) as server,
        Client(world, host=server.url, access_token="given", retry=RetryPolicy(max_attempts=1)) as client,
    ):
        before = transports()
        for _ in range(30):
            assert isinstance(client.describe(), PineconeConnectionError)
        assert client.describe() == "x"
        assert transports() <= before + 1


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 300_000])
def test_a_large_request_arrives_whole(size: int, world: World) -> None:
    """It is written in pieces, which keep their order."""
    name = "".join(map(str, range(size)))[:size]
    large = Operation(id="large", method="PUT", path=PATH, returns=None, body=name)
    with Server() as server, Client(world, host=server.url, access_token="given") as client:
        assert client.do(lambda: client.admin.send(large)) is None
        assert [request.body for request in server.requests] == [f'"{name}"'.encode()]


@pytest.mark.parametrize("world", WORLDS)
def test_a_request_that_comes_too_late(world: World) -> None:
    """One that was on its way when the client was closed opens no connection, which nobody would close."""
    with Server() as server, Client(world, host=server.url, access_token="given") as client:
        pools: Any = client.admin._shared.pools
        client.shut()
        request = httpx.Request("POST", server.url + PATH, extensions={"timeout": {"pool": PATIENCE}})
        send = pools.handle_request if world == "sync" else pools.handle_async_request
        with pytest.raises(httpx.ConnectError, match="closed"):
            client.do(lambda: send(request))
        assert server.connections == 0


class Unending(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An empty body whose end fails."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        """Fail."""
        raise OSError

    async def aclose(self) -> None:
        """Fail."""
        raise OSError


@pytest.mark.parametrize("world", WORLDS)
def test_an_answer_whose_end_fails_gives_its_place_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request gets a connection, were there only one."""

    async def answer_later(*_: object) -> httpx.Response:
        return httpx.Response(200, stream=Unending())

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: httpx.Response(200, stream=Unending()))
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer_later)
    with Client(world, host="http://127.0.0.1:1", access_token="given", max_connections=1) as client:
        for _ in range(2):
            assert client.do(lambda: client.admin.send(operation("POST"))) is None


@pytest.mark.parametrize("world", WORLDS)
def test_a_client_that_is_closed_while_a_connection_is_made(world: World, certificates: Certificates) -> None:
    """Nothing goes over it any more, and it does not stay open."""
    arrived, closed = threading.Event(), threading.Event()

    def greet(_: socket.socket) -> bool:
        arrived.set()
        return closed.wait(PATIENCE)

    with (
        Server(greetings=[greet], tls=certificates.servers["good"]) as server,
        Client(world, host=server.url, access_token="given", ssl_verify=certificates.client) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        calling = threads.submit(client.describe)
        assert arrived.wait(PATIENCE)
        client.shut()
        closed.set()
        error = calling.result(PATIENCE)
        assert isinstance(error, ClientClosedError)
        assert (error.outcome, server.requests) == ("not_sent", [])
        wait_until(lambda: not server._open)


@pytest.mark.parametrize("world", WORLDS)
def test_a_client_that_is_closed_while_a_connection_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is not kept, as nobody would close it any more."""
    module = sync_pools if world == "sync" else async_pools
    is_reusable = module._Connection.is_reusable

    def closed_meanwhile(connection: Any) -> bool:
        pools: Any = client.admin._shared.pools
        pools._pools.get()._closed = True
        return bool(is_reusable(connection))

    with Server() as server, Client(world, host=server.url, access_token="given") as client:
        monkeypatch.setattr(module._Connection, "is_reusable", closed_meanwhile)
        assert client.describe() == "x"
        wait_until(lambda: not server._open)


def transports() -> int:
    """Count the transports in memory."""
    gc.collect()
    return sum(isinstance(each, httpx.HTTPTransport | httpx.AsyncHTTPTransport) for each in gc.get_objects())
