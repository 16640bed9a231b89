"""What ``scripts/test`` installs and runs, with stubs in place of the other commands."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
STUBS = {
    "_env.sh": 'venv="$root"; ensure_env() { echo "env $*"; python="$root/python"; }; ensure_official_sdks() { :; }'
    "; ensure_simulator() { :; }",
    "_system.sh": "ensure_system_packages() { echo install; }",
    "check": "#!/bin/sh\necho check $*",
    "smoke": "#!/bin/sh\necho smoke",
}


def run_command(root: Path, *words: str) -> list[str]:
    """Run a copy of the command beside the stubs, and return what they print."""
    (root / "scripts").mkdir(exist_ok=True)
    shutil.copy(SCRIPTS / "test", root / "scripts/test")
    for name, text in {**STUBS, "../python": '#!/bin/sh\necho "python $*"; echo "TOTAL 100%"'}.items():
        path = root / "scripts" / name
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": os.environ["PATH"]}
    command = ["bash", str(root / "scripts/test"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("words", [["tests/unit"], ["--all"], []])
def test_no_install_installs_no_programs(words: list[str], tmp_path: Path) -> None:
    """All of its commands, with and without arguments."""
    assert "install" in run_command(tmp_path, *words)
    assert "install" not in run_command(tmp_path, "--no-install", *words)


def test_tests_that_are_named_run_without_the_checks(tmp_path: Path) -> None:
    """Only a run of all tests includes scripts/check, and only with the long ones everything but the site."""
    assert "check --quick" in run_command(tmp_path)
    assert "check --without-site" in run_command(tmp_path, "--all")
    assert not [each for each in run_command(tmp_path, "tests/unit/test_token.py") if "check" in each]


def test_options_may_come_in_any_order(tmp_path: Path) -> None:
    """The first word that is no option, and all behind it, are for pytest."""
    for words in (["--python", sys.executable, "--no-install"], ["--no-install", "--python", sys.executable]):
        lines = run_command(tmp_path, *words, "-k", "--all")
        assert lines[:-1] == [
            f"env quickstart {sys.executable}",
            f"env dev {sys.executable}",
            "python -m pytest -k --all",
        ]


def test_only_all_runs_the_smoke(tmp_path: Path) -> None:
    """It runs last, once the tests have passed."""
    assert run_command(tmp_path, "--all")[-1] == "smoke"
    assert "smoke" not in run_command(tmp_path)
