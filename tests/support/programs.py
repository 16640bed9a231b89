"""System programs that tests need and scripts/test installs."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def find_program(program: str) -> str:
    """Return the path of a program; if it is missing, skip the test, or fail it in CI."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        skip_unless_in_ci(f"{program} is not installed (scripts/test installs it as root where apt-get is)")
    return found


def skip_unless_in_ci(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
