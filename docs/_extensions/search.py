"""The search of the site finds status codes, which Sphinx leaves out, and pages by other words than their own.

A page may begin with front matter, as in ``keywords: remove user, leaver``: who searches for such words finds the page
first.
"""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util.typing import ExtensionMetadata


class EnglishWithStatusCodes(SearchEnglish):
    """English with numbers of three digits as words: the index and the query write 429 as _429."""

    js_splitter_code = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name of the parameter is Sphinx's
        """Return the words of a text."""
        return [re.sub(r"^\d{3}$", r"_\g<0>", word) for word in super().split(input)]


def add_keywords(app: Sphinx, document: nodes.document) -> None:
    """Make entries of the keywords of a page, too late for the index of names, which the search alone reads."""
    keywords = app.env.metadata[app.env.current_document.docname].get("keywords", "")
    entries = [("single", each.strip(), "", "main", None) for each in keywords.split(",") if each.strip()]
    document.append(addnodes.index(entries=entries))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("doctree-read", add_keywords)
    app.add_search_language(EnglishWithStatusCodes)
    return {"parallel_read_safe": True}
