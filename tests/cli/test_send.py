"""``send``: requests that no other command covers."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import httpx
import pytest

from pinecone_admin.cli.main import main
from pinecone_admin.cli.session import Session
from tests.cli.command_line import example_organization, run
from tests.cli.secret_makers import intercepted


def test_any_request_can_be_sent() -> None:
    """A path with a query, a body from the command line or standard input, and an empty response work."""
    with example_organization() as emulator:
        users = run("send", "get", "/admin/users?email=ada%40example.com")
        made = run("send", "POST", "/admin/projects", "--body", '{"name": "docs"}', "--yes")
        id = made.json["id"]
        renamed = run("send", "PATCH", f"/admin/projects/{id}", "--body", "-", "--yes", stdin='{"name": "pages"}')
        gone = run("send", "DELETE", f"/admin/projects/{id}", "--confirm", id)
        missing = run("send", "GET", f"/admin/projects/{id}")
        assert [each.name for each in emulator.state.projects.values()] == ["search", "empty"]
    assert [each["email"] for each in users.json["data"]] == ["ada@example.com"]
    assert renamed.json["name"] == "pages"
    assert (gone.exit, gone.stdout, gone.stderr) == (0, "", "")
    assert missing.exit == 4


def test_a_delete_wants_the_last_segment_of_its_path() -> None:
    """A DELETE needs the id typed or confirmed, other changes need --yes, and a read needs neither."""
    with example_organization() as emulator:
        id = next(each.id for each in emulator.state.projects.values() if each.name == "empty")
        path = f"/admin/projects/{id}"
        codes = [
            run("send", "DELETE", path).exit,
            run("send", "DELETE", path, "--yes").exit,
            run("send", "DELETE", path, "--confirm", "empty").exit,
            run("send", "DELETE", path, terminal=True, stdin="empty\n").exit,
            run("send", "PATCH", path, "--body", '{"name": "x"}').exit,
            run("send", "POST", "/admin/projects", "--body", '{"name": "x"}', "--read-only", "--yes").exit,
        ]
        preview = run("send", "DELETE", path, "--dry-run")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}
        asked = run("send", "DELETE", path, terminal=True, stdin=f"{id}\n")
        assert id not in emulator.state.projects
    assert codes == [2, 2, 2, 130, 2, 2]
    assert preview.json["would_do"] == [{"operation": "send", "method": "DELETE", "path": path, "body": None}]
    assert asked.exit == 0


def test_a_secret_is_made_only_if_it_will_be_seen() -> None:
    """A request that makes a secret is refused without --reveal, before it is sent; with it, the secret is shown."""
    body = ("--body", '{"name": "docs"}', "--yes")
    with example_organization() as emulator:
        refused = run("send", "POST", "/admin/service-accounts", *body)
        assert list(emulator.requests) == []
        made = run("send", "POST", "/admin/service-accounts", *body, "--reveal")
        secret = made.json["client_secret"]
        project = next(iter(emulator.state.projects))
        read = run("send", "GET", f"/admin/projects/{project}/api-keys")
        queried = run("send", "POST", "/admin/service-accounts", *body, "--reveal", "--query", "id")
    assert (refused.exit, queried.exit) == (2, 2)
    assert "--reveal" in refused.stderr
    assert secret not in made.stderr
    assert read.exit == 0


def test_a_secret_that_nobody_reads_is_rescued(monkeypatch: pytest.MonkeyPatch) -> None:
    """If standard output is closed, the response is in a file of mode 0600 that the error names, and the code is 9."""

    def write(_session: Session, _value: object) -> None:
        raise BrokenPipeError

    words = ("send", "POST", "/admin/service-accounts", "--body", '{"name": "docs"}', "--yes", "--reveal")
    with example_organization() as emulator:
        home = Path(os.environ["HOME"])
        assert run(*words).exit == 0
        assert list(home.rglob("*rescue*")) == []
        monkeypatch.setattr(Session, "write", write)
        done = run(*words)
        (file,) = home.rglob("*rescue*")
        rescued, mode = json.loads(file.read_text()), stat.S_IMODE(file.stat().st_mode)
        accounts = [each.client_id for each in emulator.state.service_accounts.values()]
    assert rescued["service_account"]["client_id"] == accounts[-1]
    assert (done.exit, mode) == (9, 0o600)
    assert str(file) in done.stderr
    assert rescued["client_secret"] not in done.stderr


def test_a_secret_is_not_made_if_it_could_not_be_rescued(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any folder for a rescue file, nothing is sent."""
    with example_organization() as emulator:
        (Path(os.environ["HOME"]) / ".local").write_text("no folder")
        monkeypatch.setattr("tempfile.tempdir", "/proc")
        done = run("send", "POST", "/admin/service-accounts", "--body", '{"name": "docs"}', "--yes", "--reveal")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}
    assert (done.exit, len(done.stderr.splitlines())) == (2, 1)


def test_requests_that_are_malformed_are_not_sent(tmp_path: Path) -> None:
    """A wrong path, method, query or body ends in one line with exit code 2, and the server sees nothing."""
    (tmp_path / "body.json").write_text(json.dumps({"name": "x"})[:-1])
    with example_organization() as emulator:
        for words in (
            ("TRACE", "/admin/users"),
            ("GET", "admin/users"),
            ("GET", "https://api.pinecone.io/admin/users"),
            ("GET", "/admin/../users"),
            ("GET", "/admin/users?x"),
            ("GET", "/admin/users", "--body", "{}"),
            ("POST", "/admin/projects", "--body", f"@{tmp_path}/body.json", "--yes"),
            ("POST", "/admin/projects", "--body", f"@{tmp_path}/none.json", "--yes"),
            ("POST", "/admin/projects", "--body", "{", "--yes"),
        ):
            done = run("send", *words)
            assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), (words, done)
        assert list(emulator.requests) == []


def test_a_secret_is_not_made_for_a_stdout_that_is_closed() -> None:
    """Where a program has no stdout, the null device takes its place, and a secret would be lost in it."""
    words = ("send", "POST", "/admin/service-accounts", "--body", '{"name": "docs"}', "--yes", "--reveal")
    with example_organization() as emulator, Path(os.devnull).open("w") as nowhere:
        with mock.patch.object(sys, "stdout", nowhere):
            assert main(words) == 2
        assert list(emulator.requests) == []


def test_a_response_with_a_secret_that_cannot_be_read_is_kept() -> None:
    """Nothing but the response has the secret, so it goes to a rescue file that the error names."""
    damaged = httpx.Response(201, headers={"content-type": "application/json"}, content=b'{"client_secret": "s1')

    def damage(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        response = handle()
        return damaged if request.method == "POST" else response

    with example_organization(), intercepted(damage):
        done = run("send", "POST", "/admin/service-accounts", "--body", '{"name": "docs"}', "--yes", "--reveal")
        (file,) = Path(os.environ["HOME"]).rglob("*rescue*")
        kept = file.read_text()
    assert (done.exit, kept) == (6, '{"client_secret": "s1')
    assert str(file) in done.stderr


def test_an_interrupted_request_says_whether_it_was_made() -> None:
    """Ctrl-C waits for the response to a change, and the last line says what it was."""

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        response = handle()
        if request.method == "POST":
            os.kill(os.getpid(), signal.SIGINT)
        return response

    with example_organization(), intercepted(interrupt):
        done = run("send", "POST", "/admin/projects", "--body", '{"name": "docs"}', "--yes")
    assert (done.exit, done.stderr) == (130, "error: interrupted; POST /admin/projects was done\n")
