"""What the commands say where they cannot work, and what they read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import read_spec

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "basename", "cat", "dirname", "sha256sum")
REFUSALS = {
    "too old": ("exit 1", "Python 3.11 or newer is needed, and none was found as: python3"),
    "without venv": ('case "$2" in *ensurepip*) exit 1;; esac', "python3 has no venv module"),
}


@pytest.mark.parametrize("command", ["quickstart", "test"])
@pytest.mark.parametrize(("answer", "line"), REFUSALS.values(), ids=REFUSALS)
def test_a_python_that_will_not_do_is_named(command: str, answer: str, line: str, tmp_path: Path) -> None:
    """On a machine with no other Python, one line says what is missing and how to get it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    python = folder / "python3"
    python.write_text(f"#!{folder}/bash\n{answer}\n")
    python.chmod(0o755)
    scripts = tmp_path / "clone/scripts"
    shutil.copytree(ROOT / "scripts", scripts)
    done = subprocess.run(
        [folder / "bash", scripts / command], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert done.stderr.startswith(f"{command}: {line}")


class Documents(BaseHTTPRequestHandler):
    """Serves one document, and nothing else."""

    def do_GET(self) -> None:
        """Give our own API document, or 404."""
        found = self.path == "/admin.yaml"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write((ROOT / "openapi/admin.yaml").read_bytes() if found else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Generator[str, None, None]:
    """Serve documents on a free loopback port."""
    with HTTPServer(("127.0.0.1", 0), Documents) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run read_spec from the command line."""
    monkeypatch.setattr("sys.argv", ["read_spec.py", *arguments])
    return read_spec.main()


def test_a_document_is_read_from_a_url(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Byte by byte, as from a path."""
    output = tmp_path / "spec"
    assert main(monkeypatch, f"{address}/admin.yaml", str(output)) == 0
    assert output.read_bytes() == (ROOT / "openapi/admin.yaml").read_bytes()


def test_a_url_that_gives_nothing_ends_in_one_line(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A status that is no success is not a document, and neither is an address where nobody listens."""
    for spec in (f"{address}/other.yaml", "http://127.0.0.1:1/admin.yaml"):
        assert main(monkeypatch, spec, str(tmp_path / "spec")) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{spec} cannot be read: ")
    assert list(tmp_path.iterdir()) == []
