"""Commands that make a secret fail or are killed at a request, and run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.command_line_faults import COMMANDS, ENDINGS, PLACES, prepared

STEP, LONG_STEP = 41, 17
"""One of so many combinations runs every day and with --all; neither has a factor in common with the three axes."""


def check_cases(folder: Path, step: int) -> int:
    """Check every so many cases, and return how many there were."""
    with prepared(folder) as grid:
        bad, count = [], 0
        for case in grid.cases(step):
            count += 1
            if faults := case.find_faults():
                bad.append(f"{faults}: {case}")
    assert bad == []
    return count


@pytest.mark.long
def test_a_command_that_failed_or_was_killed_completes_when_it_is_repeated(tmp_path: Path) -> None:
    """No secret is lost, nothing is made twice, and the second run completes, in some of the cases."""
    assert check_cases(tmp_path, STEP) > 20


@pytest.mark.long
def test_each_command_completes_whatever_request_it_failed_at(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """As above, with each command at every request, with each fault and kill, and with each place of the secret."""
    step = stride(LONG_STEP)
    assert check_cases(tmp_path, step) * step > 3 * len(COMMANDS) * len(PLACES) * len(ENDINGS)
