"""The benchmark of a call runs, and docs/performance.md has each of its rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks import call
from tests.benchmarks.call import COUNTS, Sizes, list_rows, main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/performance.md").read_text(encoding="utf-8")


def test_page_has_every_row() -> None:
    """The page has the rows of the program that writes it."""
    for title in (*(row.title for row in list_rows(Sizes())), *(count.title for count in COUNTS)):
        assert f"\n| {title} | " in PAGE
    for count in (*Sizes().tasks, *Sizes().threads):
        assert f"\n| {count:,} | " in PAGE


def test_page_is_written_only_from_a_whole_run(tmp_path: Path) -> None:
    """A page cannot be written from a part of the rows or from small sizes."""
    for arguments in (["--quick"], ["--rows", "get"]):
        with pytest.raises(SystemExit, match="2"):
            main([*arguments, "--write", str(tmp_path / "page.md")])


@pytest.mark.long
def test_every_row_is_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark runs with all rows, each client is measured, and ours is compared with the official SDK."""
    # The imports are run for the first response, too.
    monkeypatch.setattr(call, "time_program", partial(time_nothing, call.time_program))
    assert main(["--quick"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    rows = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
    assert len(rows) == 2 + 10 + 2 + 3 + 2 + 2 + 2 + 2 + 2 + 2
    assert rows[0][1:5] == ["ours", "official SDK", "httpx", "`http.client`"]
    measured = {row[0]: row[1:] for row in rows}
    assert all(float(cell.split()[0]) > 0 for cell in measured["POST, a create"][:5])
    # On a busy machine bare Python, whose time is taken off, may take longer than an import.
    assert all(isinstance(float(cell.split()[0]), float) for cell in measured["import, over bare Python"][:5])
    assert {count.title for count in COUNTS} <= set(measured)


def time_nothing(time_program: Callable[[str], float], _: str) -> float:
    """Return how long a program takes that does nothing."""
    return time_program("pass")


@pytest.mark.long
def test_every_command_is_measured() -> None:
    """The benchmark of commands runs, and its table has the rows of the page."""
    command = [sys.executable, "tests/benchmarks/command_line.py", "--rounds", "0", "--users", "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    page = PAGE.partition("## Commands\n")[2].partition("\n## ")[0]
    assert len(rows) == len([line for line in page.splitlines() if line.startswith("| ")]) == 2 + 15
    assert all(float(row.split(" | ")[1].split()[0]) > 0 for row in rows[2:])
