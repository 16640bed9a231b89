"""scripts/rule_pages.py: the pages of the emulator's rules are complete, and reports of the service date its rules."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import rule_pages
import yaml

from pinecone_admin.emulator.api.operation_names import METHOD_NAMES
from pinecone_admin.emulator.api.rule_catalogue import RULES, RULES_BY_NOUN


def render_noun(noun: str) -> str:
    """Return the page of a noun without a checked rule."""
    return rule_pages.render_page(noun, find_tests(), {}, {})


@cache
def find_tests() -> dict[str, list[str]]:
    """Return the tests of each rule; to find them, each file of tests is parsed."""
    return rule_pages.find_tests(rule_pages.TESTS)


def test_pages_list_every_rule_once() -> None:
    """The page of its noun has a row for each rule, with its basis and at least one test."""
    rows = [line for noun in rule_pages.PAGES for line in render_noun(noun).splitlines() if line.startswith("| `")]
    for name, rule in RULES.items():
        (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
        assert f"| {rule.source.basis} |" in row
        assert "::test_" in row
    assert len(rows) == len(RULES)


def test_rule_that_claims_the_api_document_has_its_place_there() -> None:
    """The API document has each operation, status, parameter and field of a schema that a source names."""
    document = yaml.safe_load((rule_pages.ROOT / "openapi/admin.yaml").read_text(encoding="utf-8"))
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
        if isinstance(operation, dict)
    }
    places = [
        (name, place)
        for name, rule in RULES.items()
        if (claim := rule.source.text.removeprefix("API document 2026-07: ")) != rule.source.text
        for place in claim.partition(". ")[0].split(", ")
    ]
    assert len(places) > len(RULES) / 3
    for name, place in places:
        operation, _, status = place.partition(" ")
        operation, _, parameter = operation.partition("?")
        schema, _, field = place.partition(".")
        if schema in document["components"]["schemas"]:
            assert field in document["components"]["schemas"][schema]["properties"], (name, place)
        elif parameter:
            assert parameter in {resolve(each, document)["name"] for each in operations[operation]["parameters"]}, name
        else:
            assert operation in operations, (name, place)
            assert not status or status in operations[operation]["responses"], (name, place)


def test_rule_that_claims_the_oauth_document_has_its_place_there() -> None:
    """The OAuth document has each schema and status that a source names."""
    document = yaml.safe_load((rule_pages.ROOT / "openapi/oauth.yaml").read_text(encoding="utf-8"))
    ((operation,),) = (methods.values() for methods in document["paths"].values())
    known = {*document["components"]["schemas"], *operation["responses"]}
    claims = [rule.source.text.partition("OAuth document 2026-07: ")[2] for rule in RULES.values()]
    places = [place for claim in claims if claim for place in claim.partition(". ")[0].split(", ")]
    assert len(places) > 5
    assert set(places) <= known


def resolve(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Return a node of the document, or the component that it refers to."""
    for key in node.get("$ref", "").removeprefix("#/").split("/") if "$ref" in node else ():
        document = document[key]
    return document if "$ref" in node else node


def test_only_assumed_rules_have_no_source() -> None:
    """A source is a document, a page with the day of its copy, or a program that depends on the rule."""
    for name, rule in RULES.items():
        source = rule.source
        assert (source.basis == "assumed") == source.text.startswith(("no source", "a rule of the emulator")), name
        if re.match(r"pages? ", source.text):
            assert re.search(r"read \d{4}-\d\d-\d\d", source.text), name
            assert source.basis.startswith("published"), name


def test_there_is_a_page_for_each_noun_and_no_other() -> None:
    """The folder has the pages of the nouns of the catalogue. The index links to them in the same order."""
    assert list(rule_pages.PAGES) == list(RULES_BY_NOUN)
    assert {path.stem for path in rule_pages.FOLDER.iterdir()} == set(RULES_BY_NOUN)
    assert re.findall(r"\(emulator-rules/(.+)\.md\)", rule_pages.render_index(is_dated=False)) == list(RULES_BY_NOUN)


def test_page_lists_every_operation_and_its_method() -> None:
    """The index has a row for each operation that a method sends, with its id."""
    section = rule_pages.render_index(is_dated=False).partition("## Operations\n")[2].partition("\n## ")[0]
    rows = section.splitlines()
    assert "| `projects.describe` | `fetch_project` |" in rows
    assert "| `api_keys.list` | `list_project_api_keys` |" in rows
    assert len([row for row in rows if row.startswith("| `")]) == len(METHOD_NAMES) - 1  # no method gets a token


def test_only_an_undated_index_says_that_no_check_was_run() -> None:
    """The sentence is there until the first report of the service."""
    assert [rule_pages.NEVER_RUN in rule_pages.render_index(is_dated=dated) for dated in (False, True)] == [True, False]


def test_report_of_the_service_dates_a_rule(tmp_path: Path) -> None:
    """A rule has the date of the last report of the service with the verdict same, and of no other report."""
    for number, (service, date, verdict) in enumerate(
        [
            (rule_pages.SERVICE, "2026-09-01", "same"),
            (rule_pages.SERVICE, "2026-10-01", "same"),
            (rule_pages.SERVICE, "2026-11-01", "DIFFERS"),
            ("http://127.0.0.1:1", "2026-12-01", "same"),
        ]
    ):
        report = {"service": service, "date": date, "rules": {"uuids": verdict}}
        (tmp_path / f"{9 - number}.json").write_text(json.dumps(report))
    dates = rule_pages.read_dates(tmp_path)
    assert dates == {"uuids": "2026-10-01"}
    assert read_row(dates, {}, "uuids").endswith("| 2026-10-01 | never |")
    assert read_row(dates, {}, "names-not-unique").endswith("| never | never |")
    assert read_row(dates, {}, "unemulated").endswith("|  |  |")


def read_row(passed: dict[str, str], proven: dict[str, str], rule: str) -> str:
    """Return the row of a rule of the page on requests."""
    page = rule_pages.render_page("requests", find_tests(), passed, proven)
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{rule}` |")]
    return row


def test_recording_of_the_service_proves_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last recording of the service whose responses pass the check of a rule proves the rule, and no other does."""
    monkeypatch.setattr(rule_pages, "recheck", lambda recording: recording.lines[0])
    for number, (service, date, verdict) in enumerate(
        [
            (rule_pages.SERVICE, "2026-09-01", "same"),
            (rule_pages.SERVICE, "2026-10-01", "same"),
            (rule_pages.SERVICE, "2026-11-01", "DIFFERS"),
            ("loopback", "2026-12-01", "same"),
        ]
    ):
        lines = [{"recording": 1, "service": service, "date": date}, {"uuids": verdict}, {"rules": {"uuids": "same"}}]
        (tmp_path / f"{9 - number}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    proofs = rule_pages.read_proofs(tmp_path)
    assert (proofs, rule_pages.read_dates(tmp_path)) == ({"uuids": "2026-10-01"}, {})
    assert read_row({}, proofs, "uuids").endswith("| never | 2026-10-01 |")
