"""Fixtures shared by the fault tests: test marks, certificates, and an environment without proxies."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import trustme

from pinecone_admin._concurrency.clock import use_clock
from tests.faults.cases import Certificates, make_certificates
from tests.faults.clock import RunningClock
from tests.support.sampling import leave_some_daily

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test in this folder as a fault test, limit its duration, and leave some cases to the long tests."""
    leave_some_daily(items, HERE)
    limit = 1800 if config.getoption("--whole-grids") else 180  # all cases of a grid may take minutes on a busy machine
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.faults)
            # On a broken connection httpcore and httpx leave async generators unfinished; only trio warns about it.
            item.add_marker(pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning"))
            item.add_marker(pytest.mark.timeout(limit))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove Pinecone and proxy settings from the environment."""
    for name in list(os.environ):
        if name.startswith("PINECONE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def clock() -> Generator[RunningClock, None, None]:
    """Make sleeps of the client return at once."""
    clock = RunningClock()
    with use_clock(clock):
        yield clock


@pytest.fixture(params=["asyncio", "trio", pytest.param("uvloop", marks=pytest.mark.long)])
def anyio_backend(request: pytest.FixtureRequest) -> str | tuple[str, dict[str, Any]]:
    """Run async tests on asyncio, trio, and asyncio with uvloop."""
    return ("asyncio", {"use_uvloop": True}) if request.param == "uvloop" else str(request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return the CA that the clients trust."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificates(authority: trustme.CA) -> Certificates:
    """Return server certificates, one for each defect."""
    return make_certificates(authority)
