"""Stores of secrets: parsed, checked without a trace, and then filled, or left as they were."""

from __future__ import annotations

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from pinecone_admin.auth import private_files
from pinecone_admin.cli import interruption
from pinecone_admin.cli.failures import BusyError, CLIError, StoreError
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.output import file_locks
from pinecone_admin.cli.output.file_locks import lock_file
from pinecone_admin.cli.output.files import check_writable
from pinecone_admin.cli.secrets import store_command
from pinecone_admin.cli.secrets.new_secret import NewSecret
from pinecone_admin.cli.secrets.places import CommandPlace, FilePlace, SecretPlace, name_of_id
from pinecone_admin.cli.secrets.store_template import PartError, parse_template
from pinecone_admin.cli.secrets.target_files import rescue_folders, reserve_rescue_file
from tests.support.concurrency import wait_until

SECRET = "pcsk_canary_0123456789"
KEY = NewSecret(
    value=SECRET,
    kind="api-key",
    id="k1",
    identifiers={"API_KEY_ID": "k1", "API_KEY_NAME": "écrit\x00r"},
    owner={"id": "k1"},
)
ACCOUNT = NewSecret(
    value=SECRET,
    kind="service-account",
    id="s1",
    identifiers={"SERVICE_ACCOUNT_ID": "s1"},
    owner={"id": "s1"},
    client_id="c1",
)


def parse(text: str, *, allow_group: bool = False, replaces: bool = True, is_for_account: bool = False) -> SecretPlace:
    """Return the place that an option names."""
    return parse_template(text).find_place(
        {},
        allow_group=allow_group,
        replaces=replaces,
        is_for_account=is_for_account,
        interruptions=Interruptions(print, Ledger()),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    path = tmp_path / "folder"
    path.mkdir()
    return path


def mode_of(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def write_script(path: Path, text: str) -> Path:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


def test_other_texts_are_no_store() -> None:
    """A text of another form is refused, and not repeated: it could be a secret."""
    for text in ("", "-", SECRET, "file:", "env-file:.env", "env-file:#KEY", "env-file:.env#"):
        with pytest.raises(CLIError, match="--store: write ") as caught:
            parse(text)
        assert SECRET not in str(caught.value)
    for text in ("exec:", "exec: ", "exec:'vault"):
        with pytest.raises(CLIError, match="exec:"):
            parse(text)
    with pytest.raises(PartError, match="1 KEY"):
        parse("env-file:.env#1 KEY")


def test_an_env_file_keeps_its_other_lines_and_its_mode(folder: Path) -> None:
    """Only the variables change; a new file has mode 0600, and no other file is left beside it."""
    new, old = folder / "new", folder / "a#b"
    old.write_text("A=1\nKEY=pcsk_old\nB=2\n")
    old.chmod(0o640)
    for path, after in ((new, f"KEY={SECRET}\n"), (old, f"A=1\nKEY={SECRET}\nB=2\n")):
        store = parse(f"env-file:{path}#KEY", allow_group=True)
        store.check()
        store.write(KEY)
        assert path.read_text() == after
    assert (mode_of(new), mode_of(old)) == (0o600, 0o640)
    assert set(folder.iterdir()) == {new, old}


def test_a_service_account_is_stored_with_its_client_id(tmp_path: Path) -> None:
    """The secret is of no use without the client id, so both are stored."""
    env, file = tmp_path / "env", tmp_path / "file"
    parse(f"env-file:{env}#PINECONE_CLIENT_SECRET", is_for_account=True).write(ACCOUNT)
    parse(f"file:{file}", is_for_account=True).write(ACCOUNT)
    assert env.read_text() == f"PINECONE_CLIENT_ID=c1\nPINECONE_CLIENT_SECRET={SECRET}\n"
    assert json.loads(file.read_text()) == {"client_id": "c1", "client_secret": SECRET}
    assert name_of_id("ACME") == "ACME_ID"


def test_a_file_contains_the_value_alone(tmp_path: Path) -> None:
    """The file of a key has no line break, which some readers would take for a part of the value."""
    path = tmp_path / "key"
    for before in (None, "pcsk_old\n"):
        assert before is None or path.write_text(before)
        parse(f"file:{path}").write(KEY)
        assert path.read_bytes() == SECRET.encode()
        assert mode_of(path) == 0o600
        path.chmod(0o600)


OTHER_THINGS = {
    "env-file: no key": ("KEY=postgres://localhost\n", "env-file:{}#KEY", False),
    "env-file: several lines": ("KEY='pcsk_a\nb'\n", "env-file:{}#KEY", False),
    "env-file: a key in the place of an account": ("A_SECRET=pcsk_abc\n", "env-file:{}#A_SECRET", True),
    "env-file: another account": ("A_ID=c2\nA_SECRET=other\n", "env-file:{}#A_SECRET", True),
    "env-file: another account, quoted": ("A_ID='c2' # x\nA_SECRET='other'\n", "env-file:{}#A_SECRET", True),
    "env-file: the id of another account": ("A_ID=c2\n", "env-file:{}#A_SECRET", True),
    "file: no key": ("secret\n", "file:{}", False),
    "file: several lines": ("pcsk_a\npcsk_b\n", "file:{}", False),
    "file: JSON": ('{"key": "pcsk_a"}', "file:{}", False),
    "file: a key in the place of an account": ("pcsk_abc", "file:{}", True),
    "file: another account": ('{"client_id": "c2", "client_secret": "s"}', "file:{}", True),
    "file: other JSON": ('[{"client_id": "c1"}]', "file:{}", True),
    "file: no text": ("\udcff\x00", "file:{}", True),
}


@pytest.mark.parametrize("name", OTHER_THINGS)
def test_a_rotation_does_not_replace_what_is_certainly_something_else(name: str, tmp_path: Path) -> None:
    """Even where a secret may be replaced, one that cannot be the old one may be the only copy of another."""
    before, place, is_for_account = OTHER_THINGS[name]
    path = tmp_path / "place"
    path.write_bytes(before.encode(errors="surrogateescape"))
    path.chmod(0o600)
    store = parse(place.format(path), is_for_account=is_for_account)
    with pytest.raises(StoreError, match="Choose another"):
        store.write(ACCOUNT if is_for_account else KEY)
    assert path.read_bytes() == before.encode(errors="surrogateescape")
    if "another account" not in name and "the id" not in name:  # before the account is known, its id is not
        with pytest.raises(StoreError, match="Choose another"):
            store.check()


REPLACEABLE = {
    "env-file: a key": ("KEY='pcsk_abc' # since May\n", "env-file:{}#KEY", False, True),
    "env-file: the same account": ("A_ID=c1\nA_SECRET=other\n", "env-file:{}#A_SECRET", True, False),
    "env-file: an account without id": ("A_SECRET=other\n", "env-file:{}#A_SECRET", True, True),
    "env-file: an empty value": ("KEY=\n", "env-file:{}#KEY", False, False),
    "file: a key": ("pckey_abc\n", "file:{}", False, True),
    "file: the same account": ('{"client_id": "c1", "client_secret": "s"}', "file:{}", True, False),
    "file: nothing": ("\n", "file:{}", True, False),
}


@pytest.mark.parametrize("name", REPLACEABLE)
def test_a_rotation_replaces_what_may_be_the_old_secret(name: str, tmp_path: Path) -> None:
    """It says that nothing shows whether it is, unless the client id shows it or nothing is there."""
    before, place, is_for_account, is_unknown = REPLACEABLE[name]
    path = tmp_path / "place"
    path.write_text(before)
    path.chmod(0o600)
    store = parse(place.format(path), is_for_account=is_for_account)
    store.check()
    assert isinstance(store, FilePlace)
    assert (store.describe_replacement() is not None) == is_unknown
    store.write(ACCOUNT if is_for_account else KEY)
    assert SECRET in path.read_text()
    present = store.read()
    assert (present.value, present.client_id) == (SECRET, "c1" if is_for_account else "")


def refuse_folder(path: Path) -> str:
    """Return a path in a folder that does not exist."""
    return f"{path}/missing/file"


def refuse_other_readers(path: Path) -> str:
    """Return the path of a file that every user can read."""
    path.write_text("A=1\n")
    path.chmod(0o604)
    return str(path)


def refuse_group(path: Path) -> str:
    """Return the path of a file that a group can read."""
    path.write_text("A=1\n")
    path.chmod(0o640)
    return str(path)


def refuse_directory(path: Path) -> str:
    """Return the path of a folder."""
    path.mkdir()
    return str(path)


def refuse_pipe(path: Path) -> str:
    """Return the path of a named pipe."""
    os.mkfifo(path)
    return str(path)


def refuse_loop(path: Path) -> str:
    """Return the path of a link to itself."""
    path.symlink_to(path)
    return str(path)


def refuse_long_name(path: Path) -> str:
    """Return a path whose name is too long."""
    return str(path / ("x" * 300))


def refuse_other_name(path: Path) -> str:
    """Return the path of a file that has another name, which would keep the old content."""
    path.write_text("A=1\n")
    path.chmod(0o600)
    path.with_name("other").hardlink_to(path)
    return str(path)


UNUSABLE: dict[str, tuple[Callable[[Path], str], str]] = {
    "missing folder": (refuse_folder, "does not exist"),
    "readable by others": (refuse_other_readers, "every user .mode 0604"),
    "readable by a group": (refuse_group, "--allow-group"),
    "folder": (refuse_directory, "not a regular file"),
    "hard link": (refuse_other_name, "has 1 other name .hard links., which would keep the old content"),
    "named pipe": (refuse_pipe, "not a regular file"),
    "loop of links": (refuse_loop, "too many symbolic links"),
    "null character": (lambda path: f"{path}\x00", "null"),
    "unknown user": (lambda _: "~nobody-has-this-name/x", "home folder"),
    "device": (lambda _: "/dev/null", "not a regular file"),
    "too long a name": (refuse_long_name, "File name too long|does not exist"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_files_are_refused_before_anything_is_created(name: str, tmp_path: Path) -> None:
    """The check refuses a file that cannot be written or that somebody else can read, and changes nothing."""
    prepare, reason = UNUSABLE[name]
    text = prepare(tmp_path / "target")
    before = sorted(tmp_path.iterdir())
    for store in (parse(f"file:{text}"), parse(f"env-file:{text}#KEY")):
        for use in (store.check, lambda store=store: store.write(KEY)):
            with pytest.raises(StoreError, match=reason):
                use()
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["key", "a key", "a\\b"])
def test_a_file_that_is_mounted_by_itself_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can take its place, which only shows once the secret is made; a container mounts single files so."""
    path, table = tmp_path / name, tmp_path / "mountinfo"
    path.touch(mode=0o600)
    mounted = str(path.resolve()).replace("\\", r"\134").replace(" ", r"\040")
    table.write_text(f"36 35 98:0 /mnt1 / rw - ext3 /dev/root rw\n37 36 98:0 /x {mounted} rw - ext3 /dev/root rw\n")
    monkeypatch.setattr(private_files, "_MOUNTS", table)
    problem = r"is mounted by itself, so it cannot be replaced\. Mount its folder instead"
    with pytest.raises(StoreError, match=problem):
        parse(f"file:{path}").check()
    with pytest.raises(StoreError, match=problem):
        parse(f"file:{path}").write(KEY)
    with pytest.raises(CLIError, match="is mounted by itself"):
        check_writable(str(path))
    other = tmp_path / "other"
    other.touch(mode=0o600)
    parse(f"file:{other}").write(KEY)
    check_writable(str(other))


def test_own_links_are_followed(tmp_path: Path) -> None:
    """A link stays a link, and the file behind it is replaced or created."""
    (tmp_path / "behind").mkdir()
    link = tmp_path / "link"
    link.symlink_to("behind/key")
    for _ in range(2):
        parse(f"file:{link}").write(KEY)
        assert link.is_symlink()
        assert (tmp_path / "behind/key").read_text() == SECRET


def test_links_of_other_users_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else could let a link point to a place where he reads the secret."""
    link = tmp_path / "link"
    link.symlink_to("elsewhere")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StoreError, match="link of another user"):
        parse(f"file:{link}").check()


def let_new_files_belong_to_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the status of an open file have another owner than that of its path."""
    fstat = os.fstat

    def change_owner(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        return os.stat_result((*status[:4], 7, 7, *status[6:10]))

    monkeypatch.setattr(os, "fstat", change_owner)


def test_the_owner_of_a_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that root fills still belongs to the service that reads it."""
    path = tmp_path / "env"
    path.write_text("A=1\n")
    path.chmod(0o600)
    owners: list[tuple[int, int]] = []
    let_new_files_belong_to_another_user(monkeypatch)
    monkeypatch.setattr(os, "fchown", lambda _, *owner: owners.append(owner))
    parse(f"env-file:{path}#KEY").write(KEY)
    assert owners == [(path.stat().st_uid, path.stat().st_gid)]


def test_an_owner_that_cannot_be_kept_is_found_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replacing a file of another user would take it away from him."""
    path = folder / "env"
    path.write_text("A=1\n")
    path.chmod(0o600)

    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    let_new_files_belong_to_another_user(monkeypatch)
    with pytest.raises(StoreError, match="not permitted"):
        parse(f"env-file:{path}#KEY").check()
    assert list(folder.iterdir()) == [path]


FULL_DISK = """
import resource, sys
from pathlib import Path
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.secrets.new_secret import NewSecret
from pinecone_admin.cli.secrets.target_files import reserve_rescue_file
from pinecone_admin.cli.secrets.store_template import parse_template
from pinecone_admin.cli.failures import StoreError

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
secret = NewSecret(value="v" * 64, kind="api-key", id="k1", identifiers={}, owner={})
place = parse_template(sys.argv[1]).find_place(
    {}, allow_group=False, replaces=True, is_for_account=False, interruptions=Interruptions(print, Ledger())
)
for use in (place.check, lambda: place.write(secret), lambda: reserve_rescue_file([Path(sys.argv[3])])):
    try:
        use()
        print("done")
    except StoreError as error:
        print("refused", error)
"""


def test_a_full_disk_is_found_before_and_changes_nothing(folder: Path) -> None:
    """A disk without room for the new file fails the check; where it fills up later, the old file stays whole."""
    path = folder / "env"
    path.write_text("A=1\n" * 10)
    path.chmod(0o600)
    for room, outcomes in ((100, ["refused", "refused", "refused"]), (1000, ["refused", "done", "refused"])):
        arguments = [f"env-file:{path}#KEY", str(room), str(folder)]
        program = subprocess.run(
            [sys.executable, "-c", FULL_DISK, *arguments], env={}, capture_output=True, text=True, check=True
        )
        assert [line.split()[0] for line in program.stdout.splitlines()] == outcomes, program.stdout
        assert path.read_text().startswith("A=1\n" * 10)
        assert list(folder.iterdir()) == [path]


def test_an_env_file_without_end_is_not_read(tmp_path: Path) -> None:
    """A file that cannot be an env file is left alone."""
    path = tmp_path / "env"
    path.touch(mode=0o600)
    os.truncate(path, 1 << 30)
    with pytest.raises(StoreError, match="larger than"):
        parse(f"env-file:{path}#KEY").check()


def test_concurrent_stores_keep_each_other_s_variables(tmp_path: Path) -> None:
    """Several processes that store in one env file at the same time lose no variable."""
    path = tmp_path / "env"
    stores = [parse(f"env-file:{path}#KEY_{number}") for number in range(20)]
    threads = [threading.Thread(target=store.write, args=[KEY]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text().splitlines()) == sorted(f"KEY_{number}={SECRET}" for number in range(20))


def test_of_concurrent_stores_in_one_place_one_is_kept(tmp_path: Path) -> None:
    """Each place takes the secret of one process, and the others are told that theirs is not stored."""
    refused: list[str] = []

    def store(place: SecretPlace) -> None:
        try:
            place.write(KEY)
        except StoreError as error:
            refused.append(str(error))

    for place in (f"env-file:{tmp_path}/env#KEY", f"file:{tmp_path}/key"):
        refused.clear()
        threads = [threading.Thread(target=store, args=[parse(place, replaces=False)]) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == len(threads) - 1
        assert all("the only copy" in each for each in refused)


def test_a_lock_leaves_nothing_and_lets_the_next_one_in(folder: Path) -> None:
    """The lock of a file is a file of its own, which is there only while it is held."""
    with lock_file(folder / "key"):
        assert [path.name for path in folder.iterdir()] == [".key.pinecone-admin-lock"]
        assert mode_of(folder / ".key.pinecone-admin-lock") == 0o600
    assert list(folder.iterdir()) == []


def test_a_lock_that_a_killed_process_left_is_taken(folder: Path) -> None:
    """Only the lock of the system counts, not the file."""
    (folder / ".key.pinecone-admin-lock").touch(mode=0o600)
    parse(f"file:{folder}/key").write(KEY)
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_what_a_killed_process_was_writing_is_deleted(folder: Path) -> None:
    """It holds a secret that may be in no other file, and nobody would find it; copies of other files stay."""
    (folder / ".key.pinecone-admin-new-abc").touch(mode=0o600)
    (folder / ".key2.pinecone-admin-new-abc").touch(mode=0o600)
    parse(f"file:{folder}/key").write(KEY)
    assert {path.name for path in folder.iterdir()} == {"key", ".key2.pinecone-admin-new-abc"}


def test_a_lock_that_is_a_link_is_not_followed(folder: Path) -> None:
    """A link in its place could make this process create a file elsewhere."""
    (folder / ".key.pinecone-admin-lock").symlink_to(folder / "elsewhere")
    with pytest.raises(StoreError, match="cannot be used as a lock"):
        parse(f"file:{folder}/key").check()
    assert not (folder / "elsewhere").exists()


def test_a_file_system_without_locks_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is not stored where two processes could replace each other's."""

    def refuse(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    place = parse(f"file:{folder}/key")
    with pytest.raises(StoreError, match="has no locks") as caught:
        place.check()
    assert not isinstance(caught.value, BusyError)  # the exit code of that one lets a job try again
    with pytest.raises(StoreError, match="has no locks"):
        place.write(KEY)
    assert not (folder / "key").exists()


def test_without_flock_the_lock_is_a_file_created_exclusively(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no flock: there, a lock that a killed process left is named in the message."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(file_locks, "TIMEOUT", 0.0)
    parse(f"file:{folder}/key").write(KEY)
    assert [path.name for path in folder.iterdir()] == ["key"]
    (folder / ".key.pinecone-admin-lock").touch()
    with pytest.raises(StoreError, match=r"delete .*/\.key\.pinecone-admin-lock"):
        parse(f"file:{folder}/key").check()


def test_a_command_gets_the_secret_on_its_input_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is not in the arguments or the environment, and no credential of this program is."""
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "canary")
    monkeypatch.setenv("OTHER", "kept")
    script = write_script(
        tmp_path / "store.sh", f'cat > {tmp_path}/in; env > {tmp_path}/env; tr "\\0" " " < /proc/$$/cmdline > "$1"'
    )
    store = parse(f"exec:{script} '{tmp_path}/two words'")
    store.check()
    assert not (tmp_path / "in").exists()
    store.write(KEY)
    environment = (tmp_path / "env").read_text().splitlines()
    assert (tmp_path / "in").read_text() == SECRET
    assert {"OTHER=kept", "API_KEY_ID=k1", "API_KEY_NAME=écrit\\u0000r"} < set(environment)
    assert not [line for line in environment if "PINECONE" in line or "canary" in line]
    assert SECRET not in (tmp_path / "two words").read_text()


def test_a_command_that_fails_shows_its_reason(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The end of its standard error is shown; its standard output is not shown at all."""
    script = write_script(
        tmp_path / "store.sh", "read -r value; echo $value; yes | head -c 90000 >&2; echo no vault >&2; exit 3"
    )
    with pytest.raises(StoreError) as caught:
        parse(f"exec:{script}").write(KEY)
    assert f"{script}, ended with exit status 3. Its standard error ends with: " in str(caught.value)
    assert str(caught.value).endswith("y no vault")
    assert len(str(caught.value)) < 500
    assert capfd.readouterr() == ("", "")


REPEATS = {
    "the secret": "cat",
    "eight characters": "cut -c 5-12",
    "capitals": "tr a-z A-Z",
    "lines": "fold -w 3",
    "base64": "base64",
    "base64 with something before": "sed 's/^/x/' | base64",
    "base64 with two bytes before": "sed 's/^/xy/' | base64 | tr +/ -_",
    "hex": "od -An -tx1",
    "hex in one word": "od -An -v -tx1 | tr -d ' \\n' | tr a-f A-F",
    "escapes": "od -An -v -tx1 | sed 's/ /\\\\x/g'",
    "the characters of a dump": "od -An -c",
    "URL encoding": "sed 's/+/%2B/; s|/|%2f|'",
}


@pytest.mark.parametrize("form", REPEATS)
def test_what_a_command_writes_about_the_secret_is_withheld(form: str, tmp_path: Path) -> None:
    """Eight consecutive characters of the secret, in any usual form, keep all of the output from being shown."""
    script = write_script(tmp_path / "store.sh", f"echo wrong >&2; ({REPEATS[form]}) >&2; exit 1")
    with pytest.raises(StoreError) as caught:
        parse(f"exec:{script}").write(evolve(KEY, value="pcsk_a+b/c+d/canary+0/9?>~"))
    assert str(caught.value) == (
        f"The command of --store, {script}, ended with exit status 1. Its standard error is not shown, because a part "
        "of the secret is in it"
    )


def test_seven_characters_of_a_secret_are_shown() -> None:
    """The prefix of every key is no secret."""
    with pytest.raises(StoreError, match=r"exit status 1\. Its standard error ends with: pcsk_ca is wrong"):
        parse("exec:sh -c 'echo pcsk_ca is wrong >&2; exit 1'").write(KEY)


def test_commands_that_cannot_run_are_refused(tmp_path: Path) -> None:
    """A missing or unexecutable command fails the check, and one that the system cannot run fails when it is run."""
    plain = tmp_path / "plain"
    plain.write_text("x")
    for command in ("no-such-command-anywhere", str(plain), str(tmp_path)):
        with pytest.raises(StoreError, match="is no program that can be run"):
            parse(f"exec:{shlex.quote(command)} x").check()
    plain.chmod(0o700)
    with pytest.raises(StoreError, match="cannot be run"):
        parse(f"exec:{plain}").write(KEY)
    with pytest.raises(StoreError, match="signal 9"):
        parse("exec:sh -c 'kill -9 $$'").write(KEY)


READERS = {
    "cat": "cat",
    "tee": "tee {file}",
    "read": "sh -c 'read -r value; true'",
    "the right number of bytes": "head -c 22",
    "a slow process that it leaves behind": "sh -c 'exec 3<&0; (sleep 0.2; cat <&3 >{file}) >&- 2>&- & exit 0'",
    "a process that it leaves behind with its streams": "sh -c 'cat; sleep 60 & exit 0'",
}
OTHERS = {
    "nothing": "true",
    "a closed input": "sh -c 'exec 0<&-; exit 0'",
    "the beginning": "head -c 5",
    "all but one byte": "head -c 21",
    "a process that it leaves behind and that reads nothing": "sh -c 'exec 3<&0; sleep 60 & exit 0'",
}


@pytest.mark.parametrize("reader", READERS)
def test_a_command_that_reads_the_whole_secret_has_stored_it(reader: str, tmp_path: Path) -> None:
    """With exit status 0, and nothing left in the pipe, the command line knows no more."""
    parse(f"exec:{READERS[reader].format(file=tmp_path / 'file')}").write(KEY)


@pytest.mark.parametrize("other", OTHERS)
def test_a_command_that_leaves_a_part_unread_has_not_stored_the_secret(
    other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 0 does not count if bytes of the secret are left in the pipe."""
    monkeypatch.setattr(store_command, "_READING_TIMEOUT", 0.1)
    with pytest.raises(StoreError, match="ended with exit status 0, but did not read the whole secret"):
        parse(f"exec:{OTHERS[other]}").write(KEY)


def test_what_is_left_unread_is_never_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that reads it too late finds nothing: by then, the key may be deleted."""
    monkeypatch.setattr(store_command, "_READING_TIMEOUT", 0.0)
    late, go = tmp_path / "late", tmp_path / "go"
    os.mkfifo(go)
    script = write_script(tmp_path / "store.sh", f"exec 3<&0; (cat {go}; cat <&3 >{late}.new; mv {late}.new {late}) &")
    with pytest.raises(StoreError, match="did not read"):
        parse(f"exec:{script}").write(KEY)
    go.write_text("")
    wait_until(late.exists)
    assert late.read_text() == ""


def test_a_secret_that_a_pipe_may_not_take_is_not_stored() -> None:
    """No secret of the service is as long; nothing waits for a command that does not read it."""
    with pytest.raises(StoreError, match="more than 4096 bytes"):
        parse("exec:cat").write(evolve(KEY, value="v" * 4097))


def run_interrupted(script: Path, ready: Path, *, signals: int) -> Interruptions:
    """Store a secret by a script, and send signals to this process once it is ready."""

    def interrupt() -> None:
        wait_until(ready.exists)
        for _ in range(signals):
            os.kill(os.getpid(), signal.SIGTERM)
            wait_until(lambda: interruptions.received)

    with Interruptions(print, Ledger()) as interruptions:
        interruptions.hold()
        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            CommandPlace(command=(str(script),), interruptions=interruptions).write(KEY)
        finally:
            thread.join()
    return interruptions


def test_a_signal_lets_a_command_finish(tmp_path: Path) -> None:
    """An interrupted command may have stored the secret already, so its exit status is waited for."""
    ready, done = tmp_path / "ready", tmp_path / "done"
    script = write_script(tmp_path / "store.sh", f"touch {ready}; sleep 0.1; cat > {done}")
    assert run_interrupted(script, ready, signals=1).received
    assert done.read_text() == SECRET


@pytest.mark.parametrize("signals", [1, 2])
def test_a_command_that_goes_on_is_killed(signals: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some seconds after the first signal, a command has not stored the secret; a second one changes nothing of it."""
    monkeypatch.setattr(store_command, "_INTERVAL", 0.05)
    monkeypatch.setattr(interruption, "GRACE", 0.1)
    script = write_script(tmp_path / "store.sh", f"trap '' INT TERM; touch {tmp_path}/ready; exec sleep 60")
    with pytest.raises(StoreError, match="signal 9"):
        run_interrupted(script, tmp_path / "ready", signals=signals)


def test_only_the_first_signal_interrupts() -> None:
    """Further signals do not disturb what the first one started; ignored signals stay ignored, others come back."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with Interruptions(print, Ledger()) as interruptions:
            signal.raise_signal(signal.SIGHUP)
            assert not interruptions.received
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_rescue_file_is_reserved_and_filled(tmp_path: Path) -> None:
    """The first folder with room gets a file of mode 0600, whose space is reserved until the secret comes."""
    blocked = tmp_path / "blocked"
    blocked.touch()
    rescue = reserve_rescue_file([blocked / "state", tmp_path / "state"])
    assert rescue.path.parent == tmp_path / "state"
    assert (mode_of(rescue.path), mode_of(tmp_path / "state")) == (0o600, 0o700)
    assert rescue.path.stat().st_size == 4096
    rescue.write(ACCOUNT.to_json())
    assert json.loads(rescue.path.read_text()) == {"service_account": {"id": "s1"}, "client_secret": SECRET}
    with pytest.raises(StoreError, match="Not a directory"):
        reserve_rescue_file([blocked / "state"])


def test_without_a_home_the_folder_for_temporary_files_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder of the user's state comes first, where it is known."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", "/temporary")
    assert list(rescue_folders()) == [tmp_path / "pinecone-admin", Path("/temporary")]
    monkeypatch.setattr("platformdirs.user_state_path", lambda _: Path("~/.local/state/pinecone-admin"))
    assert list(rescue_folders()) == [Path("/temporary")]
