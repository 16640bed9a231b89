"""Recipes of the documentation, run as a newcomer runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_recipe(folder: Path, recipe: str) -> str:
    """Run tests with pytest, as a file with nothing else in the folder and no credentials; give what pytest says."""
    (folder / "test_recipe.py").write_text(recipe, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=180, check=False)
    return done.stdout + done.stderr
