"""A SOCKS 5 proxy (RFC 1928 and 1929). Each of its replies can be replaced."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, TypeAlias

from attrs import define, field

Step: TypeAlias = Literal["greeting", "credentials", "connect"]
Reply: TypeAlias = Callable[[socket.socket, bytes], bool]
"""Sends something in place of the right reply, which it is given, and returns whether to go on."""
Tunnel: TypeAlias = Callable[[socket.socket, socket.socket], None]
"""Forwards bytes between a client and a server."""

SUCCEEDED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
_REFUSED = b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"
_NO_CREDENTIALS, _CREDENTIALS, _NO_METHOD = 0, 2, 0xFF
_IPV4, _NAME = 1, 3


def forward_bytes(source: socket.socket, sink: socket.socket) -> None:
    """Forward bytes until the source ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def forward_both_ways(client: socket.socket, server: socket.socket) -> None:
    """Forward bytes both ways until both sides end."""
    backward = threading.Thread(target=forward_bytes, args=(server, client))
    backward.start()
    forward_bytes(client, server)
    backward.join()


def send_reply(connection: socket.socket, reply: bytes) -> bool:
    """Send the right reply."""
    connection.sendall(reply)
    return True


@define
class SocksProxy:
    """Serve a connection: negotiate, connect to the server and forward bytes.

    Attributes:
        credentials: User and password that the proxy requires, with a colon between them; empty for none.
        replies: The reply to send instead of the right reply to a step of the negotiation.
        tunnel: How bytes are forwarded.
        targets: Host and port of each server that a client asked for.
    """

    credentials: bytes = b""
    replies: Mapping[Step, Reply] = field(factory=dict[Step, Reply])
    tunnel: Tunnel = forward_both_ways
    targets: list[tuple[str, int]] = field(init=False, factory=list[tuple[str, int]])

    def __call__(self, client: socket.socket) -> bool:
        """Serve a connection, and return that nothing is left to read from it."""
        if self._agree_on_method(client) and self._check_credentials(client):
            target = _receive_target(client)
            self.targets.append(target)
            try:
                server = socket.create_connection(target)
            except OSError:
                self._send_reply(client, "connect", _REFUSED)
                return False
            with server:
                if self._send_reply(client, "connect", SUCCEEDED):
                    self.tunnel(client, server)
        return False

    def _send_reply(self, client: socket.socket, step: Step, reply: bytes) -> bool:
        return self.replies.get(step, send_reply)(client, reply)

    def _agree_on_method(self, client: socket.socket) -> bool:
        _, count = _receive(client, 2)
        wanted = _CREDENTIALS if self.credentials else _NO_CREDENTIALS
        method = wanted if wanted in _receive(client, count) else _NO_METHOD
        return self._send_reply(client, "greeting", bytes([5, method])) and method != _NO_METHOD

    def _check_credentials(self, client: socket.socket) -> bool:
        if not self.credentials:
            return True
        _, size = _receive(client, 2)
        user = _receive(client, size)
        password = _receive(client, _receive(client, 1)[0])
        is_right = user + b":" + password == self.credentials
        return self._send_reply(client, "credentials", bytes([1, not is_right])) and is_right


def _receive(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        raise ConnectionError("the client closed the connection")
    return data


def _receive_target(client: socket.socket) -> tuple[str, int]:
    kind = _receive(client, 4)[3]
    if kind == _NAME:
        host = _receive(client, _receive(client, 1)[0]).decode()
    else:
        family, size = (socket.AF_INET, 4) if kind == _IPV4 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, _receive(client, size))
    return host, int.from_bytes(_receive(client, 2), "big")
