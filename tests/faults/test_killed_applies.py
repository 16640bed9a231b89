"""``pinecone-admin apply`` is killed or interrupted, and run again, in some of the cases of the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults.killed_applies import Case, prepared, run_grid, run_random


def check_cases(cases: Iterator[Case]) -> None:
    """Assert that nothing is wrong in some cases, and that there are some."""
    found = list(cases)
    assert [str(each) for each in found if each.faults] == []
    assert any(each.runs[0].exit != 0 for each in found)


@pytest.mark.long
def test_an_apply_that_was_killed_is_completed(tmp_path: Path) -> None:
    """After SIGKILL before or after a request, the next run completes: nothing is there twice, no secret is lost."""
    with prepared(tmp_path, large=False) as trial:
        check_cases(run_grid(trial, 41))


@pytest.mark.long
def test_an_apply_that_was_killed_at_each_request_is_completed(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """As above, at each request, of a file and a saved plan, with stores that can say what they have, or cannot."""
    with prepared(tmp_path, large=False) as trial:
        check_cases(run_grid(trial, stride(19)))


@pytest.mark.long
def test_applies_that_get_random_signals_are_completed(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """In a larger organization, after SIGKILL, SIGTERM and SIGINT at random moments, the next run completes."""
    with prepared(tmp_path, large=True) as trial:
        check_cases(run_random(trial, 100 // stride(33), Random(1)))
