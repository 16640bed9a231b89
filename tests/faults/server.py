"""A loopback server that fails as it is told: threads, raw sockets, and a count of all that arrives."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self, TypeAlias, TypeVar

from attrs import define, field, frozen

_T = TypeVar("_T")

TOKEN_PATH = "/oauth/token"


@frozen
class Request:
    """One request as it came."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@define
class Exchange:
    """A request, and the socket that its answer goes down."""

    server: Server
    request: Request
    socket: socket.socket
    keep: bool = True

    def process(self) -> bool:
        """Do what the request asks; tells whether it was new, which a second DELETE of one thing is not."""
        return self.server.count(self.request)

    def send(self, data: bytes) -> None:
        """Write, unless the client has gone."""
        with suppress(OSError):
            self.socket.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Write a byte at a time until the client goes."""
        with suppress(OSError):
            for byte in data:
                self.socket.sendall(bytes([byte]))
                if self.server.stopping.wait(pause):
                    return

    def hang(self) -> None:
        """Say nothing until the client goes."""
        with suppress(OSError):
            while self.socket.recv(65536):
                pass

    def reset(self) -> None:
        """Close with RST rather than FIN."""
        reset(self.socket)


Action: TypeAlias = Callable[[Exchange], None]
Greeting: TypeAlias = Callable[[socket.socket], bool]


def welcome(_: socket.socket) -> bool:
    """Go on to read requests."""
    return True


def reset(connection: socket.socket) -> None:
    """Have the kernel answer with RST as soon as the socket closes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def head(status: int, length: int | None, *lines: str) -> bytes:
    """Write a status line and headers."""
    announced = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"HTTP/1.1 {status} Said", *announced, *lines, "", ""]).encode()


def answer(status: int, body: bytes = b"{}", *lines: str) -> Action:
    """Answer properly; a request to the API that the server fails with has been processed all the same."""

    def act(exchange: Exchange) -> None:
        if status >= 500 and status not in {501, 505} and exchange.request.path != TOKEN_PATH:
            exchange.process()
        exchange.send(head(status, len(body), *lines) + (b"" if exchange.request.verb == "HEAD" else body))

    return act


def echo(exchange: Exchange) -> None:
    """Answer with a project whose id is the end of the path; what is deleted already is not found."""
    status = 200 if exchange.process() else 404
    name = exchange.request.path.rsplit("/", 1)[-1]
    project = {"id": name, "name": name, "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
    body = json.dumps(project).encode()
    exchange.send(head(status, len(body)) + (b"" if exchange.request.verb == "HEAD" else body))


def mint(exchange: Exchange) -> None:
    """Answer as the token endpoint does, with a new token."""
    exchange.process()
    server = exchange.server
    text = {"access_token": f"token-{server.minted}", "token_type": "Bearer", "expires_in": server.lifetime}
    body = json.dumps(text).encode()
    exchange.send(head(200, len(body)) + body)


def held(gate: threading.Event, then: Action = mint) -> Action:
    """Answer once a gate is open."""

    def act(exchange: Exchange) -> None:
        while not gate.wait(0.01) and not exchange.server.stopping.is_set():
            pass
        then(exchange)

    return act


def late(seconds: float, then: Action = mint) -> Action:
    """Answer after a while."""

    def act(exchange: Exchange) -> None:
        exchange.server.stopping.wait(seconds)
        then(exchange)

    return act


@define(eq=False)
class Server:
    """Listens on loopback. Requests to the API, token exchanges and connections each take a step, the last for ever.

    Attributes:
        steps: What to do with requests to the API.
        tokens: What to do with token exchanges.
        greetings: What to do with new connections before a request is read, and whether to read any.
        tls: Context of a server that speaks TLS.
        lifetime: ``expires_in`` of the tokens.
        bind: Port to listen on; any free one by default.
        received: Requests read whole, by verb and path; token exchanges are apart.
        processed: Those of them that were carried out.
        minted: Tokens given out.
        connections: Connections accepted.
        address: Where it listens, and refuses connections until ``start``.
        stopping: Set when it is to end.
    """

    steps: Sequence[Action] = (echo,)
    tokens: Sequence[Action] = (mint,)
    greetings: Sequence[Greeting] = (welcome,)
    tls: ssl.SSLContext | None = None
    lifetime: object = 1800
    bind: int = 0
    received: Counter[tuple[str, str]] = field(init=False, factory=Counter[tuple[str, str]])
    processed: Counter[tuple[str, str]] = field(init=False, factory=Counter[tuple[str, str]])
    requests: list[Request] = field(init=False, factory=list[Request])
    exchanges: int = field(init=False, default=0)
    minted: int = field(init=False, default=0)
    connections: int = field(init=False, default=0)
    address: tuple[str, int] = field(init=False)
    stopping: threading.Event = field(init=False, factory=threading.Event)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    _open: set[socket.socket] = field(init=False, factory=set[socket.socket])
    _threads: list[threading.Thread] = field(init=False, factory=list[threading.Thread])
    _listener: socket.socket = field(init=False, factory=socket.socket)

    def __attrs_post_init__(self) -> None:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.bind))
        self.address = self._listener.getsockname()

    @property
    def client(self) -> dict[str, Any]:
        """The arguments of a client of both the API and the token endpoint."""
        return {
            "host": self.url,
            "oauth_url": self.url + TOKEN_PATH,
            "client_id": "id",
            "client_secret": "secret",
            "lazy": True,
        }

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.address[1]}"

    def start(self) -> Self:
        """Listen; does nothing the second time."""
        if not self._threads:
            self._listener.listen(256)
            self._run(self._accept)
        return self

    def stop(self) -> None:
        """End every connection and wait for every thread."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:  # the first one accepts, and once it has ended the list grows no more
            thread.join(30)
            assert not thread.is_alive()
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def count(self, request: Request) -> bool:
        """Note that a request was carried out; a second DELETE finds nothing."""
        with self._lock:
            if request.path == TOKEN_PATH:
                self.minted += 1
                return True
            key = request.verb, request.path
            gone = request.verb == "DELETE" and self.processed[key] > 0
            self.processed[key] += 1
            return not gone

    def calls(self, verb: str) -> int:
        """Give the number of API requests with a verb."""
        return sum(count for (each, _), count in self.received.items() if each == verb)

    def _run(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="scripted-server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                number, self.connections = self.connections, self.connections + 1
            self._run(self._serve, connection, _step(self.greetings, number))

    def _serve(self, connection: socket.socket, greet: Greeting) -> None:
        served = connection
        try:
            if self.stopping.is_set():
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not greet(connection):
                return
            if self.tls is not None:
                served = self._secured(connection)
            if isinstance(served, ssl.SSLSocket):
                served.do_handshake()
            while (request := _read(served)) and not self.stopping.is_set():
                exchange = Exchange(self, request, served)
                self._next(request)(exchange)
                if not exchange.keep:
                    break
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {connection, served}
            served.close()
            connection.close()

    def _secured(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self.tls is not None
        secured = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(secured)
        return secured

    def _next(self, request: Request) -> Action:
        with self._lock:
            if request.path == TOKEN_PATH:
                self.exchanges += 1
                return _step(self.tokens, self.exchanges - 1)
            self.requests.append(request)
            self.received[request.verb, request.path] += 1
            return _step(self.steps, len(self.requests) - 1)


def _step(steps: Sequence[_T], number: int) -> _T:
    return steps[min(number, len(steps) - 1)]


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    top, body = data.split(b"\r\n\r\n", 1)
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        chunk = connection.recv(65536)
        if not chunk:
            return None
        body += chunk
    verb, path, _ = first.split(" ", 2)
    return Request(verb, path.split("?", 1)[0], headers, body)
