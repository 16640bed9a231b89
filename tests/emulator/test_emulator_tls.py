"""The served emulator over TLS: the production names through a proxy, directly, and in a namespace."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pinecone_admin.emulator.__main__ import main
from tests.support.namespaces import require_namespaces

SECONDS = 60
ROOT = Path(__file__).parents[2]
MODULE = [sys.executable, "-m", "pinecone_admin.emulator", "--tls"]
VERSION = {"X-Pinecone-Api-Version": "2026-07"}
REQUEST = b"GET /admin/projects HTTP/1.1\r\nhost: api.pinecone.io\r\nx-pinecone-api-version: 2026-07\r\n\r\n"


@contextmanager
def start_server(*arguments: str, module: Sequence[str] = MODULE) -> Iterator[subprocess.Popen[str]]:
    """Start an emulator that serves TLS, and end it afterwards."""
    command, pipe = [*module, *arguments], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as server:
        try:
            yield server
        finally:
            server.terminate()
            server.communicate(timeout=SECONDS)


def read_announcement(server: subprocess.Popen[str]) -> dict[str, str]:
    """Return the line that a server prints once it listens."""
    assert server.stdout
    announced: dict[str, str] = json.loads(server.stdout.readline())
    return announced


def run_without(missing: str) -> list[str]:
    """Return the command of an emulator whose Python lacks a module."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pinecone_admin.emulator.__main__ import main; sys.exit(main(['--tls']))"
    )
    return [sys.executable, "-c", script]


@pytest.fixture(scope="module", params=["nothing", "uvloop"])
def line(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Serve TLS, with uvloop and with plain asyncio, and return what the emulator announces."""
    with start_server(module=run_without(request.param)) as server:
        yield read_announcement(server)


def connect(address: str) -> socket.socket:
    """Connect to an address or to the host of a URL."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    assert parts.port
    return socket.create_connection((parts.hostname or "", parts.port), timeout=SECONDS)


def connect_through_proxy(line: Mapping[str, str], name: str = "api.pinecone.io") -> ssl.SSLSocket:
    """Open a tunnel to a production name, byte by byte, and start TLS in it."""
    connection = connect(line["proxy_url"])
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode():
        connection.sendall(bytes([byte]))
    assert connection.recv(1000) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    return trust(line).wrap_socket(connection, server_hostname=name, suppress_ragged_eofs=False)


def trust(line: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that trusts the authority of the emulator and no other."""
    return ssl.create_default_context(cafile=line["ca_file"])


def send_request(connection: socket.socket) -> bytes:
    """Send a request without a token, and return the first line of the response."""
    connection.sendall(REQUEST)
    return read_response(connection)


def read_response(connection: socket.socket) -> bytes:
    """Return the first line of a response with an error, or what came before the end."""
    received = b""
    while not received.endswith(b"}}") and (chunk := connection.recv(100_000)):
        received += chunk
    return received.partition(b"\r\n")[0]


def test_exports_lead_clients_to_the_emulator_over_tls() -> None:
    """With the exports, our client and httpx reach the emulator at the production addresses, and no other host."""
    program = f"""
import httpx, json, os
from pinecone_admin import Admin
print(json.dumps(dict(os.environ)))
with Admin() as admin:
    print(admin.projects.create(name="search").name)
print(httpx.get("https://api.pinecone.io/admin/projects", headers={VERSION}).status_code)
try:
    httpx.get("https://example.com")
except httpx.ProxyError as error:
    print(error)
"""
    unset = ("NO_PROXY", "no_proxy", "PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")
    with start_server("--format", "env") as server:
        assert server.stdout
        exports: list[str] = []
        while not exports or not exports[-1].startswith("unset"):
            exports.append(server.stdout.readline())
        script = f"{''.join(exports)}{shlex.quote(sys.executable)} -c {shlex.quote(program)}"
        env = os.environ | dict.fromkeys(unset, "*")
        done = subprocess.run(
            ["sh", "-c", script], env=env, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    variables, *printed = done.stdout.splitlines()
    refusal = "403 The emulator leads to api.pinecone.io and login.pinecone.io only"
    assert printed == ["search", "401", refusal]
    environment = json.loads(variables)
    assert not environment.keys() & unset
    assert (environment["HTTPS_PROXY"], environment["NODE_USE_ENV_PROXY"]) == (environment["https_proxy"], "1")
    trusted = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    assert len({environment[name] for name in trusted}) == 1


@pytest.mark.parametrize("name", ["api.pinecone.io", "login.pinecone.io"])
def test_both_names_have_tls_directly_and_through_the_proxy(line: dict[str, str], name: str) -> None:
    """Both names have a certificate on the port for TLS and after a CONNECT, and a connection serves two requests."""
    for connection in (
        trust(line).wrap_socket(connect(line["tls_address"]), server_hostname=name),
        connect_through_proxy(line, name),
    ):
        with connection:
            assert send_request(connection) == b"HTTP/1.1 401 Unauthorized"
            assert send_request(connection) == b"HTTP/1.1 401 Unauthorized"


def test_a_request_can_come_with_the_end_of_the_handshake(line: dict[str, str]) -> None:
    """A request in the same packet as the end of the handshake is served."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust(line).wrap_bio(incoming, outgoing, server_hostname="api.pinecone.io")
    with connect(line["proxy_url"]) as connection:
        connection.sendall(b"CONNECT api.pinecone.io:443 HTTP/1.1\r\n\r\n")
        connection.recv(1000)

        def run(step: Callable[[], Any]) -> Any:
            while True:
                with suppress(ssl.SSLWantReadError):
                    return step()
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(100_000))

        run(tls.do_handshake)
        tls.write(REQUEST)
        assert run(tls.read).startswith(b"HTTP/1.1 401 ")


def test_no_other_name_has_a_certificate(line: dict[str, str]) -> None:
    """A client that expects another host refuses the certificate."""
    with connect(line["tls_address"]) as connection, pytest.raises(ssl.SSLCertVerificationError, match="Hostname"):
        trust(line).wrap_socket(connection, server_hostname="example.com")


def test_the_port_of_the_proxy_serves_plain_requests(line: dict[str, str]) -> None:
    """The port of the proxy also serves plain requests, and one that arrives in pieces is still one."""
    with connect(line["host"]) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in REQUEST[:20]:
            connection.sendall(bytes([byte]))
        connection.sendall(REQUEST[20:])
        assert read_response(connection) == b"HTTP/1.1 401 Unauthorized"
        assert send_request(connection) == b"HTTP/1.1 401 Unauthorized"


@pytest.mark.parametrize(
    "target", ["example.com:443", "api.pinecone.io:80", "api.pinecone.io.example.com:443", "127.0.0.1:443", "x" * 9000]
)
def test_a_connect_to_anything_else_is_refused(line: dict[str, str], target: str) -> None:
    """A CONNECT to another host or port is refused, and the connection is closed."""
    with connect(line["proxy_url"]) as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 403 The emulator leads to api.pinecone.io and ")
        assert connection.recv(1000) == b""


def test_a_handshake_that_fails_harms_nobody(line: dict[str, str]) -> None:
    """A client that does not trust the authority gets no connection, and the next one does."""
    with connect(line["proxy_url"]) as connection:
        connection.sendall(b"CONNECT api.pinecone.io:443 HTTP/1.1\r\n\r\n")
        connection.recv(1000)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connection, server_hostname="api.pinecone.io")
    with connect_through_proxy(line) as connection:
        assert send_request(connection) == b"HTTP/1.1 401 Unauthorized"


def test_faults_happen_on_the_socket_below_tls(line: dict[str, str]) -> None:
    """A dropped connection ends as TLS does, and one that is reset does not."""
    for fault in ("drop", "reset"):
        httpx.post(f"{line['control_url']}/faults", json={"operation": "*", fault: "before"}).raise_for_status()
    with connect_through_proxy(line) as connection:
        assert send_request(connection) == b""
    # Python before 3.12 reports a reset as an end without the announcement of TLS.
    with connect_through_proxy(line) as connection, pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
        send_request(connection)


def test_the_authority_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the certificate of the authority is written, into a private folder that is removed at the end."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with start_server() as server:
        certificate = Path(read_announcement(server)["ca_file"])
        assert stat.S_IMODE(certificate.parent.stat().st_mode) == 0o700
        assert [each for each in tmp_path.rglob("*") if each.is_file()] == [certificate]
        assert "PRIVATE KEY" not in certificate.read_text()
    assert list(tmp_path.iterdir()) == []


def test_the_certificate_can_be_shared(tmp_path: Path) -> None:
    """With --ca-file, the certificate of the authority is written to that file, and stays."""
    with start_server("--ca-file", str(tmp_path / "ca.pem")) as server:
        assert read_announcement(server)["ca_file"] == str(tmp_path / "ca.pem")
    assert [each.name for each in tmp_path.iterdir()] == ["ca.pem"]


@pytest.mark.parametrize("missing", ["nothing", "uvloop"])
def test_connections_do_not_hold_up_the_end(missing: str) -> None:
    """After SIGTERM, the server does not wait for open connections, with uvloop and without."""
    # It would wait for three seconds. Other programs may keep the cores busy for some of them.
    assert any(measure_end(run_without(missing)) < 3 for _ in range(5))


def measure_end(module: Sequence[str]) -> float:
    """Return how many seconds a server with open connections runs on after SIGTERM."""
    with ExitStack() as stack:
        server = stack.enter_context(start_server(module=module))
        line = read_announcement(server)
        httpx.post(f"{line['control_url']}/faults", json={"operation": "*", "delay": 60}).raise_for_status()
        opened = [stack.enter_context(connect(line["host"])) for _ in range(3)]
        stack.enter_context(connect_through_proxy(line))
        delayed = stack.enter_context(connect_through_proxy(line))
        delayed.sendall(REQUEST)
        opened[0].sendall(b"CONNECT api")
        opened[1].sendall(b"CONNECT api.pinecone.io:443 HTTP/1.1\r\n\r\n")
        httpx.get(f"{line['control_url']}/health", timeout=SECONDS).raise_for_status()
        started = time.monotonic()
        server.terminate()
        server.communicate(timeout=SECONDS)
        assert server.returncode == 0
        return time.monotonic() - started


def test_without_its_extra_it_says_how_to_install_it() -> None:
    """Without trustme, the error names the extras."""
    code = "import sys; sys.modules['trustme'] = None; from pinecone_admin.emulator.__main__ import main"
    command = [sys.executable, "-c", f"{code}; sys.exit(main(['--tls']))"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'trustme is not installed: in a checkout, run pip install ".[emulator,tls]"\n'


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--tls-port", "443"], "a COMMAND, --tls-port and --ca-file require --tls"),
        (["--ca-file", "ca.pem"], "a COMMAND, --tls-port and --ca-file require --tls"),
        (["--", "true"], "a COMMAND, --tls-port and --ca-file require --tls"),
    ],
)
def test_options_that_need_tls(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Options of TLS without it, and a missing command, are errors."""
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"{reason}; --help lists the options\n"


def run_in_namespace(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in namespaces."""
    require_namespaces()
    return subprocess.run(
        [*MODULE, "--", *command],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_command_in_a_namespace_reaches_the_emulator() -> None:
    """A command reaches the emulator at the production addresses, as the same user, and its exit status is returned."""
    program = """
import os, sys
from pinecone_admin import Admin
with Admin() as admin:
    print(admin.projects.create(name="search").name, os.getuid())
sys.exit(7)
"""
    outside = {
        "HTTPS_PROXY": "http://192.0.2.1",
        "all_proxy": "http://192.0.2.1",
        "PINECONE_ACCESS_TOKEN": "from-elsewhere",
        "PINECONE_CONTROLLER_HOST": "https://192.0.2.1",
        "PINECONE_OAUTH_URL": "https://192.0.2.1",
    }
    done = run_in_namespace(sys.executable, "-c", program, **outside)
    assert (done.returncode, done.stdout, done.stderr) == (7, f"search {os.getuid()}\n", "")


def test_nothing_leaves_a_namespace() -> None:
    """In a namespace, no other address is reached by TCP or UDP, and no other name is found."""
    program = """
import socket, subprocess
def connect(): socket.create_connection(("192.0.2.1", 443), timeout=20)
def send(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("192.0.2.1", 53))
def look_up(): socket.getaddrinfo("example.com", 443)
def restore(): subprocess.run(["umount", "/etc/hosts"], check=True, stderr=subprocess.DEVNULL)
for attempt in (connect, send, look_up, restore):
    try:
        attempt()
        print(attempt.__name__, "succeeded")
    except (OSError, subprocess.CalledProcessError) as error:
        print(type(error).__name__, getattr(error, "errno", None))
print([each for _, each in socket.if_nameindex()], socket.gethostbyname("api.pinecone.io"))
"""
    done = run_in_namespace(sys.executable, "-c", program)
    connected, sent, found, restored, last = done.stdout.splitlines()
    assert (connected, sent) == ("OSError 101", "OSError 101")  # the network is unreachable
    assert found.startswith("gaierror ")
    assert restored.startswith("CalledProcessError")
    assert last == "['lo'] 127.0.0.1"


def test_a_command_in_a_namespace_ends_with_the_emulator() -> None:
    """SIGTERM ends the command, whose end by a signal is reported as a shell does."""
    require_namespaces()
    with start_server("--", sys.executable, "-c", "import time; print('{}', flush=True); time.sleep(600)") as server:
        read_announcement(server)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=SECONDS) == 128 + signal.SIGTERM


def test_a_command_that_does_not_exist() -> None:
    """A command that cannot be found exits with 127, as in a shell."""
    done = run_in_namespace("no-such-command")
    assert done.returncode == 127
    assert "no-such-command" in done.stderr


def test_where_namespaces_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without namespaces, the command is not run, and the error says what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    marker = tmp_path / "ran"
    command = ["--tls", "--", sys.executable, "-c", f"open({str(marker)!r}, 'w')"]
    assert main(command) == 1
    program = tmp_path / "unshare"
    program.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2; exit 1\n")
    program.chmod(0o755)
    assert main(command) == 1
    assert capsys.readouterr().err == (
        "a command needs the namespaces of Linux and the program unshare of util-linux\n"
        "this machine refuses namespaces: unshare failed: Operation not permitted\n"
    )
    assert not marker.exists()
