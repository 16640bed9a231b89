#!/usr/bin/env python3
"""Derive pinecone_admin/_sync and tests/_sync from their async sources by regular expressions.

Usage: unasync.py [--check]

With --check nothing is written: if a file differs, is missing or has no source, it is named and the exit status is 1.
A rule that matches nothing is an error in either case.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A system's Python can run this file, too, but seldom has ruff.
PYTHON = sys.executable if find_spec("ruff") else str(ROOT / ".venv/bin/python")
FOLDER_PAIRS = (
    (ROOT / "pinecone_admin/_async", ROOT / "pinecone_admin/_sync"),
    (ROOT / "tests/_async", ROOT / "tests/_sync"),
)

# Applied in this order to code, docstrings and comments.
RULES = [
    (r"[ ]*# <async only>\n(?:.*\n)*?[ ]*# </async only>\n", ""),
    (r"  # noqa: ASYNC\d+.*", ""),
    (r"on ``async with`` or with the first call\b", "in the constructor"),
    (r"\bAnother event loop or a forked child\b", "A forked child"),
    (r"\bprocess and event loop\b", "process"),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b(__a)(enter|exit|iter|next)__", r"__\2__"),
    (r"\bAwaitable\[([^\[\]]+)\]", r"\1"),
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


def tidy_module(text: str, path: Path) -> str:
    """Remove unused imports and format: without async words, a broken line may fit on one line."""
    for arguments in (["check", "--fix-only", "--select", "F401,I"], ["format"]):
        command = [PYTHON, "-m", "ruff", *arguments, "--quiet", "--stdin-filename", str(path), "-"]
        text = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
    return text


def derive_files() -> tuple[dict[Path, str], list[str]]:
    """Return the text of every derived file, and the rules that matched nothing."""
    used: set[str] = set()
    files: dict[Path, str] = {}
    for source_folder, target_folder in FOLDER_PAIRS:
        for source in sorted(source_folder.rglob("*.py")):
            header = f"# Derived from {source.relative_to(ROOT)} by scripts/unasync.py: change that, not this file.\n"
            target = target_folder / source.relative_to(source_folder)
            files[target] = tidy_module(header + derive_module(source.read_text(encoding="utf-8"), used), target)
    return files, [pattern for pattern, _ in RULES if pattern not in used]


def find_differences(files: dict[Path, str]) -> list[str]:
    """Return which files on disk differ, are missing or have no source."""
    found = [
        f"{path.relative_to(ROOT)} differs from its source: run scripts/unasync.py"
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    orphans = [path for _, folder in FOLDER_PAIRS for path in sorted(folder.rglob("*.py")) if path not in files]
    return found + [f"{path.relative_to(ROOT)} has no source" for path in orphans]


def main() -> int:
    """Write the derived files, or check them."""
    files, unused = derive_files()
    problems = [f"this rule matches nothing: {pattern}" for pattern in unused]
    if sys.argv[1:] == ["--check"]:
        problems += find_differences(files)
    else:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
