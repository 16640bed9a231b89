#!/usr/bin/env python3
"""Write llms.txt, a table of contents of the documentation for language models, and the pages that it links to.

Usage: llms_txt.py FOLDER

FOLDER is the site that scripts/docs built. The pages are those in the index of docs/ and in the indexes below it, with
their titles and first two sentences. They are copied as Markdown; a page that Sphinx fills in is linked as HTML. See https://llmstxt.org.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Write the file and copy the pages."""
    site = Path(sys.argv[1])
    pages = read_pages(DOCS)
    (site / "llms.txt").write_text(render_contents(pages), encoding="utf-8")
    for name, text in pages.items():
        if not is_filled_in(text):
            shutil.copy(DOCS / name, site / name)


def read_pages(folder: Path) -> dict[str, str]:
    """Return the text of every page, by its path in the folder."""
    return {path.relative_to(folder).as_posix(): read_page(path) for path in sorted(folder.rglob("*.md"))}


def read_page(path: Path) -> str:
    """Return the text of a page, after that of a file that it includes."""
    text = path.read_text(encoding="utf-8")
    included = re.search(r"^```\{include\} (\S+)\n", text, re.MULTILINE)
    return f"{(path.parent / included[1]).read_text(encoding='utf-8')}\n{text}" if included else text


def is_filled_in(text: str) -> bool:
    """Return whether Sphinx fills in parts of a page."""
    return "```{" in text


def render_contents(pages: Mapping[str, str]) -> str:
    """Return the table of contents: the index, with the title and the first sentences of each page."""
    introduction, *sections = re.split(r"^## ", pages["index.md"], flags=re.MULTILINE)
    title, sentences = describe_page(introduction)
    lines = [f"# {title}", "", f"> {sentences}"]
    for section in sections:
        links = [render_link(name, pages[name]) for name in list_pages("index.md", section, pages)]
        lines += ["", f"## {section.splitlines()[0]}", "", *links] if links else []
    return "\n".join(lines) + "\n"


def list_pages(index: str, text: str, pages: Mapping[str, str]) -> Iterator[str]:
    """Yield the pages in the lists of an index, each followed by those in its own lists if it is an index."""
    for link in re.findall(r"^- \[[^]]+\]\((.+?\.md)\)", text, re.MULTILINE):
        name = posixpath.normpath(posixpath.join(posixpath.dirname(index), link))
        yield name
        folder = name.removesuffix(".md")
        if folder.endswith("/index") or any(each.startswith(f"{folder}/") for each in pages):
            yield from list_pages(name, pages[name], pages)


def render_link(name: str, text: str) -> str:
    """Return the entry of a page."""
    title, sentences = describe_page(text)
    target = f"{name.removesuffix('.md')}.html" if is_filled_in(text) else name
    return f"- [{title}]({target}): {sentences}"


def describe_page(text: str) -> tuple[str, str]:
    """Return the title of a page and its first two sentences, without links and marks."""
    found = re.search(r"^# (.+)\n\s*(?:(?:<!--|##).*\s*)*([\w`*\[](?:.+\n?)+)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"a page must begin with a title and a paragraph: {text[:80]!r}")
    title, paragraph = (re.sub(r"\[([^]]*)\]\([^)]*\)|\*\*", r"\1", part) for part in found.groups())
    return title, " ".join(re.split(r"(?<=[.:!?])\s+(?=[A-Z`])", " ".join(paragraph.split()))[:2])


if __name__ == "__main__":
    main()
