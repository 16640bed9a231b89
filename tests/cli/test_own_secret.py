"""``service-account rotate`` of the account of this client: its profile can sign in afterwards."""

from __future__ import annotations

import os
import re
import shlex
import signal
import stat
from collections.abc import Callable, Generator
from contextlib import ExitStack
from errno import ENOSPC
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from pinecone_admin.auth.private_files import replace_private_file
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.secrets import places
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.cli.command_line import Run, limit_file_size, run, save_profile
from tests.cli.secret_makers import find_files_with, intercepted
from tests.cli.test_login import NOBODY, login, secret_file
from tests.cli.test_lost_secrets import held_lock


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Emulator, None, None]:
    """Emulate an organization to which the profile ``work`` signs in; rescue files go to a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with emulate() as emulated:
        assert login(emulated).exit == 0
        emulated.requests.clear()
        yield emulated


def own_name(emulator: Emulator) -> str:
    """Return the name of the account of the profile."""
    return next(each.name for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)


def rotate(emulator: Emulator, *options: str, confirm: bool = True) -> Run:
    """Rotate the secret of that account, as the profile."""
    name = own_name(emulator)
    words = ("service-account", "rotate", name, *(("--confirm", name) if confirm else ()))
    return run(*words, *options, env=NOBODY)


def sent_changes(emulator: Emulator) -> int:
    """Return how many requests were sent that rotate a secret."""
    return sum(each.operation_id == "rotate_service_account_secret" for each in emulator.requests)


def valid_secret(emulator: Emulator) -> str:
    """Return the secret of the account."""
    accounts = emulator.state.service_accounts.listing
    return next(each.client_secret for each in accounts if each.client_id == emulator.client_id)


@pytest.mark.parametrize(
    "words",
    [
        "service-account rotate {} --store file:new.json --yes",
        "service-account rotate {} --store file:new.json --dry-run",
        "role change --service-account {} --from OrgOwner --to OrgManager --yes",
        "role change --service-account {} --from OrgOwner --to OrgManager --dry-run",
        "service-account delete {} --yes",
        "service-account delete {} --dry-run",
        "role revoke service-account:{}:OrgOwner --yes",
        "role revoke service-account:{}:OrgOwner --dry-run",
    ],
)
def test_a_token_alone_takes_nothing_from_what_may_be_the_own_account(emulator: Emulator, words: str) -> None:
    """Without --own-client-id it is refused; with it, the account is known, and its name has to be typed."""
    with emulator.admin() as admin:
        env = {**NOBODY, "PINECONE_ACCESS_TOKEN": admin.token().value}
    before = valid_secret(emulator), {*emulator.state.role_bindings}
    refused = run(*words.format(own_name(emulator)).split(), env=env)
    assert (refused.exit, "Pass --own-client-id" in refused.stderr) == (5, True), refused
    if "--yes" in words:
        asked = run(*words.format(own_name(emulator)).split(), "--own-client-id", emulator.client_id, env=env)
        assert asked.exit in {2, 5}, asked  # the secret of an account that only a token belongs to cannot be replaced
    assert (valid_secret(emulator), {*emulator.state.role_bindings}) == before


def test_the_profile_signs_in_with_the_new_secret(emulator: Emulator) -> None:
    """The secret replaces the old one in the file that login wrote, with its mode, and a token is requested with it."""
    before = valid_secret(emulator)
    asked = rotate(emulator, "--yes", confirm=False)
    assert (asked.exit, sent_changes(emulator)) == (2, 0)
    assert f"The new secret replaces the one in {secret_file()}, which profile work uses." in asked.stderr
    tokens = len([each for each in emulator.requests if each.path == "/oauth/token"])
    done = rotate(emulator)
    assert (done.exit, sent_changes(emulator)) == (0, 1), done
    assert done.json["stored_in"] == f"file:{secret_file()}"
    new = valid_secret(emulator)
    assert new not in done.stdout + done.stderr
    assert new != before
    assert secret_file().read_text() == f"{new}\n"
    assert stat.S_IMODE(secret_file().stat().st_mode) == 0o600
    assert len([each for each in emulator.requests if each.path == "/oauth/token"]) == tokens + 2
    assert run("whoami", env=NOBODY).exit == 0
    assert [path.name for path in secret_file().parent.iterdir() if path.name.startswith(".")] == []
    assert rotate(emulator).exit == 0


def test_a_dry_run_names_the_file(emulator: Emulator) -> None:
    """It changes nothing, and is refused where the run would be."""
    before = secret_file().read_text()
    done = rotate(emulator, "--dry-run", confirm=False)
    assert (done.exit, sent_changes(emulator), secret_file().read_text()) == (0, 0, before)
    assert f"The new secret replaces the one in {secret_file()}" in done.stdout + done.stderr
    refused = run("service-account", "rotate", own_name(emulator), "--dry-run", env=credentials(emulator))
    assert (refused.exit, "comes from the environment" in refused.stderr) == (5, True)


def test_other_profiles_of_the_account_are_named(emulator: Emulator) -> None:
    """Their secrets are elsewhere, and are the old one afterwards; a profile of the same file or of others is not."""
    assert login(emulator, name="ci").exit == 0
    save_profile("other")
    said = "Also sign in again to ci, of the same account."
    for option in ("--yes", "--dry-run"):
        done = rotate(emulator, option, "--profile", "work", confirm=False)
        assert said in done.stdout + done.stderr
        assert "other" not in done.stdout + done.stderr
    save_profile("kept", client_id=emulator.client_id)
    done = rotate(emulator, "--profile", "work", "--yes", confirm=False)
    assert "Also sign in again to ci and kept, of the same account." in done.stderr
    secret_file("ci").unlink()
    secret_file("ci").symlink_to(secret_file())
    done = rotate(emulator, "--profile", "work", "--yes", confirm=False)
    assert "Also sign in again to kept" in done.stderr


def credentials(emulator: Emulator) -> dict[str, str]:
    """Return the variables with the credentials of the account."""
    return {"PINECONE_CLIENT_ID": emulator.client_id, "PINECONE_CLIENT_SECRET": valid_secret(emulator)}


@pytest.mark.parametrize("source", ["environment", "env-file", "stdin", "secret-command", "token"])
def test_credentials_that_cannot_be_changed_are_refused(emulator: Emulator, source: str, tmp_path: Path) -> None:
    """Nothing is rotated, wherever the secret should go; the message says what to do instead."""
    variables, name, stdin = credentials(emulator), own_name(emulator), ""
    words = ["service-account", "rotate", name, "--confirm", name, "--store", "file:own.json"]
    env: dict[str, str | None] = {**NOBODY}
    where = f"the {source}"
    if source == "environment":
        env |= variables
    elif source == "env-file":
        file = tmp_path / "env"
        file.touch(0o600)
        file.write_text("".join(f"{key}={value}\n" for key, value in variables.items()))
        words += ["--env-file", str(file)]
        where = f"env file {file}"
    elif source == "stdin":
        words.append("--client-secret-stdin")
        stdin, where = variables["PINECONE_CLIENT_SECRET"], "standard input"
    elif source == "token":
        with emulator.admin() as admin:
            env["PINECONE_ACCESS_TOKEN"] = admin.token().value
        words += ["--own-client-id", emulator.client_id]
        where = "the environment"
    else:
        kept = tmp_path / "kept"
        kept.write_text(variables["PINECONE_CLIENT_SECRET"])
        command = ("--secret-command", f"cat {kept}")
        assert run("profile", "update", "work", *command, env=NOBODY).exit == 0
        where = "the secret-command of profile work"
    done = run(*words, env=env, stdin=stdin)
    assert (done.exit, done.stdout, sent_changes(emulator)) == (5, "", 0), done
    assert f"its client secret comes from {where}, which this command cannot change. Rotate it as" in done.stderr
    assert "pinecone-admin login" in done.stderr
    assert not Path("own.json").exists()


@pytest.mark.parametrize("options", [("--store", "file:own.json"), ("--store", "exec:cat"), ("--reveal",)])
def test_no_other_place_is_taken(emulator: Emulator, options: tuple[str, ...]) -> None:
    """The profile could not read it there; another account needs a place, as before."""
    done = rotate(emulator, *options)
    assert (done.exit, sent_changes(emulator)) == (2, 0)
    assert f"Leave out {options[0]}: the new secret goes into {secret_file()}" in done.stderr
    with emulator.admin() as admin:
        admin.service_accounts.create(name="other")
    without = run("service-account", "rotate", "other", "--yes", env=NOBODY)
    assert (without.exit, sent_changes(emulator)) == (2, 0)
    assert "--store" in without.stderr
    assert run("service-account", "rotate", "other", "--yes", *options, env=NOBODY).exit == 0
    assert secret_file().read_text().strip() == valid_secret(emulator)


def check_rescue(emulator: Emulator, done: Run, old: str, tmp_path: Path) -> None:
    """Check that the new secret is in a rescue file, and that the profile works again with it."""
    secret = valid_secret(emulator)
    assert secret not in done.stdout + done.stderr
    assert (secret_file().read_text().strip(), secret != old) == (old, True)
    (path,) = find_files_with({secret}, tmp_path)
    assert f"so it is in {path}, which only you can read." in done.stderr
    again = login(emulator, "--overwrite", secret=secret)
    assert (again.exit, run("whoami", env=NOBODY).exit) == (0, 0), again


def test_a_full_disk_is_found_before_anything_is_sent(emulator: Emulator) -> None:
    """The file, and a copy of it beside it, are tried first."""
    with limit_file_size(64):
        done = rotate(emulator)
    assert (done.exit, sent_changes(emulator)) == (7, 0), done
    assert "File too large" in done.stderr


@pytest.mark.parametrize("way", ["disk", "lock"])
def test_a_file_that_cannot_be_written_any_more_loses_no_secret(
    emulator: Emulator, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret is rescued, and the message says how the profile gets it."""
    old = valid_secret(emulator)
    with ExitStack() as stack:

        def obstruct(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
            if request.url.path.endswith("/rotate-secret"):
                if way == "disk":
                    monkeypatch.setattr(places, "replace_private_file", fail)
                else:
                    monkeypatch.setattr("pinecone_admin.cli.output.file_locks.TIMEOUT", 0.0)
                    stack.enter_context(held_lock(secret_file().parent / ".work.secret.pinecone-admin-lock"))
            return handle()

        def fail(*_: object, **__: object) -> None:
            raise OSError(ENOSPC, "No space left on device")

        with intercepted(obstruct):
            done = rotate(emulator)
    monkeypatch.setattr(places, "replace_private_file", replace_private_file)
    assert (done.exit, done.stdout) == (9, ""), done
    assert f"rofile work cannot sign in until {secret_file()} has the new secret: pinecone-admin login" in done.stderr
    assert done.stderr.count("pinecone-admin login --name work --overwrite") == 1
    check_rescue(emulator, done, old, tmp_path)


def test_an_interrupt_loses_no_secret(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """During the request, the secret is stored all the same; just before it is stored, it is rescued."""

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.url.path.endswith("/rotate-secret"):
            os.kill(os.getpid(), signal.SIGINT)
        return handle()

    with intercepted(interrupt):
        during = rotate(emulator)
    assert (during.exit, secret_file().read_text().strip()) == (130, valid_secret(emulator)), during
    assert run("whoami", env=NOBODY).exit == 0
    old, hold, held = valid_secret(emulator), Interruptions.hold, list[Interruptions]()

    def interrupt_first(interruptions: Interruptions) -> None:
        held.append(interruptions)
        if len(held) == 1:
            signal.raise_signal(signal.SIGINT)
        hold(interruptions)

    with monkeypatch.context() as patched:
        patched.setattr(Interruptions, "hold", interrupt_first)
        before = rotate(emulator)
    assert before.exit == 130
    check_rescue(emulator, before, old, tmp_path)


@pytest.mark.parametrize("revokes", [False, True])
def test_a_lost_response_says_how_the_profile_works_again(emulator: Emulator, *, revokes: bool) -> None:
    """With the token in memory, the secret is replaced once more; if that one is revoked, the new secret is lost."""
    emulator.configure(rotation_revokes_tokens=revokes)
    rotations: list[str] = []

    def lose(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        response = handle()
        if request.url.path.endswith("/rotate-secret"):
            rotations.append("")
            if len(rotations) == 1:
                raise httpx.ReadError("the connection broke")
        return response

    with intercepted(lose):
        done = rotate(emulator)
    if revokes:
        assert (done.exit, done.stdout) == (6, ""), done
        assert (
            "To find out, run pinecone-admin whoami --profile work. If the secret is not accepted there" in done.stderr
        )
        assert done.stderr.count("pinecone-admin login --name work --overwrite") == 1
        assert (done.stderr.count("may have been rotated"), "may have been replaced" in done.stderr) == (1, False)
        _run_what_is_shown(emulator, done)
    else:
        assert (done.exit, secret_file().read_text().strip()) == (0, valid_secret(emulator)), done
        assert run("whoami", env=NOBODY).exit == 0


def _run_what_is_shown(emulator: Emulator, done: Run) -> None:
    """Run the commands of a message as they stand, one after the other, until the profile can sign in again."""
    shown = re.findall(r"pinecone-admin ((?:whoami|service-account|login) .+?)\. ", done.stderr)
    test, rotation, sign_in = map(shlex.split, shown)
    assert run(*test, env=NOBODY).exit == 3
    other = emulator.add_client(roles=["OrgOwner"], name="other")
    env = {"PINECONE_CLIENT_ID": other.client_id, "PINECONE_CLIENT_SECRET": other.client_secret}
    new = run(*rotation, "--yes", "-o", "raw", env=env)
    assert new.exit == 0, new
    with mock.patch("getpass.getpass", return_value=new.stdout.strip()):
        again = run(*sign_in, terminal=True, stdin=f"{emulator.client_id}\n", env=NOBODY)
    assert again.exit == 0, again
    assert run(*test, env=NOBODY).exit == 0


@pytest.mark.parametrize("way", ["unread", "interrupted"])
def test_whatever_ends_a_rotation_says_how_the_profile_works_again(emulator: Emulator, way: str) -> None:
    """Also if the response cannot be read, or if nobody waits for it any longer."""

    def end(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        response = handle()
        if request.url.path.endswith("/rotate-secret"):
            if way == "interrupted":
                raise KeyboardInterrupt
            return httpx.Response(200, json={"nothing": "of it"}, request=request)
        return response

    with intercepted(end):
        done = rotate(emulator)
    assert (done.exit, done.stdout, valid_secret(emulator) in done.stderr) == (9 if way == "unread" else 130, "", False)
    assert len(re.findall(r"(?:was|may have been) (?:rotated|replaced)", done.stderr)) == 1
    said = "Profile work cannot sign in now." if way == "unread" else "If the secret is not accepted there, rotate the"
    assert said in done.stderr
    assert done.stderr.count("pinecone-admin login --name work --overwrite") == 1


def test_an_interrupted_command_does_not_try_the_new_secret(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could interrupt the trial: the secret is stored, and the command says that it was not tried."""

    def interrupt(*arguments: Any, **options: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        replace_private_file(*arguments, **options)
        emulator.requests.clear()

    monkeypatch.setattr(places, "replace_private_file", interrupt)
    done = rotate(emulator)
    assert (done.exit, secret_file().read_text().strip()) == (130, valid_secret(emulator)), done
    assert f"The new secret is stored in {secret_file()}, and was not tried. Run pinecone-admin whoami" in done.stderr
    assert [each.path for each in emulator.requests] == []


def test_a_secret_that_is_not_accepted_yet_is_kept_with_a_warning(emulator: Emulator) -> None:
    """It is in the file, the result is written, and the code says that something is to be looked at."""

    def refuse(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.url.path.endswith("/rotate-secret"):
            emulator.faults.add("get_token", status=401)
        return handle()

    with intercepted(refuse):
        done = rotate(emulator)
    assert (done.exit, done.json["stored_in"]) == (9, f"file:{secret_file()}"), done
    assert f"The new secret is stored in {secret_file()}, but it was not accepted yet" in done.stderr
    assert secret_file().read_text().strip() == valid_secret(emulator)


def test_two_commands_rotate_one_after_the_other(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that could store its secret after that of a later one waits, and sends nothing if it waits in vain."""
    monkeypatch.setattr("pinecone_admin.cli.output.file_locks.TIMEOUT", 0.0)
    with held_lock(secret_file().parent / ".work.secret-rotation.pinecone-admin-lock"):
        done = rotate(emulator)
    assert (done.exit, sent_changes(emulator)) == (7, 0), done
    assert "nother command is using" in done.stderr
    assert rotate(emulator).exit == 0
