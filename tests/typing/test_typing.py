"""Types: users' code passes mypy and basedpyright in strict mode, and their mistakes are found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.recipes import PAGES, list_blocks, read_page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OPTIONAL = re.compile(r"^(import (pandas|polars)|from fastapi.testclient import)\b", re.MULTILINE)
"""Imports of libraries that a reader chooses, and whose types, or those of what they import, are not installed."""
Findings = dict[tuple[str, int], str]


def run_mypy(folder: Path, *paths: Path) -> Findings:
    """Run mypy without the settings of the project, and return its errors by file and line."""
    command = ["mypy", "--strict", "--no-error-summary", "--config-file=", "--cache-dir", str(folder), *map(str, paths)]
    output = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False).stdout
    return {(m[1], int(m[2])): m[3] for m in re.finditer(r"(\w+\.py):(\d+): error: (.*)", output)}


def run_basedpyright(folder: Path, *paths: Path) -> Findings:
    """Run basedpyright without the settings of the project, and return its errors by file and line."""
    settings = folder / "pyrightconfig.json"
    roots = dict.fromkeys([str(ROOT), *(str(path.parent) for path in paths)])  # examples import one another
    included = {"include": [*map(str, paths)], "extraPaths": [*roots]}
    settings.write_text(json.dumps({"typeCheckingMode": "strict"} | included))
    command = ["basedpyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(settings)]
    output = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False).stdout
    found = [item for item in json.loads(output)["generalDiagnostics"] if item["severity"] == "error"]
    return {(Path(item["file"]).name, item["range"]["start"]["line"] + 1): item["message"] for item in found}


def write_recipes(folder: Path) -> list[Path]:
    """Write the Python blocks of the documentation to files, those that other blocks import under their own name."""
    blocks = [block for page in PAGES for block in list_blocks(page) if block.language == "python"]
    typed = {block.file or f"{block.name}.py": block.text for block in blocks if not OPTIONAL.search(block.text)}
    assert len(typed) == len(blocks) - 3
    for name, text in typed.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in typed]


@pytest.mark.parametrize("run", [run_mypy, pytest.param(run_basedpyright, marks=pytest.mark.long)])
def test_consumer_code_is_clean_and_every_mistake_is_found(
    run: Callable[..., Findings], pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    """Each line marked wrong is an error in strict mode, and no other line of either file or of a recipe is."""
    folder = pytestconfig.cache.mkdir(run.__name__)  # kept, since mypy takes ten times longer without its cache
    mistakes = HERE / "mistakes.py"
    lines = mistakes.read_text(encoding="utf-8").splitlines()
    marked = {(mistakes.name, number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert f"in every run of the tests | no error | {len(marked)} |" in read_page("docs/type-checkers.md")
    assert set(run(folder, HERE / "consumer.py", mistakes, *write_recipes(tmp_path))) == marked


@pytest.mark.long
def test_every_public_type_is_known() -> None:
    """Each type of the public interface is declared, so that all type checkers see the same one."""
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--verifytypes",
        "pinecone_admin",
        "--ignoreexternal",
        "--outputjson",
    ]
    # With this option, basedpyright ignores --pythonpath.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    report = json.loads(output)["typeCompleteness"]
    unknown = [each["name"] for each in report["symbols"] if not each["isTypeKnown"]]
    assert (unknown, report["completenessScore"]) == ([], 1)
