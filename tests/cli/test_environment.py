"""Variables that stand for options, the page about them, and what ``--verbose`` shows."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from pinecone_admin.cli.variables import CI_VARIABLES, OTHER_VARIABLES, SET_VARIABLES, VARIABLES
from tests.cli.command_line import example_organization, run
from tests.cli.secret_makers import live_secrets

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = ("CLIENT_ID", "CLIENT_SECRET", "CONTROLLER_HOST", "OAUTH_URL", "ACCESS_TOKEN")
NO_ACCOUNT = dict.fromkeys(f"PINECONE_{name}" for name in ACCOUNT)
OTHER = "-NF9xx0xx0xx0xx0xx0x"
"""The id of another organization."""


def test_the_page_names_every_variable_that_the_package_reads() -> None:
    """No module names a variable of this program that ``help environment`` and its list do not have."""
    page = run("help", "environment").stdout
    assert all(f"  {name}\n" in page for name in (*VARIABLES, *OTHER_VARIABLES))
    assert all(name in page for name in (*SET_VARIABLES, *CI_VARIABLES))
    named = {
        name
        for path in (ROOT / "pinecone_admin").rglob("*.py")
        for name in re.findall(r"\bPINECONE_[A-Z_]+[A-Z]\b", path.read_text(encoding="utf-8"))
    }
    assert named - {*VARIABLES, *SET_VARIABLES} == {"PINECONE_ADMIN_EMULATED"}


def test_a_variable_names_the_profile(tmp_path: Path) -> None:
    """It comes after the options, and is refused beside credentials of the environment."""
    env = {**NO_ACCOUNT, "PINECONE_ADMIN_PROFILE": "production"}
    variables = tmp_path / "variables"
    variables.write_text("PINECONE_CLIENT_ID=a\nPINECONE_ADMIN_PROFILE=ignored\n")
    with example_organization() as emulator:
        named = run("project", "list", env=env)
        assert (named.exit, "Profile production does not say where its secret is" in named.stderr) == (3, True)
        wrong = run("project", "list", env={**env, "PINECONE_ADMIN_PROFILE": "staging"})
        assert (wrong.exit, "There is no profile staging." in wrong.stderr) == (3, True)
        for other in ("PINECONE_CLIENT_ID", "PINECONE_CONTROLLER_HOST"):
            both = run("project", "list", env={**env, other: "x"})
            assert (both.exit, f"PINECONE_ADMIN_PROFILE and {other} are both set" in both.stderr) == (2, True)
        assert "nv file" in run("project", "list", "--env-file", str(variables), env=env).stderr
        assert "no profile other" in run("project", "list", "--profile", "other", env=env).stderr
        assert len(emulator.requests) == 0


def test_a_variable_names_the_only_organization(tmp_path: Path) -> None:
    """Another organization is refused if the environment, an env file or an option names it."""
    with example_organization() as emulator:
        own = {"PINECONE_ADMIN_EXPECT_ORGANIZATION": emulator.organization_id}
        assert run("project", "list", env=own).exit == 0
        refused = run("project", "create", "x", "--yes", env={"PINECONE_ADMIN_EXPECT_ORGANIZATION": OTHER})
        assert (refused.exit, f"You expected organization {OTHER}" in refused.stderr) == (3, True)
        named = run("project", "list", "--expect-organization", "Emulated Organization", env=dict.fromkeys(own))
        assert (named.exit, f"belongs to 'Emulated Organization' ({emulator.organization_id})." in named.stderr) == (
            3,
            True,
        )
        assert "The expected organization is given by its id, and 'Emulated Organization' is a name." in named.stderr
        file = tmp_path / "variables"
        file.write_text(
            f"PINECONE_CLIENT_ID={emulator.client_id}\nPINECONE_CLIENT_SECRET={emulator.client_secret}\n"
            f"PINECONE_CONTROLLER_HOST={os.environ['PINECONE_CONTROLLER_HOST']}\n"
            f"PINECONE_OAUTH_URL={os.environ['PINECONE_OAUTH_URL']}\nPINECONE_ADMIN_EXPECT_ORGANIZATION={OTHER}\n"
        )
        assert run("project", "list", "--env-file", str(file)).exit == 3
        contradicting = run("project", "list", "--env-file", str(file), env=own)
        assert (contradicting.exit, f"names {OTHER}. Use one of the two." in contradicting.stderr) == (2, True)
        differing = run("project", "list", "--expect-organization", OTHER, env=own)
        assert (differing.exit, f"--expect-organization names organization {OTHER}" in differing.stderr) == (2, True)
        page = " ".join(run("help", "environment").stdout.split())
        assert "Two expected organizations must be equal." in page
        assert emulator.requests.filter("create_project") == []


def test_a_variable_names_the_audit_log(tmp_path: Path) -> None:
    """Each change is appended to it; the option comes first, and an error names the variable."""
    log, other = tmp_path / "log", tmp_path / "other"
    env = {"PINECONE_ADMIN_AUDIT_LOG": str(log)}
    with example_organization():
        assert run("project", "create", "a", "--yes", env=env).exit == 0
        assert run("project", "create", "b", "--yes", "--audit-log", str(other), env=env).exit == 0
        wrong = run("project", "create", "c", "--yes", env={"PINECONE_ADMIN_AUDIT_LOG": str(tmp_path)})
    assert len(log.read_text().splitlines()) == len(other.read_text().splitlines()) == 1
    assert (wrong.exit, wrong.stderr.startswith("error: PINECONE_ADMIN_AUDIT_LOG: ")) == (2, True)


def test_the_audit_log_says_which_job_it_was(tmp_path: Path) -> None:
    """Each line has the variables of the CI service, and no others. Elsewhere, the job is empty."""
    job = {"GITHUB_ACTOR": "octo\x1bcat", "GITHUB_RUN_ID": "7", "GITHUB_TOKEN": "ghs_placeholder", "CI_JOB_URL": ""}
    log = tmp_path / "log"
    alone = dict.fromkeys(CI_VARIABLES)
    with example_organization():
        for name, env in (("a", alone), ("b", {**alone, **job})):
            assert run("project", "create", name, "--yes", "--audit-log", str(log), env=env).exit == 0
    first, second = map(json.loads, log.read_text().splitlines())
    assert first["job"] == {}
    assert second["job"] == {"GITHUB_ACTOR": "octo\\u001bcat", "GITHUB_RUN_ID": "7"}
    assert "ghs_" not in log.read_text()


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_verbose_shows_each_attempt_of_each_request_without_secrets(*, is_dry_run: bool) -> None:
    """Each has a line on stderr, retries too, with the id of the request."""
    words = ["project", "update", "search", "--name", "found", "--yes", *(["--dry-run"] if is_dry_run else [])]
    with example_organization() as emulator:
        emulator.faults.add("list_projects", status=503, times=1)
        done = run(*words, "--verbose")
        ids = [each.request_id for each in emulator.requests if each.operation_id != "get_token"]
        secrets = {*live_secrets(emulator), *emulator.state.tokens, emulator.client_secret}
    assert done.exit == 0, done
    pattern = r"(GET|POST|PATCH) (/\S+): (\d{3}), \d+ ms, attempt (\d), request id (\S+?)(, again in \d+\.\d s)?"
    shown = [re.fullmatch(pattern, line) for line in done.stderr.splitlines()]
    requests = [each for each in shown if each and each[2] != "/oauth/token"]
    assert None not in shown, done.stderr
    assert [each[5] for each in requests] == ids
    first, second = requests[:2]
    assert (first[2], first[3], first[4], bool(first[6])) == ("/admin/projects", "503", "1", True)
    assert (second[2], second[3], second[4], second[6]) == ("/admin/projects", "200", "2", None)
    assert any(each[1] == "PATCH" for each in requests) is not is_dry_run
    assert not any(secret in done.stderr for secret in secrets)


def test_on_a_terminal_verbose_shows_where_each_request_begins() -> None:
    """The further lines of one that does not fit are indented."""
    with example_organization():
        shown = run("project", "list", "--verbose", terminal=True).stderr.splitlines()
    begins = [line for line in shown if not line.startswith("  ")]
    assert [line.split()[1] for line in begins] == ["/oauth/token:", "/admin/projects:"]
    assert len(shown) > len(begins)


def test_verbose_says_why_an_attempt_failed() -> None:
    """An attempt without a response has no status, and no name of a class of Python in its place."""
    with example_organization() as emulator:
        emulator.faults.add("list_projects", drop="before", times=1)
        done = run("project", "list", "--verbose")
    assert (done.exit, len(done.json)) == (0, 2)
    assert re.search(r"GET /admin/projects: no response, \d+ ms, attempt 1, request id unknown", done.stderr)


def test_a_space_in_a_credential_is_named() -> None:
    """A space is printable, so the message says what it found; the secret itself is not shown."""
    with example_organization():
        for name in ("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET"):
            done = run("project", "list", env={name: "two parts"})
            assert (done.exit, f"{name} contains a space, or " in done.stderr) == (2, True), done
            assert "two parts" not in done.stderr
