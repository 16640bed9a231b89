"""The extensions of the site, on a site with an index, a page and a reference of one namespace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "conf.py": f"""\
import sys
sys.path.insert(0, {str(ROOT / "docs/_extensions")!r})
extensions = ["myst_parser", "code_width", "links", "long_names", "names", "navigation", "search", "tables"]
""",
    "index.md": """\
# A site

## Read

- [A page](page.md): with names.
- [A reference](reference/all.md)
- [Tables](tables.md)
- [Members](members.md)
""",
    "page.md": """\
---
keywords: leaf, second word
---

# A page

After a 418, call `admin.role_bindings.list(limit=5)`, or `role_bindings.create`, which returns a `RoleBinding`, not
`list` or `list[RoleBinding]`.

| namespace | methods |
|---|---|
| `admin.role_bindings` | `describe` and `nothing` |
""",
    "tables.md": f"""\
# Tables

| n | OrgOwner |
|---|---|
| 5 ms | ≤ 0.85 |

| argument | what it *is* |
|---|---|
| `host` | {"words " * 30} |
| `lazy` | |

| rule | test |
|---|---|
| one | `{"x" * 50}_{"x" * 50} {"x" * 36} {"x" * 36}.x(0.5)` |
""",
    "reference/all.md": """\
# A reference

## `admin.role_bindings.list`

**Returns** `list[RoleBinding] | None`: those of a `User`.

## `admin.role_bindings.create`

## `admin.role_bindings.describe`

## `RoleBinding`
""",
    "members.md": "# Members\n\n## Below\n\n- [More](members/more.md)\n",
    "members/more.md": "# More\n",
}

LINES = [(0, 86), (0, 87), (1, 82), (1, 83)]
"""Lines of code in a list: the level of the list, and how many characters."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build the site, and return its pages."""
    folder = tmp_path_factory.mktemp("docs")
    built = build(folder, PAGES)
    assert (built.returncode, built.stderr) == (0, "")
    pages = [*(folder / "site").rglob("*.html"), folder / "site/searchindex.js"]
    return {path.stem: path.read_text(encoding="utf-8") for path in pages}


def build(folder: Path, pages: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Build a site of pages in a folder."""
    for name, text in pages.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", str(folder), str(folder / "site")]
    environment = os.environ | {"NO_COLOR": "1"}  # where CI is set, Sphinx colours its warnings
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=900, env=environment)


def read_text(html: str) -> str:
    """Return the text of a page, with one space between words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_names_in_backticks_link_to_the_reference(site: dict[str, str]) -> None:
    """A method links with its arguments, and in the row of its namespace; a word that is no public name does not."""
    linked = re.findall(r'href="reference/all\.html(#[\w-]+)?"[^>]*><code[^>]*>(.+?)</code>', site["page"])
    assert [(target, read_text(text)) for target, text in linked] == [
        ("#admin-role-bindings-list", "admin.role_bindings.list(limit=5)"),
        ("#admin-role-bindings-create", "role_bindings.create"),
        ("#rolebinding", "RoleBinding"),
        ("", "admin.role_bindings"),
        ("#admin-role-bindings-describe", "describe"),
    ]


def test_types_in_the_reference_link_to_their_names(site: dict[str, str]) -> None:
    """Each name within a type links to its entry; a name without an entry stays as it is."""
    codes = re.findall(r"<code[^>]*>(.+?)</code>", site["all"])
    linked = {read_text(code): re.findall(r'href="(#[\w-]+)"', code) for code in codes}
    assert linked["list[RoleBinding] | None"] == ["#rolebinding"]
    assert linked["User"] == []


def test_an_index_makes_the_navigation(site: dict[str, str]) -> None:
    """Its lists are tables of contents with their headings, and so are those of a page beside a folder of its name."""
    assert '<span class="caption-text">Read</span>' in site["page"]
    assert 'rel="next" title="A reference"' in site["page"]
    assert 'rel="next" title="More"' in site["members"]


def test_the_search_finds_a_status_code(site: dict[str, str]) -> None:
    """The index has a status code as a word, since the search drops numbers from a query."""
    index = json.loads(site["searchindex"].removeprefix("Search.setIndex(").removesuffix(")"))
    assert index["docnames"][index["terms"]["_418"]] == "page"


def test_the_search_finds_a_page_by_its_keywords(site: dict[str, str]) -> None:
    """They are main entries of the search, and not in the index of names."""
    index = json.loads(site["searchindex"].removeprefix("Search.setIndex(").removesuffix(")"))
    page = index["docnames"].index("page")
    assert {key: index["indexentries"][key] for key in ("leaf", "second word")} == {
        "leaf": [[page, "", True]],
        "second word": [[page, "", True]],
    }
    assert "second word" not in site["genindex"]


def test_a_page_has_its_first_sentence_as_description(site: dict[str, str]) -> None:
    """Without marks."""
    assert '<meta name="description" content="After a 418, call admin.role_bindings.list(limit=5), or' in site["page"]


def test_tables_are_stacked_where_they_have_no_room(site: dict[str, str]) -> None:
    """A long table is marked for phones and a wide one for every screen; all cells but the first name their column."""
    tables = re.findall(r'<table class="([^"]*)">(.*?)</table>', site["tables"], re.DOTALL)
    assert [set(classes.split()) & {"stacked", "wide"} for classes, _ in tables] == [
        set(),
        {"stacked"},
        {"stacked", "wide"},
    ]
    cells = re.findall(r"<td( [^>]*)?>(.*?)</td>", tables[1][1], re.DOTALL)
    labels = [re.findall('<span class="label">(.*?)</span>', text) for _, text in cells]
    assert labels == [[], ["what it is: "], [], []]
    assert [("empty" in attributes) for attributes, _ in cells] == [False, False, False, True]
    assert "Org\u200bOwner" in tables[0][1]
    assert "5\u00a0ms" in tables[0][1]
    assert "\u2264\u00a00.85" in tables[0][1]


def test_a_long_name_breaks_at_its_borders(site: dict[str, str]) -> None:
    """In headings, between the parts of a path and before an inner capital, and in code; a short name has no break."""
    headings = re.findall(r"<h2>(.*?)<a class=\"headerlink\"", site["all"])
    names = [re.sub(r"<(?!wbr)[^>]+>", "", heading) for heading in headings]
    assert names[0] == "admin.<wbr>role_<wbr>bindings.<wbr>list"
    assert names[-1] == "RoleBinding"
    assert site["all"].count("<wbr>") == 9
    assert site["page"].count("<wbr>") == 3  # in admin.role_bindings.list(limit=5)


def test_code_that_does_not_fit_the_page_fails_the_build(tmp_path: Path) -> None:
    """A line of code is reported if it has more than 90 characters, or 4 less at each level of a list."""
    blocks = [f"{' ' * level * 2}- {level}\n\n{' ' * (level + 1) * 2}    {'x' * size}\n" for level, size in LINES]
    page = f"# A site\n\n    {'x' * 90}\n\nand\n\n    {'x' * 91}\n\n" + "\n".join(blocks)
    built = build(tmp_path, {"conf.py": PAGES["conf.py"], "index.md": page})
    assert built.returncode == 1
    found = re.findall(r"a line of code has (\d+) characters, but only (\d+) fit: x+$", built.stderr, re.MULTILINE)
    assert found == [("91", "90"), ("87", "86"), ("83", "82")]
