"""How a run of all tests ended: scripts/test --all writes it, and scripts/evidence makes a table of it."""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = ("passed", "failed", "error", "skipped")


def record_suite(config: pytest.Config, folder: Path) -> None:
    """Write the outcomes of this run to the file of this version of Python."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    commit, changes = (
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    )
    record = {
        "commit": commit,
        "is_clean": not changes,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "whole_grids": bool(config.getoption("--whole-grids")),
        **{outcome: len(reporter.stats.get(outcome, ())) for outcome in OUTCOMES},
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{'.'.join(platform.python_version_tuple()[:2])}.json"
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
