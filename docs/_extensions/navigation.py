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

CAPTION = re.compile(r'<p class="caption" role="heading">(.+?)</p>')


def add_tables_of_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Make a hidden table of contents of the links in the lists of each section of an index."""
    if name.rpartition("/")[2] == "index" or (app.srcdir / name).is_dir():
        sections = re.split(r"^## (.+)$", source[0], flags=re.MULTILINE)[1:]
        for title, text in zip(sections[::2], sections[1::2], strict=True):
            pages = "\n".join(re.findall(r"^- \[.+?\]\((.+?)\.md\)", text, re.MULTILINE))
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
    """Give a page a description, which is its first sentence, for search engines and previews of links."""
    paragraph = next(document.findall(nodes.paragraph), None) if document else None
    if paragraph is not None:
        sentence = re.split(r"(?<=[.:!?])\s+(?=[A-Z`])", " ".join(paragraph.astext().split()))[0]
        context["metatags"] += f'\n<meta name="description" content="{escape(sentence)}">'


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("source-read", add_tables_of_contents)
    app.connect("html-page-context", fold_sections, priority=900)  # after the theme has made the tree
    app.connect("html-page-context", describe_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
