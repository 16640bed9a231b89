"""The errors of commands that cannot run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "basename", "cat", "dirname", "sha256sum")
REFUSALS = {
    "too old": ("exit 1", "Python 3.11 or newer is required but was not found as: python3"),
    "without venv": ('case "$2" in *ensurepip*) exit 1;; esac', "python3 has no venv module"),
}


@pytest.mark.parametrize("command", ["quickstart", "test"])
@pytest.mark.parametrize(("script", "line"), REFUSALS.values(), ids=REFUSALS)
def test_an_unsuitable_python_is_named(command: str, script: str, line: str, tmp_path: Path) -> None:
    """If there is no other Python, one line says what is missing and how to get it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    python = folder / "python3"
    python.write_text(f"#!{folder}/bash\n{script}\n")
    python.chmod(0o755)
    scripts = tmp_path / "clone/scripts"
    shutil.copytree(ROOT / "scripts", scripts)
    done = subprocess.run(
        [folder / "bash", scripts / command], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert done.stderr.startswith(f"{command}: {line}")
