"""scripts/ledger.py: the page of the emulator's rules is complete, and reports of the service date its rules."""

from __future__ import annotations

import json
from pathlib import Path

import ledger

from pinecone_admin.emulator.api.operation_names import METHOD_NAMES
from pinecone_admin.emulator.api.rule_catalogue import RULES


def test_page_lists_every_rule() -> None:
    """The page has a row for each rule, with its standing and at least one test."""
    page = ledger.render_page(ledger.find_tests(ledger.TESTS), {})
    for name, rule in RULES.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"| {rule.source.standing} |" in row
        assert "::test_" in row


def test_page_lists_every_operation_and_its_method() -> None:
    """The page has a row for each operation that a method sends, with its id."""
    rows = ledger.render_page(ledger.find_tests(ledger.TESTS), {}).partition("## Operations\n")[2].splitlines()
    assert "| `projects.describe` | `fetch_project` |" in rows
    assert "| `api_keys.list` | `list_project_api_keys` |" in rows
    assert len([row for row in rows if row.startswith("| `")]) == len(METHOD_NAMES) - 1  # no method gets a token


def test_report_of_the_service_dates_a_rule(tmp_path: Path) -> None:
    """The last report of the service in which a rule was the same dates it; other services and verdicts do not."""
    for number, (service, date, verdict) in enumerate(
        [
            (ledger.SERVICE, "2026-09-01", "same"),
            (ledger.SERVICE, "2026-10-01", "same"),
            (ledger.SERVICE, "2026-11-01", "DIFFERS"),
            ("http://127.0.0.1:1", "2026-12-01", "same"),
        ]
    ):
        report = {"service": service, "date": date, "rules": {"uuids": verdict}}
        (tmp_path / f"{9 - number}.json").write_text(json.dumps(report))
    dates = ledger.read_dates(tmp_path)
    assert dates == {"uuids": "2026-10-01"}
    page = ledger.render_page(ledger.find_tests(ledger.TESTS), dates)
    (row,) = [line for line in page.splitlines() if line.startswith("| `uuids` |")]
    assert row.endswith("| passed 2026-10-01 |")
    assert row != next(line for line in page.splitlines() if line.startswith("| `key-value` |"))
