"""A plan and a dry run have the exit code of the run. Missing parts decide before findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import click
import pytest

from pinecone_admin import on_organization
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import COMMANDS, Run, example_organization, run

HEAD = "organization: Emulated Organization\n"
WEEK = 7 * 24 * 3600
NAMES = ("ci-1", "ci-2")
OWNER = "email: owner@example.com"
MORE = "projects: [{name: more}]\n"
REFUSED = f"people: [{{{OWNER}, absent: true}}]\n"
HELD = f"people: [{{{OWNER}, roles: [OrgOwner], until: 2020-01-01}}]\n"
MANY = "".join(f"- {{email: p{number}@example.com, absent: true}}\n" for number in range(6))
LEFT_OUT = "people: [{email: new@example.com, keep_other_roles: true, roles: ['search:ProjectViewer']}]\n"
FILES = {
    "nothing to do": ("", 0),
    "a change": (MORE, 0),
    "refused": (REFUSED, 5),
    "refused beside a change": (MORE + REFUSED, 5),
    "an end is held back": (HELD, 5),
    "an end is held back beside a change": (MORE + HELD, 9),
    "many are removed": (f"people:\n{MANY}", 0),
    "a part is left out": (LEFT_OUT, 9),
    "a part is left out beside a change": (MORE + LEFT_OUT, 9),
}


@pytest.mark.parametrize("name", FILES)
def test_a_plan_ends_with_the_code_of_apply(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan, the dry run and the run of a file end with one code, and a plan of a saved inventory with it, too."""
    text, expected = FILES[name]
    monkeypatch.chdir(tmp_path)
    Path("org.yaml").write_text(HEAD + text)
    with example_organization() as emulator:
        for number in range(6):
            emulator.add_user(f"p{number}@example.com", roles=["OrgMember"])
        run("inventory", "--out", "inventory.json")
        offline = run("plan", "org.yaml", "--inventory", "inventory.json", "--own-client-id", emulator.client_id)
        plan = run("plan", "org.yaml", "--out", "plan.json")
        gate = run("plan", "org.yaml", "--fail-on-change")
        preview = run("apply", "org.yaml", "--dry-run")
        saved = run("apply", "plan.json", "--dry-run")
        done = run("apply", "org.yaml", "--confirm", "6")
    ends = {"offline": offline, "plan": plan, "dry run": preview, "run": done}
    assert {each: end.exit for each, end in ends.items()} == dict.fromkeys(ends, expected), ends
    # A saved plan does not show which of its ends were reviewed, so that one that is refused stops the whole.
    assert saved.exit == (5 if "end is held" in name else expected), saved
    assert gate.exit == (expected or (8 if plan.json["changes"] else 0)), gate
    assert "apply refuses this plan" in plan.stderr or not name.startswith("refused")
    assert ("apply needs --confirm for this plan. 6 of " in plan.stderr) == (name == "many are removed")


def _plan_stale(emulator: Emulator) -> None:
    for name in NAMES:
        emulator.state.add_project(name, emulator.clock.now())
    emulator.clock.advance(WEEK + 60)
    run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", "plan.json", "--yes")


def _plan_offboarding(emulator: Emulator) -> None:
    for name in NAMES:
        emulator.add_user(f"{name}@example.com", roles=["OrgMember"])
    Path("people").write_text("\n".join(f"{name}@example.com" for name in NAMES))
    run("user", "offboard", "--people", "people", "--out", "plan.json")


def _rename(_: Emulator, name: str) -> None:
    run("project", "update", name, "--name", f"kept-{name}", "--yes")


def _delete(_: Emulator, name: str) -> None:
    run("project", "delete", name, "--yes")


def _grant(_: Emulator, name: str) -> None:
    run("role", "grant", "--user", f"{name}@example.com", "--role", "OrgManager", "--yes")


_Change: TypeAlias = Callable[[Emulator, str], None]
SAVED: dict[str, tuple[Callable[[Emulator], None], Mapping[str, _Change], int]] = {
    "stale: as planned": (_plan_stale, {}, 0),
    "stale: one was renamed": (_plan_stale, {"ci-1": _rename}, 9),
    "stale: all were renamed": (_plan_stale, {"ci-1": _rename, "ci-2": _rename}, 9),
    "stale: one was deleted": (_plan_stale, {"ci-1": _delete}, 0),
    "stale: one was deleted, the other renamed": (_plan_stale, {"ci-1": _delete, "ci-2": _rename}, 9),
    "offboard: as planned": (_plan_offboarding, {}, 0),
    "offboard: one has gained a role": (_plan_offboarding, {"ci-1": _grant}, 9),
    "offboard: all have gained a role": (_plan_offboarding, {"ci-1": _grant, "ci-2": _grant}, 9),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_dry_run_of_a_saved_plan_ends_with_the_code_of_its_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People and resources that changed since the plan stay. The dry run counts them, and ends as the run."""
    make, changes, expected = SAVED[name]
    monkeypatch.chdir(tmp_path)
    with example_organization() as emulator:
        make(emulator)
        for each, change in changes.items():
            change(emulator, each)
        preview = run("apply", "plan.json", "--dry-run")
        done = run("apply", "plan.json", "--confirm", "9")
    assert (preview.exit, done.exit) == (expected, expected), (preview, done)
    assert ("Would not be " in preview.stderr) == (expected == 9)


GATES = (
    "access --fail-on any",
    "diff before.json --fail-on-change",
    "plan org.yaml --fail-on-change",
)


@pytest.mark.parametrize("line", GATES)
def test_what_is_missing_decides_before_what_was_found(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that lacks parts ends with 9, also if it has findings or differences."""
    monkeypatch.chdir(tmp_path)
    Path("org.yaml").write_text(HEAD + MORE + LEFT_OUT)
    with example_organization() as emulator:
        run("inventory", "--out", "before.json")
        with emulator.admin() as admin:
            admin.projects.create(name="new")
        assert run(*line.split()).exit == (9 if line.startswith("plan") else 8)
        if not line.startswith("plan"):
            emulator.faults.add("list_project_api_keys", status=403, times=None)
        done = run(*line.split(), "-o", "json")
    assert done.exit == 9, done
    assert "as you asked" in done.stderr


DELETIONS = [
    each.full_name for each in COMMANDS if each.effect == "deletes" and each.own_params and each.name == "delete"
]

KEPT = {
    "user delete owner@example.com": "is the last user who is an OrgOwner",
    "role revoke user:owner@example.com:OrgOwner": "is the last user who is an OrgOwner",
    "role change --user owner@example.com --from OrgOwner --to OrgMember": "is the last user who is an OrgOwner",
    "user ensure owner@example.com --role OrgMember --revoke-others": "is the last user who is an OrgOwner",
    "user offboard owner@example.com": "is the last user who is an OrgOwner",
    "role revoke user:ada@example.com:OrgMember": "would keep only roles on projects",
    "role revoke invite:bob@example.com:OrgMember": "needs a role on the organization",
}
"""Commands that take what the server keeps, each with the reason."""


@pytest.mark.parametrize("line", KEPT)
def test_what_the_server_keeps_is_refused_in_the_dry_run_too(line: str) -> None:
    """Both end with one code, before any change is sent; the server gives the same answer to the change itself."""
    with example_organization() as emulator:
        before = emulator.dump()["organization"]
        preview, done = run(*line.split(), "--dry-run", "-o", "table"), run(*line.split(), "--yes", "-o", "table")
        for each in (preview, done):
            assert each.exit == 5, each
            assert KEPT[line] in each.said, each
        assert " Nothing was changed. [" in done.said, done
        assert _find_code(preview) in {None, _find_code(done)}, preview  # beside a report, it is a warning
        assert not [each for each in emulator.requests if each.method in {"DELETE", "PATCH"}]
        assert emulator.dump()["organization"] == before
        if line.startswith("role revoke"):
            (binding,) = (each["id"] for each in run("role", "list", "-o", "json").json if _spells(each, line))
            sent = run("send", "DELETE", f"/admin/role-bindings/{binding}", "--confirm", binding)
            assert sent.exit == 5, sent


def _spells(binding: dict[str, str], line: str) -> bool:
    kind, name, role = line.removeprefix("role revoke ").split(":")
    return (binding["principal_type"], binding["principal_name"], binding["role"]) == (kind, name, role)


def _find_code(done: Run) -> str | None:
    """Return the code for ``explain`` that an error has."""
    found = re.search(r"\[(PA\d{3}|exit-\d+)\]$", done.stderr, re.MULTILINE)
    return found and found[1]


def _accept(emulator: Emulator) -> None:
    emulator.accept_invite(_find_invite(emulator))


def _expire(emulator: Emulator) -> None:
    emulator.clock.advance(8 * 24 * 3600)


def _expire_and_join(emulator: Emulator) -> None:
    _expire(emulator)
    emulator.add_user("bob@example.com", roles=["OrgMember"])


def _find_invite(emulator: Emulator) -> str:
    (found,) = (each.id for each in emulator.state.invites.values() if each.email == "bob@example.com")
    return found


_UNKNOWN = "00000000-0000-4000-8000-000000000000"
REASONS: dict[str, tuple[Callable[[Emulator], None], int, str, Sequence[str]]] = {
    "a member": (
        lambda _: None,
        5,
        "use user ensure",
        ["invite create ADA@example.com --role OrgMember", "invite ensure ada@example.com --role OrgMember"],
    ),
    "a pending invite": (lambda _: None, 5, "use user ensure", ["invite create bob@example.com --role OrgMember"]),
    "an expired invite": (_expire, 5, "use user ensure", ["invite create Bob@example.com --role OrgMember"]),
    "joined beside an expired invite": (
        _expire_and_join,
        5,
        "",
        ["invite resend {invite}", "invite ensure bob@example.com --role OrgMember"],
    ),
    "an accepted invite": (
        _accept,
        5,
        "accepted",
        ["invite resend {invite}", "invite delete {invite}", "role grant --invite {invite} --role OrgManager"],
    ),
    "a key of another project": (
        lambda _: None,
        2,
        "Write the role alone: ProjectViewer.",
        ["role grant --api-key reader --role empty:ProjectViewer"],
    ),
    "nothing of this id": (
        lambda _: None,
        4,
        "",
        [
            *(f"{each} {_UNKNOWN}" for each in DELETIONS),
            f"project update {_UNKNOWN} --name x",
            f"organization update {_UNKNOWN} --name x",
            f"api-key update {_UNKNOWN} --name x",
            f"api-key rotate {_UNKNOWN} --keep-old-for 0 --store file:k",
            f"api-key create k --project {_UNKNOWN} --store file:k",
            f"api-key ensure k --project {_UNKNOWN} --store file:k",
            f"api-key delete-retired --project {_UNKNOWN}",
            f"invite resend {_UNKNOWN}",
            f"service-account update {_UNKNOWN} --name x",
            f"service-account rotate {_UNKNOWN} --store file:k",
            f"service-account create x --role {_UNKNOWN}:ProjectViewer --store file:k",
            f"invite create new@example.com --role OrgMember --role {_UNKNOWN}:ProjectViewer",
            f"user ensure new@example.com --role OrgMember --role {_UNKNOWN}:ProjectViewer",
            f"role grant --user {_UNKNOWN} --role OrgMember",
            f"role grant --user ada@example.com --role {_UNKNOWN}:ProjectViewer",
            f"role change --user {_UNKNOWN} --from OrgMember --to OrgManager",
            f"project provision x --role ProjectViewer --grant user:{_UNKNOWN}:ProjectViewer --store file:k",
        ],
    ),
    "nothing is wrong": (
        _expire,
        0,
        "",
        [
            "invite ensure bob@example.com --role OrgMember",
            "invite ensure bob@example.com --role OrgManager",
            "invite resend bob@example.com",
            "invite delete bob@example.com",
            "invite create eve@example.com --role OrgMember",
            "role grant --api-key reader --role search:ProjectViewer",
        ],
    ),
}
"""Preconditions of the server that a dry run can read: what makes them fail, the code, words, and the commands."""


@pytest.mark.parametrize(("cause", "line"), [(cause, line) for cause, case in REASONS.items() for line in case[3]])
def test_a_dry_run_reads_what_the_server_would_refuse(
    cause: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dry run ends with the code of the run, and with a reason where the run has one; it changes nothing."""
    prepare, expected, words, _ = REASONS[cause]
    monkeypatch.chdir(tmp_path)
    with example_organization() as emulator:
        prepare(emulator)
        typed = line.format(invite=_find_invite(emulator)).split()
        before = emulator.dump()["organization"]
        preview = run(*typed, "--dry-run", "-o", "table")
        assert emulator.dump()["organization"] == before
        done = run(*typed, "--yes", "-o", "table")
    assert (preview.exit, done.exit) == (expected, expected), (preview, done)
    assert _find_code(preview) == _find_code(done), (preview, done)
    assert all(words in each.said for each in (preview, done)), (preview, done)
    assert bool(preview.stdout) == (expected == 0), preview


def test_what_a_dry_run_does_not_read_is_in_the_help() -> None:
    """Indexes cannot be read without an API key; the dry run says so, and its help, too."""
    with example_organization():
        preview, done = run("project", "delete", "search", "--dry-run"), run("project", "delete", "search", "--yes")
    assert (preview.exit, done.exit) == (0, 2)
    assert "The contents were not read." in preview.said
    for line in (("project", "delete", "--help"), ("help", "changes")):
        said = " ".join(run(*line).stdout.split())
        assert re.search(r"--with-contents, a dry run does not see indexes|reads the contents only with --with-c", said)


def test_a_person_leaves_with_the_only_role_and_the_command_says_so_before() -> None:
    """In the dry run, in the question and beside the result; more is lost than was named, so the name is typed."""
    with example_organization() as emulator:
        emulator.add_user("eve@example.com", roles=["OrgMember"])
        words = ("role", "revoke", name := "user:eve@example.com:OrgMember")
        said = "This is the only role of user eve@example.com"
        preview, refused = run(*words, "--dry-run"), run(*words, "--yes")
        asked = run(*words, terminal=True, stdin="no\n")
        done = run(*words, "--confirm", name)
        assert [each.exit for each in (preview, refused, asked, done)] == [0, 2, 130, 0]
        assert all(said in each.said for each in (preview, refused, asked, done))
        assert said in " ".join(preview.json["notes"])
        assert "eve@example.com" not in {each.email for each in emulator.state.users.values()}
        # With another role on the organization, the person stays.
        emulator.add_user("kim@example.com", roles=["OrgMember", "OrgManager"])
        stays = run("role", "revoke", "user:kim@example.com:OrgMember", "--yes")
        assert (stays.exit, stays.stderr) == (0, "")
        assert "kim@example.com" in {each.email for each in emulator.state.users.values()}


def test_each_option_that_fails_on_findings_names_its_exception() -> None:
    """A report that lacks parts ends with 9 whatever was asked for, so that each help with the 8 says so."""
    helps = [param.help or "" for each in COMMANDS for param in each.own_params if isinstance(param, click.Option)]
    found = [each for each in helps if "Exit with 8" in each]
    assert len(found) >= 3
    assert [text for text in found if "with 9 if parts are not shown" not in text and "instead of 0" not in text] == []
    assert "the exit code is 9" in " ".join(run("help", "findings").stdout.split())


def test_every_list_of_roles_says_if_the_account_sees_only_some() -> None:
    """Once, in the words of `access`; an account that sees all gets no such line."""
    with example_organization() as emulator:
        with emulator.admin() as admin:
            made = admin.service_accounts.create(name="low", role_bindings=[on_organization("OrgMember")])
        env = {"PINECONE_CLIENT_ID": made.service_account.client_id, "PINECONE_CLIENT_SECRET": made.client_secret}
        report = run("access", env=env)
        (said,) = [each for each in report.stderr.splitlines() if "role bindings" in each]
        for words in ((), ("--role", "OrgOwner"), ("--user", "owner@example.com"), ("-o", "raw"), ("--limit", "1")):
            low, high = run("role", "list", *words, env=env), run("role", "list", *words)
            assert (low.exit, low.stderr.splitlines()) == (9, [said]), low
            assert (high.exit, high.stderr) == (0, "")
