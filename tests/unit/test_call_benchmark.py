"""The benchmarks of calls and of commands run, and measure what their shape names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks import call, call_server
from tests.benchmarks.call import OTHER_ROWS, QUICK, list_rows, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_every_row_is_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark runs with all rows, each client is measured, and ours is compared with the official SDK."""
    # The imports are run for the first response, too.
    monkeypatch.setattr(call, "time_program", partial(time_nothing, call.time_program))
    assert main(["--quick"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (
        list(printed["figures"])
        == list(printed["shape"]["rows"])
        == [*(row.name for row in list_rows(QUICK)), *OTHER_ROWS]
    )
    assert all(figure > 0 for figure in printed["figures"]["create"]["medians"].values())
    assert set(printed["shape"]["counts"]) <= set(printed["figures"]["own-calls"]["ours"])
    assert list(printed["figures"]["growing-tasks"]) == [str(count) for count in QUICK.tasks]


def time_nothing(time_program: Callable[[str], float], _: str) -> float:
    """Return how long a program takes that does nothing."""
    return time_program("pass")


@pytest.mark.long
def test_every_command_is_measured() -> None:
    """The benchmark of commands runs, and measures each program of its shape."""
    command = [sys.executable, "tests/benchmarks/command_line.py", "--rounds", "0", "--users", "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    printed = json.loads(done.stdout)
    measured = {group: list(each) for group, each in printed["figures"].items()}
    assert measured == {group: list(goals) for group, goals in printed["shape"]["goals"].items()}
    assert all(each["seconds"] > 0 for group in printed["figures"].values() for each in group.values())


def test_the_server_sends_no_binding_twice() -> None:
    """A client that drops what it has seen would find fewer than the list should have."""
    ids = list[str]()
    for token in ["", *(f"?paginationToken={page}" for page in (*range(1, 300), call_server.PAGES - 1))]:
        response = call_server.respond(f"GET /admin/role-bindings{token} HTTP/1.1".encode())
        ids += [each["id"] for each in json.loads(response.partition(b"\r\n\r\n")[2])["data"]]
    assert len(set(ids)) == len(ids) == 301 * call_server.BINDINGS_PER_PAGE
