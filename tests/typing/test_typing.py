"""Typed access: what users write is clean, and their mistakes are found, by mypy and basedpyright in strict mode."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CHECKERS = ["mypy", "basedpyright"]


def findings(checker: str, path: Path, folder: Path) -> dict[int, str]:
    """Run a checker on a file outside the project's settings; give its errors by line."""
    if checker == "mypy":
        command = ["mypy", "--strict", "--no-error-summary", "--config-file=", "--cache-dir", str(folder), str(path)]
        output = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False).stdout
        return {int(m[1]): m[2] for m in re.finditer(rf"{path.name}:(\d+): error: (.*)", output)}
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "strict", "include": [str(path)], "extraPaths": [str(ROOT)]}))
    command = ["basedpyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(settings)]
    output = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False).stdout
    found = json.loads(output)["generalDiagnostics"]
    return {item["range"]["start"]["line"] + 1: item["message"] for item in found if item["severity"] == "error"}


@pytest.mark.parametrize("checker", CHECKERS)
def test_consumer_code_is_clean(checker: str, tmp_path: Path) -> None:
    """Strict checkers have nothing to say of code written against the contract."""
    assert findings(checker, HERE / "consumer.py", tmp_path) == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_mistake_is_found(checker: str, tmp_path: Path) -> None:
    """Each line that is marked wrong is an error of the checker, and no other line is."""
    path = HERE / "mistakes.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert set(findings(checker, path, tmp_path)) == marked
