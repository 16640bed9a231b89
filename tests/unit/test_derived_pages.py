"""Pages of the documentation that scripts derive from the code: complete, and checked against their sources."""

from __future__ import annotations

from pathlib import Path

import pytest

import error_index
from derived_page import render_table, write_or_check
from pinecone_admin._text.help_codes import HELP, Help


def test_check_finds_a_page_that_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --check a page that differs from its sources is named, and not changed."""
    page = tmp_path / "page.md"
    assert write_or_check(page, "text", ["--check"]) == 1
    assert "page.md differs" in capsys.readouterr().err
    assert not page.exists()
    assert write_or_check(page, "text", []) == 0
    assert write_or_check(page, "text", ["--check"]) == 0
    page.write_text("text, edited", encoding="utf-8")
    assert write_or_check(page, "text", ["--check"]) == 1
    assert page.read_text(encoding="utf-8") == "text, edited"


def test_a_vertical_bar_stays_within_its_cell() -> None:
    """A vertical bar in a cell does not end it."""
    assert render_table(["a"], [["b|c"]]) == "| a |\n| --- |\n| b\\|c |\n"


def test_the_index_of_errors_has_a_section_for_each_code() -> None:
    """Each code has a heading of its own, so that #pa209 is its anchor, with its error and all three texts."""
    page = error_index.render_page(HELP, error_index.list_names())
    sections = dict(zip(HELP, page.split("\n## ")[1:], strict=True))
    for code, (meaning, reason, _) in HELP.items():
        heading, _, text = sections[code].partition("\n")
        assert heading == code
        assert f"`{error_index.list_names()[code]}`: {meaning}" in text
        assert reason[:20] in text.replace("`", "")


def test_names_in_a_text_are_marked_as_code() -> None:
    """Calls, attributes and arguments are marked, and words are not."""
    entry = Help("M.", "Made with read_only=True, or close() was called (429).", "Call error.secret.reveal() again.")
    section = error_index.render_section("PA1", "E", entry)
    assert "Made with `read_only=True`, or `close()` was called (429)." in section
    assert "Call `error.secret.reveal()` again" in section
