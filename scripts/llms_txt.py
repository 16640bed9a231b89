#!/usr/bin/env python3
"""Write llms.txt, a table of contents of the documentation for language models, and the pages that it links to.

Usage: llms_txt.py FOLDER

FOLDER is the site that scripts/docs built. The pages are those in the index of docs/, with their titles and first
sentences. They are copied as Markdown; a page that Sphinx fills in is linked as HTML. See https://llmstxt.org.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
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
    """Return the text of a page, which may be that of another file that it includes."""
    text = path.read_text(encoding="utf-8")
    included = re.search(r"^```\{include\} (\S+)\n", text, re.MULTILINE)
    return text + (path.parent / included[1]).read_text(encoding="utf-8") if included else text


def is_filled_in(text: str) -> bool:
    """Return whether Sphinx fills in parts of a page."""
    return "```{" in text


def render_contents(pages: Mapping[str, str]) -> str:
    """Return the table of contents: the index, with the title and the first sentence of each page."""
    introduction, *sections = re.split(r"^## ", pages["index.md"], flags=re.MULTILINE)
    title, sentence = describe_page(introduction)
    lines = [f"# {title}", "", f"> {sentence}"]
    for section in sections:
        lines += ["", f"## {section.splitlines()[0]}", ""]
        names = re.findall(r"^- \[[^]]+\]\((.+?\.md)\)", section, re.MULTILINE)
        lines += [render_link(name, pages[name]) for name in names]
    return "\n".join(lines) + "\n"


def render_link(name: str, text: str) -> str:
    """Return the entry of a page."""
    title, sentence = describe_page(text)
    target = f"{name.removesuffix('.md')}.html" if is_filled_in(text) else name
    return f"- [{title}]({target}): {sentence}"


def describe_page(text: str) -> tuple[str, str]:
    """Return the title of a page and its first sentence, without links and marks."""
    found = re.search(r"^# (.+)\n\s*(?:(?:<!--|##).*\s*)*([\w`*\[](?:.+\n?)+)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"a page must begin with a title and a paragraph: {text[:80]!r}")
    title, paragraph = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", part) for part in found.groups())
    return title, re.split(r"(?<=[.:!?])\s+(?=[A-Z`])", " ".join(paragraph.split()))[0]


if __name__ == "__main__":
    main()
