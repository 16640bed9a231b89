"""The identity of a command: profile, env file or environment; and the refusals."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
from collections.abc import Generator, Mapping
from itertools import product
from pathlib import Path

import pytest
from attrs import evolve, frozen

from pinecone_admin._config.addresses import API_URL, OAUTH_URL
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.client_secrets import read_secret_from, run_secret_command
from pinecone_admin.cli.identity.sources import (
    choose_identity,
    identity_of_variables,
    require_both_addresses,
    require_complete,
)
from pinecone_admin.cli.profiles.files import find_profile_file
from pinecone_admin.cli.profiles.profile import Profile, Profiles
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.emulator import Role
from pinecone_admin.testing import emulate
from tests.cli.command_line import Run, run, save_profile
from tests.cli.example_runs import run_examples
from tests.faults.external_servers import find_free_port

NOBODY: dict[str, str | None] = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
"""An environment without an identity."""
DEAD_ADDRESSES = {
    "PINECONE_CONTROLLER_HOST": "http://127.0.0.1:9",
    "PINECONE_OAUTH_URL": "http://127.0.0.1:9/oauth/token",
}
"""Addresses where no server responds."""


@frozen
class Accounts:
    """An emulator, and the client ids of accounts that a profile, an env file and the environment have."""

    emulator: Emulator
    profile: str
    env_file: str
    environment: str
    file: Path
    secret_file: Path


@pytest.fixture
def accounts(tmp_path: Path) -> Generator[Accounts, None, None]:
    """Emulate an organization with three accounts; the secrets of two of them are in files."""
    with emulate() as emulator:
        in_profile = emulator.add_client(roles=["OrgOwner"], name="in-profile")
        in_file = emulator.add_client(roles=["OrgOwner"], name="in-file")
        secret_file, file = tmp_path / "secret", tmp_path / "env"
        secret_file.write_text(f"{in_profile.client_secret}\n")
        file.write_text(
            f"PINECONE_CLIENT_ID={in_file.client_id}\nexport PINECONE_CLIENT_SECRET='{in_file.client_secret}'\n"
        )
        file.chmod(0o600)
        command = shlex.join(["cat", str(secret_file)])
        done = save_profile("work", "--secret-command", command, client_id=in_profile.client_id)
        assert done.exit == 0, done
        yield Accounts(emulator, in_profile.client_id, in_file.client_id, emulator.client_id, file, secret_file)


def caller(done: Run) -> str:
    """Return the account of a run of ``whoami`` acted."""
    assert (done.exit, done.stderr) == (0, ""), done
    return str(done.json["client_id"])


def test_the_command_line_comes_before_the_environment_and_that_before_the_default_profile(accounts: Accounts) -> None:
    """A profile or an env file that is named wins; without any, the environment; at last the default profile."""
    assert caller(run("whoami", "--profile", "work")) == accounts.profile
    assert caller(run("--env-file", str(accounts.file), "whoami")) == accounts.env_file
    assert caller(run("whoami")) == accounts.environment
    assert caller(run("whoami", env=NOBODY)) == accounts.profile
    both = run("whoami", "--profile", "work", "--env-file", str(accounts.file))
    assert (both.exit, "only one" in both.stderr) == (2, True)


WITHOUT_ACCOUNT = {("help",), ("explain",), ("completion",)}
"""Commands whose output is the same for every account."""


def test_a_profile_that_is_named_is_used_or_refused_by_every_command() -> None:
    """Otherwise the command would act on, or show, something else than the profile that somebody chose."""
    for each in run_examples("--profile", "nosuch"):
        words = ("There is no profile nosuch.", " does not use --profile. Leave it out.", "Two profiles are named: ")
        is_told = any(text in each.done.stdout + each.done.said for text in words)
        assert is_told == (each.done.exit != 0) == (each.spec.path not in WITHOUT_ACCOUNT), each


def test_profile_show_shows_the_profile_that_is_named(accounts: Accounts) -> None:
    """An option, a variable and NAME name it; without any of them, it is the default."""
    save_profile("other")
    ways: list[tuple[tuple[str, ...], dict[str, str]]] = [
        (("profile", "show", "other"), {}),
        (("--profile", "other", "profile", "show"), {}),
        (("profile", "show"), {"PINECONE_ADMIN_PROFILE": "other"}),
        (("profile", "show", "--profile", "other"), {"PINECONE_ADMIN_PROFILE": "work"}),
    ]
    for words, env in ways:
        assert run(*words, env=env).json["name"] == "other"
    assert run("profile", "show", env={"PINECONE_ADMIN_PROFILE": " "}).json["client_id"] == accounts.profile
    both = run("profile", "show", "work", "--profile", "other")
    assert (both.exit, both.stdout) == (2, "")


def test_a_profile_and_a_file_that_are_named_win_over_a_token_in_the_environment(accounts: Accounts) -> None:
    """A token comes before credentials only where both are from one place."""
    env = {"PINECONE_ACCESS_TOKEN": "another"}
    assert caller(run("whoami", "--profile", "work", env=env)) == accounts.profile
    assert caller(run("whoami", "--env-file", str(accounts.file), env=env)) == accounts.env_file
    assert run("whoami", env=env).exit == 3
    with accounts.file.open("a") as file:
        file.write("PINECONE_ACCESS_TOKEN=another\n")
    assert run("whoami", "--env-file", str(accounts.file)).exit == 3


_STATES = (None, "", "x")
_VARIABLE_SETS = [
    {name: value for name, value in zip(names, values, strict=True) if value is not None}
    for names in [("PINECONE_CLIENT_ID", "PINECONE_ACCESS_TOKEN", "PINECONE_CONTROLLER_HOST", "PINECONE_ADMIN_PROFILE")]
    for values in product(_STATES, repeat=4)
]
"""Each state of the client id, which the secret shares, of the token, of the two URLs, and of the named profile."""


def _find_origin_by_help(env: Mapping[str, str], option: str) -> str | None:
    """Return the account that ``help identity`` says a command uses; None if it says that the command stops."""
    has_url = bool(env.get("PINECONE_CONTROLLER_HOST"))
    if option:
        return None if option == "file" and has_url else option
    others = {name: value for name, value in env.items() if name != "PINECONE_ADMIN_PROFILE"}
    if env.get("PINECONE_ADMIN_PROFILE"):
        return None if others else "named"
    if not others:
        return "default"
    token = others.get("PINECONE_ACCESS_TOKEN")
    empty = [name for name, value in others.items() if not value and not (token and name == "PINECONE_CLIENT_ID")]
    return None if empty or not (token or others.get("PINECONE_CLIENT_ID")) else "environment"


@pytest.mark.parametrize("option", ["", "profile", "file"])
def test_the_account_is_the_one_that_the_help_says(option: str) -> None:
    """Of all combinations of an option, the variables and a default profile."""
    names = {"profile": "profile chosen", "file": "env file f", "named": "profile x", "default": "profile default"}
    of_file = {"PINECONE_CLIENT_ID": "of-file", "PINECONE_CLIENT_SECRET": "of-file"}
    profiles = Profiles(
        default="default",
        by_name={
            each: Profile(name=each, client_id=each, secret_command=("true",)) for each in ("default", "chosen", "x")
        },
    )
    for given in _VARIABLE_SETS:
        env = dict(given)
        for one, other in (("CLIENT_ID", "CLIENT_SECRET"), ("CONTROLLER_HOST", "OAUTH_URL")):
            if (value := given.get(f"PINECONE_{one}")) is not None:
                env[f"PINECONE_{other}"] = value
        try:
            identity = choose_identity(
                profile="chosen" if option == "profile" else None,
                env_file="f" if option == "file" else None,
                env=env,
                read_env_file=lambda _: of_file,
                load_profiles=lambda: profiles,
            )
            if not identity.secret_command:
                require_complete(identity)
        except CLIError:
            found = None
        else:
            found = identity.origin
        expected = _find_origin_by_help(given, option)
        assert found == (f"the {expected}" if expected == "environment" else expected and names[expected]), given


@pytest.mark.parametrize("name", ["PINECONE_ACCESS_TOKEN", "PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL"])
def test_an_empty_variable_is_an_error_and_lets_nobody_else_act(accounts: Accounts, name: str) -> None:
    """Neither the credentials beside it nor the default profile take its place, in the environment or in a file."""
    message = f"{name} is empty in "
    for env in ({name: ""}, {**NOBODY, name: " "}):
        done = run("whoami", env=env)
        assert (done.exit, f"error: {message}the environment" in done.stderr) == (2, True)
    with accounts.file.open("a") as file:
        file.write(f"{name}=\n")
    done = run("whoami", "--env-file", str(accounts.file))
    assert (done.exit, f"{message}env file" in done.stderr) == (2, True)
    assert len(accounts.emulator.requests) == 0


@pytest.mark.parametrize("name", ["PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET"])
def test_an_empty_credential_is_refused_and_keeps_the_default_profile_out(accounts: Accounts, name: str) -> None:
    """An empty one is an error like an empty token, unless a token or stdin takes its place."""
    message = f"error: {name} is empty in "
    for env in ({name: ""}, {**NOBODY, name: " "}):
        done = run("whoami", env=env)
        assert (done.exit, f"{message}the environment. Set it to a value, or remove it." in done.stderr) == (2, True)
    accounts.file.write_text(f"{accounts.file.read_text()}{name}=\n")
    done = run("whoami", "--env-file", str(accounts.file))
    assert (done.exit, f"{message}env file {accounts.file}." in done.stderr) == (2, True), done
    assert len(accounts.emulator.requests) == 0
    piped = run("whoami", "--client-secret-stdin", env={name: ""}, stdin=accounts.emulator.client_secret)
    assert piped.exit == (2 if name == "PINECONE_CLIENT_ID" else 0), piped
    with accounts.emulator.admin() as admin:
        assert run("whoami", env={name: "", "PINECONE_ACCESS_TOKEN": admin.token().value}).exit == 0


def test_an_address_in_the_environment_keeps_the_default_profile_out(accounts: Accounts) -> None:
    """A shell that is wired to another server must not change the organization of the default profile."""
    done = run("whoami", env={**NOBODY, **DEAD_ADDRESSES})
    assert (done.exit, "PINECONE_CLIENT_ID" in done.stderr) == (3, True)
    assert " PINECONE_CONTROLLER_HOST is set, so the default profile is not used." in done.stderr
    assert "default profile" not in run("whoami", env={**NOBODY, "HOME": "/nonexistent"}).stderr
    assert len(accounts.emulator.requests) == 0


@pytest.mark.parametrize("name", ["PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL"])
@pytest.mark.parametrize(
    "words",
    [
        ("project", "delete", "search", "--yes"),
        ("run", "--project", "search", "--role", "DataPlaneViewer", "--yes", "true"),
        ("whoami",),
    ],
)
def test_an_env_file_without_an_address_of_the_environment_is_refused(
    accounts: Accounts, words: tuple[str, ...], name: str
) -> None:
    """A shell that is wired to another server must not change an organization in production."""
    env = {name: "http://127.0.0.1:9"}
    done = run("--env-file", str(accounts.file), *words, env=env)
    message = (
        f"error: {name} is set in your shell but not in env file {accounts.file}, so the file would act on production. "
    )
    code = exit_codes.COMMAND_NOT_RUN if words[0] == "run" else exit_codes.USAGE
    assert (done.exit, done.stdout, done.stderr.startswith(message)) == (code, "", True), done
    (found,) = json.loads(run("doctor", "--env-file", str(accounts.file), "--query", "[?fix]", env=env).stdout)
    assert message.removeprefix("error: ") in found["detail"]
    assert len(accounts.emulator.requests) == 0


@pytest.mark.parametrize("given", DEAD_ADDRESSES)
def test_one_of_the_two_addresses_alone_is_refused_wherever_it_is_set(accounts: Accounts, given: str) -> None:
    """Otherwise the token of one server would go to another; only an access token needs no token endpoint."""
    (missing,) = DEAD_ADDRESSES.keys() - {given}
    accounts.file.write_text(f"{accounts.file.read_text()}{given}={DEAD_ADDRESSES[given]}\n")
    keys = {"PINECONE_CONTROLLER_HOST": "api-url", "PINECONE_OAUTH_URL": "oauth-url"}
    path = find_profile_file()
    assert path is not None
    path.write_text(path.read_text().replace("[profiles.work]", f'[profiles.work]\n{keys[given]} = "https://x/y"'))
    env = {given: DEAD_ADDRESSES[given]}
    ways: list[tuple[tuple[str, ...], dict[str, str | None], str, str]] = [
        ((), {**env}, f"{given} is set in the environment, but {missing} is not.", ""),
        ((), {**env, **NOBODY}, f"{given} is set in the environment, but {missing} is not.", ""),
        (("--client-secret-stdin",), {**env, "PINECONE_ACCESS_TOKEN": "x"}, f"but {missing} is not.", "secret"),
        (("--env-file", str(accounts.file)), {}, f"{given} is set in env file {accounts.file}, but {missing} ", ""),
        (("--profile", "work"), {}, f"{keys[given]} is set in profile work, but {keys[missing]} is not.", ""),
    ]
    for options, changes, message, stdin in ways:
        done = run("project", "list", *options, env=changes, stdin=stdin)
        assert (done.exit, message in done.stderr) == (exit_codes.USAGE, True), done
        assert len(accounts.emulator.requests) == 0
        checks = run("doctor", "-o", "json", *options, env=changes, stdin=stdin).json
        assert any(message in each["detail"] for each in checks if each["status"] == "failed"), checks
        accounts.emulator.requests.clear()  # the probes, which have no credentials
    spelled = {"PINECONE_CONTROLLER_HOST": "--api-url", "PINECONE_OAUTH_URL": "--oauth-url"}
    login = run("login", spelled[given], "https://x/y", "--client-id", "x", "--secret-command", "touch asked")
    assert login.exit == exit_codes.USAGE
    assert f"error: The profile would have {spelled[given]}, but no {spelled[missing]}. The missing" in login.stderr
    assert "Give --api-url and --oauth-url, or neither." in login.stderr
    path.write_text(
        f'[profiles.asks]\nclient-id = "x"\nsecret-command = ["touch", "asked"]\n{keys[given]} = "https://x/y"\n'
    )
    refused = run("whoami", "--profile", "asks")
    assert (refused.exit, Path("asked").exists()) == (exit_codes.USAGE, False), refused
    with_token = run("whoami", env={**env, "PINECONE_ACCESS_TOKEN": "x"})
    assert (with_token.exit == exit_codes.USAGE) == (given == "PINECONE_OAUTH_URL"), with_token


@pytest.mark.parametrize("address", [API_URL, f"{API_URL}/", "API.pinecone.io"])
def test_the_address_of_production_alone_is_right(address: str) -> None:
    """The other address is that of production, too, so that nothing goes to another server."""
    identity = identity_of_variables({"PINECONE_CONTROLLER_HOST": address}, origin="a file")
    require_both_addresses(identity)
    require_both_addresses(evolve(identity, host=None, oauth_url=OAUTH_URL))
    for other in ("https://api.pinecone.io.example", "http://api.pinecone.io", OAUTH_URL):
        with pytest.raises(CLIError):
            require_both_addresses(evolve(identity, host=other))


def test_no_part_of_an_identity_comes_from_elsewhere(accounts: Accounts) -> None:
    """The secret and the addresses of the environment are not used for the account of a file or a profile."""
    dead = f"http://127.0.0.1:{find_free_port()}"
    env = {"PINECONE_CONTROLLER_HOST": dead, "PINECONE_OAUTH_URL": f"{dead}/oauth/token"}
    assert caller(run("whoami", "--profile", "work", env=env)) == accounts.profile
    with accounts.file.open("a") as file:
        file.write(f"PINECONE_CONTROLLER_HOST={API_URL}\nPINECONE_OAUTH_URL={OAUTH_URL}\n")
    assert caller(run("whoami", "--env-file", str(accounts.file), env=env)) == accounts.env_file
    accounts.file.write_text(f"PINECONE_CLIENT_ID={accounts.env_file}\n")
    half = run("whoami", "--env-file", str(accounts.file))
    assert (half.exit, "Set PINECONE_CLIENT_SECRET in it" in half.stderr) == (3, True)
    accounts.file.write_text("PINECONE_CLIENT_IDS=x\nPINECONE_CLIENT_SECRET=y\n")
    assert "Did you mean PINECONE_CLIENT_ID?" in run("whoami", "--env-file", str(accounts.file)).stderr
    accounts.file.write_text("")
    empty = run("whoami", "--env-file", str(accounts.file))
    assert (empty.exit, "Set PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET in it" in empty.stderr) == (3, True)


def test_missing_credentials_are_named_with_what_nearly_has_their_name() -> None:
    """An environment without an identity ends with exit code 3 and says how to sign in."""
    done = run("project", "list", env={"PINECONE_CLIENTID": "x", "PINECONE_CLIENT_SECRET": "canary"})
    assert (done.exit, done.stdout) == (3, "")
    assert "Did you mean PINECONE_CLIENT_ID?" in done.stderr
    assert "canary" not in done.stderr
    nothing = run("project", "list", "--output", "json")
    assert (nothing.exit, nothing.error["exit"]) == (3, 3)
    assert "Run pinecone-admin login, or set PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET." in nothing.error["message"]


def test_the_secret_on_stdin_replaces_that_of_any_identity(accounts: Accounts) -> None:
    """The client id is that of the profile, the file or the environment; a token in the environment is not used."""
    stdin = accounts.secret_file.read_text()
    env = {**NOBODY, "PINECONE_CLIENT_ID": accounts.profile, "PINECONE_ACCESS_TOKEN": "another"}
    assert caller(run("whoami", "--client-secret-stdin", stdin=stdin, env=env)) == accounts.profile
    save_profile("bare", client_id=accounts.profile)
    assert caller(run("whoami", "--profile", "bare", "--client-secret-stdin", stdin=stdin)) == accounts.profile
    accounts.file.write_text(f"PINECONE_CLIENT_ID={accounts.profile}\n")
    assert (
        caller(run("whoami", "--env-file", str(accounts.file), "--client-secret-stdin", stdin=stdin))
        == accounts.profile
    )
    for stdin in ("", "\n", "canary\ncanary\n", "can\x00ary"):
        done = run("whoami", "--client-secret-stdin", stdin=stdin)
        assert (done.exit, "canary" in done.stderr, "\x00" in done.stderr) == (3, False, False), done
    typed = run("whoami", "--client-secret-stdin", stdin="canary\n", terminal=True)
    assert (typed.exit, "canary" in typed.stderr) == (2, False)
    refused = run("whoami", "--client-secret-stdin", stdin=" canary \n")
    assert (refused.exit, "canary" in refused.stderr) == (2, False)


def test_stdin_that_is_no_text_has_no_secret() -> None:
    """Bytes that are not in the encoding of stdin are refused."""
    with pytest.raises(CLIError) as caught:
        read_secret_from(io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    assert caught.value.exit == 3


def test_the_command_of_a_secret_gets_no_pinecone_variables_and_no_stdin() -> None:
    """The child process sees neither credentials in its environment nor the input of this program."""
    program = "import os, sys; print(sorted(n for n in os.environ if 'PINECONE' in n), repr(sys.stdin.read()))"
    env = {**os.environ, "PINECONE_CLIENT_SECRET": "canary", "PINECONE_API_KEY": "canary"}
    assert run_secret_command([sys.executable, "-c", program], env=env, origin="x") == "[] ''"


def test_a_command_that_gives_no_secret_is_named_without_its_arguments() -> None:
    """Exit code 3 for a command that is not there, fails, hangs, or prints something else than one line."""
    commands = {
        "cannot be run": ["/nowhere/canary-not"],
        "invalid name": ["a\0b"],
        "ended with status 7": ["sh", "-c", "echo canary; exit 7"],
        "contains nothing": ["true"],
        "one line": ["printf", "canary\\ncanary"],
        "one line of": ["printf", "canary\\377"],
        "did not end within": ["sh", "-c", "echo canary; exec sleep 60"],
    }
    for problem, command in commands.items():
        with pytest.raises(CLIError) as caught:
            run_secret_command(command, env=os.environ, origin="profile work", timeout=0.2)
        assert (caught.value.exit, problem in caught.value.message) == (3, True), caught.value.message
        if "Run it by itself to see why" in caught.value.message:  # then it may find what it does not get here
            assert caught.value.message.endswith(" It does not get the PINECONE_ variables.")
        assert "canary;" not in caught.value.message
        assert "canary\\" not in caught.value.message


def test_no_other_organization_is_touched_than_the_expected_one(accounts: Accounts) -> None:
    """A command with another expectation ends with exit code 3 before it changes or shows anything."""
    own = accounts.emulator.organization_id
    assert run("project", "create", "a", "--yes", "--expect-organization", own).exit == 0
    accounts.emulator.requests.clear()
    done = run("project", "create", "b", "--yes", "--expect-organization", "-Nanother")
    assert (done.exit, done.stdout, list(accounts.emulator.requests.filter("create_project"))) == (3, "", [])
    assert own in done.stderr
    save_profile("strict", "--expect-organization", "-Nanother", client_id=accounts.profile)
    strict = run(
        "project", "list", "--profile", "strict", "--client-secret-stdin", stdin=accounts.secret_file.read_text()
    )
    assert (strict.exit, strict.stdout) == (3, "")
    two = run("project", "list", "--profile", "strict", "--expect-organization", own)
    assert (two.exit, "-Nanother" in two.stderr) == (2, True)


def test_an_account_of_a_project_only_has_the_organization_of_its_projects() -> None:
    """The expectation also holds for an account that cannot read the organization."""
    with emulate() as emulator:
        with emulator.admin() as admin:
            project = admin.projects.create(name="search")
        account = emulator.add_client(roles=[("ProjectMember", project.id)])
        env = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
        assert run("project", "list", "--expect-organization", emulator.organization_id, env=env).exit == 0
        assert run("project", "list", "--expect-organization", "-Nanother", env=env).exit == 3
        preview = run("project", "create", "docs", "--dry-run", env=env)
        assert preview.json["organization"] == {"id": emulator.organization_id, "name": "unknown"}
        for roles in ([], [("ProjectEditor", project.id)]):
            nobody = emulator.add_client(roles=roles)
            env = {"PINECONE_CLIENT_ID": nobody.client_id, "PINECONE_CLIENT_SECRET": nobody.client_secret}
            done = run("project", "list", "--expect-organization", emulator.organization_id, env=env)
            assert (done.exit, "can see no organization" in done.stderr) == (3, True)
            assert run("project", "create", "docs", "--dry-run", env=env).exit == 10


def test_a_read_only_session_reads_only(accounts: Accounts) -> None:
    """The option and the variable refuse every change; a variable that could mean either refuses everything."""
    accounts.file.write_text(f"{accounts.file.read_text()}PINECONE_ADMIN_READ_ONLY=1\n")
    ways: list[tuple[list[str], dict[str, str]]] = [
        (["--read-only"], {}),
        (["--env-file", str(accounts.file)], {}),
        ([], {"PINECONE_ADMIN_READ_ONLY": "1"}),
    ]
    for argv, env in ways:
        assert run("project", "list", *argv, env=env).exit == 0
        done = run("project", "create", "a", "--yes", *argv, env=env)
        assert (done.exit, "read-only" in done.stderr) == (2, True)
    assert list(accounts.emulator.requests.filter("create_project")) == []
    assert run("project", "create", "a", "--yes", env={"PINECONE_ADMIN_READ_ONLY": "0"}).exit == 0
    unclear = run("project", "list", env={"PINECONE_ADMIN_READ_ONLY": "true"})
    assert (unclear.exit, "PINECONE_ADMIN_READ_ONLY" in unclear.stderr) == (2, True)


def test_an_env_file_that_cannot_be_trusted_or_read_is_refused(accounts: Accounts, tmp_path: Path) -> None:
    """A file that others can write, that is damaged or not there ends with exit code 2, and shows no value."""
    accounts.file.chmod(0o622)
    assert (
        "can be written by others (mode 622): run chmod 600" in run("whoami", "--env-file", str(accounts.file)).stderr
    )
    accounts.file.chmod(0o644)
    public = run("whoami", "--env-file", str(accounts.file))
    assert (public.exit, public.stderr.count("All users of this machine can read")) == (0, 1)
    contents = [b"PINECONE_CLIENT_SECRET='canary\n", b"PINECONE_CLIENT_ID=\xff\xff", b"#" * (1024 * 1024 + 1)]
    for content in contents:
        (tmp_path / "damaged").write_bytes(content)
        (tmp_path / "damaged").chmod(0o600)
        done = run("whoami", "--env-file", str(tmp_path / "damaged"))
        assert (done.exit, "damaged" in done.stderr, "canary" in done.stderr) == (2, True, False), done
    for path in (tmp_path / "absent", tmp_path, "a\0b"):
        assert run("whoami", "--env-file", str(path)).exit == 2


def test_an_env_file_can_be_a_pipe(accounts: Accounts) -> None:
    """A file that a shell passes as <(command) can be read only once."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(accounts.file.read_bytes())
    try:
        done = run("project", "create", "a", "--dry-run", "--env-file", f"/dev/fd/{reading}")
    finally:
        os.close(reading)
    assert (done.exit, done.json["caller"]) == (0, accounts.env_file)


def test_an_address_that_the_client_refuses_is_an_error_of_the_identity(accounts: Accounts) -> None:
    """A profile or an environment with an address that is no URL says where it comes from."""
    addresses = "PINECONE_CONTROLLER_HOST=http://api.example\nPINECONE_OAUTH_URL=https://login.example/oauth/token\n"
    accounts.file.write_text(accounts.file.read_text() + addresses)
    done = run("whoami", "--env-file", str(accounts.file))
    assert (done.exit, f"nv file {accounts.file}: PINECONE_CONTROLLER_HOST 'http" in done.stderr) == (2, True), done
    done = run("whoami", env={**DEAD_ADDRESSES, "PINECONE_CONTROLLER_HOST": "http://"})
    assert (done.exit, "PINECONE_CONTROLLER_HOST" in done.stderr) == (2, True)


def test_the_caller_of_a_token_is_unknown(accounts: Accounts) -> None:
    """The account of the token is unknown, with its roles and its expiry time."""
    with accounts.emulator.admin() as admin:
        token = admin.token().value
    done = run("whoami", env={"PINECONE_ACCESS_TOKEN": token})
    unknown = [name for name, value in done.json.items() if value == "unknown"]
    assert unknown == ["client_id", "service_account_id", "service_account_name"]
    assert (done.json["roles"], done.json["token_expires_at"]) == (None, None)
    preview = run("project", "create", "a", "--dry-run", env={"PINECONE_ACCESS_TOKEN": token})
    assert preview.json["caller"] == "unknown"


def test_whoami_shows_account_organization_roles_and_the_end_of_the_token() -> None:
    """An account sees its roles by name, and a project that shares its name by its id."""
    with emulate() as emulator:
        with emulator.admin() as admin:
            search, first, second = (admin.projects.create(name=name) for name in ("search", "twin", "twin"))
        roles: list[Role] = [
            "OrgMember",
            ("ProjectViewer", search.id),
            ("ProjectEditor", first.id),
            ("ProjectViewer", second.id),
        ]
        account = emulator.add_client(roles=roles, name="deploy")
        env = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
        seen = run("whoami", env=env).json
        assert (seen["client_id"], seen["service_account_name"]) == (account.client_id, "deploy")
        assert (seen["organization_id"], seen["organization_name"]) == (
            emulator.organization_id,
            "Emulated Organization",
        )
        named = ["OrgMember", "search:ProjectViewer", f"{first.id}:ProjectEditor", f"{second.id}:ProjectViewer"]
        assert sorted(seen["roles"]) == sorted(named)
        assert seen["token_expires_at"] > "2026"
        # A second account on the same project: whose bindings are whose cannot be told without the list of accounts.
        owner = emulator.add_client(roles=[("ProjectOwner", search.id)])
        env = {"PINECONE_CLIENT_ID": owner.client_id, "PINECONE_CLIENT_SECRET": owner.client_secret}
        seen = run("whoami", env=env).json
        assert (seen["roles"], seen["service_account_id"]) == (None, "unknown")
        assert (seen["organization_id"], seen["organization_name"]) == (emulator.organization_id, "unknown")


def test_whoami_fails_where_the_account_is_not_accepted() -> None:
    """A token that is refused is an error, and not unknown."""
    with emulate():
        assert run("whoami", env={"PINECONE_ACCESS_TOKEN": "another"}).exit == 3
        assert run("whoami", env={"PINECONE_CLIENT_SECRET": "another"}).exit == 3


def test_a_token_is_shown_only_where_that_is_asked_for() -> None:
    """Without --reveal nothing is sent; with it, the token is one line for a variable, or an object."""
    with emulate() as emulator:
        hidden = run("token")
        assert (hidden.exit, hidden.stdout, len(emulator.requests)) == (2, "", 0)
        raw = run("token", "--reveal", "--output", "raw").stdout.strip()
        alone = [run("token", "--reveal").stdout, run("token", "--reveal", terminal=True).stdout]
        assert [len(each.split()) for each in alone] == [1, 1]
        document = run("token", "--reveal", "-o", "json").json
        assert list(document) == ["access_token", "expires_at"]
        assert json.loads(json.dumps(document))["expires_at"] > "2026"
        for token in (raw, *(each.strip() for each in alone), document["access_token"]):
            assert run("project", "list", env={"PINECONE_ACCESS_TOKEN": token}).exit == 0


def test_no_output_shows_a_credential(accounts: Accounts) -> None:
    """Neither stdout nor stderr has a secret, of whatever command, also where the server fails."""
    in_file = accounts.file.read_text().split("'")[1]
    secrets = [accounts.secret_file.read_text().strip(), in_file, accounts.emulator.client_secret]
    shown = ""
    for is_broken in (False, True):
        if is_broken:
            for operation in ("*", "get_token"):
                accounts.emulator.faults.add(operation, times=None, status=400, body="html")
        for identity in (["--profile", "work"], ["--env-file", str(accounts.file)], []):
            for command in ("whoami", "doctor", "token"):
                done = run(command, *identity)
                shown += done.stdout + done.stderr
    assert len(shown) > 1000
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_gateway_that_repeats_the_client_secret_shows_it_nowhere(output: str) -> None:
    """A host that got the secret with a request for a token may repeat it in other responses: no output has it."""
    with emulate() as emulator:
        secret = emulator.client_secret
        echo = {
            "status": 400,
            "body": {"error": {"code": secret, "message": f"got {secret}", "details": {secret: secret}}},
            "headers": {"x-request-id": secret, "x-pinecone-request-id": secret},
        }
        emulator.faults.add("list_projects", times=None, respond=lambda _: echo)
        emulator.faults.add("create_project", times=None, respond=lambda _: echo)
        for words in (["project", "list"], ["project", "create", "x", "--yes"], ["inventory"], ["whoami"], ["doctor"]):
            done = run("--verbose", *words, "--output", output)
            assert secret not in done.stdout + done.stderr, words
            assert "***" in done.stdout + done.stderr or words[0] != "project", (words, done)
