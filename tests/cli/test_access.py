"""``access`` and ``inventory``: reports of a whole organization."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from pathlib import Path
from typing import Any

from pinecone_admin import on_organization, on_project
from pinecone_admin.testing import emulate
from tests.cli.command_line import example_organization, run


def test_whoever_can_write_to_a_project_is_listed() -> None:
    """With a project and a level, the rows are those of the project, at least at the level, also by inherited roles."""
    with example_organization() as emulator:
        search = next(each for each in emulator.state.projects.values() if each.name == "search")
        emulator.add_user("eve@example.com", roles=["OrgMember", ("DataPlaneEditor", search.id)])
        writers = run("access", "--project", "search", "--level", "writes")
        by_id = run("access", "--project", search.id, "--level", "writes")
        readers = run("access", "--project", "search", "--output", "raw")
        owners = run("access", "--level", "owns", "--query", "access[].[principal, project]")
    people = [row for row in writers.json["access"] if row["principal_type"] != "api_key"]
    assert {(row["principal"], row["level"]) for row in people} == {
        ("owner@example.com", "owns"),
        ("eve@example.com", "writes"),
        ("emulator", "owns"),
    }
    assert by_id.json["access"] == writers.json["access"]
    assert "ada@example.com" in readers.stdout.splitlines()
    assert ["owner@example.com", ""] in owners.json
    assert not [row for row in owners.json if row[0] == "eve@example.com"]


def test_the_query_of_the_help_selects_what_one_person_may_do() -> None:
    """The example selects the rows of a person; a name that is no list selects nothing."""
    (query,) = re.findall(r'--query "(.+?)"', " ".join(run("access", "--help").stdout.split()))
    with example_organization():
        done = run("access", "--query", query)
    assert {(row["principal"], row["level"]) for row in done.json} >= {("ada@example.com", "reads")}
    assert {row["principal"] for row in done.json} == {"ada@example.com"}


def test_the_files_of_a_review_agree_and_are_private(tmp_path: Path) -> None:
    """Each file has the selected access, mode 0600, and the page names the owners also beside one project."""
    with example_organization():
        names = [f"--{kind}={tmp_path / kind}" for kind in ("html", "csv", "markdown")]
        done = run("access", "--project", "search", "--output", "json", *names)
    assert done.exit == 0
    notes = [json.loads(line)["note"]["message"] for line in done.stderr.splitlines()]
    assert notes == [f"Wrote {tmp_path / kind}." for kind in ("html", "csv", "markdown")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text())))
    assert [row["principal"] for row in rows] == [row["principal"] for row in done.json["access"]]
    assert {row["project"] for row in rows} == {"search"}
    assert (tmp_path / "markdown").read_text().count("| search |") == len(rows)
    assert '<b id="owners">emulator' in (tmp_path / "html").read_text()


def test_findings_fail_a_pipeline_until_somebody_accepts_them(tmp_path: Path) -> None:
    """Exit code 8 stands for a finding of the named kinds; a valid waiver accepts it, one that ended does not."""
    accepted = {"kind": "service-account-without-roles", "reason": "new", "until": "2999-01-01"}
    ended = {"kind": "service-account-owns-organization", "reason": "old", "until": "2001-01-01"}
    file = tmp_path / "accepted.yaml"
    file.write_text(json.dumps([accepted, ended]))
    without, with_roles = "service-account-without-roles", "service-account-owns-organization"
    with example_organization():
        codes = {
            arguments: run("access", *arguments).exit
            for arguments in [
                (),
                ("--fail-on", without),
                ("--fail-on", f"many-owners, {without}"),
                ("--fail-on", "many-owners"),
                ("--fail-on", without, "--waivers", str(file)),
                ("--fail-on", "any", "--waivers", str(file)),
            ]
        }
        ageless = run("access", "--fail-on", "key-is-old")  # nothing could ever fail it
        assert (ageless.exit, "needs --max-key-age" in ageless.stderr) == (2, True)
        reviewed = run("access", "--fail-on", "any", "--waivers", str(file))
        owners = run("access", "--max-owners", "1", "--fail-on", "many-owners").exit
    with example_organization() as emulator:
        emulator.clock.advance(1000 * 365 * 86400)
        later = run("access", "--fail-on", without, "--waivers", str(file))  # by the clock of the server
    assert later.exit == 8
    assert list(codes.values()) == [0, 8, 8, 0, 0, 8]
    assert owners == 8
    findings = {each["kind"]: (each["accepted_reason"], each["accepted_until"]) for each in reviewed.json["findings"]}
    assert findings == {without: ("new", "2999-01-01"), with_roles: (None, None)}
    assert reviewed.stderr.splitlines() == [
        f"The waiver of {with_roles} until 2001-01-01 has ended.",
        f"This fails on findings, as you asked: {with_roles} (1).",
    ]


def test_files_say_until_when_and_why_a_finding_is_accepted(tmp_path: Path) -> None:
    """The page, the report and the findings as CSV have the reason and the end of a waiver, with nothing of markup."""
    kind = "service-account-without-roles"
    waivers = tmp_path / "accepted.yaml"
    waivers.write_text(json.dumps([{"kind": kind, "reason": "<b>new*", "until": "2999-01-01"}]))
    page, report = tmp_path / "access.html", tmp_path / "access.md"
    with example_organization():
        run("access", "--waivers", str(waivers), "--html", str(page), "--markdown", str(report))
        table = run("access", "--waivers", str(waivers), "--query", "findings", "--output", "csv")
    assert page.read_text().count("(accepted until 2999-01-01: &lt;b&gt;new*)") == 1
    assert report.read_text().count(r"(accepted until 2999-01-01\: &lt;b&gt;new\*)") == 1
    rows = {row["kind"]: row for row in csv.DictReader(io.StringIO(table.stdout))}
    assert (rows[kind]["accepted_reason"], rows[kind]["accepted_until"]) == ("<b>new*", "2999-01-01")


def test_a_part_that_could_not_be_read_is_no_clean_review(tmp_path: Path) -> None:
    """An unread part leads to exit code 9 and a warning, and no output claims that the part is empty."""
    file = str(tmp_path / "inventory.json")
    with example_organization() as emulator:
        emulator.faults.add("list_users", status=403, times=None)
        review = run("access", "--fail-on", "many-owners")
        failed = run("access", "--fail-on", "could-not-be-read")
        taken = run("inventory", "--out", file)
        saved = json.loads(Path(file).read_text())
        asked_for = run("inventory", "--out", file, "--overwrite", "--query", "unread[].part")
        table = run("inventory", "--output", "table")
        compared = run("diff", file, file, "--fail-on-change", "--output", "table")
        run("project", "create", "docs", "--yes")
        changed = run("diff", file, "--fail-on-change")
    assert (review.exit, failed.exit, taken.exit, compared.exit) == (9, 9, 9, 9)
    for done in (review, failed, taken, compared):
        assert "Not shown: the users" in done.stderr
    assert (changed.exit, "This also fails on 1 change, as you asked." in changed.stderr) == (9, True), changed
    assert compared.stderr.startswith("Nothing has changed in the parts that both inventories have.\n")
    assert taken.json == saved
    assert asked_for.json == ["users"]
    assert re.search(r"^users *$", table.stdout, re.MULTILINE)


def test_an_account_that_sees_only_some_roles_makes_no_claim_about_the_others() -> None:
    """A member sees its own roles, and the owner of a project those on it: the review says so, and exits with 9."""
    with example_organization() as emulator:
        search = next(each for each in emulator.state.projects.values() if each.name == "search")
        for on_project in ((), (("ProjectOwner", search.id),)):
            account = emulator.add_client(roles=["OrgMember", *on_project])
            env = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
            done = run("access", env=env)
            kinds = {each["kind"] for each in done.json["findings"]}
            assert (done.exit, "could-not-be-read" in kinds) == (9, True), on_project
            assert "service-account-without-roles" not in kinds
            (unread,) = done.json["unread"]
            assert unread.startswith("the role bindings (this account can see only some of them")
            assert "can see only some" in done.stderr


def test_an_access_review_of_a_saved_inventory_needs_no_account(tmp_path: Path) -> None:
    """A saved inventory gives the same review as the organization, without credentials."""
    file = str(tmp_path / "inventory.json")
    with example_organization():
        live = run("access").json
        assert run("inventory", "--out", file).exit == 0
    nobody = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None, "PINECONE_ACCESS_TOKEN": None}
    saved = run("access", "--inventory", file, env=nobody).json
    assert {**saved, "taken_at": ""} == {**live, "taken_at": ""}


def test_a_change_since_the_saved_inventory_is_reported(tmp_path: Path) -> None:
    """A difference exits with 8 if asked to, and is the same in every format and from saved files."""
    old, new = str(tmp_path / "old.json"), str(tmp_path / "new.json")
    with example_organization():
        run("inventory", "--out", old)
        same = run("diff", old, "--fail-on-change")
        run("project", "create", "docs", "--yes")
        plain = run("diff", old)
        run("inventory", "--out", new)
        failed = run("diff", old, "--fail-on-change")
        compared = run("diff", old, new, "--fail-on-change")
        text = run("diff", old, new, "--output", "table")
        raw = run("diff", old, new, "--output", "raw")
        unchanged = run("diff", new, new, "--fail-on-change", terminal=True)
        selected = run("diff", old, new, "--query", "added[0].name", "--output", "raw")
        listed = run("inventory", "--output", "csv")
        table = run("diff", new, old, "--output", "csv")
    assert (same.exit, plain.exit, failed.exit, compared.exit) == (0, 0, 8, 8)
    assert plain.json == failed.json == compared.json
    assert [(each["kind"], each["name"]) for each in plain.json["added"]] == [("project", "docs")]
    assert text.stdout.startswith("+ project docs")
    assert raw.stdout == text.stdout
    assert selected.stdout == "docs\n"
    assert (unchanged.exit, unchanged.stdout, unchanged.stderr) == (0, "", "Nothing has changed.\n")
    kinds = {(row["kind"], row["name"]) for row in csv.DictReader(io.StringIO(listed.stdout))}
    assert {("project", "docs"), ("user", "ada@example.com"), ("role_binding", "ProjectViewer")} < kinds
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    assert [(row["change"], row["kind"], row["name"]) for row in rows] == [("removed", "project", "docs")]
    assert stat.S_IMODE(Path(new).stat().st_mode) == 0o600


def test_files_that_are_no_inventory_end_in_one_line(tmp_path: Path) -> None:
    """A file that is missing, cut off, of another kind or of another organization is named, with its exit code."""
    good, cut, other = tmp_path / "good", tmp_path / "cut", tmp_path / "other"
    with example_organization():
        run("inventory", "--out", str(good))
    cut.write_text(good.read_text()[:200])
    document: dict[str, Any] = json.loads(good.read_text())
    document["organizations"][0]["id"] = "another"
    other.write_text(json.dumps(document))
    (tmp_path / "list").write_text("[]")
    (tmp_path / "wrong").write_text(json.dumps({**document, "users": 5}))
    cases = {
        "none": (2, "No such file"),
        "cut": (2, "saved only in part"),
        "list": (2, "not a JSON object"),
        "wrong": (2, "wrong: users must be a list"),
        "other": (5, "different organizations"),
    }
    for name, (code, message) in cases.items():
        done = run("diff", str(good), str(tmp_path / name))
        assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (code, "", 1), name
        assert message in done.stderr, name


def test_options_that_contradict_each_other_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    """Wrong options and files that cannot be written exit with 2, and the server sees no request."""
    missing = str(tmp_path / "missing" / "file")
    cases: dict[tuple[str, ...], int] = {
        ("inventory", "--fail-on-change"): 2,
        ("inventory", "--out", "-"): 2,
        ("access", "--csv", str(tmp_path / "one"), "--html", str(tmp_path / "one")): 2,
        ("diff", "a", "b", "c"): 2,
        ("inventory", "--out", missing): 2,
        ("access", "--html", missing): 2,
        ("access", "--fail-on", "nothing"): 2,
        ("access", "--waivers", missing): 2,
        ("access", "--level", "all"): 2,
        ("access", "--max-key-age", "old"): 2,
    }
    with example_organization() as emulator:
        assert {arguments: run(*arguments).exit for arguments in cases} == cases
        assert list(emulator.requests) == []


def test_a_project_that_is_missing_or_not_the_only_one_is_not_reviewed() -> None:
    """No project of the name exits with 4, several with 5 and their ids."""
    with example_organization() as emulator:
        ids = [emulator.state.add_project("twin", emulator.clock.now()).id for _ in range(2)]
        missing, several = run("access", "--project", "none"), run("access", "--project", "twin")
    assert (missing.exit, several.exit) == (4, 5)
    assert all(id in several.stderr for id in ids)


def test_a_review_of_a_project_names_nothing_of_others(tmp_path: Path) -> None:
    """With --project, access, findings and --fail-on are about the project and those who have access to it."""
    with emulate() as emulator, emulator.admin() as admin:
        ids = {each: admin.projects.create(name=each).id for each in ("search", "hidden")}
        for name, id in ids.items():
            admin.api_keys.create(project_id=id, name=f"{name}-key", roles=["ProjectEditor"])
            admin.invites.create(
                email=f"{name}@example.com",
                role_bindings=[on_organization("OrgMember"), on_project(id, "ProjectViewer")],
            )
            emulator.add_user(f"{name}-user@example.com", roles=["OrgMember", ("ProjectViewer", id)])
        admin.service_accounts.create(name="hidden-ci")
        admin.invites.create(email="new-owner@example.com", role_bindings=[on_organization("OrgOwner")])
        emulator.clock.advance(4 * 86_400)
        files = [str(tmp_path / each) for each in ("a.html", "a.csv", "a.md")]
        words = ["access", "--project", "search", "--max-key-age", "1d"]
        done = run(*words, "--html", files[0], "--csv", files[1], "--markdown", files[2], "--fail-on", "any")
        shown = [run(*words, terminal=True), run(*words)]
        emulator.clock.advance(4 * 86_400)
        later = run(*words, "--fail-on", "invite-expired")
    assert done.exit == 8
    assert later.exit == 8
    expired = [each["text"] for each in later.json["findings"] if each["kind"] == "invite-expired"]
    assert [each.split()[2] for each in expired] == ["search@example.com", "new-owner@example.com"]
    assert "key-has-project-editor (1)" in done.stderr
    kinds = {each["kind"] for each in shown[1].json["findings"]}
    assert kinds >= {"key-has-project-editor", "key-is-old", "invite-pending-long"}
    for text in (
        done.stdout,
        later.stdout,
        *(each.stdout for each in shown),
        *(Path(each).read_text() for each in files),
    ):
        assert "search" in text
        assert not re.search("hidden(-|@)|" + ids["hidden"], text)


def test_the_review_on_a_terminal_shows_owners_once() -> None:
    """On a terminal, access and findings fit its width, and an owner of the organization stands there once."""
    with example_organization():
        for columns in (80, 120):
            review = run("access", terminal=True, env={"COLUMNS": f"{columns}"})
            plain = re.sub("\x1b[^m]*m", "", review.stdout)
            assert max(map(len, plain.splitlines())) <= columns
            assert plain.count("owner@example.com") == 1
            lines = [line.rstrip() for line in plain.splitlines()]
            findings = lines[lines.index("Findings: 2") + 1 :]
            assert [line.split()[0] for line in findings[:2]] == ["KIND", "service-account-owns-organization"]
        pages = run("access", "--html", "/dev/null", terminal=True)
        summary = run("inventory", terminal=True)
    assert "ada@example.com" not in pages.stdout
    assert "role bindings" in summary.stdout


def test_names_that_others_chose_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """Control characters in names are shown as codes in every report and format."""
    saved = str(tmp_path / "saved.json")
    with example_organization() as emulator:
        run("inventory", "--out", saved)
        project = emulator.state.add_project("ci-\x1b[31m\u202ered", emulator.clock.now())
        emulator.state.add_api_key(project, "\x1b[2Jkey\nowner@example.com")
        emulator.clock.advance(60)
        for words in (
            ("access",),
            ("inventory",),
            ("diff", saved),
            ("project", "stale", "--match", "ci-*", "--older-than", "1s", "--yes"),
        ):
            for output in ("table", "json", "yaml", "csv", "raw"):
                done = run(*words, "--output", output)
                assert done.exit == 0, (words, output)
                assert not re.search("[\x1b\u202e]", done.stdout + done.stderr), (words, output)


def test_beside_files_only_the_findings_go_into_a_pipe(tmp_path: Path) -> None:
    """The files contain the access of people. With a format or a query, stdout contains it, too."""
    page = tmp_path / "access.html"
    words = ["access", "--html", str(page), "--overwrite"]
    with example_organization():
        whole = run("access").json
        piped = run(*words)
        asked = run(*words, "--output", "json").json
        roles = run(*words, "--query", "access[].roles").json
    assert list(whole) == ["taken_at", "organization", "note", "unread", "findings", "access"]
    assert list(piped.json) == [*list(whole)[:-1], "written"]
    assert piped.json["written"] == [str(page)]
    assert [each["kind"] for each in piped.json["findings"]] == [each["kind"] for each in whole["findings"]]
    assert asked["access"] == whole["access"]
    assert len(roles) == len(whole["access"])
    assert piped.stderr.startswith(f"Wrote {page}.")


def test_a_finding_marks_the_old_key_of_a_rotation_as_the_table_does() -> None:
    """The old key and the new one have the same name, and only one of them has to be deleted."""
    with example_organization() as emulator:
        run("api-key", "update", "reader", "--project", "search", "--role", "ProjectEditor", "--yes")
        rotated = run("api-key", "rotate", "reader", "--keep-old-for", "1h", "--store", "file:k", "--yes")
        assert rotated.exit == 0
        emulator.clock.advance(7200)
        done = run("access", "-o", "table")
        table, _, findings = done.stdout.partition("Findings")
    assert re.findall(r"reader \(old\)", table)
    about = [line for line in findings.splitlines() if "reader" in line]
    assert about
    old = rotated.json["replaced"]
    assert {old in line: "reader (old)" in line for line in about} == {True: True, False: False}, about
