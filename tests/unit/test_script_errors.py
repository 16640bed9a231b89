"""The errors of commands that cannot run, and what scripts/test measures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import UNTRACED

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "basename", "cat", "dirname", "sha256sum")
REFUSALS = {
    "too old": ("exit 1", "Python 3.11 or newer is required but was not found as: python3"),
    "without venv": ('case "$2" in *ensurepip*) exit 1;; esac', "python3 has no venv module"),
}


@pytest.mark.parametrize("command", ["quickstart", "test", "generate.sh"])
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
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    announced = "takes minutes" in done.stdout  # what its first run installs
    assert announced == (command == "generate.sh")
    assert done.stderr.startswith(f"{command}: {line}")


COVERAGE_SETTINGS = """
[tool.coverage.run]
source = ["."]
omit = ["conftest.py"]
parallel = true
patch = ["subprocess"]
plugins = ["tests.support.coverage_without_lock"]
"""
KILLED_AT_EXIT = """
import atexit, os, signal

def test_it():
    import measured
    atexit.register(os.kill, os.getpid(), signal.SIGKILL)
"""
LOCKED = '''
import subprocess, sys

program = """
import coverage, signal
signal.alarm(60)
coverage.Coverage.current()._collector.data_lock.acquire()
import measured
"""

def test_it():
    subprocess.run([sys.executable, "-c", program], check=True)

def test_it_in_a_worker():
    exec(program)
'''


def test_every_untraced_path_exists() -> None:
    """The list of tests whose coverage is not measured names no file that was moved."""
    assert [path for path in UNTRACED if not path.exists()] == []


@pytest.mark.long
def test_a_worker_that_is_killed_while_it_exits_keeps_its_coverage(tmp_path: Path) -> None:
    """On a busy machine, pytest-xdist kills workers, and the coverage would be too low although every test passed."""
    check_coverage(tmp_path, KILLED_AT_EXIT, 1)


@pytest.mark.long
def test_nothing_waits_for_the_lock_of_coverage(tmp_path: Path) -> None:
    """An interrupt or a fork can leave it held: in any process that is measured, the next call waited without end."""
    check_coverage(tmp_path, LOCKED, 1)


def check_coverage(folder: Path, test: str, workers: int) -> None:
    """Run a test under coverage, with the conftest of this project, and check that all of a module is measured."""
    shutil.copy(ROOT / "tests/conftest.py", folder)
    files = {"pyproject.toml": COVERAGE_SETTINGS, "measured.py": "x = 1\n", "test_it.py": test}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for command in (f"run -m pytest -p xdist -n {workers}", "combine", "report --include measured.py"):
        coverage = [sys.executable, "-m", "coverage", *command.split()]
        done = subprocess.run(coverage, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 100%\n")
