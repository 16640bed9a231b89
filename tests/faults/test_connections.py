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
from tests.faults.cases import CLIENT_KINDS, PATH, Certificates, ClientKind, make_operation, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, format_head, send_project
from tests.support.together import PATIENCE, wait_until


def respond_then_send(data: bytes, *, keep_alive: bool = True) -> Action:
    """Answer a request without a body, send something right behind it, and keep the connection or close it."""

    def act(context: RequestContext) -> None:
        context.process()
        context.send(format_head(200, 0) + data)
        context.keep_alive = keep_alive

    return act


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("data", [format_head(200, 0), format_head(408, 0, "Connection: close"), b"garbage"], ids=len)
def test_what_comes_behind_an_answer_answers_nothing(data: bytes, client_kind: ClientKind) -> None:
    """A server that says more than it was asked, such as that it is about to close, is left for a new connection."""
    with (
        Server(api_actions=[respond_then_send(data), send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", retry=RetryPolicy(max_attempts=1)) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("PUT"))) is None
        assert client.describe_project("own") == "own"
        assert server.connections == 2


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_connection_that_was_closed_meanwhile(client_kind: ClientKind) -> None:
    """A create after the server has closed the connection goes over a new one, and is processed."""
    with (
        Server(api_actions=[respond_then_send(b"", keep_alive=False), send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", max_connections=1) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("PUT"))) is None
        wait_until(lambda: not server.open_sockets)
        assert client.run_call(lambda: client.admin.send(make_operation("POST"))) is None
        assert (server.processed["POST", PATH], server.connections) == (1, 2)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("processes", [True, False])
def test_a_connection_that_is_closed_in_the_same_moment(client_kind: ClientKind, *, processes: bool) -> None:
    """A create that meets the end of the connection is not repeated, as nobody can know whether it was processed."""

    def close(context: RequestContext) -> None:
        if processes:
            context.process()
        context.keep_alive = False

    with (
        Server(api_actions=[send_project, close, send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", max_connections=1) as client,
    ):
        assert client.describe_project() == "x"
        error = client.run_call(lambda: client.admin.send(make_operation("POST")))
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, error.safe_to_retry) == ("unknown", False)
        assert (server.count_requests("POST"), server.processed["POST", PATH]) == (1, int(processes))
        assert client.describe_project() == "x"


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_connections_that_failed_are_forgotten(client_kind: ClientKind) -> None:
    """However many end, none but the one in use is kept in memory."""
    with (
        Server(api_actions=[send_and_close(b"")] * 30 + [send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", retry=RetryPolicy(max_attempts=1)) as client,
    ):
        before = transports()
        for _ in range(30):
            assert isinstance(client.describe_project(), PineconeConnectionError)
        assert client.describe_project() == "x"
        assert transports() <= before + 1


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 300_000])
def test_a_large_request_arrives_whole(size: int, client_kind: ClientKind) -> None:
    """It is written in pieces, which keep their order."""
    name = "".join(map(str, range(size)))[:size]
    large = Operation(id="large", method="PUT", path=PATH, returns=None, body=name)
    with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
        assert client.run_call(lambda: client.admin.send(large)) is None
        assert [request.body for request in server.requests] == [f'"{name}"'.encode()]


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_request_that_comes_too_late(client_kind: ClientKind) -> None:
    """One that was on its way when the client was closed opens no connection, which nobody would close."""
    with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
        pools: Any = client.admin._shared.pools
        client.close_admin()
        request = httpx.Request("POST", server.url + PATH, extensions={"timeout": {"pool": PATIENCE}})
        send = pools.handle_request if client_kind == "sync" else pools.handle_async_request
        with pytest.raises(httpx.ConnectError, match="closed"):
            client.run_call(lambda: send(request))
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


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_an_answer_whose_end_fails_gives_its_place_back(
    client_kind: ClientKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next request gets a connection, were there only one."""

    async def answer_later(*_: object) -> httpx.Response:
        return httpx.Response(200, stream=Unending())

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: httpx.Response(200, stream=Unending()))
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer_later)
    with AnyClient(client_kind, host="http://127.0.0.1:1", access_token="supplied", max_connections=1) as client:
        for _ in range(2):
            assert client.run_call(lambda: client.admin.send(make_operation("POST"))) is None


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_client_that_is_closed_while_a_connection_is_made(
    client_kind: ClientKind, certificates: Certificates
) -> None:
    """Nothing goes over it any more, and it does not stay open."""
    arrived, closed = threading.Event(), threading.Event()

    def greet(_: socket.socket) -> bool:
        arrived.set()
        return closed.wait(PATIENCE)

    with (
        Server(connection_actions=[greet], tls=certificates.servers["good"]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", ssl_verify=certificates.client) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        calling = threads.submit(client.describe_project)
        assert arrived.wait(PATIENCE)
        client.close_admin()
        closed.set()
        error = calling.result(PATIENCE)
        assert isinstance(error, ClientClosedError)
        assert (error.outcome, server.requests) == ("not_sent", [])
        wait_until(lambda: not server.open_sockets)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_client_that_is_closed_while_a_connection_comes_back(
    client_kind: ClientKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is not kept, as nobody would close it any more."""
    module = sync_pools if client_kind == "sync" else async_pools
    is_spent = module._Connection.is_spent

    def closed_meanwhile(connection: Any) -> bool:
        pools: Any = client.admin._shared.pools
        pools._pools.get()._closed = True
        return bool(is_reusable(connection))

    with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
        monkeypatch.setattr(module._Connection, "is_spent", closed_meanwhile)
        assert client.describe_project() == "x"
        wait_until(lambda: not server.open_sockets)


def transports() -> int:
    """Count the transports in memory."""
    gc.collect()
    return sum(isinstance(each, httpx.HTTPTransport | httpx.AsyncHTTPTransport) for each in gc.get_objects())
