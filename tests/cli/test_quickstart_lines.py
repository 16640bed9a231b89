"""The last lines that the quickstart prints can be pasted into a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import main_job


def test_the_last_lines_of_the_quickstart_can_be_pasted(tmp_path: Path) -> None:
    """They work in a shell without credentials, and leave nothing running."""
    introduction, *lines = main_job.GO_ON.format(folder=Path(sys.executable).parent).splitlines()
    assert introduction.endswith(":")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "search" in done.stdout
