"""The dry run of each command that deletes or takes away, and its audit log, name all that its run deletes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows.name_tags import original_name
from tests.cli.command_line import COMMANDS, example_organization, make_deletable, retire_key, run
from tests.support.sampling import some_daily

_KEYS = [f"quarry-key-{number}" for number in range(7)]


@frozen
class Case:
    """A command that takes something away.

    Attributes:
        words: The command, without ``--dry-run``.
        agree: The additions of its run.
        gone: How many things are deleted at least, so that the case shows something.
        before: Commands that run first.
        asks: Whether the dry run asks, since it makes temporary API keys.
    """

    words: str
    agree: str = "--yes"
    gone: int = 1
    before: Sequence[str] = ()
    asks: bool = False


CASES = [
    Case("project delete quarry", agree="--confirm quarry", gone=8),
    Case("project delete empty"),
    Case("project delete --with-contents search", agree="--yes --confirm search", gone=4, asks=True),
    Case(
        "apply stale.json",
        agree="--confirm 9",
        gone=13,
        before=["project stale --match '*' --older-than 7d --out stale.json --yes"],
    ),
    Case("organization delete 'Emulated Organization'", agree="--confirm 'Emulated Organization'", gone=5),
    Case("user delete ada@example.com"),
    Case("user offboard ada@example.com"),
    Case("user offboard bob@example.com"),
    Case(
        "apply people.json",
        agree="--confirm 2",
        gone=2,
        before=["user offboard --people people.csv --out people.json"],
    ),
    Case("invite delete bob@example.com"),
    Case("service-account delete robot"),
    Case("role revoke user:ada@example.com:search:ProjectViewer"),
    Case("role change --user ada@example.com --from search:ProjectViewer --to ProjectEditor"),
    Case("user ensure ada@example.com --role OrgMember --revoke-others"),
    Case("invite ensure bob@example.com --role OrgManager --if-different update --revoke-others"),
    Case("service-account ensure robot --role OrgMember --if-different update --revoke-others --store file:x"),
    Case("api-key delete reader --project search"),
    Case("api-key delete-retired"),
    Case("api-key rotate reader --project search --keep-old-for 0 --store file:k"),
    Case("api-key rotate-due --older-than 7d --keep-old-for 0 --store 'file:{{project}}-{{name}}'", gone=10),
    Case("api-key rotate-due --older-than 90d --keep-old-for 7d --store 'file:{{project}}-{{name}}'"),
    Case("apply roles.yaml", agree="--confirm 2", gone=2),
    Case("run --project search --role ProjectViewer -- true", agree="--yes"),
    Case("send DELETE /admin/invites/{invite}", agree="--confirm {invite}"),
    Case("each rows.csv -- user offboard {{who}}", agree="--confirm 1"),
    Case("each projects.csv -- project delete {{name}}", agree="--confirm 1", gone=8),
]
_TAKES_AWAY_WITH = {
    "apply",
    "each",
    "run",
    "api-key rotate",
    "api-key rotate-due",
    "invite ensure",
    "role change",
    "service-account ensure",
    "user ensure",
}
"""Commands that do not delete by themselves, and take something away with an option or with a file."""


def fill(emulator: Emulator) -> None:
    """Add a project with many keys, an account with two roles, a retired key and a leftover temporary key."""
    retire_key(emulator)
    with emulator.admin() as admin:
        search = admin.projects.describe_by_name(name="search")
        quarry = admin.projects.create(name="quarry")
        for name in _KEYS:
            admin.api_keys.create(project_id=quarry.id, name=name)
        role: Any = {"resource_type": "project", "resource_id": search.id, "role": "ProjectViewer"}
        organization: Any = {"resource_type": "organization", "role": "OrgMember"}
        admin.service_accounts.create(name="robot", role_bindings=[organization, role])
        with admin.api_keys.temporary(project_id=search.id, roles=["ProjectViewer"], ttl=timedelta(minutes=1)) as key:
            name = key.key.name
        admin.api_keys.create(project_id=search.id, name=name)
    emulator.clock.advance(timedelta(days=30).total_seconds())
    exported = run("export").stdout
    Path("roles.yaml").write_text(exported.replace("ProjectViewer", "ProjectEditor"), encoding="utf-8")
    Path("people.csv").write_text("email\nada@example.com\nbob@example.com\n")
    Path("rows.csv").write_text("who\nada@example.com\n")
    Path("projects.csv").write_text("name\nquarry\n")


def things(emulator: Emulator) -> dict[str, Any]:
    """Return everything in an organization, by id."""
    state = emulator.state
    collections = (state.projects, state.api_keys, state.users, state.invites, state.service_accounts)
    found = [each for collection in collections for each in collection.values()]
    return {each.id: copy(each) for each in [*found, *state.role_bindings]}


def find_would_do(text: str) -> list[Any]:
    """Return what the JSON of a dry run has as data: the steps, of ``each`` of all rows."""
    documents = [json.loads(text)] if text.startswith("{\n") else [json.loads(line) for line in text.splitlines()]
    return [step for each in documents for step in each.get("result", each)["would_do"]]


def is_of_temporary_key(thing: Any, known: Mapping[str, Any]) -> bool:
    """Return whether something is a temporary key, or the role of one."""
    key = known.get(thing.principal.id) if hasattr(thing, "principal") else thing
    return str(getattr(key, "name", "")).startswith("~lives-until:")


def names(text: str, *words: str) -> bool:
    """Return whether a text has all words, each as a whole one."""
    return all(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in words)


def is_named(text: str, id: str, gone: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether a text names something that was deleted: by its id, its name or its address; a role by its holder.

    A role that a person or an account holds, or that is on a project, is named with them if they are deleted, too.
    """
    if names(text, id):
        return True
    thing = gone[id]
    if hasattr(thing, "grant"):
        holder = before[thing.principal.id]
        if thing.principal.id in gone or thing.grant.resource_id in gone:
            return True
        return any(names(text, thing.grant.role, each) for each in (holder.id, *_names_of(holder)))
    return any(names(text, each) for each in _names_of(thing))


def _names_of(thing: Any) -> list[str]:
    name = getattr(thing, "name", None)
    known = (getattr(thing, "email", None), name, name and original_name(name))  # a table has no tags of rotations
    return [each for each in known if each]


@pytest.mark.parametrize("case", some_daily(CASES, 2), ids=lambda case: case.words)
def test_a_dry_run_names_all_that_its_run_deletes(case: Case) -> None:
    """In a table, in JSON and there as data, and so does the audit log of the run.

    The run sends no other deletion, and the dry run sends none. Standard error does not repeat what is deleted with
    something else.
    """
    with example_organization() as emulator:
        fill(emulator)
        if case.words.startswith("organization"):
            make_deletable(emulator)
        for line in case.before:
            assert run(*shlex.split(line)).exit == 0, line
        before = things(emulator)
        invite = next(iter(emulator.state.invites))
        words, agree = (shlex.split(each.format(invite=invite)) for each in (case.words, case.agree))
        place = words.index("--") if "--" in words else len(words)
        emulator.requests.clear()
        texts, planned, beside = list[str](), "", ""
        for form in ("json",) if words[0] in {"each", "run"} else ("json", "table"):
            options = ["--dry-run", *(["--yes"] if case.asks else []), *(agree if words[0] == "each" else [])]
            options += ["-o", "table"] if form == "table" else []
            done = run(*words[:place], *options, *words[place:], env={"NO_COLOR": "1"})
            assert done.exit == 0, done
            texts.append(done.stdout + done.stderr)
            beside += done.stderr
            if form == "json":
                steps = find_would_do(done.stdout)
                planned = json.dumps(steps)
        parts = [ref for step in steps for ref in step.get("change", {}).get("also_deletes", ())]
        assert [each for each in parts if names(beside, original_name(each["name"]))] == [], beside
        if case.asks:  # a dry run that makes temporary keys also deletes those that killed runs left
            before = {id: each for id, each in before.items() if not is_of_temporary_key(each, before)}
        assert things(emulator).keys() == before.keys()
        previewed = {each.path for each in emulator.requests if each.method == "DELETE"}
        assert case.asks or not previewed
        emulator.requests.clear()
        made = run(*words[:place], *agree, "--audit-log", "audit.jsonl", *words[place:])
        assert made.exit == 0, made
        gone = {id: each for id, each in before.items() if id not in things(emulator)}
        assert len(gone) >= case.gone, gone
        for text in [*texts, planned, Path("audit.jsonl").read_text()]:
            assert [id for id in gone if not is_named(text, id, gone, before)] == [], (gone, text)
        sent = [each.path for each in emulator.requests if each.method == "DELETE"]
        known = {id: path for path in sent if (id := path.rpartition("/")[2]) in before or "/api-keys/" not in path}
        assert known  # a temporary key is made and deleted within the run
        for id, path in known.items():
            assert id in gone or all(names(text, id) for text in texts), path


def test_every_command_that_takes_away_has_a_case() -> None:
    """A new one that deletes, revokes what is not listed or carries out a file fails here until it has one."""
    spec = {each.full_name for each in COMMANDS if each.effect == "deletes"} | _TAKES_AWAY_WITH
    assert {name for name in spec if any(case.words.startswith(name) for case in CASES)} == spec
    options = {each.full_name for each in COMMANDS if any("--revoke" in str(each.opts) for each in each.params)}
    assert options <= spec
