"""Whether this machine has the namespaces that the emulator needs to run a command."""

from __future__ import annotations

import subprocess

from tests.support.programs import find_program, skip_unless_in_ci


def require_namespaces() -> None:
    """Skip the test where user, mount and network namespaces are refused, or fail it in CI."""
    command = [find_program("unshare"), "--user", "--map-root-user", "--mount", "--net", "true"]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if tried.returncode:
        skip_unless_in_ci(f"this machine refuses namespaces: {tried.stderr.strip()}")
