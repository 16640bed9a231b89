"""A change is asked about, or wanted with an option; a dry run shows it and sends reads only."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls.pipeline import Call
from pinecone_admin.cli.commands import Command, argument
from pinecone_admin.cli.nouns.project import NOUN
from pinecone_admin.cli.parameters import Duration, NameOrId
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows.name_tags import tag_as_temporary
from tests.cli.command_line import COMMANDS, CTRL_C, example_organization, make_deletable, run
from tests.cli.example_runs import example_folder
from tests.cli.secret_makers import intercepted

CHANGES = [spec for spec in COMMANDS if spec.effect != "reads" and not spec.takes_session]
# They make a temporary key to see what a project contains, and say so.
READS_CONTENTS = {"project delete --with-contents"}


def words_of(spec: Command, *more: str) -> list[str]:
    """Return the words of an example without its consent, and further words."""
    words = shlex.split(spec.example)[1:]
    if "--confirm" in words:
        position = words.index("--confirm")
        del words[position : position + 2]
    return [each for each in words if each not in {"--yes", "--dry-run"}] + list(more)


def sent_changes(emulator: Emulator) -> list[str]:
    """Return the changes that were sent."""
    return [
        each.operation_id for each in emulator.requests if each.method != "GET" and each.operation_id != "get_token"
    ]


def test_nothing_is_changed_without_a_terminal_and_without_consent() -> None:
    """A script that forgets --yes gets exit code 2 and the name of the option."""
    for spec in CHANGES:
        with example_organization(spec) as emulator:
            done = run(*words_of(spec), stdin="y\n")
            option = "--confirm" if spec.confirms else "--yes"
            assert (done.exit, done.stdout) == (exit_codes.USAGE, ""), spec.full_name
            assert option in done.stderr, spec.full_name
            assert "--dry-run" in done.stderr, spec.full_name
            assert sent_changes(emulator) == []


def test_a_prompt_names_the_change_the_organization_and_the_caller() -> None:
    """On a terminal, every change is asked about, and no is the default."""
    for position, spec in enumerate(CHANGES):
        if spec.lists_planned:  # of which nothing is due
            continue
        with example_organization(spec) as emulator:
            answer = ("n\n", "\n", "")[position % 3]
            done = run(*words_of(spec), terminal=True, stdin=answer)
            assert (done.exit, done.stdout) == (exit_codes.INTERRUPTED, ""), (spec.full_name, done)
            assert f"About to: {spec.full_name}" in done.said
            assert f"organization 'Emulated Organization' ({emulator.organization_id})" in done.said
            assert f"as client id {emulator.client_id}" in done.said
            assert "Nothing was changed." in done.stderr
            assert sent_changes(emulator) == []


OVERLAP = "Each old key is deleted as soon as its new value is stored."
CONSEQUENCES = {
    "api-key delete reader --project search": "What uses the API key loses access.",
    "api-key rotate reader --project search --keep-old-for 0 --reveal": (
        "The old key is deleted as soon as the new value is stored or shown."
    ),
    "api-key rotate-due --older-than 1d --keep-old-for 0 --store file:{name}": OVERLAP,
    "service-account delete ci": "What uses the account loses access within seconds.",
    "service-account rotate ci --reveal": "The old secret stops working within seconds.",
    "service-account rotate-due --older-than 1d --store file:{name}": "The old secrets stop working within seconds.",
    "project create new --require-cmek": "--require-cmek cannot be undone.",
    "project ensure new --require-cmek": "--require-cmek cannot be undone.",
    "project update search --require-cmek": "--require-cmek cannot be undone.",
    "api-key rotate reader --project search --keep-old-for 1d --reveal": "",
    "project update search --name other": "",
}
"""The part of a question about things that cannot be restored; nothing if everything can."""


@pytest.mark.parametrize("line", CONSEQUENCES)
def test_a_question_says_what_cannot_be_had_back(line: str) -> None:
    """It stands before what would be done, and in the notes of a dry run."""
    with example_organization() as emulator:
        if "-due" in line:
            fill(emulator, 1)
            emulator.requests.clear()
        done = run(*line.split(), terminal=True, stdin="n\n")
        preview = run(*line.split(), "--dry-run", "-o", "json")
        assert (done.exit, sent_changes(emulator)) == (exit_codes.INTERRUPTED, []), done
    before = done.said.partition("About to: ")[0].strip()
    assert before == CONSEQUENCES[line] if "-due" not in line else before.endswith(CONSEQUENCES[line])
    noted = {*preview.json.get("notes", ())} & {*CONSEQUENCES.values()}
    assert noted == {CONSEQUENCES[line]} - {""}


LISTING = (
    "api-key rotate-due --older-than 7d --keep-old-for 7d --store file:{project}-{name}",
    "api-key delete-retired",
    "service-account rotate-due --older-than 7d --store file:{name}",
)


@pytest.mark.parametrize("line", LISTING)
def test_a_question_on_what_no_word_names_lists_it(line: str) -> None:
    """At most ten lines of the dry run and a count; a no leaves everything, and a yes does all of it."""
    with example_organization() as emulator:
        fill(emulator, 12)
        emulator.requests.clear()
        (_, *preview, end) = run(*line.split(), "--dry-run", "-o", "table").stdout.splitlines()
        assert end == "Nothing was changed."
        assert len(preview) > 10
        done = run(*line.split(), terminal=True, stdin="n\n", env={"COLUMNS": "400", "NO_COLOR": "1"})
        assert (done.exit, done.stdout, sent_changes(emulator)) == (exit_codes.INTERRUPTED, "", []), done
        shown = done.stderr.splitlines()
        assert shown[:11] == [*preview[:10], f"… and {len(preview) - 10} more."]
        agreed = run(*line.split(), terminal=True, stdin="y\n", env={"COLUMNS": "400", "NO_COLOR": "1"})
        assert agreed.exit in {0, 9}, agreed
        assert len(sent_changes(emulator)) >= 12


@pytest.mark.parametrize("line", LISTING)
def test_nothing_is_asked_if_nothing_is_due(line: str) -> None:
    """A person reads that, and a script without --yes is refused before anything is read."""
    with example_organization() as emulator:
        done = run(*line.split(), terminal=True, stdin="")
        assert (done.exit, done.stderr, sent_changes(emulator)) == (exit_codes.DONE, "", []), done
        assert done.stdout.startswith("No ")
        assert "Nothing was changed" not in done.stdout
        same = run(*line.split(), "--yes", terminal=True)
        assert (same.exit, same.stdout) == (done.exit, done.stdout)
        emulator.requests.clear()
        assert run(*line.split()).exit == exit_codes.USAGE
        assert [*emulator.requests] == []


def test_every_command_that_names_nothing_lists_what_it_would_do() -> None:
    """Those that change something and need nothing but times."""
    silent = {
        each.full_name
        for each in CHANGES
        if not [param for param in each.own_params if param.required and not isinstance(param.type, Duration)]
    }
    assert silent == {each.full_name for each in COMMANDS if each.lists_planned}
    assert silent == {" ".join(line.split()[:2]) for line in LISTING}


def fill(emulator: Emulator, number: int) -> None:
    """Add keys, temporary keys, and accounts whose secrets are in files, all of them older than 7 days."""
    with emulator.admin() as admin:
        search = admin.projects.describe_by_name(name="search")
        for each in range(number):
            name = tag_as_temporary(search.id, emulator.clock.now() + timedelta(days=1), f"{each}")
            admin.api_keys.create(project_id=search.id, name=f"key-{each}")
            admin.api_keys.create(project_id=search.id, name=name)
            account = admin.service_accounts.create(name=f"account-{each}")
            document = {"client_id": account.service_account.client_id, "client_secret": account.client_secret}
            path = Path(f"account-{each}")
            path.touch(mode=0o600)
            path.write_text(json.dumps(document))
    emulator.clock.advance(timedelta(days=30).total_seconds())


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (["--reveal"], "--reveal"),
        (["--store", "file:{name}.key"], "--store file:{name}.key"),
        (["--store", "exec:cat token=abc -"], "--store exec:cat"),
    ],
)
def test_a_question_says_where_the_secret_goes(place: list[str], shown: str) -> None:
    """Of a command, it shows only the first word, as the output does."""
    with example_organization():
        done = run("api-key", "create", "new", "--project", "search", *place, terminal=True, stdin="n\n")
    assert f"About to: api-key create new --project search {shown}\n" in done.stderr
    assert "token=abc" not in done.said


def test_the_question_of_an_offboarding_shows_the_address_and_the_id() -> None:
    """It has the form of every other question."""
    with example_organization() as emulator:
        ada = next(each for each in emulator.state.users.listing if each.email == "ada@example.com")
        done = run("user", "offboard", "ada@example.com", terminal=True, stdin="n\n")
    assert f"About to: user offboard ada@example.com ({ada.id})\n" in done.stderr


def test_a_prompt_shows_the_name_and_the_id_of_what_is_deleted() -> None:
    """If you pass an id, the output has the name. If you pass a name, it has the id."""
    with example_organization() as emulator:
        project = next(each for each in emulator.state.projects.values() if each.name == "empty")
        for given in (project.id, project.name):
            done = run("project", "delete", given, terminal=True, stdin="n\n")
            assert f"About to: project delete empty ({project.id})" in done.stderr


def test_an_interrupted_read_changes_nothing(tmp_path: Path) -> None:
    """Ctrl-C while a command only reads ends in one line that says so once, also before a change."""

    def interrupt(_: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        response = handle()
        os.kill(os.getpid(), signal.SIGINT)
        return response

    (tmp_path / "people").write_text("ada@example.com\n")
    with example_organization() as emulator:
        plan = str(tmp_path / "plan.json")
        assert run("user", "offboard", "--people", str(tmp_path / "people"), "--out", plan).exit == 0
        with intercepted(interrupt):
            for words in (
                ("access",),
                ("project", "list"),
                ("whoami",),
                ("project", "delete", "empty", "--yes"),
                ("user", "offboard", "ada@example.com", "--yes"),
                ("user", "offboard", "--people", str(tmp_path / "people"), "--dry-run"),
                ("apply", plan, "--yes"),
            ):
                done = run(*words)
                assert (done.exit, done.stderr) == (
                    exit_codes.INTERRUPTED,
                    "error: Interrupted. Nothing was changed.\n",
                ), words
        assert sent_changes(emulator) == []


def test_an_interrupted_prompt_changes_nothing(tmp_path: Path) -> None:
    """Ctrl-C at any prompt ends in one line that says so once."""
    with example_organization() as emulator:
        plan = str(tmp_path / "plan.json")
        emulator.clock.advance(60)
        assert run("project", "stale", "--match", "empty", "--older-than", "1s", "--out", plan, "--yes").exit == 0
        emulator.requests.clear()
        for words in (
            ("project", "create", "docs"),
            ("project", "delete", "empty"),
            ("project", "delete", "--with-contents", "search"),
            ("apply", plan),
            ("user", "offboard", "ada@example.com"),
            ("send", "POST", "/admin/projects", "--body", '{"name": "docs"}'),
            ("send", "DELETE", "/admin/projects/x"),
        ):
            done = run(*words, terminal=True, stdin=CTRL_C)
            assert (done.exit, done.stdout) == (exit_codes.INTERRUPTED, ""), done
            assert done.stderr.splitlines()[-1] == "error: Interrupted. Nothing was changed.", words
        assert sent_changes(emulator) == []


def test_the_answer_yes_makes_the_change() -> None:
    """Y and yes are consent."""
    with example_organization() as emulator:
        for name, answer in (("one", "y\n"), ("two", "YES\n")):
            assert run("project", "create", name, terminal=True, stdin=answer).exit == exit_codes.DONE
        assert sent_changes(emulator) == ["create_project", "create_project"]


def test_the_own_account_is_known_before_a_place_for_its_secret_is_asked_for() -> None:
    """The first refusal is the one that a run with a place would meet; of another account, the place is missing."""
    with example_organization() as emulator:
        name = next(each.name for each in emulator.state.service_accounts.listing if each.name != "ci")
        for options in ((), ("--dry-run",), ("--reveal",), ("--store", "file:x.json")):
            refused = run("service-account", "rotate", name, "--confirm", name, *options)
            assert (refused.exit, "its client secret comes from the environment" in refused.stderr) == (5, True), (
                options
            )
        asked = run("service-account", "rotate", "ci", "--yes")
        assert (asked.exit, "Say where it should go with --store" in asked.stderr) == (2, True)
        assert sent_changes(emulator) == []


def test_what_removes_the_caller_itself_wants_the_name() -> None:
    """Deleting the account that acts, or a role of it, asks in those words; --yes is enough for all others."""
    with example_organization() as emulator:
        caller = next(each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)
        with emulator.admin() as admin:
            (binding,) = admin.role_bindings.list(principal_type="service_account", principal_id=caller.id)
        emulator.requests.clear()
        role = f"service-account:{caller.name}:{binding.role}"
        revoked = "This is a role of the account you are using. Without it, later commands may be refused."
        deleted = "This is the account you are using. Its credentials will stop working."
        member, owner = ("--from", "OrgMember", "--to", "OrgOwner"), ("--from", "OrgOwner", "--to", "OrgManager")
        cases = (
            (("service-account", "delete", caller.id), caller.name, deleted),
            (("service-account", "delete", caller.name), caller.name, deleted),
            (("role", "revoke", role), role, revoked),
            (("role", "revoke", binding.id), role, revoked),
            (("role", "change", "--service-account", caller.id, *owner), caller.id, revoked),
            (("role", "change", "--service-account", caller.name, *owner), caller.name, revoked),
        )
        for command, name, words in cases:
            refused = run(*command, "--yes")
            assert (refused.exit, refused.stdout) == (exit_codes.USAGE, ""), refused
            assert (
                f"error: {words} --yes is not enough for this. Add --confirm {name} to go ahead, or --dry-run to see"
                in refused.stderr
            )
            assert run(*command, "--yes", "--confirm", "another").exit == exit_codes.USAGE
            asked = run(*command, "--yes", terminal=True, stdin="y\n")
            assert (asked.exit, words in " ".join(asked.stderr.split()), f"name {name} to" in asked.stderr) == (
                130,
                True,
                True,
            )
            preview = run(*command, "--dry-run")
            assert (preview.exit, preview.stderr.endswith(f"{words}\n")) == (0, True), preview
            assert preview.json["notes"][-1] == words
        assert sent_changes(emulator) == []
        assert run("service-account", "delete", "ci", "--yes").exit == 0
        assert run("role", "change", "--user", "ada@example.com", *member, "--yes").exit == 0
        assert run("role", "revoke", "user:ada@example.com:search:ProjectViewer", "--yes").exit == 0
        done = run("service-account", "delete", caller.name, "--confirm", caller.name)
        assert (done.exit, done.json["id"]) == (0, caller.id)
        after = run("project", "list")
        assert after.exit == exit_codes.IDENTITY
    with example_organization():
        assert run(*cases[-1][0], "--confirm", caller.name).exit == 0


def test_what_deletes_contents_wants_the_name() -> None:
    """Neither --yes nor y is enough: the name is typed, or given with --confirm."""
    words = ("project", "delete", "--with-contents", "search")
    with example_organization() as emulator:
        assert run(*words, "--yes").exit == exit_codes.USAGE
        assert run(*words, "--yes", "--confirm", "serch").exit == exit_codes.USAGE
        assert run(*words, "--dry-run", "--confirm", "serch").exit == exit_codes.USAGE
        assert run(*words, terminal=True, stdin="y\n").exit == exit_codes.INTERRUPTED
        assert sent_changes(emulator) == []
        assert run(*words, terminal=True, stdin="search\n").exit == exit_codes.DONE
        assert "delete_project" in sent_changes(emulator)


def test_a_project_with_keys_wants_its_name() -> None:
    """The question and the refusal name the keys that would be deleted; one without keys wants a yes."""
    says = "Project search has 1 API key, which would be deleted with it: reader."
    with example_organization() as emulator:
        (search,) = (each.id for each in emulator.state.projects.values() if each.name == "search")
        for given in ("search", search):
            words = ("project", "delete", given)
            refused = run(*words, "--yes")
            why = "--yes is not enough for this."
            assert refused.stderr.startswith(f"error: {says} {why} Add --confirm search to go ahead, or --dry-run")
            assert run(*words).stderr.startswith(f"error: {says} Add --confirm search to go ahead, or --dry-run")
            assert run(*words, "--yes", "--confirm", "serch").exit == exit_codes.USAGE
            asked = run(*words, "--yes", terminal=True, stdin="y\n")
            assert (asked.exit, asked.stderr.splitlines()[0]) == (exit_codes.INTERRUPTED, says)
            assert "Type the name search to go on: " in asked.stderr
            misread = run(*words, "--confirm", search)
            assert f"error: --confirm {search} does not match: the project is called search." in misread.stderr
            preview = run(*words, "--dry-run")
            unread = "The contents were not read. If the project has more than API keys, the run is refused."
            assert (preview.exit, preview.json["notes"], preview.stderr) == (0, [unread], f"{unread}\n")
        assert sent_changes(emulator) == []
        assert run("project", "delete", search, "--confirm", "search").exit == exit_codes.CONFLICT  # it has an index
        assert run("project", "delete", "empty", "--confirm", "search").exit == exit_codes.USAGE
        assert run("project", "delete", "empty", "--yes").exit == exit_codes.DONE
        with emulator.admin() as admin:
            other = admin.projects.create(name="other").id
            admin.api_keys.create(project_id=other, name="k")
        assert run("project", "delete", "other", "--confirm", "other").exit == exit_codes.DONE
        missing = run("project", "delete", other, "--yes")
        assert (missing.exit, other in missing.stderr) == (exit_codes.NOT_FOUND, True)


@pytest.mark.parametrize("name", ["n\nl", "last\n", "it's\u202e", "tab\there", r"n\u000al"], ids=repr)
def test_a_name_is_confirmed_as_it_is_shown_or_as_it_is(name: str) -> None:
    """The --confirm that the refusal advises, what the question shows, and the exact name are all the name."""
    for way in ("advice", "question", "exact"):
        with example_organization() as emulator:
            with emulator.admin() as admin:
                project = admin.projects.create(name=name).id
                admin.api_keys.create(project_id=project, name="k")
            words = ("project", "delete", project)
            if way == "advice":
                (advised,) = re.findall(r"Add --confirm (.*) to go ahead", run(*words).stderr)
                done = run(*words, "--confirm", *shlex.split(advised))
            elif way == "question":
                (shown,) = re.findall("Type the name (.*) to go on: ", run(*words, terminal=True, stdin="n\n").stderr)
                done = run(*words, terminal=True, stdin=f"{shown}\n")
            else:
                done = run(*words, "--confirm", name)
            assert (done.exit, project in emulator.state.projects) == (exit_codes.DONE, False), (way, done)
            assert run("project", "delete", "empty", "--confirm", name).exit == exit_codes.USAGE


def test_keys_that_cannot_be_seen_are_feared() -> None:
    """If the account may not list the keys of a project, the name is wanted; another refusal is an error."""
    with example_organization() as emulator:
        emulator.faults.add(
            "list_project_api_keys",
            status=403,
            body={"error": {"code": "PERMISSION_DENIED", "message": "no"}},
        )
        refused = run("project", "delete", "empty", "--yes")
        assert "may have API keys that this account cannot see" in refused.stderr
        assert "--confirm empty" in refused.stderr
        emulator.faults.add("list_project_api_keys", status=403, body="html")
        assert run("project", "delete", "empty", "--yes").exit == exit_codes.REFUSED
        assert sent_changes(emulator) == []


def test_projects_that_cannot_be_seen_are_feared() -> None:
    """An organization that may have projects is asked about all the same, since only a refusal shows that it has."""
    with example_organization() as emulator:
        make_deletable(emulator)
        emulator.faults.add("list_projects", status=403, times=None)
        for words, code in (((), exit_codes.USAGE), (("--dry-run",), exit_codes.DONE)):
            done = run("organization", "delete", "Emulated Organization", *words)
            assert (done.exit, "may have projects that this account cannot see" in done.stderr) == (code, True), done


def _empty(emulator: Emulator) -> None:
    make_deletable(emulator)
    emulator.state.organization.plan = "Enterprise"


def _suspend(emulator: Emulator) -> None:
    make_deletable(emulator)
    emulator.state.organization.payment_status = "PastDue"


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda _: None, "because its plan is Enterprise (not Free) and it has 2 projects (search, empty)."),
        (_empty, "because its plan is Enterprise (not Free)."),
        (_suspend, "because its payment status is PastDue (not Active)."),
    ],
)
def test_an_organization_that_the_server_keeps_is_refused_in_a_dry_run_too(
    prepare: Callable[[Emulator], None], reason: str
) -> None:
    """The dry run ends as the run, with all that stands against the deletion, and does not say that it would delete."""
    with example_organization() as emulator:
        prepare(emulator)
        for words in (("--dry-run",), ("--dry-run", "-o", "table"), ("--confirm", "Emulated Organization")):
            done = run("organization", "delete", "Emulated Organization", *words)
            assert (done.exit, done.stdout) == (exit_codes.CONFLICT, ""), done
            assert f"Organization 'Emulated Organization' cannot be deleted, {reason}" in done.stderr
        assert sent_changes(emulator) == []


def test_an_input_that_ends_is_no_answer() -> None:
    """The message does not claim that somebody said no, and begins on a line of its own."""
    with example_organization() as emulator:
        done = run("project", "create", "x", terminal=True, stdin="")
        assert done.exit == exit_codes.INTERRUPTED
        assert done.stderr.endswith("\nerror: The input ended without an answer. Nothing was changed.\n")
        assert sent_changes(emulator) == []


@pytest.mark.parametrize(
    "name", [each.full_name for each in COMMANDS if each.effect != "reads" and not each.lists_planned]
)
def test_every_command_that_changes_something_asks_on_a_terminal(name: str) -> None:
    """Without --yes or --confirm it asks, and if the answer is no, nothing is changed, and the exit code is 130."""
    (spec,) = (each for each in COMMANDS if each.full_name == name)
    words = ["send", "PATCH", "/admin/projects/x", "--body", "{}"] if name == "send" else words_of(spec)
    with example_folder(), example_organization(spec) as emulator:
        before = emulator.dump()["organization"]
        done = run(*words, terminal=True, stdin="no\n")
        assert done.exit == exit_codes.INTERRUPTED, done
        assert re.search(r"Go on\? \[y/N\]|Type the \w+ .+ to go on:", done.said), done
        assert "Nothing was changed." in done.said
        assert emulator.dump()["organization"] == before


def test_a_variable_ends_every_question() -> None:
    """With it, a command on a terminal ends as it does without one; a wrong value ends questions, too, and is named."""
    with example_organization():
        for value, reason in {"1": "1", " 1 ": "1", "yes": "neither 1 nor 0", "2": "neither 1 nor 0"}.items():
            env = {"PINECONE_ADMIN_NO_PROMPT": value}
            for words in (["project", "create", "x"], ["login", "--name", "x"]):
                done = run(*words, terminal=True, stdin="y\n", env=env)
                assert f"since PINECONE_ADMIN_NO_PROMPT is {reason}." in done.said, (value, done)
                assert done.exit == exit_codes.USAGE, (value, done)
        for value in ("0", ""):
            done = run("project", "create", "x", terminal=True, stdin="n\n", env={"PINECONE_ADMIN_NO_PROMPT": value})
            assert done.exit == exit_codes.INTERRUPTED, (value, done)


def test_a_dry_run_of_what_would_be_refused_ends_as_the_refusal() -> None:
    """A project with a protected index is not deleted; with --lift-protection, the dry run ends with 0."""
    words = ("project", "delete", "--with-contents", "search")
    with example_organization() as emulator:
        (search,) = (each.id for each in emulator.state.projects.values() if each.name == "search")
        emulator.hold(search, "indexes", "people", protected=True)
        preview = run(*words, "--dry-run", "--yes")
        assert (preview.exit, bool(preview.json["report"]["refusal"])) == (exit_codes.CONFLICT, True)
        assert run(*words, "--confirm", "search").exit == exit_codes.CONFLICT
        assert run(*words, "--dry-run", "--yes", "--lift-protection").exit == exit_codes.DONE


def test_the_refusal_of_a_protected_index_names_the_option_that_lifts_the_protection() -> None:
    """The run and its dry run, also as a table, show the option, and no argument of the library."""
    words = ("project", "delete", "--with-contents", "search")
    with example_organization() as emulator:
        (search,) = (each.id for each in emulator.state.projects.values() if each.name == "search")
        emulator.hold(search, "indexes", "people", protected=True)
        for done in (run(*words, "--dry-run", "--yes"), run(*words, "--confirm", "search")):
            assert "Deletion protection is on for index people: turn it off, or add --lift-protection." in done.said
        table = run(*words, "--dry-run", "--yes", "-o", "table").stdout
    assert "cannot be deleted: deletion protection is on for index people: turn it off, or add --lift-pro" in table


@pytest.mark.parametrize(
    ("refused", "state"),
    [
        ("delete_index", "its deletion protection is off now"),
        ("configure_index", "its deletion protection is still on"),
    ],
)
def test_an_index_that_is_not_deleted_after_all_is_named_with_its_protection(refused: str, state: str) -> None:
    """Whoever lifts the protection learns whether the index that remains is without it."""
    with example_organization() as emulator:
        (search,) = (each.id for each in emulator.state.projects.values() if each.name == "search")
        indexes = emulator.state.projects[search].contents["indexes"]
        for name in list(indexes):
            emulator.hold(search, "indexes", name, protected=True)
        emulator.faults.add(refused, status=403, times=None)
        done = run("project", "delete", "--with-contents", "search", "--lift-protection", "--confirm", "search")
        assert {each.protected for each in indexes.values()} == {"still on" in state}
    assert f" cannot be deleted: fault injected by the emulator. {state.capitalize()}." in done.said
    assert done.said.count("deletion protection") == len(indexes) or "still on" in state
    assert "carried out" not in done.said


def test_a_dry_run_sends_reads_only_and_names_organization_and_caller() -> None:
    """Every command that changes something can show what it would do, without consent, as a list of steps.

    What exists and a step is about is among the names. Only the step of ``send`` is a request.
    """
    for spec in CHANGES:
        with example_organization(spec) as emulator:
            makes_keys = spec.full_name in READS_CONTENTS
            done = run(*words_of(spec, "--dry-run", *(["--yes"] if makes_keys else [])))
            notes = "".join(f"{note}\n" for note in done.json.get("notes", []))
            assert (done.exit, done.stderr.endswith(notes)) == (exit_codes.DONE, True), (spec.full_name, done)
            assert (done.stderr.removesuffix(notes) != "") == makes_keys, (spec.full_name, done)
            assert done.json["dry_run"] is True
            assert done.json["organization"] == {"id": emulator.organization_id, "name": "Emulated Organization"}
            assert done.json["caller"] == emulator.client_id
            steps = done.json["would_do"] if spec.full_name != "send" else []
            assert {each["state"] for each in steps} <= {"planned", "skipped"}, spec.full_name
            targets = [each["change"]["target"] for each in steps]
            ids = {
                each["id"] for target in targets for each in (target, target.get("project") or target) if "id" in each
            }
            names = {each["id"]: each["name"] for each in done.json["names"]}
            assert (ids <= {*names}, all(names.values())) == (True, True), (spec.full_name, done.json)
            assert steps or "report" in done.json or spec.full_name == "send", spec.full_name
            if not makes_keys:
                assert sent_changes(emulator) == [], spec.full_name
            emulator.requests.clear()


def test_a_dry_run_reads_well_on_a_terminal() -> None:
    """It shows the organization, the account and the change."""
    wide = {"COLUMNS": "400"}
    with example_organization():
        plain = run("project", "create", "docs", "--dry-run", terminal=True, env=wide).stdout
        staged = run("project", "ensure", "docs", "--dry-run", terminal=True, env=wide).stdout
        nothing = run("project", "ensure", "search", "--dry-run", terminal=True, env=wide).stdout
        contents = run(
            "project", "delete", "--with-contents", "search", "--dry-run", "--yes", terminal=True, env=wide
        ).stdout
        differing = run("project", "ensure", "search", "--max-pods", "2", "--dry-run", terminal=True, env=wide).stdout
    assert all(text.startswith("Dry run in organization 'Emulated") for text in (plain, staged, nothing, contents))
    assert plain == staged
    assert plain.splitlines()[1:] == ["would create project docs"]
    assert "Found project search" in nothing
    assert "index documents" in contents
    assert "temporary API keys" in contents
    assert "Differs: max_pods: found 0, wanted 2" in differing


def test_a_dry_run_checks_what_the_server_would_refuse() -> None:
    """A value that cannot be right is an error of the dry run, too."""
    with example_organization() as emulator:
        done = run("api-key", "create", "x" * 81, "--project", "search", "--dry-run")
        assert (done.exit, done.stdout) == (exit_codes.USAGE, "")
        assert sent_changes(emulator) == []


def test_a_dry_run_shows_no_secret() -> None:
    """A command that makes a secret needs no place for it in a dry run."""
    with example_organization():
        for spec in CHANGES:
            if spec.makes:
                words = [each for each in words_of(spec, "--dry-run") if each != "--reveal"]
                assert run(*words).exit == exit_codes.DONE, spec.full_name


@pytest.mark.parametrize("option", [["--read-only"], []])
def test_a_read_only_session_changes_nothing(option: list[str]) -> None:
    """With --read-only or the variable, whatever would change something is refused before anything else happens."""
    env = {} if option else {"PINECONE_ADMIN_READ_ONLY": "1"}
    others = (["user", "offboard", "ada@example.com"], ["apply", "none.json"])
    sent = (["send", method, "/admin/projects"] for method in ("post", "DELETE", "PATCH", "PUT"))
    store = ("--store", "file:/no/such/folder")
    changes = [words_of(spec, *(store if "--reveal" in words_of(spec) else ())) for spec in CHANGES]
    cases = [*changes, *others, *sent, ["apply", "none.json"]]
    with example_organization() as emulator:
        for words in cases:
            given = [each for each in words if each != "--reveal"]
            done = run(*given, *option, "--output", "json", env=env, terminal=True)
            assert (done.exit, done.error["code"]) == (exit_codes.USAGE, "PA103"), (words, done)
            assert len(done.stderr.splitlines()) == 1
        assert len(emulator.requests) == 0


def test_a_read_only_session_still_reads(tmp_path: Path) -> None:
    """With --read-only, reads, dry runs and plans work."""
    people = tmp_path / "people.csv"
    people.write_text("email\nada@example.com\n")
    with example_organization() as emulator:
        for words in (
            ["project", "list"],
            ["project", "create", "x", "--dry-run"],
            ["send", "GET", "/admin/projects"],
            ["send", "DELETE", "/admin/projects/x", "--dry-run"],
            ["user", "offboard", "ada@example.com", "--dry-run"],
            ["user", "offboard", "--people", str(people), "--out", str(tmp_path / "plan.json")],
        ):
            assert run(*words, "--read-only").exit == exit_codes.DONE, words
        assert sent_changes(emulator) == []


def test_the_result_of_a_deletion_is_data() -> None:
    """A script that reads JSON finds what was done."""
    with example_organization() as emulator:
        project = next(each.id for each in emulator.state.projects.values() if each.name == "empty")
        done = run("project", "delete", "empty", "--yes")
    assert done.json == {"done": "project delete", "id": project, "name": "empty"}


def test_a_deletion_within_another_thing_names_what_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt has both, and the result has the id of the deleted resource."""
    monkeypatch.setattr(NOUN, "commands", dict(NOUN.commands))

    @NOUN.command("deletes", example="")
    @argument("project_id", "The project.", type=NameOrId("project"))
    @argument("api_key_id", "The key.")
    def remove_key(call: Call, *, project_id: str, api_key_id: str) -> None:  # noqa: ARG001 - as it is called
        """Delete a key of a project."""
        call.admin.api_keys.delete(api_key_id=api_key_id)

    with example_organization() as emulator:
        project = next(each for each in emulator.state.projects.values() if each.name == "search")
        (key,) = emulator.state.api_keys
        prompt = run("project", "remove-key", "search", key, terminal=True, stdin="n\n").said
        assert f"About to: project remove-key search ({project.id}) {key} In organization" in prompt
        done = run("project", "remove-key", "search", key, "--yes")
    assert done.json == {"done": "project remove-key", "id": key, "name": None}


@pytest.mark.parametrize(
    "command",
    [
        ("user", "offboard", "ada@example.com"),
        ("role", "change", "--user", "ada@example.com", "--from", "OrgMember", "--to", "OrgManager"),
        ("invite", "ensure", "eve@example.com", "--role", "OrgMember"),
    ],
)
def test_a_person_of_an_identity_provider_is_changed_there(command: tuple[str, ...]) -> None:
    """Where the server refuses to change a person whom an identity provider manages, the error says who decides."""
    with example_organization() as emulator:
        emulator.configure(managed_people=True)
        done = run(*command, "--yes")
    assert "it decides on membership and roles: change them there" in done.stderr
    assert done.exit == exit_codes.CONFLICT


def test_a_role_on_the_organization_is_not_advised_where_only_roles_on_a_project_are_taken() -> None:
    """Advice that would be refused is not given: --grant of provision is for one project."""
    with example_organization():
        words = ("--role", "ProjectViewer", "--grant", "service-account:ci:OrgMember", "--reveal", "--yes")
        refused = run("project", "provision", "acme", *words)
    assert refused.exit == 2
    assert "--grant grants roles on the project, and OrgMember is a role on the organization" in refused.stderr
    assert "role grant" in refused.stderr


def test_old_keys_are_named_as_old_before_their_project_is_deleted() -> None:
    """A key that a rotation has replaced has the name of the new one, and a reader must not take it for that."""
    with example_organization() as emulator:
        options = ("--keep-old-for", "1d", "--reveal", "--yes")
        assert run("api-key", "rotate", "reader", *options).exit == 0
        emulator.requests.clear()
        preview = run("project", "delete", "search", "--dry-run", "-o", "table")
        refused = run("project", "delete", "search", "--yes")
    assert "with 2 keys: reader (old), reader\n" in preview.stdout
    assert "Project search has 2 API keys, which would be deleted with it: reader (old), reader." in refused.stderr
