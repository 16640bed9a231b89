"""Reused connections: each call gets its own response, and a create is sent once."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import h11
import httpx
import pytest

from pinecone_admin import ClientClosedError, PineconeConnectionError, RetryPolicy
from pinecone_admin._async.transports import network as async_network
from pinecone_admin._async.transports import pool as async_pools
from pinecone_admin._concurrency.attempts import Attempt
from pinecone_admin._sync.transports import network as sync_network
from pinecone_admin._sync.transports import pool as sync_pools
from pinecone_admin.operations import Operation
from tests.faults.cases import ALL_CLIENT_KINDS, PATH, Certificates, ClientKind, make_operation, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, format_head, send_project
from tests.support.concurrency import PATIENCE, wait_until


def respond_then_send(data: bytes, *, keep_alive: bool = True) -> Action:
    """Respond without a body, send more data after the response, and keep or close the connection."""

    def act(context: RequestContext) -> None:
        context.process()
        context.send(format_head(200, 0) + data)
        context.keep_alive = keep_alive

    return act


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("data", [format_head(200, 0), format_head(408, 0, "Connection: close"), b"garbage"], ids=len)
def test_unsolicited_data_is_not_a_response(data: bytes, client_kind: ClientKind) -> None:
    """Data after a response is not used as the next response: the next request uses a new connection."""
    with (
        Server(api_actions=[respond_then_send(data), send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", retry=RetryPolicy(max_attempts=1)) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("PUT"))) is None
        assert client.describe_project("own") == "own"
        assert server.connections == 2


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_closed_connection_is_replaced(client_kind: ClientKind) -> None:
    """A create after the server closes the connection uses a new connection and is processed."""
    with (
        Server(api_actions=[respond_then_send(b"", keep_alive=False), send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", max_connections=1) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("PUT"))) is None
        wait_until(lambda: not server.open_sockets)
        assert client.run_call(lambda: client.admin.send(make_operation("POST"))) is None
        assert (server.processed["POST", PATH], server.connections) == (1, 2)


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("processes", [True, False])
def test_create_on_closing_connection_is_not_retried(client_kind: ClientKind, *, processes: bool) -> None:
    """A create that is sent while the connection closes is not retried, since the server may have processed it."""

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


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_failed_connections_are_released(client_kind: ClientKind) -> None:
    """Failed connections are not kept in memory."""
    with (
        Server(api_actions=[send_and_close(b"")] * 30 + [send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", retry=RetryPolicy(max_attempts=1)) as client,
    ):
        before = count_transports()
        for _ in range(30):
            assert isinstance(client.describe_project(), PineconeConnectionError)
        assert client.describe_project() == "x"
        assert count_transports() <= before + 1


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 300_000])
def test_large_request_arrives_complete(size: int, client_kind: ClientKind) -> None:
    """A large request is written in pieces and arrives complete and in order."""
    name = "".join(map(str, range(size)))[:size]
    large = Operation(id="large", method="PUT", path=PATH, returns=None, body=name)
    with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
        assert client.run_call(lambda: client.admin.send(large)) is None
        assert [request.body for request in server.requests] == [f'"{name}"'.encode()]


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    ("verb", "parts"), [("GET", ["Request"]), ("POST", ["Request", "Data"])], ids=["no body", "a body"]
)
def test_request_is_written_once_and_as_soon_as_it_is_whole(
    verb: str,
    parts: list[str],
    client_kind: ClientKind,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tls: bool,
) -> None:
    """Headers and body go out in one write, before h11 notes the end of the request."""
    steps: list[str] = []
    send = h11.Connection.send

    def note_send(connection: h11.Connection, event: Any) -> Any:
        steps.append(type(event).__name__)
        return send(connection, event)

    def note_flush(flush: Callable[..., Any]) -> Callable[..., Any]:
        def flush_and_note(*arguments: Any) -> Any:
            steps.append("written")
            return flush(*arguments)

        return flush_and_note

    monkeypatch.setattr(h11.Connection, "send", note_send)
    for stream in (async_network._Stream, sync_network._Stream):
        monkeypatch.setattr(stream, "_flush_unsent", note_flush(stream._flush_unsent))
    with (
        Server(tls=certificates.servers["good"] if tls else None) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", ssl_verify=certificates.client) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation(verb))) is None
    assert steps == [*parts, "written", "EndOfMessage"]


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_closed_client_opens_no_connection(client_kind: ClientKind) -> None:
    """A request that reaches the pool after the client is closed opens no connection."""
    with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
        pools: Any = client.admin._shared.pools
        client.close_admin()
        request, attempt = httpx.Request("POST", server.url + PATH), Attempt(PATIENCE)
        with pytest.raises(httpx.ConnectError, match="closed"):
            client.run_call(lambda: pools.exchange(request, attempt, max_bytes=1000))
        assert server.connections == 0


class FailingClose(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An empty body that fails to close."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        """Raise OSError."""
        raise OSError

    async def aclose(self) -> None:
        """Raise OSError."""
        raise OSError


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_failing_body_close_releases_connection(client_kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A response body that fails to close releases its place in the pool."""

    async def respond_async(*_: object) -> httpx.Response:
        return httpx.Response(200, stream=FailingClose())

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: httpx.Response(200, stream=FailingClose()))
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", respond_async)
    with AnyClient(client_kind, host="http://127.0.0.1:1", access_token="supplied", max_connections=1) as client:
        for _ in range(2):
            assert client.run_call(lambda: client.admin.send(make_operation("POST"))) is None


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_closing_client_closes_connection_in_setup(client_kind: ClientKind, certificates: Certificates) -> None:
    """Closing a client closes a connection that is being opened, and no request is sent on it."""
    arrived, closed = threading.Event(), threading.Event()

    def wait_before_handshake(_: socket.socket) -> bool:
        arrived.set()
        return closed.wait(PATIENCE)

    with (
        Server(connection_actions=[wait_before_handshake], tls=certificates.servers["good"]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied", ssl_verify=certificates.client) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        future = threads.submit(client.describe_project)
        assert arrived.wait(PATIENCE)
        client.close_admin()
        closed.set()
        error = future.result(PATIENCE)
        assert isinstance(error, ClientClosedError)
        assert (error.outcome, server.requests) == ("not_sent", [])
        wait_until(lambda: not server.open_sockets)


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_closing_client_closes_returned_connection(client_kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that returns to the pool while the client is closed is closed as well."""
    module = sync_pools if client_kind == "sync" else async_pools
    is_reusable = module._Connection.is_reusable

    def close_pool_then_check(connection: Any) -> bool:
        pools: Any = client.admin._shared.pools
        pools._pools.get()._closed = True
        return bool(is_reusable(connection))

    with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
        monkeypatch.setattr(module._Connection, "is_reusable", close_pool_then_check)
        assert client.describe_project() == "x"
        wait_until(lambda: not server.open_sockets)


def count_transports() -> int:
    """Return the number of transports in memory."""
    gc.collect()
    return sum(isinstance(each, httpx.HTTPTransport | httpx.AsyncHTTPTransport) for each in gc.get_objects())
