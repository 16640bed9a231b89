"""nginx between client and API: its own 502 and 504, buffering, and connections that it closes between requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinecone_admin import PineconeError, RetryPolicy, ServiceError
from tests.faults.cases import CLIENT_KINDS, PATH, ClientKind, make_operation, send_and_close, send_once
from tests.faults.clients import AnyClient, run_in_threads
from tests.faults.external_servers import find_free_port, run_nginx
from tests.faults.server import RequestContext, Server, format_head, send_project

ATTEMPTS = RetryPolicy(max_attempts=3)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run an API behind nginx."""
    with Server() as server:
        yield server


def behind(server: Server, *lines: str) -> str:
    """Write a server block that passes everything on, once."""
    return f"location / {{ proxy_pass {server.url}; proxy_next_upstream off; {' '.join(lines)} }}"


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_nobody_behind(verb: str, client_kind: ClientKind, tmp_path: Path) -> None:
    """Nginx answers 502 itself where nobody listens; who cannot know that leaves a POST at one attempt."""
    with run_nginx(tmp_path, f"location / {{ proxy_pass http://127.0.0.1:{find_free_port()}; }}") as port:
        error = send_once(
            client_kind, make_operation(verb), host=f"http://127.0.0.1:{port}", access_token="supplied", retry=ATTEMPTS
        )
    assert isinstance(error, ServiceError)
    assert (error.status_code, error.outcome) == (502, "unknown")
    assert error.attempts == (1 if verb == "POST" else 3)
    assert "<html>" not in str(error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_an_answer_that_is_late(verb: str, client_kind: ClientKind, server: Server, tmp_path: Path) -> None:
    """Nginx gives up after its own timeout with 504, when the request has long been processed."""
    server.api_actions = [send_and_close(b"", RequestContext.hang)]
    with run_nginx(tmp_path, behind(server, "proxy_read_timeout 200ms;")) as port:
        error = send_once(
            client_kind, make_operation(verb), host=f"http://127.0.0.1:{port}", access_token="supplied", retry=ATTEMPTS
        )
    attempts = 1 if verb == "POST" else 3
    assert isinstance(error, ServiceError)
    assert (error.status_code, error.outcome, error.attempts) == (504, "unknown", attempts)
    assert server.processed[verb, PATH] == attempts


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n"], ids=["FIN", "garbage"])
def test_a_server_that_fails_behind(
    data: bytes, verb: str, client_kind: ClientKind, server: Server, tmp_path: Path
) -> None:
    """What breaks between nginx and the server arrives as 502, and a POST was processed once."""
    server.api_actions = [send_and_close(data)]
    with run_nginx(tmp_path, behind(server, "proxy_http_version 1.1;")) as port:
        error = send_once(
            client_kind, make_operation(verb), host=f"http://127.0.0.1:{port}", access_token="supplied", retry=ATTEMPTS
        )
    assert isinstance(error, PineconeError)
    assert error.outcome == "unknown"
    assert server.processed[verb, PATH] == (1 if verb == "POST" else 3)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_a_body_that_ends_early_behind(verb: str, client_kind: ClientKind, server: Server, tmp_path: Path) -> None:
    """A truncated body is passed on as it is; the create is known to be done."""
    server.api_actions = [send_and_close(format_head(200, 99) + b'{"id"')]
    with run_nginx(tmp_path, behind(server, "proxy_buffering off;")) as port:
        error = send_once(
            client_kind, make_operation(verb), host=f"http://127.0.0.1:{port}", access_token="supplied", retry=ATTEMPTS
        )
    assert isinstance(error, PineconeError)
    assert error.outcome == "done"
    assert server.processed[verb, PATH] == (1 if verb == "POST" else 3)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize(
    "lines", ["keepalive_requests 1;", "keepalive_requests 3;", "keepalive_timeout 0;", "keepalive_timeout 15ms;"]
)
def test_connections_that_close_between_requests(
    lines: str, client_kind: ClientKind, server: Server, tmp_path: Path
) -> None:
    """Whenever nginx closes idle connections, each create arrives once, and the caller knows of each that is lost."""
    lost = 0
    with run_nginx(tmp_path, lines + behind(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "supplied"}
        with AnyClient(client_kind, **options, retry=RetryPolicy(max_attempts=1)) as client:
            for number in range(30):
                time.sleep(number % 4 * 0.006)
                result = client.run_call(lambda: client.admin.send(make_operation("POST")))
                if isinstance(result, PineconeError):
                    assert result.outcome == "unknown"
                    lost += 1
    assert 30 - lost <= server.count_requests("POST") <= 30
    # Only a timeout closes while the request is on its way; each wait of 18 ms meets one that nobody notices.
    assert lost < (7 if "15ms" in lines else 1)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_reads_survive_connections_that_close(client_kind: ClientKind, server: Server, tmp_path: Path) -> None:
    """The same race never shows where the request may be repeated."""
    with run_nginx(tmp_path, "keepalive_requests 2; keepalive_timeout 10ms;" + behind(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "supplied"}
        with AnyClient(client_kind, **options) as client:
            for number in range(30):
                time.sleep(number % 4 * 0.006)
                assert client.describe_project(str(number)) == str(number)


def test_threads_behind_nginx(server: Server, tmp_path: Path) -> None:
    """Twenty threads on connections that nginx closes after every third request get their own answers."""
    server.api_actions = [send_project]
    with run_nginx(tmp_path, "keepalive_requests 3;" + behind(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "supplied"}
        with AnyClient("sync", **options, max_connections=5) as client:
            names = iter(range(200))

            def ask() -> bool:
                mine = [str(next(names)) for _ in range(10)]
                return [client.describe_project(name) for name in mine] == mine

            assert all(run_in_threads(20, ask))
