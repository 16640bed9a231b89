"""Damaged bytes on the wire: only errors of this package, no hang, no stale response, no second create, no secret."""

from __future__ import annotations

import gc
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from random import Random
from typing import Any

import httpcore
import pytest
from attrs import define, field

from pinecone_admin import ApiError, PineconeError, RetryPolicy
from pinecone_admin._concurrency.clock import use_clock
from tests.faults.canaries import HEADER, KEY, PASSWORD, TOKEN, SecretSearch, list_linked_errors
from tests.faults.cases import ALL_CLIENT_KINDS, CHUNKED, Certificates, ClientKind
from tests.faults.clients import AnyClient
from tests.faults.clock import RunningClock
from tests.faults.damage import damage_bytes
from tests.faults.server import (
    RequestContext,
    Server,
    accept_requests,
    format_head,
    open_tunnel,
    reset_on_close,
    send_project,
)
from tests.faults.test_unsolicited_responses import STALE
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.socks import SocksProxy, forward_bytes

WORKERS = 24
ATTEMPT_TIMEOUT = 0.25
SEED = 11

CREATED_KEY = {"key": {"id": "k", "name": "n", "project_id": "p", "roles": ["ProjectEditor"]}, "value": KEY}
CALLS: dict[str, Callable[[Any, str], Any]] = {
    "GET": lambda admin, name: admin.projects.describe(project_id=name),
    "DELETE": lambda admin, name: admin.projects.delete(project_id=name),
    "POST": lambda admin, name: admin.api_keys.create(project_id=name, name="n"),
}
VERBS = tuple(CALLS)


def make_body(verb: str, name: str) -> bytes:
    """Return the body of a success."""
    project = {"id": name, "name": name, "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
    return {"GET": json.dumps(project), "DELETE": "", "POST": json.dumps(CREATED_KEY)}[verb].encode()


def frame_body(random: Random, status: int, body: bytes) -> bytes:
    """Return a response in one of the framings of HTTP/1.1."""
    cut = len(body) // 2
    parts = [part for part in (body[:cut], body[cut:]) if part]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    chunked_head = CHUNKED.replace(b"200", b"%d" % status)
    return random.choice(
        (
            format_head(status, len(body), "Content-Type: application/json", "x-request-id: r") + body,
            format_head(103, None, "Link: x") + format_head(status, len(body)) + body,
            chunked_head + chunks + b"0\r\n\r\n",
            chunked_head + chunks.replace(b"\r\n", b";a=b\r\n", 1) + b"0\r\nx-trailer: y\r\n\r\n",
            format_head(status, None, "Connection: close") + body,
        )
    )


@define
class DamagingApi:
    """Respond to each call with damaged bytes, and to a call for a project whose name begins with ``own`` with it.

    Attributes:
        finished: Number of responses to each verb and path that are sent to their end.
        sent: What was sent last, by path.
    """

    seed: int = SEED
    finished: Counter[tuple[str, str]] = field(init=False, factory=Counter[tuple[str, str]])
    sent: dict[str, bytes] = field(init=False, factory=dict[str, bytes])

    def __call__(self, context: RequestContext) -> None:
        """Respond to one request."""
        verb, path = key = context.request.verb, context.request.path
        name = path.split("/")[3]
        if name.startswith("own"):
            send_project(context)
            return
        random = Random(f"{self.seed} {name} {context.server.received[key]}")
        self.sent[path] = data = self._make_response(random, context, verb, name)
        context.send(data)
        end = random.choices(("close", "reset", "keep"), (5, 1, 4))[0]
        if end == "reset":
            reset_on_close(context.socket)
        if end != "keep":
            context.keep_alive = False
            if end == "close":
                with suppress(OSError):
                    context.socket.shutdown(socket.SHUT_RDWR)
            context.socket.close()
        self.finished[key] += 1

    def _make_response(self, random: Random, context: RequestContext, verb: str, name: str) -> bytes:
        status = random.choices(({"GET": 200, "DELETE": 202, "POST": 201}[verb], 503, 429, 409, 401), (6, 1, 1, 1, 1))[
            0
        ]
        if status in {201, 503}:
            context.process()
        body = make_body(verb, name)
        if status >= 400:
            echo = {"error": {"code": "X", "message": f"bad {context.request.headers['authorization']}"}}
            body = json.dumps(echo).encode()
        response = frame_body(random, status, body)
        if random.random() < 0.1:
            return response + damage_bytes(random, STALE)
        return damage_bytes(random, response)


def check_cases(cases: Sequence[int], workers: int, check: Callable[[Sequence[int]], None]) -> None:
    """Divide cases among several threads, and raise what one of them raises."""

    def work(offset: int) -> None:
        with use_clock(RunningClock()):
            check(cases[offset::workers])

    with ThreadPoolExecutor(workers) as threads:
        for _ in threads.map(work, range(workers)):
            pass


def check_error(error: object, search: SecretSearch) -> None:
    """Search an error, everything linked to it and its frames for secrets."""
    if isinstance(error, ApiError) and KEY in error.body and '"value": "' not in error.body:
        return  # the status of a created key was damaged, and so was the name of the field, by which it is masked
    if isinstance(error, PineconeError):
        search.frames("error", error)
        for link in list_linked_errors(error):
            search.text("error", f"{link} {vars(link)!r}")


OPTIONS: dict[str, Any] = {
    "access_token": TOKEN,
    "additional_headers": {"x-secret": HEADER},
    "max_connections": 1,
    "timeout": PATIENCE,
    "retry": RetryPolicy(max_attempts=2, attempt_timeout=ATTEMPT_TIMEOUT),
}
NEVER_REPEATED = RetryPolicy(max_attempts=1, attempt_timeout=PATIENCE)


def check_damaged_response(
    client: AnyClient, number: int, *, server: Server, api: DamagingApi, search: SecretSearch
) -> None:
    """Make a call whose response is damaged, and another one after it."""
    verb = VERBS[number % len(VERBS)]
    name = f"case{number}"
    path = f"/admin/projects/{name}" + ("/api-keys" if verb == "POST" else "")
    started = time.monotonic()
    result = client.run_call(lambda: CALLS[verb](client.admin, name))
    took = time.monotonic() - started
    wait_until(lambda: api.finished[verb, path] == server.received[verb, path])
    context = (verb, result, api.sent.get(path))
    assert took < PATIENCE, context
    if verb == "POST":
        assert server.processed[verb, path] <= 1, context
    is_refused = isinstance(result, ApiError) and 400 <= (result.status_code or 0) < 600
    if isinstance(result, PineconeError) and server.processed[verb, path] and not is_refused:
        assert result.outcome in {"unknown", "done"}, context
    check_error(result, search)
    assert not search.found, context
    patient = client.admin.with_options(retry=NEVER_REPEATED)
    own = client.run_call(lambda: patient.projects.describe(project_id=f"own{number}"))
    assert getattr(own, "id", None) == f"own{number}", (own, context)


def check_damaged_responses(client_kind: ClientKind, cases: Sequence[int]) -> None:
    """Check calls whose responses are damaged."""
    search, api = SecretSearch(), DamagingApi()

    def check(numbers: Sequence[int]) -> None:
        with AnyClient(client_kind, host=server.url, **OPTIONS) as client:
            for number in numbers:
                check_damaged_response(client, number, server=server, api=api, search=search)

    with Server(api_actions=[api]) as server:
        check_cases(cases, WORKERS, check)
    assert search.places
    assert len(api.sent) > len(cases) * 0.9  # a busy machine may not connect in time


@pytest.mark.parametrize("cases", [range(20), pytest.param(range(20, 60), marks=pytest.mark.long)], ids=len)
@pytest.mark.parametrize("read_bytes", [7, 64 * 1024])
@pytest.mark.parametrize("client_kind", ["sync", "asyncio"])
def test_damaged_response_harms_nothing(
    client_kind: ClientKind, read_bytes: int, cases: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged response leads to an error of this package or a result, and the next call gets its own response."""
    for connection in (httpcore.HTTP11Connection, httpcore.AsyncHTTP11Connection):
        monkeypatch.setattr(connection, "READ_NUM_BYTES", read_bytes)  # h11 gets a response in pieces of this size
    check_damaged_responses(client_kind, cases)


class DamagingWire:
    """Forward connections to an address, and damage one place of what comes back.

    Args:
        address: Where connections are forwarded to.
        start: Number of the first connection, on which its damage depends.
    """

    def __init__(self, address: tuple[str, int], start: int) -> None:
        self._address = address
        self._numbers = count(start)

    def __call__(self, client: socket.socket) -> bool:
        """Forward one connection, and return that nothing is left to read from it."""
        random = Random(f"{SEED} {next(self._numbers)}")
        with socket.create_connection(self._address) as server:
            forward = threading.Thread(target=forward_bytes, args=(client, server))
            forward.start()
            with suppress(OSError):
                self._forward_damaged(random, server, client)
            for each in (client, server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            forward.join()
        return False

    def _forward_damaged(self, random: Random, source: socket.socket, sink: socket.socket) -> None:
        left = random.randrange(random.choice((20, 100, 4000)))  # replies of proxies are short, handshakes are not
        closes = random.random() < 0.3
        while data := source.recv(65536):
            if 0 <= left < len(data):
                data = data[:left] + damage_bytes(random, data[left:])
                if closes:
                    sink.sendall(data)
                    return
                left = -1
            left -= len(data) if left >= 0 else 0
            sink.sendall(data)


def respond(context: RequestContext) -> None:
    """Respond to a create with a key, and to other requests with a project."""
    if context.request.verb != "POST":
        send_project(context)
        return
    context.process()
    body = make_body("POST", "")
    context.send(format_head(201, len(body)) + body)


@contextmanager
def run_damaged_route(
    route: str, certificates: Certificates, start: int
) -> Generator[tuple[Server, dict[str, Any]], None, None]:
    """Run a server with TLS, perhaps behind a proxy, and damage what comes back from the first of them."""
    with (
        Server(api_actions=[respond], tls=certificates.servers["good"]) as server,
        Server(
            api_actions=[open_tunnel],
            connection_actions=[SocksProxy(f"ada:{PASSWORD}".encode()) if route == "SOCKS" else accept_requests],
        ) as proxy,
        Server(connection_actions=[DamagingWire((server if route == "TLS" else proxy).address, start)]) as wire,
    ):
        port = wire.address[1]
        if route == "TLS":
            yield server, {"host": f"https://127.0.0.1:{port}"}
        else:
            scheme = "http" if route == "CONNECT" else "socks5"
            yield server, {"host": server.url, "proxy_url": f"{scheme}://ada:{PASSWORD}@127.0.0.1:{port}"}


def check_on_damaged_wire(client: AnyClient, name: str, server: Server, search: SecretSearch) -> None:
    """Make a create and two other calls, over a new connection at first."""
    path = f"/admin/projects/{name}/api-keys"
    started = time.monotonic()
    results = {verb: client.run_call(lambda: CALLS[verb](client.admin, name)) for verb in ("POST", "GET")}  # noqa: B023
    results["again"] = client.describe_project(f"own-{name}")
    assert time.monotonic() - started < PATIENCE, results
    created, processed = results["POST"], server.processed["POST", path]
    assert server.received["POST", path] == processed <= 1, results
    if isinstance(created, PineconeError):
        assert created.outcome in ({"unknown", "done"} if processed else {"unknown", "not_sent"}), results
    else:
        assert created.value == KEY, results
    assert isinstance(results["GET"], PineconeError) or results["GET"].id == name, results
    assert isinstance(results["again"], PineconeError) or results["again"] == f"own-{name}", results
    for result in results.values():
        check_error(result, search)
    assert not search.found, results


# The standard library does not close the socket to wrap if the connection has just been reset.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("cases", [range(8), pytest.param(range(8, 28), marks=pytest.mark.long)], ids=len)
@pytest.mark.parametrize("route", ["TLS", "CONNECT", "SOCKS"])
@pytest.mark.long
def test_damaged_handshake_harms_nothing(route: str, cases: Sequence[int], certificates: Certificates) -> None:
    """Damage to TLS or to the replies of a proxy leads to an error of this package, and a create is sent once."""
    search = SecretSearch()
    options = OPTIONS | {"ssl_verify": certificates.client}

    def check(numbers: Sequence[int]) -> None:
        for number in numbers:
            with AnyClient(ALL_CLIENT_KINDS[number % len(ALL_CLIENT_KINDS)], **options, **address) as client:
                check_on_damaged_wire(client, f"case{number}", server, search)

    with run_damaged_route(route, certificates, cases[0]) as (server, address):
        check_cases(cases, WORKERS, check)
        assert search.places
        gc.collect()
