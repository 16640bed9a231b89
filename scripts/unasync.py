#!/usr/bin/env python3
"""Derive pinecone_admin/_sync and tests/_sync from their async sources by regular expressions.

Usage: unasync.py [--check]

With --check nothing is written: if a file differs, is missing or has no source, it is named and the exit status is 1.
A rule that matches nothing is an error in either case.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
# A system's Python can run this file, too, but seldom has ruff.
PYTHON = sys.executable if find_spec("ruff") else str(ROOT / ".venv/bin/python")
FOLDER_PAIRS = (("pinecone_admin/_async", "pinecone_admin/_sync"), ("tests/_async", "tests/_sync"))

# Applied in this order to code, docstrings and comments.
RULES = [
    (r"[ ]*# <async only>\n(?:.*\n)*?[ ]*# </async only>\n", ""),
    (r"  # noqa: ASYNC\d+.*", ""),
    (r"on\s+``async\s+with``\s+or\s+with\s+the\s+first\s+call\b", "in the constructor"),
    (r"\bAnother event loop or a forked child\b", "A forked child"),
    (r"\bprocess and event loop\b", "process"),
    (
        r"\bcounts as a workflow only if its task was cancelled\.\s+In trio, it must also end\s+at once\b",
        "does not count as a workflow",
    ),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b(__a)(enter|exit|iter|next)__", r"__\2__"),
    (r"\bAwaitable\[((?:[^\[\]]|\[[^\[\]]*\])+)\]", r"\1"),
    (r"\bAsync(Iterable|Iterator)\b", r"\1"),
    (r"\bhttpcore\.Async", "httpcore."),
    (r"\bhttpx\.AsyncByteStream\b", "httpx.SyncByteStream"),
    (r"\bhttpx\.Async", "httpx."),
    (r"\bAsyncCompleteList\[", "list["),
    (r"\bAsyncCompleteList\b", "fetch_all"),
    (r"\bAsync([A-Z]\w+)", r"\1"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAbstractAsyncContextManager\b", "AbstractContextManager"),
    (r"\bhandle_async_request\b", "handle_request"),
    (r"\ba(close|read)\b", r"\1"),
    (r"\basync_(\w+)", r"\1"),
    (r"\bskip_first_token\b", "fetch_first_token"),
    (r"\bPerLoop\b", "PerProcess"),
    (r"\b_async\b", "_sync"),
]


def derive_module(source: str, used: set[str]) -> str:
    """Return the sync version of a module, and add the rules that matched to the set."""
    for pattern, replacement in RULES:
        source, count = re.subn(pattern, replacement, source)
        if count:
            used.add(pattern)
    return source


def derive_files(folder: Path) -> list[str]:
    """Write every derived file below a folder, and return the rules that matched nothing."""
    used: set[str] = set()
    for source_folder, target_folder in FOLDER_PAIRS:
        for source in sorted((ROOT / source_folder).rglob("*.py")):
            header = f"# Derived from {source.relative_to(ROOT)} by scripts/unasync.py: change that, not this file.\n"
            target = folder / target_folder / source.relative_to(ROOT / source_folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(header + derive_module(source.read_text(encoding="utf-8"), used), encoding="utf-8")
    tidy_modules(folder)
    return [pattern for pattern, _ in RULES if pattern not in used]


def tidy_modules(folder: Path) -> None:
    """Remove unused imports and format: without async words, a broken line may fit on one line."""
    places = [target for _, target in FOLDER_PAIRS if (folder / target).is_dir()]
    for arguments in (["check", "--fix-only", "--select", "F401,I"], ["format"]):
        command = [
            PYTHON,
            "-m",
            "ruff",
            *arguments,
            "--quiet",
            "--no-cache",
            "--config",
            str(ROOT / "pyproject.toml"),
            *places,
        ]
        subprocess.run(command, cwd=folder, check=True)


def find_differences(folder: Path) -> list[str]:
    """Return which files of this tree differ from those derived in a folder, are missing or have no source."""
    derived, present = (
        {
            path.relative_to(tree): path.read_text(encoding="utf-8")
            for _, target in FOLDER_PAIRS
            for path in sorted((tree / target).rglob("*.py"))
        }
        for tree in (folder, ROOT)
    )
    found = [
        f"{path} differs from its source: run scripts/unasync.py"
        for path, text in derived.items()
        if present.get(path) != text
    ]
    return found + [f"{path} has no source" for path in present if path not in derived]


def main() -> int:
    """Write the derived files, or check them."""
    is_check = sys.argv[1:] == ["--check"]
    with TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere)
        problems = [f"this rule matches nothing: {pattern}" for pattern in derive_files(folder)]
        if is_check:
            problems += find_differences(folder)
        else:  # not before ruff has accepted every file
            for part in folder.iterdir():  # the folder itself would give its mode to the root
                shutil.copytree(part, ROOT / part.name, dirs_exist_ok=True)
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
