"""The navigation: an index lists other pages once, for readers of the site and of the checkout.

An index is a page of that name, or a page beside a folder with the same name. The sections of the first index are the
doors: the menu at the top of each page leads to the first page of each. Appendices stand on no index, because few
readers need them.
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

APPENDICES = re.compile(r"contributing(/.+)?|reference/(bodies|operations)")
"""Pages on no index."""

SEARCHED = "contributing"
"""The appendix that the search finds; it leads to others."""

CAPTION = re.compile(r'<p class="caption" role="heading">(.+?)</p>')


def add_tables_of_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Make a hidden table of contents of the links in the lists of each section of an index."""
    if name.rpartition("/")[2] == "index" or (app.srcdir / name).is_dir():
        sections = re.split(r"^## (.+)$", source[0], flags=re.MULTILINE)[1:]
        for title, text in zip(sections[::2], sections[1::2], strict=True):
            links = re.findall(r"^- \[(.+?)\]\((.+?)\.md\)", text, re.MULTILINE)
            pages = "\n".join(f"{label} <{page}>" for label, page in links)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:titlesonly:\n:caption: {title}\n\n{pages}\n```\n"


def set_appendices_apart(app: Sphinx, _document: nodes.document) -> None:
    """Let Sphinx expect no index for an appendix, and search only the names of the reference in it."""
    page = app.env.current_document.docname
    if APPENDICES.fullmatch(page):
        metadata = app.env.metadata[page]
        metadata["orphan"] = True
        if page != SEARCHED:
            metadata["nosearch"] = True


def arrange_doors(app: Sphinx, page: str, _template: str, context: dict[str, Any], _document: object) -> None:
    """Fold each section of the sidebar, except that of the current page, and link the first page of each at the top."""
    before, *parts = CAPTION.split(context.get("furo_navigation_tree", ""))
    doors = list[str]()
    for caption, pages in zip(parts[::2], parts[1::2], strict=True):
        is_first = not doors
        is_current = 'class="current' in pages or (is_first and page == app.config.root_doc)
        is_open = " open" if is_current else ""
        before += f'<details{is_open}><summary class="caption">{caption}</summary>{pages}</details>'
        found = re.search(r'href="([^"]+)"', pages)
        target = context["pathto"](app.config.root_doc) if is_first else found and found[1]
        current = ' aria-current="true"' if is_current else ""
        doors.append(f'<a href="{target}"{current}>{caption}</a>')
    context["furo_navigation_tree"] = before
    context["theme_announcement"] = f'<nav class="doors" aria-label="Sections">{"".join(doors)}</nav>'


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
    app.connect("doctree-read", set_appendices_apart)
    app.connect("html-page-context", arrange_doors, priority=900)  # after the theme has made the tree
    app.connect("html-page-context", describe_page)
    app.connect("html-page-context", shorten_contents, priority=400)  # before the theme reads them
    return {"parallel_read_safe": True, "parallel_write_safe": True}
