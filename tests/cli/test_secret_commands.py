"""Commands that make a secret: it is stored, shown, rescued, or never valid, whatever happens."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import stat
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from unittest import mock

import httpx
import pytest

from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.exit_codes import USAGE
from pinecone_admin.cli.secrets import standard_output, store_command
from pinecone_admin.cli.secrets.target_files import _reserve_in
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import COMMANDS, Run, _Stream, example_organization, run
from tests.cli.secret_makers import (
    MAKERS,
    ROTATES_ACCOUNT,
    InterruptionAt,
    find_files_with,
    intercepted,
    list_ids,
    live_secrets,
    read_files,
    words_of,
)


def refuse_deletion(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
    """Fail each deletion."""
    return httpx.Response(503) if request.method == "DELETE" else handle()


def cut_off_secret(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
    """Cut off the last character of each response with a secret."""
    response = handle()
    is_create = request.method == "POST" and request.url.path.endswith(
        ("api-keys", "service-accounts", "rotate-secret")
    )
    return httpx.Response(response.status_code, content=response.content[:-1]) if is_create else response


@contextmanager
def failing_stdout(error: OSError) -> Generator[None, None, None]:
    """Let stdout fail when it is written to."""
    original = _Stream.write

    def write(self: _Stream, text: str) -> int:
        if self is sys.stdout:
            raise error
        return original(self, text)

    with mock.patch.object(_Stream, "write", write):
        yield


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rescue files come to the folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


each_maker = pytest.mark.parametrize("name", MAKERS)


def test_the_makers_are_all_methods_that_return_or_store_a_secret() -> None:
    """A new method that makes a secret gets the options by its type."""
    assert set(MAKERS) == {
        "api-key create",
        "api-key ensure",
        "api-key rotate",
        "project provision",
        "service-account create",
        "service-account ensure",
        ROTATES_ACCOUNT,
    }


@pytest.mark.parametrize("name", [name for name in MAKERS if "rotate" not in name])
@pytest.mark.parametrize("place", ["env-file:{}#KEY", "file:{}"])
def test_a_place_that_is_taken_is_refused_before_anything_is_made(name: str, place: str, tmp_path: Path) -> None:
    """It may have the only copy of another secret, so the command and its dry run end in a usage error."""
    path = tmp_path / "keys"
    path.touch(0o600)
    path.write_text("KEY=pcsk_another\n")
    words = words_of(name, "--store", place.format(path))
    with example_organization() as emulator:
        for way in ([], ["--dry-run"]):
            done = run(*words, *way)
            assert (done.exit, done.stdout) == (2, ""), done
            assert done.stderr.startswith(f"error: {path} "), done
            assert "perhaps the only copy" in done.stderr
            assert re.search(r"remove that (one|line) first\. Nothing was changed\. \[PA101\]$", done.stderr)
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}
    assert path.read_text() == "KEY=pcsk_another\n"


@pytest.mark.parametrize("place", ["env-file:keys.env#PINECONE_API_KEY", "file:key"])
def test_only_a_rotation_replaces_a_secret_that_is_stored(place: str, tmp_path: Path) -> None:
    """A new key does not take the place of another one, which may be stored nowhere else; a rotated one does."""
    with example_organization() as emulator:
        before = live_secrets(emulator)
        path = tmp_path / place.partition(":")[2].partition("#")[0]
        options = ("--store", place.replace(path.name, str(path)), "--yes")
        first = run("api-key", "create", "first", "--project", "search", *options)
        stored = path.read_text()
        again = run("api-key", "create", "second", "--project", "search", *options)
        tenant = run("project", "provision", "acme", "--role", "DataPlaneEditor", *options)
        assert (first.exit, again.exit, tenant.exit) == (0, 2, 2)
        assert "perhaps the only copy" in again.stderr
        assert "perhaps the only copy" in tenant.stderr
        assert path.read_text() == stored
        assert len(live_secrets(emulator)) == len(before) + 1
        same = run("api-key", "ensure", "first", "--project", "search", *options)
        assert (same.exit, path.read_text()) == (0, stored)
        rotated = run("api-key", "rotate", "first", "--project", "search", "--keep-old-for", "0", *options)
        assert rotated.exit == 0
        assert path.read_text() != stored


@each_maker
def test_a_place_for_the_secret_is_required_before_anything_is_sent(name: str, tmp_path: Path) -> None:
    """A forgotten or wrong option, or a place that cannot be used, ends with exit code 2 before the first request.

    Whether the account is the caller's own, whose secret needs no option, is known only after reads.
    """
    public = tmp_path / "public"
    public.write_text("A=1\n")
    public.chmod(0o644)
    options: list[list[str]] = [
        [],
        ["--reveal", "--store", "file:x"],
        ["--reveal", "--query", "id"],
        ["--store", "pcsk_canary"],
        ["--store", ""],
        ["--store", f"file:{tmp_path}/missing/x"],
        ["--store", f"env-file:{public}#A", "--allow-group"],
        ["--store", "exec:no-such-command-anywhere"],
    ]
    with example_organization() as emulator:
        # All options of two commands, which stand for the two kinds of secrets, and the first two of the others.
        for given in options if name in {"api-key create", ROTATES_ACCOUNT} else options[:2]:
            done = run(*words_of(name, *given))
            assert (done.exit, done.stdout) == (2, ""), given
            assert "--store" in done.stderr or "--reveal" in done.stderr
            assert "pcsk_canary" not in done.stderr
            if not given and name == ROTATES_ACCOUNT:
                assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}
                emulator.requests.clear()
        assert list(emulator.requests) == []
    assert read_files(tmp_path) == {public: "A=1\n"}


@each_maker
def test_a_stored_secret_is_in_its_store_alone(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each kind of store gets the valid secret; stdout says which it was, and no other file, stream or log has it."""
    caplog.set_level(logging.DEBUG)
    stores = {
        f"file:{tmp_path}/key": tmp_path / "key",
        f"env-file:{tmp_path}/env#KEY": tmp_path / "env",
        f"exec:tee {tmp_path}/teed /dev/stderr": tmp_path / "teed",
    }
    with example_organization() as emulator:
        initial, before = emulator.dump(), live_secrets(emulator)
        for place, target in stores.items():
            emulator.load(initial)
            done = run(*words_of(name, "--store", place, "--audit-log", f"{tmp_path}/audit.log"))
            (secret,) = live_secrets(emulator) - before
            assert (done.exit, done.stderr) == (0, "")
            assert secret not in done.stdout + caplog.text
            # The words of a command may be confidential.
            assert done.json["stored_in"] == ("exec:tee" if place.startswith("exec:") else place)
            assert find_files_with({secret}, tmp_path) == [target]
            target.unlink()


@each_maker
def test_a_revealed_secret_is_on_stdout_alone(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every format shows the secret whole; no file, log or stderr has it."""
    caplog.set_level(logging.DEBUG)
    formats = (
        ("json", "raw", "yaml", "csv", "table") if name in {"api-key create", ROTATES_ACCOUNT} else ("json", "raw")
    )
    with example_organization() as emulator:
        initial, before = emulator.dump(), live_secrets(emulator)
        for output in formats:
            emulator.load(initial)
            done = run(*words_of(name, "--reveal", "--output", output))
            (secret,) = live_secrets(emulator) - before
            assert (done.exit, secret in done.stderr) == (0, False)
            assert done.stderr.count("\n") == (name == "api-key rotate")  # the old key is not in this output
            assert secret in done.stdout
            assert output != "raw" or done.stdout == f"{secret}\n"
            assert output != "json" or secret in {done.json.get("value"), done.json.get("client_secret")}
            assert secret not in caplog.text
            assert find_files_with({secret}, tmp_path) == []


@each_maker
def test_a_broken_store_leaves_no_key_and_loses_no_secret(name: str, tmp_path: Path) -> None:
    """If the store fails, what was made is deleted; a replaced secret of an account is rescued."""
    with example_organization() as emulator:
        before, ids = live_secrets(emulator), list_ids(emulator)
        done = run(*words_of(name, "--store", "exec:sh -c 'cat >&2; exit 1'"))
        made = live_secrets(emulator) - before
        assert list_ids(emulator) == ids
    assert done.exit == code_of_lost_store(name)
    assert done.stdout == ""
    assert "ended with exit status 1. Its standard error is not shown" in done.stderr
    check_rescue(name, done, made, tmp_path)


@each_maker
def test_a_store_that_leaves_the_secret_unread_counts_as_broken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that ends with 0 and has not read the secret keeps the old key, and the new one is undone."""
    monkeypatch.setattr(store_command, "_READING_TIMEOUT", 0.0)
    for command in ("true", "head -c 5"):
        with example_organization() as emulator:
            before, ids = live_secrets(emulator), list_ids(emulator)
            done = run(*words_of(name, "--store", f"exec:{command}"))
            made = live_secrets(emulator) - before
            assert list_ids(emulator) == ids
            assert name == ROTATES_ACCOUNT or live_secrets(emulator) == before
        assert (done.exit, done.stdout) == (code_of_lost_store(name), "")
        assert "ended with exit status 0, but did not read the whole secret." in done.stderr
        check_rescue(name, done, made, tmp_path)
        for path in find_files_with(made, tmp_path):
            path.unlink()


@each_maker
def test_a_disk_that_fills_up_meanwhile_loses_no_secret(name: str, tmp_path: Path) -> None:
    """If the disk is full only once the secret is made, the old file stays, and the key is deleted or rescued."""
    env = tmp_path / "env"
    env.write_text("A=1\n")
    env.chmod(0o600)
    with example_organization() as emulator:
        before, ids = live_secrets(emulator), list_ids(emulator)
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")):
            done = run(*words_of(name, "--store", f"env-file:{env}#B"))
        made = live_secrets(emulator) - before
        assert list_ids(emulator) == ids
    assert done.exit == code_of_lost_store(name)
    assert f"{env}: No space left on device." in done.stderr
    assert env.read_text() == "A=1\n"
    check_rescue(name, done, made, tmp_path)


def code_of_lost_store(name: str) -> int:
    """Return how a command ends whose secret is not stored: what it made is gone, or the secret is rescued."""
    return 9 if name == ROTATES_ACCOUNT else 1


def check_rescue(name: str, done: Run, made: set[str], folder: Path) -> None:
    """Check that the new secrets, if any, are in a rescue file of mode 0600 that the error names, and nowhere else."""
    rescued = find_files_with(made, folder) if made else []
    assert len(rescued) == len(made) == (name == ROTATES_ACCOUNT)
    assert not any(secret in done.stdout + done.stderr for secret in made)
    assert "rescue" in done.stderr or not rescued
    for path in rescued:
        assert str(path) in done.stderr
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert {json.loads(path.read_text())["client_secret"]} == made
    assert made or "deleted" in done.stderr
    assert set(folder.rglob("*rescue*")) == set(rescued)


@each_maker
def test_stdout_that_cannot_be_written_loses_no_secret(name: str, tmp_path: Path) -> None:
    """A closed pipe or a full disk that swallows a revealed secret: the key is deleted, or the secret rescued."""
    for error in (BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")):
        with example_organization() as emulator, failing_stdout(error):
            before, ids = live_secrets(emulator), list_ids(emulator)
            done = run(*words_of(name, "--reveal"))
            made = live_secrets(emulator) - before
            assert list_ids(emulator) == ids
        assert done.exit == code_of_lost_store(name)
        assert "stdout" in done.stderr
        assert not any(secret in done.stderr for secret in made)
        rescued = find_files_with(made, tmp_path) if made else []
        assert [str(path) in done.stderr for path in rescued] == [True] * len(made)
        for path in rescued:
            path.unlink()


def check_interrupted(emulator: Emulator, name: str, number: int, *, after: bool, folder: Path) -> bool:
    """Interrupt a command at a request, check that no secret is lost, and return whether there was such a request."""
    target, case = folder / "key", f"{name} at request {number}, {after=}"
    interruption = InterruptionAt(number, after=after)
    before, ids = live_secrets(emulator), list_ids(emulator)
    with interruption.armed():
        done = run(*words_of(name, "--store", f"file:{target}"))
    made = live_secrets(emulator) - before
    kept = {secret for secret in made if find_files_with({secret}, folder)}
    assert made == kept, f"{case} loses a secret: {done.stderr}"
    assert made or list_ids(emulator) == ids, f"{case} leaves something: {done.stderr}"
    assert made or not target.exists(), f"{case} stores a secret that is not valid: {done.stderr}"
    if interruption.was_sent:
        assert done.exit == 130, case
        *undone, last = done.stderr.splitlines()
        assert last.startswith("error: Interrupted. "), case
        named = re.compile(r"(Interrupted\. )?Deleting [\w -]+, which was just made\. Ctrl-C again leaves it\.")
        assert all(map(named.fullmatch, undone)), case
    target.unlink(missing_ok=True)
    return interruption.was_sent


@each_maker
def test_an_interruption_at_any_request_loses_no_secret(name: str, tmp_path: Path) -> None:
    """Interrupted before or after any request, a command leaves a secret that is stored, or nothing new."""
    with example_organization() as emulator:
        initial = emulator.dump()
        for after in (False, True):
            number = 1
            while check_interrupted(emulator, name, number, after=after, folder=tmp_path):
                number += 1
                emulator.load(initial)
            assert number > 2


@each_maker
def test_an_interruption_while_the_secret_is_stored_lets_the_command_finish(name: str, tmp_path: Path) -> None:
    """A signal that comes while the store works cannot leave open whether the secret is stored."""
    script = tmp_path / "store.sh"
    script.write_text(f"#!/bin/sh\nkill -TERM $PPID\ncat > {tmp_path}/stored\n")
    script.chmod(0o700)
    with example_organization() as emulator:
        before = live_secrets(emulator)
        done = run(*words_of(name, "--store", f"exec:{script}"))
        made = live_secrets(emulator) - before
    assert done.exit == 130
    assert done.stderr.startswith("error: Interrupted. The command was completed.")
    assert {(tmp_path / "stored").read_text()} == made


@each_maker
def test_a_key_that_cannot_be_deleted_is_rescued(name: str, tmp_path: Path) -> None:
    """If the store fails and the network with it, the secret of what is left goes to a rescue file."""
    with example_organization() as emulator, intercepted(refuse_deletion):
        before = live_secrets(emulator)
        done = run(*words_of(name, "--store", "exec:false"))
        (secret,) = live_secrets(emulator) - before
    assert done.exit == (9 if name == "service-account rotate" else 6)  # whether what is made remains is unknown
    (path,) = find_files_with({secret}, tmp_path)
    assert str(path) in done.stderr
    assert secret not in done.stderr


def test_an_error_after_the_secret_is_stored_keeps_the_key(tmp_path: Path) -> None:
    """Once the secret is stored or shown, what it belongs to stays, and the error says so."""

    def refuse_renaming(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        is_noted = b'"~makes:' in request.read() or b'"~rotates:' in request.read()  # before it is stored
        return httpx.Response(503) if request.method == "PATCH" and not is_noted else handle()

    for name in ("api-key ensure", "api-key rotate", "project provision", "service-account ensure"):
        for options in (["--store", f"file:{tmp_path}/{name}"], ["--reveal"]):
            with example_organization() as emulator, intercepted(refuse_renaming):
                before = live_secrets(emulator)
                done = run(*words_of(name, *options))
                (secret,) = live_secrets(emulator) - before
            assert done.exit == 9
            assert re.search(r" (is stored|is on stdout)\. .*\[PA210\]\n$", done.stderr), done
            place = "is on stdout" if options == ["--reveal"] else "is stored"
            assert re.findall(r"is stored|is on stdout|was written to stdout", done.stderr) == [place], done
            assert secret in done.stdout + "".join(read_files(tmp_path).values())


def test_a_pipe_that_is_read_is_not_waited_for() -> None:
    """What has been read has arrived, whatever happens to the pipe afterwards; what nobody has read is lost."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        stream.write("secret")
        stream.flush()
        assert os.read(reader, 100) == b"secret"
        standard_output.flush_secret(stream)
        stream.write("more")
        with mock.patch.object(standard_output, "_PATIENCE", 20):
            standard_output.flush_secret(stream)  # whoever reads slowly is not waited for
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            standard_output.flush_secret(stream)
        standard_output.discard_output(stream)
        stream.write("nowhere")


def test_an_answer_that_cannot_be_read_is_kept(tmp_path: Path) -> None:
    """The secret in a damaged response is in a file, and the exit code says that the outcome must be looked at."""
    for name in ("api-key create", "service-account create", ROTATES_ACCOUNT):
        with (
            example_organization() as emulator,
            intercepted(cut_off_secret),
            # There is room for one file, which is reserved before what cannot be undone.
            mock.patch(
                "pinecone_admin.cli.secrets.target_files._reserve_in", side_effect=[_reserve_in(tmp_path), OSError]
            ),
        ):
            before = live_secrets(emulator)
            done = run(*words_of(name, "--reveal"))
            made = live_secrets(emulator) - before
        assert done.exit == (9 if name == ROTATES_ACCOUNT else 6)
        (path,) = find_files_with(made, tmp_path)
        assert str(path) in done.stderr
        path.unlink()


def test_without_room_for_a_rescue_file_no_account_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that can be neither stored nor rescued must not be made; of a key, the error says what to delete."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with example_organization() as emulator:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
        before = live_secrets(emulator)
        done = run(*words_of(ROTATES_ACCOUNT, "--reveal"))
        assert (done.exit, live_secrets(emulator)) == (2, before)
        assert "Nothing was changed." in done.stderr
        with intercepted(refuse_deletion):
            done = run(*words_of("api-key create", "--store", "exec:false"))
        monkeypatch.undo()
    assert done.exit == 6  # the deletion of the key had no response
    assert re.search(
        r"The new value of key \S+ could not be kept anywhere, and is lost\. Rotate the key again\. No file can be",
        done.stderr,
    )


def test_what_exists_is_not_made_again(tmp_path: Path) -> None:
    """Nothing is stored or shown for what exists already, and the output has null where the secret would be."""
    for name, field in (
        ("api-key ensure", "value"),
        ("service-account ensure", "client_secret"),
        ("project provision", "value"),
    ):
        with example_organization():
            run(*words_of(name, "--reveal"))
            shown, stored = run(*words_of(name, "--reveal")), run(*words_of(name, "--store", f"file:{tmp_path}/key"))
            raw = run(*words_of(name, "--reveal", "--output", "raw"))
        assert [each.exit for each in (shown, stored, raw)] == [0, 0, 9]
        assert shown.json[field] is None
        made, kept = ((each.json["key"] if name == "project provision" else each.json) for each in (shown, stored))
        assert made["id"] == kept["id"]
        assert made["created"] is False
        assert raw.stdout == ""
        assert "cannot be shown again" in shown.stderr
        assert not (tmp_path / "key").exists()


LATER = {"steps", "replaced", "delete_after", "project", "bindings"}
"""What is not known when a secret is shown, which is before anything else can fail."""


@pytest.mark.parametrize("name", MAKERS)
def test_a_secret_that_is_shown_has_the_fields_of_one_that_is_stored(name: str, tmp_path: Path) -> None:
    """A script finds them in one place and order. Of a rotation, the note has as data what is known later."""
    documents: list[dict[str, object]] = []
    place = f"file:{tmp_path}/secret"
    for options in (["--store", place], ["--reveal"]):
        with example_organization():
            done = run(*words_of(name, *options), "-o", "json")
        assert done.exit == 0, done
        documents.append(done.json)
    stored, shown = documents
    if name == "api-key rotate":
        note = json.loads(done.stderr)["note"]
        assert {each: type(note.pop(each)) for each in ("replaced", "delete_after")} == {
            each: type(stored[each]) for each in ("replaced", "delete_after")
        }
        assert list(note) == ["message"]
    *fields, secret = shown
    assert secret in {"value", "client_secret"}
    assert fields == [each for each in stored if each not in LATER]
    assert (stored["stored_in"], shown["stored_in"]) == (place, None)
    for each in {"key"} & {*fields}:
        within = stored[each], shown[each]
        assert isinstance(within[0], dict)
        assert isinstance(within[1], dict)
        assert [*within[1]] == [field for field in within[0] if field not in LATER]


@pytest.mark.parametrize("name", MAKERS)
def test_a_table_and_what_stands_beside_it_say_each_thing_once(name: str, tmp_path: Path) -> None:
    """Where the secret is, and what becomes of an old key, is in the output or beside it, and not in both."""
    place = str(tmp_path / "secret")
    overlaps = ("7d", "0") if name == "api-key rotate" else ("",)
    for overlap in overlaps:
        for options in (("--store", f"file:{place}"), ("--reveal",)):
            words = words_of(name, *options, "-o", "table")
            words = [overlap if before == "--keep-old-for" else each for before, each in pairwise(["", *words])]
            with example_organization():
                done = run(*words)
            Path(place).unlink(missing_ok=True)
            said = done.stdout + done.stderr
            assert done.exit == 0, done
            assert said.count(place) == (options[0] == "--store"), done
            assert len(re.findall("(?i)the old key", said)) == (overlap != ""), done
            assert len(re.findall("delete-retired", said)) == (overlap == "7d"), done


def test_a_person_is_told_where_the_secret_went(tmp_path: Path) -> None:
    """On a terminal it is a line beside the output; of what exists or is shown, nothing claims a place."""
    place = f"file:{tmp_path}/secret"
    create = ("api-key", "create", "k", "--project", "search", "--confirm", "k")
    with example_organization():
        done = run(*create, "--store", place, terminal=True)
        assert (done.exit, done.said) == (0, f"The secret is stored in {place}.")
        ensured = run("api-key", "ensure", "k", "--project", "search", "--yes", "--store", f"{place}2")
        assert ensured.json["stored_in"] is None
        assert run(*create, "--reveal").json["stored_in"] is None
        raw = run(*create, "--store", f"{place}3", "--output", "raw").stdout
        assert raw.strip() in {each["id"] for each in run("api-key", "list", "--project", "search").json}


@pytest.mark.parametrize("spec", [each for each in COMMANDS if each.makes], ids=lambda spec: spec.full_name)
def test_the_example_of_a_store_fits_the_secret(spec: Command) -> None:
    """A form that is wrong gets an example with the variable or the placeholders of what the command makes."""
    assert spec.makes is not None
    words = [each for each in shlex.split(spec.example)[1:] if each != "--reveal"]
    if "--store" in words:
        position = words.index("--store")
        del words[position : position + 2]
    Path("org.yaml").write_text("organization: Emulated Organization\n")
    with example_organization(spec):
        done = run(*words, "--store", "env-file:.env")
        assert done.exit == USAGE, done
        example = done.stderr.partition(", such as ")[2].partition(". [")[0]
        assert ("CLIENT_SECRET" in example) == (spec.makes.is_of_account and not spec.makes.many)
        assert ("API_KEY" in example) == (not spec.makes.is_of_account and not spec.makes.many)
        assert ("{name}" in example) == spec.makes.many
        assert "such as" not in run(*words, "--store", shlex.split(example)[0], "--dry-run").stderr


@each_maker
def test_a_dry_run_makes_no_secret_and_needs_no_place(name: str, tmp_path: Path) -> None:
    """It sends reads only, stores nothing, and still checks the place that is given."""
    with example_organization() as emulator:
        before = live_secrets(emulator)
        for options in ([], ["--reveal"], ["--store", f"file:{tmp_path}/key"]):
            assert run(*words_of(name, "--dry-run", *options)).exit == 0
        assert run(*words_of(name, "--dry-run", "--store", f"file:{tmp_path}/missing/key")).exit == 2
        assert live_secrets(emulator) == before
    assert not (tmp_path / "key").exists()


def test_a_rotation_with_overlap_is_finished_by_deleting_retired_keys(tmp_path: Path) -> None:
    """The old key works for a week, and then a second command deletes it; the env file has the new one."""
    env = tmp_path / ".env"
    env.write_text("HOST=x\nexport PINECONE_API_KEY=pcsk_old\n")
    env.chmod(0o600)
    rotate = ["api-key", "rotate", "reader", "--project", "search", "--store", f"env-file:{env}#PINECONE_API_KEY"]
    retire = ["api-key", "delete-retired", "--project", "search", "--yes"]
    with example_organization() as emulator:
        (old,) = [each for each in emulator.state.api_keys.values() if each.name == "reader"]
        assert run(*rotate, "--yes").exit == 2
        assert "--keep-old-for" in run(*rotate, "--yes").stderr
        rotated = run(*rotate, "--yes", "--keep-old-for", "7d", "--output", "table")
        assert rotated.exit == 0
        assert "The old key works at least until " in rotated.stdout
        assert rotated.stdout.endswith(f" Its id is {old.id}.\n")
        assert old.id in emulator.state.api_keys
        (new,) = [each for each in emulator.state.api_keys.values() if each.name == "reader"]
        assert env.read_text() == f"HOST=x\nexport PINECONE_API_KEY={new.value}\n"
        assert [each["id"] for each in run(*retire).json["kept"]] == [old.id]
        emulator.clock.advance(8 * 24 * 3600)
        assert [each["id"] for each in run(*retire).json["deleted"]] == [old.id]
        assert old.id not in emulator.state.api_keys
        assert new.id in emulator.state.api_keys
        leaked = run(*rotate, "--yes", "--keep-old-for", "0")
        assert leaked.json["delete_after"] is None
        assert new.id not in emulator.state.api_keys
        shown = run("api-key", "rotate", "reader", "--reveal", "--yes", "--keep-old-for", "0", terminal=True)
        assert shown.said.endswith(f"The old key was deleted. Its id was {leaked.json['id']}.")


def test_a_key_that_was_replaced_already_gets_no_value(tmp_path: Path) -> None:
    """A second rotation by the old id names the new key, and ends with 0 only if the place may have its value."""
    with example_organization() as emulator:
        (id,) = (each.id for each in emulator.state.api_keys.values() if each.name == "reader")
        rotate = ("api-key", "rotate", id, "--keep-old-for", "1d", "--yes")
        first = run(*rotate, "--store", f"file:{tmp_path}/first", "-o", "json")
        new = first.json["id"]
        for options, code in (
            (["--store", f"file:{tmp_path}/first"], 0),
            (["--store", "exec:cat"], 0),
            (["--store", f"file:{tmp_path}/second"], 9),
            (["--reveal"], 9),
        ):
            done = run(*rotate, *options, "-o", "json")
            assert done.exit == code, (options, done)
            assert f"an earlier run has replaced API key {id} with {new}, and stored or showed its value" in done.stderr
            preview = run(*rotate, *options, "--dry-run", "-o", "table")
            assert (preview.exit, "would be replaced" in preview.stdout) == (0, False), preview
    assert not (tmp_path / "second").exists()


@each_maker
def test_a_dry_run_without_a_place_says_that_its_run_needs_one(name: str) -> None:
    """It shows what would be done all the same; with a place, it says nothing of that."""
    with example_organization():
        without, given = run(*words_of(name, "--dry-run")), run(*words_of(name, "--dry-run", "--store", "file:secret"))
    said = "Without --dry-run, the command needs a place for secrets."
    assert (without.exit, said in without.stderr) == (0, True), without
    assert (given.exit, said in given.stderr) == (0, False), given


@pytest.mark.parametrize("name", ["api-key ensure", "project provision", "service-account ensure"])
def test_a_table_has_a_line_for_each_thing_that_is_made_and_none_for_temporary_names(name: str) -> None:
    """A dry run and its run have the same lines."""
    with example_organization():
        preview = run(*words_of(name, "--dry-run", "-o", "table"))
        done = run(*words_of(name, "--store", "file:secret", "-o", "table"))
    planned, made = (
        re.sub(r" \([0-9a-f-]{36}\)", "", each.stdout).replace(" new project", " project").splitlines()
        for each in (preview, done)
    )
    verbs = {"created": "would create", "granted": "would grant"}
    expected = [re.sub(r"^\w+", lambda found: verbs[found[0]], line) for line in made]
    assert planned[1:] == expected != []


def test_a_rotation_says_that_it_replaces_a_value_only_if_it_does(stride: Callable[[int], int]) -> None:
    """Whatever an interrupted run has left, a dry run and its run say it if, and only if, the run writes a value."""
    seen = set[bool]()
    for number in range(1, 16, stride(2)):
        with example_organization() as emulator:
            Path("rr.key").unlink(missing_ok=True)
            Path("rr.key").touch(mode=0o600)
            Path("rr.key").write_text("pcsk_some")
            (id,) = [each.id for each in emulator.state.api_keys.values() if each.name == "reader"]
            rotate = ("api-key", "rotate", id, "--keep-old-for", "1d", "--store", "file:rr.key", "--yes", "-o", "table")
            with InterruptionAt(number, after=True).armed():
                run(*rotate)
            before = Path("rr.key").read_text()
            preview, done = run(*rotate, "--dry-run"), run(*rotate)
            is_written = Path("rr.key").read_text() != before
            seen.add(is_written)
            assert (preview.exit, done.exit) == (0, 0), (number, preview, done)
            assert ["replaces its value" in each.stderr for each in (preview, done)] == [is_written] * 2, number
            assert ("would be replaced" in preview.stdout) == is_written, (number, preview)
    assert seen == {True, False}


def test_a_rotation_says_what_it_cannot_know_and_refuses_what_is_something_else(tmp_path: Path) -> None:
    """A value of the same kind is replaced with a remark; another account's secret stays, and nothing is changed."""
    env = tmp_path / ".env"
    env.write_text("KEY=pcsk_some\nOTHER_ID=another\nOTHER=secret\n")
    env.chmod(0o600)
    rotate = words_of("api-key rotate", "--store", f"env-file:{env}#KEY", "--dry-run")
    with example_organization() as emulator:
        before = live_secrets(emulator)
        assert (
            f"KEY in {env} exists, and --store replaces its value. Nothing shows whether it is that of this key."
            in run(*rotate).stderr
        )
        missing = run(*["nothing" if word == "reader" else word for word in rotate])
        assert (missing.exit, "replaces its value" in missing.stderr) == (4, False), missing
        path = f"/admin/service-accounts/{list(emulator.state.service_accounts)[-1]}/rotate-secret"
        other = ("--store", f"env-file:{env}#OTHER")
        for words in (words_of(ROTATES_ACCOUNT, *other), ["send", "POST", path, *other, "--yes"]):
            done, preview = run(*words), run(*words, "--dry-run")
            assert (done.exit, preview.exit, preview.stderr) == (2, 2, done.stderr)
            assert "belongs to another service account: the client id beside it is not that of this one" in done.stderr
            assert "Nothing was changed." in done.stderr
        assert live_secrets(emulator) == before
    assert env.read_text() == "KEY=pcsk_some\nOTHER_ID=another\nOTHER=secret\n"


@pytest.mark.parametrize("name", ["api-key ensure", "project provision", "service-account ensure", "api-key rotate"])
@pytest.mark.parametrize("place", ["env-file:{}#KEY", "file:{}"])
def test_what_an_interrupted_run_stored_is_not_made_again(name: str, place: str, tmp_path: Path) -> None:
    """If the last rename fails, the same command renames what is stored, and says that nothing new was made."""

    def refuse_last_rename(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        return httpx.Response(503) if request.method == "PATCH" and b'"~' not in request.read() else handle()

    path = tmp_path / "secret"
    words = words_of(name, "--store", place.format(path))
    with example_organization() as emulator:
        before = live_secrets(emulator)
        with intercepted(refuse_last_rename):
            assert run(*words).exit == 9
        stored = path.read_text()
        preview = run(*words, "--dry-run")
        again = run(*words)
        assert (preview.exit, again.exit, path.read_text()) == (0, 0, stored)
        made = live_secrets(emulator) - before
        assert any(secret in stored for secret in made)
        assert len(made) == 1
    if name != "api-key rotate":  # here, the old key shows what is stored
        assert "an earlier run stored it. This run finished the work." in again.stderr


@pytest.mark.parametrize("keep_old_for", ["0", "7d"])
@pytest.mark.parametrize("refused", [b'"~delete-after', b'"reader"'], ids=["old key", "new key"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupted_rotation_says_how_it_goes_on(
    keep_old_for: str, refused: bytes, tmp_path: Path, *, after: bool
) -> None:
    """If a run that completes an earlier one is interrupted, what its last line says keeps the key that is stored."""

    def refuse_renaming(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        return httpx.Response(503) if request.method == "PATCH" and refused in request.read() else handle()

    path, hints = tmp_path / "secret", 0
    options = ("--keep-old-for", keep_old_for, "--store", f"file:{path}", "--yes")
    with example_organization() as emulator:
        (old,) = (each.id for each in emulator.state.api_keys.values() if each.name == "reader")
        hint = "o finish the rotation, run this again with the id of the old key"
        with intercepted(refuse_renaming):
            assert hint in run("api-key", "rotate", "reader", *options).stderr
        unfinished, stored = emulator.dump(), path.read_text()
        for number in count(1):
            emulator.load(unfinished)
            path.write_text(stored)
            interruption = InterruptionAt(number, after=after)
            with interruption.armed():
                done = run("api-key", "rotate", "reader", *options)
            if not interruption.was_sent:
                break
            is_complete = "Only the result" in done.stderr  # it was interrupted as it read names for its report
            if "Nothing was changed" not in done.stderr:
                assert "The same command" not in done.stderr
                if not is_complete:
                    hints += 1
                    assert hint in done.stderr
                    run("api-key", "rotate", old, *options)
                names = {key.value: key.name for key in emulator.state.api_keys.values()}
                assert (path.read_text(), names[stored]) == (stored, "reader")
    assert hints > 0


@pytest.mark.parametrize(
    ("method", "exit_code", "said"),
    [
        ("before the first", 4, "not found"),
        ("POST", 5, "was not rotated, because somebody deleted it during this call. Run this again when the other"),
        ("PATCH", 1, "Another run replaced API key"),
    ],
)
def test_a_rotation_says_that_another_one_came_between(method: str, exit_code: int, said: str, tmp_path: Path) -> None:
    """A key that is gone at the start is 4; until a value is stored, the run ends with 5, and from then on with 1.

    The other run has deleted the new key, so that nothing of this run remains in the organization.
    """
    waits_for = [method]

    def rotate_before(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        # Right after the create, and right before the first renaming.
        is_next = request.method == "GET" and waits_for == ["GET"]
        if is_next or (request.method == waits_for[0] == "PATCH"):
            waits_for[0] = ""
            rotate()
        if request.method == waits_for[0] == "POST":
            waits_for[0] = "GET"
        return handle()

    with example_organization() as emulator:
        (old,) = (each for each in emulator.state.api_keys.values() if each.name == "reader")

        def rotate() -> None:
            with emulator.admin() as admin:
                admin.api_keys.rotate(api_key_id=old.id, store=lambda _: None)

        if method == "before the first":
            rotate()
        words = ("api-key", "rotate", old.id, "--keep-old-for", "0", "--store", f"exec:tee {tmp_path}/own", "--yes")
        with intercepted(rotate_before):
            done = run(*words)
        names = [key.name for key in emulator.state.api_keys.values()]
    assert (done.exit, names) == (exit_code, ["reader"]), done.stderr
    assert said in done.stderr


def test_an_interrupted_change_says_what_became_of_it() -> None:
    """A change that was sent is waited for, so that the last line says whether it was done."""
    endings = {}
    for after in (False, True):
        for number in (1, 2, 3):
            with example_organization(), InterruptionAt(number, after=after).armed():
                endings[number, after] = run("project", "update", "search", "--name", "found", "--yes").stderr
    assert re.fullmatch(r"error: Interrupted. Project search \([\w-]+\) was changed.\n", endings[2, True]), endings
