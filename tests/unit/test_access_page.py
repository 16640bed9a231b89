"""The access page in a browser: it loads nothing, runs only its own script, sorts, filters and prints."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from attrs import evolve

from pinecone_admin.emulator import Emulator
from pinecone_admin.models import User
from tests.support.organizations import populate_organization
from tests.support.programs import find_program
from tests.support.records import make_project
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
    """The page has one script, loads nothing, and has no attribute that runs code."""
    page = make_hostile_access().to_html()
    parser = _Tags()
    parser.feed(page)
    assert parser.tags.count("script") == 1
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
    shown = "const shown = list => [...list].filter(each => !each.hidden);"
    cells = "const cells = table => shown(table.rows).map(row => shown(row.cells).map(cell => cell.textContent));"
    output_script = f'byId("count").textContent = JSON.stringify({value});'
    injected = f"\nfilter();\n{shown}\n{cells}\n{script}\n{output_script}\n"
    changed = page.replace("\nfilter();\n", injected).replace('http-equiv="Content-Security-Policy"', "")
    (output,) = re.findall(r"<output[^>]*>(.*?)</output>", open_in_browser(changed, folder, "--dump-dom"), re.DOTALL)
    return json.loads(unescape(output))


def test_the_policy_allows_the_script(tmp_path: Path) -> None:
    """The content security policy of the page allows its own script."""
    page = INVENTORY.access().to_html()
    wide = page.replace('<section id="wide">', '<section id="wide" class="many">')
    assert wide != page
    assert '<section id="wide" class="">' in open_in_browser(wide, tmp_path, "--dump-dom")


def test_filters_leave_the_matching_cells(tmp_path: Path) -> None:
    """Filters for project and level leave only the matching rows and columns."""
    script = 'byId("project").value = "search"; byId("level").value = "2"; filter();'
    assert evaluate(INVENTORY.access().to_html(), script, "[cells(matrix), cells(where)]", tmp_path) == [
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


def test_a_person_filter_leaves_their_projects(tmp_path: Path) -> None:
    """A filter for a person leaves their row and the projects that they have access to."""
    script = 'byId("person").value = "BOB"; filter();'
    assert evaluate(INVENTORY.access().to_html(), script, "cells(matrix)", tmp_path) == [
        ["who", "organization", "atlas", "search"],
        ["bob@example.com", "OrgMember", "unknown", "writes"],
    ]


def test_a_click_sorts_and_a_second_click_reverses(tmp_path: Path) -> None:
    """A click on a heading sorts by name, level or count, and a second click reverses the order."""
    script = """
    const first = table => shown(table.tBodies[0].rows).map(row => row.cells[0].textContent.split(/[@ ]/)[0]);
    const seen = [];
    for (const [table, column] of [[matrix, 0], [matrix, 0], [matrix, 3], [where, 1]]) {
      table.tHead.rows[0].cells[column].click();
      seen.push(first(table));
    }"""
    by_name, reversed_order, by_level, by_count = evaluate(INVENTORY.access().to_html(), script, "seen", tmp_path)
    assert by_name == sorted(by_name)
    assert reversed_order == by_name[::-1]
    assert set(by_level[:3]) == {"ada", "new", "robot-s1"}
    assert by_count == ["search", "atlas"]


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    """Hostile names create no element, and are shown unchanged."""
    projects = [make_project(f"p{number}", name) for number, name in enumerate(NAMES)]
    users = [User(id=f"u{number}", email=name) for number, name in enumerate(NAMES)]
    page = evolve(INVENTORY, projects=projects, users=users).access().to_html()
    heads = "[...matrix.tHead.rows[0].cells].slice(2).map(cell => cell.textContent)"
    elements = "[...document.body.querySelectorAll('*')].map(each => each.localName)"
    seen, tags = evaluate(page, "", f"[{heads}, {elements}]", tmp_path)
    assert {name for name in NAMES if not set(name) & {*"\u202e\u2066\x1b\r\n\t"}} <= set(seen)
    assert "\\u202eevil" in seen
    assert len(seen) == len(NAMES)
    assert tags.count("script") == 1
    assert not {"img", "link", "iframe"} & set(tags)


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


def test_500_projects_can_be_filtered(tmp_path: Path) -> None:
    """In an organization of 500 projects, a filter finds the row of one project."""
    emulator = Emulator(seed=3)
    populate_organization(emulator, projects=500, users=60)
    page = emulator.admin().inventory().access().to_html()
    script = 'byId("project").value = "docs-dev-4"; byId("level").value = "2"; filter();'
    ((name, *_),) = evaluate(page, script, "cells(where).slice(1)", tmp_path)
    assert name == "docs-dev-4"
