"""Links within the project, of pages, of code that names a page, and of llms.txt, lead to a file and a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from llms_txt import DOCS, read_pages, render_contents
from tests.support.recipes import PAGES, ROOT, read_page

ROOT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
SOURCES = ("pinecone_admin", "scripts", ".ci", ".github", "openapi")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
NAMED = re.compile(r"\b(?:docs|tests)/(?:[\w.-]+/)*[\w.-]+\.(?:md|svg|png|jsonl?)\b(?:#[\w-]+)?")
"""A path of a page, a picture or data in a text, such as a docstring or a message."""

OF_OTHERS = {"docs/resources/api_key.md"}
"""Paths in the repositories of others."""

_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def list_anchors(page: Path) -> frozenset[str]:
    """Return the anchors of the headings of a page, as a checkout and the site have them."""
    text = page.read_text(encoding="utf-8")
    included = re.findall(r"^```\{include\} (\S+)", text, re.MULTILINE)
    headings = _HEADING.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    below = [anchor for each in included for anchor in list_anchors(page.parent / each)]
    return frozenset([*anchors, *below])


def find_dead_links(text: str, folder: Path, links: re.Pattern[str] = LINK) -> Iterator[str]:
    """Yield the links of a text that lead to no file, or to no heading of a page."""
    for link in links.findall(text):
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else None
        if target is None or not target.is_file() or (anchor and anchor not in list_anchors(target)):
            yield link


def test_links_of_pages_lead_somewhere() -> None:
    """Each relative link leads to a file of the checkout, and its anchor to a heading there."""
    for page in (*PAGES, *ROOT_PAGES):
        text = _CODE.sub("", read_page(page))
        own = re.sub(r"\]\((#[^)]+)\)", rf"]({Path(page).name}\1)", text)
        assert list(find_dead_links(own, (ROOT / page).parent)) == [], page


def test_pages_name_only_files_that_exist() -> None:
    """A path in the text of a page is that of a file of the checkout."""
    dead = {page: {*find_dead_links(read_page(page), ROOT, NAMED)} - OF_OTHERS for page in (*PAGES, *ROOT_PAGES)}
    assert {page: links for page, links in dead.items() if links} == {}


def test_code_names_only_pages_that_exist() -> None:
    """A path of a page in a docstring, a comment or a message is that of a file of the checkout."""
    files = [path for source in SOURCES for path in (ROOT / source).rglob("*") if path.is_file()]
    # Another process may compile a module right now, into a file that has no name of its own yet.
    written = [path for path in files if "__pycache__" not in path.parts and path.suffix != ".png"]
    texts = {path: path.read_text(encoding="utf-8") for path in written}
    dead = {path: [*find_dead_links(text, ROOT, NAMED)] for path, text in texts.items()}
    assert {str(path.relative_to(ROOT)): links for path, links in dead.items() if links} == {}


def test_links_of_llms_txt_lead_to_pages_of_the_site() -> None:
    """Each entry is a page in Markdown, or its HTML; each page has one entry, except appendices."""
    names = re.findall(r"^- \[.+?\]\(([^)]+)\)", render_contents(read_pages(DOCS)), re.MULTILINE)
    pages = [DOCS / re.sub(r"\.html$", ".md", name) for name in names]
    assert [str(page) for page in pages if not page.is_file()] == []
    assert len(set(pages)) == len(pages)
    others = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {
        page.relative_to(DOCS).as_posix() for page in pages
    }
    appendices = {name for name in others if name.startswith("contributing")}
    assert others - appendices == {"index.md", "reference/bodies.md", "reference/operations.md"}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """A link to no file, to no heading, and to a folder are found; others are not."""
    (tmp_path / "page.md").write_text("# Page\n\n## Its `part`: one\n\n```\n# Code\n```\n")
    text = (
        "[a](page.md), [b](page.md#its-part-one), [c](no.md), [d](page.md#code), [e](.), [f](https://x.example/no.md)"
    )
    assert list(find_dead_links(text, tmp_path)) == ["no.md", "page.md#code", "."]
