"""``send``: requests that no other command covers."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import httpx

from pinecone_admin.emulator import Emulator
from tests.cli.command_line import example_organization, run
from tests.cli.secret_makers import intercepted, live_secrets


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
            run("send", "DELETE", path, "--confirm", "empty", "--dry-run").exit,
            run("send", "DELETE", path, terminal=True, stdin="empty\n").exit,
            run("send", "PATCH", path, "--body", '{"name": "x"}').exit,
            run("send", "POST", "/admin/projects", "--body", '{"name": "x"}', "--read-only", "--yes").exit,
        ]
        preview = run("send", "DELETE", path, "--dry-run")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}
        asked = run("send", "DELETE", path, terminal=True, stdin=f"{id}\n")
        assert id not in emulator.state.projects
    assert codes == [2, 2, 2, 2, 130, 2, 2]
    assert preview.json["would_do"] == [{"operation": "send", "method": "DELETE", "path": path, "body": None}]
    assert asked.exit == 0


def test_a_dry_run_of_a_get_sends_it() -> None:
    """A GET changes nothing, so its dry run shows the response, and sends nothing else to the API but reads."""
    with example_organization() as emulator:
        done = run("send", "GET", "/admin/projects", "--dry-run")
        assert {project["name"] for project in done.json["data"]} == {"search", "empty"}
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}


def secret_requests(emulator: Emulator) -> dict[str, list[str]]:
    """Return every request that makes a secret, by the kind of the secret, as words after ``send``."""
    project, account = next(iter(emulator.state.projects)), list(emulator.state.service_accounts)[-1]
    body = ("--body", '{"name": "docs"}')
    return {
        "key": ["POST", f"/admin/projects/{project}/api-keys", *body, "--yes"],
        "account": ["POST", "/admin/service-accounts", *body, "--yes"],
        "rotation": ["POST", f"/admin/service-accounts/{account}/rotate-secret", "--yes"],
    }


def test_a_secret_is_made_only_if_it_has_somewhere_to_go(tmp_path: Path) -> None:
    """A request that makes a secret is refused before it is sent, unless --store or --reveal says where it goes."""
    wrong: tuple[list[str], ...] = (
        [],
        ["--store", "file:x", "--reveal"],
        ["--store", f"file:{tmp_path}/missing/x"],
        ["--store", "exec:no-such-command-anywhere"],
        ["--reveal", "--query", "id"],
    )
    with example_organization() as emulator:
        for kind, words in secret_requests(emulator).items():
            for options in wrong:
                done = run("send", *words, *options)
                assert (done.exit, done.stdout) == (2, ""), (kind, options)
                assert "--store" in done.stderr or "--reveal" in done.stderr
        other = run("send", "POST", "/admin/projects", "--body", '{"name": "x"}', "--store", "file:x", "--yes")
        assert (other.exit, "so --store has no place here" in other.stderr) == (2, True)
        assert list(emulator.requests) == []
        for words in secret_requests(emulator).values():
            assert run("send", *words, "--dry-run").exit == 0


def test_a_secret_of_a_request_is_stored_or_shown(tmp_path: Path) -> None:
    """The store gets the valid secret and the output does not; with --reveal, the output has it."""
    with example_organization() as emulator:
        for kind, words in secret_requests(emulator).items():
            for options in (["--store", f"env-file:{tmp_path}/{kind}#SECRET"], ["--reveal"]):
                before = live_secrets(emulator)
                done = run("send", *words, *options)
                (secret,) = live_secrets(emulator) - before
                assert (done.exit, done.stderr) == (0, ""), (kind, options)
                assert (secret in done.stdout) == (options == ["--reveal"])
                assert "--store" not in options or f"SECRET={secret}\n" in (tmp_path / kind).read_text()
                assert done.json


def test_a_secret_that_send_does_not_know_is_masked_with_a_warning() -> None:
    """What another path makes is done by then, so that the command says what the output does not have."""
    words = ("POST", "/admin/projects", "--body", '{"name": "new"}', "--yes")
    with example_organization() as emulator:
        emulator.faults.add(status=201, body={"client_secret": "canary"}, times=None, method="POST", path=words[1])
        emulator.faults.add(status=200, body={"client_secret": "canary"}, method="GET")
        done, revealed = run("send", *words), run("send", *words, "--reveal")
        read = run("send", "GET", "/admin/projects")
    assert (done.exit, done.json, read.json) == (0, {"client_secret": "***"}, {"client_secret": "***"})
    assert done.stderr.startswith("A secret of the response is masked, and may be shown only once.")
    assert (revealed.exit, revealed.stderr, read.stderr) == (0, "", "")
    assert revealed.json == {"client_secret": "canary"}


def test_a_secret_of_a_request_that_is_not_stored_is_not_lost() -> None:
    """If the store fails, what was created is deleted again; a replaced secret is in a file that the error names."""
    with example_organization() as emulator:
        for kind, words in secret_requests(emulator).items():
            before = live_secrets(emulator)
            done = run("send", *words, "--store", "exec:false")
            made = live_secrets(emulator) - before
            rescued = list(Path(os.environ["HOME"]).rglob("*rescue*"))
            assert done.exit == (9 if kind == "rotation" else 1), kind
            if kind == "rotation":
                (secret,), (file,) = made, rescued
                assert secret in file.read_text()
                assert str(file) in done.stderr
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
            else:
                assert (made, rescued) == (set(), []), kind


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
    assert done.exit == 130
    assert re.fullmatch(r"error: Interrupted. POST /admin/projects [\w-]+ was carried out.\n", done.stderr)
