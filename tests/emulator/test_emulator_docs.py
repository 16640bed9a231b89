"""docs/emulator.md: every example runs, and the lists are complete."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES
from pinecone_admin.emulator.control.faults import Fault
from pinecone_admin.emulator.control.routes import CONTROL_ROUTES
from tests.benchmarks.emulator_load import replace_section
from tests.support.recipes import run_recipe

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/emulator.md").read_text(encoding="utf-8")


def find_blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", [text for text in find_blocks("python") if "def test_" not in text])
def test_every_python_block_runs(block: str) -> None:
    """Every Python block runs unchanged."""
    exec(compile(block, "docs/emulator.md", "exec"), {"__name__": "docs"})


def test_recipes_run_in_their_own_folder(tmp_path: Path) -> None:
    """Each pytest recipe passes as the only file of a folder."""
    recipes = [text for text in find_blocks("python") if "def test_" in text]
    for recipe in recipes:
        assert f"{recipe.count('def test_')} passed" in run_recipe(tmp_path, recipe)
    assert recipes


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_examples_succeed(emulator: Emulator, api: httpx.Client, tmp_path: Path) -> None:
    """Every curl line succeeds, and every control route has a line."""
    (block,) = find_blocks("sh")
    lines = [line for line in block.splitlines() if line]
    project = api.post("/admin/projects", json={"name": "search"}).json()["id"]
    role_bindings = [{"resource_type": "organization", "role": "OrgMember"}]
    invite = api.post("/admin/invites", json={"email": "a@example.com", "role_bindings": role_bindings}).json()["id"]
    with serving(emulator) as url:
        env = os.environ | {"CONTROL": f"{url}/_emulator", "PROJECT": project, "INVITE": invite}
        for line in lines:
            command = line.replace("curl", "curl --fail-with-body")
            process = subprocess.run(
                ["bash", "-euc", command],
                cwd=tmp_path,
                env=env,
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert process.returncode == 0, (line, process.stdout, process.stderr)
    assert len(lines) == len(CONTROL_ROUTES)


def test_json_example_loads(emulator: Emulator) -> None:
    """The JSON example can be loaded as a state."""
    (fixture,) = find_blocks("json")
    emulator.load(json.loads(fixture))
    assert len(emulator.state.role_bindings) == 3


def test_page_lists_settings_and_fault_arguments(emulator: Emulator) -> None:
    """The page lists every setting and every argument of a fault."""
    for name in (*emulator.settings, *Fault.__slots__):
        if not name.startswith("_"):
            assert re.search(rf"`.*\b{name}\b", PAGE), name


def test_page_lists_methods_with_their_operation_ids() -> None:
    """The table of operations has every method that sends one, in order, with its id."""
    table = PAGE.partition("| namespace | methods | operation ids |\n|---|---|---|\n")[2].partition("\n\n")[0]
    listed: dict[str, str] = {}
    for row in table.splitlines():
        namespace, methods, ids = (re.findall(r"`(\w+)`", cell) for cell in row.strip("|").split("|"))
        listed |= {operation_id: f"{namespace[0]}.{name}" for name, operation_id in zip(methods, ids, strict=True)}
    assert listed == {operation_id: method for operation_id, method in METHOD_NAMES.items() if method}


def test_internal_links_point_to_headings() -> None:
    """Every link within the page points to a heading."""
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


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
    assert len([line for line in process.stdout.splitlines() if line.startswith("| ")]) == 4 + 6


@pytest.mark.long
def test_benchmark_runs() -> None:
    """The benchmark runs with a small organization; its results are not checked here."""
    command = [sys.executable, "tests/benchmarks/emulator.py", "--bindings", "400"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode in {0, 1}
    assert process.stderr == ""
    assert len(process.stdout.splitlines()) == 16
