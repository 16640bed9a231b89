"""Pages of the documentation that scripts derive from the code: complete, and checked against their sources."""

from __future__ import annotations

import re
from pathlib import Path

import json_fields
import pytest

import error_index
from derived_page import render_table, write_or_check
from pinecone_admin._text.help_codes import HELP
from pinecone_admin.cli.commands import load_commands
from pinecone_admin.cli.help.explanations import list_explanations
from pinecone_admin.models import to_dict
from pinecone_admin.workflows import Left, RetiredKeys


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


def join_lines(page: str) -> str:
    """Return a page with each item of a list on one line."""
    return page.replace("\n  ", " ")


def test_the_index_of_errors_has_a_section_for_each_code() -> None:
    """Each code has a heading of its own, so that #pa209 is its anchor, with its error and all its texts."""
    page = join_lines(error_index.render_page(HELP, error_index.list_kinds()))
    sections = dict(zip(HELP, page.split("\n## ")[1:], strict=True))
    for code, (meaning, reason, *remedies) in HELP.items():
        heading, _, text = sections[code].partition("\n")
        assert heading == code
        assert f"`{error_index.list_kinds()[code].__name__}`: {meaning}" in text
        assert all(each in text for each in (reason, *remedies))


def test_the_index_of_errors_names_what_else_catches_an_error() -> None:
    """Its more general errors, of Python's, too, but neither itself nor what catches every error."""
    kinds = error_index.list_kinds()
    names = {code: re.findall(r"`(\w+)`", error_index.list_bases(kind)) for code, kind in kinds.items()}
    assert names["PA100"] == []
    assert names["PA101"] == ["ValueError"]
    assert names["PA302"] == ["TokenError", "UnauthorizedError", "ApiError"]


def test_the_index_of_errors_says_what_explain_says() -> None:
    """The section of a code has the text of explain, with a labelled remedy if the remedy differs in Python."""
    sections = join_lines(error_index.PAGE.read_text(encoding="utf-8").replace("`", "")).split("\n## ")[1:]
    explained = [each for each in list_explanations() if each.code.startswith("PA")]
    assert [section[: section.index("\n")] for section in sections] == [each.code for each in explained]
    for section, each in zip(sections, explained, strict=True):
        texts = dict(re.findall(r"- \*\*(.+):\*\* (.+)", section))
        remedy = texts.get("On the command line") or texts.get("What to do")
        assert (texts["Why"], remedy) == (each.reason, each.remedy), each.code
        assert f": {each.meaning}\n" in section
        assert len(texts) == 2 + ("On the command line" in texts)


def test_names_in_the_help_of_errors_are_code() -> None:
    """Calls, attributes, options and commands are in backticks, which the terminal does not show."""
    names = r"\w+_\w+|\w+\.\w+|\w+\(|\w=|--\w|pinecone-admin|\b(?:doctor|whoami|ensure)\b"
    texts = [text for each in HELP.values() for text in each]
    assert [text for text in texts if re.search(names, re.sub(r"`[^`]+`", "", text))] == []
    assert sum("`" in text for text in texts) > 20
    assert "`" not in "".join(text for each in list_explanations() for text in each)


def test_the_json_of_each_command_is_described() -> None:
    """A command has a row with its fields, or the page names it among those without any."""
    page = join_lines(json_fields.PAGE.read_text(encoding="utf-8"))
    names = {each.full_name for each in load_commands()}
    assert {name for name in names if f"`{name}`" not in page} == set()
    assert names >= json_fields.WITHOUT | json_fields.OF_OTHERS


def test_fields_of_a_model_are_a_link_to_it() -> None:
    """Also within a list; a field with any value has no fields."""
    user = {"id": "u", "email": "e", "name": None}
    assert json_fields.describe([{**user, "more": 1}]) == "list of [User](../models.md#user), `more`"
    assert json_fields.describe({"people": [user], "before": user, "none": [], "one": {"a": 1}}) == (
        "`people[]` ([User](../models.md#user)), `before`, `none[]`, `one` (`a`)"
    )
    assert json_fields.describe(True) == "`true` or `false`"


def test_a_list_that_is_empty_in_an_example_has_the_fields_of_its_class() -> None:
    """Objects of one list can have other fields than the first one; what a report holds back is shown, too."""
    assert json_fields.describe({"some": [{"a": None}, {"a": {"c": 1}, "b": 1}]}) == "`some[]` (`a` (`c`), `b`)"
    empty = RetiredKeys(dry_run=False, deleted=[], kept=[], steps=[])
    with json_fields.showing_all_fields():
        shown = json_fields.describe(to_dict(empty))
        stale = json_fields.describe(to_dict(Left(id="p", name="n", reason="r", help_code=None)))
    kept = "`kept[]` ([APIKey](../models.md#apikey), `delete_after`, `reason`, `is_due`)"
    assert shown == f"`dry_run`, `deleted[]` ([APIKey](../models.md#apikey)), {kept}, `steps[]`"
    assert stale == "`id`, `name`, `reason`, `help_code`, `may_be_deleted`"
    assert to_dict(empty)["kept"] == []
