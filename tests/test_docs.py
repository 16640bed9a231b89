"""README and docs: every example runs against the emulator, and the tables list what the package has."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinecone_admin import Admin, PineconeError, errors, on_organization
from pinecone_admin._http.retry_policy import RETRY_TABLE, classify_status
from pinecone_admin.cli.commands import COMMANDS
from pinecone_admin.cli.help.topics import TOPICS
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.faults.external_servers import run_redis
from tests.support.recipes import PAGES, ROOT, Block, list_blocks, read_page, run_recipes

TESTED_ELSEWHERE = ("from celery import", "from tenacity import")  # in test_retry_recipes.py, with faults
BLOCKS = [
    block
    for page in PAGES
    for block in list_blocks(page)
    if block.language in {"python", "sh"} and not any(each in block.text for each in TESTED_ELSEWHERE)
]
STUBBED = "docs/observability.md"  # its test runs its examples with stubs of the packages that they need


@pytest.mark.parametrize("page", [page for page in PAGES if page in {block.page for block in BLOCKS} - {STUBBED}])
def test_every_example_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The examples of a page run unchanged, in order, with the credentials in the environment."""
    blocks = [block for block in BLOCKS if block.page == page and not block.is_recipe]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if any("REDIS_URL" in block.text for block in blocks):
        monkeypatch.setenv("REDIS_URL", request.getfixturevalue("redis_url"))
    with emulate(serve=any(block.language == "sh" for block in blocks)) as emulator:
        for block in blocks:
            if block.language == "python":
                exec(compile("\n" * block.line + block.text, str(ROOT / page), "exec"), {"__name__": "docs"})
            else:
                run_in_shell(block, emulator)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Run Redis."""
    with run_redis(tmp_path) as url:
        yield url


def run_in_shell(block: Block, emulator: Emulator) -> None:
    """Run a block of commands as in a shell in the checkout, except that pip installs nothing."""
    variables = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    if "$CONTROL" in block.text:
        with emulator.admin() as admin:
            project = admin.projects.create(name="shell")
            invite = admin.invites.create(email="shell@example.com", role_bindings=[on_organization("OrgMember")])
        variables |= {"CONTROL": f"{emulator.host}/_emulator", "PROJECT": project.id, "INVITE": invite.id}
    # These make pip read the metadata of what it would install, and nothing else.
    variables |= {"PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    script = block.text.replace("./scripts/", f"{ROOT}/scripts/").replace("curl ", "curl --fail-with-body ")
    script = re.sub(r"pip install (\"?)\.", rf"pip install \1{ROOT}", script)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{block.page}:{block.line}\n{done.stdout}{done.stderr}"


def test_every_recipe_for_pytest_passes(tmp_path: Path) -> None:
    """The tests in each example for pytest pass in a file of their own."""
    recipes = {block.name: block.text for block in BLOCKS if block.is_recipe}
    tests = sum(text.count("def test_") for text in recipes.values())
    assert f"\n{tests} passed" in run_recipes(tmp_path, recipes)


def test_readme_is_short() -> None:
    """The README fits on a few screens: what most people need, and links to the pages."""
    assert len(read_page("README.md").splitlines()) <= 180


def test_code_of_the_readme_is_as_narrow_as_that_of_the_pages() -> None:
    """No line of code has more than the 90 characters that docs/_extensions/code_width.py allows on a page."""
    lines = [line for block in list_blocks("README.md") for line in block.text.splitlines()]
    assert [line for line in lines if len(line) > 90] == []


def test_the_page_of_commands_marks_code_whole_and_topics_are_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    """No value or command is code in part only; a topic has paragraphs, lists of terms, and code only for code."""
    monkeypatch.syspath_prepend(ROOT / "docs/_extensions")
    extension = importlib.import_module("commands")
    helps = [each.help for command in COMMANDS for each in command.parameters]
    texts = [*TOPICS.values(), *(command.details for command in COMMANDS), *helps]
    marked = [str(extension.mark_code(text)) for text in texts]
    assert [each for each in marked if re.search(r"[\w:@-]<literal>|</literal>[:@]?\w", each)] == []
    parts = {name: [part.tagname for part in extension.write_topic(text)] for name, text in TOPICS.items()}
    assert parts["exit-codes"] == ["paragraph", "paragraph", "definition_list", "paragraph"]
    assert parts["findings"] == ["paragraph", "definition_list", "paragraph"]
    assert parts["waivers"] == ["paragraph", "paragraph", "literal_block", "paragraph"]


def test_a_time_in_code_breaks_before_it_and_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that makes a time is too long for a phone, and breaks after its parenthesis."""
    monkeypatch.syspath_prepend(ROOT / "docs/_extensions")
    extension = importlib.import_module("translator")
    word = '<span class="pre">datetime.fromisoformat(&quot;2026-01-12T08:30:00Z&quot;)</span>'
    assert extension.LONG_WORD.sub(extension.break_word, word) == (
        '<span class="pre long">datetime.<wbr>fromisoformat('
        '<wbr>&quot;<span class="date">2026-01-12T08:30:00Z</span>&quot;)</span>'
    )


def test_sources_of_the_pages_have_short_lines() -> None:
    """No line has more than 142 characters, except in tables, so that a difference can be read."""
    long = [
        (page, line)
        for page in PAGES
        for line in read_page(page).splitlines()
        if len(line) > 142 and not line.startswith("|")
    ]
    assert long == []


def test_links_of_the_readme_lead_to_files_and_headings() -> None:
    """Every relative link of the README leads to a file of the checkout, and its fragment to a heading there."""
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", read_page("README.md")):
        path, _, fragment = target.partition("#")
        assert (ROOT / path).is_file(), target
        assert not fragment or fragment in list_anchors(path), target


def list_anchors(page: str) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", read_page(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


FIGURES = [
    (
        "created ([0-9]+) resources twice, and the official SDK ([0-9]+)",
        "reliability",
        "**POSTs processed twice**",
        (1, 4),
    ),
    (
        "repeated ([0-9]+) and the official SDK ([0-9]+)",
        "reliability",
        "**creates processed twice under random faults**",
        (1, 4),
    ),
    ("Of ([0-9]+) creates", "reliability", "creates under random faults", (1,)),
    ("looked for in ([0-9]+) places", "reliability", "places searched for secrets", (1,)),
    ("and found in ([0-9]+)", "reliability", "**secrets found**", (1,)),
    ("a GET ([0-9.]+) times", "performance", "GET", (5,)),
    ("Importing `Admin` takes ([0-9.]+) times", "performance", "import, over bare Python", (5,)),
]


def test_figures_of_the_readme_are_the_measured_ones() -> None:
    """Each figure in the README is the one on the page that its measurement wrote."""
    readme = " ".join(read_page("README.md").split())
    for sentence, page, row, columns in FIGURES:
        (found,) = re.finditer(sentence, readme)
        (cells,) = re.findall(rf"^\| {re.escape(row)} \| (.+) \|$", read_page(f"docs/{page}.md"), re.MULTILINE)
        assert list(found.groups()) == [cells.split(" | ")[column - 1] for column in columns], sentence


METHODS: list[tuple[str, str]] = re.findall(
    r"^\| `admin\.(\w+)` \| (.+) \|$", read_page("docs/reference/index.md"), re.MULTILINE
)


def list_public_names(value: object) -> set[str]:
    """Return the names of the public attributes of a value."""
    return {name for name in dir(value) if not name.startswith("_")}


def test_all_methods_are_listed() -> None:
    """The table lists exactly the public methods of every namespace and of the client."""
    with Emulator().admin() as admin:
        for namespace, listed in METHODS:
            assert set(re.findall(r"`(\w+)`", listed)) == list_public_names(getattr(admin, namespace))
        (others,) = re.findall(r"^\| `admin` \| (.+) \|$", read_page("docs/reference/index.md"), re.MULTILINE)
        methods = {name for name in list_public_names(admin) if callable(getattr(admin, name))}
        assert set(re.findall(r"`(\w+)`", others)) == methods


def test_every_public_name_is_in_the_reference() -> None:
    """The pages of the reference list every public name, and the methods of every namespace."""
    pages = "".join(read_page(page) for page in PAGES if page.startswith("docs/reference/"))
    names = {
        name
        for listed in re.findall(r"^\.\. public-names:: [\w.]+\n\n((?: .+\n)+)", pages, re.MULTILINE)
        for name in listed.split()
    }
    record = (ROOT / "tests/public_api.txt").read_text(encoding="utf-8")
    public = re.findall(r"^pinecone_admin\.(?:\w+\.)?(\w+)$", record, re.MULTILINE)
    assert set(public) <= names
    namespaces = set(re.findall(r"^Admin\.(\w+)\.", record, re.MULTILINE))
    assert {f"admin.{name}" for name in namespaces} <= set(re.findall(r"client-methods:: (\S+)", pages))


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
        named = [failure for failure, title in rows if str(status) in title]
        classed = [failure for failure, title in rows if f"{status // 100}xx" in title]
        assert (status, named or classed) == (status, [classify_status(status)])


def test_all_errors_are_listed_with_their_help_codes() -> None:
    """The table of errors lists every class, with its code."""
    listed = re.findall(r"^\| `(\w+)`[^|]* \| `(PA\d+)` \|", read_page("docs/errors.md"), re.MULTILINE)
    classes = {each for name in errors.__all__ if inspect.isclass(each := getattr(errors, name))}
    kinds = {each for each in classes if issubclass(each, PineconeError)}
    assert sorted(listed) == sorted((kind.__name__, kind.help_code) for kind in kinds)


def test_all_workflows_are_listed() -> None:
    """The table of workflows lists exactly the methods in italics, and says how each is previewed."""
    rows = re.findall(r"^\| (.+) \| .+ \| (`dry_run`|a plan|reads only)", read_page("docs/workflows.md"), re.MULTILINE)
    listed = {name: preview for names, preview in rows for name in re.findall(r"`([\w.]+)`", names)}
    italics = [(namespace, name) for namespace, names in METHODS for name in re.findall(r"\*`(\w+)`\*", names)]
    assert listed.pop("inventory") == "reads only"
    assert listed.keys() == {f"{namespace}.{name}" for namespace, name in italics}
    with Emulator().admin() as admin:
        for namespace, name in italics:
            parameters = inspect.signature(getattr(getattr(admin, namespace), name)).parameters
            assert (listed[f"{namespace}.{name}"] == "a plan") == ("plan" in parameters)


def test_every_workflow_previews_or_takes_a_plan() -> None:
    """Each workflow that changes something takes dry_run, which only offboard sets by default, or a plan."""
    defaults: dict[str, object] = {}
    with Emulator().admin() as admin:
        for namespace, listed in METHODS:
            for name in re.findall(r"\*`(\w+)`\*", listed):
                parameters = inspect.signature(getattr(getattr(admin, namespace), name)).parameters
                assert ("dry_run" in parameters) != ("plan" in parameters), f"{namespace}.{name}"
                if "dry_run" in parameters:
                    defaults[f"{namespace}.{name}"] = parameters["dry_run"].default
    assert [method for method, default in defaults.items() if default is not False] == ["users.offboard"]
    assert defaults["users.offboard"] is True
    assert len(defaults) > 10
