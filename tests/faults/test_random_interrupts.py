"""Signals at random moments: the program that counts what they leave, with few of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(["--jobs", "0", "--locks", "60"], id="locks"),
        pytest.param(["--jobs", "8", "--locks", "0"], id="jobs", marks=pytest.mark.long),
    ],
)
def test_an_interrupt_leaves_nothing_held_and_nothing_twice(numbers: list[str]) -> None:
    """Wherever it comes: locks are free, other threads use the client, and the same call again completes."""
    command = [sys.executable, "-m", "tests.faults.random_interrupts", *numbers]
    # The tracer of coverage can hang as an interpreter ends whose daemon threads still run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\n0 wrong\n")
