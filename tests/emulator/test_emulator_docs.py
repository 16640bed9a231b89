"""The pages on the emulator: the lists are complete."""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.control.faults import Fault
from tests.benchmarks import emulator as benchmark
from tests.benchmarks import emulator_load
from tests.support.recipes import list_blocks

ROOT = Path(__file__).parents[2]
PAGES = ("docs/emulator.md", "docs/how-to/test-with-the-emulator.md")
PAGE = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)


BLOCKS = [block for page in PAGES for block in list_blocks(page)]


def test_json_example_loads(emulator: Emulator) -> None:
    """The JSON example can be loaded as a state, which is one that the API could have made."""
    (fixture,) = (block.text for block in BLOCKS if block.language == "json")
    emulator.load(json.loads(fixture))
    assert len(emulator.state.role_bindings) == 5
    with emulator.admin() as admin:
        assert admin.inventory().to_desired_state().notes == []


def test_page_lists_settings_and_fault_arguments(emulator: Emulator) -> None:
    """The page lists every setting and every argument of a fault."""
    for name in (*emulator.settings, *Fault.__slots__):
        if not name.startswith("_"):
            assert re.search(rf"`.*\b{name}\b", PAGE), (
                f"docs/emulator.md or how-to/test-with-the-emulator.md: describe `{name}`"
            )


@pytest.mark.long
def test_benchmark_of_the_load_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark of the load runs with a small state for a moment; its results are not checked here."""
    monkeypatch.setattr(emulator_load, "DUMPS", 1)
    options = ["--users", "50", "--connections", "2", "--seconds", "0.01"]
    monkeypatch.setattr(sys, "argv", ["emulator_load.py", *options])
    emulator_load.main()
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {name: list(carried) for name, carried in figures["loads"].items()} == {
        name: list(emulator_load.LOADS) for name in ("emulator, new", "emulator, with a large state")
    }
    assert len(figures["costs"]) == 8


@pytest.mark.long
def test_benchmark_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark runs with a small organization and each call once; its results are not checked here."""
    monkeypatch.setattr(benchmark, "measure_best", partial(measure_once, benchmark.measure_best))
    assert benchmark.main(["--bindings", "400"]) in {0, 1}
    output = capsys.readouterr()
    assert (len(output.out.splitlines()), output.err) == (16, "")


def measure_once(measure_best: Callable[..., float], call: Callable[[], object], **_: int) -> float:
    """Measure a call once instead of thousands of times."""
    return measure_best(call, runs=1)
