"""README and docs: every example runs against the emulator, and the tables list what the package has."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from documentation.commands import mark_code, render_topic
from pinecone_admin import Admin, PineconeConnectionError, PineconeError, errors
from pinecone_admin._http.retry_policy import RETRY_TABLE, classify_status
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.cli.help.topics import TOPICS
from pinecone_admin.emulator import Emulator
from pinecone_admin.operations import API_VERSION
from pinecone_admin.testing import emulate
from tests.cli.command_line import COMMANDS
from tests.faults.external_servers import run_redis
from tests.support.extras import create_environment
from tests.support.page_setups import SETUPS
from tests.support.programs import find_program
from tests.support.recipes import PAGES, ROOT, Block, list_blocks, read_page, read_written_page

TESTED_ELSEWHERE = ("from tenacity import", "import pandas", "import polars", "./scripts/test")  # in tests of their own
BLOCKS = [
    block
    for page in PAGES
    for block in list_blocks(page)
    if block.language in {"python", "sh"} and not any(each in block.text for each in TESTED_ELSEWHERE)
]
EXAMPLES = [block for block in BLOCKS if block.file or not block.is_recipe]
STUBBED = "docs/observability.md"  # its test runs its examples with stubs of the packages that they need
EMULATOR = re.compile(r"pinecone[-_]admin[. ]emulator")
CREATES = {
    "README.md": {"create_project", "create_api_key"},
    "docs/errors.md": {"create_invite", "create_project", "create_api_key"},
    "docs/how-to/beside-terraform.md": {"create_api_key"},
    "docs/how-to/ci-identity.md": {"create_service_account"},
    "docs/how-to/create-and-find.md": {"create_project", "create_api_key"},
    "docs/how-to/github-actions-and-gitlab.md": {"create_service_account"},
    "docs/how-to/invite-a-person.md": {"create_invite"},
    "docs/how-to/key-for-one-test-run.md": {"create_api_key"},
    "docs/how-to/organization-in-a-file.md": {"create_invite"},
    "docs/how-to/provision-a-tenant.md": {"create_project", "create_api_key", "create_role_binding"},
    "docs/how-to/rotate-a-key.md": {"create_api_key"},
    "docs/how-to/rotate-every-night.md": {"create_api_key"},
    "docs/runbooks/create-with-unknown-outcome.md": {"create_project"},
    "docs/runbooks/leaked-account-secret.md": {"create_service_account"},
    "docs/runbooks/leaked-key.md": {"create_api_key"},
    "docs/timeouts-and-retries.md": {"create_project"},
    "docs/workflows.md": {"create_project", "create_api_key", "create_role_binding"},
}
"""The resources that the examples of a page create in the reader's organization. Others create nothing."""
NEED_NO_ACCOUNT = (
    "docs/command-line.md",
    "docs/emulator.md",
    "docs/how-to/test-with-the-emulator.md",
    "docs/emulator-control.md",
    "docs/tutorial.md",
)
"""Pages whose examples send nothing to an account, even if its credentials are there."""

# Runs each file with a separate namespace.
RUN_FILES = """
import pathlib, sys
for name in sys.argv[1:]:
    exec(compile(pathlib.Path(name).read_text("utf-8"), name, "exec"), {"__name__": "docs"})
"""


@pytest.mark.parametrize(
    "page",
    [
        # Each command of a shell is a process, and Django takes 6 s: such pages run with --all, as every second of the
        # others does. The README runs every day.
        pytest.param(
            page,
            marks=[pytest.mark.long]
            * (page != "README.md" and ("sh" in languages or "django" in page or bool(number % 2))),
        )
        for number, page in enumerate(PAGES)
        if page != STUBBED and (languages := {block.language for block in EXAMPLES if block.page == page})
    ],
)
def test_every_example_runs(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The examples of a page run unchanged, in order, in one folder, with exactly the extras that the page names.

    The credentials are in the environment, unless the shell of the page starts an emulator. Resources that an example
    needs exist in the reader's organization; page_setups creates them.
    """
    blocks = [block for block in EXAMPLES if block.page == page]
    env = create_user(tmp_path, *list_installed(page))
    if any("REDIS_URL" in block.text for block in blocks):
        env["REDIS_URL"] = request.getfixturevalue("redis_url")
    folder = tmp_path / "folder"
    folder.mkdir()
    with emulate(serve=True) as emulator:
        account = {name: value for name, value in os.environ.items() if name.startswith("PINECONE_")}
        if page in SETUPS:
            with emulator.admin() as admin:
                env |= SETUPS[page](emulator, admin, folder) or {}
        env["PATH"] = os.pathsep.join([str(folder / "bin"), env["PATH"]])  # where a setup puts programs of others
        before = len(emulator.requests)
        for language, group in groupby(blocks, attrgetter("language")):
            if language == "python":
                run_python(list(group), folder, env | account)
            else:
                for block in group:
                    run_in_shell(block, folder, env if starts_emulator(page) else env | account)
        sent = {each.operation_id for each in emulator.requests[before:]}
    assert {each for each in sent if each and each.startswith("create_")} == CREATES.get(page, set())
    assert page not in NEED_NO_ACCOUNT or not any(sent), sent


@pytest.mark.long(30)
def test_an_example_whose_emulator_cannot_start_reaches_no_account(tmp_path: Path) -> None:
    """The lines below the start of an emulator are not run with the credentials of a real account, as on a terminal."""
    pages = [page for page in PAGES if starts_emulator(page)]
    assert pages == ["README.md", "docs/command-line.md", "docs/tutorial.md"]
    folder = tmp_path / "folder"
    folder.mkdir()
    env = create_user(tmp_path, ["cli"])
    with emulate(serve=True) as account:
        credentials = {name: value for name, value in os.environ.items() if name.startswith("PINECONE_")}
        before = len(account.requests)
        for block in BLOCKS:
            if block.page in pages and block.language == "sh" and "./scripts/" not in block.text:
                script = ["bash", "-c", block.text]  # goes on after an error
                subprocess.run(script, cwd=folder, env=env | credentials, capture_output=True, timeout=180, check=False)
        assert list(account.requests[before:]) == []


def test_an_environment_has_what_its_extras_need_and_nothing_else(tmp_path: Path) -> None:
    """Without an extra, its packages are missing; with it, they are there."""
    code = "import importlib.util, sys; print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
    for extras, expected in (
        ((), "httpx"),
        (("cli",), "httpx jmespath"),
        (("emulator", "cache"), "httpx uvicorn filelock"),
    ):
        user = create_user(tmp_path / "-".join(extras), extras)
        python = shutil.which("python", path=user["PATH"])
        words = [str(python), "-c", code, "httpx", "jmespath", "uvicorn", "filelock", "pytest"]
        assert subprocess.run(words, env=user, capture_output=True, text=True, check=True).stdout.strip() == expected


def test_no_block_of_python_or_shell_is_left_out() -> None:
    """Every fence is at the margin and names a language; what is neither Python nor shell is known."""
    for page in PAGES:
        fences = re.findall(r"^( *)```(.*)$", read_written_page(page), re.MULTILINE)
        assert {indent for indent, _ in fences} <= {""}, page
        assert {language for _, language in fences[::2]} <= {"python", "sh", "js", "json", "yaml"} | {
            f"{{include}} ../{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "README", "SECURITY")
        }, page


def test_each_program_of_the_tutorial_has_a_file() -> None:
    """Later programs and tests import the earlier ones."""
    programs = [block for block in list_blocks("docs/tutorial.md") if block.language == "python"]
    assert [block.line for block in programs if not block.file] == []


def test_install_hints_name_the_checkout() -> None:
    """No page and no message says to install a name that no package index has, in any place of the line."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("pinecone_admin/**/*.py")]
    for text in [path.read_text(encoding="utf-8") for path in files]:
        for line in re.findall(r"pip install((?:(?: +|\n(?=[\"']))(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s`\"']+))+)", text):
            for package in shlex.split(line):
                assert not re.fullmatch(r"pinecone[-_.]admin(?:\[[^]]*\])?(?:[=<>~!].*)?", package), line


def list_installed(page: str) -> tuple[set[str], set[str]]:
    """Return the extras that the install lines of a page name, and the other packages."""
    words = [word for line in re.findall(r"pip install ([^`\n]+)", read_page(page)) for word in line.split()]
    extras = {extra for word in words for found in re.findall(r"\[(.+)\]", word) for extra in found.split(",")}
    return extras, {word for word in words if re.fullmatch(r"[a-z-]+", word)}


def starts_emulator(page: str) -> bool:
    """Return whether the shell of a page starts an emulator, and so needs no credentials."""
    return any(block.language == "sh" and EMULATOR.search(block.text) for block in BLOCKS if block.page == page)


def create_user(home: Path, extras: Iterable[str], tools: Iterable[str] = ()) -> dict[str, str]:
    """Return the variables of a user who has installed the package with some extras, and who has no credentials."""
    folder = create_environment(home / "environment", extras, tools)
    pip = folder / "pip"
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@"\n')
    pip.chmod(0o755)
    others = [each for each in os.environ["PATH"].split(os.pathsep) if each != str(Path(sys.executable).parent)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PINECONE_", "PYTHON", "XDG_"))}
    # These make pip read the metadata of what it would install, and nothing else.
    pip_options = {"PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    return kept | {"HOME": str(home), "PATH": os.pathsep.join([str(folder), *others])} | pip_options


def run_python(blocks: Iterable[Block], folder: Path, env: Mapping[str, str]) -> None:
    """Run blocks of Python: a file that the page names as a program, or by pytest; all others one after another."""
    for file, group in groupby(blocks, attrgetter("file")):
        paths: list[str] = []
        for block in group:
            path = folder / file if file else folder.parent / f"{block.name}.py"
            path.write_text("\n" * block.line + block.text, encoding="utf-8")
            paths.append(str(path))
        command = ["python", "-W", "error", *([file] if file else ["-c", RUN_FILES, *paths])]
        run_program(["pytest"] if file.startswith("test_") else command, folder, env, described=", ".join(paths))


def run_in_shell(block: Block, folder: Path, env: Mapping[str, str]) -> None:
    """Run a block of commands as in a shell in the checkout."""
    script = block.text.replace("./scripts/", f"{ROOT}/scripts/").replace("curl ", "curl --fail-with-body ")
    # A script of the checkout has the environment of the tests, and installs nothing.
    env = {**env, "PINECONE_ADMIN_VENV": sys.prefix}
    if "curl " in script:
        find_program("curl")
    script = re.sub(r"pip install (\"?)\.", rf"pip install \1{ROOT}", script)
    command = ["bash", "-euo", "pipefail", "-c", script]
    output = run_program(command, folder, env, described=f"{block.page}:{block.line}")
    # JMESPath makes null of a field that is not there.
    assert "--query" not in block.text or not re.search(r"\bnull\b|\[\]", output), output


def run_program(command: Sequence[str], folder: Path, env: Mapping[str, str], *, described: str = "") -> str:
    """Run a program of the user, which must succeed, and return its output."""
    found = shutil.which(command[0], path=env["PATH"])
    done = subprocess.run(
        [found or command[0], *command[1:]],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{described}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Run Redis."""
    with run_redis(tmp_path) as url:
        yield url


@pytest.mark.long
def test_every_recipe_for_pytest_passes(tmp_path: Path) -> None:
    """The tests in each example for pytest pass in a file of their own, with no extra and nothing but pytest."""
    recipes = [block for block in BLOCKS if block.is_recipe and not block.file]
    for block in recipes:
        (tmp_path / f"test_{block.name}.py").write_text(block.text, encoding="utf-8")
    output = run_program(["pytest", "-v", "-W", "error"], tmp_path, create_user(tmp_path, (), ["pytest"]))
    passed = set(re.findall(r"^(\w+)\.py::(?:\w+::)?(\w+)\S* PASSED", output, re.MULTILINE))
    written = [(f"test_{each.name}", test) for each in recipes for test in re.findall(r"def (test_\w+)", each.text)]
    assert passed == set(written)


LOST_CREATES = [block for block in BLOCKS if "error.outcome in" in block.text and ".create(" in block.text]


def load_recipe(name: str) -> Callable[..., Any]:
    """Run the recipe with a function where nothing goes wrong, and return the function."""
    (text,) = [block.text for block in LOST_CREATES if f"def {name}(" in block.text]
    names: dict[str, Any] = {"__name__": "docs"}
    with emulate():
        exec(text, names)
    return cast("Callable[..., Any]", names[name])


@pytest.fixture(params=[0, 1], ids=["alone", "beside a namesake"])
def namesakes(request: pytest.FixtureRequest) -> int:
    """Return how many others have the name that a recipe creates."""
    return cast("int", request.param)


@pytest.mark.parametrize("drop", ["before", "after"])
def test_the_readme_says_what_a_lost_response_means(
    drop: Literal["before", "after"], namesakes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program of the README creates once, says that it has to be looked for, and raises the error."""
    (text,) = [block.text for block in BLOCKS if block.page == "README.md" and "error.outcome" in block.text]
    with emulate() as emulator, Admin() as admin:
        for _ in range(namesakes):
            admin.projects.create(name="ledger")
        emulator.faults.add("create_project", drop=drop)
        with pytest.raises(PineconeConnectionError):
            exec(text, {})
        assert len(emulator.state.projects) == namesakes + (drop == "after")
    assert "check whether the project exists before you retry" in capsys.readouterr().out


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_project_of_others_is_not_taken_for_the_new_one(drop: Literal["before", "after"], namesakes: int) -> None:
    """After a lost response, the recipe returns the project that was not there before, or raises that error."""
    create_project = load_recipe("create_project")
    with emulate() as emulator, Admin() as admin:
        others = {admin.projects.create(name="ledger").id for _ in range(namesakes)}
        emulator.faults.add("create_project", drop=drop)
        if drop == "before":
            with pytest.raises(PineconeConnectionError) as caught:
                create_project(admin, "ledger")
            assert caught.value.outcome == "unknown"
            assert set(emulator.state.projects) == others
        else:
            assert {create_project(admin, "ledger")} == set(emulator.state.projects) - others


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_key_of_others_is_not_taken_for_the_new_one(drop: Literal["before", "after"], namesakes: int) -> None:
    """After a lost response, the recipe deletes only the key that was not there before, and keeps a value."""
    create_key = load_recipe("create_key")
    with emulate() as emulator, Admin() as admin:
        project_id = admin.projects.create(name="search").id
        others = {admin.api_keys.create(project_id=project_id, name="reader").key.id for _ in range(namesakes)}
        emulator.faults.add("create_api_key", drop=drop)
        create_key(admin, project_id)
        (new,) = set(emulator.state.api_keys) - others
        assert create_key.__globals__["secret_store"]["reader"] == emulator.state.api_keys[new].value
        assert others < set(emulator.state.api_keys)


def test_the_first_screen_shows_what_is_compared_and_what_was_never_tried() -> None:
    """The text above the first heading, which also begins the site, names versions and a way to try the service."""
    screen = " ".join(read_page("README.md").partition("\n## ")[0].split())
    for words in (
        "is not by Pinecone",
        f"calls version {API_VERSION} of the Admin API",
        f"compare this client with version {version('pinecone')} of Pinecone's SDK.",
        "Neither client nor emulator has been run against the real service",
        "emulator.md#how-it-is-verified",
    ):
        assert words in screen


def test_readme_is_short() -> None:
    """The README fits on a few screens: what most people need, and links to the pages."""
    assert len(read_page("README.md").splitlines()) <= 180


def test_readme_names_the_commands_of_a_fresh_machine() -> None:
    """The README has a block for each of the two commands that need nothing but Python and git, and they exist."""
    commands = [block.text.strip() for block in list_blocks("README.md") if "./scripts/" in block.text]
    assert commands == ["./scripts/quickstart", "./scripts/test"]
    assert all(os.access(ROOT / command, os.X_OK) for command in commands)


def test_code_of_the_readme_is_as_narrow_as_that_of_the_pages() -> None:
    """No line of code has more than the 90 characters that docs/_extensions/code_width.py allows on a page."""
    lines = [line for block in list_blocks("README.md") for line in block.text.splitlines()]
    assert [line for line in lines if len(line) > 90] == []


def test_the_page_of_commands_marks_code_whole_and_topics_are_prose() -> None:
    """No value or command is code in part only; a topic has paragraphs, lists of terms, and code only for code."""
    helps = [each.help or "" for one in COMMANDS for each in one.params]
    texts = [*TOPICS.values(), *(str(command.help) for command in COMMANDS), *helps]
    marked = [re.sub("`([^`]+)`", r"<\1>", mark_code(str(text))) for text in texts]
    assert [each for each in marked if re.search(r"[\w:@-]<|>[:@]?\w", each)] == []
    kinds = {"- ": "list", "``": "code"}
    parts = {name: [kinds.get(each[:2], "text") for each in render_topic(text)] for name, text in TOPICS.items()}
    assert parts["exit-codes"] == ["text", "text", "list", "text"]
    assert parts["findings"] == ["text", "list", "text"]
    assert parts["waivers"] == ["text", "text", "code", "text"]


def test_every_command_in_a_sentence_can_be_typed() -> None:
    """Code in a line of prose that begins with the program names a command, a topic or a code that exists."""
    known = {each.full_name for each in COMMANDS} | {f"help {topic}" for topic in TOPICS}
    code = re.compile(r"(?<!`)`pinecone-admin ([^`]+)`(?!`)")
    spans = {" ".join(found.split()) for page in PAGES for found in code.findall(read_page(page))}
    assert {"whoami", "help roles", "explain CODE", "token --reveal"} < spans

    def names_something(span: str) -> bool:
        words = [word for word in span.partition(" -")[0].split() if not re.fullmatch(r"[A-Z]+|PA\d+|\S*[./]\S*", word)]
        return not words or " ".join(words) in known

    assert [span for span in sorted(spans) if not names_something(span)] == []


def test_every_command_is_on_one_page_of_the_reference() -> None:
    """The pages of commands have each noun and each command without one, once."""
    pages = "".join(read_page(page) for page in PAGES if page.startswith("docs/reference/commands/"))
    words = [word for listed in re.findall(r"reference\.py: commands (.+) -->", pages) for word in listed.split()]
    assert sorted(words) == sorted({command.path[0] for command in COMMANDS})


def test_the_search_words_of_a_page_are_lines_of_their_own() -> None:
    """Wrapped into one line, they are text of the page, and the search loses them."""
    begins = {page: read_page(page).split("\n", 1)[0] for page in PAGES if page.startswith("docs/")}
    assert len(begins) > 40
    assert {page: line for page, line in begins.items() if line != "---" and not line.startswith("# ")} == {}


def test_sources_of_the_pages_have_short_lines() -> None:
    """No line has more than 142 characters, except in tables, so that a difference can be read."""
    long = [
        (page, line)
        for page in PAGES
        for line in read_page(page).splitlines()
        if len(line) > 142 and not line.startswith("|")
    ]
    assert long == []


METHODS: list[tuple[str, str]] = re.findall(
    r"^\| `admin\.(\w+)` \| (.+) \|$", read_page("docs/reference/index.md"), re.MULTILINE
)


def list_public_names(value: object) -> set[str]:
    """Return the names of the public attributes of a value."""
    return {name for name in dir(value) if not name.startswith("_")}


def test_all_methods_are_listed() -> None:
    """The derived table lists exactly the public methods of every namespace and of the client."""
    assert [namespace for namespace, _ in METHODS] == list(NAMESPACES)
    with Emulator().admin() as admin:
        for namespace, listed in METHODS:
            methods = list_public_names(getattr(admin, namespace))
            assert set(re.findall(r"`(\w+)`", listed)) == methods, namespace
        (others,) = re.findall(r"^\| `admin` \| (.+) \|$", read_page("docs/reference/index.md"), re.MULTILINE)
        methods = {name for name in list_public_names(admin) if callable(getattr(admin, name))}
        assert set(re.findall(r"`(\w+)`", others)) == methods


def test_every_public_name_is_in_the_reference() -> None:
    """The pages of the reference list every public name, and the methods of every namespace."""
    pages = "".join(read_page(page) for page in PAGES if page.startswith("docs/reference/"))
    names = set(re.findall(r"^#+ `([\w.]+)`$", pages, re.MULTILINE))
    record = (ROOT / "tests/public_api.txt").read_text(encoding="utf-8")
    public = re.findall(r"^pinecone_admin\.(?:\w+\.)?(\w+)$", record, re.MULTILINE)
    assert set(public) - names == set(), "list them on a page in docs/reference/, and run scripts/reference.py"
    methods = re.findall(r"^Admin\.(\w+\.\w+)\(", record, re.MULTILINE)
    assert {f"admin.{name}" for name in methods} - names == set()


def test_all_constructor_arguments_are_listed() -> None:
    """The table of the configuration lists exactly the arguments of the client."""
    rows = re.findall(r"^\| (.+?) \|", read_page("docs/configuration.md"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(inspect.signature(Admin).parameters)


def test_all_failures_are_listed_with_what_is_sent_again() -> None:
    """The table of failures has a row for each row of the table that the client decides by, in its order."""
    rows = re.findall(
        r"^\| .+ \| (repeated|final) \| (repeated|final) \| `(\w+)` \| (yes|no) \|$",
        read_page("docs/timeouts-and-retries.md"),
        re.MULTILINE,
    )
    words = {True: "repeated", False: "final"}
    assert rows == [
        (words[rule.retry_post], words[rule.retry_other], rule.outcome, "yes" if rule.worth_retrying else "no")
        for rule in RETRY_TABLE.values()
    ]


def test_retry_table_has_each_status() -> None:
    """The row that names a status, or else its class, is that of its failure."""
    titles = re.findall(r"^\| (.+?) \| (?:repeated|final) \|", read_page("docs/timeouts-and-retries.md"), re.MULTILINE)
    rows = list(zip(RETRY_TABLE, titles, strict=True))
    for status in range(300, 600):
        own = [(failure, title) for failure, title in rows if "error.code" not in title]
        named = [failure for failure, title in own if str(status) in title.partition(", except")[0]]
        classed = [failure for failure, title in rows if f"{status // 100}xx" in title]
        assert (status, named or classed) == (status, [classify_status(status)])
    foreign = [(failure, title) for failure, title in rows if "error.code" in title]
    assert [(classify_status(403, is_foreign=True), "403")] == [(failure, title[:3]) for failure, title in foreign]


def test_all_errors_are_listed_with_their_help_codes() -> None:
    """The table of errors lists every class, with its code."""
    listed = re.findall(r"^\| \[`(PA\d+)`\][^|]* \| `(\w+)` \|", read_page("docs/errors-by-code.md"), re.MULTILINE)
    classes = {each for name in errors.__all__ if inspect.isclass(each := getattr(errors, name))}
    kinds = {each for each in classes if issubclass(each, PineconeError)}
    assert sorted(listed) == sorted((kind.help_code, kind.__name__) for kind in kinds)


def test_all_workflows_are_listed() -> None:
    """The table of workflows lists exactly the methods with a preview or a plan, and shows which of both."""
    rows = re.findall(r"^\| (`.+) \| .+ \| (.+) \|$", read_page("docs/workflows.md"), re.MULTILINE)
    listed = {name: preview for names, preview in rows for name in re.findall(r"`([\w.]+)`", names)}
    assert listed.pop("inventory") == "reads only"
    assert listed.pop("api_keys.identify") == "changes nothing without `project_ids`"
    assert (listed.pop("plan"), listed.pop("apply")) == ("a plan", "a plan")
    previews: dict[str, str] = {}
    with Emulator().admin() as admin:
        for namespace in NAMESPACES:
            for name in list_public_names(getattr(admin, namespace)):
                parameters = inspect.signature(getattr(getattr(admin, namespace), name)).parameters
                found = [word for each, word in (("dry_run", "`dry_run`"), ("plan", "a plan")) if each in parameters]
                previews |= {f"{namespace}.{name}": each for each in found}
    assert {name: preview.partition(",")[0] for name, preview in listed.items()} == previews, (
        "table of docs/workflows.md"
    )


def test_every_workflow_previews_or_takes_a_plan() -> None:
    """Each workflow that changes something takes dry_run, which only offboard sets by default, or a plan."""
    defaults: dict[str, object] = {}
    with Emulator().admin() as admin:
        for namespace, listed in METHODS:
            for name in set(re.findall(r"\*`(\w+)`\*", listed)) - {"identify"}:
                parameters = inspect.signature(getattr(getattr(admin, namespace), name)).parameters
                assert ("dry_run" in parameters) != ("plan" in parameters), f"{namespace}.{name}"
                if "dry_run" in parameters:
                    defaults[f"{namespace}.{name}"] = parameters["dry_run"].default
    assert [method for method, default in defaults.items() if default is not False] == ["users.offboard"]
    assert defaults["users.offboard"] is True
    assert len(defaults) > 10
