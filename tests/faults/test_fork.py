"""Forks at random moments, in a separate program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.server import Server

ROOT = Path(__file__).resolve().parents[2]
NO_FAILURES = {"deadlocks": 0, "crossed": 0, "errors": 0, "parent_crossed": 0, "parent_errors": 0}


def count_forks(*arguments: str) -> dict[str, int]:
    """Run the program and return its counts."""
    command = [sys.executable, "-m", "tests.faults.forks", *arguments]
    # Not measured: a child forked while another thread holds coverage's own lock would wait for it forever.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=150
    )
    assert not process.stderr, process.stderr
    counts: dict[str, int] = json.loads(process.stdout)
    return counts


FEW_FORKS = [("ours", 12)]
MANY_FORKS = [("ours", 40), ("cached", 60), ("asyncio", 20), ("trio", 20)]


@pytest.mark.parametrize(
    ("client", "count"), [*FEW_FORKS, *(pytest.param(*each, marks=pytest.mark.long) for each in MANY_FORKS)]
)
@pytest.mark.long
def test_forked_children_get_their_own_responses(
    client: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Children forked with open connections and during refreshes get the responses to their own requests."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    counts = count_forks(client, str(count))
    assert counts.pop("tokens_issued") > 1
    assert counts.pop("requests") > 5 * count
    assert counts == NO_FAILURES | {"forks": count}


FEW_MOMENTS = [("ours", 0)]
OTHER_MOMENTS = [("ours", 9), ("asyncio", 0), ("trio", 9)]
"""The first of the milliseconds after which each client forks; the two backends of the async client get all of them."""


@pytest.mark.parametrize(
    ("client", "first"),
    [*FEW_MOMENTS, *(pytest.param(*each, marks=pytest.mark.long) for each in OTHER_MOMENTS)],
)
def test_fork_during_first_call_does_not_deadlock(client: str, first: int, stride: Callable[[int], int]) -> None:
    """A child forked while another thread imports modules for the first call does not wait for ever."""
    moments = range(first, 36, stride(18))
    with Server() as server, ThreadPoolExecutor(3) as processes:
        trials = [processes.submit(count_forks, client, str(after), server.url) for after in moments]
        for trial in trials:
            assert trial.result() == NO_FAILURES | {"forks": 1}
