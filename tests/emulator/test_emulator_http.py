"""The HTTP server, as a process on loopback: its one line, its answers, its end."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

SECONDS = 20
ROOT = Path(__file__).parents[2]

Server = subprocess.Popen[str]


def start(*arguments: str) -> Server:
    """Start a server process."""
    return subprocess.Popen(
        [sys.executable, "-m", "pinecone_admin.emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def announced(server: Server) -> dict[str, str]:
    """Return the line that a server prints when it listens."""
    assert server.stdout
    assert select.select([server.stdout], [], [], SECONDS)[0], "the server said nothing"
    line: dict[str, str] = json.loads(server.stdout.readline())
    return line


def refused(*arguments: str) -> tuple[int, str]:
    """Return the exit status and the error output of a server that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "pinecone_admin.emulator", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server, which ends with the test."""
    with ExitStack() as servers:

        def run(*arguments: str) -> Server:
            server = servers.enter_context(start(*arguments))
            servers.callback(server.kill)
            return server

        yield run


def log_in(line: dict[str, str]) -> dict[str, str]:
    """Exchange a server's credentials for the headers of its API."""
    credentials = {
        "client_id": line["client_id"],
        "client_secret": line["client_secret"],
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    token = httpx.post(line["oauth_url"], json=credentials).raise_for_status().json()["access_token"]
    return {"Authorization": f"Bearer {token}", "X-Pinecone-Api-Version": "2026-07"}


def test_server_announces_itself_and_serves(serve: Callable[..., Server]) -> None:
    """One line of JSON says where everything is, and the API answers there by the rules."""
    server = serve("--plan", "Free")
    line = announced(server)
    assert list(line) == ["host", "oauth_url", "control_url", "client_id", "client_secret", "organization_id"]
    assert line["host"].startswith("http://127.0.0.1:")
    assert line["oauth_url"] == f"{line['host']}/oauth/token"
    assert line["control_url"] == f"{line['host']}/_emulator"
    with httpx.Client(base_url=line["host"], headers=log_in(line)) as api:
        (organization,) = api.get("/admin/organizations").json()["data"]
        assert (organization["id"], organization["plan"]) == (line["organization_id"], "Free")
        created = api.post("/admin/projects", json={"name": "über"})
        assert created.json()["name"] == "über"
        assert created.headers["x-pinecone-request-id"]
        assert api.post("/admin/projects", json={"name": "second"}).status_code == 403
        assert api.delete(f"/admin/projects/{created.json()['id']}").content == b""
        assert api.get("/_emulator").json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_stops_cleanly(serve: Callable[..., Server], number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the server with status 0 and a readable access log, open connections or not."""
    server = serve()
    line = announced(server)
    with httpx.Client(base_url=line["host"], headers=log_in(line)) as api:
        api.get("/admin/projects?limit=1").raise_for_status()
        server.send_signal(number)
        output, log = server.communicate(timeout=SECONDS)
    assert server.returncode == 0
    assert output == ""
    assert '"GET /admin/projects?limit=1 HTTP/1.1" 200' in log
    assert line["client_secret"] not in log
    assert "Traceback" not in log


def test_server_survives_hostile_connections(serve: Callable[..., Server]) -> None:
    """Broken requests on the wire get an answer below 500 or none, and the next one is served."""
    line = announced(server := serve())
    headers = log_in(line)
    port = int(line["host"].rpartition(":")[2])
    for sent in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET /%0A%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://elsewhere/admin/projects HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET /admin/projects HTTP/1.1\r\nHost: x\r\nX-Pinecone-Api-Version: \xff\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            status = connection.recv(65536).split(b" ")[1:2]
            assert not status or int(status[0]) < 500, sent
    assert httpx.get(f"{line['host']}/admin/projects", headers=headers).status_code == 200
    server.terminate()
    assert "Traceback" not in server.communicate(timeout=SECONDS)[1]


def test_port_in_use() -> None:
    """A port that somebody has is one clear line and status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, error = refused("--port", port)
    assert status == 1
    assert error.count("\n") == 1
    assert port in error


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_other_machines_are_kept_out(host: str) -> None:
    """An address that is not loopback is one clear line and status 2."""
    status, error = refused("--host", host)
    assert status == 2
    assert error.count("\n") == 1
    assert "--allow-remote" in error


def test_other_machines_are_let_in_on_request(serve: Callable[..., Server]) -> None:
    """With --allow-remote the server listens on every address."""
    line = announced(serve("--host", "0.0.0.0", "--allow-remote"))
    assert line["host"].startswith("http://0.0.0.0:")
    log_in(line | {"oauth_url": line["oauth_url"].replace("0.0.0.0", "127.0.0.1")})


def test_localhost_is_loopback(serve: Callable[..., Server]) -> None:
    """The name localhost needs no permission."""
    log_in(announced(serve("--host", "localhost")))


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_port_is_a_port_number(port: str) -> None:
    """What is no port number is a usage error."""
    status, error = refused(f"--port={port}")
    assert status == 2
    assert "--port" in error


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_missing_extra_is_named(missing: str) -> None:
    """Without the extra's packages one line says how to install them, and the import still works."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None; "
        "from pinecone_admin.emulator.__main__ import main; sys.exit(main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert missing in done.stderr
    assert "pinecone-admin[emulator]" in done.stderr


def test_import_needs_no_server() -> None:
    """Importing the emulator loads neither starlette nor uvicorn."""
    script = "import sys, pinecone_admin.emulator; print({'starlette', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
        check=True,
    )
    assert done.stdout == "set()\n"
