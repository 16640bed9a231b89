"""The HTTP server as a process on loopback: start, responses and shutdown."""

import io
import json
import os
import random
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import httpx
import pytest

import pinecone_admin.emulator.__main__ as command
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.control.announcement import describe

SECONDS = 60
ROOT = Path(__file__).parents[2]

Server = subprocess.Popen[str]


def start_server(*arguments: str) -> Server:
    """Start a server process."""
    return subprocess.Popen(
        [sys.executable, "-m", "pinecone_admin.emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def read_announcement(server: Server) -> dict[str, str]:
    """Return the line that the server prints once it listens."""
    assert server.stdout
    assert select.select([server.stdout], [], [], SECONDS)[0], "the server printed nothing"
    line: dict[str, str] = json.loads(server.stdout.readline())
    return line


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python until it exits."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=SECONDS, check=False
    )


def run_refused_server(*arguments: str) -> tuple[int, str]:
    """Return the exit status and error output of the command of a server that refuses to start, in this process."""
    with (
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as error,
        mock.patch("signal.signal"),  # the test's own handlers stay
    ):
        status = command.main(arguments)
    assert output.getvalue() == ""
    return status, error.getvalue()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server and stops it after the test."""
    with ExitStack() as servers:

        def serve_until_test_ends(*arguments: str) -> Server:
            server = servers.enter_context(start_server(*arguments))
            servers.callback(server.kill)
            return server

        yield serve_until_test_ends


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Emulator]:
    """Return the emulators that the command, in this process, would serve from then on."""
    emulators: list[Emulator] = []

    def note(emulator: Emulator, _: object) -> int:
        emulators.append(emulator)
        return 0

    monkeypatch.setattr(command, "_serve", note)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the test's own handlers stay
    return emulators


def log_in(line: dict[str, str]) -> dict[str, str]:
    """Exchange the server's credentials for request headers."""
    credentials = {
        "client_id": line["client_id"],
        "client_secret": line["client_secret"],
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    token = httpx.post(line["oauth_url"], json=credentials).raise_for_status().json()["access_token"]
    return {"Authorization": f"Bearer {token}", "X-Pinecone-Api-Version": "2026-07"}


def test_server_prints_exports(serve: Callable[..., Server]) -> None:
    """With --format env, the server prints exports for a shell, so that a client reaches it."""
    server = serve("--format", "env")
    assert server.stdout
    exports = "".join(server.stdout.readline() for _ in range(6))
    program = "from pinecone_admin import Admin; print(Admin().projects.create(name='search').name)"
    script = f"{exports}{shlex.quote(sys.executable)} -c {shlex.quote(program)}; echo $PINECONE_EMULATOR_CONTROL_URL"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=SECONDS, check=True)
    name, url = done.stdout.split()
    assert name == "search"
    assert [each["status"] for each in httpx.get(f"{url}/requests").json()["data"]] == [200, 200]


def test_server_prints_its_urls_and_serves(serve: Callable[..., Server]) -> None:
    """The server prints one line of JSON with its URLs and credentials, and serves the API there."""
    server = serve("--plan", "Free")
    line = read_announcement(server)
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


@pytest.mark.parametrize(("number", "host"), [(signal.SIGTERM, "127.0.0.1"), (signal.SIGINT, "localhost")])
def test_server_stops_cleanly(serve: Callable[..., Server], number: signal.Signals, host: str) -> None:
    """SIGTERM and SIGINT stop the server with status 0, despite open connections, and the access log is readable.

    The host name localhost is accepted without --allow-remote.
    """
    server = serve("--host", host)
    line = read_announcement(server)
    with httpx.Client(base_url=line["host"], headers=log_in(line)) as api:
        api.get("/admin/projects?limit=1").raise_for_status()
        server.send_signal(number)
        output, log = server.communicate(timeout=SECONDS)
    assert server.returncode == 0
    assert output == ""
    assert re.search(r"^\S+ \S+ GET /admin/projects\?limit=1 200 \d+\.\d ms list_projects$", log, re.MULTILINE)
    assert line["client_secret"] not in log
    assert "Traceback" not in log


def read_port(line: dict[str, str]) -> int:
    """Return the server's port."""
    return int(line["host"].rpartition(":")[2])


def generate_garbage() -> Iterator[bytes]:
    """Yield random bytes, and a valid request with random bytes in it."""
    rng = random.Random(20260702)
    good = bytearray(b'POST /admin/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"name":"a"}')
    for _ in range(100):
        yield rng.randbytes(rng.randrange(1, 400))
        broken = bytearray(good)
        for _ in range(3):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        yield bytes(broken)


def test_server_survives_malformed_requests(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """A malformed request gets a status below 500 or no response, and the server continues."""
    with serving(emulator):
        send_malformed_requests(describe(emulator))
    assert "Traceback" not in caplog.text


def send_malformed_requests(line: dict[str, str]) -> None:
    """Send malformed requests, then a good one, and check the responses."""
    port = read_port(line)
    for sent in (
        *generate_garbage(),
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
            response = connection.recv(65536)
            status = response.split(b" ")[1:2]
            assert not status or int(status[0]) < 500, sent
            assert b"Traceback" not in response
    assert httpx.get(f"{line['host']}/admin/projects", headers=log_in(line)).status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1", "HTTP://elsewhere:80", "https://api.pinecone.io"])
@pytest.mark.parametrize(("path", "status"), [("/_emulator?x=1", 200), ("/admin/projects", 401), ("", 401)])
def test_absolute_targets_are_accepted(origin: str, path: str, status: int) -> None:
    """A request target in absolute form is accepted, as RFC 9112 requires."""
    with serving(Emulator()) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
        connection.sendall(f"GET {origin}{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())


def test_broken_output_pipe_is_reported() -> None:
    """A broken pipe for standard output is reported in one line with exit status 1."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    process = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=SECONDS, check=False
    )
    os.close(writer)
    assert process.returncode == 1
    assert process.stderr.splitlines()[1:] == ["cannot write to standard output: Broken pipe"]


def test_server_runs_without_standard_output() -> None:
    """A server with a closed standard output serves its port."""
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


def test_used_port_is_reported() -> None:
    """A port in use is reported in one line with exit status 1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        process = run_python("-m", "pinecone_admin.emulator", "--port", port)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.count("\n") == 1
    assert port in process.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_remote_address_is_refused(host: str) -> None:
    """An address that is not loopback is reported in one line with exit status 2."""
    status, error = run_refused_server("--host", host)
    assert status == 2
    assert error.count("\n") == 1
    assert "--allow-remote" in error


def test_allow_remote_permits_every_address(serve: Callable[..., Server]) -> None:
    """With --allow-remote the server listens on every address."""
    line = read_announcement(serve("--host", "0.0.0.0", "--allow-remote"))
    # The name of this machine is not known here, so any host may control the emulator; a web page may not.
    url, host = line["control_url"].replace("0.0.0.0", "127.0.0.1"), {"Host": "emulator.example.com"}
    assert httpx.get(url, headers=host).status_code == 200
    assert httpx.get(url, headers=host | {"Origin": "https://example.com"}).status_code == 403
    assert line["host"].startswith("http://0.0.0.0:")
    log_in(line | {"oauth_url": line["oauth_url"].replace("0.0.0.0", "127.0.0.1")})


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_invalid_port_is_a_usage_error(port: str) -> None:
    """An invalid port number is a usage error."""
    status, error = run_refused_server(f"--port={port}")
    assert status == 2
    assert "--port" in error


def test_an_option_is_given_once_and_in_full() -> None:
    """A second value of an option and the beginning of its name are usage errors."""
    for words, message in {
        ("--host", "localhost", "--host=localhost"): "--host is given twice",
        ("--hos", "localhost"): "unrecognized arguments: --hos",
        ("--advertise", "http://x"): "--advertise is now --advertise-url; --help lists the options",
        ("--advertise=http://x",): "--advertise is now --advertise-url",
    }.items():
        status, error = run_refused_server(*words)
        assert status == 2
        assert message in error


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_missing_extra_is_named(missing: str) -> None:
    """Without the packages of the extra, one line says how to install them, and the import works."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pinecone_admin.emulator.__main__ import main; status = main([])\n"
        "try: from pinecone_admin.emulator import serving\n"
        "except ModuleNotFoundError as error: sys.exit(status if '[emulator]' in str(error) else str(error))"
    )
    process = run_python("-c", script)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.count("\n") == 1
    assert missing in process.stderr
    assert 'pip install ".[emulator]"' in process.stderr


def test_import_loads_no_server() -> None:
    """Importing the emulator loads neither starlette nor uvicorn."""
    script = "import sys, pinecone_admin.emulator; print({'starlette', 'uvicorn'} & set(sys.modules))"
    process = run_python("-c", script)
    assert process.stdout == "set()\n"


def test_server_handles_a_thousand_open_connections(serve: Callable[..., Server]) -> None:
    """The server serves other requests while a thousand connections are open or stalled."""
    line = read_announcement(server := serve())
    headers = log_in(line)
    with ExitStack() as connections:
        for number in range(1000):
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", read_port(line)), SECONDS))
            if number % 3 == 0:
                connection.sendall(b"POST /admin/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert httpx.get(f"{line['host']}/admin/projects", headers=headers, timeout=5).status_code == 200
        server.terminate()
        log = server.communicate(timeout=SECONDS)[1]
    assert server.returncode == 0
    assert "Traceback" not in log


def test_oversized_body_is_refused(emulator: Emulator) -> None:
    """A body above the limit is refused with 413."""
    with serving(emulator) as host, httpx.Client(headers=log_in(describe(emulator))) as http:
        url = f"{host}/admin/projects"
        for size in ((1 << 20) + 1, 10 << 20):  # the server refuses the larger one before it is complete
            response = http.post(url, content=b"x" * size)
            assert (response.status_code, response.json()["error"]["code"]) == (413, "INVALID_ARGUMENT")
        assert http.get(url).status_code == 200


def test_server_redacts_secrets_in_its_log(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """The access log redacts secrets in paths and queries."""
    caplog.set_level("INFO")
    with serving(emulator) as host:
        httpx.get(f"{host}/admin/api-keys/pcsk_abc_def", params={"x": emulator.client_secret})
    log = "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    assert "GET /admin/api-keys/***?x=*** 401" in log
    assert emulator.client_secret not in log


class BrokenEmulator(Emulator):
    """An emulator that raises an exception for every request."""

    def handle(self, request: Request) -> Response:
        """Raise an exception with a secret in its message."""
        raise RuntimeError(f"{request.method} broke on {self.client_secret}")


def test_internal_error_shows_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """An internal error is a 500 response, and only the log contains its traceback."""
    emulator = BrokenEmulator()
    with serving(emulator) as url:
        response = httpx.get(f"{url}/admin/projects")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL")
    assert "RuntimeError" not in response.text
    assert "RuntimeError" in caplog.text


def test_requests_have_their_own_logger(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> None:
    """Requests are logged by a logger of the emulator."""
    caplog.set_level("INFO")
    with serving(emulator) as url:
        httpx.get(f"{url}/admin/projects")
    (line,) = [
        record for record in caplog.records if "/admin/projects" in record.getMessage() and record.name != "httpx"
    ]
    assert line.name == "pinecone_emulator"


# The state file


def test_state_file_keeps_the_state(serve: Callable[..., Server], tmp_path: Path) -> None:
    """The server writes the state file when it stops and reads it when it starts."""
    file = tmp_path / "state.json"
    first = serve("--state", str(file), "--seed", "5")
    line = read_announcement(first)
    headers = log_in(line)
    httpx.post(f"{line['host']}/admin/projects", json={"name": "kept"}, headers=headers).raise_for_status()
    first.terminate()
    first.communicate(timeout=SECONDS)
    assert first.returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    again = read_announcement(second := serve("--state", str(file), "--plan", "Free", "--token-lifetime", "60s"))
    assert [again[name] for name in ("client_id", "client_secret")] == [line["client_id"], line["client_secret"]]
    assert httpx.get(f"{again['host']}/admin/projects", headers=headers).json()["data"][0]["name"] == "kept"
    httpx.post(f"{again['control_url']}/reset").raise_for_status()
    settings = httpx.get(f"{again['control_url']}/settings").json()
    assert (settings["plan"], settings["token_lifetime"]) == ("Free", 60)
    second.terminate()
    second.communicate(timeout=SECONDS)
    assert [each["name"] for each in json.loads(file.read_text())["projects"]] == ["kept"]


def test_state_file_is_loaded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, served: list[Emulator]) -> None:
    """A state file is loaded once, with the options that win over it, since loading a large one takes seconds."""
    file = tmp_path / "state.json"
    file.write_text('{"organization": {"plan": "Free", "name": "mine"}, "settings": {"project_quota": 7}}')
    loaded: list[object] = []
    load = Emulator.load

    def load_and_note(self: Emulator, document: object) -> None:
        loaded.append(document)
        load(self, document)

    monkeypatch.setattr(Emulator, "load", load_and_note)
    options = ["--plan", "Standard", "--permissions", "open", "--token-lifetime", "60s"]
    assert command.main(["--state", str(file), *options]) == 0
    (emulator,) = served
    assert len(loaded) == 1
    emulator.reset()
    settings = emulator.settings
    assert (settings["plan"], settings["permissions"], settings["token_lifetime"]) == ("Standard", "open", 60)
    assert (settings["project_quota"], emulator.state.organization.name) == (7, "mine")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[]", "must be an object"),
        ("\udcff", "can't decode"),
        ("[" * 100_000, "nested too deep"),
        ('{"projects": [{}]}', "projects[0].name is missing"),
        ('{"colour": 1}', "colour is unknown"),
        ('{"users": [{"email": "a@b.c"}, {"email": "A@b.c"}]}', "two users have the email"),
    ],
)
def test_invalid_state_file_is_reported(tmp_path: Path, text: str, reason: str) -> None:
    """An invalid state file is reported in one line with exit status 1, and stays unchanged."""
    file = tmp_path / "state.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    status, error = run_refused_server("--state", str(file))
    assert status == 1
    assert error.count("\n") == 1
    assert str(file) in error
    assert reason in error
    assert file.read_bytes() == text.encode(errors="surrogateescape")


@pytest.mark.timeout(SECONDS)  # a pipe that is read is waited for
def test_state_file_must_be_a_file_in_a_folder(tmp_path: Path) -> None:
    """A missing folder, and a folder or pipe in place of the state file, are reported in one line with status 1."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nowhere" / "state.json", tmp_path, tmp_path / "pipe"):
        status, error = run_refused_server("--state", str(path))
        assert (status, error.count("\n")) == (1, 1)
        assert str(path) in error


def test_unwritable_state_file_is_reported(serve: Callable[..., Server], tmp_path: Path) -> None:
    """If the state file cannot be written, the server stops with one line and status 1."""
    folder = tmp_path / "folder"
    folder.mkdir()
    server = serve("--state", str(folder / "state.json"))
    read_announcement(server)
    folder.rmdir()
    server.terminate()
    log = server.communicate(timeout=SECONDS)[1]
    assert server.returncode == 1
    assert log.splitlines()[-1].startswith("cannot write the state file")
    assert "Traceback" not in log


def test_seed_repeats_the_credentials(served: list[Emulator]) -> None:
    """Servers with the same seed have the same credentials."""
    for _ in range(2):
        assert command.main(["--seed", "7"]) == 0
    first, second = (each.client_secret for each in served)
    assert first == second


@pytest.mark.parametrize(
    "option", ["--token-lifetime=0s", "--token-lifetime=60", "--token-lifetime=soon", "--plan=Gold", "--seed=x"]
)
def test_invalid_options_are_usage_errors(option: str) -> None:
    """An invalid option is a usage error that names the option."""
    status, error = run_refused_server(option)
    assert status == 2
    assert option.partition("=")[0] in error


def test_shutdown_does_not_wait_for_delays(serve: Callable[..., Server]) -> None:
    """The server stops without waiting for a delayed response."""
    line = read_announcement(server := serve())
    fault = {"operation": "get_token", "delay": 600}
    httpx.post(f"{line['control_url']}/faults", json=fault).raise_for_status()
    with socket.create_connection(("127.0.0.1", read_port(line)), SECONDS) as connection:
        connection.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        while not httpx.get(f"{line['control_url']}/requests").json()["data"]:
            pass
        server.terminate()
        assert connection.recv(100) == b""
    log = server.communicate(timeout=SECONDS)[1]
    assert server.returncode == 0
    assert "Traceback" not in log
