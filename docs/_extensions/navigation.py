"""The navigation: an index lists other pages once, for readers of the site and of the checkout.

An index is a page of that name, or one beside a folder of its own name.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

LEAST = 60
"""How many characters describe a page."""

CAPTION = re.compile(r'<p class="caption" role="heading">(.+?)</p>')


def add_tables_of_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Make a hidden table of contents of the links in the lists of each section of an index."""
    if name.rpartition("/")[2] == "index" or (app.srcdir / name).is_dir():
        sections = re.split(r"^## (.+)$", source[0], flags=re.MULTILINE)[1:]
        for title, text in zip(sections[::2], sections[1::2], strict=True):
            links = re.findall(r"^- \[(.+?)\]\((.+?)\.md\)", text, re.MULTILINE)
            pages = "\n".join(f"{label} <{page}>" for label, page in links)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:titlesonly:\n:caption: {title}\n\n{pages}\n```\n"


def fold_sections(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _document: object) -> None:
    """Fold each section of the sidebar, except that of the current page."""
    before, *parts = CAPTION.split(context.get("furo_navigation_tree", ""))
    for caption, pages in zip(parts[::2], parts[1::2], strict=True):
        is_open = " open" if 'class="current' in pages else ""
        before += f'<details{is_open}><summary class="caption">{caption}</summary>{pages}</details>'
    context["furo_navigation_tree"] = before


def describe_page(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Give a page a description, which is its first sentences, for search engines and previews of links."""
    text = ""
    paragraphs = document.findall(nodes.paragraph) if document else ()
    for paragraph in paragraphs:
        if not isinstance(paragraph.parent, nodes.entry):
            text = add_sentences(text, " ".join(paragraph.astext().split()))
    if text:
        context["metatags"] += f'\n<meta name="description" content="{escape(text)}">'


def add_sentences(text: str, paragraph: str) -> str:
    """Add sentences to a text until it is long enough."""
    for sentence in re.split(r"(?<=[.:!?])\s+(?=[A-Z`])", paragraph):
        if len(text) < LEAST:
            text = f"{text} {sentence}".lstrip()
    return text


def shorten_contents(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _document: nodes.document | None
) -> None:
    """Name methods in the contents of their own page without their namespace, so that they fit."""
    context["toc"] = re.sub(r'(?<=<span class="pre">)admin\.(\w+\.)?', "", context.get("toc", ""))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("source-read", add_tables_of_contents)
    app.connect("html-page-context", fold_sections, priority=900)  # after the theme has made the tree
    app.connect("html-page-context", describe_page)
    app.connect("html-page-context", shorten_contents, priority=400)  # before the theme reads them
    return {"parallel_read_safe": True, "parallel_write_safe": True}
