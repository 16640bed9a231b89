"""The published page covers every fault, and its figures that must be 0 are 0."""

from __future__ import annotations

from pathlib import Path

from tests.faults.cases import FAULTS

PAGE = (Path(__file__).resolve().parents[2] / "docs/reliability.md").read_text(encoding="utf-8")


def test_every_fault_is_published() -> None:
    """A new fault is missing on the page until tests/faults/reliability_report.py has run again."""
    for fault in FAULTS:
        assert not fault.reaches_server or f"\n| {fault.name} | " in PAGE


def test_figures_that_must_be_0_are_0() -> None:
    """In the bold rows, every figure of our client is 0."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| **")]
    assert len(rows) == 6
    for _, *ours, _ in rows:
        assert ours == ["0", "0", "0"]
