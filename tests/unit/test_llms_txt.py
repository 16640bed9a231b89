"""scripts/llms_txt.py: the contents of the documentation for language models."""

from __future__ import annotations

from pathlib import Path

import pytest

from llms_txt import DOCS, describe_page, read_pages, render_contents

INDEX = """\
# The client

Manage it. With care.

## Start

- [Install](install.md): how.
- [Reference](reference/index.md)

Some text with a [link](other.md).
"""


def test_the_contents_have_the_titles_and_first_sentences_of_the_index(tmp_path: Path) -> None:
    """Each section lists its pages and those of indexes below, as Markdown, or as HTML where Sphinx fills them in."""
    (tmp_path / "reference").mkdir()
    (tmp_path / "index.md").write_text(INDEX)
    (tmp_path / "install.md").write_text(
        "# Install it\n\n## First\n\nUse [pip](https://x.example), version 3.2 or\nnewer. Go.\n"
    )
    (tmp_path / "reference/index.md").write_text("# Reference\n\nBy name.\n\n- [All](all.md)\n")
    (tmp_path / "reference/all.md").write_text("# All\n\nEvery name.\n\n```{public-names} x\n```\n")
    assert render_contents(read_pages(tmp_path)) == (
        "# The client\n\n> Manage it. With care.\n\n## Start\n\n"
        "- [Install it](install.md): Use pip, version 3.2 or newer. Go.\n"
        "- [Reference](reference/index.md): By name.\n"
        "- [All](reference/all.html): Every name.\n"
    )


def test_an_included_file_is_described_as_its_page(tmp_path: Path) -> None:
    """A page that only includes another file has its title and sentences."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "CHANGES.md").write_text("# Changes\n\nBy version.\n")
    (tmp_path / "docs/changes.md").write_text("```{include} ../CHANGES.md\n```\n")
    assert describe_page(read_pages(tmp_path / "docs")["changes.md"]) == ("Changes", "By version.")


def test_a_page_without_a_paragraph_is_refused() -> None:
    """A page whose title no sentence follows cannot be described."""
    with pytest.raises(ValueError, match="must begin with a title and a paragraph"):
        describe_page("# Title\n\n| a |\n|---|\n")


def test_every_page_can_be_described() -> None:
    """Every page of the documentation has a title and a first paragraph whose sentences end."""
    for name, text in read_pages(DOCS).items():
        assert describe_page(text)[1][-1] in ".:?", name
