"""Official SDKs empty and delete projects that they filled themselves, and meet refusals where the service has them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run_with_sdk(version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a version of the official SDK; 10 is the version in the environment."""
    folder = None if version == "10" else Path(sys.prefix) / "official" / f"pinecone-{version}"
    assert folder is None or folder.exists(), f"{folder} is missing: scripts/check installs it"
    path = os.pathsep.join(str(each) for each in (folder, ROOT, ROOT / "scripts") if each)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")} | {"PYTHONPATH": path}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


def run_program(version: str, *arguments: str) -> Any:
    """Run a program with a version of the official SDK and return what it prints."""
    process = run_with_sdk(version, "-W", "error", "-m", *arguments)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def expect(version: str, mix: str) -> str:
    """Return how the clean-up of a mix of contents ends."""
    # No official SDK lifts deletion protection. Version 9 knows no assistants, and reads one page of backups.
    if "protected" in mix:
        return "ForbiddenError: [403 FORBIDDEN] deletion protection is enabled"
    if version == "9" and ("assistant" in mix or mix == "many backups"):
        return "ApiError: [412 FAILED_PRECONDITION]"
    return "deleted"


@pytest.mark.parametrize("way", ["http", "emulate"])
@pytest.mark.parametrize("version", ["9", "10"])
def test_official_sdk_empties_projects(version: str, way: str) -> None:
    """Each of 32 mixes of contents, created by the SDK, ends as in the service, with valid responses."""
    printed = run_program(version, "tests.compat.official_cleanup", way)
    assert len(printed["results"]) == 33
    wrong = {mix: end for mix, end in printed["results"].items() if not end.startswith(expect(version, mix))}
    assert (wrong, printed["breaches"]) == ({}, [])


def test_official_8_is_refused_in_process() -> None:
    """The official SDK 8 does not reach production, and is told that it cannot be answered."""
    program = "import pinecone\nfrom pinecone_admin.testing import emulate\nwith emulate(): pinecone.Admin()"
    done = run_with_sdk("8", "-c", program)
    assert "ProductionOutOfReachError: login.pinecone.io is Pinecone's own service" in done.stderr
    assert "the official SDK before version 9, which cannot be answered here" in done.stderr


def test_official_8_empties_a_project_over_http() -> None:
    """The official SDK 8 fills and empties a project over HTTP, once the addresses built into it are replaced."""
    held = {"indexes": 2, "collections": 1, "assistants": 0, "backups": 1}
    assert run_program("8", "tests.compat.official_8") == {"held": held, "left": []}
