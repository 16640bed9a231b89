"""The navigation: a page that is an index lists other pages once, for readers of the site and of the checkout."""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def add_tables_of_contents(_app: Sphinx, name: str, source: list[str]) -> None:
    """Make a hidden table of contents of the links in the lists of each section of an index."""
    if name.rpartition("/")[2] == "index":
        sections = re.split(r"^## (.+)$", source[0], flags=re.MULTILINE)[1:]
        for title, text in zip(sections[::2], sections[1::2], strict=True):
            pages = "\n".join(re.findall(r"^- \[.+?\]\((.+?)\.md\)", text, re.MULTILINE))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:titlesonly:\n:caption: {title}\n\n{pages}\n```\n"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("source-read", add_tables_of_contents)
    return {"parallel_read_safe": True}
