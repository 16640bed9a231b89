"""Commands that delete, where something on the way answers 404: what stays is never said to be deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinecone_admin.cli import exit_codes
from pinecone_admin.emulator import Emulator
from tests._sync.test_workflow_foreign_404 import CLAIM, FOREIGN_404
from tests.cli.command_line import example_organization, retire_key, run

COMMANDS = {
    "user offboard ada@example.com --yes --out report.json": ("delete_user", "ada@example.com"),
    "user delete ada@example.com --yes": ("delete_user", "ada@example.com"),
    "apply org.yaml --yes --confirm 1": ("delete_user", "ada@example.com"),
    "apply people.json --confirm 99 --out report.json": ("delete_user", "ada@example.com"),
    "invite delete bob@example.com --yes": ("delete_invite", "bob@example.com"),
    "service-account delete ci --yes": ("delete_service_account", "ci"),
    "api-key delete reader --project search --yes": ("delete_api_key", "reader"),
    "api-key rotate reader --project search --keep-old-for 0 --store file:new.key --yes": ("delete_api_key", "reader"),
    "api-key delete-retired --project search --yes": ("delete_api_key", "indexer"),
    "api-key delete-retired --yes": ("list_project_api_keys", "indexer"),
    "api-key rotate-due --older-than 30d --keep-old-for 0 --store file:{name}.key --yes": (
        "list_project_api_keys",
        "indexer",
    ),
    "role revoke user:ada@example.com:search:ProjectViewer --yes": ("delete_role_binding", "ProjectViewer"),
    "role change --user ada@example.com --from search:ProjectViewer --to ProjectEditor --yes": (
        "delete_role_binding",
        "ProjectViewer",
    ),
    "user ensure ada@example.com --role OrgMember --revoke-others --yes": (
        "delete_role_binding",
        "ProjectViewer",
    ),
    "project delete empty --yes": ("delete_project", "empty"),
    "project delete --with-contents search --confirm search": ("delete_index", "documents"),
    "project delete --with-contents empty --confirm empty": ("delete_project", "empty"),
    "apply projects.json --confirm 99": ("delete_project", "empty"),
    "apply projects.json --confirm 99 --output json": ("fetch_project", "empty"),
    "apply projects.json --dry-run": ("fetch_project", "empty"),
    "api-key list": ("list_project_api_keys", "reader"),
}


def prepare_files(emulator: Emulator) -> None:
    """Write the files that the commands name."""
    people = f"organization: {emulator.organization_id}\npeople:\n- {{email: ada@example.com, absent: true}}\n"
    Path("org.yaml").write_text(people)
    Path("people.csv").write_text("email\nada@example.com\n")
    for words in (
        "user offboard --people people.csv --out people.json",
        "project stale --match empty --older-than 1m --out projects.json --yes",
    ):
        done = run(*words.split())
        assert done.exit == 0, done


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_proxy_does_not_find_is_not_said_to_be_deleted(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails, and neither its output nor its report claims the deletion."""
    monkeypatch.chdir(tmp_path)
    operation, name = COMMANDS[command]
    with example_organization() as emulator:
        retire_key(emulator)
        prepare_files(emulator)
        emulator.faults.add(operation, **FOREIGN_404)
        done = run(*command.split())
    assert done.exit in {exit_codes.REFUSED, exit_codes.PARTLY_DONE}, done
    assert [line for line in done.stderr.splitlines() if name in line and CLAIM.search(line)] == []
    for text in filter(None, [done.stdout, *(each.read_text() for each in tmp_path.glob("report.json"))]):
        report = json.loads(text)
        claims = [each for part in ("deleted", "reports", "steps") for each in report.get(part, ())]
        claims = [each for each in claims if each.get("state", "done") == "done"]
        assert [each for each in claims if name in str(each)] == []
