"""What the commands say where they cannot work."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "basename", "cat", "dirname", "sha256sum")
REFUSALS = {
    "too old": ("exit 1", "Python 3.11 or newer is needed, and none was found as: python3"),
    "without venv": ('case "$2" in *ensurepip*) exit 1;; esac', "python3 has no venv module"),
}


@pytest.mark.parametrize("command", ["quickstart", "test"])
@pytest.mark.parametrize(("answer", "line"), REFUSALS.values(), ids=REFUSALS)
def test_a_python_that_will_not_do_is_named(command: str, answer: str, line: str, tmp_path: Path) -> None:
    """On a machine with no other Python, one line says what is missing and how to get it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    python = folder / "python3"
    python.write_text(f"#!{folder}/bash\n{answer}\n")
    python.chmod(0o755)
    scripts = tmp_path / "clone/scripts"
    shutil.copytree(ROOT / "scripts", scripts)
    done = subprocess.run(
        [folder / "bash", scripts / command], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert done.stderr.startswith(f"{command}: {line}")
