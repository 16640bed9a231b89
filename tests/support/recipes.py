"""Run a recipe of the documentation as a newcomer does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_recipe(folder: Path, recipe: str) -> str:
    """Run the tests of a recipe with pytest, in a folder of their own and without credentials; return the output."""
    (folder / "test_recipe.py").write_text(recipe, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=180, check=False)
    return done.stdout + done.stderr
