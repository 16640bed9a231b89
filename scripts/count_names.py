#!/usr/bin/env python3
"""Report the share of function names that are a single word, by top-level folder and in all.

Usage: count_names.py [--list] [FOLDER]

Dunders and derived files do not count. With --list the single words come first. FOLDER defaults to this repository.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DERIVED_FOLDERS = frozenset({"_sync", "generated_client"})


class Function(NamedTuple):
    """A function, and the line of a file, relative to the repository, that defines it."""

    name: str
    file: Path
    line: int

    def has_single_word(self) -> bool:
        """Return whether no underscore divides the name."""
        return "_" not in self.name.strip("_")


def find_functions(root: Path) -> Iterator[Function]:
    """Yield each hand-written function and method of a repository, but no dunders."""
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root)
        if DERIVED_FOLDERS.isdisjoint(file.parts) and not file.parts[0].startswith("."):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.endswith("__"):
                    yield Function(node.name, file, node.lineno)


def main() -> None:
    """Print the shares, and the names if they are asked for."""
    parser = argparse.ArgumentParser(prog="count_names.py")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    arguments = parser.parse_args()
    functions = list(find_functions(arguments.folder))
    single = [function for function in functions if function.has_single_word()]
    if arguments.list:
        print("\n".join(f"{function.file}:{function.line} {function.name}" for function in single))
    for folder in [*sorted({function.file.parts[0] for function in functions}), "in all"]:
        counts = [sum(folder in {f.file.parts[0], "in all"} for f in some) for some in (single, functions)]
        print(f"{folder}: {counts[0]} of {counts[1]} function names are a single word ({counts[0] / counts[1]:.0%})")


if __name__ == "__main__":
    main()
