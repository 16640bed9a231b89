"""An organization in a file: export, plan and apply."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from unicodedata import category

import pytest
import yaml

from pinecone_admin import on_organization, on_project
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.plans import plan_files
from pinecone_admin.cli.session import Session
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import ChangePlan, DesiredState
from pinecone_admin.workflows.name_tags import tag_as_unfinished
from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.example_runs import ORGANIZATION_FILE
from tests.cli.secret_makers import InterruptionAt
from tests.support.recipes import list_blocks

NOBODY = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
REMOVAL = "organization: Emulated Organization\npeople: [{email: ada@example.com, absent: true}]\n"


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Serve the organization of the examples to commands that run in a folder with its file."""
    monkeypatch.chdir(tmp_path)
    write("org.yaml", ORGANIZATION_FILE)
    with example_organization() as emulator:
        yield emulator


def write(name: str, text: str) -> None:
    """Write a file."""
    Path(name).write_text(text, encoding="utf-8")


def list_changes(emulator: Emulator) -> list[str]:
    """Return the operations that changed something."""
    return [
        str(each.operation_id) for each in emulator.requests if each.method != "GET" and each.path != "/oauth/token"
    ]


def shorten(text: str) -> list[str]:
    """Return the lines of a text without ids and styles."""
    return re.sub(r" \([^)]*\)|\x1b\[\d+m", "", text).splitlines()


def test_an_export_plans_nothing(emulator: Emulator) -> None:
    """An export is YAML, the same between runs, and plans nothing; with another format it is that."""
    with emulator.admin() as admin:
        admin.projects.create(name="1e3")
    done = run("export")
    assert (done.exit, done.stderr) == (0, "")
    assert run("export").stdout == done.stdout
    assert "- name: '1e3'" in done.stdout
    write("export.yaml", done.stdout)
    assert run("plan", "export.yaml", "--fail-on-change").json["changes"] == []
    assert run("export", "--output", "json").json == yaml.safe_load(done.stdout)
    assert run("export", "--query", "projects[0].name", "--output", "raw").stdout == "1e3\n"


@pytest.mark.parametrize("output", ["yaml", "json"])
def test_a_name_with_a_character_that_nobody_sees_is_exported_by_its_code(emulator: Emulator, output: str) -> None:
    """A plan takes every export: characters that a file must not have stand in it as escapes."""
    hidden = [chr(code) for code in range(1, 0x10000) if category(chr(code)) in {"Cc", "Cf", "Zl", "Zp"}]
    name = f"q{''.join(hidden)}"
    with emulator.admin() as admin:
        admin.projects.create(name=name)
    exported = run("export", "-o", output)
    assert exported.exit == 0
    write("exported", exported.stdout)
    planned = run("plan", "exported", "-o", "json")
    assert (planned.exit, planned.json["changes"], planned.json["not_listed"]) == (0, [], []), planned.stderr
    assert name in [each.name for each in DesiredState.from_text(exported.stdout).projects or ()]


@pytest.mark.usefixtures("emulator")
def test_the_lines_that_the_page_appends_fit_its_sample_and_an_export() -> None:
    """People are the last section of each sample and of an export, with entries that are not indented."""
    blocks = list_blocks("docs/how-to/organization-in-a-file.md")
    samples = [each.text for each in blocks if each.language == "yaml"]
    assert len(samples) == 2
    (lines,) = [found[1] for each in blocks for found in re.finditer(r"(?s)<<'END'.*?\n(.*?)END\n", each.text)]
    for text in (*samples, run("export").stdout):
        people = yaml.safe_load(text + lines)["people"]
        assert (people[:-1], people[-1]["email"]) == (yaml.safe_load(text)["people"], "carol@example.com")
        DesiredState.from_text(text + lines, source="org.yaml")


@pytest.mark.usefixtures("emulator")
def test_a_carriage_return_hides_nothing() -> None:
    """A lone carriage return, which YAML takes for the end of a comment, is refused; with a line feed it is none."""
    Path("org.yaml").write_bytes(b"organization: Emulated Organization  # no more\rpeople: []\n")
    assert "line 1: has the character \\u000d" in run("plan", "org.yaml").stderr
    Path("org.yaml").write_bytes(b"organization: Emulated Organization\r\npeople: []\r\n")
    assert run("plan", "org.yaml").exit == 0


def test_the_digest_is_that_of_the_file(emulator: Emulator) -> None:  # noqa: ARG001 - its organization
    """The digest in a plan is what sha256sum says of the file, also with a byte order mark and Windows line ends."""
    data = b"\xef\xbb\xbforganization: Emulated Organization\r\npeople: []\r\n"
    Path("org.yaml").write_bytes(data)
    assert run("plan", "org.yaml", "--out", "plan.json").json["digest"] == sha256(data).hexdigest()
    Path("plan.json").write_bytes(b"\xef\xbb\xbf" + Path("plan.json").read_bytes())
    assert run("apply", "plan.json", "--yes").json["digest"] == sha256(data).hexdigest()


def test_an_export_says_what_a_file_cannot_have(emulator: Emulator) -> None:
    """Items that are left out are named on stderr."""
    emulator.clock.advance(8 * 86400)
    assert run("export").stderr == "Left out: 1 invite that cannot be accepted any more (bob@example.com).\n"


WIDE = {"COLUMNS": "400"}


def test_a_plan_on_a_terminal(emulator: Emulator) -> None:
    """A plan has sections with signs, the number of what is not listed after them, and a summary at its end."""
    lines = shorten(run("plan", "org.yaml", terminal=True, env=WIDE).stdout)
    changes = [
        "People",
        "+ invite carol@example.com with OrgMember and ProjectViewer on project search",
        "API keys",
        "+ create key writer in project search with DataPlaneEditor",
    ]
    summary = "organization 'Emulated Organization': 2 changes, 5 not listed"
    assert lines == [*changes, "not in the file, so not changed: 1 project, 1 key, 3 people", summary]
    done = run("plan", "org.yaml", "--unlisted", terminal=True, env=WIDE)
    assert shorten(done.stdout) == [
        *changes,
        "Not listed",
        "  key reader in project search",
        "  project empty",
        "  user owner@example.com",
        "  user ada@example.com",
        "  invite for bob@example.com",
        summary,
    ]
    assert list_changes(emulator) == []


def test_a_plan_on_a_terminal_says_what_a_step_ends(emulator: Emulator) -> None:
    """The reason of a step is shown: an invite that it replaces, a key that it deletes, the age of unfinished work."""
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        for name in ("writer", "other"):
            admin.api_keys.create(project_id=project.id, name=tag_as_unfinished(name), roles=["ProjectViewer"])
    emulator.clock.advance(8 * 86400)
    write("org.yaml", ORGANIZATION_FILE.replace("carol", "bob"))
    shown = " ".join(run("plan", "org.yaml", terminal=True).stdout.split())
    assert "an interrupted run left" in shown
    assert "an invite that cannot be accepted any more is deleted" in shown
    assert re.search(r"unfinished work, \d+ days.* old", shown)


def test_a_saved_plan_is_no_file(emulator: Emulator) -> None:  # noqa: ARG001 - its organization
    """A saved plan in the place of a file is named as what it is."""
    run("plan", "org.yaml", "--out", "plan.json")
    for words in (("plan", "plan.json"), ("apply", "org.yaml", "--base", "plan.json", "--yes")):
        done = run(*words)
        assert done.stderr.splitlines()[0].startswith("error: plan.json is a saved plan")


def test_a_plan_elsewhere(emulator: Emulator) -> None:
    """In a pipe, a plan is JSON, or lines; it ends with 8 only if that is asked for, and has no columns."""
    assert run("plan", "org.yaml").exit == 0
    done = run("plan", "org.yaml", "--fail-on-change", "--output", "raw")
    assert (done.exit, done.stderr) == (8, "This fails on 2 changes, as you asked.\n")
    first = "would invite carol@example.com with OrgMember and ProjectViewer on project search"
    assert shorten(done.stdout)[0] == first
    before = len(emulator.requests)
    for words in (("plan", "org.yaml"), ("apply", "org.yaml", "--dry-run")):
        refused = run(*words, "--output", "csv")
        assert (refused.exit, "A plan has no columns" in refused.stderr) == (2, True)
    assert len(emulator.requests) == before
    rows = run("plan", "org.yaml", "--output", "csv", "--query", "changes[].{action: action, kind: target.kind}")
    assert rows.stdout.splitlines() == ["action,kind", "invite,invite", "create,api_key"]


def test_a_plan_without_credentials(emulator: Emulator) -> None:
    """A saved inventory and the client id of the account give the same plan, without a request."""
    run("inventory", "--out", "inventory.json")
    run("plan", "org.yaml", "--out", "online.json", "--markdown", "plan.md")
    before = len(emulator.requests)
    offline = ("plan", "org.yaml", "--inventory", "inventory.json")
    refused = run(*offline, env=NOBODY)
    assert (refused.exit, "Give its client id with --own-client-id" in refused.stderr) == (2, True)
    assert run(*offline, "--own-client-id", emulator.client_id, "--out", "offline.json", env=NOBODY).exit == 0
    assert len(emulator.requests) == before
    online, planned = (ChangePlan.from_json(Path(each).read_text()) for each in ("online.json", "offline.json"))
    assert (online.changes, online.not_listed) == (planned.changes, planned.not_listed)
    assert "### Owners and secrets\n- `would create key writer" in Path("plan.md").read_text()
    assert Path("plan.md").stat().st_mode & 0o777 == 0o600


def test_the_commit_is_kept(emulator: Emulator) -> None:  # noqa: ARG001 - its organization
    """The commit that CI names is in the plan and in the report."""
    done = run("plan", "org.yaml", env={"GITHUB_SHA": "c0ffee"})
    assert done.json["commit"] == "c0ffee"


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_every_problem_of_a_file_has_a_line(emulator: Emulator, command: str) -> None:
    """A file that cannot be has a line for each problem, and nothing is sent."""
    write("bad.yaml", "organization: no\npeople: [{email: x}]\nprojects:\n")
    done = run(command, "bad.yaml")
    assert done.exit == 2
    assert done.stderr.splitlines() == [
        "bad.yaml, line 1: organization must be text, not no: put it in quotes.",
        "bad.yaml, line 3: projects is empty: leave it out, or write [] for an empty list.",
        "bad.yaml, line 2: people[0].email is not an email address: 'x'.",
        "error: bad.yaml has 3 problems. [PA101]",
    ]
    assert not emulator.requests


@pytest.mark.parametrize("output", ["json", "raw"])
def test_every_problem_with_the_organization_has_a_line(emulator: Emulator, output: str) -> None:
    """A file with items that cannot be carried out has a whole line for each, however many there are."""
    people = "".join(f"- {{email: new{number}@example.com, roles: []}}\n" for number in range(18))
    left_out = "".join(f"- {{email: new{number}@example.com, roles: [x:ProjectViewer]}}\n" for number in range(9))
    write("many.yaml", f"organization: Emulated Organization\npeople:\n{people}")
    write("out.yaml", f"organization: Emulated Organization\npeople:\n{left_out}")
    write("saved.json", run("inventory", "--output", "json").stdout)
    known = ("--inventory", "saved.json", "--own-client-id", emulator.client_id)
    for command, *options in (("plan",), ("plan", *known), ("apply", "--yes")):
        done = run(command, "out.yaml", *options, "--output", output)
        assert done.exit == 9
        lines = [each for each in done.stderr.splitlines() if "Left out: " in each]
        assert (
            sum("is on a project that is neither in the file nor in the organization" in each for each in lines) == 9
        ), done.stderr
        assert not list_changes(emulator)
        done = run(command, "many.yaml", *options, "--output", output)
        assert done.exit == 2
        if output == "json":
            assert {each["file"] for each in done.error["problems"]} == {"many.yaml"}
            lines = [each["message"] for each in done.error["problems"]]
            assert (done.error["message"], len(done.stderr.splitlines())) == ("many.yaml has 18 problems.", 1)
        else:
            lines = done.stderr.splitlines()
            assert lines.pop() == "error: many.yaml has 18 problems. [PA101]"
        assert sum("would be invited, and needs a role on the organization" in each for each in lines) == 18, lines
        assert len(lines) == 18
        assert max(map(len, lines)) < 200


def test_an_account_that_is_no_owner(emulator: Emulator) -> None:
    """An account that does not see everything ends with 10, and another organization with 5."""
    member = emulator.add_client(roles=["OrgManager"])
    env = {"PINECONE_CLIENT_ID": member.client_id, "PINECONE_CLIENT_SECRET": member.client_secret}
    assert run("plan", "org.yaml", env=env).exit == 10
    assert run("apply", "org.yaml", "--yes", "--store", "file:{name}", env=env).exit == 10
    write("other.yaml", "organization: Elsewhere\n")
    assert run("plan", "other.yaml").exit == 5


def test_a_client_id_that_is_not_that_of_the_credentials_is_refused(emulator: Emulator) -> None:
    """Before anything is asked or sent, with the name of the option; with a token, one that no account has."""
    token = emulator.admin().token().value
    alone = {"PINECONE_ACCESS_TOKEN": token, "PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
    for words in (("plan", "org.yaml"), ("apply", "org.yaml", "--yes", "--store", "file:{name}")):
        done = run(*words, "--own-client-id", "another")
        assert done.exit == 2
        assert "--own-client-id is another account than that of the credentials" in done.stderr
        done = run(*words, "--own-client-id", "another", env=alone)
        assert (done.exit, "o service account has the client id" in done.stderr) == (5, True)
    assert not list_changes(emulator)


def test_a_part_that_was_not_read_for_another_reason_is_no_matter_of_the_role(emulator: Emulator) -> None:
    """A list that the API does not refuse by its 403 is unread, with exit code 5; only with that does a role lack."""
    cases: list[tuple[int, Literal["html"] | None, int]]
    cases = [(400, None, 5), (402, "html", 5), (403, "html", 5), (404, "html", 5), (403, None, 10)]
    for status, body, expected in cases:
        emulator.faults.add("list_users", status=status, body=body, times=None)
        for words in (("export",), ("plan", "org.yaml")):
            done = run(*words)
            assert (done.exit, "Use an account with OrgOwner." in done.stderr) == (expected, expected == 10), done
            assert "ot everything could be read: the users (" in done.stderr or expected == 10
        emulator.faults.clear()


def test_apply_stores_each_secret_in_its_place(emulator: Emulator) -> None:
    """Secrets go to the places that placeholders say, and nowhere else."""
    key = {"name": "writer", "roles": ["DataPlaneEditor"]}
    document = {
        "organization": emulator.organization_id,
        "projects": [{"name": "docs", "api_keys": [key]}],
        "service_accounts": [{"name": "deploy", "roles": ["OrgMember"]}],
    }
    write("org.json", json.dumps(document))
    done = run("apply", "org.json", "--store", "env-file:.env#{name}_SECRET", "--yes", "--out", "report.json")
    assert done.exit == 0, done.stderr
    (value,) = (each.value for each in emulator.state.api_keys.values() if each.name == "writer")
    account = next(each for each in emulator.state.service_accounts.values() if each.name == "deploy")
    assert sorted(Path(".env").read_text().splitlines()) == [
        f"deploy_ID={account.client_id}",
        f"deploy_SECRET={account.client_secret}",
        f"writer_SECRET={value}",
    ]
    report = json.loads(Path("report.json").read_text())
    assert [(each["state"], each["change"]["action"]) for each in report["steps"]] == [("done", "create")] * 3
    for secret in (value, account.client_secret):
        assert secret not in done.stdout + done.stderr + Path("report.json").read_text()
    assert run("plan", "org.json", "--fail-on-change").exit == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            (),
            "This makes 1 secret, for key search/writer. Say where it should go, for example --store 'file:{",
        ),
        (("--store", "file:{nmae}"), "there is no placeholder"),
        (("--store", "nowhere"), "--store: write env-file:PATH#NAME"),
        (("--store", "service-account/*=file:x"), "--store has no patterns: it is one template for all secrets"),
        (("--store", "file:org.yaml"), "org.yaml is accessible to every user"),
    ],
)
def test_a_secret_without_a_place_is_not_made(emulator: Emulator, options: tuple[str, ...], problem: str) -> None:
    """Nothing is changed unless each secret has a place."""
    done = run("apply", "org.yaml", *options, "--yes")
    assert (done.exit, problem in done.stderr) == (2, True), done.stderr
    assert list_changes(emulator) == []


def test_the_example_of_apply_has_a_place_for_every_kind_of_secret(emulator: Emulator) -> None:  # noqa: ARG001 - its organization
    """A file that creates an API key and a service account can be applied as the help shows it."""
    (spec,) = (each for each in COMMANDS if each.full_name == "apply")
    account = "service_accounts: [{name: nightly}]\n"
    key = "projects: [{name: search, api_keys: [{name: fresh, roles: [ProjectEditor]}]}]\n"
    write("org.yaml", f"organization: Emulated Organization\n{account}{key}")
    done = run(*shlex.split(spec.example)[1:])
    assert done.exit == 0, done
    assert {each.name for each in Path().glob("*.key")} == {"service-account-nightly.key", "search-fresh.key"}


def test_two_secrets_with_one_place(emulator: Emulator) -> None:
    """Two secrets with one target are refused before anything is made."""
    keys = [{"name": each, "roles": ["ProjectViewer"]} for each in ("a", "b")]
    projects = [{"name": "search", "api_keys": keys}]
    write("org.json", json.dumps({"organization": emulator.organization_id, "projects": projects}))
    done = run("apply", "org.json", "--store", "file:{project}", "--yes")
    assert done.exit == 2
    assert done.stderr == (
        "error: --store file:search is one place for key search/a and key search/b, and each would replace the one "
        "before. Put {scope} and {name} in it, for example --store 'file:{scope}-{name}.key'. Nothing was changed. "
        "[PA101]\n"
    )
    assert list_changes(emulator) == []


def test_deletions_need_their_number(emulator: Emulator) -> None:
    """Elsewhere than on a terminal, deletions need their number; on one, it is typed after the plan."""
    write("less.yaml", REMOVAL)
    for options, said in (
        (("--yes",), "ada@example.com. --yes is not enough for this. Add --confirm 1 to go ahead"),
        (("--confirm", "0"), "--confirm 0 is too low: 1 would be removed."),
        (("--confirm", "0", "--dry-run"), "--confirm 0 is too low: 1 would be removed."),
    ):
        done = run("apply", "less.yaml", *options)
        assert (done.exit, said in done.stderr, done.stdout) == (2, True, ""), done.stderr
    declined = run("apply", "less.yaml", terminal=True, stdin="y\n")
    assert (declined.exit, list_changes(emulator)) == (130, [])
    assert "would delete user ada@example.com" in declined.stderr
    assert run("apply", "less.yaml", terminal=True, stdin="1\n").exit == 0
    assert list_changes(emulator) == ["delete_user"]
    assert run("apply", "less.yaml", "--yes").exit == 0


def test_ends_at_night(emulator: Emulator) -> None:
    """With the applied file as base, ends need no number; one that is new needs it, as any removal."""
    text = "organization: Emulated Organization\npeople: [{email: ada@example.com, roles: [OrgMember], until: DAY}]\n"
    past = (emulator.clock.now() - timedelta(days=1)).date()
    write("org.yaml", text.replace("DAY", str(past)))
    write("later.yaml", text.replace("DAY", str(past + timedelta(days=9))))
    for base in ((), ("--base", "later.yaml")):
        new = run("apply", "org.yaml", *base, "--yes")
        assert (new.exit, "Add --confirm 1 to go ahead" in new.stderr) == (2, True), new.stderr
    shown = run("plan", "org.yaml", "--base", "org.yaml", "--fail-on-change")
    assert (shown.exit, json.loads(shown.stdout)["changes"][0]["cause"]) == (8, "end")
    assert not list_changes(emulator)
    done = run("apply", "org.yaml", "--base", "org.yaml", "--yes", "--out", "report.json")
    assert (done.exit, list_changes(emulator)) == (0, ["delete_user"]), done.stderr
    [known] = json.loads(Path("report.json").read_text(encoding="utf-8"))["offboarded"]
    assert known["email"] == "ada@example.com"
    assert run("apply", "org.yaml", "--base", "org.yaml", "--yes").exit == 0


def test_an_end_that_is_refused_is_named(emulator: Emulator) -> None:
    """The end of the own account is not run, and the exit code is 9, but another end is carried out."""
    past = (emulator.clock.now() - timedelta(days=1)).date()
    write(
        "org.yaml",
        "organization: Emulated Organization\n"
        f"people: [{{email: ada@example.com, roles: [OrgMember], until: {past}}}]\n"
        f"service_accounts: [{{name: emulator, roles: [OrgOwner], until: {past}}}]\n",
    )
    done = run("apply", "org.yaml", "--base", "org.yaml", "--yes")
    assert (done.exit, list_changes(emulator)) == (9, ["delete_user"]), done.stderr
    assert "Not carried out: delete service account emulator (" in done.stderr
    assert "the account of this client, would be deleted" in done.stdout


def test_a_plan_is_refused_after_an_end(emulator: Emulator) -> None:
    """A plan that was saved before a day passed is refused after it, and the message names the end."""
    today = emulator.clock.now().date()
    write("org.yaml", f"organization: Emulated Organization\npeople: [{{email: ada@example.com, until: {today}}}]\n")
    assert run("plan", "org.yaml", "--out", "plan.json").exit == 0
    emulator.clock.advance(24 * 3600)
    done = run("apply", "plan.json", "--yes")
    assert (done.exit, list_changes(emulator)) == (5, [])
    assert "n end (until) of the file has come since the plan was made" in done.stderr


def test_a_saved_plan_is_applied(emulator: Emulator) -> None:
    """A saved plan is carried out once; if it no longer fits, it is refused; --base is not for it."""
    run("plan", "org.yaml", "--out", "plan.json")
    assert run("apply", "plan.json", "--base", "org.yaml", "--store", "file:k", "--yes").exit == 2
    preview = run("apply", "plan.json", "--dry-run")
    assert preview.json["dry_run"] is True
    assert len(preview.json["would_do"]) == 2
    assert list_changes(emulator) == []
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        key = admin.api_keys.create(project_id=project.id, name="writer", roles=["ProjectEditor"]).key
        for option in ("--yes", "--dry-run"):
            done = run("apply", "plan.json", "--store", "file:k", option)
            assert (done.exit, "there is now key writer" in done.stderr) == (5, True)
        admin.api_keys.delete(api_key_id=key.id)
    assert run("apply", "plan.json", "--store", "file:k", "--yes").exit == 0
    assert Path("k").read_text().startswith("pcsk_")


def test_a_saved_plan_shows_what_it_does(emulator: Emulator) -> None:
    """The text of a change comes from its data, so a plan without a removed change does less."""
    run("plan", "org.yaml", "--out", "plan.json")
    document = json.loads(Path("plan.json").read_text())
    document["changes"] = [each for each in document["changes"] if each["action"] == "create"]
    write("edited.json", json.dumps(document))
    shown = run("apply", "edited.json", "--dry-run", "--store", "file:k", "--output", "raw").stdout
    assert shorten(shown) == ["would create key writer in project search with DataPlaneEditor"]
    asked = run("apply", "edited.json", "--store", "file:k", terminal=True, stdin="y\n").stderr
    assert ("would create key writer" in asked, "invite" in asked) == (True, False)
    assert list_changes(emulator)[0] == "create_api_key"
    assert "create_invite" not in list_changes(emulator)


def test_a_token_does_not_show_whose_it_is(emulator: Emulator) -> None:
    """With a token alone, a file needs --own-client-id, and a saved plan takes from no service account without it."""
    with emulator.admin() as admin:
        token = admin.token().value
        admin.service_accounts.create(name="old", role_bindings=[on_organization("OrgMember")])
    env = {**NOBODY, "PINECONE_ACCESS_TOKEN": token}
    write("less.yaml", "organization: Emulated Organization\nservice_accounts: [{name: old, absent: true}]\n")
    for command in ("plan", "apply"):
        refused = run(command, "less.yaml", env=env)
        assert (refused.exit, "Give its client id with --own-client-id" in refused.stderr) == (2, True), refused.stderr
    own = ("--own-client-id", emulator.client_id)
    assert run("plan", "less.yaml", *own, "--out", "plan.json", env=env).exit == 0
    words = ("apply", "plan.json", "--confirm", "1", "--yes")
    refused = run(*words, env=env)
    assert (refused.exit, "because an access token does not show its account" in refused.stderr) == (5, True), (
        refused.stderr
    )
    assert list_changes(emulator) == ["create_service_account"]
    done = run(*words, *own, env=env)
    assert (done.exit, done.json["client_id"]) == (0, emulator.client_id), done.stderr


def test_a_dry_run_of_a_saved_plan_shows_what_is_left(emulator: Emulator) -> None:
    """Changes that are already made are not shown again, so the preview shows what the run does."""
    run("plan", "org.yaml", "--out", "plan.json")
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        roles = [on_organization("OrgMember"), on_project(project.id, "ProjectViewer")]
        admin.invites.create(email="carol@example.com", role_bindings=roles)
    shown = run("apply", "plan.json", "--dry-run", "--store", "file:k", "--output", "raw").stdout
    assert shorten(shown) == ["would create key writer in project search with DataPlaneEditor"]
    before = len(list_changes(emulator))
    done = run("apply", "plan.json", "--store", "file:k", "--yes")
    assert [each["state"] for each in done.json["steps"]] == ["skipped", "done"]
    assert "create_invite" not in list_changes(emulator)[before:]


def test_a_plan_of_an_older_version_is_refused_with_the_remedy(emulator: Emulator) -> None:
    """A plan that 0.3 saved is not misread: another one is made from the file."""
    write("old.json", json.dumps({"plan_of": "apply", "version": 2, "steps": [], "desired": {}, "base": None}))
    done = run("apply", "old.json", "--yes")
    assert (done.exit, "is a plan of version 2" in done.stderr, "make another plan" in done.stderr) == (2, True, True)
    assert list_changes(emulator) == []


def test_a_report_that_cannot_be_written_goes_to_stdout(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else shows what was done, so that the report is on stdout if its file fails."""

    def fail(_: Session, path: str, __: str) -> None:
        raise CLIError(f"cannot write {path}: no space left")

    monkeypatch.setattr(plan_files, "write_file", fail)
    done = run("apply", "org.yaml", "--store", "file:k", "--yes", "--out", "report.json")
    assert "cannot write report.json: no space left" in done.stderr
    assert [each["state"] for each in json.loads(done.stdout)["steps"]] == ["done", "done"]
    assert "create_api_key" in list_changes(emulator)


def test_drift_is_carried_out_only_if_asked(emulator: Emulator) -> None:
    """With --base, what was removed in the console comes back only with --fix-drift."""
    write("base.yaml", "organization: Emulated Organization\npeople: [{email: eve@example.com, roles: [OrgMember]}]\n")
    done = run("apply", "base.yaml", "--base", "base.yaml", "--yes", "--output", "raw")
    remedy = "Drift is left as it is. To undo it, add --fix-drift."
    assert (list_changes(emulator), remedy in done.stderr) == ([], True)
    assert "drift" in done.stdout
    assert remedy in run("apply", "base.yaml", "--base", "base.yaml", "--dry-run").stderr
    assert "(drift)" in run("plan", "base.yaml", "--base", "base.yaml", terminal=True).stdout
    fixed = run("apply", "base.yaml", "--base", "base.yaml", "--fix-drift", "--yes")
    assert (fixed.exit, fixed.stderr) == (0, "")
    assert list_changes(emulator) == ["create_invite"]


def test_a_step_that_needs_what_is_drift_says_so(emulator: Emulator) -> None:
    """A key for a project that somebody renamed is not made, and its reason is the drift, not a failure."""
    head = "organization: Emulated Organization\nprojects:\n- name: search"
    write("base.yaml", head)
    write("org.yaml", f"{head}\n  api_keys: [{{name: b, roles: [DataPlaneViewer]}}]\n")
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        admin.projects.update(project_id=project.id, name="search2")
    done = run("apply", "org.yaml", "--base", "base.yaml", "--store", "file:k", "--yes")
    reason = "project search is missing, which is drift; apply drift, or write its id if it was renamed"
    assert (done.exit, [(each["state"], each["change"]["reason"]) for each in done.json["steps"][1:]]) == (
        9,
        [("not_run", reason)],
    )
    write("org.yaml", Path("org.yaml").read_text().replace("search\n", f"search\n  id: {project.id}\n"))
    assert run("apply", "org.yaml", "--base", "base.yaml", "--store", "file:k", "--yes").exit == 0


def test_an_apply_that_takes_projects_from_who_creates_them_says_so(emulator: Emulator) -> None:
    """Without a question, apply still notes that an account loses projects that it may have created."""
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        roles = [on_organization("OrgManager"), on_project(project.id, "ProjectOwner")]
        admin.service_accounts.create(name="maker", role_bindings=roles)
    accounts = "service_accounts: [{name: maker, roles: [OrgManager]}]\n"
    write("makers.yaml", f"organization: Emulated Organization\n{accounts}")
    done = run("apply", "makers.yaml", "--yes")
    assert list_changes(emulator)[-1] == "delete_role_binding"
    assert "Service account maker would no longer own projects that it may have created" in done.stderr


def test_a_part_that_fails(emulator: Emulator) -> None:
    """If a step fails, the others are done, the report has the error, and the exit code is 9."""
    emulator.faults.add("invites.create", status=403)
    done = run("apply", "org.yaml", "--store", "file:k", "--yes", "--out", "report.json")
    assert done.exit == 9
    assert "1 step failed. Fix what the lines above say, then run the command again with another --out." in done.stderr
    report = json.loads(Path("report.json").read_text())
    assert [(each["state"], each["change"]["target"]["name"]) for each in report["steps"]] == [
        ("rejected", "carol@example.com"),
        ("done", "writer"),
    ]
    assert run("apply", "org.yaml", "--store", "file:k", "--yes").exit == 0


@pytest.mark.parametrize(
    ("fault", "exit_code", "advice"),
    [
        ({"status": 403}, 10, "Fix what the lines above say"),
        ({"status": 500}, 6, "Check what was done"),
        ({"status": 429}, 7, "Wait a while"),
        ({"status": 403, "skip": 1}, 9, "Fix what the lines above say"),
    ],
)
def test_the_advice_after_an_incomplete_apply_fits_the_exit_code(
    emulator: Emulator, fault: dict[str, Any], exit_code: int, advice: str
) -> None:
    """The last line says what to do before the command is run again: look, wait, or fix what the failures name."""
    projects = "projects: [{name: one}, {name: two}]\n"
    write("projects.yaml", f"organization: Emulated Organization\n{projects}")
    emulator.faults.add("create_project", times=None, **fault)
    done = run("apply", "projects.yaml", "--yes")
    assert (done.exit, done.stderr.count(f" failed. {advice}, then run the command again.")) == (exit_code, 1), done


def test_an_apply_of_which_all_failed_of_one_cause_has_its_exit_code(emulator: Emulator) -> None:
    """If nothing was done, and all failed because of a role, the exit code is that of the role."""
    people = "people: [{email: a@example.com, roles: [OrgMember]}, {email: b@example.com, roles: [OrgMember]}]\n"
    write("people.yaml", f"organization: Emulated Organization\n{people}")
    emulator.faults.add("invites.create", status=403, times=2)
    done = run("apply", "people.yaml", "--yes")
    assert (done.exit, [each["state"] for each in done.json["steps"]]) == (10, ["rejected"] * 2), done.stderr
    emulator.faults.add("invites.create", status=403)
    assert run("apply", "people.yaml", "--yes").exit == 9


def test_a_place_that_cannot_take_a_secret(emulator: Emulator) -> None:
    """A store that fails ends the making of secrets: the key is deleted again, and the exit code is 9."""
    done = run("apply", "org.yaml", "--store", "exec:false", "--yes")
    assert done.exit == 9, done.stderr
    assert [each.name for each in emulator.state.api_keys.values()] == ["reader"]


def test_a_read_only_session_applies_nothing(emulator: Emulator) -> None:
    """A read-only session plans, and refuses to apply before anything is read."""
    assert run("plan", "org.yaml", "--read-only").exit == 0
    before = len(emulator.requests)
    assert run("apply", "org.yaml", "--store", "file:k", "--yes", "--read-only").exit == 2
    assert len(emulator.requests) == before


def test_a_refusal_is_shown_in_the_plan(emulator: Emulator) -> None:
    """A plan warns about a refusal of apply, and both exit with 5."""
    write("none.yaml", "organization: Emulated Organization\npeople: [{email: owner@example.com, absent: true}]\n")
    done = run("plan", "none.yaml")
    assert (done.exit, "is the last user who is an OrgOwner" in done.stderr) == (5, True)
    assert done.stderr.count("Nothing was changed.") == 1
    assert run("apply", "none.yaml", "--yes", "--confirm", "1").exit == 5
    assert list_changes(emulator) == []


def test_a_file_from_standard_input(emulator: Emulator) -> None:  # noqa: ARG001 - its organization
    """A file can come from standard input, and its problems name that."""
    assert run("plan", "-", stdin=ORGANIZATION_FILE).json["source"] == "standard input"
    assert "Standard input" in run("plan", "-", stdin="organization: [").stderr


def test_the_report_of_an_interrupted_apply(emulator: Emulator, stride: Callable[[int], int]) -> None:
    """Interrupted at any request, apply writes each step to the report: nothing that may be there is called not run."""
    keys = [{"name": name, "roles": ["DataPlaneEditor"]} for name in ("one", "two", "three")]
    people = [{"email": "carol@example.com", "roles": ["OrgMember"]}]
    projects = [{"name": "search", "api_keys": keys}]
    write("org.json", json.dumps({"organization": emulator.organization_id, "projects": projects, "people": people}))
    words = ("apply", "org.json", "--store", "file:{name}.key", "--yes", "--out")
    seen, texts = set[str](), set[str]()
    for number in range(1, 24, stride(3)):
        for after in (False, True):
            emulator.reset()
            for file in (*(f"{each['name']}.key" for each in keys), "report.json"):
                Path(file).unlink(missing_ok=True)
            with InterruptionAt(number, after=after).armed():
                done = run(*words, "report.json")
            if not Path("report.json").exists():
                assert (done.exit, list_changes(emulator)) == (130, []), (number, after)
                continue
            report = json.loads(Path("report.json").read_text())
            assert "Wrote report.json." in done.stderr
            said = re.findall(r"[0-9a-f]{8}-[-0-9a-f]{27}", done.stderr)
            assert [id for id in said if id not in Path("report.json").read_text()] == [], (number, after)
            texts.update(each["error"] for each in report["steps"] if "error" in each)
            states = {each["change"]["target"]["name"]: each["state"] for each in report["steps"]}
            assert len(states) == len(report["steps"]) == 5
            made = emulator.state
            there = {each.name for kind in (made.projects, made.api_keys) for each in kind.values()}
            there |= {each.email for each in made.invites.values()}
            assert there.issuperset(name for name, state in states.items() if state == "done"), (number, after, states)
            absent = {name for name, state in states.items() if state in {"not_run", "undone", "failed", "rejected"}}
            assert there.isdisjoint(absent), (number, after)
            seen.update(states.values())
            assert "The same command does what is left." not in done.stderr  # it would be refused because of the report
            if set(states.values()) == {"done"}:
                assert "what is left" not in done.stderr, (number, after, done)
    assert {"done", "undone", "not_run"} <= seen <= {"done", "undone", "sent", "failed", "not_run"}
    assert any("was deleted" in each for each in texts)


def test_an_interrupted_apply_is_completed(emulator: Emulator, stride: Callable[[int], int]) -> None:
    """Interrupted at any request, apply says what it did, and run again it completes the work: no secret is lost."""
    words = ("apply", "org.yaml", "--store", "file:{name}.key", "--yes")
    for number in range(1, 14, stride(3)):
        for after in (False, True):
            emulator.reset()
            Path("writer.key").unlink(missing_ok=True)
            interruption = InterruptionAt(number, after=after)
            with interruption.armed():
                done = run(*words)
            assert done.exit in {0, 130}, (number, after, done.stderr)
            again = run(*words)
            assert again.exit == 0, (number, after, again.stderr)
            assert run("plan", "org.yaml", "--fail-on-change").exit == 0
            writers = [each for each in emulator.state.api_keys.values() if "writer" in each.name]
            assert [(each.name, each.value) for each in writers] == [("writer", Path("writer.key").read_text())]


@pytest.mark.parametrize("output", ["json", "table"])
def test_an_end_that_is_held_back_says_what_to_do_and_a_dry_run_ends_as_its_run(output: str) -> None:
    """With nothing beside it, both end with the code of a refusal; beside another change, with that of a part."""
    with example_organization():
        Path("org.yaml").write_text(run("export").stdout)
        text = Path("org.yaml").read_text()
        held = text.replace("email: owner@example.com", "email: owner@example.com\n  until: 2020-01-01")
        for content, expected in ((held, 5), (held.replace("projects:\n", "projects:\n- name: extra\n"), 9)):
            Path("org.yaml").write_text(content)
            preview = run("apply", "org.yaml", "--dry-run", "-o", output)
            done = run("apply", "org.yaml", "--yes", "-o", output)
            assert (preview.exit, done.exit) == (expected, expected), (preview, done)
            for each in (preview, done):
                assert "Not carried out: delete user owner@example.com (" in each.stderr
                assert "make another user an OrgOwner first." in each.stderr
                assert "run the command again" not in each.stderr


@pytest.mark.usefixtures("emulator")
def test_a_file_of_another_command_is_named_and_not_listed_field_by_field() -> None:
    """In the place of the base, nothing advises to carry out a plan."""
    assert run("inventory", "--out", "inventory.json").exit == 0
    assert run("plan", "org.yaml", "--out", "plan.json").exit == 0
    assert run("apply", "org.yaml", "--store", "file:k", "--yes", "--out", "report.json").exit == 0
    kinds = {"inventory": "an inventory", "plan": "a saved plan", "report": "the report of a run"}
    for name, kind in kinds.items():
        for words in (("plan", f"{name}.json"), ("plan", "org.yaml", "--base", f"{name}.json")):
            refused = run(*words)
            assert (refused.exit, len(refused.stderr.splitlines())) == (2, 1), refused
            assert f"{name}.json is {kind}" in refused.stderr
            assert ("pinecone-admin apply" in refused.stderr) == (words == ("plan", "plan.json")), refused
