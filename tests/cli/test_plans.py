"""Plans: ``project stale``, ``apply`` and ``user offboard``."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from pinecone_admin._concurrency.clock import SystemClock, use_clock
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import Run, example_organization, run
from tests.cli.secret_makers import InterruptionAt

WEEK = 7 * 24 * 3600


def _leave_projects(emulator: Emulator, *names: str) -> None:
    """Make projects that are older than a week."""
    for name in names:
        emulator.state.add_project(name, emulator.clock.now())
    emulator.clock.advance(WEEK + 60)


def _names(emulator: Emulator) -> set[str]:
    return {each.name for each in emulator.state.projects.values()}


@pytest.mark.parametrize("kind", ["file", "plan of a file", "plan of projects", "plan of people"])
def test_to_apply_a_plan_without_changes_says_why_nothing_was_done(kind: str) -> None:
    """In a table, which has no row; the dry run names the same reason or counts the changes."""
    with example_organization():
        Path("org.yaml").write_text(run("export").stdout)
        assert run("plan", "org.yaml", "--out", "plan.json").exit == 0
        assert run("project", "stale", "--match", "x", "--older-than", "7d", "--out", "stale.json", "--yes").exit == 0
        Path("people.csv").write_text("email\nada@example.com\n")
        assert run("user", "offboard", "--people", "people.csv", "--out", "people.json").exit == 0
        Path("people.json").write_text(json.dumps({**json.loads(Path("people.json").read_text()), "reports": []}))
        had_all = "the organization had all that org.yaml lists when they were compared"
        file, said, planned = {
            "file": ("org.yaml", had_all, ": 0 changes"),
            "plan of a file": ("plan.json", had_all, ": 0 changes"),
            "plan of projects": ("stale.json", "The plan has no projects, so nothing was deleted.", "no projects"),
            "plan of people": ("people.json", "The plan has no people, so nobody was removed.", "no people"),
        }[kind]
        done, preview = run("apply", file, "-o", "table"), run("apply", file, "-o", "table", "--dry-run")
    assert (done.exit, said in done.stdout + done.stderr) == (0, True), done
    assert (preview.exit, planned in preview.stdout) == (0, True), preview
    assert "nothing to show" not in done.stderr + preview.stderr


def test_a_plan_deletes_the_stale_projects_and_no_others(tmp_path: Path) -> None:
    """The plan is private, deletes nothing by itself, and is carried out as it says; a second run changes nothing."""
    plan = tmp_path / "plan.json"
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1", "ci-2", "prod-1")
        emulator.hold(next(each.id for each in emulator.state.projects.values() if each.name == "ci-2"), "indexes", "i")
        emulator.state.add_project("ci-new", emulator.clock.now())
        made = run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", str(plan), "--yes")
        assert {"ci-1", "ci-2"} < _names(emulator)
        preview = run("apply", str(plan), "--dry-run")
        assert "contents were not read again" in preview.stderr
        assert {"ci-1", "ci-2"} < _names(emulator)
        asked = run("apply", str(plan))
        done = run("apply", str(plan), "--confirm", "99")
        left = _names(emulator)
        again = run("apply", str(plan), "--confirm", "99")
        table = run("apply", str(plan), "--confirm", "99", "--output", "table")
    assert [line.partition("it was already deleted")[1:] for line in table.stdout.splitlines()[1:]] == [
        ("it was already deleted", "")
    ] * 2
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    assert [each["name"] for each in made.json["projects"]] == ["ci-1", "ci-2"]
    assert [each["name"] for each in made.json["left"]] == ["ci-new"]
    assert len(made.json["temporary_keys"]) == 2
    assert [each["name"] for each in preview.json["report"]["delete"]] == ["ci-1", "ci-2"]
    assert (asked.exit, asked.stdout) == (2, "")
    assert "This deletes 2 projects with all contents: ci-1, ci-2. Add --confirm 2 to go ahead" in asked.stderr
    assert (done.exit, again.exit) == (0, 0)
    assert left == {"search", "empty", "prod-1", "ci-new"}
    assert [each["name"] for each in again.json["deleted"]] == ["ci-1", "ci-2"]


def test_a_dry_run_judges_the_age_by_the_clock_of_the_server_as_the_run_does(tmp_path: Path) -> None:
    """A project that is old enough only by the server's clock is deleted, and the dry run says so before."""
    plan = str(tmp_path / "plan.json")
    with example_organization() as emulator:
        emulator.clock.advance(5000 * WEEK)
        _leave_projects(emulator, "ci-1")  # by the clock of this machine, it is one of the future
        run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", plan, "--yes")
        with use_clock(SystemClock()):
            preview = run("apply", plan, "--dry-run").json["report"]
    assert ([each["name"] for each in preview["delete"]], preview["leave"]) == (["ci-1"], [])


def test_what_changed_since_the_plan_is_left_and_named(tmp_path: Path) -> None:
    """A project that was renamed since the plan stays, and the command exits with 9; a dry run says so before."""
    plan = str(tmp_path / "plan.json")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1", "ci-2", "ci-3")
        run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", plan, "--yes")
        run("project", "update", "ci-1", "--name", "kept", "--yes")
        run("project", "delete", "ci-3", "--yes")
        preview = run("apply", plan, "--dry-run")
        done = run("apply", plan, "--confirm", "99")
        rest = _names(emulator)
    assert [(each["name"], each["reason"]) for each in preview.json["report"]["leave"]] == [
        ("ci-1", "it is now named kept"),
        ("ci-3", "it was already deleted"),
    ]
    assert done.exit == 9
    assert [each["name"] for each in done.json["left"]] == ["ci-1"]
    assert done.stderr.endswith("Not deleted, or perhaps not deleted: 1 of 3 projects.\n")
    assert rest == {"search", "empty", "kept"}


def test_projects_that_could_not_be_read_are_no_success() -> None:
    """The exit code is that of the cause, such as 10 without a role; if others could be read, it is 9."""
    words = ("project", "stale", "--match", "ci-*", "--older-than", "7d", "--yes")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1", "ci-2")
        first, second = (each.id for each in emulator.state.projects.values() if each.name.startswith("ci-"))
        roles: list[tuple[Any, Any]] = [("ProjectMember", "ProjectMember"), ("ProjectOwner", "ProjectMember")]
        for (one, other), exit_code in zip(roles, (10, 9), strict=True):
            account = emulator.add_client(roles=["OrgMember", (one, first), (other, second)])
            member = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
            done = run(*words, env=member)
            assert (done.exit, "could not be read" in done.stderr) == (exit_code, True), done
            assert "no project to delete" not in done.stderr
        emulator.faults.add("create_api_key", status=400, times=None)
        assert run(*words).exit == 1
        emulator.faults.clear()
        assert run("project", "stale", "--match", "ci-*", "--older-than", "70d", "--yes").exit == 0


def test_a_project_that_the_account_does_not_see_is_not_called_deleted(tmp_path: Path) -> None:
    """Another account cannot tell whether a project of the plan is gone: dry run and run say so, and exit with 9."""
    plan = str(tmp_path / "plan.json")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", plan, "--yes")
        account = emulator.add_client(roles=["OrgManager"])
        member = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
        preview = run("apply", plan, "--dry-run", env=member)
        done = run("apply", plan, "--confirm", "99", env=member)
        rest = _names(emulator)
    (left,) = done.json["left"]
    assert (done.exit, done.json["deleted"], preview.json["report"]["leave"]) == (9, [], [left])
    assert left["reason"].endswith("it may still exist")
    assert "ci-1" in rest


def test_a_dry_run_of_a_plan_says_when_the_contents_were_read(tmp_path: Path) -> None:
    """It does not read them again, so it calls no project empty; the plan itself has read them just now."""
    plan = str(tmp_path / "plan.json")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", plan, "--yes")
        (stale,) = (each for each in emulator.state.projects.values() if each.name == "ci-1")
        emulator.hold(stale.id, "indexes", "later")
        shown = run("apply", plan, "--dry-run", "-o", "table")
        asked = run("apply", plan, terminal=True, stdin="no\n")
    for done, text in ((shown, shown.stdout), (asked, asked.stderr)):
        assert "contained nothing when the plan was made" in text, done
        assert "contains nothing" not in text, done
    assert "The contents were not read again." in shown.stderr


def test_a_person_is_asked_before_the_projects_of_a_plan_are_deleted(tmp_path: Path) -> None:
    """The question names each project, the organization and the caller; any answer but the number changes nothing."""
    plan = str(tmp_path / "plan.json")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", plan, "--yes")
        shown = run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--yes", terminal=True)
        refused = run("apply", plan, terminal=True, stdin="y\n")
        assert "ci-1" in _names(emulator)
        accepted = run("apply", plan, terminal=True, stdin="1\n")
        assert "ci-1" not in _names(emulator)
        again = run("apply", plan, "--yes")
    assert (refused.exit, accepted.exit) == (130, 0)
    assert (again.exit, "This deletes" in again.stderr) == (0, False), again  # what is gone is not counted
    assert "Temporary API keys read the contents, and were deleted:" in shown.stderr
    for word in ("project ci-1", "Emulated Organization", emulator.client_id):
        assert word in refused.stderr


def test_a_plan_is_shown_before_its_number_is_typed_also_with_yes(tmp_path: Path) -> None:
    """--yes does not answer for a number, so a person sees what the number counts; --confirm has answered already."""
    people, plan = tmp_path / "people.csv", str(tmp_path / "plan.json")
    people.write_text("ada@example.com\n")
    stale = ("project", "stale", "--match", "ci-*", "--older-than", "7d", "--yes")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        for command, line in (
            (("user", "offboard", "--people", str(people)), "would delete user ada@example.com"),
            (stale, "project ci-1"),
        ):
            made = run(*command, "--out", plan, "--overwrite")
            asked = run("apply", plan, "--yes", terminal=True, stdin="no\n")
            done = run("apply", plan, "--confirm", "1", terminal=True)
            assert (made.exit, asked.exit, done.exit) == (0, 130, 0)
            assert line in asked.stderr.partition("Type the number 1")[0]
            assert line not in done.stderr


def test_plans_that_are_damaged_or_of_another_organization_are_refused(tmp_path: Path) -> None:
    """A plan that is missing, cut off, of another kind or organization ends in one line and changes nothing."""
    people = tmp_path / "people"
    people.write_text("ada@example.com\n")
    stale, offboarding = tmp_path / "stale", tmp_path / "offboarding"
    with example_organization() as emulator:
        run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", str(stale), "--yes")
        run("user", "offboard", "--people", str(people), "--out", str(offboarding))
        for good in (stale, offboarding):
            document: dict[str, Any] = json.loads(good.read_text())
            (tmp_path / "foreign").write_text(json.dumps({**document, "organization_id": "another"}))
            (tmp_path / "cut").write_text(good.read_text()[:100])
            (tmp_path / "old").write_text(json.dumps({**document, "version": 0}))
            (tmp_path / "wrong").write_text(json.dumps({**document, "made_at": 5}))
            emulator.requests.clear()
            for name, code, message in (
                ("none", 2, "No such file"),
                ("cut", 2, "saved only in part"),
                ("old", 2, "is a plan of version 0, and this release reads version 3"),
                ("wrong", 2, "made_at"),
                ("foreign", 5, "organization another"),
            ):
                done = run("apply", str(tmp_path / name), "--yes")
                assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (code, "", 1), (good, name, done)
                assert message in done.stderr, (good, name)
            assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}


def test_one_person_is_removed_by_address_or_id(tmp_path: Path) -> None:
    """The report says what the person may know; a dry run changes nothing; an unknown address exits with 4."""
    report, previewed = tmp_path / "report.json", tmp_path / "preview.json"
    with example_organization() as emulator:
        ada = next(each for each in emulator.state.users.values() if each.email == "ada@example.com")
        preview = run("user", "offboard", "ADA@example.com", "--dry-run", "--out", str(previewed))
        assert ada.id in emulator.state.users
        refused = run("user", "offboard", ada.id)
        asked = run("user", "offboard", ada.id, terminal=True, stdin="n\n")
        assert ada.id in emulator.state.users
        done = run("user", "offboard", ada.id, "--yes", "--out", str(report))
        assert ada.id not in emulator.state.users
        again = run("user", "offboard", "ada@example.com", "--yes")
        invited = run("user", "offboard", "bob@example.com", "--yes", "--output", "table")
        owner = run("user", "offboard", "owner@example.com", "--dry-run")
        last = run("user", "offboard", "owner@example.com", "--yes")
    (step,) = preview.json["would_do"]
    assert (step["change"]["action"], step["state"]) == ("delete", "planned")
    assert step["change"]["target"] == {"kind": "user", "name": "ada@example.com", "id": ada.id}
    assert "reader" in [key["name"] for key in done.json["keys_to_rotate"]]
    assert json.loads(report.read_text()) == done.json
    assert json.loads(previewed.read_text()) == {**preview.json["report"], "steps": [step]}
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "may know the value of API key reader" in asked.stderr
    assert "deleted invite for bob@example.com" in invited.stdout
    assert [each.exit for each in (refused, asked, done, again, invited, owner, last)] == [2, 130, 0, 4, 0, 5, 5]
    assert "is the last user who is an OrgOwner" in last.stderr


def test_a_list_of_people_is_planned_read_and_removed(tmp_path: Path) -> None:
    """People from a file become a plan that removes them and nobody else; who has changed since stays, with code 9."""
    people, plan, report = tmp_path / "people.csv", str(tmp_path / "plan.json"), tmp_path / "report.json"
    people.write_text("name,email\nAda,ada@example.com\nBob,bob@example.com\nEve,eve@example.com\nNo,no@example.com\n")
    with example_organization() as emulator:
        eve = emulator.add_user("eve@example.com", roles=["OrgMember"])
        unsaved = run("user", "offboard", "--people", str(people))
        shown = run("user", "offboard", "--people", str(people), "--dry-run", "--output", "table")
        made = run("user", "offboard", "--people", str(people), "--out", plan)
        run("role", "grant", "--user", "eve@example.com", "--role", "search:ProjectEditor", "--yes")
        preview = run("apply", plan, "--dry-run", "--out", str(report))
        asked = run("apply", plan)
        assert len(emulator.state.users) == 3
        done = run("apply", plan, "--confirm", "99")
        emails = {each.email for each in emulator.state.users.values()}
    assert (unsaved.exit, shown.exit, made.exit, preview.exit, asked.exit, done.exit) == (2, 9, 9, 9, 2, 9)
    assert "--out FILE" in unsaved.stderr
    assert made.stderr.splitlines() == [
        f"Wrote {plan}.",
        "no@example.com: no user or invite has this address.",
        f"Nobody was removed. To remove these people, run pinecone-admin apply {plan}.",
    ]
    assert json.loads(report.read_text()) == {**preview.json["report"], "steps": preview.json["would_do"]}
    assert [each["email"] for each in preview.json["report"]["reports"]] == ["ada@example.com", "bob@example.com"]
    assert [each["name"] for each in preview.json["report"]["left"]] == ["eve@example.com"]
    assert made.json["not_found"] == done.json["not_found"] == ["no@example.com"]
    assert emails == {"owner@example.com", "eve@example.com"}
    assert [(each["id"], each["name"]) for each in done.json["left"]] == [(eve.id, "eve@example.com")]


def test_addresses_that_nobody_has_end_with_4_or_9(tmp_path: Path) -> None:
    """A plan and its report name them first and end with 4 if there is nobody else; who is hidden ends with 10."""
    people = tmp_path / "people.csv"
    with example_organization() as emulator:
        for emails, code, again in ((["no@example.com"], 4, 4), (["no@example.com", "ada@example.com"], 9, 9)):
            people.write_text("\n".join(emails))
            plan = str(tmp_path / f"{code}.json")
            made = run("user", "offboard", "--people", str(people), "--out", plan)
            first, second = (run("apply", plan, "--confirm", "99") for _ in range(2))
            preview = run("apply", plan, "--dry-run")
            assert [each.exit for each in (made, first, second, preview)] == [code, code, again, again]
            assert {*made.json} >= {"not_found", "unseen"}
            command = f"pinecone-admin apply {plan}."
            assert made.stderr.rstrip().endswith(command if code == 9 else "There is nobody to remove.")
            assert [each.json["not_found"] for each in (made, first, second)] == [["no@example.com"]] * 3
        table = run("apply", plan, "--confirm", "99", "--output", "table")
        people.write_text("ada@example.com")
        gone = run("user", "offboard", "--people", str(people), "--out", str(tmp_path / "gone.json"))
        assert gone.exit == 4
        emulator.faults.add("list_users", status=403, times=None)
        unseen = run("user", "offboard", "--people", str(people), "--out", str(tmp_path / "unseen.json"))
        one = run("user", "offboard", "ada@example.com", "--dry-run")
    assert table.stdout.splitlines()[1].split() == ["no@example.com", "not", "found"]
    assert "skipped: delete user ada@example.com" in " ".join(table.stdout.split())
    assert (unseen.exit, unseen.json["not_found"]) == (10, [])
    assert (
        "ada@example.com: not seen: this account cannot see who is in the organization: the users are hidden"
        in unseen.stderr
    )
    assert one.exit == 10


def test_on_a_terminal_a_plan_is_read_as_a_table(tmp_path: Path) -> None:
    """Before and after, a terminal shows a row for each person; after, that secrets must be rotated."""
    people, plan = tmp_path / "people.csv", str(tmp_path / "plan.json")
    people.write_text("ada@example.com\nno@example.com\n")
    with example_organization():
        made = run("user", "offboard", "--people", str(people), "--out", plan, terminal=True)
        done = run("apply", plan, terminal=True, stdin="1\n")
        again = run("apply", plan, "--confirm", "99", "--output", "csv")
    for each in (made, done):
        assert "ada@example.com" in each.stdout
        assert "1 API key " in each.stdout
    assert "would delete user ada@example.com" in " ".join(made.stdout.split())
    assert "would delete user ada@example.com" in done.stderr
    assert f"Rotate those that {plan} names, and the keys that were created since." in done.said
    assert again.stdout.splitlines()[0] == "email,id,projects,may_know,result"


def _prepare(emulator: Emulator, kind: str) -> tuple[str, ...]:
    """Make what a run of a kind removes, and return its words."""
    for each in ("plan.json", "report.json"):
        Path(each).unlink(missing_ok=True)
    match kind:
        case "projects":
            _leave_projects(emulator, "ci-1", "ci-2")
            run("project", "stale", "--match", "ci-*", "--older-than", "7d", "--out", "plan.json", "--yes")
        case "people":
            Path("people").write_text("ada@example.com\nbob@example.com\n")
            run("user", "offboard", "--people", "people", "--out", "plan.json")
        case "file":
            people = [{"email": each, "absent": True} for each in ("ada@example.com", "bob@example.com")]
            Path("plan.json").write_text(json.dumps({"organization": emulator.organization_id, "people": people}))
        case _:
            return ("user", "offboard", "ada@example.com", "--yes")
    return ("apply", "plan.json", "--confirm", "9", "--yes")


def _list_ids(emulator: Emulator) -> set[str]:
    state = emulator.state
    return {id for kind in (state.projects, state.users, state.invites) for id in kind}


def _check_report(done: Run, gone: set[str], targets: set[str]) -> None:
    """Check that a run that has ended reports all that it removed, as it was asked to, and claims nothing else."""
    if not gone:
        assert ("what is left" in done.stderr, done.exit != 0) == (False, True), done
        return
    shown = Path("report.json").read_text() if "Wrote report.json." in done.stderr else done.stdout
    report = json.loads(shown)
    assert not report.get("dry_run", False)
    assert "planned" not in {each["state"] for each in report["steps"]}
    states = {each["change"]["target"]["id"]: each["state"] for each in report["steps"]}
    assert {id for id, state in states.items() if state == "done"} <= gone <= states.keys(), (gone, states, done)
    assert "what is left" not in done.stderr or gone != targets, done
    assert "was completed" not in done.stderr or gone == targets, done
    if shown is not done.stdout:
        assert done.stdout  # a table
        assert "{" not in done.stdout


@pytest.mark.parametrize("kind", ["projects", "people", "file", "person"])
def test_however_a_run_ends_its_report_has_what_was_done(kind: str, stride: Callable[[int], int]) -> None:
    """Interrupted at any request, or refused by a failing server, each run that removes writes its report.

    It goes to the file of ``--out`` and, in the format that was asked for, to standard output. A command says that it
    does what is left only if something is left.
    """
    reported = 0
    for number in range(1, 60, stride(2)):
        for after in (False, True):
            with example_organization() as emulator:
                words = _prepare(emulator, kind)
                before = _list_ids(emulator)
                targets = {each.id for each in emulator.state.projects.values() if each.name.startswith("ci-")}
                people: list[Any] = [*emulator.state.users.values(), *emulator.state.invites.values()]
                named = {"ada@example.com", *(["bob@example.com"] if kind != "person" else [])}
                targets |= {each.id for each in people if each.email in named} if kind != "projects" else set()
                interruption = InterruptionAt(number, after=after)
                with interruption.armed():
                    done = run(*words, *(["--out", "report.json", "-o", "table"] if after else ["-o", "json"]))
                gone = before - _list_ids(emulator)
                if interruption.was_sent:
                    _check_report(done, gone, targets)
                    reported += bool(gone)
        if not interruption.was_sent:
            break
    assert reported
    with example_organization() as emulator:
        words = _prepare(emulator, kind)
        before = _list_ids(emulator)
        # The response to each deletion is lost after it took effect.
        for operation in ("delete_project", "delete_user", "delete_invite"):
            emulator.faults.add(operation, drop="after", times=None)
        done = run(*words, "--out", "report.json", "-o", "table")
        assert (done.exit != 0, Path("report.json").exists()) == (True, True), done
        _check_report(done, before - _list_ids(emulator), set())


def test_the_keys_of_stale_projects_are_shown_and_a_new_one_keeps_its_project() -> None:
    """In the list that one reads, in the dry run of apply, and in its report; both end with the same code."""
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1", "ci-2")
        run("api-key", "create", "old", "--project", "ci-1", "--reveal", "--yes")
        words = ("project", "stale", "--match", "ci-*", "--older-than", "7d", "--yes", "-o", "csv")
        listed = run(*words, "--out", "plan.json")
        assert [line.split(",")[3] for line in listed.stdout.splitlines()] == ["contents", "API key old", ""]
        run("api-key", "create", "new", "--project", "ci-2", "--reveal", "--yes")
        apply = ("apply", "plan.json", "--confirm", "2", "-o", "table")
        preview, done = run(*apply, "--dry-run"), run(*apply)
        for each in (preview, done):
            assert "it has API key new, which is not in the plan" in " ".join(each.stdout.split())
            assert each.exit == done.exit != 0, each
        assert "contained API key old when the plan was made" in " ".join(preview.stdout.split())
        assert "new" not in preview.stderr.replace("anything new", "")
        assert {"ci-1", "ci-2"} & _names(emulator) == {"ci-2"}


def test_a_plan_that_removes_every_owner_cannot_be_carried_out(tmp_path: Path) -> None:
    """Such a plan is written, a row and a warning name the owner, and without the owner's entry it removes the others.

    Each step with the owner exits with 5, whatever else there is to say; two sources of people exit with 2.
    """
    people, plan = tmp_path / "people", tmp_path / "plan.json"
    people.write_text("owner@example.com\nada@example.com\nno@example.com\n")
    source = ("user", "offboard", "--people", str(people))
    with example_organization() as emulator:
        made = run(*source, "--out", str(plan), "--output", "table")
        exits = [
            run(*words).exit
            for words in (
                (*source, "--dry-run"),
                ("apply", str(plan), "--confirm", "99"),
                ("apply", str(plan), "--dry-run"),
                ("user", "offboard", "ada@example.com", "--plan", str(plan)),
                ("user", "offboard"),
            )
        ]
        assert len(emulator.state.users) == 2
        document = json.loads(plan.read_text())
        document["reports"] = [each for each in document["reports"] if each["email"] != "owner@example.com"]
        plan.write_text(json.dumps(document))
        done = run("apply", str(plan), "--confirm", "99")
        assert [each.email for each in emulator.state.users.values()] == ["owner@example.com"]
    (row,) = [line for line in made.stdout.splitlines() if line.startswith("owner@example.com ")]
    (warning,) = [line for line in made.stderr.splitlines() if "This plan cannot be applied." in line]
    assert row.endswith("  cannot be removed: last owner")
    assert "User owner@example.com (" in warning
    assert warning.endswith(f" Remove that entry from reports in {plan} to go on with the others.")
    assert (made.exit, exits, done.exit) == (5, [5, 5, 5, 2, 2], 9)


def test_a_read_only_session_makes_no_temporary_key() -> None:
    """With --read-only, a search for stale projects is refused before the key that reads their contents is made."""
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        done = run("--read-only", "project", "stale", "--match", "ci-*", "--older-than", "7d", "--yes")
        assert done.exit == 2
        assert not [each for each in emulator.requests if each.method != "GET" and each.operation_id != "get_token"]


def test_the_exit_code_of_stale_projects_that_could_not_be_read() -> None:
    """It is that of the cause if no project was read; 6 if a temporary key may have been left."""
    words = ("project", "stale", "--match", "ci-*", "--older-than", "7d", "--yes")
    cases: list[tuple[int, Literal["html"] | None, int]]
    cases = [(402, None, 10), (403, None, 10), (403, "html", 6), (429, None, 7), (503, None, 6)]
    for status, body, expected in cases:
        with example_organization() as emulator:
            _leave_projects(emulator, "ci-1", "ci-2")
            emulator.faults.add("create_api_key", status=status, body=body, times=None)
            assert run(*words).exit == expected, (status, body)
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1", "ci-2")
        protected, closed = (each.id for each in emulator.state.projects.values() if each.name.startswith("ci-"))
        emulator.hold(protected, "indexes", "i", protected=True)
        account = emulator.add_client(roles=["OrgMember", ("ProjectOwner", protected), ("ProjectMember", closed)])
        credentials = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
        done = run(*words, env=credentials)
        assert (done.exit, done.json["projects"], len(done.json["left"])) == (9, [], 2), done


def test_a_search_for_stale_projects_says_that_it_deletes_nothing_and_what_to_do_next(tmp_path: Path) -> None:
    """The help and the last line of the output say so, with and without a file, and if nothing is found."""
    plan, empty = str(tmp_path / "plan.json"), str(tmp_path / "empty.json")
    words = ("project", "stale", "--yes", "--older-than", "7d", "--match")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        before = _names(emulator)
        for options, name, next_step in (
            ([], "ci-*", "add --out plan.json, read that file, and run pinecone-admin apply plan.json"),
            (["--out", plan], "ci-*", f"Read {plan}, remove what must stay"),
            (["--out", empty], "none-*", "No project that this account can see matches 'none-*'."),
            ([], "none-*", "No project that this account can see matches 'none-*'."),
        ):
            said = run(*words, name, *options, terminal=True).said
            assert next_step in said[said.index("Nothing was deleted") :], said
        assert run(*words, "ci-*").stderr.startswith("To read what projects contain, the command creates temporary")
        assert _names(emulator) == before
        stays = next(each for each in emulator.state.projects.values() if each.name == "ci-1")
        emulator.hold(stays.id, "indexes", "i", protected=True)
        listed = run(*words, "ci-*")
        assert ([each["name"] for each in listed.json["left"]], run(*words, "ci-*", "-o", "raw").stdout) == (
            ["ci-1"],
            "",
        )
        recent = run("project", "stale", "--match", "ci-*", "--older-than", "0s", "--yes")
        assert (recent.exit, "error: --older-than must be above 0" in recent.stderr) == (2, True)
    page = " ".join(run("project", "stale", "--help").stdout.split())
    assert "Nothing is deleted: --out writes a plan" in page
    assert "which you read and shorten, and apply carries out" in page


def test_a_search_that_finds_nothing_says_whether_any_project_has_such_a_name() -> None:
    """A wrong pattern and projects that are too young or protected need different remedies."""
    words = ("project", "stale", "--yes", "-o", "table", "--match")
    with example_organization() as emulator:
        _leave_projects(emulator, "ci-1")
        for pattern, line in (
            ("ci-*", "No project that matches 'ci-*' can be deleted now."),
            ("cI-*x", "No project that this account can see matches 'cI-*x'."),
        ):
            assert run(*words, pattern, "--older-than", "70d").stderr.splitlines()[-1] == f"Nothing was deleted. {line}"


def test_the_question_names_what_stays_apart_from_what_is_removed() -> None:
    """What loses every role stays, an invite is no user, and an expired invite is not called open."""
    with example_organization() as emulator:
        Path("people.csv").write_text("ada@example.com\nbob@example.com\n")
        run("user", "offboard", "--people", "people.csv", "--out", "people.json")
        asked = run("apply", "people.json")
        assert "This removes 1 user and 1 invited person from the organization" in asked.stderr, asked
        run("role", "grant", "--service-account", "ci", "--role", "OrgMember", "--yes")
        wanted = {"organization": emulator.organization_id, "service_accounts": [{"name": "ci", "roles": []}]}
        for people, said in (
            ([], "error: This takes every role from service account ci. --yes is not enough for this. Add --confirm 1"),
            ([{"email": "bob@example.com", "absent": True}], "This removes 1 person: bob@example.com. This takes"),
        ):
            Path("org.json").write_text(json.dumps(wanted | {"people": people}))
            assert said in run("apply", "org.json", "--yes").said
        emulator.clock.advance(10 * 86_400)
        shown = run("user", "offboard", "bob@example.com", "--dry-run", "-o", "table").stdout
        assert "bob@example.com: no user, 1 expired invite, 1 role" in shown
