"""The access page in a browser: it loads nothing, runs only its own script, sorts, filters and prints."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin.emulator import Emulator
from pinecone_admin.models import User
from tests.benchmarks.access_page import make_inventory
from tests.support.organizations import populate_organization
from tests.support.programs import find_program
from tests.support.records import make_binding, make_project
from tests.unit.test_access import INVENTORY, NAMES, make_hostile_access


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_the_page_runs_no_script_but_its_own_and_loads_nothing() -> None:
    """The page has one script that runs, loads nothing, and has no attribute that runs code."""
    page = make_hostile_access().to_html()
    parser = _Tags()
    parser.feed(page)
    assert parser.tags.count("script") == 2
    assert [value for name, value in parser.attributes if name == "type"] == ["search", "search", "application/json"]
    assert not {"img", "link", "iframe", "object"} & set(parser.tags)
    assert not [name for name, _ in parser.attributes if name in {"src", "style"} or name.startswith("on")]
    assert [value for name, value in parser.attributes if name == "href"] == ["#wide"]
    assert "default-src 'none'" in page
    assert "cannot see usage" in page


def open_in_browser(page: str, folder: Path, *flags: str) -> str:
    """Open a page in a headless browser with an empty console, and return its output."""
    file = folder / "access.html"
    file.write_text(page, encoding="utf-8")
    quiet = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
    command = [find_program("chromium"), *quiet.split(), "--enable-logging=stderr", f"--user-data-dir={folder}/profile"]
    done = subprocess.run([*command, *flags, file.as_uri()], capture_output=True, text=True, check=True, timeout=900)
    assert "CONSOLE" not in done.stderr
    return done.stdout


def evaluate(page: str, script: str, value: str, folder: Path) -> Any:
    """Run a script in the loaded page, and return the value of an expression."""
    (found,) = evaluate_each([(page, script, value)], folder)
    return found


def evaluate_each(cases: Iterable[tuple[str, str, str]], folder: Path) -> list[Any]:
    """Return the value on each page after its script, all in one browser, which takes longest to start."""
    frames = "".join(f'<iframe srcdoc="{escape(add_script(*case))}" width="1280"></iframe>' for case in cases)
    read = "Array.from(frames, frame => frame.document.querySelector('output').textContent)"
    collect = f"onload = () => document.querySelector('output').textContent = JSON.stringify({read})"
    document = f"<!doctype html><meta charset='utf-8'><output></output>{frames}<script>{collect}</script>"
    (output,) = re.findall("<output>(.*?)</output>", open_in_browser(document, folder, "--dump-dom"), re.DOTALL)
    return [json.loads(each) for each in json.loads(unescape(output))]


def add_script(page: str, script: str, value: str) -> str:
    """Return a page that runs a script and puts the value of an expression into its output."""
    shown = "const shown = list => [...list].filter(each => !each.hidden);"
    cells = "const cells = table => shown(table.rows).map(row => shown(row.cells).map(cell => cell.textContent));"
    output_script = f'byId("count").textContent = JSON.stringify({value});'
    injected = f"\nfilter();\n{shown}\n{cells}\n{script}\n{output_script}\n"
    return page.replace("\nfilter();\n", injected).replace('http-equiv="Content-Security-Policy"', "")


SORTING = """
const first = table => shown(table.tBodies[0].rows).map(row => row.cells[0].textContent.split(/[@ ]/)[0]);
const seen = [];
for (const [table, column] of [[matrix, 0], [matrix, 0], [matrix, 3], [where, 1]]) {
  table.tHead.rows[0].cells[column].click();
  seen.push(first(table));
}
"""


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what each test of a small page looks at, after what it does there."""
    page = INVENTORY.access().to_html()
    editor = make_binding("user", "u1", "ProjectEditor", "p1")
    edited = evolve(INVENTORY, role_bindings=[*INVENTORY.role_bindings, editor]).access().to_html()
    level = 'byId("project").value = "search"; byId("level").value = "2"; filter();'
    titles = "[...matrix.tBodies[0].rows[0].cells].map(cell => cell.title)"
    cases = {
        "level": (page, level, "[cells(matrix), cells(where)]"),
        "person": (page, 'byId("person").value = "BOB"; filter();', "cells(matrix)"),
        "project": (page, 'byId("project").value = "ATLAS"; filter();', "cells(matrix)"),
        "clicks": (page, SORTING, "seen"),
        "titles": (edited, "", titles),
    }
    return dict(zip(cases, evaluate_each(cases.values(), tmp_path_factory.mktemp("access")), strict=True))


def test_the_policy_allows_the_script(tmp_path: Path) -> None:
    """The content security policy of the page allows its own script."""
    document = open_in_browser(INVENTORY.access().to_html(), tmp_path, "--dump-dom")
    assert '<td title="OrgOwner" class="owns">owns</td>' in document


def test_filters_leave_the_matching_cells(values: dict[str, Any]) -> None:
    """Filters for project and level leave only the matching rows and columns."""
    assert values["level"] == [
        [
            ["who", "organization", "search"],
            ["ada@example.com", "OrgOwner", "owns"],
            ["robot-s1 service account", "OrgOwner", "owns"],
            ["bob@example.com", "OrgMember", "writes"],
            ["new@example.com invited", "", "owns"],
        ],
        [
            ["project", "owns", "writes", "keys that write"],
            ["search", "new@example.com invited", "bob@example.com", "reader"],
        ],
    ]


@pytest.mark.long
def test_a_person_filter_leaves_their_projects(values: dict[str, Any]) -> None:
    """A filter for a person leaves their row and the projects that they have access to."""
    assert values["person"] == [
        ["who", "organization", "atlas", "search"],
        ["bob@example.com", "OrgMember", "unknown", "writes"],
    ]


@pytest.mark.long
def test_a_click_sorts_and_a_second_click_reverses(values: dict[str, Any]) -> None:
    """A click on a heading sorts by name, level or count, and a second click reverses the order."""
    by_name, reversed_order, by_level, by_count = values["clicks"]
    assert by_name == sorted(by_name)
    assert reversed_order == by_name[::-1]
    assert set(by_level[:3]) == {"ada", "new", "robot-s1"}
    assert by_count == ["search", "atlas"]


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    """Hostile names create no element, and are shown unchanged."""
    projects = [make_project(f"p{number}", name) for number, name in enumerate(NAMES)]
    users = [User(id=f"u{number}", email=name) for number, name in enumerate(NAMES)]
    page = evolve(INVENTORY, projects=projects, users=users).access().to_html()
    # Outside of the data, a name would open a dialog, which the browser would wait for.
    assert page.count("</script") == 2
    heads = "[...matrix.tHead.rows[0].cells].slice(2).map(cell => cell.textContent)"
    elements = "[...document.body.querySelectorAll('*')].map(each => each.localName)"
    rows = "[...matrix.tBodies[0].rows].map(row => row.cells[0].textContent)"
    seen, people, tags = evaluate(page, "", f"[{heads}, {rows}, {elements}]", tmp_path)
    assert {name for name in NAMES if not set(name) & {*"\u202e\u2066\x1b\r\n\t"}} <= set(seen)
    assert "\\u202eevil" in seen
    assert len(seen) == len(NAMES)
    assert tags.count("script") == 2
    assert not {"img", "link", "iframe"} & set(tags)
    assert set(seen) <= set(people)


@pytest.mark.long
def test_the_page_prints(tmp_path: Path) -> None:
    """The page prints in landscape on at most six pages."""
    emulator = Emulator(seed=3)
    populate_organization(emulator, projects=60, users=12)
    page = emulator.admin().inventory().access().to_html()
    open_in_browser(page, tmp_path, f"--print-to-pdf={tmp_path}/access.pdf")
    pdf = (tmp_path / "access.pdf").read_bytes()
    pages = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert 1 <= len(pages) <= 6
    assert all(float(width) > float(height) for width, height in pages)


@pytest.mark.long
def test_500_projects_can_be_filtered(tmp_path: Path) -> None:
    """In an organization of 500 projects, a filter finds the row of one project."""
    emulator = Emulator(seed=3)
    populate_organization(emulator, projects=500, users=60)
    page = emulator.admin().inventory().access().to_html()
    script = 'byId("project").value = "docs-dev-4"; byId("level").value = "2"; filter();'
    ((name, *_),) = evaluate(page, script, "cells(where).slice(1)", tmp_path)
    assert name == "docs-dev-4"


@pytest.mark.long
def test_a_project_filter_leaves_people_with_access(values: dict[str, Any]) -> None:
    """A filter for a project leaves the people with access to it, whatever else they have."""
    rows = values["project"]
    assert rows[0] == ["who", "organization", "atlas"]
    names = [row[0] for row in rows[1:]]
    assert names == ["ada@example.com", "robot-s1 service account", "bob@example.com", "robot-s2 service account"]


@pytest.mark.long
def test_the_roles_of_an_owner_on_a_project_are_shown(values: dict[str, Any]) -> None:
    """A cell of an owner of the organization has the owner's roles on that project, too."""
    assert values["titles"] == ["", "", "OrgOwner", "OrgOwner, ProjectEditor"]


@pytest.mark.long
def test_a_matrix_that_is_too_large_waits_for_a_filter(tmp_path: Path) -> None:
    """A matrix of a million cells has no cell at first, and then those of the person who is looked for."""
    page = make_inventory(people=1_000, projects=1_000, owners=3).access().to_html()
    script = """
    const state = () => [byId("large").hidden, byId("count").value, matrix.querySelectorAll("tbody td").length];
    const states = [state()];
    for (const name of ["00042", "00002", ""]) { byId("person").value = name; filter(); states.push(state()); }"""
    assert evaluate(page, script, "states", tmp_path) == [
        [False, "1000 people, 1000 projects", 0],
        [True, "1 person, 10 projects", 11],
        [True, "1 person, 1000 projects", 1_001],
        [False, "1000 people, 1000 projects", 0],
    ]


def test_the_page_grows_with_roles_and_not_with_cells() -> None:
    """A page costs some 90 bytes per role, whether most people have few projects or many people own them all."""
    for owners in (3, 500):
        inventory = make_inventory(people=1_000, projects=1_000, owners=owners)
        assert len(inventory.access().to_html()) < 100 * len(inventory.role_bindings)


def test_projects_can_be_read_without_scripts() -> None:
    """Without scripts, the page has everyone who has access to a project."""
    inventory = make_inventory(people=50, projects=20, owners=3)
    static = re.sub("<script.*?</script>", "", inventory.access().to_html(), flags=re.DOTALL)
    assert "needs JavaScript" in static
    for user in inventory.users:
        assert static.count(f">{user.email}</span>") == (0 if user in inventory.users[:3] else 10)


def test_the_benchmark_measures_a_page(tmp_path: Path) -> None:
    """The benchmark prints its figures, and saves the page."""
    saved = tmp_path / "access.html"
    command = [
        sys.executable,
        "tests/benchmarks/access_page.py",
        "--people",
        "50",
        "--projects",
        "20",
        "--owners",
        "10",
    ]
    done = subprocess.run([*command, "--out", saved], capture_output=True, text=True, check=True, timeout=300)
    assert json.loads(done.stdout)["figures"]["10"]["bindings"] == 550
    assert "<h1>Who can do what in Acme</h1>" in saved.read_text(encoding="utf-8")
