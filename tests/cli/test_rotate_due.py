"""``api-key rotate-due``: what is rotated, what fails alone, and what a next run goes on with."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from pinecone_admin.cli.exit_codes import DONE, PARTLY_DONE
from pinecone_admin.emulator import Emulator, serving
from tests.cli.command_line import Run, example_organization, make_deletable, run
from tests.cli.secret_makers import InterruptionAt, intercepted
from tests.support.concurrency import PATIENCE
from tests.support.fault_injection import KilledError

DAYS = 86_400
KEYS = {"search/reader", "search/indexer", "shop/reader"}


def rotate(store: str | None = None, *, more: tuple[str, ...] = ()) -> Run:
    """Run the command with a template for the places."""
    options = () if store is None else ("--store", store)
    return run("api-key", "rotate-due", "--older-than", "90d", "--keep-old-for", "7d", *options, "--yes", *more)


@pytest.fixture
def emulator() -> Generator[Emulator]:
    """Emulate an organization with three keys in two projects, all of them 91 days old."""
    with example_organization() as emulator:
        with emulator.admin() as admin:
            search = admin.projects.describe_by_name(name="search")
            for key in admin.api_keys.list(project_id=search.id):
                if key.name != "reader":
                    admin.api_keys.delete(api_key_id=key.id)
            admin.api_keys.create(project_id=search.id, name="indexer", roles=["DataPlaneEditor"])
            shop = admin.projects.create(name="shop")
            admin.api_keys.create(project_id=shop.id, name="reader")
        emulator.clock.advance(91 * DAYS)
        emulator.requests.clear()
        yield emulator


def values(emulator: Emulator) -> dict[str, str]:
    """Return the value of each key without a tag, by the names of its project and its own."""
    projects = emulator.state.projects
    keys = emulator.state.api_keys.values()
    return {f"{projects[key.project_id].name}/{key.name}": key.value for key in keys if not key.name.startswith("~")}


def changes(emulator: Emulator) -> list[str]:
    """Return the methods of the requests that change something."""
    return [each.method for each in emulator.requests if each.method != "GET" and each.operation_id != "get_token"]


def test_each_value_goes_to_its_own_place_every_night(emulator: Emulator) -> None:
    """What is old is rotated, the next night changes nothing, and after their time old keys are deleted."""
    for project in ("search", "shop"):
        Path(project).mkdir()
    before = values(emulator)
    first = rotate("file:{project}/{name}.key")
    assert (first.exit, first.stderr) == (0, "")
    assert [each["name"] for each in first.json["rotated"]] == ["reader", "indexer", "reader"]
    assert {str(path)[:-4]: path.read_text() for path in Path().rglob("*.key")} == values(emulator)
    assert set(values(emulator)) == KEYS
    assert not set(before.values()) & set(values(emulator).values())
    assert "pcsk_" not in first.stdout
    emulator.requests.clear()
    second = rotate("file:{project}/{name}.key")
    assert (second.exit, second.json["rotated"], len(second.json["kept"]), changes(emulator)) == (0, [], 3, [])
    emulator.clock.advance(8 * DAYS)
    third = rotate("file:{project}/{name}.key", more=("--output", "table"))
    assert third.stdout.count(": the old key is deleted.\n") == len(emulator.state.api_keys) == 3


def lines_of(done: Run) -> list[str]:
    """Return the lines of a table, without points in time."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", done.stdout).splitlines()


def test_one_line_for_each_key_says_what_happened_and_where_its_value_is(emulator: Emulator) -> None:
    """Without an id and without the names that keys have during a rotation; the old key is kept at least that long."""
    table = ("--output", "table")
    with emulator.admin() as admin:
        search = admin.projects.describe_by_name(name="search")
        admin.api_keys.create(project_id=search.id, name="in/valid")
    emulator.clock.advance(91 * DAYS)
    first = rotate("file:{project}-{name}.key", more=table)
    assert first.exit == PARTLY_DONE
    problem = "contains /, so it cannot stand for {name}"
    assert lines_of(first) == [
        "search/reader: replaced; the new value is in search-reader.key, the old key stays at least until TIME.",
        "search/indexer: replaced; the new value is in search-indexer.key, the old key stays at least until TIME.",
        "shop/reader: replaced; the new value is in shop-reader.key, the old key stays at least until TIME.",
        f"search/'in/valid': not replaced: --store: the name of key search/in/valid {problem}. Change that name first.",
    ]
    kept = run("api-key", "delete-retired", "--yes", *table)
    assert lines_of(kept) == [
        f"{key}: the old key stays at least until TIME." for key in ("search/reader", "search/indexer", "shop/reader")
    ]
    emulator.clock.advance(8 * DAYS)
    preview = run("api-key", "delete-retired", "--dry-run", *table)
    assert preview.stdout.splitlines()[1:] == [
        *(f"{key}: the old key would be deleted." for key in ("search/reader", "search/indexer", "shop/reader")),
        "Nothing was changed.",
    ]
    one = ("api-key", "rotate-due", "--older-than", "7d", "--keep-old-for", "0", "--project", "shop", "--yes", *table)
    again = run(*one, "--store", "exec:sh -c 'cat >/dev/null' {name}")
    assert again.stdout.splitlines() == [
        "shop/reader: replaced; the new value was passed to sh, the old key is deleted.",
        "shop/reader: the old key is deleted.",
    ]
    assert run(*one, "--store", "file:{name}.key").stdout == "No key that this account can see is due.\n"


def test_only_old_keys_of_one_name_have_their_ids_in_a_table(emulator: Emulator) -> None:
    """Nothing else tells apart those that two rotations keep, in the lines of both commands."""
    store = ("--keep-old-for", "150d", "--store", "file:{project}-{name}.key", "--yes")
    first, second = list[str](), list[str]()
    for olds, project, days in ((first, (), 91), (second, ("--project", "shop"), 60)):
        done = run("api-key", "rotate-due", "--older-than", "90d", *store, *project)
        olds += [each["replaced"] for each in done.json["rotated"]]
        emulator.clock.advance(days * DAYS)
    shop = [f"shop/reader ({first[-1]})", f"shop/reader ({second[0]})"]
    preview = run("api-key", "delete-retired", "--dry-run", "--output", "table")
    assert lines_of(preview)[1:] == [
        *(f"{key}: the old key would be deleted." for key in ("search/reader", "search/indexer", shop[0])),
        f"{shop[1]}: the old key stays at least until TIME.",
        "Nothing was changed.",
    ]
    done = run("api-key", "rotate-due", "--older-than", "400d", *store, "--output", "table")
    assert lines_of(done) == [
        *(f"{key}: the old key is deleted." for key in ("search/reader", "search/indexer", shop[0])),
        f"{shop[1]}: the old key stays at least until TIME.",
    ]


def test_a_rotation_that_a_store_ends_is_one_line(emulator: Emulator) -> None:
    """What was undone is in it; a rotation that an earlier run left has its own words."""
    table = ("--output", "table")
    emulator.faults.add("update_api_key", status=500, times=99, where=lambda request: "~" not in request.json["name"])
    run("api-key", "rotate-due", "--older-than", "90d", "--keep-old-for", "7d", "--store", "file:{project}-{name}.key")
    rotate("file:{project}-{name}.key")
    emulator.faults.clear()
    finished = rotate("file:{project}-{name}.key", more=table)
    lines = finished.stdout.splitlines()
    said = "the rotation of an earlier run is finished; its value was stored or shown before."
    assert [line for line in lines if said in line] == [
        f"{key}: {said}" for key in ("search/reader", "search/indexer", "shop/reader")
    ]
    assert not any("~" in line for line in lines)
    emulator.clock.advance(100 * DAYS)
    failed = rotate("exec:false {name}", more=table)
    assert [line.partition(":")[0] for line in failed.stdout.splitlines()] == [
        *("search/reader", "search/indexer", "shop/reader") * 2
    ]
    assert failed.stdout.count(": not replaced: ") == 3


def test_a_reason_that_begins_with_a_value_keeps_its_letters(emulator: Emulator) -> None:
    """It is a message of the server, which begins with what was sent, such as a role or a name."""
    body = {"error": {"code": "INVALID_ARGUMENT", "message": "reader is no role"}}
    emulator.faults.add("create_api_key", status=400, times=None, body=body)
    failed = rotate("file:{project}-{name}.key", more=("--output", "table"))
    assert "search/reader: not replaced: reader is no role (400 INVALID_ARGUMENT, " in failed.stdout


@pytest.mark.usefixtures("emulator")
def test_no_report_calls_a_finished_rotation_unfinished() -> None:
    """A plan names the old keys as kept, an export counts them as such, and a review has them as keys."""
    assert rotate("file:{project}-{name}.key").exit == 0
    exported = run("export", "--out", "org.yaml")
    planned = [run("plan", "org.yaml", "-o", form) for form in ("table", "json", "raw")]
    reviewed = [run("access", "-o", form) for form in ("table", "json")]
    for done in (exported, *planned, *reviewed):
        assert done.exit == 0
        assert "unfinished work" not in done.stdout + done.stderr
    assert "Left out: 2 old keys of finished rotations in project search" in exported.stderr
    assert (
        "key reader in project search: the old key of a finished rotation, kept at least until 2" in planned[0].stdout
    )
    assert (planned[1].json["unfinished"], len(planned[1].json["kept"])) == ([], 3)


def test_an_apply_asks_where_its_secrets_should_go_and_says_where_they_are() -> None:
    """The names of all that get one are in the question, and each destination in the line of what got it."""
    with example_organization():
        text = run("export").stdout.replace(
            "  - name: reader\n", "  - name: fresh\n    roles: [ProjectViewer]\n  - name: reader\n"
        )
        Path("org.yaml").write_text(text.replace("\n- name: ci\n", "\n- name: bot\n  roles: [OrgMember]\n- name: ci\n"))
        asked = run("apply", "org.yaml", "--yes")
        assert (asked.exit, asked.stdout) == (2, "")
        example = "file:{scope}-{name}.key"
        assert asked.stderr == (
            "error: This makes 2 secrets, for service account bot and key search/fresh. Say where they should go, for "
            f"example --store '{example}'. Nothing was changed. [PA101]\n"
        )
        done = run("apply", "org.yaml", "--store", example, "--yes", "-o", "table")
        account, key = done.stdout.splitlines()
        assert account.startswith("created service account bot (")
        assert account.endswith(" with OrgMember; the new secret is in service-account-bot.key")
        assert key.startswith("created key fresh (")
        assert key.endswith(" with ProjectViewer; the new secret is in search-fresh.key")


@pytest.mark.parametrize("kind", ["api-key", "service-account"])
def test_rotate_due_names_a_store_that_works(kind: str) -> None:
    """Before anything is read, since a nightly job without one would fail only on the day on which a secret is due."""
    words = [
        kind,
        "rotate-due",
        "--older-than",
        "90d",
        *(["--keep-old-for", "7d"] if kind == "api-key" else []),
        "--yes",
    ]
    with example_organization() as emulator:
        refused = run(*words)
        assert (refused.exit, len(emulator.requests)) == (2, 0)
        store = refused.stderr.partition("--store '")[2].partition("'")[0]
        assert run(*words, "--store", store).exit in {0, PARTLY_DONE}


@pytest.mark.usefixtures("emulator")
def test_a_value_that_may_be_of_a_project_that_is_not_listed_is_told() -> None:
    """Without the project in the template, keys of one name in two projects have one file."""
    first = rotate("file:{name}.key", more=("--project", "search"))
    assert (first.exit, first.stderr) == (0, "")
    second = rotate("file:{name}.key", more=("--project", "shop"))
    assert second.exit == 0
    assert second.stderr == (
        "reader.key exists, and --store replaces its value. Nothing shows whether it is that of this key.\n"
    )


def test_variables_of_one_file_are_as_many_places(emulator: Emulator) -> None:
    """Each value goes to the variable of its key, and other lines stay."""
    Path(".env").touch(mode=0o600)
    Path(".env").write_text("OTHER=x\n")
    assert rotate("env-file:.env#{project}_{name}").exit == 0
    lines = dict(line.split("=") for line in Path(".env").read_text().splitlines())
    assert lines.pop("OTHER") == "x"
    assert {name.replace("_", "/"): value for name, value in lines.items()} == values(emulator)


def test_a_place_that_fails_for_one_key_does_not_stop_the_others(emulator: Emulator) -> None:
    """The exit code is 9, the report and one line say so, the key stays, and the next run rotates it."""
    before = values(emulator)
    program = (
        "import os, sys; sys.exit(os.environ['API_KEY_NAME'] == 'indexer' and 'sealed' or len(sys.stdin.read()) < 9)"
    )
    store = f'exec:{sys.executable} -c "{program}" ' + "{project} {name}"
    done = rotate(store)
    assert done.exit == 9
    assert done.stderr == "Not everything was done. The output has 1 reason.\n"
    (failed,) = done.json["failed"]
    assert failed["name"] == "indexer"
    said = "ended with exit status 1. Its standard error ends with: sealed; if the new value was stored "
    assert failed["reason"].startswith(f"The command of --store, {sys.executable}, {said}")
    assert len(done.json["rotated"]) == 2
    assert values(emulator)["search/indexer"] == before["search/indexer"]
    assert {name for name, value in values(emulator).items() if value != before[name]} == KEYS - {"search/indexer"}
    again = rotate("file:{project}-{name}")
    assert (again.exit, [each["name"] for each in again.json["rotated"]]) == (0, ["indexer"])


@pytest.mark.parametrize(
    ("place", "rotated"), [("file:{project}-{name}.key", ["reader", "indexer"]), ("file:{name}.key", [])]
)
def test_a_project_that_cannot_be_listed_keeps_its_places(emulator: Emulator, place: str, rotated: list[str]) -> None:
    """The others are rotated, but no value goes to a place where that of one of its keys may be; it ends with 9."""
    with emulator.admin() as admin:
        shop = admin.projects.describe_by_name(name="shop").id
    emulator.faults.add("list_project_api_keys", id=shop, status=403)
    done = rotate(place)
    assert done.exit == 9
    assert [each["name"] for each in done.json["rotated"]] == rotated
    assert [each["project_id"] for each in done.json["failed"] if each["id"] is None] == [shop]
    failed = {each["name"]: each["reason"] for each in done.json["failed"] if each["id"] is not None}
    assert failed.keys() == {"reader", "indexer"} - {*rotated}
    assert all("if a project whose keys could not be listed" in reason for reason in failed.values())


def test_what_failed_has_the_name_of_its_project(emulator: Emulator) -> None:
    """Also if no step of the report is about that project, because nothing in it was changed."""
    emulator.clock.advance(91 * DAYS)
    with emulator.admin() as admin:
        shop = admin.projects.describe_by_name(name="shop").id
    emulator.faults.add("list_project_api_keys", id=shop, status=403)
    done = rotate("file:{name}.key", more=("--output", "table"))
    assert [":".join(line.split(":")[:2]) for line in lines_of(done)] == [
        "search/reader: not replaced",
        "search/indexer: not replaced",
        "shop: no key was rotated",
    ]


@pytest.mark.parametrize(
    ("store", "message"),
    [
        (None, "Each secret is shown only once. Say where they should go, for example --store 'file:{scope}-"),
        ("file:{nmae}.key", "there is no placeholder {nmae}. Did you mean {name}? For braces, write {{ and }}."),
        (
            "exec:sh -c 'jq {x: .}' {name}",
            "there is no placeholder {x: .}. Choose from {kind}, {scope}, {project}, {name}. For braces",
        ),
        ("file:}{name}.key", "has a single brace"),
        ("vault:x", "--store: write env-file:PATH#NAME, file:PATH or exec:COMMAND, such as"),
        ("api-key/*=file:{name}", "--store has no patterns: it is one template for all secrets, in which {scope} and"),
        ("file:{project}.key", "--store file:{project}.key is one place for all keys, and each would replace the one "),
        ("exec:cat", "Put {scope} and {name} in it, for example --store 'exec:cat {scope} {name}'."),
        ("env-file:.env#{project}-{name}", "x-x is not the name of a variable, which has letters, digits and undersco"),
    ],
)
def test_a_template_that_cannot_work_is_refused_before_anything_is_sent(
    emulator: Emulator, store: str | None, message: str
) -> None:
    """A missing or unusable template, one for a single key, and the older patterns end with 2 without a request."""
    done = rotate(store)
    assert (done.exit, list(emulator.requests)) == (2, []), done
    assert message in done.stderr, done.stderr


@pytest.mark.parametrize(
    "store",
    [None, "file:{project}.key", "exec:sh -c cat", "exec:sh -c 'cat > /dev/null' {project}", "env-file:.env#KEY"],
)
@pytest.mark.usefixtures("emulator")
def test_the_place_that_a_refusal_proposes_is_accepted(store: str | None) -> None:
    """Nobody is sent in a circle, and a command is proposed in place of a command."""
    refused = rotate(store)
    (example,) = re.findall("for example (--store .*?)\\.(?: Nothing| \\[)", refused.stderr)
    _, proposed = shlex.split(example)
    assert proposed.startswith("exec:") == (store or "").startswith("exec:")
    assert rotate(proposed, more=("--dry-run",)).exit == 0
    assert rotate(proposed).exit == 0


@pytest.mark.parametrize("form", ["file:{name}", "exec:cat {name}", "env-file:.env#{name}"])
def test_no_advice_on_a_name_is_refused_when_it_is_followed(form: str) -> None:
    """Of many secrets, a command cannot have one without the name in it, so that is not proposed."""
    with example_organization() as emulator:
        with emulator.admin() as admin:
            search = admin.projects.describe_by_name(name="search")
            admin.api_keys.create(project_id=search.id, name="do$lar/")
        emulator.clock.advance(91 * DAYS)
        done = rotate(form, more=("--output", "table"))
        one = run("api-key", "create", "do$lar/", "--project", "search", "--store", form, "--yes")
    assert done.exit == PARTLY_DONE
    assert "environment" not in done.stdout
    assert ("let the command read the name from its environment" in one.stderr) == form.startswith("exec:")


def test_a_second_template_is_refused(emulator: Emulator) -> None:
    """Taking the last of two silently could send the secrets of production elsewhere."""
    done = rotate("file:{name}", more=("--store", "file:x-{name}"))
    assert (done.exit, list(emulator.requests)) == (2, [])
    assert "--store is given twice, and takes one value. It is one template, in which {scope} and {name}" in done.stderr


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("file:{project}/{name}", "--store, for key search/reader: "),
        ("exec:no-such-command {project} {name}", "no-such-command is no program that can be run"),
    ],
)
def test_keys_whose_places_do_not_suit_are_not_rotated(emulator: Emulator, store: str, message: str) -> None:
    """Nothing is made, and the report says for which key what is wrong; so does a dry run."""
    for more in ((), ("--dry-run",)):
        done = rotate(store, more=("--project", "search", *more))
        assert (done.exit, changes(emulator)) == (9, []), done
        failed = done.json.get("report", done.json)["failed"]
        assert [each["name"] for each in failed] == ["reader", "indexer"]
        assert message in failed[0]["reason"]
    assert [path for path in Path().rglob("*") if path.is_file() and "pinecone" not in str(path)] == []


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "Reader"])
def test_a_name_that_has_no_place_fails_alone(emulator: Emulator, name: str) -> None:
    """Nobody who names a key a/b, or Reader beside reader, stops the rotation of the other keys."""
    with emulator.admin() as admin:
        search = admin.projects.describe_by_name(name="search")
        key = admin.api_keys.create(project_id=search.id, name=name).key
    emulator.clock.advance(91 * DAYS)
    done = rotate("file:{project}-{name}.key")
    assert done.exit == 9
    failed = {each["name"]: each["reason"] for each in done.json["failed"]}
    rotated = {each["name"] for each in done.json["rotated"]}
    if name == "Reader":
        assert failed.keys() == {"Reader", "reader"}
        assert all("differ only in capitals. Rename one of them" in each for each in failed.values())
        assert rotated == {"indexer", "reader"}  # that of shop
    else:
        assert failed.keys() == {name}
        assert failed[name].endswith("so it cannot stand for {name}. Change that name first"), failed
        assert rotated == {"reader", "indexer"}
    assert key.id in emulator.state.api_keys


@pytest.mark.parametrize("is_old", [False, True], ids=["beside a young one", "both due"])
def test_a_second_key_of_a_name_stops_only_the_keys_of_that_name(emulator: Emulator, *, is_old: bool) -> None:
    """Neither key is rotated nor its place written; others are rotated, and retired keys deleted when they are due."""
    assert rotate("file:{project}-{name}.key").exit == 0
    stored = {path: path.read_text() for path in Path().glob("shop-*.key")}
    emulator.clock.advance(90 * DAYS)
    with emulator.admin() as admin:
        shop = admin.projects.describe_by_name(name="shop")
        twin = admin.api_keys.create(project_id=shop.id, name="reader").key
        emulator.clock.advance((91 if is_old else 2) * DAYS)
        done = rotate("file:{project}-{name}.key")
        assert done.exit == 9
        assert [each["name"] for each in done.json["failed"]] == ["reader"] * (1 + is_old)
        assert "2 keys with the same name, shop/reader" in done.json["failed"][0]["reason"]
        assert "Rename one of them" in done.json["failed"][-1]["reason"]
        assert [each["name"] for each in done.json["rotated"]] == ["reader", "indexer"]
        assert len(done.json["deleted"]) == 3
        assert {path: path.read_text() for path in Path().glob("shop-*.key")} == stored
        admin.api_keys.update(api_key_id=twin.id, name="writer")
    again = rotate("file:{project}-{name}.key")
    assert (again.exit, len(again.json["rotated"])) == (0, 1 + is_old)


@pytest.mark.usefixtures("emulator")
def test_a_place_that_is_gone_meanwhile_fails_alone() -> None:
    """Whatever becomes of a folder during the run, the other keys are rotated."""
    for project in ("search", "shop"):
        Path(project).mkdir()

    def delete_folder(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST" and Path("shop").exists():
            Path("shop").rmdir()
        return handle()

    with intercepted(delete_folder):
        done = rotate("file:{project}/{name}.key")
    assert done.exit == 9
    assert [each["name"] for each in done.json["rotated"]] == ["reader", "indexer"]
    (failed,) = done.json["failed"]
    assert "cannot be written, because its folder does not exist" in failed["reason"]


def test_a_run_that_an_error_ends_is_completed_by_the_next(emulator: Emulator) -> None:
    """A 401 after the first key ends the run with the code of a part, and a repetition does the rest."""
    emulator.faults.add("create_api_key", status=401, skip=1, times=2)  # also with a new token
    done = rotate("file:{project}-{name}.key", more=("--output", "json"))
    assert (done.exit, done.error["outcome"], done.error["worth_retrying"]) == (9, "done", False)
    assert rotate("file:{project}-{name}.key").exit == 0
    assert {path.stem.replace("-", "/", 1): path.read_text() for path in Path().glob("*.key")} == values(emulator)


def test_a_dry_run_needs_no_place(emulator: Emulator) -> None:
    """A dry run says what would be done, and changes nothing."""
    done = rotate(more=("--dry-run", "--output", "table"))
    assert done.exit == 0
    assert done.stdout.count(": would be replaced, the old key would stay at least until ") == 3
    assert changes(emulator) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupted_run_ends_after_the_key_in_progress(
    emulator: Emulator, *, after: bool, stride: Callable[[int], int]
) -> None:
    """SIGTERM ends the run before the next key, a line says what was done, and the same command goes on."""
    number, seen = 2, set[int]()
    while True:
        fresh = emulator.dump()
        interruption = InterruptionAt(number, after=after)
        with interruption.armed():
            done = rotate("file:{project}-{name}.key", more=("--output", "json"))
        if not interruption.was_sent:
            assert done.exit == 0
            break
        assert done.exit == 130
        assert done.error["message"].startswith("Interrupted. ")
        stored = sum(path.read_text() in values(emulator).values() for path in Path().glob("*.key"))
        seen.add(stored)
        assert rotate("file:{project}-{name}.key").exit == 0
        assert {path.stem.replace("-", "/", 1): path.read_text() for path in Path().glob("*.key")} == values(emulator)
        for path in Path().glob("*.key"):
            path.unlink()
        emulator.load(fresh)
        number += stride(5)
    assert seen & {1, 2}


def test_an_interrupted_run_has_a_line_for_each_key_as_any_other_has(emulator: Emulator) -> None:
    """What happened and where the value is; temporary names and the steps of a rotation are in no line."""
    number, seen = 2, set[str]()
    while True:
        fresh = emulator.dump()
        interruption = InterruptionAt(number, after=True)
        with interruption.armed():
            done = rotate("file:{project}-{name}.key", more=("--output", "table"))
        if not interruption.was_sent:
            break
        lines = {line.partition(":")[0]: line.partition(": ")[2] for line in done.stdout.splitlines()}
        for key, value in values(emulator).items():
            path = Path(f"{key.replace('/', '-')}.key")
            is_new = path.exists() and path.read_text() == value
            assert lines.get(key, "").startswith(f"replaced; the new value is in {path}, the old key ") == is_new, done
        assert all(key in values(emulator) for key in lines), (done.stdout, done.stderr)
        assert "~" not in done.stdout + done.stderr
        seen |= set(re.findall("not replaced; the new key was deleted|replaced; the new value", done.stdout))
        for path in Path().glob("*.key"):
            path.unlink()
        emulator.load(fresh)
        number += 1
    assert seen == {"not replaced; the new key was deleted", "replaced; the new value"}


def test_a_run_goes_on_with_the_value_that_a_killed_one_stored_in_a_file(emulator: Emulator) -> None:
    """The key whose value is in its file is not made a second time."""
    sent: list[httpx.Request] = []

    def kill(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        sent.append(request)
        if sum(each.method == "PATCH" for each in sent) > 1:  # the first one notes the digest of the value
            raise KilledError
        return handle()

    with intercepted(kill), suppress(KilledError):
        rotate("file:{project}-{name}.key")
    (path,) = Path().glob("*.key")
    value = path.read_text()
    assert rotate("file:{project}-{name}.key").exit == 0
    assert path.read_text() == value == values(emulator)[path.stem.replace("-", "/", 1)]


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    """A process with the environment of a job rotates keys into commands and files, and ends with 0."""
    emulator = Emulator(seed=0)
    with emulator.admin() as admin:
        project = admin.projects.create(name="search")
        for name in ("reader", "writer"):
            admin.api_keys.create(project_id=project.id, name=name)
    emulator.clock.advance(91 * DAYS)
    with serving(emulator):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }
        words = ["api-key", "rotate-due", "--older-than", "90d", "--keep-old-for", "7d", "--yes", "--project", "search"]
        done = subprocess.run(
            [sys.executable, "-m", "pinecone_admin.cli", *words, "--store", "exec:tee {project}.{name}"],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["rotated"]) == 2
    files = {"search.reader": "search/reader", "search.writer": "search/writer"}
    assert {key: (tmp_path / name).read_text() for name, key in files.items()} == values(emulator)


def test_an_account_that_sees_no_project_is_no_success(emulator: Emulator) -> None:
    """A nightly job under a wrong role fails; one in an organization without projects does not."""
    rotation = ("rotate-due", "--older-than", "1d", "--keep-old-for", "1d", "--store", "file:{project}-{name}")
    limited = emulator.add_client(roles=["OrgMember"], name="limited")
    env = {"PINECONE_CLIENT_ID": limited.client_id, "PINECONE_CLIENT_SECRET": limited.client_secret}
    warning = "Not read: the API keys, because this account can see no project.\n"
    stale = ("project", "stale", "--match", "*", "--older-than", "1d", "--yes")
    for words in (rotation, ("delete-retired",)):
        for way in ("--yes", "--dry-run"):
            done = run("api-key", *words, way, env=env)
            assert (done.exit, done.stderr) == (PARTLY_DONE, warning), done
        asked = run("api-key", *words, terminal=True, env=env)
        assert (asked.exit, asked.stderr) == (PARTLY_DONE, warning), asked
    done = run(*stale, env=env)
    assert (done.exit, done.stderr) == (PARTLY_DONE, warning.replace("API keys", "projects")), done
    make_deletable(emulator)
    for words in (rotation, ("delete-retired",)):
        done = run("api-key", *words, "--yes")
        assert (done.exit, done.stderr) == (DONE, ""), done
    assert run(*stale).exit == DONE
    assert changes(emulator) == []
