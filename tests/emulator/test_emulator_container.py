"""The emulator beside containers: advertised addresses, fixed credentials, health, and the files in docs/container."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from pinecone_admin import Admin
from pinecone_admin.emulator.__main__ import main

SECONDS = 60
ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "docs/container"
DOCKERFILE = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
SERVICES = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))["services"]
ID, SECRET = "PINECONE_EMULATOR_CLIENT_ID", "PINECONE_EMULATOR_CLIENT_SECRET"


@contextmanager
def start_server(*arguments: str, **variables: str) -> Iterator[dict[str, str]]:
    """Start an emulator, yield what it announces, and end it afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", "pinecone_admin.emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=os.environ | variables,
    ) as server:
        try:
            assert server.stdout
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()


def find_free_port() -> int:
    """Return a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def log_in(host: str, line: Mapping[str, str]) -> httpx.Response:
    """Exchange the announced credentials for a token."""
    credentials = {name: line[name] for name in ("client_id", "client_secret")}
    fields = {"grant_type": "client_credentials", "audience": "https://api.pinecone.io/"}
    return httpx.post(f"{host}/oauth/token", json=credentials | fields)


def test_an_advertised_url_is_announced_and_returned() -> None:
    """With --advertise-url, all that is announced has this URL, and the health route returns it to other hosts, too."""
    port = find_free_port()
    remote = ("--host=0.0.0.0", "--allow-remote", f"--port={port}")
    with start_server(*remote, "--advertise-url=http://emulator:8080/") as line:
        urls = {name: line[name] for name in ("host", "oauth_url")}
        assert urls == {"host": "http://emulator:8080", "oauth_url": "http://emulator:8080/oauth/token"}
        assert line["control_url"] == "http://emulator:8080/_emulator"
        health = httpx.get(f"http://127.0.0.1:{port}/_emulator/health", headers={"host": "emulator:8080"})
        assert (health.status_code, health.json()) == (200, urls)


@pytest.mark.parametrize(
    "url", ["emulator:8080", "ftp://emulator", "http://", "http://a/b", "http://u:p@a", "http://a?b"]
)
def test_what_is_advertised_is_a_url(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything but a URL without a path and credentials is refused."""
    assert main(["--advertise-url", url]) == 2
    reason = "it must be like http://emulator:8080, without credentials and path"
    assert capsys.readouterr().err == f"--advertise-url: {reason}; --help lists the options\n"


def test_credentials_are_fixed_by_variables_options_and_files(tmp_path: Path) -> None:
    """The owner's credentials are those of the variables or options, or in the files that they name."""
    (tmp_path / "secret").write_text("from-a-file\n")
    state, file = tmp_path / "state.json", f"@{tmp_path / 'secret'}"
    for arguments, variables, expected in (
        ((), {ID: "tests", SECRET: "from-a-variable"}, ("tests", "from-a-variable")),
        ((f"--client-secret={file}",), {ID: "tests", SECRET: "another"}, ("tests", "from-a-file")),
        (("--client-id=option",), {SECRET: file}, ("option", "from-a-file")),
    ):
        with start_server("--state", str(state), *arguments, **variables) as line:
            assert (line["client_id"], line["client_secret"]) == expected
            httpx.post(f"{line['control_url']}/reset").raise_for_status()
            assert log_in(line["host"], line).status_code == 200


@pytest.mark.parametrize("value", ["", "two words", "ü", "@none"])
def test_credentials_that_no_client_could_send_are_refused(
    value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials with other characters, and files that do not exist, are refused without the value in the message."""
    for arguments, variable in ((["--client-secret", value], None), ([], value)):
        if variable is not None:
            monkeypatch.setenv(SECRET, variable)
        assert main(arguments) == 2
        reason = (
            "cannot read the file: No such file or directory"
            if value == "@none"
            else "it must be visible ASCII characters"
        )
        assert capsys.readouterr().err == f"--client-secret: {reason}; --help lists the options\n"


def test_a_client_finds_the_emulator_behind_a_published_port() -> None:
    """As with docker run or testcontainers: the address is another one, and the credentials are chosen."""
    port = find_free_port()
    with start_server("--host=0.0.0.0", "--allow-remote", f"--port={port}", **{ID: "tests", SECRET: "chosen"}):
        host = f"http://localhost:{port}"
        assert httpx.get(f"{host}/_emulator/health").status_code == 200
        with Admin(host=host, oauth_url=f"{host}/oauth/token", client_id="tests", client_secret="chosen") as admin:
            assert admin.projects.list() == []


def read_instruction(name: str) -> str:
    """Return the last instruction of a name in the Dockerfile."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{name} ")][-1]


@pytest.mark.parametrize("way", ["Dockerfile", "compose.yaml"])
def test_what_the_container_runs_serves_both_names(way: str, tmp_path: Path) -> None:
    """The commands of the image and of the compose file serve HTTP, health and TLS, here on other ports."""
    emulator = SERVICES["emulator"]
    words = json.loads(read_instruction("CMD")) if way == "Dockerfile" else emulator["command"]
    python, *command = list[str]([*json.loads(read_instruction("ENTRYPOINT")), *words])
    variables = {} if way == "Dockerfile" else emulator["environment"] | {SECRET: "chosen"}
    replaced = {"8080": str(find_free_port()), "443": str(find_free_port()), "/certificates": str(tmp_path)}
    for old, new in replaced.items():
        command = [
            word.replace(f"port={old}", f"port={new}").replace("=/certificates", f"={tmp_path}") for word in command
        ]
    assert (python, command[:2]) == ("python", ["-m", "pinecone_admin.emulator"])
    with start_server(*command[2:], **variables) as line:
        check = json.loads(read_instruction("HEALTHCHECK").partition("CMD ")[2])
        program = check[2].replace(":8080", f":{replaced['8080']}")
        assert subprocess.run([sys.executable, "-c", program], timeout=SECONDS, check=False).returncode == 0
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        for name in ("api.pinecone.io", "login.pinecone.io"):
            with socket.create_connection(("127.0.0.1", int(replaced["443"])), timeout=SECONDS) as connection:
                context.wrap_socket(connection, server_hostname=name).close()
        if way == "compose.yaml":
            assert (line["client_id"], line["client_secret"]) == ("tests", "chosen")
            assert line["control_url"] == SERVICES["tests"]["environment"]["PINECONE_EMULATOR_CONTROL_URL"]


def test_containers_reach_nothing_but_the_emulator() -> None:
    """In the compose file, the production names are those of the emulator, and the network has no way out."""
    (network,) = SERVICES["emulator"]["networks"]
    assert SERVICES["emulator"]["networks"][network]["aliases"] == ["api.pinecone.io", "login.pinecone.io"]
    assert SERVICES["tests"]["networks"] == [network]
    networks = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))["networks"]
    assert networks == {network: {"internal": True}}
    trusted = {name for name, value in SERVICES["tests"]["environment"].items() if value == "/certificates/ca.pem"}
    assert trusted == {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}


def test_the_image_runs_without_root_and_build_tools() -> None:
    """The last stage installs nothing, removes pip, and runs as a user who is not root."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "pip install" not in last
    assert "pip uninstall --yes" in last
    assert int(read_instruction("USER")) > 0
