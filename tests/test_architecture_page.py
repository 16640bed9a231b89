"""The page on the architecture names every layer of the package."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_layers import NAMES, ROOT

PAGE = (Path(__file__).resolve().parent.parent / "docs/contributing/architecture.md").read_text(encoding="utf-8")


def test_page_lists_every_layer() -> None:
    """The tables list each layer."""
    rows = re.findall(r"^\| (`[^|]+`) \|", PAGE.partition("## The path of a call")[0], re.MULTILINE)
    listed = {layer for row in rows for layer in re.findall(r"`([\w.]+)`", row)}
    assert set(NAMES) - listed == set()


def test_every_path_on_the_page_exists() -> None:
    """A module that is moved is moved on the page and in the pictures, too."""
    pictures = [
        (ROOT / "docs/contributing" / name).read_text(encoding="utf-8")
        for name in re.findall(r"\]\(([\w-]+\.svg)\)", PAGE)
    ]
    paths = {path for text in (PAGE, *pictures) for path in re.findall(r"\b(?:tests/)?\w+(?:/\w+)+\.py\b", text)}
    roots = (ROOT, ROOT / "pinecone_admin")
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not any((root / path).is_file() for root in roots)] == []
