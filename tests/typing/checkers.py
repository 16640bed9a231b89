#!/usr/bin/env python3
"""Run type checkers on a user's code: what is right must have no error, and each mistake one.

Usage: tests/typing/checkers.py [--shape]

mypy and basedpyright are those of this environment, and run in the tests, too. The others are installed into a
temporary environment, in their newest versions. Prints JSON, which scripts/evidence keeps; --shape prints what is
checked, and runs no checker.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.recipes import PAGES, list_blocks

ROOT = Path(__file__).resolve().parents[2]
CONSUMER = ROOT / "tests/typing/consumer.py"
MISTAKES = ROOT / "tests/typing/mistakes.py"
OPTIONAL = re.compile(r"^(import (pandas|polars)|from fastapi.testclient import)\b", re.MULTILINE)
"""Imports of libraries that a reader chooses, and whose types, or those of what they import, are not installed."""

PROGRAMS = "environment/bin"
"""Where the checkers are that are not in this environment, beside the folder of each."""

Findings: TypeAlias = dict[tuple[str, int], str]
Checker: TypeAlias = Callable[..., Findings]


def list_mistakes() -> set[tuple[str, int]]:
    """Return the file and line of each mistake."""
    lines = MISTAKES.read_text(encoding="utf-8").splitlines()
    return {(MISTAKES.name, number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")}


def write_recipes(folder: Path) -> list[Path]:
    """Write the Python blocks of the documentation to files, those that other blocks import under their own name."""
    blocks = [block for page in PAGES for block in list_blocks(page) if block.language == "python"]
    typed = {block.file or f"{block.name}.py": block.text for block in blocks if not OPTIONAL.search(block.text)}
    assert len(typed) == len(blocks) - 3
    for name, text in typed.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in typed]


def run_mypy(folder: Path, *paths: Path) -> Findings:
    """Run mypy without the settings of the project, and return its errors by file and line."""
    command = ["mypy", "--strict", "--no-error-summary", "--config-file=", "--cache-dir", str(folder), *map(str, paths)]
    return _read_lines(_run(sys.executable, "-m", *command))


def run_basedpyright(folder: Path, *paths: Path) -> Findings:
    """Run basedpyright without the settings of the project, and return its errors by file and line."""
    return _run_pyright([sys.executable, "-m", "basedpyright"], folder, paths)


def run_pyright(folder: Path, *paths: Path) -> Findings:
    """Run the installed pyright, and return its errors by file and line."""
    return _run_pyright([str(folder.parent / PROGRAMS / "pyright")], folder, paths)


def run_pyrefly(folder: Path, *paths: Path) -> Findings:
    """Run the installed pyrefly, and return its errors by file and line."""
    settings = folder / "pyrefly.toml"
    settings.write_text(f"search-path = {json.dumps(_list_roots(paths))}\n")
    options = [
        "check",
        "--config",
        str(settings),
        "--python-interpreter-path",
        sys.executable,
        "--output-format",
        "json",
    ]
    found = json.loads(_run(str(folder.parent / PROGRAMS / "pyrefly"), *options, *map(str, paths)))["errors"]
    return {(Path(item["path"]).name, item["line"]): item["description"] for item in found}


def run_ty(folder: Path, *paths: Path) -> Findings:
    """Run the installed ty, and return its errors by file and line."""
    options = ["check", "--python", sys.executable, "--output-format", "concise", "--project", str(folder)]
    roots = [option for root in _list_roots(paths) for option in ("--extra-search-path", root)]
    return _read_lines(_run(str(folder.parent / PROGRAMS / "ty"), *options, *roots, *map(str, paths)))


def _run_pyright(program: list[str], folder: Path, paths: tuple[Path, ...]) -> Findings:
    settings = folder / "pyrightconfig.json"
    included = {"include": [os.path.relpath(path, folder) for path in paths], "extraPaths": _list_roots(paths)}
    settings.write_text(json.dumps({"typeCheckingMode": "strict"} | included))
    options = ["--outputjson", "--pythonpath", sys.executable, "--project", str(settings)]
    found = json.loads(_run(*program, *options))["generalDiagnostics"]
    errors = [item for item in found if item["severity"] == "error"]
    return {(Path(item["file"]).name, item["range"]["start"]["line"] + 1): item["message"] for item in errors}


def _list_roots(paths: tuple[Path, ...]) -> list[str]:
    return [*dict.fromkeys([str(ROOT), *(str(path.parent) for path in paths)])]  # examples import one another


def _read_lines(output: str) -> Findings:
    return {(m[1], int(m[2])): m[3] for m in re.finditer(r"(\w+\.py):(\d+):(?:\d+:)? error(?:\[.*?\])?:? (.*)", output)}


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


CHECKERS: dict[str, tuple[Checker, str]] = {
    "mypy": (run_mypy, ""),
    "basedpyright": (run_basedpyright, ""),
    "pyright": (run_pyright, "pyright[nodejs]"),
    "pyrefly": (run_pyrefly, "pyrefly"),
    "ty": (run_ty, "ty"),
}
"""The checkers, each with what pip installs for it, if it is not in this environment."""


def measure() -> dict[str, Any]:
    """Return the version, the number of errors in correct code, and the number of mistakes found, by checker."""
    figures: dict[str, Any] = {}
    marked = list_mistakes()
    with tempfile.TemporaryDirectory() as folder:
        environment, recipes = Path(folder, "environment"), Path(folder, "recipes")
        recipes.mkdir()
        paths = (CONSUMER, MISTAKES, *write_recipes(recipes))
        venv.create(environment, with_pip=True)
        pip = [str(environment / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "install", "--quiet", *(packages for _, packages in CHECKERS.values() if packages)], check=True
        )
        listed = subprocess.run([*pip, "list", "--format=json"], check=True, capture_output=True, text=True).stdout
        versions = {item["name"]: item["version"] for item in json.loads(listed)}
        for name, (run, packages) in CHECKERS.items():
            own = Path(folder, name)
            own.mkdir()
            found = set(run(own, *paths))
            if not found:
                raise SystemExit(
                    f"checkers: {name} found none of {len(marked)} mistakes, so it has not checked the files"
                )
            figures[name] = {
                "version": versions[name] if packages else version(name),
                "is_in_tests": not packages,
                "errors_in_correct_code": len(found - marked),
                "mistakes_found": len(found & marked),
            }
    return figures


def main() -> None:
    """Print the shape, or the shape and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shape", action="store_true", help="print what is checked, and run no checker")
    given = parser.parse_args()
    shape = {"shape": {"checkers": [*CHECKERS], "mistakes": len(list_mistakes())}}
    json.dump(shape if given.shape else shape | {"figures": measure()}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
