"""``user ensure``: one command for members, for invited people and for everybody else."""

from __future__ import annotations

import shlex
from itertools import count
from pathlib import Path

import pytest
import yaml

from pinecone_admin.cli import exit_codes
from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.secret_makers import words_of

ENSURE = ("user", "ensure")


def test_a_script_ensures_people_without_knowing_who_is_a_member() -> None:
    """A member, an invited person and a stranger take the same words; run again, nothing is changed."""
    with example_organization() as emulator:
        wish = ("--role", "OrgMember", "--role", "search:ProjectEditor", "--yes")
        for email, created in (("ADA@example.com", False), ("bob@example.com", False), ("eve@example.com", True)):
            first, again = (run(*ENSURE, email, *wish) for _ in range(2))
            assert (first.exit, first.stderr, first.json["created"]) == (0, "", created), first
            assert first.json["steps"], email
            assert (again.exit, again.json["created"], again.json["steps"]) == (0, False, []), again
            assert again.json["id"] == first.json["id"]
        noun = "--user", "ada@example.com"
        held = {each["role"] for each in run("role", "list", *noun).json}
        assert held == {"OrgMember", "ProjectViewer", "ProjectEditor"}
        assert [each.email for each in emulator.state.open_invites] == ["bob@example.com", "eve@example.com"]


@pytest.mark.parametrize("name", [each.full_name for each in COMMANDS if each.path[-1] in {"ensure", "provision"}])
def test_an_ensure_has_the_same_fields_whatever_it_finds(name: str) -> None:
    """A new resource, one that exists, a user and an invite: `kind` tells the two apart. YAML has what JSON has."""
    (spec,) = (each for each in COMMANDS if each.full_name == name)
    place = count()
    seen: dict[tuple[str, ...], list[str]] = {}
    members = ["ada@example.com"] if name == "user ensure" else []
    for who in (*members, "bob@example.com", "new@example.com"):
        with example_organization():
            for _ in range(2):
                store = ("--store", f"file:{next(place)}")
                words = words_of(name, *store) if spec.makes else shlex.split(spec.example)[1:]
                words = [who if "@" in each and ":" not in each else each for each in words]
                done = run(*words)
                assert done.exit == 0, done
                found = done.json.get("key", done.json)
                seen.setdefault((*done.json, *found), []).append(who)
                assert ("kind" in found) == ("email" in found)
                if "kind" in found:
                    assert found["kind"] == ("user" if who in members else "invite")
            assert yaml.safe_load(run(*words, "-o", "yaml").stdout) == run(*words, "-o", "json").json
    assert len(seen) == 1, seen


def test_a_person_is_asked_and_told_what_was_done() -> None:
    """On a terminal the question shows the wish, and the answer is one line that says what was granted and revoked."""
    with example_organization():
        words = (*ENSURE, "ada@example.com", "--role", "OrgManager", "--revoke-others")
        asked = run(*words, terminal=True, stdin="n\n")
        assert "About to: user ensure ada@example.com --role OrgManager --revoke-others" in asked.stderr
        assert (asked.exit, asked.stdout) == (130, "")
        done = run(*words, terminal=True, stdin="y\n").stdout
        for part in ("granted OrgManager on the organization to user ada@example.com", "revoked OrgMember on the"):
            assert part in done
        assert [each["role"] for each in run("role", "list", "--user", "ada@example.com").json] == ["OrgManager"]


def test_the_last_owner_is_refused() -> None:
    """The exit code is that of a refusal, also of a dry run; without --revoke-others the owner keeps the role."""
    with example_organization() as emulator:
        words = (*ENSURE, "owner@example.com", "--role", "OrgMember", "--output", "json")
        for way in ("--yes", "--dry-run"):
            refused = run(*words, "--revoke-others", way)
            assert (refused.exit, refused.error["code"]) == (5, "PA602")
            assert "is the last user who is an OrgOwner" in refused.error["message"]
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}
        assert run(*words, "--yes").exit == 0


def test_an_expired_invite_is_replaced() -> None:
    """The steps name the expired invite, and its roles are not those of the new one."""
    with example_organization() as emulator:
        emulator.clock.advance(8 * 86_400)
        old = run("invite", "describe", "bob@example.com").json["id"]
        done = run(*ENSURE, "bob@example.com", "--role", "OrgManager", "--yes")
        changes = [each["change"] for each in done.json["steps"]]
        assert [(each["action"], each["target"].get("id") == old) for each in changes] == [
            ("delete", True),
            ("invite", False),
        ]
        assert [each["role"] for each in run("role", "list", "--invite", "bob@example.com").json] == ["OrgManager"]


def test_a_wish_without_a_role_on_the_organization_names_the_option() -> None:
    """The error is about --role, and nothing is sent that changes anything."""
    with example_organization() as emulator:
        done = run(*ENSURE, "ada@example.com", "--role", "search:ProjectViewer", "--yes")
        assert done.exit == 2
        assert done.stderr.startswith("error: --role needs a role on the organization")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}


def test_an_expired_invite_does_not_come_back_with_its_roles() -> None:
    """Whatever ``--if-different`` says, `invite ensure` replaces it, and its dry run shows that, with the same code."""
    for words in ((), ("--if-different", "fail"), ("--if-different", "update")):
        with example_organization() as emulator:
            run("invite", "create", "eve@example.com", "--role", "OrgManager", "--role", "search:ProjectOwner", "--yes")
            emulator.clock.advance(10 * 86_400)
            line = ("invite", "ensure", "eve@example.com", "--role", "OrgMember", *words, "--output", "table")
            preview, done = run(*line, "--dry-run"), run(*line, "--yes")
            assert (preview.exit, done.exit, done.stderr) == (0, 0, ""), done
            assert [each.split()[0] for each in done.stdout.splitlines()] == ["deleted", "invited"]
            assert [each.split()[1] for each in preview.stdout.splitlines()[1:]] == ["delete", "invite"]
            assert [each["role"] for each in run("role", "list", "--invite", "eve@example.com").json] == ["OrgMember"]


@pytest.mark.parametrize("way", ["--yes", "--dry-run"])
def test_a_role_that_the_account_of_the_command_keeps_is_a_part_that_is_not_done(way: str) -> None:
    """A script must not believe that the account has lost the role, so the exit code is 9, also in the dry run."""
    with example_organization() as emulator:
        name = emulator.state.service_accounts[next(iter(emulator.state.service_accounts))].name
        words = (
            "service-account",
            "ensure",
            name,
            "--role",
            "OrgMember",
            "--if-different",
            "update",
            "--revoke-others",
        )
        done = run(*words, "--reveal", way)
        held = {each["role"] for each in run("role", "list", "--service-account", name).json}
    warning = "Not revoked: OrgOwner on the organization, because the command uses this account itself."
    assert (done.exit, warning in done.stderr) == (exit_codes.PARTLY_DONE, True), done
    assert held == ({"OrgOwner"} if way == "--dry-run" else {"OrgOwner", "OrgMember"})


@pytest.mark.parametrize("person", ["ada@example.com", "bob@example.com", "eve@example.com"])
def test_the_example_of_each_works_for_whoever_is_in_the_file(person: str) -> None:
    """A member, a person with an invite and a new one; the help of the command for invites alone names it."""
    (spec,) = [each for each in COMMANDS if each.path == ("each",)]
    with example_organization():
        Path("people.csv").write_text(f"email\n{person}\n")
        done = run(*shlex.split(spec.example)[1:])
    assert done.exit == 0, done
    assert "use user ensure" in " ".join(run("invite", "ensure", "-h").stdout.split())
