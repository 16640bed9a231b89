"""Suite 4: forks at random points, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.server import Server

ROOT = Path(__file__).resolve().parents[2]
HARMLESS = {"deadlocks": 0, "crossed": 0, "errors": 0, "parent_crossed": 0, "parent_errors": 0}


def count_forks(*arguments: str) -> dict[str, int]:
    """Run the program and give its counts."""
    command = [sys.executable, "-m", "tests.faults.forks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    assert not done.stderr, done.stderr
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


FEW = [("ours", 40), ("cached", 40), ("asyncio", 20), ("trio", 20)]
MANY = [("ours", 200), ("cached", 200), ("asyncio", 60), ("trio", 60)]


@pytest.mark.parametrize(("client", "count"), [*FEW, *(pytest.param(*each, marks=pytest.mark.long) for each in MANY)])
def test_fork_at_random_points(client: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of a busy process, forked with warm connections and during refreshes, get their own answers."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    counts = count_forks(client, str(count))
    assert counts.pop("tokens_issued") > (
        2 if count > 40 else 0
    )  # with a cache, one each second is enough for all of them
    assert counts.pop("requests") > 5 * count
    assert counts == HARMLESS | {"forks": count}


@pytest.mark.parametrize("step", [12, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize("client", ["ours", "asyncio", "trio"])
def test_fork_during_the_first_call(client: str, step: int) -> None:
    """A child forked while another thread loads what the first call loads does not wait for that for ever."""
    with Server() as server, ThreadPoolExecutor(3) as processes:
        trials = [processes.submit(count_forks, client, str(after), server.url) for after in range(0, 36, step)]
        for trial in trials:
            assert trial.result() == HARMLESS | {"forks": 1}
