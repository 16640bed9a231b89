"""TLS for the production names: on a separate port, and through CONNECT on the port of plain HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinecone_admin.emulator.api.refusals import quoted
from pinecone_admin.emulator.control.announcement import HTTPS_PORT, PRODUCTION_NAMES
from pinecone_admin.emulator.http.server import HTTPProtocol, Server

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

try:
    import trustme
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f'{_error.name} is not installed: in a checkout, run pip install ".[emulator,tls]"', name=_error.name
    ) from _error

_TARGETS = {f"{name}:{HTTPS_PORT}" for name in PRODUCTION_NAMES}
_REFUSAL = f"HTTP/1.1 403 The emulator leads to {' and '.join(PRODUCTION_NAMES)} only\r\ncontent-length: 0\r\n\r\n"
_MAX_HEAD = 1 << 13
_logger = logging.getLogger("pinecone_emulator")


@contextmanager
def create_authority(ca_file: Path | None) -> Generator[tuple[ssl.SSLContext, Path], None, None]:
    """Make a certificate authority, and yield a context with a certificate of the production names and a file.

    The file has the certificate of the authority; its key is never written.

    Args:
        ca_file: The file; None is one in a private folder that is removed at the end.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = authority.issue_cert(*PRODUCTION_NAMES)
    certificate.configure_cert(context)
    with tempfile.TemporaryDirectory(prefix="pinecone-emulator-") as folder:
        path = (ca_file or Path(folder, "ca.pem")).resolve()
        authority.cert_pem.write_to_path(path)
        yield context, path


class TLSServer(Server):
    """Serve an emulator over HTTP and TLS.

    Args:
        context: The certificate.
        tls_listener: The socket where TLS begins at once.
        emulator: The emulator to serve.
        ready: Called once the server listens.
        any_host: As for `Server`.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        tls_listener: socket.socket,
        emulator: Emulator,
        ready: Callable[[], None],
        *,
        any_host: bool,
    ) -> None:
        super().__init__(emulator, ready, any_host=any_host)
        self._context = context
        self._tls_listener = tls_listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen for TLS and for plain connections, then call `ready`."""
        create_protocol = partial(HTTPProtocol, self.config, self.server_state, self.lifespan.state)
        server = await asyncio.get_running_loop().create_server(
            create_protocol, sock=self._tls_listener, ssl=self._context
        )
        self.config.http_protocol_class = partial(ProxyProtocol, self._context)  # type: ignore[assignment]
        await super().startup(sockets)
        self.servers.append(server)


class ProxyProtocol(HTTPProtocol):
    """One connection to the port of plain HTTP. TLS begins after a CONNECT to a production name."""

    def __init__(self, context: ssl.SSLContext, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._context = context
        self._create_protocol = partial(HTTPProtocol, **arguments)
        self._received = b""
        self._is_plain = False
        self._handshake: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Collect bytes until they show what the client wants; after a CONNECT, they are what TLS has decrypted."""
        if self._is_plain:
            super().data_received(data)
            return
        self._received += data
        if self._handshake is not None:
            return
        if not b"CONNECT ".startswith(self._received[:8]):
            self._is_plain = True
            super().data_received(self._received)
        elif b"\r\n\r\n" in self._received or len(self._received) > _MAX_HEAD:
            self._answer_connect(self._received.split(b" ")[1].decode("latin-1"))

    def _answer_connect(self, target: str) -> None:
        self._received = b""
        if target.lower() in _TARGETS:
            self.transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._handshake = self.loop.create_task(self._start_tls())
        else:
            _logger.warning("CONNECT to %s refused", quoted(target))
            self.transport.write(_REFUSAL.encode())
            self.transport.close()

    async def _start_tls(self) -> None:
        try:
            transport = await self.loop.start_tls(self.transport, self, self._context, server_side=True)
        except OSError as error:  # a client that does not trust the authority, or that leaves
            _logger.warning("TLS handshake failed: %s", error)
            transport = None
        self.connections.discard(self)
        if transport is not None and not transport.is_closing():
            protocol = self._create_protocol()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
            if self._received:
                protocol.data_received(self._received)
