"""Scripts under a simulator of asyncio: a seed decides everything that happens, so that a race can be repeated."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import anyio.lowlevel
import httpx
import pytest

from pinecone_admin.testing import emulate
from tests.support.programs import skip_unless_in_ci

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/simulate-concurrent-scripts.md"
SEEDS = 50

Seeds = list[list[Any]]
"""The value, the digest of the log and the error of each seed."""


def read_programs() -> tuple[str, str]:
    """Return the program of the page, and the program with the remedy of the page."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    race, remedy = (textwrap.dedent(each) for each in blocks if "async def deploy(" in each)
    head, _, rest = race.partition("async def deploy(")
    return race, f"{head}{remedy}\n\n{rest[rest.index('def simulate(') :]}"


@pytest.fixture
def python() -> str:
    """Return the interpreter of the environment with the simulator."""
    found = Path(sys.prefix, "simulation/bin/python")
    if not found.exists():
        skip_unless_in_ci("the simulator is not installed (scripts/test does it if Python 3.12 or newer has venv)")
    return str(found)


def run(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the simulator and this checkout."""
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    return subprocess.run([python, *arguments], env=env, capture_output=True, text=True, check=False)


def simulate(python: str, folder: Path, program: str, *removed: str) -> tuple[tuple[Seeds, Seeds], tuple[Seeds, Seeds]]:
    """Return what each seed led to in both runs, of the program of the page and of the cancelled create."""
    file = folder / "race.py"
    file.write_text(program, encoding="utf-8")
    done = run(python, str(ROOT / "tests/emulator/simulated_program.py"), str(file), str(SEEDS), *removed)
    assert done.returncode == 0, done.stderr
    (first, first_create), (second, second_create) = json.loads(done.stdout)
    return (first, second), (first_create, second_create)


@pytest.mark.long(30)
def test_a_seed_repeats_what_happens(python: str, tmp_path: Path) -> None:
    """Fifty seeds lead to the same digests again, some to two projects, and some to a create without its response."""
    race, cancelled = simulate(python, tmp_path, read_programs()[0])
    for first, second in (race, cancelled):
        assert first == second
        assert {error for _, _, error in first} == {""}
        assert len({digest for _, digest, _ in first}) > 10
    assert {projects for projects, _, _ in race[0]} == {1, 2}
    assert "created, no response" in {outcome for outcome, _, _ in cancelled[0]}


@pytest.mark.long(30)
def test_the_remedy_of_the_page_removes_the_race(python: str, tmp_path: Path) -> None:
    """With a lock, none of the seeds leads to two projects; without, the program of the page prints some."""
    race, remedy = read_programs()
    (first, second), _ = simulate(python, tmp_path, remedy)
    assert first == second
    assert {(projects, error) for projects, _, error in first} == {(1, "")}
    for program, expected in ((race, r"two projects with the seeds \[\d.*\d\]\n"), (remedy, r".*seeds \[\]\n")):
        (tmp_path / "race.py").write_text(program, encoding="utf-8")
        done = run(python, str(tmp_path / "race.py"))
        assert re.fullmatch(expected, done.stdout), done.stdout + done.stderr


@pytest.mark.long(30)
def test_exchanges_in_threads_cannot_be_simulated(python: str, tmp_path: Path) -> None:
    """If token exchanges run in threads, two runs of the same seeds differ, or fail."""
    (first, second), _ = simulate(python, tmp_path, read_programs()[0], "threads")
    assert first != second


@pytest.mark.long(30)
def test_no_response_is_lost_without_checkpoints(python: str, tmp_path: Path) -> None:
    """If no other task runs during a request, a create that took effect always has its response."""
    _, (first, _) = simulate(python, tmp_path, read_programs()[0], "without-checkpoints")
    assert {outcome for outcome, _, _ in first} == {"created, response", "not created, no response"}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_request_lets_other_tasks_run_twice(backend: str) -> None:
    """A request that is cancelled at once is not handled; one step later, it is, and its response is lost."""

    async def cancel_after(steps: int) -> tuple[int, bool]:
        with emulate() as emulator:
            responded = False
            async with httpx.AsyncClient() as client, anyio.create_task_group() as group:

                async def send() -> None:
                    nonlocal responded
                    await client.get("https://api.pinecone.io/admin/projects")
                    responded = True

                group.start_soon(send)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
            return len(emulator.requests), responded

    wanted, found = {(0, False), (1, False), (1, True)}, set[tuple[int, bool]]()
    for _ in range(100):  # trio runs the tasks that are ready in a random order
        found |= {anyio.run(cancel_after, steps, backend=backend) for steps in range(8)}
        if found >= wanted:
            break
    assert found == wanted
