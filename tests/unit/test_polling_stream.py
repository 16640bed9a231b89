"""Sockets of threads: a read or write ends with its time, with the connection, or with all of its bytes."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from pinecone_admin import Admin
from pinecone_admin._concurrency.sockets import make_backend
from tests.faults.server import Server, send_project
from tests.support.concurrency import PATIENCE

Ends = tuple[httpcore.NetworkStream, socket.socket]

SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Return both ends of a connection: the stream of the client, and the socket of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = listener.getsockname()
        stream = make_backend().connect_tcp(host, port, timeout=PATIENCE, socket_options=SMALL_BUFFER)
        with listener.accept()[0] as peer:
            peer.settimeout(PATIENCE)
            yield stream, peer
    stream.close()


def test_slow_reader_gets_all_bytes_in_order(ends: Ends) -> None:
    """A write that the system takes only in parts is continued as the peer reads."""
    stream, peer = ends
    data = bytes(range(256)) * 4096
    writing = threading.Thread(target=stream.write, args=(data, PATIENCE))
    writing.start()
    writing.join(0.05)
    assert writing.is_alive()  # the system has not taken everything
    received = bytearray()
    while len(received) < len(data):
        chunk = peer.recv(65_536)
        assert chunk
        received += chunk
    writing.join(PATIENCE)
    assert not writing.is_alive()
    assert received == data


def test_read_ends_with_its_time(ends: Ends) -> None:
    """Nothing to read is a timeout of httpcore, after the seconds of the timeout."""
    stream, _ = ends
    for seconds in (0.0, 0.05):
        started = time.monotonic()
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(1, timeout=seconds)
        assert time.monotonic() - started >= seconds


def test_write_ends_with_its_time_though_the_peer_reads(ends: Ends) -> None:
    """The time limits the whole write, not each wait: a peer that goes on reading a little does not prolong it."""
    stream, peer = ends
    stopped = threading.Event()

    def read_a_little() -> None:
        while not stopped.wait(0.01):
            peer.recv(1024)

    reading = threading.Thread(target=read_a_little)
    reading.start()
    try:
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(bytes(64 * 1024 * 1024), timeout=0.1)
    finally:
        stopped.set()
        reading.join(PATIENCE)


@pytest.mark.parametrize("timeout", [1e8, None])
def test_long_timeout_is_accepted(ends: Ends, timeout: float | None) -> None:
    """The longest timeout of a client, which is above what poll accepts, and none at all."""
    stream, peer = ends
    peer.sendall(b"ab")
    assert [stream.read(1, timeout), stream.read(9, timeout)] == [b"a", b"b"]


def test_closed_stream_waits_for_no_other_file(ends: Ends) -> None:
    """After another thread has closed it, a stream fails at once, though its number is that of another file."""
    stream, _ = ends
    number = stream.get_extra_info("socket").fileno()
    stream.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # never readable, since nobody connects to it
        taken = silent.fileno() if silent.fileno() == number else os.dup2(silent.fileno(), number)
        try:
            with pytest.raises(httpcore.ReadError):
                stream.read(1, timeout=1)
            with pytest.raises(httpcore.WriteError):
                stream.write(b"a", timeout=1)
            assert stream.get_extra_info("is_readable")
        finally:
            if taken != silent.fileno():
                os.close(taken)


def test_read_waits_again_if_nothing_is_there_after_all(ends: Ends) -> None:
    """A socket may be reported as readable although a read would block."""
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


def test_requests_are_sent_where_there_is_no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no poll: there, the streams of httpcore are used."""
    monkeypatch.delattr(select, "poll")
    with (
        Server(api_actions=[send_project] * 2) as server,
        Admin(host=server.url, access_token="supplied") as admin,
    ):
        assert [admin.projects.describe(project_id="p").name for _ in range(2)] == ["p", "p"]
        assert server.connections == 1
