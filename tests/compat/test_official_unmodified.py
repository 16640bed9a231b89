"""Official clients as they are, over TLS to the production names, in a namespace that nothing leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.namespaces import require_namespaces
from tests.support.programs import find_program, skip_unless_in_ci

ROOT = Path(__file__).parents[2]
OFFICIAL = Path(sys.prefix) / "official"

pytestmark = pytest.mark.long


def run_in_namespace(command: Sequence[str], path: Sequence[Path] = ()) -> None:
    """Run a command beside an emulator, in namespaces that nothing leaves, and require that it succeeds."""
    require_namespaces()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    env["PYTHONPATH"] = os.pathsep.join(str(each) for each in (*path, ROOT))
    emulated = [sys.executable, "-m", "pinecone_admin.emulator", "--tls", "--", *command]
    done = subprocess.run(emulated, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("version", ["7", "8", "9", "10"])
def test_official_sdk_unmodified(version: str) -> None:
    """The official SDK creates, lists and deletes projects, keys and indexes without knowing of the emulator."""
    path = [] if version == "10" else [OFFICIAL / f"pinecone-{version}"]
    assert all(each.exists() for each in path), "scripts/test installs the older versions"
    run_in_namespace([sys.executable, "-m", "tests.compat.official_unmodified"], path)


def test_official_typescript_sdk_unmodified() -> None:
    """The TypeScript SDK does the same."""
    node = find_program("node")
    sdk = OFFICIAL / "typescript-9"
    if not (sdk / "node_modules").exists():
        skip_unless_in_ci("npm could not install scripts/requirements/typescript-9")
    run_in_namespace([node, str(ROOT / "tests/compat/official_unmodified.cjs"), str(sdk)])
