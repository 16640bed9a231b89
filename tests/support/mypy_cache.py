"""A cache of mypy for copies of the repository, so that each test need not read the packages anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


def fill_mypy_cache() -> None:
    """Let mypy read all packages, unless it has: once, since without a cache each worker would, for 18 s."""
    (ROOT / ".pytest_cache").mkdir(exist_ok=True)
    with FileLock(ROOT / ".pytest_cache/mypy.lock"):
        if not (ROOT / ".mypy_cache").is_dir():
            subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, check=False)


def find_mypy_cache() -> Path:
    """Return the cache of mypy for the copies of one worker; it begins as what scripts/check left in the repository.

    If two processes use one cache at the same time, mypy may report errors of the other copy.
    """
    cache = ROOT / f".pytest_cache/mypy-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    cache.parent.mkdir(exist_ok=True)
    if not cache.exists() and (ROOT / ".mypy_cache").is_dir():
        seed = Path(tempfile.mkdtemp(dir=cache.parent))
        shutil.copytree(ROOT / ".mypy_cache", seed, dirs_exist_ok=True)
        try:
            seed.rename(cache)
        except OSError:  # another run of the tests was faster
            shutil.rmtree(seed)
    return cache
