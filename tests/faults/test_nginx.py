"""nginx between client and API: its own 502 and 504, buffering, and connections that it closes between requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinecone_admin import PineconeError, RetryPolicy, ServiceError
from tests.faults.cases import PATH, WORLDS, World, call, ending, operation
from tests.faults.clients import Client, in_threads
from tests.faults.external_servers import free_port, nginx
from tests.faults.server import Exchange, Server, echo, head

ATTEMPTS = RetryPolicy(max_attempts=3)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run an API behind nginx."""
    with Server() as server:
        yield server


def behind(server: Server, *lines: str) -> str:
    """Write a server block that passes everything on, once."""
    return f"location / {{ proxy_pass {server.url}; proxy_next_upstream off; {' '.join(lines)} }}"


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_nobody_behind(verb: str, world: World, tmp_path: Path) -> None:
    """Nginx answers 502 itself where nobody listens; who cannot know that leaves a POST at one attempt."""
    with nginx(tmp_path, f"location / {{ proxy_pass http://127.0.0.1:{free_port()}; }}") as port:
        error = call(world, operation(verb), host=f"http://127.0.0.1:{port}", access_token="given", retry=ATTEMPTS)
    assert isinstance(error, ServiceError)
    assert (error.status_code, error.outcome) == (502, "unknown")
    assert error.attempts == (1 if verb == "POST" else 3)
    assert "<html>" not in str(error)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_an_answer_that_is_late(verb: str, world: World, server: Server, tmp_path: Path) -> None:
    """Nginx gives up after its own timeout with 504, when the request has long been processed."""
    server.steps = [ending(b"", Exchange.hang)]
    with nginx(tmp_path, behind(server, "proxy_read_timeout 200ms;")) as port:
        error = call(world, operation(verb), host=f"http://127.0.0.1:{port}", access_token="given", retry=ATTEMPTS)
    attempts = 1 if verb == "POST" else 3
    assert isinstance(error, ServiceError)
    assert (error.status_code, error.outcome, error.attempts) == (504, "unknown", attempts)
    assert server.processed[verb, PATH] == attempts


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n"], ids=["FIN", "garbage"])
def test_a_server_that_fails_behind(data: bytes, verb: str, world: World, server: Server, tmp_path: Path) -> None:
    """What breaks between nginx and the server arrives as 502, and a POST was processed once."""
    server.steps = [ending(data)]
    with nginx(tmp_path, behind(server, "proxy_http_version 1.1;")) as port:
        error = call(world, operation(verb), host=f"http://127.0.0.1:{port}", access_token="given", retry=ATTEMPTS)
    assert isinstance(error, PineconeError)
    assert error.outcome == "unknown"
    assert server.processed[verb, PATH] == (1 if verb == "POST" else 3)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_a_body_that_ends_early_behind(verb: str, world: World, server: Server, tmp_path: Path) -> None:
    """A truncated body is passed on as it is; the create is known to be done."""
    server.steps = [ending(head(200, 99) + b'{"id"')]
    with nginx(tmp_path, behind(server, "proxy_buffering off;")) as port:
        error = call(world, operation(verb), host=f"http://127.0.0.1:{port}", access_token="given", retry=ATTEMPTS)
    assert isinstance(error, PineconeError)
    assert error.outcome == "done"
    assert server.processed[verb, PATH] == (1 if verb == "POST" else 3)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    "lines", ["keepalive_requests 1;", "keepalive_requests 3;", "keepalive_timeout 0;", "keepalive_timeout 15ms;"]
)
def test_connections_that_close_between_requests(lines: str, world: World, server: Server, tmp_path: Path) -> None:
    """Whenever nginx closes idle connections, each create arrives once, and the caller knows of each that is lost."""
    lost = 0
    with nginx(tmp_path, lines + behind(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "given"}
        with Client(world, **options, retry=RetryPolicy(max_attempts=1)) as client:
            for number in range(30):
                time.sleep(number % 4 * 0.006)
                result = client.do(lambda: client.admin.send(operation("POST")))
                if isinstance(result, PineconeError):
                    assert result.outcome == "unknown"
                    lost += 1
    assert 30 - lost <= server.calls("POST") <= 30
    # Only a timeout closes while the request is on its way; each wait of 18 ms meets one that nobody notices.
    assert lost < (7 if "15ms" in lines else 1)


@pytest.mark.parametrize("world", WORLDS)
def test_reads_survive_connections_that_close(world: World, server: Server, tmp_path: Path) -> None:
    """The same race never shows where the request may be repeated."""
    with nginx(tmp_path, "keepalive_requests 2; keepalive_timeout 10ms;" + behind(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "given"}
        with Client(world, **options) as client:
            for number in range(30):
                time.sleep(number % 4 * 0.006)
                assert client.describe(str(number)) == str(number)


def test_threads_behind_nginx(server: Server, tmp_path: Path) -> None:
    """Twenty threads on connections that nginx closes after every third request get their own answers."""
    server.steps = [echo]
    with nginx(tmp_path, "keepalive_requests 3;" + behind(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "given"}
        with Client("sync", **options, max_connections=5) as client:
            names = iter(range(200))

            def ask() -> bool:
                mine = [str(next(names)) for _ in range(10)]
                return [client.describe(name) for name in mine] == mine

            assert all(in_threads(20, ask))
