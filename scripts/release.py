#!/usr/bin/env python3
"""Build the wheel and the sdist twice, compare them, check their metadata, and try the wheel; see scripts/release."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pinecone_admin import __version__

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def main(*, is_check: bool) -> None:
    """Make the release, or only check it."""
    with tempfile.TemporaryDirectory() as folder:
        if not is_check:
            check_readiness()
        files = build_twice(Path(folder))
        run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, files)], cwd=ROOT)
        try_wheel(files[0], Path(folder) / "environment")
        for file in files:
            print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}")
            if not is_check:
                (ROOT / "dist").mkdir(exist_ok=True)
                shutil.copy(file, ROOT / "dist")


def check_readiness() -> None:
    """Exit unless everything is committed and the repository has a URL."""
    if run(["git", "status", "--porcelain"], cwd=ROOT):
        raise SystemExit("release: commit all changes first: a release can be rebuilt only from a commit")
    if "Repository" not in PROJECT["urls"]:
        raise SystemExit('release: add Repository = "https://…" to [project.urls] of pyproject.toml')


def build_twice(folder: Path) -> list[Path]:
    """Build in two folders, time zones and orders of hashes; return the wheel and the sdist."""
    date = read_release_date((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    builds: list[list[Path]] = []
    for place, zone in (("first", "UTC"), ("second ü", "Pacific/Kiritimati")):
        copy_sources(folder / place)
        environment = {"SOURCE_DATE_EPOCH": f"{date.timestamp():.0f}", "TZ": zone, "PYTHONHASHSEED": f"{len(place)}"}
        run([sys.executable, "-m", "hatchling", "build"], cwd=folder / place, **environment)
        builds.append(sorted((folder / place / "dist").iterdir()))
    for first, second in zip(*builds, strict=True):
        if first.read_bytes() != second.read_bytes():
            raise SystemExit(f"release: two builds of {first.name} differ")
    return builds[0]


def read_release_date(changelog: str) -> datetime:
    """Return the date of the newest version in a changelog, which must be the version of the package."""
    found = re.search(r"^## (\d\S*) - (\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    if found is None or found[1] != __version__:
        raise SystemExit(f"release: CHANGELOG.md must begin with the version {__version__} and a date")
    return datetime.fromisoformat(found[2]).replace(tzinfo=UTC)


def copy_sources(target: Path) -> None:
    """Copy every file that git does not ignore; links on a page lead to this version in the repository."""
    for name in run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).split("\0"):
        if (ROOT / name).is_file():  # git also names those that are deleted
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    for page in target.glob("*.md") if (url := PROJECT["urls"].get("Repository")) else ():
        page.write_text(make_links_absolute(page.read_text(encoding="utf-8"), url), encoding="utf-8")


def make_links_absolute(page: str, url: str) -> str:
    """Return a page in Markdown with links to this version in the repository in place of relative links."""
    return re.sub(r"(\[[^]]*\])\((?!\w+:|#)([^)]+)\)", rf"\1({url.rstrip('/')}/blob/v{__version__}/\2)", page)


def try_wheel(wheel: Path, place: Path) -> None:
    """Install the wheel with all extras in a fresh environment, and run the quickstart's job there."""
    run([sys.executable, "-m", "venv", str(place)], cwd=place.parent)
    python, extras = str(place / "bin/python"), ",".join(PROJECT["optional-dependencies"])
    run([python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", f"{wheel}[{extras}]"], cwd=place)
    run([python, shutil.copy(str(ROOT / "scripts/main_job.py"), str(place))], cwd=place)
    run([str(place / "bin/pinecone-admin"), "--version"], cwd=place)


def run(command: Sequence[str], *, cwd: Path, **environment: str) -> str:
    """Run a command without what could lead to the checkout or to an account; return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PINECONE_", "PYTHON", "PYTEST"))}
    done = subprocess.run(command, cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"release: {shlex.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(is_check="--check" in sys.argv)
