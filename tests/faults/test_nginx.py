"""Nginx as reverse proxy: its own 502 and 504, buffering, and connections that it closes between requests."""

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

RETRY_POLICY = RetryPolicy(max_attempts=3)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run an API."""
    with Server() as server:
        yield server


def format_location(server: Server, *lines: str) -> str:
    """Return a location block that forwards each request once."""
    return f"location / {{ proxy_pass {server.url}; proxy_next_upstream off; {' '.join(lines)} }}"


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_502_without_server_is_retried_except_post(verb: str, client_kind: ClientKind, tmp_path: Path) -> None:
    """A 502 from nginx without a server is retried, but not for POST, since the request may have been processed."""
    with run_nginx(tmp_path, f"location / {{ proxy_pass http://127.0.0.1:{find_free_port()}; }}") as port:
        error = send_once(
            client_kind,
            make_operation(verb),
            host=f"http://127.0.0.1:{port}",
            access_token="supplied",
            retry=RETRY_POLICY,
        )
    assert isinstance(error, ServiceError)
    assert (error.status_code, error.outcome) == (502, "unknown")
    assert error.attempts == (1 if verb == "POST" else 3)
    assert "<html>" not in str(error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_504_leaves_outcome_unknown(verb: str, client_kind: ClientKind, server: Server, tmp_path: Path) -> None:
    """A 504 from nginx after its own timeout leaves the outcome unknown, although the request was processed."""
    server.api_actions = [send_and_close(b"", RequestContext.hang)]
    with run_nginx(tmp_path, format_location(server, "proxy_read_timeout 200ms;")) as port:
        error = send_once(
            client_kind,
            make_operation(verb),
            host=f"http://127.0.0.1:{port}",
            access_token="supplied",
            retry=RETRY_POLICY,
        )
    attempts = 1 if verb == "POST" else 3
    assert isinstance(error, ServiceError)
    assert (error.status_code, error.outcome, error.attempts) == (504, "unknown", attempts)
    assert server.processed[verb, PATH] == attempts


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n"], ids=["FIN", "garbage"])
def test_server_failure_behind_nginx_leaves_outcome_unknown(
    data: bytes, verb: str, client_kind: ClientKind, server: Server, tmp_path: Path
) -> None:
    """A broken response behind nginx leaves the outcome unknown, and a POST is processed once."""
    server.api_actions = [send_and_close(data)]
    with run_nginx(tmp_path, format_location(server, "proxy_http_version 1.1;")) as port:
        error = send_once(
            client_kind,
            make_operation(verb),
            host=f"http://127.0.0.1:{port}",
            access_token="supplied",
            retry=RETRY_POLICY,
        )
    assert isinstance(error, PineconeError)
    assert error.outcome == "unknown"
    assert server.processed[verb, PATH] == (1 if verb == "POST" else 3)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_truncated_body_behind_nginx_is_done(
    verb: str, client_kind: ClientKind, server: Server, tmp_path: Path
) -> None:
    """A truncated body is passed on unchanged, and the outcome is done."""
    server.api_actions = [send_and_close(format_head(200, 99) + b'{"id"')]
    with run_nginx(tmp_path, format_location(server, "proxy_buffering off;")) as port:
        error = send_once(
            client_kind,
            make_operation(verb),
            host=f"http://127.0.0.1:{port}",
            access_token="supplied",
            retry=RETRY_POLICY,
        )
    assert isinstance(error, PineconeError)
    assert error.outcome == "done"
    assert server.processed[verb, PATH] == (1 if verb == "POST" else 3)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize(
    "lines", ["keepalive_requests 1;", "keepalive_requests 3;", "keepalive_timeout 0;", "keepalive_timeout 15ms;"]
)
def test_lost_creates_are_reported(lines: str, client_kind: ClientKind, server: Server, tmp_path: Path) -> None:
    """Each POST arrives at most once, whenever nginx closes idle connections, and each lost POST raises an error."""
    lost = 0
    with run_nginx(tmp_path, lines + format_location(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "supplied"}
        with AnyClient(client_kind, **options, retry=RetryPolicy(max_attempts=1)) as client:
            for number in range(30):
                time.sleep(number % 4 * 0.006)
                result = client.run_call(lambda: client.admin.send(make_operation("POST")))
                if isinstance(result, PineconeError):
                    assert result.outcome == "unknown"
                    lost += 1
    assert 30 - lost <= server.count_requests("POST") <= 30
    # Only the idle timeout closes a connection during a request; every fourth wait, of 18 ms, exceeds it.
    assert lost < (7 if "15ms" in lines else 1)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_reads_survive_closed_connections(client_kind: ClientKind, server: Server, tmp_path: Path) -> None:
    """A GET succeeds whenever nginx closes idle connections."""
    with run_nginx(tmp_path, "keepalive_requests 2; keepalive_timeout 10ms;" + format_location(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "supplied"}
        with AnyClient(client_kind, **options) as client:
            for number in range(30):
                time.sleep(number % 4 * 0.006)
                assert client.describe_project(str(number)) == str(number)


def test_threads_behind_nginx_get_their_own_responses(server: Server, tmp_path: Path) -> None:
    """Twenty threads get their own responses although nginx closes each connection after three requests."""
    server.api_actions = [send_project]
    with run_nginx(tmp_path, "keepalive_requests 3;" + format_location(server)) as port:
        options = {"host": f"http://127.0.0.1:{port}", "access_token": "supplied"}
        with AnyClient("sync", **options, max_connections=5) as client:
            names = iter(range(200))

            def describe_projects() -> bool:
                own_names = [str(next(names)) for _ in range(10)]
                return [client.describe_project(name) for name in own_names] == own_names

            assert all(run_in_threads(20, describe_projects))
