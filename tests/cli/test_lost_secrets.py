"""Ways to lose the only copy of a secret, or to go on after an interruption."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import Run, example_organization, run
from tests.cli.secret_makers import find_files_with, intercepted, live_secrets, words_of


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all files of the commands come to the folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def emulator() -> Generator[Emulator]:
    """Emulate the organization of the examples."""
    with example_organization() as emulator:
        yield emulator


def write_private(name: str, text: str) -> Path:
    """Write a file of mode 0600."""
    path = Path(name)
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def write_accounts(emulator: Emulator, *names: str) -> None:
    """Write a file with an organization that has these service accounts."""
    accounts = [{"name": name, "roles": ["OrgMember"]} for name in names]
    Path("org.json").write_text(json.dumps({"organization": emulator.organization_id, "service_accounts": accounts}))


def make_accounts(
    emulator: Emulator, way: str, *names: str, store: str = "env-file:.env#{name}", options: Sequence[str] = ()
) -> Run:
    """Create service accounts, by default each with its secret in a variable of its name."""
    if way == "apply":
        write_accounts(emulator, *names)
        return run("apply", "org.json", "--store", store, "--yes", *options)
    Path("rows.csv").write_text("name\n" + "".join(f"{name}\n" for name in names))
    create = ("service-account", "create", "{name}", "--store", store)
    return run("each", "rows.csv", "--yes", *options, "--", *create)


@pytest.mark.parametrize("names", [("robot_ID", "robot"), ("robot", "robot_ID")], ids=["before", "after"])
@pytest.mark.parametrize("way", ["apply", "each"])
def test_the_client_id_of_an_account_replaces_no_secret(emulator: Emulator, way: str, names: tuple[str, str]) -> None:
    """Two accounts are not both created if the secret of one has the place of the other one's client id."""
    before = live_secrets(emulator)
    done = make_accounts(emulator, way, *names)
    lost = {secret for secret in live_secrets(emulator) - before if not find_files_with({secret}, Path())}
    assert not lost
    assert done.exit != 0


def test_nothing_is_said_to_be_replaced_by_the_value_of_a_key_that_does_not_exist() -> None:
    """An id is looked up before, as a name is."""
    absent = "00000000-0000-4000-8000-000000000000"
    with example_organization():
        Path(".env").write_text("KEY=pcsk_value\n")
        Path(".env").chmod(0o600)
        for key in (absent, "nothing"):
            done = run("api-key", "rotate", key, "--keep-old-for", "1d", "--store", "env-file:.env#KEY", "--yes")
            assert (done.exit, len(done.stderr.splitlines()), "replaced" in done.stderr) == (4, 1, False), done


def test_the_variable_of_the_client_id_must_be_free_too(emulator: Emulator) -> None:
    """A new account is refused before its request if its client id would replace what the file has."""
    env = write_private("b.env", "CI_ID=pcsk_the_only_copy\n")
    before = live_secrets(emulator)
    done = run("service-account", "create", "robot", "--store", "env-file:b.env#CI_SECRET", "--yes")
    assert (done.exit, live_secrets(emulator) - before) == (2, set())
    assert env.read_text() == "CI_ID=pcsk_the_only_copy\n"


@pytest.mark.usefixtures("emulator")
def test_the_variable_of_the_client_id_is_not_shown() -> None:
    """The text in the place of the client id may be the secret of another account, so no message quotes it."""
    write_private("b.env", "CI_ID=the-secret-of-another\nCI_SECRET=old\n")
    done = run("service-account", "rotate", "ci", "--store", "env-file:b.env#CI_SECRET", "--yes")
    assert (done.exit, "the-secret-of-another" in done.stderr) == (2, False), done.stderr


@contextmanager
def held_lock(path: Path) -> Generator[None, None, None]:
    """Hold the lock of a destination, as another command does that never ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("place", ["env-file:.env#KEY", "file:.env"])
def test_nothing_is_stored_without_a_lock(
    emulator: Emulator, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the lock of a file, a command is refused before its request."""
    monkeypatch.setattr("pinecone_admin.cli.output.file_locks.TIMEOUT", 0.0)
    before = live_secrets(emulator)
    with held_lock(tmp_path / "..env.pinecone-admin-lock"):
        done = run("api-key", "create", "k", "--project", "search", "--store", place, "--yes")
    assert (done.exit, live_secrets(emulator)) == (7, before), done.stderr
    assert re.search(
        r"another command is using \S+/\.env, and has not ended in time\. Nothing was changed\.", done.stderr
    )
    assert not Path(".env").exists()


def test_an_interrupted_apply_ends_after_the_secret_that_is_being_stored(emulator: Emulator, tmp_path: Path) -> None:
    """From the end of one secret on, a signal that came while it was stored stops the run: nobody is deleted."""
    document = {
        "organization": emulator.organization_id,
        "projects": [{"name": "search", "api_keys": [{"name": "writer", "roles": ["DataPlaneEditor"]}]}],
        "people": [{"email": "ada@example.com", "absent": True}],
    }
    Path("org.json").write_text(json.dumps(document))
    script = write_private(f"{tmp_path}/store.sh", f"#!/bin/sh\nkill -INT $PPID\ncat > {tmp_path}/stored\n")
    script.chmod(0o700)
    words = ("apply", "org.json", "--yes", "--confirm", "1", "--out", "report.json")
    done = run(*words, "--store", f"exec:{script} {{name}}")
    assert done.exit == 130
    people = {each.email for each in emulator.state.users.values()}
    assert "ada@example.com" in people
    assert Path("stored").read_text() in live_secrets(emulator)
    report = json.loads(Path("report.json").read_text())
    assert [(each["change"]["target"]["name"], each["state"]) for each in report["steps"]] == [
        ("writer", "done"),
        ("ada@example.com", "not_run"),
    ]


def test_an_interrupted_rotate_due_names_the_key_that_it_finished(emulator: Emulator, tmp_path: Path) -> None:
    """A signal while the first value is stored ends the run once that key is in the report, and before the next."""
    with emulator.admin() as admin:
        search = admin.projects.describe_by_name(name="search")
        admin.api_keys.create(project_id=search.id, name="writer")
    emulator.clock.advance(91 * 86_400)
    script = write_private(f"{tmp_path}/store.sh", f'#!/bin/sh\nkill -INT $PPID\ncat > "{tmp_path}/$1"\n')
    script.chmod(0o700)
    words = ("api-key", "rotate-due", "--older-than", "90d", "--keep-old-for", "7d", "--yes", "--project", "search")
    done = run(*words, "--store", f"exec:{script} {{name}}")
    assert done.exit == 130
    assert len({path.name for path in tmp_path.iterdir()} & {"reader", "writer", "store.sh"}) == 2
    assert re.search("reader|writer", done.stderr), done.stderr


def test_an_interrupt_just_before_the_secret_is_stored_rescues_it(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old secret of the account is invalid by then, and the error of the rotation hands the new one out."""
    held: list[Interruptions] = []
    hold = Interruptions.hold

    def interrupt(interruptions: Interruptions) -> None:
        held.append(interruptions)
        if len(held) == 1:
            signal.raise_signal(signal.SIGINT)
        hold(interruptions)

    monkeypatch.setattr(Interruptions, "hold", interrupt)
    before = live_secrets(emulator)
    done = run("service-account", "rotate", "ci", "--store", "file:ci.json", "--yes")
    (secret,) = live_secrets(emulator) - before
    (path,) = find_files_with({secret}, tmp_path)
    assert (done.exit, "rescue" in path.name) == (130, True), done
    assert f"so it is in {path}, which only you can read. Store it, then delete the file." in done.stderr
    assert secret not in done.stdout + done.stderr


def test_a_file_that_another_command_fills_during_the_request_keeps_its_name(emulator: Emulator) -> None:
    """The key is deleted, and the sentence about the file does not begin with a capital that its name does not have."""

    def fill(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST":
            write_private("place", "another secret")
        return handle()

    before = live_secrets(emulator)
    with intercepted(fill):
        done = run(*words_of("api-key create", "--store", "file:place"))
    assert done.stderr.startswith("error: place is not empty, and perhaps the only copy of a secret."), done
    assert (done.exit, live_secrets(emulator), Path("place").read_text()) == (2, before, "another secret")


@pytest.mark.parametrize("name", ["api-key create", "service-account rotate"])
def test_a_lock_that_is_taken_during_the_request_loses_no_secret(
    emulator: Emulator, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command waits for the other one in vain, so the key is deleted, or the secret of the account is rescued."""
    monkeypatch.setattr("pinecone_admin.cli.output.file_locks.TIMEOUT", 0.0)
    with ExitStack() as locks:

        def lock(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
            if request.method == "POST":
                locks.enter_context(held_lock(tmp_path / ".place.pinecone-admin-lock"))
            return handle()

        before = live_secrets(emulator)
        with intercepted(lock):
            done = run(*words_of(name, "--store", f"file:{tmp_path}/place"))
        made = live_secrets(emulator) - before
    assert "Another command is using" in done.stderr
    assert not (tmp_path / "place").exists()
    rescued = find_files_with(made, tmp_path) if made else []
    assert len(made) == len(rescued) == (name != "api-key create"), done
    assert all(f"so it is in {path}, which only you can read." in done.stderr for path in rescued)


@pytest.mark.parametrize("store", ["file:org.json", "env-file:org.json#KEY", "file:../{}/org.json", "file:./link"])
def test_an_input_file_is_not_replaced(emulator: Emulator, store: str, tmp_path: Path) -> None:
    """Under whatever name, the file that a command reads is no place for a secret."""
    write_accounts(emulator, "robot")
    Path("org.json").chmod(0o600)
    Path("link").symlink_to("org.json")
    before, text = live_secrets(emulator), Path("org.json").read_text()
    done = run("apply", "org.json", "--store", store.format(tmp_path.name), "--yes")
    assert (done.exit, live_secrets(emulator), Path("org.json").read_text()) == (2, before, text)
    assert re.search(r"perhaps the only copy|it is no env file", done.stderr), done.stderr


def test_a_value_of_a_row_is_no_placeholder(emulator: Emulator, tmp_path: Path) -> None:
    """Braces in a column stay braces; a placeholder without a column stands for what the secret belongs to."""
    rotate = (
        "api-key",
        "rotate",
        "{id}",
        "--keep-old-for",
        "0",
        "--store",
        f"file:{tmp_path}/{{place}}-{{scope}}-{{name}}",
    )
    (key,) = (each for each in emulator.state.api_keys.values() if each.name == "reader")
    Path("rows.csv").write_text(f"id,place\n{key.id},{{name}}\n")
    assert run("each", "rows.csv", "--yes", "--", *rotate).exit == 0
    assert (tmp_path / "{name}-search-reader").read_text() in live_secrets(emulator)


def test_two_rows_with_one_place_are_refused_before_the_second_request(emulator: Emulator, tmp_path: Path) -> None:
    """Where a name is looked up, a row is refused before its request."""
    rotate = ("api-key", "rotate", "{id}", "--keep-old-for", "7d", "--store", f"file:{tmp_path}/{{name}}.key")
    with emulator.admin() as admin:
        shop = admin.projects.create(name="shop")
        other = admin.api_keys.create(project_id=shop.id, name="Reader").key
    (key,) = (each for each in emulator.state.api_keys.values() if each.name == "reader")
    Path("rows.csv").write_text(f"id\n{key.id}\n{other.id}\n")
    before = live_secrets(emulator)
    preview = run("each", "rows.csv", "--dry-run", "--", *rotate)
    assert [json.loads(line)["exit"] for line in preview.stdout.splitlines()] == [0, 2]
    done = run("each", "rows.csv", "--yes", "--", *rotate)
    first, second = map(json.loads, done.stdout.splitlines())
    assert (done.exit, first["exit"], second["exit"]) == (9, 0, 2)
    assert "is one place for two secrets of this run, and this one would replace" in second["error"]["message"]
    assert len(live_secrets(emulator) - before) == 1


@pytest.mark.parametrize(
    "end", ["robot.pinecone-admin-lock", "robot.pinecone-admin-new-x", "ROBOT.pinecone-admin-Lock"]
)
@pytest.mark.parametrize("way", ["apply", "each"])
def test_what_is_deleted_beside_a_file_is_no_place(emulator: Emulator, way: str, end: str) -> None:
    """Locks, and copies that a killed command left, are deleted when another secret is stored beside them."""
    before = live_secrets(emulator)
    done = make_accounts(emulator, way, f".{end}", "robot", store="file:{name}")
    lost = {secret for secret in live_secrets(emulator) - before if not find_files_with({secret}, Path())}
    assert not lost
    assert (done.exit, "is a name that this command uses for its own files" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("out", ["robot", "./robot", "link", "Robot"])
@pytest.mark.parametrize("way", ["apply", "each"])
def test_a_report_replaces_no_secret(emulator: Emulator, way: str, out: str) -> None:
    """The file that a command itself writes is no place for a secret, under whatever name."""
    if out == "link":
        Path("link").symlink_to("robot")
    option = "--out" if way == "apply" else "--failed-rows"
    before = live_secrets(emulator)
    done = make_accounts(emulator, way, "robot", store="file:{name}", options=(option, out))
    assert (done.exit, live_secrets(emulator)) == (2, before), done
    assert "is a file that this command writes itself" in done.stderr


def test_a_rotation_keeps_what_else_is_in_a_file(emulator: Emulator) -> None:
    """Credentials with a field more are not what this command stored, and replacing them would lose the field."""
    account = next(each for each in emulator.state.service_accounts.listing if each.name == "ci")
    text = json.dumps({"client_id": account.client_id, "client_secret": "old", "api_key": "pcsk_the_only_copy"})
    write_private("ci.json", text)
    before = live_secrets(emulator)
    done = run("service-account", "rotate", "ci", "--store", "file:ci.json", "--yes")
    assert (done.exit, live_secrets(emulator), Path("ci.json").read_text()) == (2, before, text), done.stderr


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("separator", [",", ";", "|"])
def test_a_rotation_keeps_a_list_of_keys(separator: str) -> None:
    """A variable that has several values is not replaced by one."""
    text = f"KEY='pcsk_old{separator}pcsk_the_only_copy'\n"
    env = write_private(".env", text)
    words = ("api-key", "rotate", "reader", "--project", "search", "--keep-old-for", "0")
    done = run(*words, "--store", "env-file:.env#KEY", "--yes")
    assert (done.exit, env.read_text()) == (2, text), done.stderr


@pytest.mark.parametrize("later", ["refused", "lost", "unreadable", "lost and refused", "interrupted"])
@pytest.mark.parametrize("command", ["rotate-secret", "rotate-due"])
def test_a_response_that_cannot_be_read_is_kept_whatever_comes_after_it(
    emulator: Emulator, command: str, later: str, tmp_path: Path
) -> None:
    """The secret in it may be the valid one, and nothing else has it."""
    rotations: list[str] = []

    def damage(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if not request.url.path.endswith("/rotate-secret"):
            return handle()
        rotations.append(later)
        fault = "unreadable" if len(rotations) == 1 else later
        if fault == "interrupted":
            os.kill(os.getpid(), signal.SIGINT)
        if fault in {"refused", "interrupted"} or (fault == "lost and refused" and len(rotations) > 2):
            return httpx.Response(403, json={"status": 403, "error": {"code": "FORBIDDEN", "message": "not permitted"}})
        if fault != "unreadable":
            raise httpx.ReadError("the connection broke")
        response = handle()
        return httpx.Response(200, content=response.read().replace(b'"client_id"', b'"no_id"'))

    words = ["service-account", "rotate", "ci", "--store", "file:ci.json", "--yes"]
    if command == "rotate-due":
        words = ["service-account", "rotate-due", "--older-than", "90d", "--name", "ci", "--store", "exec:false {name}"]
        words += ["--allow-unreadable", "--yes"]
    before = live_secrets(emulator)
    with intercepted(damage):
        done = run(*words)
    (secret,) = live_secrets(emulator) - before
    (path,) = find_files_with({secret}, tmp_path)
    assert (len(rotations) > 1, "rescue" in path.name) == (True, True), done
    assert f"he response, which may contain the secret, is in {path}" in done.stderr
    assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("way", ["ensure", "create"])
def test_the_only_copy_of_a_value_is_kept_if_the_account_loses_its_role(emulator: Emulator, way: str) -> None:
    """To an account without a role, the new key is not there; but it works, so its value is kept."""
    search = next(each for each in emulator.state.projects.values() if each.name == "search")
    before = set(emulator.state.api_keys)
    account = emulator.add_client(roles=["OrgMember", ("ProjectOwner", search.id)])
    for operation in ("delete_api_key", "fetch_api_key"):
        emulator.faults.add(operation, status=404, times=None)
    env = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
    options = ("--project", search.id, "--role", "ProjectViewer", "--store", "exec:false", "--yes", "-o", "json")
    done = run("api-key", way, "writer", *options, env=env)
    (new,) = set(emulator.state.api_keys) - before
    assert (done.exit, done.error["outcome"]) == (9, "done")
    assert new in done.error["message"]
    assert find_files_with({emulator.state.api_keys[new].value}, Path())
