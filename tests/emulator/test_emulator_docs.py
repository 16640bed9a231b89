"""docs/emulator.md: the lists are complete."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES
from pinecone_admin.emulator.control.faults import Fault
from pinecone_admin.emulator.control.routes import CONTROL_ROUTES
from tests.benchmarks.emulator_load import replace_section
from tests.support.recipes import list_blocks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/emulator.md").read_text(encoding="utf-8")


BLOCKS = list_blocks("docs/emulator.md")


def test_every_control_route_has_an_example() -> None:
    """The curl examples, which another test runs, are one for each control route."""
    (block,) = (block for block in BLOCKS if block.language == "sh")
    assert len(re.findall("^curl ", block.text, re.MULTILINE)) == len(CONTROL_ROUTES)


def test_json_example_loads(emulator: Emulator) -> None:
    """The JSON example can be loaded as a state."""
    (fixture,) = (block.text for block in BLOCKS if block.language == "json")
    emulator.load(json.loads(fixture))
    assert len(emulator.state.role_bindings) == 3


def test_page_lists_settings_and_fault_arguments(emulator: Emulator) -> None:
    """The page lists every setting and every argument of a fault."""
    for name in (*emulator.settings, *Fault.__slots__):
        if not name.startswith("_"):
            assert re.search(rf"`.*\b{name}\b", PAGE), f"docs/emulator.md: describe `{name}`"


def test_page_lists_methods_with_their_operation_ids() -> None:
    """The table of operations has every method that sends one, with its id at the same place."""
    table = PAGE.partition("| namespace | methods | operation ids |\n|---|---|---|\n")[2].partition("\n\n")[0]
    listed: dict[str, str] = {}
    for row in table.splitlines():
        namespace, methods, ids = (re.findall(r"`(\w+)`", cell) for cell in row.strip("|").split("|"))
        assert len(methods) == len(ids), f"docs/emulator.md, table of operations: correct {row}"
        listed |= {operation_id: f"{namespace[0]}.{name}" for name, operation_id in zip(methods, ids, strict=True)}
    expected = {operation_id: method for operation_id, method in METHOD_NAMES.items() if method}
    lacking, wrong = dict(expected.items() - listed.items()), dict(listed.items() - expected.items())
    assert listed == expected, f"docs/emulator.md, table of operations: add {lacking}, and remove {wrong}"


def test_tables_of_the_load_have_a_place() -> None:
    """The benchmark of the load replaces its own part of the page, and nothing else."""
    written = replace_section(PAGE, "| measured |\n")
    assert "| measured |\n" in written
    assert replace_section(written, "") == replace_section(PAGE, "")
    with pytest.raises(ValueError, match="must have the lines"):
        replace_section("another page", "")


@pytest.mark.long
def test_benchmark_of_the_load_runs() -> None:
    """The benchmark of the load runs with a small state for a moment; its results are not checked here."""
    command = [sys.executable, "tests/benchmarks/emulator_load.py", "--users", "50", "--connections", "2"]
    command += ["--seconds", "0.1"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr
    assert len([line for line in process.stdout.splitlines() if line.startswith("| ")]) == 4 + 10


@pytest.mark.long
def test_benchmark_runs() -> None:
    """The benchmark runs with a small organization; its results are not checked here."""
    command = [sys.executable, "tests/benchmarks/emulator.py", "--bindings", "400"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode in {0, 1}
    assert process.stderr == ""
    assert len(process.stdout.splitlines()) == 16
