"""Official SDKs empty and delete projects that they filled themselves, and meet refusals where the service has them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SDKS = {"10": None, "9": Path(sys.prefix) / "official" / "pinecone-9"}
"""The folder of each version; None for the version in the environment."""


def run_cleanup(version: str, way: str) -> Any:
    """Run the program with a version of the official SDK and return what it prints."""
    folder = SDKS[version]
    assert folder is None or folder.exists(), f"{folder} is missing: scripts/check installs it"
    path = os.pathsep.join(str(each) for each in (folder, ROOT) if each)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")} | {"PYTHONPATH": path}
    command = [sys.executable, "-W", "error", "-m", "tests.compat.official_cleanup", way]
    process = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
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
@pytest.mark.parametrize("version", SDKS)
def test_official_sdk_empties_projects(version: str, way: str) -> None:
    """Each of 32 mixes of contents, created by the SDK, ends as in the service, with valid responses."""
    printed = run_cleanup(version, way)
    assert len(printed["results"]) == 33
    wrong = {mix: end for mix, end in printed["results"].items() if not end.startswith(expect(version, mix))}
    assert (wrong, printed["breaches"]) == ({}, [])
