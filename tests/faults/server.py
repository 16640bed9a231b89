"""A loopback server that fails on demand: threads, raw sockets, and a count of everything it receives."""

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

from tests.support.socks import Tunnel, forward_both_ways

_ActionT = TypeVar("_ActionT")

TOKEN_PATH = "/oauth/token"


@frozen
class Request:
    """A request as received."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@define
class RequestContext:
    """A request and the socket for its response."""

    server: Server
    request: Request
    socket: socket.socket
    keep_alive: bool = True

    def process(self) -> bool:
        """Count the request as processed, and return whether it has an effect: a repeated DELETE has none."""
        return self.server.record_processed(self.request)

    def send(self, data: bytes) -> None:
        """Send data, and ignore a client that has disconnected."""
        with suppress(OSError):
            self.socket.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Send one byte at a time until the client disconnects."""
        with suppress(OSError):
            for byte in data:
                self.socket.sendall(bytes([byte]))
                if self.server.stopping.wait(pause):
                    return

    def hang(self) -> None:
        """Send nothing until the client disconnects."""
        with suppress(OSError):
            while self.socket.recv(65536):
                pass

    def reset(self) -> None:
        """Close the connection with RST instead of FIN."""
        reset_on_close(self.socket)


Action: TypeAlias = Callable[[RequestContext], None]
ConnectionAction: TypeAlias = Callable[[socket.socket], bool]


def accept_requests(_: socket.socket) -> bool:
    """Read requests from the connection."""
    return True


def reset_on_close(connection: socket.socket) -> None:
    """Make the kernel send RST when the socket closes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def format_head(status: int, length: int | None, *lines: str) -> bytes:
    """Return a status line and headers."""
    announced = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"HTTP/1.1 {status} Said", *announced, *lines, "", ""]).encode()


API_ERROR = b'{"error": {"code": "SAID", "message": "said"}}'
"""The body of an error of the API."""


def send_response(status: int, body: bytes | None = None, *lines: str) -> Action:
    """Send a complete response; a 5xx to an API request, except 501 and 505, counts it as processed."""
    body = body if body is not None else API_ERROR if 400 <= status < 500 else b"{}"

    def act(context: RequestContext) -> None:
        if status >= 500 and status not in {501, 505} and context.request.path != TOKEN_PATH:
            context.process()
        context.send(format_head(status, len(body), *lines) + (b"" if context.request.verb == "HEAD" else body))

    return act


def send_project(context: RequestContext) -> None:
    """Send a project whose id is the last path segment; a deleted project is not found."""
    status = 200 if context.process() else 404
    name = context.request.path.rsplit("/", 1)[-1]
    project = {"id": name, "name": name, "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
    body = json.dumps(project).encode() if status == 200 else API_ERROR
    context.send(format_head(status, len(body)) + (b"" if context.request.verb == "HEAD" else body))


def issue_token(context: RequestContext) -> None:
    """Send a token response with a new token."""
    context.process()
    server = context.server
    text = {"access_token": f"token-{server.tokens_issued}", "token_type": "Bearer", "expires_in": server.lifetime}
    body = json.dumps(text).encode()
    context.send(format_head(200, len(body)) + body)


def open_tunnel(context: RequestContext, tunnel: Tunnel = forward_both_ways, surplus: bytes = b"") -> None:
    """Respond to CONNECT with a tunnel to the requested host, and send surplus bytes with the response."""
    host, port = context.request.path.split(":")
    with socket.create_connection((host, int(port))) as upstream:
        context.send(b"HTTP/1.1 200 Connected\r\n\r\n" + surplus)
        tunnel(context.socket, upstream)
    context.keep_alive = False


def respond_when_set(gate: threading.Event, then: Action = issue_token) -> Action:
    """Respond once an event is set."""

    def act(context: RequestContext) -> None:
        while not gate.wait(0.01) and not context.server.stopping.is_set():
            pass
        then(context)

    return act


def respond_after(seconds: float, then: Action = issue_token) -> Action:
    """Respond after a delay in seconds."""

    def act(context: RequestContext) -> None:
        context.server.stopping.wait(seconds)
        then(context)

    return act


@define(eq=False)
class Server:
    """A loopback server that applies an action to each request, token exchange and connection; the last repeats.

    Attributes:
        api_actions: The reactions to requests to the API.
        token_actions: The reactions to token requests.
        connection_actions: The reactions to new connections. Each returns whether to read requests from it.
        tls: SSL context; None for plain HTTP.
        lifetime: ``expires_in`` of the tokens.
        bind: Port to listen on; 0 for any free port.
        received: Number of complete API requests by verb and path.
        processed: Number of processed API requests by verb and path.
        requests: All complete API requests in order.
        exchanges: Number of token exchanges received.
        tokens_issued: Number of tokens issued.
        connections: Number of connections accepted.
        address: Host and port; connections are refused until ``start`` is called.
        stopping: Set once the server is stopping.
        open_sockets: Sockets of open connections.
    """

    api_actions: Sequence[Action] = (send_project,)
    token_actions: Sequence[Action] = (issue_token,)
    connection_actions: Sequence[ConnectionAction] = (accept_requests,)
    tls: ssl.SSLContext | None = None
    lifetime: object = 1800
    bind: int = 0
    received: Counter[tuple[str, str]] = field(init=False, factory=Counter[tuple[str, str]])
    processed: Counter[tuple[str, str]] = field(init=False, factory=Counter[tuple[str, str]])
    requests: list[Request] = field(init=False, factory=list[Request])
    exchanges: int = field(init=False, default=0)
    tokens_issued: int = field(init=False, default=0)
    connections: int = field(init=False, default=0)
    address: tuple[str, int] = field(init=False)
    stopping: threading.Event = field(init=False, factory=threading.Event)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    open_sockets: set[socket.socket] = field(init=False, factory=set[socket.socket])
    _threads: list[threading.Thread] = field(init=False, factory=list[threading.Thread])
    _listener: socket.socket = field(init=False, factory=socket.socket)

    def __attrs_post_init__(self) -> None:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.bind))
        self.address = self._listener.getsockname()

    @property
    def client_options(self) -> dict[str, Any]:
        """Return arguments for a client of this API and token endpoint."""
        return {
            "host": self.url,
            "oauth_url": self.url + TOKEN_PATH,
            "client_id": "id",
            "client_secret": "secret",
            "lazy": True,
        }

    @property
    def url(self) -> str:
        """Return the base URL of the API."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.address[1]}"

    def start(self) -> Self:
        """Listen; a repeated call has no effect."""
        if not self._threads:
            self._listener.listen(256)
            self._start_thread(self._accept_connections)
        return self

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for connection in self.open_sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:  # once the first thread, which accepts, has ended, no thread is added
            thread.join(30)
            assert not thread.is_alive()
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def record_processed(self, request: Request) -> bool:
        """Count a request as processed, and return whether it has an effect: a repeated DELETE has none."""
        with self._lock:
            if request.path == TOKEN_PATH:
                self.tokens_issued += 1
                return True
            key = request.verb, request.path
            is_repeated_delete = request.verb == "DELETE" and self.processed[key] > 0
            self.processed[key] += 1
            return not is_repeated_delete

    def count_requests(self, verb: str) -> int:
        """Return the number of API requests with a verb."""
        return sum(count for (each, _), count in self.received.items() if each == verb)

    def _start_thread(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="scripted-server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept_connections(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.open_sockets.add(connection)
                number, self.connections = self.connections, self.connections + 1
            self._start_thread(self._serve_connection, connection, _select_action(self.connection_actions, number))

    def _serve_connection(self, connection: socket.socket, connection_action: ConnectionAction) -> None:
        served = connection
        try:
            if self.stopping.is_set():
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not connection_action(connection):
                return
            if self.tls is not None:
                served = self._wrap_tls(connection)
            if isinstance(served, ssl.SSLSocket):
                served.do_handshake()
            while (request := _read_request(served)) and not self.stopping.is_set():
                context = RequestContext(self, request, served)
                self._next_action(request)(context)
                if not context.keep_alive:
                    break
        except OSError:
            pass
        finally:
            served.close()
            connection.close()
            with self._lock:  # only now: who waits for an empty set relies on the client having been told
                self.open_sockets -= {connection, served}

    def _wrap_tls(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self.tls is not None
        secured = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self.open_sockets.add(secured)
        return secured

    def _next_action(self, request: Request) -> Action:
        with self._lock:
            if request.path == TOKEN_PATH:
                self.exchanges += 1
                return _select_action(self.token_actions, self.exchanges - 1)
            self.requests.append(request)
            self.received[request.verb, request.path] += 1
            return _select_action(self.api_actions, len(self.requests) - 1)


def _select_action(actions: Sequence[_ActionT], number: int) -> _ActionT:
    return actions[min(number, len(actions) - 1)]


def _read_request(connection: socket.socket) -> Request | None:
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
