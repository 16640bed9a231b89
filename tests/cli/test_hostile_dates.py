"""Dates of a server at both ends of the calendar, in everything that the command line shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.example_runs import run_examples
from tests.support.dates import ENDS, sending_dates
from tests.support.sampling import some_daily

FOREIGN = re.compile(r"\w+Error: |PA100|Traceback")
"""The parts of the line of another package's error."""


@pytest.mark.parametrize(
    "output", ["json", *(pytest.param(each, marks=pytest.mark.long) for each in ("table", "csv", "yaml"))]
)
def test_no_command_fails_because_of_a_date(output: str, stride: Callable[[int], int]) -> None:
    """The example of each command ends as an example does, whatever dates the server sends, in each form of output."""
    step = stride(len(ENDS))
    for number, end in enumerate(ENDS):
        first = number % step
        with sending_dates(end, ENDS[-number - 1]):
            found = run_examples.__wrapped__("--output", output, first=first, step=step)
        assert len(found) >= len(COMMANDS) // step - 1
        for each in found:
            assert not FOREIGN.search(each.done.stderr), (each.spec.full_name, end, each.done.stderr)


@pytest.mark.parametrize("end", some_daily(ENDS, 4))
def test_no_report_fails_because_of_a_date(end: str, tmp_path: Path) -> None:
    """Reviews, exports and the plans of deletions are shown and saved with such dates."""
    for words in (
        f"access --max-key-age 1d --html {tmp_path}/access.html --overwrite",
        f"access --max-key-age 1d --markdown {tmp_path}/access.md --overwrite",
        "inventory",
        "export",
        "project stale --match * --older-than 1d --yes",
        "api-key rotate-due --older-than 1d --keep-old-for 1d --store file:{name} --dry-run",
    ):
        for output in ("table", "json"):
            with example_organization(), sending_dates(end, ENDS[0], ENDS[-1]):
                done = run(*words.split(), "--output", output, terminal=output == "table")
            assert not FOREIGN.search(done.stderr), (words, done)
            assert done.exit in {0, 8}, (words, done)
