"""Reports say why something failed in the words of their readers: no operation of the API, and no temporary name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pinecone_admin import operations
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import example_organization, retire_key, run

DAY = 86_400
OPERATIONS = [name for name, each in vars(operations).items() if callable(each) and "_" in name]
ORGANIZATION = "organization: Emulated Organization\nprojects: [{name: more}]\n"
REPORTS = {
    "api-key rotate-due --older-than 1d --keep-old-for 1d --store file:{project}-{name} --yes": "create_api_key",
    "service-account rotate-due --older-than 1d --store 'exec:true {name}' --allow-unreadable --yes": (
        "rotate_service_account_secret"
    ),
    "apply org.yaml --yes": "create_project",
    "apply people.json --confirm 9": "delete_user",
    "apply stale.json --confirm 9": "delete_project",
    "project stale --match * --older-than 1s --yes": "create_api_key",
    "api-key delete-retired --yes": "delete_api_key",
}


def _prepare(emulator: Emulator) -> None:
    Path("org.yaml").write_text(ORGANIZATION)
    Path("people.csv").write_text("email\nada@example.com\n")
    retire_key(emulator)
    emulator.clock.advance(100 * DAY)
    run("user", "offboard", "--people", "people.csv", "--out", "people.json")
    run("project", "stale", "--match", "*", "--older-than", "1s", "--out", "stale.json", "--yes")


@pytest.mark.parametrize("output", ["json", "table", "csv", "yaml"])
@pytest.mark.parametrize("line", REPORTS)
def test_no_reason_of_a_report_has_the_name_of_an_operation(
    line: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard output, on standard error, and in the file of ``--out``."""
    monkeypatch.chdir(tmp_path)
    with example_organization() as emulator:
        _prepare(emulator)
        emulator.faults.add(REPORTS[line], status=403, times=None)
        out = ["--out", "report.json"] if line.startswith("apply") else []
        done = run(*shlex.split(line), *out, "-o", output)
    written = Path("report.json").read_text() if out else ""
    assert "ault injected" in done.stdout + done.stderr, done
    for text in (done.stdout, done.stderr, written):
        assert re.findall(rf"\b({'|'.join(OPERATIONS)}): ", text) == []


def test_no_finding_and_no_table_of_access_has_a_temporary_name() -> None:
    """Both name a replaced key as it was called, and say that it is old."""
    with example_organization() as emulator:
        retire_key(emulator)
        emulator.clock.advance(100 * DAY)
        found = run("access", "--max-key-age", "1d")
        table = run("access", "-o", "table")
    texts = [each["text"] for each in found.json["findings"]]
    assert [each for each in texts if "~" in each] == []
    assert any(re.match(r"API key indexer \(old\) \(\S+\) of project search was replaced", each) for each in texts)
    assert "~" not in table.stdout
    assert "indexer (old)" in table.stdout


def test_all_commands_call_an_old_key_the_same() -> None:
    """A narrow table of keys or of roles, the table of access, and what is deleted with a project."""
    with example_organization() as emulator:
        retire_key(emulator)
        lines = ("api-key list", "role list", "access -o table", "project delete search --dry-run")
        for line in lines:
            done = run(*line.split(), terminal=True, env={"COLUMNS": "80", "NO_COLOR": "1"})
            assert "indexer (old)" in done.stdout + done.said, done


def test_a_store_that_fails_is_told_in_plain_words() -> None:
    """Of what was deleted again, the reason has the name without its tag, and no class of Python."""
    Path("org.yaml").write_text(
        "organization: Emulated Organization\n"
        "projects: [{name: search, api_keys: [{name: new, roles: [ProjectEditor]}]}]\n"
        "service_accounts: [{name: robot, roles: [OrgMember]}]\n"
    )
    for line in ("apply org.yaml", "api-key rotate-due --older-than 1d --keep-old-for 1d", "project provision acme"):
        with example_organization() as emulator:
            emulator.clock.advance(100 * DAY)
            for output in ("json", "table"):
                options = ["--store", "exec:false {scope} {name}", "--yes", "-o", output]
                done = run(*shlex.split(line), *(["--role", "ProjectEditor"] if "acme" in line else []), *options)
                said = done.stdout + done.stderr
                assert "ended with exit status 1" in said, done
                reasons = re.findall('(?:error|reason)": .*|(?:failed|undid|not replaced).*|^error: .*', said)
                assert [each for each in reasons if "~" in each or "Error:" in each] == [], done


def test_a_creation_whose_response_was_lost_has_a_reason_that_fits() -> None:
    """The step is counted as done because the project was found, and not because the response was lost."""
    with example_organization() as emulator:
        emulator.faults.add("create_project", drop="after")
        done = run("project", "ensure", "new", "--yes", "-o", "table")
    assert done.stdout.startswith("created project new (")
    assert done.stdout.endswith(
        ", because it exists after a request whose response was lost; somebody else may have created it\n"
    )
