"""The access page in a browser: it loads nothing, runs no script but its own, sorts, filters and prints."""

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
from tests.support.organizations import populate
from tests.support.programs import find
from tests.unit.test_access import INVENTORY, NAMES, hostile, project


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_the_page_runs_no_script_but_its_own_and_loads_nothing() -> None:
    """Whatever anything is named."""
    page = hostile().to_html()
    parser = _Tags()
    parser.feed(page)
    assert parser.tags.count("script") == 1
    assert not {"img", "link", "iframe", "object"} & set(parser.tags)
    assert not [name for name, _ in parser.attributes if name in {"src", "style"} or name.startswith("on")]
    assert [value for name, value in parser.attributes if name == "href"] == ["#wide"]
    assert "default-src 'none'" in page
    assert "cannot see usage" in page


def chromium(page: str, folder: Path, *flags: str) -> str:
    """Open a page in a headless browser, and give what it prints; its console must say nothing."""
    file = folder / "access.html"
    file.write_text(page, encoding="utf-8")
    quiet = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
    command = [find("chromium"), *quiet.split(), "--enable-logging=stderr", f"--user-data-dir={folder}/profile"]
    done = subprocess.run([*command, *flags, file.as_uri()], capture_output=True, text=True, check=True, timeout=180)
    assert "CONSOLE" not in done.stderr
    return done.stdout


def answer(page: str, script: str, value: str, folder: Path) -> Any:
    """Run a script once the page is there, and give a value that it can see then."""
    shown = "const shown = list => [...list].filter(each => !each.hidden);"
    cells = "const cells = table => shown(table.rows).map(row => shown(row.cells).map(cell => cell.textContent));"
    told = f'at("count").textContent = JSON.stringify({value});'
    asking = f"\nfilter();\n{shown}\n{cells}\n{script}\n{told}\n"
    changed = page.replace("\nfilter();\n", asking).replace('http-equiv="Content-Security-Policy"', "")
    (output,) = re.findall(r"<output[^>]*>(.*?)</output>", chromium(changed, folder, "--dump-dom"), re.DOTALL)
    return json.loads(unescape(output))


def test_its_own_policy_lets_its_script_run(tmp_path: Path) -> None:
    """A script that the policy stopped would leave the list of a narrow matrix as it was written."""
    page = INVENTORY.access().to_html()
    wide = page.replace('<section id="wide">', '<section id="wide" class="many">')
    assert wide != page
    assert '<section id="wide" class="">' in chromium(wide, tmp_path, "--dump-dom")


def test_a_filter_leaves_the_answer(tmp_path: Path) -> None:
    """Who may write in one project: the rows and columns that answer it, and no other."""
    ask = 'at("project").value = "search"; at("level").value = "2"; filter();'
    assert answer(INVENTORY.access().to_html(), ask, "[cells(matrix), cells(where)]", tmp_path) == [
        [
            ["who", "organization", "search"],
            ["ada@example.com", "OrgOwner", "owns"],
            ["bob@example.com", "OrgMember", "writes"],
            ["new@example.com invited", "", "owns"],
        ],
        [
            ["project", "owns", "writes", "keys that write"],
            ["search", "new@example.com invited", "bob@example.com", "reader"],
        ],
    ]


def test_a_person_leaves_the_projects_that_they_reach(tmp_path: Path) -> None:
    """And nobody else's row."""
    ask = 'at("person").value = "BOB"; filter();'
    assert answer(INVENTORY.access().to_html(), ask, "cells(matrix)", tmp_path) == [
        ["who", "organization", "atlas", "search"],
        ["bob@example.com", "OrgMember", "other", "writes"],
    ]


def test_a_click_sorts_and_another_one_turns_it_round(tmp_path: Path) -> None:
    """By name, by what people may do in a project, and by how many may."""
    script = """
    const first = table => shown(table.tBodies[0].rows).map(row => row.cells[0].textContent.split(/[@ ]/)[0]);
    const seen = [];
    for (const [table, column] of [[matrix, 0], [matrix, 0], [matrix, 3], [where, 1]]) {
      table.tHead.rows[0].cells[column].click();
      seen.push(first(table));
    }"""
    by_name, turned, by_level, by_count = answer(INVENTORY.access().to_html(), script, "seen", tmp_path)
    assert by_name == sorted(by_name)
    assert turned == by_name[::-1]
    assert set(by_level[:2]) == {"ada", "new"}
    assert by_count == ["search", "atlas"]


def test_hostile_names_are_shown_as_they_are_and_do_nothing(tmp_path: Path) -> None:
    """No element comes of them, and each can be read in its cell."""
    projects = [project(f"p{number}", name) for number, name in enumerate(NAMES)]
    users = [User(id=f"u{number}", email=name) for number, name in enumerate(NAMES)]
    page = evolve(INVENTORY, projects=projects, users=users).access().to_html()
    heads = "[...matrix.tHead.rows[0].cells].slice(2).map(cell => cell.textContent)"
    elements = "[...document.body.querySelectorAll('*')].map(each => each.localName)"
    seen, tags = answer(page, "", f"[{heads}, {elements}]", tmp_path)
    assert {name for name in NAMES if not set(name) & {*"\u202e\u2066\x1b\r"}} <= set(seen)
    assert "\\u202eevil" in seen
    assert len(seen) == len(NAMES)
    assert tags.count("script") == 1
    assert not {"img", "link", "iframe"} & set(tags)


def test_it_prints(tmp_path: Path) -> None:
    """Landscape, on few pages; a matrix too wide for paper is left out."""
    emulator = Emulator(seed=3)
    populate(emulator, projects=60, users=12)
    page = emulator.admin().inventory().access().to_html()
    chromium(page, tmp_path, f"--print-to-pdf={tmp_path}/access.pdf")
    pdf = (tmp_path / "access.pdf").read_bytes()
    pages = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert 1 <= len(pages) <= 6
    assert all(float(width) > float(height) for width, height in pages)


def test_an_organization_of_500_projects_answers(tmp_path: Path) -> None:
    """Who can write in one of them is one row."""
    emulator = Emulator(seed=3)
    populate(emulator, projects=500, users=60)
    page = emulator.admin().inventory().access().to_html()
    ask = 'at("project").value = "docs-dev-4"; at("level").value = "2"; filter();'
    ((name, *_),) = answer(page, ask, "cells(where).slice(1)", tmp_path)
    assert name == "docs-dev-4"
