"""Signing in: credentials are obtained, tried and kept as a profile."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

import pytest

from pinecone_admin.auth.private_files import replace_private_file
from pinecone_admin.cli.output.file_locks import lock_file
from pinecone_admin.cli.profiles.files import find_profile_file
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.cli.command_line import CTRL_C, Run, example_organization, run
from tests.cli.terminals import read_piece, start_on_terminal

ADDRESSES = ("--api-url", "http://localhost:1", "--oauth-url", "http://localhost:1/oauth/token")
NOBODY = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}


@pytest.fixture
def emulator() -> Generator[Emulator, None, None]:
    """Emulate an organization; no variable names an account."""
    with emulate() as emulated:
        yield emulated


def login(emulator: Emulator, *options: str, secret: str | None = None, name: str = "work") -> Run:
    """Sign in with a secret from a pipe."""
    words = ("login", "--name", name, "--client-id", emulator.client_id, "--client-secret-stdin", *options)
    return run(*words, stdin=f"{secret or emulator.client_secret}\n", env=NOBODY)


def secret_file(name: str = "work") -> Path:
    """Return where the secret of a profile is kept."""
    profiles = find_profile_file()
    assert profiles is not None
    return profiles.parent / f"{name}.secret"


def test_credentials_that_work_are_kept_and_used(emulator: Emulator) -> None:
    """The profile expects the organization of the account; the secret is in a private file and in no output."""
    done = login(emulator)
    expected = {"name": "work", "default": True, "client_id": emulator.client_id, "secret_command": []}
    assert (done.exit, done.stderr) == (0, "Profile work is the default now.\n")
    assert done.json == done.json | expected | {"expect_organization": emulator.organization_id}
    assert done.json["secret_file"] == str(secret_file())
    assert stat.S_IMODE(secret_file().stat().st_mode) == 0o600
    assert secret_file().read_text() == f"{emulator.client_secret}\n"
    assert emulator.client_secret not in done.stdout
    profiles = find_profile_file()
    assert profiles is not None
    assert emulator.client_secret not in profiles.read_text()
    used = run("whoami", env=NOBODY)
    assert (used.exit, used.json["client_id"], used.json["identity_from"]) == (0, emulator.client_id, "profile work")
    assert run("profile", "show").json == run("profile", "show", "work").json == done.json


def test_credentials_that_are_not_accepted_change_nothing(emulator: Emulator) -> None:
    """A wrong secret ends in exit code 3, unless it is not tried."""
    assert login(emulator).exit == 0
    profiles = find_profile_file()
    assert profiles is not None
    before = {path: path.read_bytes() for path in profiles.parent.iterdir()}
    for options in ((), ("--expect-organization", "-Nother")):
        done = login(emulator, *options, "--overwrite", secret=None if options else "wrong")
        assert (done.exit, done.stdout) == (3, ""), done
        assert {path: path.read_bytes() for path in profiles.parent.iterdir()} == before
    assert login(emulator, "--no-check", secret="wrong", name="other").json["expect_organization"] is None
    assert secret_file("other").read_text() == "wrong\n"


def test_on_a_terminal_login_names_the_organizations_of_the_account(emulator: Emulator) -> None:
    """So that a person sees whether these are the credentials of production. A script gets no further line."""
    name, key = "Emulated Organization", emulator.organization_id
    expected = ("--expect-organization", key)
    command = shlex.join([sys.executable, "-c", f"print({emulator.client_secret!r})"])
    words = ("login", "--client-id", emulator.client_id, "--secret-command", command, "--overwrite")
    for options in ((), expected):
        done = run(*words, *options, terminal=True, env=NOBODY)
        assert f"The credentials work. The account belongs to '{name}' ({key})." in done.said, done
    with mock.patch("pinecone_admin.cli.profiles.login.read_organizations", return_value={"a": "A", "b": None}):
        assert "The account belongs to A (a) and b." in run(*words, terminal=True, env=NOBODY).said
    assert "The credentials" not in run(*words, "--no-check", terminal=True, env=NOBODY).said


def test_a_profile_is_replaced_only_on_demand(emulator: Emulator) -> None:
    """The refusal comes before any request and before the secret is read."""
    assert login(emulator).exit == 0
    emulator.requests.clear()
    again = login(emulator)
    assert (again.exit, "Add --overwrite" in again.stderr, list(emulator.requests)) == (5, True, [])
    other = emulator.add_client(roles=["OrgMember"], name="other")
    words = ("login", "--name", "work", "--client-id", other.client_id, "--client-secret-stdin", "--overwrite")
    assert run(*words, stdin=f"{other.client_secret}\n", env=NOBODY).exit == 0
    assert run("whoami", env=NOBODY).json["client_id"] == other.client_id


def test_a_second_profile_becomes_the_default_only_on_demand(emulator: Emulator) -> None:
    """Commands in other shells go on to use the profile that they used before."""
    assert [login(emulator, name=name).json["default"] for name in ("work", "staging")] == [True, False]
    assert login(emulator, "--default", name="third").json["default"] is True


def test_an_account_that_sees_several_organizations_or_none_expects_none(emulator: Emulator) -> None:
    """Which one is meant is unknown."""
    for names in ({"a": "A", "b": "B"}, {}):
        with mock.patch("pinecone_admin.cli.profiles.login.read_organizations", return_value=names):
            assert login(emulator, "--overwrite").json["expect_organization"] is None


def test_without_a_terminal_all_that_is_missing_is_named_at_once(emulator: Emulator) -> None:
    """Nothing is sent, and nothing is saved."""
    done = run("login", env=NOBODY)
    assert done.exit == 2
    assert "Add --client-id ID and either --secret-command COMMAND or --client-secret-stdin." in done.stderr
    assert list(emulator.requests) == []
    assert run("profile", "list").json == []


def test_a_shell_with_credentials_of_its_own_is_told_that_they_come_first(emulator: Emulator) -> None:
    """Otherwise the next command would surprise by acting as another account."""
    command = f"echo {emulator.client_secret}"
    done = run("login", "--client-id", emulator.client_id, "--secret-command", command, terminal=True)
    assert (done.exit, "PINECONE_CLIENT_ID is set in this shell" in done.stderr) == (0, True)


def test_a_secret_file_that_others_can_read_or_that_is_missing_is_refused(emulator: Emulator) -> None:
    """The line names the file and not what is in it."""
    assert login(emulator).exit == 0
    secret_file().chmod(0o644)
    readable = run("whoami", env=NOBODY)
    assert (readable.exit, str(secret_file()) in readable.stderr) == (2, True)
    secret_file().unlink()
    missing = run("whoami", env=NOBODY)
    assert (missing.exit, "work.secret) does not exist" in missing.stderr) == (3, True)


def test_the_advice_to_sign_in_again_keeps_the_other_profiles(emulator: Emulator) -> None:
    """It names the profile that the command used, whatever is wrong with its secret, and the default stays."""
    other = emulator.add_client(roles=["OrgOwner"], name="other")
    assert login(emulator, name="default").exit == 0
    words = ("login", "--name", "staging", "--client-id", other.client_id, "--client-secret-stdin")
    assert run(*words, stdin=f"{other.client_secret}\n", env=NOBODY).exit == 0
    profiles = find_profile_file()
    assert profiles is not None
    saved = profiles.read_text()
    table, default = saved.rindex("secret-file"), secret_file("default").read_bytes()
    wrongs: list[Callable[[], object]] = [
        lambda: secret_file("staging").write_text("rotated\n"),
        lambda: secret_file("staging").unlink(),
        lambda: profiles.write_text(saved[:table] + saved[table:].partition("\n")[2]),
    ]
    for spoil in wrongs:
        spoil()
        failed = run("whoami", "--profile", "staging", env=NOBODY)
        advice = failed.stderr.rpartition("ign in again: pinecone-admin ")[2].partition(".")[0]
        expected = f"login --name staging --overwrite --expect-organization {emulator.organization_id}"
        assert (failed.exit, advice) == (3, expected), failed
        again = (*shlex.split(advice), *words[3:])
        assert run(*again, stdin=f"{other.client_secret}\n", env=NOBODY).exit == 0
        assert run("whoami", "--profile", "staging", env=NOBODY).json["client_id"] == other.client_id
        assert secret_file("default").read_bytes() == default


@pytest.mark.parametrize("name", ["PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL"])
@pytest.mark.parametrize("options", [(), ("--no-check",), ("--api-url", "http://localhost:1"), ADDRESSES[2:]])
def test_a_shell_that_is_wired_to_a_server_saves_no_profile_for_production(
    emulator: Emulator, name: str, options: tuple[str, ...]
) -> None:
    """Neither the secret nor a later command may reach another server than the shell names, so both are given."""
    words = ("login", "--name", "work", "--client-id", emulator.client_id, "--client-secret-stdin")
    env = {**NOBODY, name: f"http://localhost:1{'' if name.endswith('HOST') else '/oauth/token'}"}
    refused = run(*words, *options, stdin=f"{emulator.client_secret}\n", env=env)
    assert (refused.exit, "--api-url and --oauth-url" in refused.stderr) == (2, True), refused
    assert (list(emulator.requests), run("profile", "list").json, secret_file().exists()) == ([], [], False)
    assert run(*words, *ADDRESSES, stdin=f"{emulator.client_secret}\n", env=env).exit == 0
    assert run("whoami", "--profile", "work", env=env).json["client_id"] == emulator.client_id


def test_what_is_wrong_already_is_refused_before_anybody_is_asked(emulator: Emulator) -> None:
    """No client id is asked for if the command refuses whatever it is; what is typed is checked before the secret."""
    assert login(emulator).exit == 0
    wired = {**NOBODY, "PINECONE_CONTROLLER_HOST": "http://localhost:1"}
    for options, env, code in (
        (("--name", "work"), NOBODY, 5),
        (("--name", "own"), wired, 2),
        (("--name", "own", "--api-url", "http://localhost:1"), NOBODY, 2),
        (("--name", "own", "--expect-organization", "of mine"), NOBODY, 2),
    ):
        refused = run("login", *options, terminal=True, stdin=f"{emulator.client_id}\n", env=env)
        assert (refused.exit, "Client id of" in refused.said) == (code, False), refused
    with mock.patch("getpass.getpass", return_value=emulator.client_secret) as asked:
        spaced = run("login", "--name", "own", terminal=True, stdin="a b\n", env=NOBODY)
        assert (spaced.exit, asked.called, secret_file("own").exists()) == (2, False, False), spaced
        done = run("login", "--name", "own", terminal=True, stdin=f"{emulator.client_id}\n", env=NOBODY)
    assert (done.exit, "Client id of" in done.said) == (0, True), done
    assert run("profile", "show", "own", env=NOBODY).json["client_id"] == emulator.client_id
    assert run("whoami", "--profile", "own", env=NOBODY).json["client_id"] == emulator.client_id


def test_a_secret_that_is_not_typed_is_called_so(emulator: Emulator) -> None:
    """The client id and the client secret are refused in the same words, and an interruption ends the line."""
    for typed, answer in (("", "x"), (f"{emulator.client_id}\n", "")):
        with mock.patch("getpass.getpass", return_value=answer):
            done = run("login", terminal=True, stdin=typed, env=NOBODY)
        what = "secret" if typed else "id"
        assert (done.exit, f"You typed no client {what}, so nothing was saved." in done.said) == (2, True), done
    for typed in (CTRL_C, f"{emulator.client_id}\n"):
        with mock.patch("getpass.getpass", side_effect=KeyboardInterrupt):
            done = run("login", terminal=True, stdin=typed, env=NOBODY)
        assert (done.exit, done.stderr.endswith("\nerror: Interrupted. Nothing was changed.\n")) == (130, True), done


def test_a_change_of_the_default_profile_is_shown(emulator: Emulator) -> None:
    """Commands without an account show which profiles there are, and no profile becomes the default in silence."""
    shown = [login(emulator, name=name).stderr for name in ("work", "other")]
    assert shown == ["Profile work is the default now.\n", ""]
    assert "default" not in run("profile", "remove", "other", "--yes").stderr
    assert login(emulator, name="other").stderr == ""
    removed = run("profile", "remove", "work", "--yes")
    assert removed.stderr.endswith("\nNo profile is the default now. Choose one with profile use.\n")
    for words in (("whoami",), ("profile", "show"), ("doctor", "-o", "json")):
        done = run(*words, env=NOBODY)
        problem, advice = (
            "No profile is the default. The only one is called other.",
            "Choose one with --profile, or with profile use.",
        )
        assert done.exit == (1 if words[0] == "doctor" else 3)
        assert problem in done.stdout + done.stderr, done
        assert advice in done.stdout + done.stderr, done
    assert login(emulator, name="third").stderr == "Profile third is the default now.\n"
    for name in ("other", "third"):  # of none that is left, nobody can choose one
        assert "is the default" not in run("profile", "remove", name, "--yes").stderr


VARIABLES = "PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET"
KINDS: dict[str, tuple[tuple[str, ...], Mapping[str, str | None], str]] = {
    "environment": (("whoami",), {}, f"Set {VARIABLES} in the environment to the present ones of a service account."),
    "env file": (
        ("whoami", "--env-file", "of.env"),
        {},
        f"Set {VARIABLES} in env file of.env to the present ones of a service account.",
    ),
    "stdin": (
        ("whoami", "--client-secret-stdin"),
        {},
        "Pipe the present secret of this client id to --client-secret-stdin.",
    ),
    "secret-command": (
        ("whoami", "--profile", "commanded"),
        NOBODY,
        "Put the present secret where the secret-command of profile commanded finds it.",
    ),
    "secret-file": (
        ("whoami", "--profile", "filed"),
        NOBODY,
        f"Sign in again: pinecone-admin login --name filed --overwrite {' '.join(ADDRESSES)}.",
    ),
    "login": (
        ("login", "--name", "new", "--client-id", "id", "--client-secret-stdin", *ADDRESSES),
        NOBODY,
        "Nothing was saved.",
    ),
    "token": (
        ("project", "list"),
        {**NOBODY, "PINECONE_ACCESS_TOKEN": "expired-token"},
        "Set PINECONE_ACCESS_TOKEN in the environment to another access token.",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_advice_after_refused_credentials_fits_where_they_come_from(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice names a variable only for a variable, and login only for a secret of a profile."""
    words, env, advice = KINDS[kind]
    monkeypatch.chdir(tmp_path)
    Path("of.env").touch(mode=0o600)
    with example_organization():
        urls = {name: os.environ[name] for name in ("PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")}
        lines = {"PINECONE_CLIENT_ID": "id", "PINECONE_CLIENT_SECRET": "wrong-secret", **urls}
        Path("of.env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        for name, option in (("commanded", ("--secret-command", "echo wrong")), ("filed", ("--client-secret-stdin",))):
            saved = ("login", "--name", name, "--client-id", "id", "--no-check", *option, *ADDRESSES)
            assert run(*saved, stdin="wrong-secret\n").exit == 0
        wrong = {"PINECONE_CLIENT_ID": "id", "PINECONE_CLIENT_SECRET": "wrong-secret"}
        done = run(*words, env={**wrong, **env}, stdin="wrong-secret\n")
    assert done.exit == 3, done
    assert f"{advice} [" in done.stderr


def test_a_profile_is_removed_with_its_secret_file_after_a_question(emulator: Emulator) -> None:
    """The file may be the only copy of the secret; a file elsewhere, or a command, is left alone."""
    assert login(emulator).exit == 0
    refused = run("profile", "remove", "work")
    assert (refused.exit, "Add --yes" in refused.stderr, secret_file().exists()) == (2, True, True)
    declined = run("profile", "remove", "work", terminal=True, stdin="n\n")
    assert (declined.exit, secret_file().exists()) == (130, True)
    accepted = run("profile", "remove", "work", terminal=True, stdin="y\n")
    assert (accepted.exit, secret_file().exists(), run("profile", "list").json) == (0, False, [])


def test_a_profile_is_updated_in_what_was_given(emulator: Emulator) -> None:
    """All else stays; a secret file that is no longer used is named and kept."""
    created = login(emulator).json
    urls = {"api_url": "https://api.example", "oauth_url": "https://login.example/oauth/token"}
    options = ("--api-url", urls["api_url"], "--oauth-url", urls["oauth_url"])
    updated = run("profile", "update", "work", *options, "--expect-organization", "-Nother")
    assert (updated.exit, updated.json) == (0, created | urls | {"expect_organization": "-Nother"})
    nothing = run("profile", "update", "work")
    addition = "Add --client-id, --secret-command, --api-url, --oauth-url or --expect-organization."
    assert nothing.exit == 2
    assert f"Nothing to change was given. {addition}" in nothing.stderr
    command = run("profile", "update", "work", "--secret-command", "op read x")
    assert (command.json["secret_file"], command.json["secret_command"]) == (None, ["op", "read", "x"])
    assert (str(secret_file()) in command.stderr, secret_file().exists()) == (True, True)
    assert run("profile", "list").json[0]["default"] is True


@contextmanager
def unusable_lock() -> Generator[None, None, None]:
    """Put a folder where the lock of the profiles belongs."""
    lock = secret_file().with_name(".profiles.toml.pinecone-admin-lock")
    lock.mkdir(parents=True)
    yield
    lock.rmdir()


@contextmanager
def unwritable_profiles() -> Generator[None, None, None]:
    """Let the disk be full once the secret file is written."""

    def replace(target: Path, content: bytes) -> None:
        if target.name == "profiles.toml":
            raise OSError(28, "No space left on device")
        replace_private_file(target, content)

    with mock.patch("pinecone_admin.cli.profiles.files.replace_private_file", replace):
        yield


@pytest.mark.parametrize("obstacle", [unusable_lock, unwritable_profiles])
def test_a_profile_that_cannot_be_written_leaves_the_secret_file_as_it_was(
    emulator: Emulator, obstacle: Callable[[], AbstractContextManager[None]]
) -> None:
    """A new one would be forgotten on the disk, and the old one has the secret of the profile that stays."""
    with obstacle():
        done = login(emulator, "--no-check", secret="new")
    assert (done.exit in {2, 7}, "profiles.toml" in done.stderr) == (True, True), done
    assert not secret_file().exists()
    assert login(emulator).exit == 0
    before = {path: path.read_bytes() for path in secret_file().parent.iterdir()}
    with obstacle():
        again = login(emulator, "--overwrite", "--no-check", secret="new")
    assert (again.exit, again.stdout, again.stderr) == (done.exit, "", done.stderr)
    assert {path: path.read_bytes() for path in secret_file().parent.iterdir()} == before
    assert stat.S_IMODE(secret_file().stat().st_mode) == 0o600
    assert run("whoami", env=NOBODY).exit == 0


def test_of_two_that_sign_in_to_one_new_profile_the_second_changes_nothing(emulator: Emulator) -> None:
    """The profile of the first appears after the first look of the second, while its secret is typed."""

    def sign_in(_session: object, _profile: object) -> str:
        with mock.patch("pinecone_admin.cli.profiles.login.obtain_secret", return_value="first"):
            assert login(emulator, "--no-check").exit == 0
        return "second"

    with mock.patch("pinecone_admin.cli.profiles.login.obtain_secret", sign_in):
        second = login(emulator, "--no-check")
    assert (second.exit, "Profile work exists" in second.stderr) == (5, True)
    assert secret_file().read_text() == "first\n"


def test_a_secret_file_is_deleted_before_others_can_change_the_profiles(emulator: Emulator) -> None:
    """A new login right after a logout keeps the new secret. A remaining profile keeps its own secret."""
    assert login(emulator).exit == 0
    seen: list[bool] = []

    @contextmanager
    def lock(target: Path) -> Generator[None, None, None]:
        with lock_file(target):
            yield
            seen.append(secret_file().exists())

    with mock.patch("pinecone_admin.cli.profiles.files.lock_file", lock):
        assert run("profile", "remove", "work", "--yes").exit == 0
    assert seen == [False]
    assert login(emulator).exit == 0
    with unwritable_profiles():
        assert run("profile", "remove", "work", "--yes").exit == 7
    assert secret_file().read_text() == f"{emulator.client_secret}\n"


def test_the_secret_is_typed_without_being_shown(tmp_path: Path) -> None:
    """On a terminal, the command asks for both, and shows the first only."""
    program = (
        "import sys\nfrom pinecone_admin.testing import emulate\nfrom pinecone_admin.emulator import Emulator\n"
        "from pinecone_admin.cli.main import main\n"
        "with emulate(Emulator(seed=0)):\n    sys.exit(main(['login', '--no-check']))\n"
    )
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PINECONE_CLIENT_ID": "other"}
    child, terminal = start_on_terminal([sys.executable, "-c", program], env)
    shown = ""
    for question, answer in (("service account: ", "typed-id"), ("not shown): ", "typed-secret")):
        while question not in shown:
            piece = read_piece(terminal)
            assert piece, shown
            shown += piece
        os.write(terminal, f"{answer}\n".encode())
    while piece := read_piece(terminal):
        shown += piece
    os.close(terminal)
    assert (child.wait(), "typed-id" in shown, "typed-secret" in shown) == (0, True, False), shown
    assert (tmp_path / "pinecone-admin/default.secret").read_text() == "typed-secret\n"


def test_a_request_that_rotates_a_secret_needs_a_place_also_with_a_profile(emulator: Emulator) -> None:
    """The secret file of the profile is no place for it, since the request may be about another account."""
    assert login(emulator).exit == 0
    account = run("service-account", "list", env=NOBODY).json[0]["id"]
    target = f"/admin/service-accounts/{account}/rotate-secret"
    done = run("send", "POST", target, "--yes", env=NOBODY)
    assert (done.exit, "Say where it should go with --store" in done.stderr) == (2, True), done
    assert "rotate_service_account_secret" not in {each.operation_id for each in emulator.requests}
