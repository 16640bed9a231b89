"""The audit log: a line for each change that was sent, and never a secret."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin.cli.calls.audit_log import AuditLog
from pinecone_admin.cli.calls.clients import ChangeRecorder
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.operations import Operation
from pinecone_admin.workflows.sent_changes import SentChange, find_ids
from tests.cli.command_line import example_organization, limit_file_size, run
from tests.cli.example_runs import run_examples

DELETE = Operation(
    id="delete_project",
    method="DELETE",
    path="/admin/projects/{project_id}",
    returns=None,
    path_parameters={"project_id": "p"},
)


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_change_has_a_line_with_its_ids_and_outcome(tmp_path: Path) -> None:
    """Reads, dry runs and what is refused before it is sent have none; the ids of the requests are the server's."""
    path = tmp_path / "audit.jsonl"
    log = ["--audit-log", str(path)]
    with example_organization() as emulator:
        made = run("api-key", "create", "writer", "--project", "search", "--reveal", "--yes", *log).json
        assert run("project", "list", *log).exit == 0
        assert run("project", "delete", "search", "--dry-run", *log).exit == 0
        assert run("project", "delete", "search", "--read-only", "--yes", *log).exit == 2
        assert run("project", "create", "", "--yes", *log).exit == 2
        refused = run("project", "delete", "search", "--confirm", "search", *log)
        emulator.faults.add("create_project", drop="after")
        lost = run("project", "create", "docs", "--yes", *log)
        assert (refused.exit, lost.exit) == (5, 6)
        rotated = run(
            "api-key", "rotate", "writer", "--project", "search", "--keep-old-for", "0", "--reveal", "--yes", *log
        )
        assert rotated.exit == 0
        request_ids = {each.request_id for each in emulator.requests}
        client_id = emulator.client_id
    entries = read_entries(path)
    project_id = made["project_id"]
    assert [(each["operation"], each["outcome"], each["status"]) for each in entries[:3]] == [
        ("create_api_key", "done", 200),
        ("delete_project", "rejected", 412),
        ("create_project", "unknown", None),
    ]
    assert entries[0]["ids"] == {"project_id": project_id, "id": made["id"]}
    assert entries[0]["request"] == "POST /admin/projects/{project_id}/api-keys"
    assert (entries[1]["ids"], entries[1]["error_code"]) == ({"project_id": project_id}, "FAILED_PRECONDITION")
    assert {each["operation"] for each in entries[3:]} == {"create_api_key", "delete_api_key", "update_api_key"}
    assert {each["who"]["client_id"] for each in entries} == {client_id}
    assert {each["request_id"] for each in entries} - {None} <= request_ids
    assert all(datetime.fromisoformat(each["time"]).tzinfo == UTC for each in entries)
    assert made["value"] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_line_has_the_change_with_its_roles_and_names(tmp_path: Path) -> None:
    """Nothing can look up what was deleted or revoked later, so the line has what it was, also of an id."""
    path = tmp_path / "audit.jsonl"
    assert [each.done for each in run_examples("--audit-log", str(path)) if each.done.exit] == []
    with example_organization() as emulator:
        (viewer,) = run("role", "list", "--user", "ada@example.com", "--role", "ProjectViewer").json
        for words in (("role", "revoke", viewer["id"]), ("api-key", "delete", *emulator.state.api_keys)):
            assert run(*words, "--yes", "--audit-log", str(path)).exit == 0
    *lines, revoked, deleted = read_entries(path)
    changes = [each["change"] for each in lines]
    # A temporary key has only a temporary name.
    assert all(each["target"].get("name") or each["settings"]["name"].startswith("~") for each in changes)
    granted = next(
        each for each in changes if each["action"] == "grant" and each["roles"][0]["role"] == "ProjectEditor"
    )
    assert (granted["action"], granted["target"]["name"]) == ("grant", "ada@example.com")
    assert [(each["role"], each["project"]["name"]) for each in granted["roles"]] == [("ProjectEditor", "search")]
    assert revoked["change"]["target"]["name"] == "user:ada@example.com:search:ProjectViewer"
    assert deleted["change"]["target"]["name"] == "reader"


def test_ids_are_found_by_their_names_only() -> None:
    """A request that was built by hand is searched, too; a field that is no id is not written."""
    by_hand = Operation(
        id="post",
        method="POST",
        path="/x",
        returns=None,
        body={"principal_id": "u", "name": "canary", "id": 3, "key_id": None},
    )
    assert find_ids(by_hand) == {"principal_id": "u"}
    assert find_ids(DELETE, {"id": "made\n", "value": "canary"}) == {"project_id": "p", "id": "made\\u000a"}


def test_an_interrupted_change_has_a_line() -> None:
    """Its state is unknown. The same holds for a request that has not ended at the end of the command."""
    settled: list[SentChange] = []
    ledger = Ledger()
    ledger.on_settled = settled.append
    recorder = ChangeRecorder(ledger, Interruptions(print, ledger))

    def interrupt(_: Operation[None]) -> None:
        raise KeyboardInterrupt

    def end_before(_: Operation[None]) -> None:
        ledger.close()

    with pytest.raises(KeyboardInterrupt):
        recorder.send(interrupt, DELETE, lambda _: None)
    assert [each.outcome for each in settled] == ["unknown"]
    recorder.send(end_before, DELETE, lambda _: None)
    assert settled == ledger.changes


@pytest.mark.parametrize(("name", "target"), [("add_policy_member", None), ("rotate_policy_secret", "p")])
def test_a_change_that_creates_is_about_nothing_that_exists(name: str, target: str | None) -> None:
    """A created resource has no id yet, so only the operation identifies a lost create."""
    ledger = Ledger()
    path = "/admin/policies/{policy_id}"
    operation = Operation(id=name, method="POST", path=path, path_parameters={"policy_id": "p"}, returns=None)
    ChangeRecorder(ledger, Interruptions(print, ledger)).send(lambda _: None, operation, lambda _: None)
    assert [each.target for each in ledger.changes] == [target]


def test_a_user_without_a_name_is_recorded_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container, an account often has no entry."""
    path = tmp_path / "audit.jsonl"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    with example_organization() as emulator:
        assert run("project", "create", "docs", "--yes", "--audit-log", str(path)).exit == 0
    assert read_entries(path)[0]["who"] == {"client_id": emulator.client_id, "user": None}


def test_several_processes_append_whole_lines(tmp_path: Path) -> None:
    """Lines that several processes write at once are not mixed and not lost."""
    path = tmp_path / "audit.jsonl"
    program = (
        "import sys; from pinecone_admin.cli.calls.audit_log import AuditLog; "
        "log = AuditLog(sys.argv[1], on_failure=sys.exit); "
        "[log.append(sys.argv[2] * 600 + chr(10)) for _ in range(200)]"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(path), letter]) for letter in "ab"]
    assert [each.wait(60) for each in processes] == [0, 0]
    lines = path.read_text().splitlines()
    assert sorted(lines) == ["a" * 600] * 200 + ["b" * 600] * 200


def test_a_log_that_cannot_be_written_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """A missing folder, a folder, and a file that others can write end with exit code 2; a full disk as elsewhere."""
    shared = tmp_path / "shared"
    shared.touch(mode=0o600)
    shared.chmod(0o660)
    with example_organization() as emulator:
        for path in (tmp_path / "absent" / "audit", tmp_path, shared, "/dev/full", "a\0b"):
            done = run("project", "create", "docs", "--yes", "--audit-log", str(path))
            code = 7 if path == "/dev/full" else 2
            assert (done.exit, "--audit-log" in done.stderr, len(done.stderr.splitlines())) == (code, True, 1), done
            assert ("[exit-7]" in done.stderr) == (code == 7), done
        assert len(emulator.requests) == 0


def test_a_change_that_was_never_sent_has_no_line(tmp_path: Path) -> None:
    """Without a token, or on a read-only session, nothing is sent."""
    path = tmp_path / "audit.jsonl"
    for env in ({"PINECONE_CLIENT_SECRET": "wrong"}, {"PINECONE_ADMIN_READ_ONLY": "1"}):
        with example_organization() as emulator:
            done = run("project", "create", "docs", "--yes", "--audit-log", str(path), env=env)
            assert done.exit in {2, 3}, done
            assert {each.operation_id for each in emulator.requests} <= {"get_token"}
        assert path.read_text() == "", env


def test_a_change_that_cannot_be_recorded_is_told_on_stderr(tmp_path: Path) -> None:
    """The result is still shown, the line goes to stderr, and the exit code shows that a part is missing."""
    path = tmp_path / "audit.jsonl"
    path.write_text("x" * 1000)
    path.chmod(0o600)
    with example_organization(), limit_file_size(1010):
        done = run("project", "create", "docs", "--yes", "--audit-log", str(path))
    assert (done.exit, done.json["name"]) == (9, "docs")
    assert '"operation": "create_project"' in done.stderr
    with example_organization():
        assert run("project", "create", "docs", "--yes", "--audit-log", str(path)).exit == 0
    assert json.loads(path.read_text().splitlines()[-1])["operation"] == "create_project"
    log = AuditLog(str(tmp_path / "other"), on_failure=pytest.fail)
    (tmp_path / "other").chmod(0o666)
    with pytest.raises(pytest.fail.Exception, match="could not be written to"):
        log.append("{}\n")
    with pytest.raises(CLIError, match="can be written by others"):
        AuditLog(str(tmp_path / "other"), on_failure=pytest.fail)


@pytest.mark.long
def test_no_command_ends_as_done_if_an_entry_of_a_change_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit code of 0 becomes 9, whatever chooses it."""

    def write(_log: AuditLog, line: bytes) -> None:
        if line:  # not the one with which a log is tried
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(AuditLog, "_write", write)
    examples = run_examples("--audit-log", str(tmp_path / "audit.jsonl"))
    losing = {
        each.spec.full_name: each.done.exit
        for each in examples
        if "This entry could not be written to" in each.done.stderr
    }
    assert {"api-key identify", "user offboard", "each", "run"} <= losing.keys()
    assert set(losing.values()) == {9}, losing
