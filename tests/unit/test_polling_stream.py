"""Sockets of threads: a read or write ends with its time, with the connection, or with all of its bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from pinecone_admin._concurrency.sockets import make_backend
from tests.support.concurrency import PATIENCE


@pytest.fixture
def ends() -> Iterator[tuple[httpcore.NetworkStream, socket.socket]]:
    """Return both ends of a connection: the stream of the client, and the socket of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        stream = make_backend().connect_tcp(host, port, timeout=PATIENCE)
        with listener.accept()[0] as peer:
            peer.settimeout(PATIENCE)
            yield stream, peer
    stream.close()


def test_slow_reader_gets_all_bytes_in_order(ends: tuple[httpcore.NetworkStream, socket.socket]) -> None:
    """A write that the system takes only in parts is continued as the peer reads."""
    stream, peer = ends
    data = bytes(range(256)) * 65_536
    writing = threading.Thread(target=stream.write, args=(data, PATIENCE))
    writing.start()
    received = bytearray()
    while len(received) < len(data):
        received += peer.recv(65_536)
    writing.join(PATIENCE)
    assert not writing.is_alive()
    assert received == data


def test_read_and_write_end_with_their_time(ends: tuple[httpcore.NetworkStream, socket.socket]) -> None:
    """Nothing to read, and no room to write, are timeouts of httpcore."""
    stream, _ = ends
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(1, timeout=0)
    with pytest.raises(httpcore.WriteTimeout):
        stream.write(bytes(64 * 1024 * 1024), timeout=0)


@pytest.mark.parametrize("timeout", [1e8, None])
def test_long_timeout_is_accepted(ends: tuple[httpcore.NetworkStream, socket.socket], timeout: float | None) -> None:
    """The longest timeout of a client, which is above what poll accepts, and none at all."""
    stream, peer = ends
    peer.sendall(b"ab")
    assert [stream.read(1, timeout), stream.read(9, timeout)] == [b"a", b"b"]


def test_closed_stream_fails_at_once(ends: tuple[httpcore.NetworkStream, socket.socket]) -> None:
    """After another thread has closed it, a stream waits for nothing: its number may be that of another file."""
    stream, _ = ends
    stream.close()
    with socket.socket():  # takes the number
        with pytest.raises(httpcore.ReadError):
            stream.read(1, timeout=None)
        with pytest.raises(httpcore.WriteError):
            stream.write(b"a", timeout=None)
        assert stream.get_extra_info("is_readable")


def test_what_the_system_drops_is_waited_for_again(ends: tuple[httpcore.NetworkStream, socket.socket]) -> None:
    """A socket that was readable may have nothing to read: the system has dropped damaged data."""
    stream, peer = ends
    peer.sendall(b"a")
    within: Any = stream
    within._socket = FirstReceiveFails(within._socket)
    assert stream.read(1, timeout=PATIENCE) == b"a"


class FirstReceiveFails:
    """A socket whose first ``recv`` finds nothing."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._failures = [BlockingIOError()]

    def recv(self, size: int) -> bytes:
        """Return what has arrived, but not at first."""
        if self._failures:
            raise self._failures.pop()
        return self._inner.recv(size)

    def fileno(self) -> int:
        """Return the number of the socket."""
        return self._inner.fileno()
