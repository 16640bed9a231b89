"""Each version of the official SDKs calls all that it shares with the emulator, and reaches nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.control_plane import OPERATION_IDS
from pinecone_admin.testing import emulate
from tests.compat.official_operations import CLIENTS
from tests.support.contract import record_breaches
from tests.support.programs import find_program, skip_unless_in_ci

pytestmark = pytest.mark.long  # they start many processes, and what they find changes rarely

ROOT = Path(__file__).parents[2]
OFFICIAL = Path(sys.prefix) / "official"
WITHOUT_PINECONE = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
# None of these clients has workspaces.
CONTROL_PLANE = {each for each in OPERATION_IDS if "workspace" not in each}
# The API that these use creates no pod-based index, of which alone a collection could be made.
WITHOUT_PODS = CONTROL_PLANE - {"create_collection"}


def find_sdk(name: str) -> Path:
    """Return the folder of an SDK."""
    folder = OFFICIAL / name
    assert folder.exists(), f"{folder} is missing: scripts/test installs it"
    return folder


def run_with_sdk(
    version: str, *arguments: str, environment: Mapping[str, str] = WITHOUT_PINECONE
) -> subprocess.CompletedProcess[str]:
    """Run a module that must not reach beyond this machine with an SDK; 10 is the version in the environment."""
    folder = None if version == "10" else find_sdk(f"pinecone-{version}")
    path = os.pathsep.join(str(each) for each in (folder, ROOT, ROOT / "scripts") if each)
    env = {**environment, "PYTHONPATH": path}
    command = [sys.executable, "-W", "error", "-m", "tests.support.loopback_only", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


def run_program(version: str, *arguments: str) -> Any:
    """Run a module with an SDK and return what it prints."""
    process = run_with_sdk(version, *arguments)
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


@pytest.mark.parametrize(("version", "way"), [pytest.param("9", "http", marks=pytest.mark.long), ("10", "emulate")])
def test_official_sdk_from_9(version: str, way: str) -> None:
    """All that SDK 9 can do succeeds, and each of 32 mixes of contents that it empties ends as in the service."""
    printed = run_program(version, "tests.compat.official_from_9", way)
    # Of the operations of version 10, test_official_sdk.py calls the others.
    operations = CLIENTS["P9"][1]
    assert set(printed["succeeded"]) == operations | (CONTROL_PLANE if version == "9" else WITHOUT_PODS)
    assert len(printed["results"]) == 33
    wrong = {mix: end for mix, end in printed["results"].items() if not end.startswith(expect(version, mix))}
    assert (wrong, printed["breaches"]) == ({}, [])


@pytest.mark.parametrize("version", ["7", pytest.param("8", marks=pytest.mark.long)])
def test_official_sdk_before_9(version: str) -> None:
    """All that the SDK can do succeeds over HTTP, once the addresses built into it are replaced."""
    printed = run_program(version, "tests.compat.official_before_9")
    assert set(printed.pop("succeeded")) == CLIENTS[f"P{version}"][1] | {"get_token"} | CONTROL_PLANE
    assert printed == {"left": [], "breaches": []}


@pytest.mark.parametrize("version", ["7", "8"])
def test_official_sdk_before_9_is_refused_in_process(version: str) -> None:
    """In emulate(), with serve=True or without, the error says that an SDK before 9 cannot be served."""
    errors = run_program(version, "tests.compat.official_alone", "emulated")
    assert len(errors) == 2
    for error in errors:
        assert "login.pinecone.io is Pinecone's own service" in error
        assert "the official SDK before version 9, which cannot be served here" in error


@pytest.mark.long
def test_official_sdks_in_child_processes() -> None:
    """A child process of emulate(serve=True) that creates an official client looks up Pinecone's own host."""
    with emulate(serve=True) as emulator:
        for version in ("7", "8", "9", "10"):
            done = run_with_sdk(version, "tests.compat.official_alone", "alone", environment=os.environ)
            assert (done.returncode, done.stderr) == (70, "beyond this machine: login.pinecone.io\n")
        assert len(emulator.requests) == 0
        done = run_with_sdk("10", "tests.compat.official_alone", "told", environment=os.environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert [each.operation_id for each in emulator.requests] == ["get_token", "list_projects"]


def test_official_typescript_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The TypeScript SDK 9 calls all operations of both APIs over HTTP, with valid responses."""
    node = find_program("node")
    find_program("npm")
    if not (OFFICIAL / "typescript-9/node_modules").exists():
        skip_unless_in_ci("npm could not install scripts/requirements/typescript-9")
    breaches: list[str] = []
    monkeypatch.setattr(dispatch, "handle", record_breaches(dispatch.handle, breaches))
    emulator = Emulator()
    with serving(emulator) as url:
        env = os.environ | {
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": url,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
            "EMULATOR_CONTROL_URL": f"{url}/_emulator",
        }
        command = [node, str(ROOT / "tests/compat/official_typescript.cjs"), str(find_sdk("typescript-9"))]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    succeeded = {each.operation_id for each in emulator.requests if each.status in {200, 201, 202}}
    assert succeeded == CLIENTS["T9"][1] | {"get_token"} | WITHOUT_PODS
    assert breaches == []
