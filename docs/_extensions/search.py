"""The search of the site finds status codes: Sphinx leaves numbers out of the index and out of a query."""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util.typing import ExtensionMetadata


class EnglishWithStatusCodes(SearchEnglish):
    """English, in which a number of three digits is a word: the index and the query write 429 as _429."""

    js_splitter_code = r"""
var splitQuery = (query) =>
  (query.match(/[\p{Letter}\p{Number}_]+/gu) || []).map((word) => word.replace(/^\d{3}$/, "_$&"));
"""

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name of the parameter is Sphinx's
        """Return the words of a text."""
        return [re.sub(r"^\d{3}$", r"_\g<0>", word) for word in super().split(input)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.add_search_language(EnglishWithStatusCodes)
    return {"parallel_read_safe": True}
