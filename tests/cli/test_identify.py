"""``api-key identify``: a value from stdin or a hidden prompt, and an exit code for what it shows."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import APIKeyRecord
from tests.cli.command_line import example_organization, run
from tests.cli.terminals import read_piece, start_on_terminal


def make_key(emulator: Emulator) -> APIKeyRecord:
    """Create a key that may list indexes, and forget the requests."""
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        made = admin.api_keys.create(project_id=project.id, name="leaked", roles=["ProjectViewer"])
    emulator.requests.clear()
    return emulator.state.api_keys[made.key.id]


def test_the_exit_code_shows_whether_the_value_is_accepted() -> None:
    """0, 8 and 7; the value is in no output."""
    with example_organization() as emulator:
        key = make_key(emulator)
        found = run("api-key", "identify", "--project", "search", "--yes", stdin=f"{key.value}\n")
        assert (found.exit, [each["name"] for each in found.json["candidates"]]) == (0, ["leaked"])
        table = run("api-key", "identify", "--output", "table", stdin=key.value)
        assert (table.exit, "the value was accepted at" in table.stdout) == (0, True)
        bare = run("api-key", "identify", "--output", "table", stdin="pcsk_bare")
        assert bare.stdout.startswith("the value has no label, which the console may show beside a key\n"), bare
        unknown = run("api-key", "identify", stdin=f"{key.value[:-1]}")
        assert (unknown.exit, unknown.json["state"]) == (8, "not_accepted")
        emulator.faults.add("list_indexes", status=401, body="html", times=None)
        proxy = run("api-key", "identify", stdin=key.value)
        assert (proxy.exit, proxy.json["state"]) == (7, "no_response")
        for done in (found, table, unknown, proxy):
            assert key.value not in done.stdout + done.stderr


def test_a_value_is_checked_at_the_time_of_the_server_with_and_without_a_project() -> None:
    """In whole seconds; the evidence has the same time."""
    with example_organization() as emulator:
        key = make_key(emulator)
        emulator.clock.advance(18 * 86400)
        for words in ((), ("--project", "search", "--yes")):
            done = run("api-key", "identify", *words, stdin=key.value)
            checked = datetime.fromisoformat(done.json["checked_at"])
            assert (checked.microsecond, abs(emulator.clock.now() - checked) < timedelta(minutes=5)) == (0, True), done
            assert f"{checked:%Y-%m-%d %H:%M:%S} UTC" in done.stdout


def test_without_a_project_nothing_is_asked_and_nothing_is_changed() -> None:
    """A read-only session may look, too; temporary keys need consent."""
    with example_organization() as emulator:
        key = make_key(emulator)
        assert run("api-key", "identify", "--read-only", stdin=key.value).exit == 0
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}
        for words in ((), ("--read-only",)):
            refused = run("api-key", "identify", "--project", "search", *words, stdin=key.value)
            assert (refused.exit, len(emulator.state.api_keys)) == (2, 2), refused


def test_a_value_that_shows_no_index_makes_no_temporary_key_and_asks_for_none() -> None:
    """Nothing is announced or asked, and the exit code shows that no project was compared."""
    with example_organization() as emulator:
        with emulator.admin() as admin:
            project = admin.projects.describe_by_name(name="empty")
            made = admin.api_keys.create(project_id=project.id, name="k", roles=["ProjectViewer"])
            blind = admin.api_keys.create(project_id=project.id, name="blind", roles=["DataPlaneViewer"])
        emulator.requests.clear()
        reasons = {
            made.value: "The value lists no index",
            blind.value: "The roles of the value do not permit listing indexes",
        }
        for value, reason in reasons.items():
            done = run("api-key", "identify", "--project", "empty", "--project", "search", stdin=value)
            warning = f"2 projects could not be compared. {reason}, so it shows no project."
            assert (done.exit, done.json["compared"]) == (9, []), done
            assert (warning in done.stderr, "temporary" in done.stderr) == (True, False)
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}


def test_a_project_that_cannot_be_compared_is_a_part_that_is_missing() -> None:
    """Unless another project fits."""
    with example_organization() as emulator:
        key = make_key(emulator)
        projects = {each.name: each.id for each in emulator.state.projects.values()}
        path = f"/admin/projects/{projects['empty']}/api-keys"
        emulator.faults.add("create_api_key", path=path, status=403, times=None)
        words = ("api-key", "identify", "--yes", "--project", "empty")
        alone, both = run(*words, stdin=key.value), run(*words, "--project", "search", stdin=key.value)
    assert (alone.exit, "1 project could not be compared. The output shows why." in alone.stderr) == (9, True)
    assert (both.exit, both.json["compared"], len(both.json["candidates"])) == (0, [projects["search"]], 1), both


@pytest.mark.parametrize("stdin", ["", "\n", "hello", "pcsk_a b", "x" * 5000])
def test_what_is_no_value_is_refused_without_being_shown(stdin: str) -> None:
    """Exit code 2, before anything is sent."""
    with example_organization() as emulator:
        emulator.requests.clear()
        done = run("api-key", "identify", stdin=stdin)
        assert (done.exit, list(emulator.requests)) == (2, [])
        assert not stdin.strip() or stdin.strip() not in done.stderr


def test_no_local_of_the_command_shows_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of a crash may have the locals of all frames."""
    shown: list[str] = []

    def fail(*_: object, **__: object) -> None:
        frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]
        while (caller := frame.f_back) is not None:
            frame = caller
            folders = {*Path(frame.f_code.co_filename).parts}
            if folders & {"pinecone_admin", "click"} and "tests" not in folders:
                shown.extend(map(repr, frame.f_locals.values()))
        raise TimeoutError

    monkeypatch.setattr("pinecone_admin._sync.workflows.identify_key.identify_key", fail)
    with example_organization():
        run("api-key", "identify", stdin="pcsk_label_valueinnolocal")
    assert shown
    assert "valueinnolocal" not in "".join(shown)


def test_the_value_is_typed_without_being_shown(tmp_path: Path) -> None:
    """On a terminal, the command asks for it."""
    program = (
        "import sys\nfrom pinecone_admin.testing import emulate\nfrom pinecone_admin.cli.main import main\n"
        "with emulate():\n    sys.exit(main(['api-key', 'identify', '-o', 'json']))\n"
    )
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    child, terminal = start_on_terminal([sys.executable, "-c", program], env)
    shown = ""
    while "not shown): " not in shown:
        piece = read_piece(terminal)
        assert piece, shown
        shown += piece
    os.write(terminal, b"pcsk_label_typed\n")
    while piece := read_piece(terminal):
        shown += piece
    os.close(terminal)
    assert (child.wait(), "not_accepted" in shown, "pcsk_label_typed" in shown) == (8, True, False), shown
