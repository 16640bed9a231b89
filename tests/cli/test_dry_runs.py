"""The output of a dry run cannot be taken for the report of a run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin.cli.commands import Command
from tests.cli.command_line import COMMANDS, example_organization, retire_key, run

_PREVIEWS = """
    project create docs
    project ensure docs
    project ensure search --max-pods 2 --if-different update
    project update search --name x
    project delete empty
    project delete --with-contents search --yes
    project provision acme --role DataPlaneEditor --grant user:ada@example.com:ProjectViewer
    apply stale.json
    api-key create k --project search
    api-key ensure k --project search
    api-key ensure reader --project search --role ProjectEditor --if-different update
    api-key rotate reader --project search --keep-old-for 7d
    api-key rotate reader --project search --keep-old-for 0
    api-key delete-retired
    service-account ensure x --role OrgMember
    service-account ensure ci --role OrgManager --if-different update
    service-account rotate ci
    invite ensure eve@example.com --role OrgMember
    user ensure ada@example.com --role OrgMember --role search:ProjectEditor
    user ensure eve@example.com --role OrgMember
    user ensure bob@example.com --role OrgManager --revoke-others
    invite resend bob@example.com
    role grant --user ada@example.com --role search:ProjectEditor
    role change --user ada@example.com --from search:ProjectViewer --to ProjectEditor
    user offboard ada@example.com
    user offboard bob@example.com
    user offboard --people people.csv
    apply people.json
    organization update 'Emulated Organization' --name Acme
    send POST /admin/projects --body '{"name": "x"}'
    send DELETE /admin/projects/x
"""
# The temporary key that reads what a project contains has been made and deleted.
_DONE = re.compile(r"^\w+(ed|eft|ept|ent|rew) |\bdry run: |would be done: ")


def test_every_dry_run_says_what_would_be_done_where_and_by_whom() -> None:
    """The first line names the organization and the caller, another what would be done, and none what was done."""
    Path("people.csv").write_text("email\nada@example.com\nbob@example.com\n")
    with example_organization() as emulator:
        retire_key(emulator)
        run("project", "stale", "--match", "empty", "--older-than", "1s", "--out", "stale.json", "--yes")
        run("user", "offboard", "--people", "people.csv", "--out", "people.json")
        for line in _PREVIEWS.strip().splitlines():
            words = [*shlex.split(line), "--dry-run"]
            done = run(*words, terminal=True, env={"NO_COLOR": "1", "COLUMNS": "400"})
            heading, *lines = done.stdout.splitlines()
            where = f"Dry run in organization 'Emulated Organization' ({emulator.organization_id})"
            keys = ", with a temporary API key that is deleted again" if "delete --with-contents" in line else ""
            assert heading == f"{where}, as client id {emulator.client_id}{keys}:", line
            assert any("would " in each for each in lines), line
            assert [each for each in lines if _DONE.search(each)] == [], line
            preview = run(*words).json
            assert preview["dry_run"] is True
            assert (preview["organization"]["id"], preview["caller"]) == (emulator.organization_id, emulator.client_id)
            assert preview["would_do"]


_WITH_STEPS = """
    project ensure docs
    project ensure search --max-pods 0 --require-cmek --if-different update
    project provision acme --role DataPlaneEditor --grant user:ada@example.com:ProjectViewer --store exec:cat
    api-key ensure k --project search --store exec:cat
    api-key ensure k --project search --role ProjectViewer --if-different update --store exec:cat
    api-key delete-retired
    api-key rotate k --project search --keep-old-for 7d --store exec:cat
    service-account ensure x --role OrgMember --store exec:cat
    service-account ensure x --role search:ProjectViewer --if-different update --revoke-others --store exec:cat
    invite ensure eve@example.com --role OrgMember
    user ensure ada@example.com --role OrgMember --revoke-others
    role grant --user ada@example.com --role search:ProjectEditor
    role change --user ada@example.com --from search:ProjectEditor --to ProjectMember
    user offboard ada@example.com
    project delete --with-contents search --confirm search
"""
_IN_NO_PROJECT = {"project", "user", "invite", "service_account"}


def _find_steps(value: Any) -> list[dict[str, Any]]:
    """Return all steps in a document."""
    if isinstance(value, list):
        return [step for each in value for step in _find_steps(each)]
    if not isinstance(value, dict):
        return []
    own = [*value.get("steps", []), *value.get("would_do", [])]
    others = (each for name, each in value.items() if name not in {"steps", "would_do"})
    return [*own, *(step for each in others for step in _find_steps(each))]


def test_every_step_names_its_project_and_whether_it_was_done() -> None:
    """The steps of a dry run are planned, those of the run after it are not; all name the project that they are in."""
    seen: set[str] = set()
    with example_organization() as emulator:
        retire_key(emulator)
        for words in map(shlex.split, _WITH_STEPS.strip().splitlines()):
            for option, is_planned in (("--dry-run", True), ("--yes", False)):
                steps = _find_steps(run(*words, option).json)
                assert steps, words
                state = "planned" if is_planned else "done"
                assert {each["state"] for each in steps} <= {state, "skipped"}, words
                for target in (each["change"]["target"] for each in steps):
                    assert target["kind"] in _IN_NO_PROJECT or target["project"], target
                seen |= {each["change"]["action"] for each in steps}
    assert seen == {"create", "update", "invite", "grant", "revoke", "delete"}


@pytest.mark.parametrize("spec", [each for each in COMMANDS if each.confirms], ids=lambda spec: spec.full_name)
def test_a_dry_run_compares_the_name_as_the_run_does(spec: Command) -> None:
    """A dry run also refuses a confirmation of another name, before it creates a key."""
    words = shlex.split(spec.example.replace("GET '/admin/users?limit=5'", "DELETE /admin/projects/x"))[1:]
    words = words[: next((place for place, each in enumerate(words) if each in {"--confirm", "--dry-run"}), None)]
    with example_organization(spec) as emulator:
        for way in ([], ["--dry-run"]):
            done = run(*words, *way, "--confirm", "other")
            assert (done.exit, "--confirm other does not match: the " in done.stderr) == (2, True), (words, way, done)
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}


def test_a_dry_run_that_has_to_write_says_so_first_and_asks() -> None:
    """A dry run with temporary keys needs consent, shows that first, and is refused in a read-only session."""
    says = "To read what projects contain, the command creates temporary API keys, and deletes them again."
    with example_organization() as emulator:
        emulator.clock.advance(60)
        for words in (
            ("project", "delete", "search", "--with-contents", "--dry-run"),
            ("project", "stale", "--match", "empty", "--older-than", "1s"),
        ):
            silent, declined = run(*words), run(*words, terminal=True, stdin="n\n")
            refused = run(*words, "--yes", "--read-only")
            assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}
            agreed, asked = run(*words, "--yes"), run(*words, terminal=True, stdin="y\n")
            assert [each.exit for each in (silent, declined, refused, agreed, asked)] == [2, 130, 2, 0, 0], words
            only = "With --dry-run, nothing else changes: --yes allows only these temporary keys. "
            rest = only if "--dry-run" in words else ""
            assert silent.stderr == f"error: {says} {rest}Add --yes to go ahead. [PA101]\n"
            assert "and the command could create temporary API keys." in refused.stderr
            for each in (declined, agreed, asked):
                assert each.said.startswith(says)
            assert f"About to: {' '.join(words[:2])} " in asked.said
            assert "create_api_key" in {each.operation_id for each in emulator.requests}
            emulator.requests.clear()
        for old, code in (("nothing-* --older-than 1s", 0), ("* --older-than 9w", 0), ("* --older-than 0s", 2)):
            none = run("project", "stale", "--match", *old.split())
            assert (none.exit, "temporary" in none.stderr) == (code, False), none
        assert "create_api_key" not in {each.operation_id for each in emulator.requests}
    page = " ".join(run("help", "changes").stdout.split())
    assert "Some commands create a temporary API key in each project" in page
    assert "and a dry run of project delete PROJECT --with-contents." in page
