"""The examples in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))]
"""The pages of the documentation."""
_DERIVED = re.compile(r"<!-- scripts/reference\.py: .*?<!-- end -->", re.DOTALL)

_OTHER_PLUGINS = ("schemathesis", "hypothesispytest", "pytest_httpx", "respx")
WITHOUT_OTHER_PLUGINS = [argument for name in _OTHER_PLUGINS for argument in ("-p", f"no:{name}")]
"""Arguments of pytest; the plugins of this environment take longer to load than a recipe takes to run."""


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        page: The page.
        language: The language of the block.
        text: Its contents.
        line: The line of the page before its first line.
    """

    page: str
    language: str
    text: str
    line: int

    @property
    def name(self) -> str:
        """A name for a file with the block."""
        return re.sub(r"\W", "_", f"{self.page.removesuffix('.md')}_{self.line}")

    @property
    def file(self) -> str:
        """The name of the file that its first line tells to save it as, or nothing."""
        found = re.match(r"# (\w+\.py)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def is_recipe(self) -> bool:
        """Whether it is a file of tests."""
        return self.language == "python" and "def test_" in self.text


def read_page(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def read_written_page(page: str) -> str:
    """Return the text of a page, with empty lines for the entries of the reference, which other tests run."""
    return _DERIVED.sub(lambda found: "\n" * found[0].count("\n"), read_page(page))


def list_blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page that are written by hand."""
    text = read_written_page(page)
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, match[1], match[2], text.count("\n", 0, match.start(2))) for match in found]
