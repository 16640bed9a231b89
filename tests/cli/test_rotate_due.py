"""``api-key rotate-due``, and the places of many secrets: patterns, placeholders, and what they must not become."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.new_secret import StoreError
from pinecone_admin.cli.secrets.stores import CommandStore, EnvFileStore, FileStore
from pinecone_admin.cli.secrets.stores_by_name import SecretOwner, StoreRules, StoresByName
from pinecone_admin.cli.session import Session
from pinecone_admin.emulator import Emulator, serving
from tests.cli.command_line import Run, example_organization, run
from tests.cli.secret_makers import InterruptionAt, intercepted
from tests.support.concurrency import PATIENCE
from tests.support.fault_injection import KilledError

DAYS = 86_400
KEYS = {"search/reader", "search/indexer", "shop/reader"}
WRITER = SecretOwner("api-key", "search", "writer")


def rotate(*stores: str, more: tuple[str, ...] = ()) -> Run:
    """Run the command with places."""
    options = [word for store in stores for word in ("--store", store)]
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


def make_rules(*stores: str, replaces: bool = True) -> StoreRules:
    """Return the rules of options."""
    session = Session.of_process()
    session.settings["store"] = stores
    return StoreRules(session, replaces=replaces)


def test_each_value_goes_to_its_own_place_every_night(emulator: Emulator) -> None:
    """What is old is rotated, the next night changes nothing, and after their time old keys are deleted."""
    for project in ("search", "shop"):
        Path(project).mkdir()
    before = values(emulator)
    first = rotate("file:{project}/{name}.key")
    assert (first.exit, first.stderr) == (0, "")
    assert [each["key"]["name"] for each in first.json["rotated"]] == ["reader", "indexer", "reader"]
    assert {str(path)[:-4]: path.read_text() for path in Path().rglob("*.key")} == values(emulator)
    assert set(values(emulator)) == KEYS
    assert not set(before.values()) & set(values(emulator).values())
    assert "pcsk_" not in first.stdout
    emulator.requests.clear()
    second = rotate("file:{project}/{name}.key")
    assert (second.exit, second.json["rotated"], len(second.json["kept"]), changes(emulator)) == (0, [], 3, [])
    emulator.clock.advance(8 * DAYS)
    third = rotate("file:{project}/{name}.key", more=("--output", "table"))
    assert third.stdout.count("deleted key") == len(emulator.state.api_keys) == 3


def test_the_first_pattern_that_fits_counts(emulator: Emulator) -> None:
    """Each value goes to the first place whose pattern fits, and a place without a pattern takes the others."""
    Path(".env").touch(mode=0o600)
    done = rotate("api-key/*/indexer=env-file:.env#INDEXER", "api-key/shop=env-file:.env#SHOP_{name}", "file:{name}")
    assert done.exit == 0
    assert Path("reader").read_text() == values(emulator)["search/reader"]
    lines = dict(line.split("=") for line in Path(".env").read_text().splitlines())
    assert lines == {"INDEXER": values(emulator)["search/indexer"], "SHOP_reader": values(emulator)["shop/reader"]}


def test_a_place_that_fails_for_one_key_does_not_stop_the_others(emulator: Emulator) -> None:
    """The exit code is 9, the report and one line say so, the key stays, and the next run rotates it."""
    before = values(emulator)
    program = (
        "import os, sys; sys.exit(os.environ['API_KEY_NAME'] == 'indexer' and 'sealed' or len(sys.stdin.read()) < 9)"
    )
    store = f'exec:{sys.executable} -c "{program}" ' + "{project} {name}"
    done = rotate(store)
    assert done.exit == 9
    assert done.stderr == "warning: 1 failure; the report says why\n"
    (failed,) = done.json["failed"]
    assert failed["key"]["name"] == "indexer"
    assert failed["reason"].startswith(f"{sys.executable} ended with exit status 1: sealed; API key ")
    assert len(done.json["rotated"]) == 2
    assert values(emulator)["search/indexer"] == before["search/indexer"]
    assert {name for name, value in values(emulator).items() if value != before[name]} == KEYS - {"search/indexer"}
    again = rotate("file:{name}")
    assert (again.exit, [each["key"]["name"] for each in again.json["rotated"]]) == (0, ["indexer"])


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
    assert [each["key"]["name"] for each in done.json["rotated"]] == rotated
    assert [each["project_id"] for each in done.json["failed"] if each["key"] is None] == [shop]
    failed = {each["key"]["name"]: each["reason"] for each in done.json["failed"] if each["key"] is not None}
    assert failed.keys() == {"reader", "indexer"} - {*rotated}
    assert all("if a project whose keys could not be listed" in reason for reason in failed.values())


@pytest.mark.parametrize(
    ("stores", "message"),
    [
        ((), "this makes secrets, which are shown only once: give --store"),
        (("file:{nmae}.key",), "there is no placeholder {nmae}: did you mean name?"),
        (("exec:sh -c 'jq {x: .}' {name}",), "there is no placeholder {x: .}: choose from kind, project, name"),
        (("file:}{name}.key",), "has a single brace"),
        (("vault:x",), "a place for secrets is given as env-file:PATH#NAME, file:PATH or exec:COMMAND, perhaps after"),
        (("file:{name}", "api-key/shop/*=file:x"), "the one for everything comes last: what follows it is never used"),
        (("api_key/*=file:x",), "a pattern is for KIND/PROJECT/NAME, and 'api_key' is no kind: did you mean api-key?"),
    ],
)
def test_places_that_cannot_be_read_are_refused_before_anything_is_sent(
    emulator: Emulator, stores: tuple[str, ...], message: str
) -> None:
    """A missing place, an unknown form and an unknown kind end with 2, and no request is sent."""
    done = rotate(*stores)
    assert (done.exit, list(emulator.requests)) == (2, [])
    assert message in done.stderr


@pytest.mark.parametrize(
    ("stores", "message"),
    [
        (
            ("file:{project}.key",),
            "the secrets of api-key/search/reader and api-key/search/indexer have the same place",
        ),
        (("exec:cat",), "have the same place, where one would replace the other"),
        (("api-key/shop/*=file:{name}.key",), "--store, for api-key/search/reader: no pattern fits"),
        (("file:{project}/{name}",), "the folder"),
        (("env-file:.env#{project}-{name}",), "--store, for api-key/search/reader: an env file is given as"),
        (("exec:no-such-command {project} {name}",), "no-such-command is not an executable file"),
    ],
)
def test_keys_whose_places_do_not_suit_are_not_rotated(
    emulator: Emulator, stores: tuple[str, ...], message: str
) -> None:
    """Nothing is made, and the report says for which key what is wrong; so does a dry run."""
    for more in ((), ("--dry-run",)):
        done = rotate(*stores, more=("--project", "search", *more))
        assert (done.exit, changes(emulator)) == (9, []), done
        failed = done.json.get("would_do", done.json)["failed"]
        assert [each["key"]["name"] for each in failed] == ["reader", "indexer"]
        assert message in failed[0]["reason"]
    assert [path for path in Path().rglob("*") if path.is_file() and "pinecone" not in str(path)] == []


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
        assert [each["key"]["name"] for each in done.json["failed"]] == ["reader"] * (1 + is_old)
        assert "shop/reader and api-key/shop/reader have the same place" in done.json["failed"][0]["reason"]
        assert "or rename one of them" in done.json["failed"][-1]["reason"]
        assert [each["key"]["name"] for each in done.json["rotated"]] == ["reader", "indexer"]
        assert len(done.json["deleted"]) == 3
        assert {path: path.read_text() for path in Path().glob("shop-*.key")} == stored
        admin.api_keys.update(api_key_id=twin.id, name="writer")
    again = rotate("file:{project}-{name}.key")
    assert (again.exit, len(again.json["rotated"])) == (0, 1 + is_old)


def test_a_run_that_an_error_ends_is_safe_to_retry_as_in_python(emulator: Emulator) -> None:
    """A 401 after the first key ends the run, its object says that a repetition is safe, and that does the rest."""
    emulator.faults.add("create_api_key", status=401, skip=1, times=2)  # also with a new token
    done = rotate("file:{project}-{name}.key", more=("--output", "json"))
    assert (done.exit, done.error["outcome"], done.error["safe_to_retry"]) == (9, "done", True)
    assert rotate("file:{project}-{name}.key").exit == 0
    assert {path.stem.replace("-", "/", 1): path.read_text() for path in Path().glob("*.key")} == values(emulator)


def test_a_dry_run_needs_no_place(emulator: Emulator) -> None:
    """A dry run says what would be done, and changes nothing."""
    done = rotate(more=("--dry-run", "--output", "table"))
    assert done.exit == 0
    assert done.stdout.count("would create key") == 3
    assert changes(emulator) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "-rf", "~root", "a\u202eb", "/", "/etc/x"]
)
def test_a_name_becomes_one_segment_of_a_path_or_is_refused(name: str, tmp_path: Path) -> None:
    """Names that would leave their folder, split a path, or be read as an option are refused in every placeholder."""
    for owner in (SecretOwner("api-key", name, "writer"), SecretOwner("api-key", "search", name)):
        placeholder = "project" if owner.name == "writer" else "name"
        for place in ("file:", "env-file:.env#X", "exec:cat "):
            with pytest.raises(StoreError, match=rf"cannot stand for \{{{placeholder}\}}"):
                make_rules(f"{place}{tmp_path}/{{{placeholder}}}#X").find(owner)


@pytest.mark.parametrize(
    "name", ["a b", "a'b", 'a"b', "$(id)", "`id`", "a;b", "a#b", "a=b", "a{name}b", "--x"[2:], "é", "a|b"]
)
def test_a_name_stays_one_word_and_one_value(name: str) -> None:
    """Whatever is in a name, it becomes neither a second word, nor the name of a variable, nor a placeholder."""
    owner = SecretOwner("api-key", "search", name)
    command = make_rules("exec:cat x-{name} {project}={name}").find(owner)
    assert isinstance(command, CommandStore)
    assert command.command == ("cat", f"x-{name}", f"search={name}")
    env_file = make_rules("env-file:{name}/.env#KEY").find(owner)
    assert isinstance(env_file, EnvFileStore)
    assert (env_file.path, env_file.name) == (f"{name}/.env", "KEY")
    file = make_rules("file:{{name}}-{kind}-{name}").find(owner)
    assert isinstance(file, FileStore)
    assert file.path == f"{{name}}-api-key-{name}"


@pytest.mark.parametrize(
    ("pattern", "fits_writer", "fits_account"),
    [
        ("*", True, True),
        ("api-key", True, False),
        ("api-key/search", True, False),
        ("api-key/s*/writ?r", True, False),
        ("api-key/*/reader", False, False),
        ("api-key/shop/*", False, False),
        ("service-account/c[ij]", False, True),
        ("*/*", True, True),
    ],
)
def test_a_pattern_fits_part_by_part(pattern: str, *, fits_writer: bool, fits_account: bool) -> None:
    """Each part of a pattern is for one part of what a secret belongs to; parts that it does not have fit."""
    assert WRITER.fits(pattern) is fits_writer
    assert SecretOwner("service-account", "", "ci").fits(pattern) is fits_account


def test_names_with_slashes_are_matched_and_refused_as_values() -> None:
    """The last part of a pattern is for the whole name, with any slashes in it; a pattern gives it a place without."""
    owner = SecretOwner("api-key", "search", "team/writer")
    rules = make_rules("api-key/search/team/writer=file:team-writer.key", "file:{name}.key")
    file = rules.find(owner)
    assert isinstance(file, FileStore)
    assert file.path == "team-writer.key"


def test_a_place_with_an_equals_sign_is_no_pattern() -> None:
    """What begins with a form is a place; only before a form is text a pattern, with any sign in it."""
    store = make_rules("exec:vault kv put {name} value=file:x").find(WRITER)
    assert isinstance(store, CommandStore)
    assert store.command[-1] == "value=file:x"
    store = make_rules("api-key/a=b/*=file:1", "file:2").find(SecretOwner("api-key", "a=b", "x"))
    assert isinstance(store, FileStore)
    assert store.path == "1"


def test_places_that_differ_in_case_or_spelling_alone_are_the_same(tmp_path: Path) -> None:
    """Two paths to one file, also on a disk that ignores case, are one place; two variables of a file are two."""
    reader = SecretOwner("api-key", "search", "Writer")
    for stores in ((f"file:{tmp_path}/{{name}}",), (f"*/*/w*=file:{tmp_path}/./x", f"file:{tmp_path}/x")):
        with pytest.raises(CLIError, match=r"have the same place, .* \(case does not count\)"):
            make_rules(*stores).check([WRITER, reader])
    make_rules(f"env-file:{tmp_path}/.env#KEY_{{name}}").check([WRITER, reader])


def test_the_secret_of_a_service_account_has_its_place_too(tmp_path: Path) -> None:
    """A service account has no project, is stored with its client id, and a key by the name of its project."""
    with example_organization() as emulator, emulator.admin() as admin:
        session = Session.of_process()
        session.settings["store"] = (
            f"service-account=file:{tmp_path}/{{kind}}-{{name}}",
            f"file:{tmp_path}/{{project}}",
        )
        store = StoresByName(session, Secret("api-key"))
        project = admin.projects.describe_by_name(name="search")
        account = admin.service_accounts.create(name="robot")
        store(account)
        key = admin.api_keys.create(project_id=project.id, name="x")
        store(key)
        assert json.loads((tmp_path / "service-account-robot").read_text())["client_secret"] == account.client_secret
        assert (tmp_path / "search").read_text() == key.value
        with pytest.raises(StoreError, match="cannot stand for"):
            make_rules("file:{project}").find(SecretOwner("service-account", "", "robot"))


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
        is_complete = "was completed" in done.stderr or "the change was made" in done.stderr
        assert done.error["safe_to_retry"] == (not is_complete), done.stderr
        assert done.stderr.startswith("error: interrupted; ")
        stored = sum(path.read_text() in values(emulator).values() for path in Path().glob("*.key"))
        seen.add(stored)
        assert rotate("file:{project}-{name}.key").exit == 0
        assert {path.stem.replace("-", "/", 1): path.read_text() for path in Path().glob("*.key")} == values(emulator)
        for path in Path().glob("*.key"):
            path.unlink()
        emulator.load(fresh)
        number += stride(5)
    assert seen & {1, 2}


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
        stores = ["--store", "*/*/reader=file:{name}", "--store", "exec:tee {project}.{name}"]
        done = subprocess.run(
            [sys.executable, "-m", "pinecone_admin.cli", *words, *stores],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["rotated"]) == 2
    files = {"reader": "search/reader", "search.writer": "search/writer"}
    assert {key: (tmp_path / name).read_text() for name, key in files.items()} == values(emulator)
