"""Programs of the system that tests need, which scripts/test installs."""

from __future__ import annotations

import os
import shutil

import pytest


def find(program: str) -> str:
    """Give the path of a program; without it the test is skipped, and in CI fails."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{program} is not installed (scripts/test installs it as root where apt-get is)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
