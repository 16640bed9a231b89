"""Destinations: the place of each of many secrets, what a secret changes there, and what must not meet."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin.cli.failures import CLIError, StoreError
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.destination import Destination
from pinecone_admin.cli.secrets.env_file_text import read_env_file
from pinecone_admin.cli.secrets.new_secret import NewSecret
from pinecone_admin.cli.secrets.places import CommandPlace, FilePlace, SecretPlace, Target, find_overlaps
from pinecone_admin.cli.secrets.store_template import parse_template
from pinecone_admin.cli.session import Session
from pinecone_admin.workflows.readable_store import SecretOwner
from tests.cli.command_line import example_organization, run
from tests.cli.test_secret_stores import ACCOUNT, KEY, SECRET

WRITER = SecretOwner("api_key", "search", "writer")
ROBOT = SecretOwner("service_account", "", "robot")


def open_destination(store: str, *, replaces: bool = False, many: bool = True) -> Destination:
    """Return the destination of a command with this option."""
    session = Session.of_process()
    session.settings["store"] = store
    return Destination(session, Secret("api-key", replaces=replaces, many=many))


def find_place(store: str, owner: SecretOwner = WRITER) -> SecretPlace:
    """Return the place of a secret."""
    return open_destination(store)._find_place(owner)


def refuse(store: str, *owners: SecretOwner) -> str:
    """Return why secrets have no places."""
    with pytest.raises(CLIError) as caught:
        open_destination(store).check(owners)
    assert caught.value.exit == 2
    return caught.value.message


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "-rf", "~root", "a\u202eb", "/", "/etc/x"]
)
def test_a_name_becomes_one_segment_of_a_path_or_is_refused(name: str, tmp_path: Path) -> None:
    """Names that would leave their folder, split a path, or be read as an option are refused in every placeholder."""
    for owner in (SecretOwner("api_key", name, "writer"), SecretOwner("api_key", "search", name)):
        placeholder = "project" if owner.name == "writer" else "name"
        for form in ("file:", "env-file:.env#X", "exec:cat "):
            with pytest.raises(StoreError, match=r"Change that name first|has no project, so"):
                find_place(f"{form}{tmp_path}/{{{placeholder}}}#X", owner)


SHELL_NAMES = ["a'b", 'a"b', "$(id)", "`id`", "a;b", "a|b", "a&b", "a>b", "(a)", "a*", "a?", "[a]", "a b", "a #b"]
SHELL_NAMES += ["a=b", "a{name}b", "a!b", "a%b", "a:b", "a,b", "a^b"]


@pytest.mark.parametrize("name", [*SHELL_NAMES, "x", "a-1_b.c+d@e", "é日"])
def test_a_name_stays_one_word_and_one_value(name: str) -> None:
    """No text in a name becomes a second word, the name of a variable, a placeholder or the code of a shell."""
    owner = SecretOwner("api_key", "search", name)
    for words in ("cat x-{name} {project}={name}", "sh -c 'cat; echo {name}'", "ssh host 'cat > {name}'"):
        if name in SHELL_NAMES:
            with pytest.raises(StoreError, match="Change that name first"):
                find_place(f"exec:{words}", owner)
        else:
            command = find_place(f"exec:{words}", owner)
            assert isinstance(command, CommandPlace)
            assert command.command == tuple(
                each.replace("{project}", "search").replace("{name}", name) for each in shlex.split(words)
            )
    env_file = find_place("env-file:{name}/.env#KEY", owner)
    assert isinstance(env_file, FilePlace)
    assert (env_file.path, env_file.variable) == (f"{name}/.env", "KEY")
    file = find_place("file:{{name}}-{kind}-{name}", owner)
    assert isinstance(file, FilePlace)
    assert (file.path, file.variable) == (f"{{name}}-api-key-{name}", None)


FORMS: dict[str, Callable[[Path], str]] = {
    "file": lambda folder: f"file:{folder}/secret",
    "env-file": lambda folder: f"env-file:{folder}/secret#KEY",
    "env-file of a secret": lambda folder: f"env-file:{folder}/secret#A_CLIENT_SECRET",
}


def read_parts(path: Path) -> dict[str | None, str]:
    """Return the variables of a file, and the whole of it under None."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    parts: dict[str | None, str] = {None: content.decode()}
    parts.update(read_env_file(content).variables.items())
    return parts


@pytest.mark.parametrize("secret", [KEY, ACCOUNT], ids=["key", "account"])
@pytest.mark.parametrize("before", [None, "", "OTHER=x\nKEY_IDS=1\nA_CLIENT_IDS='y'\n"], ids=["new", "empty", "filled"])
@pytest.mark.parametrize("form", FORMS)
def test_the_targets_are_what_a_secret_changes(
    form: str, before: str | None, secret: NewSecret, tmp_path: Path
) -> None:
    """No variable and no file changes that ``targets`` does not name, and each that it names does."""
    if before and form == "file":
        before = ""
    path, other = tmp_path / "secret", tmp_path / "other"
    other.write_text("x")
    if before is not None:
        path.touch(mode=0o600)
        path.write_text(before)
    place = parse_template(FORMS[form](tmp_path)).find_place(
        {},
        allow_group=False,
        replaces=False,
        is_for_account=secret is ACCOUNT,
        interruptions=Interruptions(print, Ledger()),
    )
    targets, old = place.targets(), read_parts(path)
    place.check()
    place.check_vacant()
    assert read_parts(path) == old
    place.write(secret)
    new = read_parts(path)
    changed = {part for part in {*old, *new} if old.get(part) != new.get(part)}
    named = {each.variable for each in targets}
    assert changed - {None} == named - {None} if form != "file" else named == {None}
    assert len({each.resource for each in targets}) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"secret", "other"}
    assert place.targets() == targets


def test_a_command_has_its_words_as_target(tmp_path: Path) -> None:
    """Two commands with the same words would put two secrets in one place, as far as anybody can know."""
    first, second = (find_place(f"exec:tee {tmp_path}/{{name}}", WRITER._replace(name=name)) for name in ("a", "b"))
    assert not first.targets()[0].overlaps(second.targets()[0])
    first.write(KEY)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert first.read().value == ""


def test_a_file_overlaps_each_of_its_variables() -> None:
    """Two targets meet if the file is the same, and the variables are the same or one is all of the file."""
    whole, first, second = Target(("f",)), Target(("f",), "A"), Target(("f",), "B")
    assert whole.overlaps(first)
    assert second.overlaps(whole)
    assert not first.overlaps(second)
    assert not whole.overlaps(Target(("g",)))
    overlaps = find_overlaps([[first], [second], [first, second], [Target(("g",))]])
    assert list(overlaps) == [(0, 2), (1, 2), (0, 1, 2), (3,)]
    assert list(find_overlaps([[whole], [first], [second]])) == [(0, 1, 2), (0, 1), (0, 2)]


def test_places_that_differ_in_case_or_spelling_alone_are_the_same(tmp_path: Path) -> None:
    """Two paths to one file, also on a disk that ignores case, are one place; two variables of a file are two."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "linked").symlink_to("folder")
    (tmp_path / "folder/link").symlink_to("target")
    paths = ("folder/target", "linked/target", "folder/../folder/./target", "folder/TARGET", "folder/link")
    places = [find_place(f"file:{tmp_path}/{path}") for path in paths]
    assert len({each.targets()[0] for each in places}) == 1
    open_destination(f"env-file:{tmp_path}/.env#KEY_{{name}}").check([WRITER, WRITER._replace(name="Writer")])


MESSAGES: dict[str, tuple[str, Sequence[SecretOwner], str]] = {
    "one place": (
        "file:same.key",
        [WRITER._replace(name=f"k{number}") for number in range(11)],
        (
            "--store file:same.key is one place for 11 keys, and each would replace the one before. Put {scope} and "
            "{name} in it, for example --store 'file:{scope}-{name}.key'."
        ),
    ),
    "no project": (
        "file:{project}-{name}.key",
        [WRITER, ROBOT],
        (
            "--store: service account robot has no project, so {project} is empty. Use {scope} in place of {project}: "
            "--store 'file:{scope}-{name}.key'."
        ),
    ),
    "no project, and keys of one name": (
        "file:{project}-{name}.key",
        [WRITER, WRITER._replace(project="docs"), ROBOT],
        (
            "--store: service account robot has no project, so {project} is empty. Use {scope} in place of {project}: "
            "--store 'file:{scope}-{name}.key'."
        ),
    ),
    "no variable": (
        "env-file:.env#K_{name}",
        [WRITER._replace(name="team-ml")],
        (
            "--store, for key search/team-ml: K_team-ml is not the name of a variable, which has letters, digits and "
            "underscores. Use --store 'file:{scope}-{name}.key', for example."
        ),
    ),
    "no literal variable": (
        "env-file:.env#K_team-ml",
        [WRITER],
        (
            "--store: K_team-ml is not the name of a variable, which has letters, digits and underscores. Name it "
            "K_team_ml, for example."
        ),
    ),
    "a client id": (
        "env-file:.env#{name}",
        [ROBOT, ROBOT._replace(name="robot_ID")],
        (
            "--store: robot_ID would be the client id of one of service account robot and service account robot_ID, "
            "and the secret of the other. Put {scope} and {name} in it, for example --store 'file:{scope}-{name}.json'."
        ),
    ),
    "capitals": (
        "file:{name}",
        [WRITER, WRITER._replace(name="WRITER")],
        (
            "--store file:writer is one place for key search/writer and key search/WRITER, which differ only in "
            "capitals. Rename one of them."
        ),
    ),
    "two projects": (
        "file:{name}",
        [WRITER, WRITER._replace(project="docs")],
        (
            "--store file:writer is one place for key search/writer and key docs/writer, and each would replace the "
            "one before. Put {scope} and {name} in it, for example --store 'file:{scope}-{name}.key'."
        ),
    ),
    "a slash": (
        "file:{name}",
        [WRITER._replace(name="a/b")],
        "--store: the name of key search/a/b contains /, so it cannot stand for {name}. Change that name first.",
    ),
    "a folder": ("file:missing/{name}", [WRITER], "--store, for key search/writer: "),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_the_cause_and_a_template_that_works(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proposal of a message is not refused afterwards."""
    monkeypatch.chdir(tmp_path)
    store, owners, expected = MESSAGES[name]
    message = refuse(store, *owners)
    assert message == expected if expected.endswith(".") else message.startswith(expected)
    if "--store '" in message:
        open_destination(message.partition("--store '")[2].partition("'")[0]).check(owners)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_the_problems_of_many_keys_are_found_in_time(tmp_path: Path) -> None:
    """Thousands of keys whose names have no place, or one place, take no more than a few looks at each."""
    names = [f"k-{number}" for number in range(3000)]
    keys = [SecretOwner("api_key", f"p{number}", name) for number, name in enumerate(names)]
    looks = 0
    stat_of = os.stat

    def count(*arguments: Any, **options: Any) -> os.stat_result:
        nonlocal looks
        looks += 1
        return stat_of(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", count)
        for store in (f"env-file:{tmp_path}/.env#{{name}}", f"file:{tmp_path}/x{{kind}}-{{name}}"):
            same = keys if "env" in store else [each._replace(name="k") for each in keys]
            problems = open_destination(store, replaces=True).find_problems(same, [])
            assert all(problems)
    assert looks < 60 * len(keys)


def test_no_two_secrets_of_a_run_are_written_to_one_place(tmp_path: Path) -> None:
    """``select`` checks that again, whatever ``check`` was asked, and whatever has become a link since."""
    destination = open_destination(f"file:{tmp_path}/{{name}}")
    with destination.select(WRITER):
        pass
    (tmp_path / "other").symlink_to("writer")
    for name in ("writer", "Writer", "other"):
        with (
            pytest.raises(StoreError, match="one place for two secrets of this run"),
            destination.select(WRITER._replace(name=name)),
        ):
            pass
    with destination.select(WRITER._replace(name="third")):
        pass


def test_a_store_of_many_can_be_called(tmp_path: Path) -> None:
    """A service account is stored with its client id, and a key by the name of its project."""
    with example_organization() as emulator, emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        account = admin.service_accounts.create(name="robot")
        open_destination(f"file:{tmp_path}/{{kind}}-{{name}}")(account)
        key = admin.api_keys.create(project_id=project.id, name="x")
        open_destination(f"file:{tmp_path}/{{project}}")(key)
    assert json.loads((tmp_path / "service-account-robot").read_text())["client_secret"] == account.client_secret
    assert (tmp_path / "search").read_text() == key.value


def made(name: str) -> Any:
    """Return an account with its secret, as a method returns it."""
    with example_organization() as emulator, emulator.admin() as admin:
        return admin.service_accounts.create(name=name)


TRACED = ("secrets/destination.py", "secrets/places.py", "output/file_locks.py", "cli/interruption.py")


def interrupt_at(line: int, seen: list[int]) -> Callable[..., Any]:
    """Return a trace function that interrupts this process at the given line of the modules of ``select``."""

    def trace(frame: Any, event: str, _: object) -> Any:
        name = frame.f_code.co_filename
        if not name.endswith(
            ("secrets/destination.py", "secrets/places.py", "output/file_locks.py", "interruption.py")
        ):
            return None
        if event == "line" and frame.f_code.co_name not in {"handle_signal", "_start_notice", "_handle_further"}:
            seen.append(frame.f_lineno)
            if len(seen) == line:
                signal.raise_signal(signal.SIGINT)
        return trace

    return trace


def test_an_interrupt_at_each_line_stores_the_secret_or_leaves_it_to_be_undone(tmp_path: Path) -> None:
    """Before ``store`` is called it is raised at once, and after that at the end; a stored secret is never undone."""
    account = made("robot")
    outcomes = set[str]()
    for line in range(1, 400):
        path = tmp_path / f"{line}"
        seen: list[int] = []
        session = Session.of_process()
        session.settings["store"] = f"file:{path}"
        destination = Destination(session, Secret("service-account"))
        steps: list[str] = []
        with session.interruptions:
            previous = sys.gettrace()
            sys.settrace(interrupt_at(line, seen))
            try:
                with destination.select(ROBOT) as store:
                    steps.append("selected")
                    store(account)
                    steps.append("stored")
                    steps.append("recorded")
                steps.append("gone on")
            except KeyboardInterrupt:
                steps.append("interrupted")
            finally:
                sys.settrace(previous)
        is_stored = path.exists()
        if not session.interruptions.received:
            assert steps == ["selected", "stored", "recorded", "gone on"]
            break
        outcomes.add(" ".join(steps))
        assert steps[-1] == "interrupted", line
        assert is_stored == ("recorded" in steps), (line, steps)
        assert not is_stored or json.loads(path.read_text())["client_secret"] == account.client_secret
        assert [each.name for each in tmp_path.iterdir() if "lock" in each.name] == [], line
        path.unlink(missing_ok=True)
    else:
        pytest.fail("the lines do not end")
    assert outcomes == {"interrupted", "selected interrupted", "selected stored recorded interrupted"}


def test_after_a_signal_a_foreign_lock_is_waited_for_at_most_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that cannot be stored in time is handed out with the error."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.__setitem__(0, now[0] + 100 * seconds))
    place = find_place(f"file:{tmp_path}/key")
    assert isinstance(place, FilePlace)
    other = find_place(f"file:{tmp_path}/key")
    for is_interrupted, seconds in ((False, 10.0), (True, 5.0)):
        start = now[0]
        with Interruptions(print, Ledger()) as interruptions:
            interruptions.hold()
            if is_interrupted:
                signal.raise_signal(signal.SIGTERM)
            waiting = FilePlace(
                path=place.path,
                variable=None,
                allow_group=False,
                replaces=False,
                is_for_account=False,
                interruptions=interruptions,
            )
            lock = tmp_path / ".key.pinecone-admin-lock"
            with _held(lock), pytest.raises(StoreError, match="another command is using"):
                waiting.write(KEY)
        assert seconds <= now[0] - start < seconds + 2
    other.write(KEY)
    assert (tmp_path / "key").read_text() == SECRET


class _held:  # noqa: N801 - a context
    def __init__(self, lock: Path) -> None:
        self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> None:
        import fcntl  # noqa: PLC0415

        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("project", "provision", "a/b", "--store", "file:{project}"), "the name of project a/b contains /"),
        (("project", "provision", "..", "--store", "file:{project}/k"), "the name of project .. means a folder"),
        (("api-key", "create", "a/b", "--project", "search", "--store", "file:{name}"), "of key search/a/b contains /"),
        (("service-account", "ensure", "a/b", "--store", "file:{name}"), "of service account a/b contains /"),
    ],
)
def test_a_new_name_that_cannot_be_part_of_a_place_is_not_to_be_renamed(words: tuple[str, ...], message: str) -> None:
    """Nothing has the name yet, so the message proposes another name or another place."""
    role = () if words[0] == "service-account" else ("--role", "DataPlaneEditor")
    placeholder = "{project}" if words[0] == "project" else "{name}"
    with example_organization():
        done = run(*words, *role, "--yes")
    advice = f"so it cannot stand for {placeholder}. Choose another name, or a --store without {placeholder}."
    assert (done.exit, f"{message}, {advice}" in done.stderr) == (2, True), done


def test_a_name_that_exists_needs_no_other_if_there_is_one_secret() -> None:
    """A place without the name works, too; only of many secrets each needs a place of its own."""
    with example_organization():
        assert run("project", "create", "a/b", "--yes").exit == 0
        words = ("api-key", "create", "c/d", "--project", "a/b", "--yes", "--store")
        assert run(*words, "exec:cat").exit == 0
        rotate = ("api-key", "rotate", "c/d", "--project", "a/b", "--keep-old-for", "0", "--yes", "--store")
        for placeholder, done in (
            ("{project}", run(*words, "file:{project}")),
            ("{name}", run(*rotate, "file:{name}")),
            ("{project}", run(*rotate, "file:{project}")),
        ):
            advice = f"Choose a --store without {placeholder}, or change that name first. Nothing was changed."
            assert (done.exit, advice in done.stderr) == (2, True), done
