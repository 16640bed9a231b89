"""Measuring coverage in the workers of pytest-xdist."""

from __future__ import annotations

import coverage
import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Save what a worker has measured: one that then takes longer than 10 s to exit is killed by pytest-xdist."""
    measured = coverage.Coverage.current()
    if measured is not None and hasattr(session.config, "workerinput"):
        measured.stop()
        measured.save()
