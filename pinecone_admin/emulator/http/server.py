"""The HTTP server: uvicorn, with access to the sockets, where faults happen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.locks import start_thread

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

try:
    import uvicorn
    from starlette.types import Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from pinecone_admin.emulator.http.asgi import CONNECTION, application
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f'{_error.name} is not installed: in a checkout, run pip install ".[emulator]"', name=_error.name
    ) from _error


_SECONDS_TO_CLOSE = 0.3


class Server(uvicorn.Server):
    """Serve an emulator.

    Args:
        emulator: The emulator to serve.
        ready: Called once the server listens.
        any_host: Whether the control interface accepts a Host header that names another host than loopback.
    """

    def __init__(self, emulator: Emulator, ready: Callable[[], None], *, any_host: bool = False) -> None:
        super().__init__(
            uvicorn.Config(
                application(emulator, any_host=any_host),
                http=HTTPProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,  # the emulator sends its own, by its own clock
                timeout_graceful_shutdown=3,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `ready`."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and close the connections; abort those whose clients do not let them end soon."""
        asyncio.get_running_loop().call_later(_SECONDS_TO_CLOSE, self._abort_connections)
        await super().shutdown(sockets)

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class HTTPProtocol(H11Protocol):
    """Serves one connection, which it passes on to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve requests over a connection."""
        super().connection_made(transport)
        # uvicorn does not pass its transport on, and faults need it.
        app = self.app

        async def connected(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {CONNECTION: transport}
            await app(scope, receive, send)

        self.app = connected

    def shutdown(self) -> None:
        """Close the connection."""
        super().shutdown()
        # Responses take no time to make, so whatever is still open is a stalled client or a delayed response. TLS of
        # asyncio that is closed twice cannot be aborted any more.
        if not self.transport.is_closing():
            self.transport.close()


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a host and port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # asyncio leaves TCP_NODELAY off for such a socket, and then each response with a body takes 40 ms longer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def listener_url(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def serving(emulator: Emulator) -> Generator[str, None, None]:
    """Serve an emulator on loopback, in a thread of this process, and yield its URL.

    Args:
        emulator: The emulator. You can control it in process and over HTTP. In the block, its `host` and `oauth_url`
            contain the addresses.

    Example:
        >>> with serving(Emulator()) as url:
        ...     url.startswith("http://127.0.0.1:")
        True
    """
    ready = Event()
    with open_listener("127.0.0.1", 0) as listener:
        url = listener_url(listener)
        with emulator.served_at(url), running(Server(emulator, ready.set), ready, listener):
            yield url


@contextmanager
def running(server: Server, ready: Event, listener: socket.socket) -> Generator[None, None, None]:
    """Run a server in a thread of this process.

    Args:
        server: The server.
        ready: Set by the server once it listens.
        listener: The socket where it listens.
    """
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    start_thread(thread.start)
    ready.wait()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
