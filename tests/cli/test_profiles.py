"""Profiles: saved, listed and removed; and refused where the file is damaged or not private."""

from __future__ import annotations

import os
import re
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import pytest

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output import file_locks
from pinecone_admin.cli.output.files import find_access_problem
from pinecone_admin.cli.profiles.files import change_profiles, find_profile_file, put_profile
from pinecone_admin.cli.profiles.profile import Profile
from pinecone_admin.cli.secrets.env_file_text import parse_env_file
from tests.cli.command_line import example_organization, limit_file_size, run, save_profile


def profile_file() -> Path:
    """Return the file of the profiles of the test."""
    path = find_profile_file()
    assert path is not None
    return path


def write_profiles(text: str | bytes, *, mode: int = 0o600) -> Path:
    """Write the file of the profiles."""
    path = profile_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_a_profile_is_saved_shown_and_removed() -> None:
    """The file is private and has no secret; what else is in it stays."""
    assert run("profile", "list").json == []
    options = {
        "--api-url": "https://api.example",
        "--oauth-url": "https://login.example/oauth/token",
        "--expect-organization": "-Norganization",
        "--secret-command": "op read 'op://a b/secret'",
    }
    added = save_profile("work", *(word for pair in options.items() for word in pair))
    assert (added.exit, added.stderr) == (0, "Profile work is the default now.\n")
    path = profile_file()
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    path.write_text(f"# mine\n{path.read_text()}")
    assert save_profile("staging").exit == 0
    given = {"name": "staging", "default": False, "client_id": "account", "secret_command": ["false"]}
    assert run("profile", "list").json == [added.json, dict.fromkeys(added.json) | given]
    assert added.json["secret_command"] == ["op", "read", "op://a b/secret"]
    assert run("profile", "remove", "work").exit == 0
    assert run("profile", "remove", "work").exit == 3
    assert [each["name"] for each in run("profile", "list").json] == ["staging"]
    assert path.read_text().startswith("# mine\n")
    assert "default" not in path.read_text()
    assert run("profile", "remove", "staging").exit == 0
    assert run("profile", "list").json == []


def test_profiles_are_a_table_in_80_columns() -> None:
    """One line each: the name, the default, the account and its organization; stderr names what is left out."""
    names, id, key = ("work", "europe-staging"), "ExampleExampleExampleExample0001", "-Nogyjey4XVnHrkgn5ZY"
    for name in names:
        words = ("login", "--name", name, "--client-id", id, "--no-check", "--expect-organization", key)
        assert run(*words, "--client-secret-stdin", stdin="secret\n").exit == 0
    shown = run("profile", "list", terminal=True, env={"NO_COLOR": "1"})
    assert [re.split("  +", line) for line in shown.stdout.splitlines()] == [
        ["NAME", "DEFAULT", "CLIENT ID", "EXPECT ORGANIZATION"],
        ["work", "yes", id, key],
        ["europe-staging", "no", id, key],
    ]
    assert shown.said == (
        "There is no room for API URL, OAUTH URL, SECRET COMMAND and SECRET FILE; a wider terminal or --output json "
        "shows all."
    )
    narrow = run("profile", "list", terminal=True, env={"COLUMNS": "60", "NO_COLOR": "1"}).stdout.splitlines()
    assert narrow[0].split() == ["NAME", "DEFAULT", "CLIENT", "ID"]


def test_a_question_for_a_profile_shows_which_there_are() -> None:
    """Without any, nothing is asked: no answer would be right."""
    for words in (("profile", "use"), ("profile", "remove"), ("logout",), ("profile", "update", "--client-id", "x")):
        none = run(*words, terminal=True, stdin="work\n")
        assert (none.exit, none.said) == (3, "error: No profile is saved. Run pinecone-admin login. [exit-3]"), words
    for name in ("work", "staging", "old"):
        save_profile(name)
    used = run("profile", "use", terminal=True, stdin="staging\n")
    assert (used.exit, used.stderr) == (0, "Name of the profile (work, staging or old): ")
    assert run("profile", "use", stdin="staging\n").stderr.startswith("error: NAME is missing.")


def test_a_profile_with_an_expected_organization_refuses_another() -> None:
    """The option of ``login`` is saved, as its help says, and every command with the profile checks it."""
    assert "that of --expect-organization" in " ".join(run("login", "--help").stdout.split())
    with example_organization() as emulator:
        command = ("--secret-command", f"echo {emulator.client_secret}")
        for organization, exit_code in ((emulator.organization_id, 0), ("-Nother", 3)):
            expected = ("--expect-organization", organization)
            assert save_profile("w", *command, *expected, client_id=emulator.client_id).exit == 0
            assert run("project", "list", "--profile", "w").exit == exit_code
            assert run("profile", "remove", "w").exit == 0


def test_a_profile_becomes_the_default() -> None:
    """The rest of the file stays; a name that no profile has changes nothing."""
    path = find_profile_file()
    assert path is not None
    for name in ("work", "staging"):
        assert save_profile(name, client_id=name).exit == 0
    path.write_text("# mine\n" + path.read_text())
    for name in ("work", "staging", "staging"):
        used = run("profile", "use", name)
        assert used.json == {"done": "profile use", "name": name}
        assert (used.exit, used.stderr) == (0, "")
        assert [each["name"] for each in run("profile", "list").json if each["default"]] == [name]
    before = path.read_text()
    wrong = run("profile", "use", "other")
    assert (wrong.exit, "There is no profile other." in wrong.stderr) == (3, True)
    assert path.read_text() == before
    assert before.startswith("# mine\n")


def test_what_no_client_would_accept_is_not_saved() -> None:
    """A name, an id, an address or a command that cannot be right is refused, and the file stays as it was."""
    assert save_profile("work").exit == 0
    before = profile_file().read_bytes()
    wrong: list[tuple[str, tuple[str, ...], str]] = [
        ("work 2", (), "account"),
        ("../work", (), "account"),
        ("x" * 65, (), "account"),
        ("other", (), ""),
        ("other", (), "\x1b[31mred"),
        ("other", (), " account"),
        ("other", (), "x" * 2001),
        ("other", ("--api-url", "http://api.example"), "account"),
        ("other", ("--oauth-url", "https://login.example"), "account"),
        ("other", ("--secret-command", "op 'read"), "account"),
        ("other", ("--secret-command", ""), "account"),
        ("other", ("--secret-command", "echo ''"), "account"),
        ("other", ("--expect-organization", "a\u202eb"), "account"),
        ("other", ("--client-secret-stdin",), "account"),
        ("other", ("--profile", "work"), "account"),
        ("other", ("--api-url", "https://api.example"), "account"),
        ("other", ("--oauth-url", "https://login.example/oauth/token"), "account"),
        ("other", ("--expect-organization", "Emulated Organization"), "account"),
        ("other", (), "bad id"),
    ]
    for name, options, client_id in wrong:
        done = save_profile(name, *options, client_id=client_id)
        assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), (name, options, done)
        assert not {"\x1b", "\u202e"} & set(done.stderr)
    again = save_profile("work")
    assert (again.exit, "Add --overwrite" in again.stderr) == (5, True)
    assert profile_file().read_bytes() == before
    with mock.patch.dict("os.environ", {"PINECONE_ADMIN_ALLOW_HTTP": "1"}):
        urls = ("--api-url", "http://api.example", "--oauth-url", "https://login.example/oauth/token")
        assert save_profile("b", *urls).exit == 0


DAMAGED: dict[str, str | bytes] = {
    "not valid TOML": "[profiles",
    "not valid TOML: ": "a = " + "[" * 5000,
    "not UTF-8": b"\xff\xfe",
    "too large": "#" * (1024 * 1024 + 1),
    "did you mean profiles?": "[profile.work]\nclient-id = 'x'",
    "profiles must be a table": "profiles = 3",
    "profile work must be a table": "profiles.work = 3",
    "has no client-id": "[profiles.work]",
    "did you mean client-id?": "[profiles.work]\nclient_id = 'x'",
    "unknown key 'x'": "[profiles.work]\nclient-id = 'x'\nx = 1",
    "a profile never holds a secret": "[profiles.work]\nclient-id = 'x'\nclient_secret = 'canary'",
    "client-id must be a text": "[profiles.work]\nclient-id = 3",
    "client-id contains control characters": '[profiles.work]\nclient-id = "\\u001b[2J"',
    "api-url contains control characters": '[profiles.work]\nclient-id = "x"\napi-url = "https://a\\u202eb"',
    "secret-command must be a list": "[profiles.work]\nclient-id = 'x'\nsecret-command = 'op read'",
    "has both secret-command and secret-file": (
        "[profiles.work]\nclient-id = 'x'\nsecret-command = ['op']\nsecret-file = '/x'"
    ),
    "secret-file must be an absolute path": "[profiles.work]\nclient-id = 'x'\nsecret-file = 'x'",
    "secret-command must be a text": "[profiles.work]\nclient-id = 'x'\nsecret-command = ['op', 3]",
    "cannot name a profile": "[profiles.'a\\tb']\nclient-id = 'x'",
    "default names no profile: 'b'": "default = 'b'\n[profiles.work]\nclient-id = 'x'",
    "default names no profile: 3": "default = 3",
}


def test_one_word_names_an_address_in_options_output_and_file() -> None:
    """The headings of a table are words, as those of blocks are."""
    urls = {"api-url": "https://api.example.com", "oauth-url": "https://login.example.com/oauth/token"}
    options = [word for name, url in urls.items() for word in (f"--{name}", url)]
    shown = save_profile("work", *options).json
    path = find_profile_file()
    assert path is not None
    table = run("profile", "list", terminal=True, env={"COLUMNS": "400", "NO_COLOR": "1"}).stdout
    for name, url in urls.items():
        assert shown[name.replace("-", "_")] == url
        assert f'{name} = "{url}"' in path.read_text()
        assert name.replace("-", " ").upper() in table.splitlines()[0]
    assert "_" not in table.splitlines()[0]


def test_a_damaged_file_ends_in_one_clear_line() -> None:
    """Whatever is in the file: exit code 2, its path, what is wrong, and neither a secret nor a control character."""
    for expected, text in DAMAGED.items():
        path = write_profiles(text)
        for argv in (
            ["profile", "list"],
            ["whoami"],
            ["login", "--name", "new", "--client-id", "x", "--secret-command", "false", "--no-check"],
        ):
            done = run(*argv)
            assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), (expected, done)
            assert (str(path) in done.stderr, expected.rstrip(": ") in done.stderr) == (True, True), (expected, done)
            assert not {"\x1b", "\u202e", "\t"} & set(done.stderr)
            assert "canary" not in done.stderr


def test_a_file_that_others_can_read_or_write_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who can write the file decides which program runs, so it must be private; root's files are trusted."""
    for mode, word in ((0o644, "read"), (0o640, "read"), (0o602, "written"), (0o666, "written")):
        write_profiles("", mode=mode)
        done = run("profile", "list")
        assert (done.exit, f"can be {word} by others (mode {mode:o})" in done.stderr) == (2, True), done
    status = list(profile_file().stat())
    status[stat.ST_MODE], status[stat.ST_UID] = stat.S_IFREG | 0o600, os.geteuid() + 1
    assert find_access_problem(os.stat_result(status), forbidden=0o077) == "belongs to another user"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert find_access_problem(os.stat_result(status), forbidden=0o077) == "belongs to another user"
    assert find_access_problem(os.stat_result(status), forbidden=0o022) is None
    status[stat.ST_UID] = 0
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert find_access_problem(os.stat_result(status), forbidden=0o077) is None


def test_a_file_that_cannot_be_read_or_written_is_named(home: Path) -> None:
    """A folder in place of the file, or a file in place of the folder."""
    profile_file().mkdir(parents=True)
    assert "cannot be read" in run("profile", "list").stderr
    profile_file().rmdir()
    profile_file().parent.rmdir()
    profile_file().parent.write_text("")
    done = save_profile("work")
    assert (done.exit, str(home) in done.stderr) == (2, True)
    with pytest.raises(CLIError, match="Set HOME"):
        change_profiles(None, lambda text: text)


def test_a_file_that_cannot_be_replaced_stays_as_it_was() -> None:
    """On a full disk, or where a link leads nowhere, nothing is left behind."""
    assert save_profile("work").exit == 0
    path = profile_file()
    before = path.read_bytes()
    with limit_file_size(10):
        done = save_profile("other")
    assert (done.exit, f"{path} cannot be written" in done.stderr) == (7, True), done
    assert (path.read_bytes(), list(path.parent.iterdir())) == (before, [path])
    path.unlink()
    path.symlink_to("/proc/nowhere/profiles.toml")
    assert save_profile("other").exit == 2


def test_several_processes_lose_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the read to the write of one process the file is locked; another one waits, and ends with 7 if in vain."""
    monkeypatch.setattr("pinecone_admin.cli.output.file_locks.TIMEOUT", 0.0)
    assert save_profile("work").exit == 0

    def add(text: str) -> str:
        done = save_profile("third")
        assert (done.exit, "another command is using" in done.stderr) == (7, True), done
        return put_profile(text, Profile(name="other", client_id="y"), make_default=False, overwrite=False)

    change_profiles(profile_file(), add)
    assert [each["name"] for each in run("profile", "list").json] == ["work", "other"]


def _run_before_the_lock(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Let another command run after the next one has begun, and before it locks the file of the profiles."""
    waiting = [words]

    def lock_file(path: Path) -> AbstractContextManager[None]:
        for each in [waiting.pop()] if waiting else []:
            assert run(*each).exit == 0
        return file_locks.lock_file(path)

    monkeypatch.setattr("pinecone_admin.cli.profiles.files.lock_file", lock_file)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("profile", "update", "work", "--client-id", "second"), (0, "second", "https://api.example")),
        (("profile", "remove", "work", "--yes"), (7, "account", "https://api.example")),
        (("profile", "use", "work"), (0, "account", "https://api.example")),
    ],
    ids=["update", "remove", "use"],
)
def test_what_another_command_has_changed_meanwhile_is_not_lost(
    words: tuple[str, ...], expected: tuple[int, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command decides by what is there once it has locked the file; one that removes would remove something else."""
    assert save_profile("work").exit == 0
    urls = ("--api-url", "https://api.example", "--oauth-url", "https://login.example/oauth/token")
    _run_before_the_lock(monkeypatch, "profile", "update", "work", *urls)
    done = run(*words)
    (found,) = run("profile", "list").json
    assert (done.exit, found["client_id"], found["api_url"]) == expected, done


ADDRESSES = {
    "--api-url foo": ("login", "--api-url", "foo", "--oauth-url", "https://x/oauth/token"),
    "--oauth-url foo/oauth/token": ("login", "--oauth-url", "foo/oauth/token", "--api-url", "https://x"),
    "update --api-url foo": ("profile", "update", "work", "--api-url", "foo", "--oauth-url", "https://x/oauth/token"),
    "update --oauth-url foo/oauth/token": (
        "profile",
        "update",
        "work",
        "--oauth-url",
        "foo/oauth/token",
        "--api-url",
        "https://x",
    ),
    "api-url": ("project", "list", "--profile", "work"),
    "oauth-url": ("project", "list", "--profile", "work"),
    "PINECONE_CONTROLLER_HOST": ("project", "list"),
    "PINECONE_OAUTH_URL": ("project", "list"),
    "PINECONE_CONTROLLER_HOST of a file": ("project", "list", "--env-file", "of.env"),
    "doctor": ("doctor", "-o", "json"),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_without_a_scheme_is_refused_by_its_name_before_anything_is_sent(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word such as foo would be a host that nobody meant: options, profiles and variables go through one check."""
    words = ADDRESSES[name]
    credentials = {"PINECONE_CLIENT_ID": "id", "PINECONE_CLIENT_SECRET": "secret"}
    monkeypatch.chdir(tmp_path)
    with example_organization() as emulator:
        assert save_profile("work", "--secret-command", "echo secret").exit == 0
        if name in {"api-url", "oauth-url"}:
            path = profile_file()
            urls = {"api-url": "https://x", "oauth-url": "https://x/oauth/token", name: "foo/oauth/token"}
            lines = "\n".join(["[profiles.work]", *(f'{key} = "{url}"' for key, url in urls.items())])
            path.write_text(path.read_text().replace("[profiles.work]", lines))
        of_file = {**credentials, "PINECONE_CONTROLLER_HOST": "foo", "PINECONE_OAUTH_URL": "https://x/oauth/token"}
        Path("of.env").touch(mode=0o600)
        Path("of.env").write_text("".join(f"{key}={value}\n" for key, value in of_file.items()))
        option = next((word for word in words if word.endswith("-url")), None)
        variable = "PINECONE_CONTROLLER_HOST" if name == "doctor" else name
        env = {**credentials, variable: "foo/oauth/token"} if words[0] in {"project", "doctor"} else {}
        if words[0] == "login":
            words = (*words, "--client-id", "id", "--secret-command", "echo secret")
        done = run(*words, env=env if "--profile" not in words and "--env-file" not in words else {})
        assert list(emulator.requests) == []
    spelling = option or name.partition(" ")[0].replace("doctor", "PINECONE_CONTROLLER_HOST")
    assert done.exit == (1 if name == "doctor" else 2), done
    assert f"{spelling} must begin with https://, or with http:// for this machine" in done.stderr + done.stdout


def test_a_linked_file_is_replaced_where_it_is(tmp_path: Path) -> None:
    """Settings that are kept elsewhere, and linked, stay linked."""
    path, target = profile_file(), tmp_path / "settings.toml"
    target.touch(mode=0o600)
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    assert save_profile("work").exit == 0
    assert path.is_symlink()
    assert "[profiles.work]" in target.read_text()


def test_a_user_without_a_home_folder_has_no_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder can be found there are none, and none can be saved."""
    monkeypatch.setattr("pinecone_admin.cli.profiles.files.user_config_path", lambda *_, **__: Path("~/x"))
    assert run("profile", "list").json == []
    done = save_profile("work")
    assert (done.exit, "Set HOME" in done.stderr) == (2, True)


def test_an_env_file_is_read_as_a_shell_would() -> None:
    """Quotes, comments, export and line ends; lines of other programs do not matter."""
    text = r"""
        # PINECONE_A=comment
        PINECONE_A=plain # a comment
        export PINECONE_B='it has $ and "'  # a comment
        PINECONE_C="a \"quoted\" \$word \\"
        PINECONE_D=
        PINECONE_E=#
        PINECONE_F=first
        PINECONE_F=second#kept
        OTHER='not closed
        PINECONE_G = spaced
    """
    expected = {
        "PINECONE_A": "plain",
        "PINECONE_B": 'it has $ and "',
        "PINECONE_C": 'a "quoted" $word \\',
        "PINECONE_D": "",
        "PINECONE_E": "#",
        "PINECONE_F": "second#kept",
        "PINECONE_G": "spaced",
    }
    assert parse_env_file(text, source="file") == expected
    assert parse_env_file(text.replace("\n", "\r\n"), source="file") == expected
    assert parse_env_file("\ufeffPINECONE_A=x", source="file") == {"PINECONE_A": "x"}
    for value in (
        "'canary",
        'canary"',
        '"canary',
        "'a' canary",
        "canary canary",
        '"$canary"',
        "$(canary)",
        '"`canary`"',
    ):
        with pytest.raises(CLIError, match="line 2: the value of PINECONE_A") as caught:
            parse_env_file(f"\nPINECONE_A={value}\n", source="file")
        assert "canary" not in caught.value.message
