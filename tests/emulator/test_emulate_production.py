"""In `emulate()` no stack reaches Pinecone's own hosts, and `serve=True` serves those that httpx does not."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import pinecone
import pytest
import requests
import trio
import urllib3

from pinecone_admin import Admin
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.testing import emulate
from pinecone_admin.testing._guard import ProductionOutOfReachError
from tests.support.recipes import WITHOUT_OTHER_PLUGINS

ROOT = Path(__file__).parents[2]
URL = "https://api.pinecone.io/admin/projects"


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Require that nothing connects to, or asks for the address of, anything but this machine."""
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    foreign: list[Any] = []
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def record_connection(self: socket.socket, address: Any) -> None:
        if not str(address[0]).startswith("127."):
            foreign.append(address)
            raise OSError("a connection beyond this machine")
        connect(self, address)

    def record_lookup(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in {"127.0.0.1", "localhost", None}:
            foreign.append(host)
            raise socket.gaierror("a look-up beyond this machine")
        return lookup(host, *arguments, **named)

    monkeypatch.setattr(socket.socket, "connect", record_connection, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", record_lookup)
    yield foreign
    assert foreign == []


def use_requests(url: str = URL) -> int:
    """Send a request with requests, which retries connection errors, and return the status of the response."""
    with requests.Session() as session:
        session.mount("https://", requests.adapters.HTTPAdapter(max_retries=3))
        return session.get(url).status_code


def use_urllib3(url: str = URL) -> int:
    """Send a request with urllib3."""
    with urllib3.PoolManager() as pool:
        return pool.request("GET", url).status


def use_urllib(url: str = URL) -> int:
    """Send a request with urllib."""
    with urllib.request.urlopen(url) as response:
        return int(response.status)


def use_http_client(url: str = "https://API.Pinecone.io./admin/projects") -> int:
    """Send a request with http.client."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    finally:
        connection.close()


def use_aiohttp(url: str = URL) -> int:
    """Send a request with aiohttp."""

    async def send() -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status

    return asyncio.run(send())


def use_trio() -> None:
    """Connect with trio."""
    trio.run(trio.open_tcp_stream, "login.pinecone.io", 443)


def use_other_transport(url: str = URL) -> int:
    """Send a request through a custom transport of httpx."""

    class Transport(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            with urllib3.PoolManager() as pool:
                return httpx.Response(pool.request("GET", str(request.url)).status)

    with httpx.Client(transport=Transport()) as client:
        return client.get(url).status_code


STACKS = [use_requests, use_urllib3, use_urllib, use_http_client, use_aiohttp, use_other_transport]


@pytest.mark.parametrize("use", STACKS)
def test_other_stacks_are_refused(use: Callable[[], int]) -> None:
    """Other libraries than httpx are refused at once, and the error says what is intercepted and what to do."""
    with emulate() as emulator:
        with pytest.raises(ProductionOutOfReachError) as caught:
            use()
        for words in ("api.pinecone.io", "httpx", "serve=True", "version 9", "emulator.host"):
            assert words in str(caught.value)
        assert len(emulator.requests) == 0
    assert not isinstance(caught.value, OSError)


def test_trio_is_refused() -> None:
    """A look-up by trio is refused."""
    with emulate(), pytest.raises(ProductionOutOfReachError):
        use_trio()


def test_threads_are_refused() -> None:
    """Other threads are refused, too."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            use_requests()
        except ProductionOutOfReachError as error:
            caught.append(error)

    with emulate():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert len(caught) == 1


@pytest.fixture
def proxy() -> Iterator[str]:
    """Return the URL of a proxy that accepts every tunnel and leads nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                connection.recv(65536)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_proxies_are_refused(proxy: str) -> None:
    """A proxy looks the name up itself, and the handshake behind it is refused."""
    with emulate(), pytest.raises(ProductionOutOfReachError), requests.Session() as session:
        session.get(URL, proxies={"https": proxy})


def test_resolvers_in_c_are_refused_at_the_handshake() -> None:
    """A client that resolves a name elsewhere is refused at the handshake, in sockets and in memory."""
    context, ours = ssl.create_default_context(), ssl.MemoryBIO
    here, there = socket.socketpair()
    with here, there, emulate():
        with pytest.raises(ProductionOutOfReachError):
            context.wrap_socket(here, server_hostname="login.pinecone.io")
        with pytest.raises(ProductionOutOfReachError):
            context.wrap_bio(ours(), ours(), False, "LOGIN.pinecone.io")


def test_other_hosts_are_not_refused() -> None:
    """Other names are looked up, and the guard ends with the last emulation."""
    before = (socket.getaddrinfo, ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio)
    with emulate(), emulate():
        assert socket.getaddrinfo("localhost", 80)
        context = ssl.create_default_context()
        assert context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.com")
    assert (socket.getaddrinfo, ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio) == before


# Serving


def test_serving_reaches_other_stacks() -> None:
    """With serve=True, any library reaches the emulator at its addresses, and production stays out of reach."""
    with emulate(serve=True) as emulator:
        fields = {
            "client_id": os.environ["PINECONE_CLIENT_ID"],
            "client_secret": os.environ["PINECONE_CLIENT_SECRET"],
            "grant_type": "client_credentials",
            "audience": "https://api.pinecone.io/",
        }
        with requests.Session() as session:
            token = session.post(emulator.oauth_url, json=fields).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}", "X-Pinecone-Api-Version": "2026-07"}
            created = session.post(f"{emulator.host}/admin/projects", json={"name": "search"}, headers=headers)
        assert created.json()["id"] in emulator.state.projects
        with pytest.raises(ProductionOutOfReachError):
            use_requests()
    with pytest.raises(RuntimeError, match="serve=True"):
        _ = emulator.host


def test_serving_reaches_every_stack() -> None:
    """With serve=True, each library that is otherwise refused reaches the emulator at its address."""
    with emulate(serve=True) as emulator:
        assert [use(f"{emulator.host}/_emulator/clock") for use in STACKS] == [200] * len(STACKS)


def test_serving_reaches_clients_in_the_process() -> None:
    """With serve=True, clients of this package and official ones reach the emulator as they do without."""
    with emulate(serve=True) as emulator:
        with Admin() as admin:
            admin.projects.create(name="ours")
        with pinecone.Admin() as built_in, pinecone.Admin(host=emulator.host, oauth_url=emulator.oauth_url) as told:
            assert [len(each.projects.list()) for each in (built_in, told)] == [1, 1]


def test_serving_reaches_child_processes() -> None:
    """With serve=True, a child process with this package's client reaches the emulator without being told."""
    program = "from pinecone_admin import Admin; print(Admin().projects.create(name='child').id)"
    with emulate(serve=True) as emulator:
        child = run_watched(program)
        assert child.stdout.strip() in emulator.state.projects, child.stderr


def run_watched(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that ends at once if it reaches beyond this machine, with any stack."""
    watched = f"from tests.support import loopback_only as guard; guard.watch(guard.exit_at_once)\n{program}"
    command = [sys.executable, "-c", watched]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


def test_serving_restores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses in the environment are those of the innermost emulation that serves, and restored afterwards."""
    names = ("PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")
    monkeypatch.setenv(names[0], "https://staging.example.com")
    monkeypatch.delenv(names[1], raising=False)

    def read_addresses() -> list[str | None]:
        return [os.environ.get(name) for name in names]

    before = read_addresses()
    with emulate(serve=True) as outer:
        with emulate():
            assert read_addresses() == before
            with emulate(Emulator(), serve=True) as inner:
                assert read_addresses() == [inner.host, inner.oauth_url]
        assert read_addresses() == [outer.host, outer.oauth_url]
    assert read_addresses() == before


def test_serving_alone_says_where() -> None:
    """`serving` sets the addresses of its emulator, too."""
    emulator = Emulator()
    with serving(emulator) as url:
        assert (emulator.host, emulator.oauth_url) == (url, f"{url}/oauth/token")


def test_decorated_functions_are_served() -> None:
    """A decorated function is served as well."""

    @emulate(serve=True)
    def read_host() -> str:
        return os.environ["PINECONE_CONTROLLER_HOST"]

    assert read_host().startswith("http://127.0.0.1:")


# The fixture

MARKED = """
import os
import pytest

@pytest.mark.pinecone_emulator(serve=True)
def test_served(pinecone_emulator):
    assert os.environ["PINECONE_CONTROLLER_HOST"] == pinecone_emulator.host

@pytest.mark.pinecone_emulator(ticking=False)
def test_standing(pinecone_emulator):
    assert pinecone_emulator.clock.now() == pinecone_emulator.clock.now()

def test_plain(pinecone_emulator):
    with pytest.raises(RuntimeError):
        pinecone_emulator.host
"""


def test_marker_passes_arguments(tmp_path: Path) -> None:
    """The fixture's marker passes arguments to emulate(), and is known to pytest's strict mode."""
    (tmp_path / "test_marked.py").write_text(MARKED)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--strict-markers",
        "-p",
        "no:cacheprovider",
        *WITHOUT_OTHER_PLUGINS,
        ".",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
