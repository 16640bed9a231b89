#!/usr/bin/env python3
"""Check that installed tools have exactly the versions that pyproject.toml pins.

Usage: check_pins.py PYPROJECT TOOL…
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def pinned(pyproject: str, tool: str) -> str:
    """Give the exact version that the development group pins a tool to."""
    group: list[str] = tomllib.loads(pyproject)["dependency-groups"]["dev"]
    return next(line.removeprefix(f"{tool}==") for line in group if line.startswith(f"{tool}=="))


def main() -> int:
    """Compare each named tool; one line for each that differs."""
    pyproject = Path(sys.argv[1]).read_text(encoding="utf-8")
    wrong = False
    for tool in sys.argv[2:]:
        wanted = pinned(pyproject, tool)
        try:
            found = version(tool)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong = True
            print(
                f"{tool} is {found}, and {wanted} is needed: run scripts/test, which installs it",
                file=sys.stderr,
            )
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
