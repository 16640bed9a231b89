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

from pinecone_admin.retry import RetryPolicy

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "conf.py": f"""\
import sys
sys.path.insert(0, {str(ROOT / "docs/_extensions")!r})
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
extensions += ["links", "navigation", "reference", "search", "tables"]
autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
default_role = "code"
""",
    "index.md": """\
# A site

## Read

- [A page](page.md): with names.
- [A reference](reference.md)
- [Tables](tables.md)
- [Members](members.md)
""",
    "page.md": """\
---
keywords: leaf, second word
---

# A page

After a 418, call `admin.role_bindings.list(limit=5)`, or `role_bindings.create`, which returns a `RoleBinding`, not
`list`.

| namespace | methods |
|---|---|
| `admin.role_bindings` | `describe` and `nothing` |
""",
    "tables.md": f"""\
# Tables

| n | OrgOwner |
|---|---|
| 5 ms | yes |

| argument | what it *is* |
|---|---|
| `host` | {"words " * 30} |
| `lazy` | |

| rule | test |
|---|---|
| one | `{"x" * 50}_{"x" * 50} {"x" * 36} {"x" * 36}.x(0.5)` |
""",
    "reference.md": """\
# A reference

```{eval-rst}
.. client-methods:: admin.role_bindings

.. public-names:: pinecone_admin.models

   RoleBinding RoleName ORGANIZATION_ROLES on_project

.. public-names:: pinecone_admin.retry

   RetryPolicy RetryTransport
```
""",
    "members.md": """\
# Members

```{eval-rst}
.. client-methods:: emulator.faults

.. public-names:: pinecone_admin.emulator.control.faults

   Fault

.. public-names:: pinecone_admin.workflows

   StalePlan
```

## Below

- [More](members/more.md)
""",
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
    pages = [*(folder / "site").glob("*.html"), folder / "site/searchindex.js"]
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
    linked = re.findall(r'href="reference\.html#([\w.]+)"[^>]*><code[^>]*>(.+?)</code>', site["page"])
    assert [(target, read_text(text)) for target, text in linked] == [
        ("admin.role_bindings.list", "admin.role_bindings.list(limit=5)"),
        ("admin.role_bindings.create", "role_bindings.create"),
        ("pinecone_admin.models.RoleBinding", "RoleBinding"),
        ("admin.role_bindings.describe", "describe"),
    ]


def test_the_reference_shows_what_users_write(site: dict[str, str]) -> None:
    """Methods have the name in users' code, types their public names, and literals their values in one place."""
    text = read_text(site["reference"])
    assert "admin.role_bindings.create(*, principal_type" in text
    assert "role (RoleName)" in text
    assert f"RetryPolicy(*, max_attempts={RetryPolicy().max_attempts}, " in text
    assert "Literal" not in text
    assert text.count("'ProjectViewer'") == 1
    assert "generated_client" not in text
    assert "Values: 'OrgBillingAdmin', 'OrgManager', 'OrgMember', 'OrgOwner'." in text


def test_the_reference_has_the_inherited_methods_of_a_class_and_none_that_only_the_emulator_calls(
    site: dict[str, str],
) -> None:
    """A plan has the methods that save it, and the faults of the emulator those that tests call."""
    methods = set(re.findall(r'<dt [^>]*id="[\w.]*?(emulator\.faults\.\w+|\w+Plan\.\w+|Fault\.\w+)"', site["members"]))
    assert methods - {"emulator.control.faults.Fault"} == {
        *(f"emulator.faults.{name}" for name in ("add", "assert_all_used", "clear", "remove")),
        *("Fault.document", "Fault.kind", "Fault.used"),
        *("StalePlan.from_json", "StalePlan.to_json"),
    }


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


def test_code_that_does_not_fit_the_page_fails_the_build(tmp_path: Path) -> None:
    """A line of code is reported if it has more than 90 characters, or 4 less at each level of a list."""
    conf = PAGES["conf.py"].replace('"navigation"', '"code_width"')
    blocks = [f"{' ' * level * 2}- {level}\n\n{' ' * (level + 1) * 2}    {'x' * size}\n" for level, size in LINES]
    page = f"# A site\n\n    {'x' * 90}\n\nand\n\n    {'x' * 91}\n\n" + "\n".join(blocks)
    built = build(tmp_path, {"conf.py": conf, "index.md": page})
    assert built.returncode == 1
    found = re.findall(r"a line of code has (\d+) characters, of which (\d+) fit: x+$", built.stderr, re.MULTILINE)
    assert found == [("91", "90"), ("87", "86"), ("83", "82")]
