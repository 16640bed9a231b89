"""The HTTP server, as a process on loopback: its one line, its answers, its end."""

import json
import os
import random
import re
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

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api.messages import Request, Response

SECONDS = 60
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


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=SECONDS, check=False
    )


def refused(*arguments: str) -> tuple[int, str]:
    """Return the exit status and the error output of a server that does not start."""
    done = python("-m", "pinecone_admin.emulator", *arguments)
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
        assert (
            "POST /_emulator/reset: Restore the initial state; the credentials stay valid."
            in api.get("/_emulator").json()["routes"]
        )


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
    assert re.search(r"^\S+ \S+ GET /admin/projects\?limit=1 200 \d+\.\d ms list_projects$", log, re.MULTILINE)
    assert line["client_secret"] not in log
    assert "Traceback" not in log


def port_of(line: dict[str, str]) -> int:
    """Return the port that a server listens on."""
    return int(line["host"].rpartition(":")[2])


def garbage() -> Iterator[bytes]:
    """Make up requests: of random bytes, and of a good one with random bytes in it."""
    chance = random.Random(20260702)
    good = bytearray(b'POST /admin/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"name":"a"}')
    for _ in range(100):
        yield chance.randbytes(chance.randrange(1, 400))
        broken = bytearray(good)
        for _ in range(3):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        yield bytes(broken)


def test_server_survives_hostile_connections(serve: Callable[..., Server]) -> None:
    """Broken requests on the wire get an answer below 500 or none, and the next one is served."""
    line = announced(server := serve())
    headers = log_in(line)
    port = port_of(line)
    for sent in (
        *garbage(),
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
            answer = connection.recv(65536)
            status = answer.split(b" ")[1:2]
            assert not status or int(status[0]) < 500, sent
            assert b"Traceback" not in answer
    assert httpx.get(f"{line['host']}/admin/projects", headers=headers).status_code == 200
    server.terminate()
    assert "Traceback" not in server.communicate(timeout=SECONDS)[1]


@pytest.mark.parametrize("origin", ["http://127.0.0.1", "HTTP://elsewhere:80", "https://api.pinecone.io"])
@pytest.mark.parametrize(("path", "status"), [("/_emulator?x=1", 200), ("/admin/projects", 400), ("", 400)])
def test_absolute_targets_are_accepted(origin: str, path: str, status: int) -> None:
    """A target in absolute form, as RFC 9112 wants it accepted, is its path and query."""
    with serving(Emulator()) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
        connection.sendall(f"GET {origin}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())


def test_output_whose_reader_is_gone() -> None:
    """Nobody hears where the server listens: one clear line and status 1."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=SECONDS, check=False
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == ["cannot write to standard output: Broken pipe"]


def test_output_that_is_closed() -> None:
    """Whoever closes it knows the port, and is served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "pinecone_admin.emulator", "--port", port]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stderr is not None
        assert "Started" in server.stderr.readline()
        assert httpx.get(f"http://127.0.0.1:{port}/_emulator").status_code == 200
        server.terminate()
        _, log = server.communicate(timeout=SECONDS)
    assert server.returncode == 0
    assert "Traceback" not in log


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
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pinecone_admin.emulator.__main__ import main; status = main([])\n"
        "try: from pinecone_admin.emulator import serving\n"
        "except ModuleNotFoundError as error: sys.exit(status if '[emulator]' in str(error) else str(error))"
    )
    done = python("-c", script)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert missing in done.stderr
    assert "pinecone-admin[emulator]" in done.stderr


def test_import_needs_no_server() -> None:
    """Importing the emulator loads neither starlette nor uvicorn."""
    script = "import sys, pinecone_admin.emulator; print({'starlette', 'uvicorn'} & set(sys.modules))"
    done = python("-c", script)
    assert done.stdout == "set()\n"


def test_server_serves_beside_a_thousand_connections(serve: Callable[..., Server]) -> None:
    """With a thousand connections open, some of them stalled within a request, others are served at once."""
    line = announced(server := serve())
    headers = log_in(line)
    with ExitStack() as connections:
        for number in range(1000):
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", port_of(line)), SECONDS))
            if number % 3 == 0:
                connection.sendall(b"POST /admin/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert httpx.get(f"{line['host']}/admin/projects", headers=headers, timeout=5).status_code == 200
        server.terminate()
        log = server.communicate(timeout=SECONDS)[1]
    assert server.returncode == 0
    assert "Traceback" not in log


def test_server_limits_bodies(serve: Callable[..., Server]) -> None:
    """A body beyond any of this API is refused in the API's form, and not kept in memory."""
    line = announced(serve())
    url, headers = f"{line['host']}/admin/projects", log_in(line)
    with httpx.Client(headers=headers) as http:
        for size in ((1 << 20) + 1, 10 << 20):  # the larger one is still being sent when it is too large already
            answer = http.post(url, content=b"x" * size)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "INVALID_ARGUMENT")
        assert http.get(url).status_code == 200


def test_server_masks_secrets_in_its_log(serve: Callable[..., Server]) -> None:
    """What looks like a secret in a path or query is not written to the log."""
    line = announced(server := serve())
    httpx.get(f"{line['host']}/admin/api-keys/pcsk_abc_def", params={"x": line["client_secret"]})
    server.terminate()
    log = server.communicate(timeout=SECONDS)[1]
    assert "GET /admin/api-keys/***?x=*** 400" in log
    assert line["client_secret"] not in log


class BrokenEmulator(Emulator):
    """An emulator with a bug."""

    def handle(self, request: Request) -> Response:
        """Fail, with a secret at hand."""
        raise RuntimeError(f"{request.method} broke on {self.client_secret}")


def test_broken_emulator_shows_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """A bug of the emulator is a 500 in the API's form, and its traceback goes to the log only."""
    emulator = BrokenEmulator()
    with serving(emulator) as url:
        answer = httpx.get(f"{url}/admin/projects")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL")
    assert "RuntimeError" not in answer.text
    assert "RuntimeError" in caplog.text


def test_requests_are_logged_apart_from_the_client(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> None:
    """Whoever serves it in process can tell its lines from the client's, which has none at INFO."""
    caplog.set_level("INFO")
    with serving(emulator) as url:
        httpx.get(f"{url}/admin/projects")
    (line,) = [
        record for record in caplog.records if "/admin/projects" in record.getMessage() and record.name != "httpx"
    ]
    assert line.name == "pinecone_emulator"


# The state file


def test_state_file_outlives_the_server(serve: Callable[..., Server], tmp_path: Path) -> None:
    """The file is written when the server stops and read when it starts, with the same credentials and tokens."""
    file = tmp_path / "state.json"
    first = serve("--state", str(file), "--seed", "5")
    line = announced(first)
    headers = log_in(line)
    httpx.post(f"{line['host']}/admin/projects", json={"name": "kept"}, headers=headers).raise_for_status()
    first.terminate()
    first.communicate(timeout=SECONDS)
    assert first.returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    again = announced(second := serve("--state", str(file), "--plan", "Free", "--token-lifetime", "60"))
    assert [again[name] for name in ("client_id", "client_secret")] == [line["client_id"], line["client_secret"]]
    assert httpx.get(f"{again['host']}/admin/projects", headers=headers).json()["data"][0]["name"] == "kept"
    httpx.post(f"{again['control_url']}/reset").raise_for_status()
    settings = httpx.get(f"{again['control_url']}/settings").json()
    assert (settings["plan"], settings["token_lifetime"]) == ("Free", 60)
    second.terminate()
    second.communicate(timeout=SECONDS)
    assert [each["name"] for each in json.loads(file.read_text())["projects"]] == ["kept"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[]", "must be an object"),
        ("\udcff", "can't decode"),
        ("[" * 100_000, "recursion"),
        ('{"projects": [{}]}', "projects[0].name is missing"),
        ('{"colour": 1}', "colour is unknown"),
        ('{"users": [{"email": "a@b.c"}, {"email": "A@b.c"}]}', "two users have the email"),
    ],
)
def test_bad_state_file_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    """A state file that cannot be used is one clear line that names it, and status 1; it stays as it was."""
    file = tmp_path / "state.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    status, error = refused("--state", str(file))
    assert status == 1
    assert error.count("\n") == 1
    assert str(file) in error
    assert reason in error
    assert file.read_bytes() == text.encode(errors="surrogateescape")


def test_state_file_needs_its_folder(tmp_path: Path) -> None:
    """A folder that is not there, and a folder or a pipe in place of the file, are one clear line."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nowhere" / "state.json", tmp_path, tmp_path / "pipe"):
        status, error = refused("--state", str(path))
        assert (status, error.count("\n")) == (1, 1)
        assert str(path) in error


def test_state_that_cannot_be_written_is_told(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Where the folder goes away meanwhile, the server ends with one clear line and status 1."""
    folder = tmp_path / "folder"
    folder.mkdir()
    server = serve("--state", str(folder / "state.json"))
    announced(server)
    folder.rmdir()
    server.terminate()
    log = server.communicate(timeout=SECONDS)[1]
    assert server.returncode == 1
    assert log.splitlines()[-1].startswith("cannot write the state file")
    assert "Traceback" not in log


def test_seed_repeats_the_credentials(serve: Callable[..., Server]) -> None:
    """With a seed the credentials are known beforehand."""
    first, second = (announced(serve("--seed", "7")) for _ in range(2))
    assert first["client_secret"] == second["client_secret"]


@pytest.mark.parametrize("option", ["--token-lifetime=0", "--token-lifetime=soon", "--plan=Gold", "--seed=x"])
def test_options_are_checked(option: str) -> None:
    """An option that cannot be right is a usage error that names it."""
    status, error = refused(option)
    assert status == 2
    assert option.partition("=")[0] in error


def test_server_does_not_wait_for_delays(serve: Callable[..., Server]) -> None:
    """A delay that was asked for does not hold the end of the server up."""
    line = announced(server := serve())
    fault = {"operation": "get_token", "delay": 600}
    httpx.post(f"{line['control_url']}/faults", json=fault).raise_for_status()
    with socket.create_connection(("127.0.0.1", port_of(line)), SECONDS) as connection:
        connection.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        while not httpx.get(f"{line['control_url']}/requests").json()["data"]:
            pass
        server.terminate()
        assert connection.recv(100) == b""
    log = server.communicate(timeout=SECONDS)[1]
    assert server.returncode == 0
    assert "Traceback" not in log
