"""The published page covers every fault, and its figures that must be 0 are 0."""

from __future__ import annotations

from pathlib import Path

from tests.faults.cases import FAULTS

PAGE = (Path(__file__).resolve().parents[2] / "docs/reliability.md").read_text(encoding="utf-8")


def test_page_covers_every_fault() -> None:
    """The page has a row for each fault with a server; tests/faults/reliability_report.py writes it."""
    for fault in FAULTS:
        assert not fault.reaches_server or f"\n| {fault.name} | " in PAGE


def test_bold_figures_are_zero() -> None:
    """Every figure of this client in a bold row is 0."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| **")]
    assert len(rows) == 7
    for _, *figures, _ in rows:
        assert figures == ["0", "0", "0"]
