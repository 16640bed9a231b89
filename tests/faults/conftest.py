"""What all the fault suites share: marks, certificates, and an environment without proxies."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
import trustme

from pinecone_admin._concurrency import use_clock
from tests.faults.cases import Certificates, make_certificates
from tests.faults.clock import RunningClock

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and let none of them run for long."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.faults)
            # httpcore and httpx leave their own generators half read when a connection breaks; only trio says so.
            item.add_marker(pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the environment says about Pinecone and about proxies."""
    for name in list(os.environ):
        if name.startswith("PINECONE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def clock() -> Generator[RunningClock, None, None]:
    """Let no sleep of the client take time."""
    clock = RunningClock()
    with use_clock(clock):
        yield clock


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run async tests in both kinds of event loop."""
    return str(request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Make the authority that the clients trust."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificates(authority: trustme.CA) -> Certificates:
    """Make servers' certificates, each with something else wrong."""
    return make_certificates(authority)
