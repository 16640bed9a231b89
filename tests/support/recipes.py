"""Run a recipe of the documentation as a newcomer does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_OTHER_PLUGINS = ("schemathesis", "hypothesispytest", "pytest_httpx", "respx")
WITHOUT_OTHER_PLUGINS = [argument for name in _OTHER_PLUGINS for argument in ("-p", f"no:{name}")]
"""Arguments of pytest; the plugins of this environment take longer to load than a recipe takes to run."""


def run_recipe(folder: Path, recipe: str) -> str:
    """Run the tests of a recipe with pytest, in a folder of their own and without credentials; return the output."""
    (folder / "test_recipe.py").write_text(recipe, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *WITHOUT_OTHER_PLUGINS]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=180, check=False)
    return done.stdout + done.stderr


def list_blocks(page: str, language: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a language on a page of the documentation, each with its heading."""
    found: list[tuple[str, str]] = []
    heading = ""
    text = (_ROOT / page).read_text(encoding="utf-8")
    for match in re.finditer(r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        heading = match[1] or heading
        if match[2] == language:
            found.append((heading, match[3]))
    return found
