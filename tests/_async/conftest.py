"""Clients with a scripted transport or the emulator, in virtual time, isolated from the environment of the caller."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin import AsyncAdmin
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET
from tests.support.scripted_transport import ScriptedTransport

# <async only>
HERE = Path(__file__).parent
# Tests of concurrency, cancellation and open resources. In the others, nothing depends on the event loop.
ON_TRIO = (
    *("credentials", "lifecycle", "pagination", "retry", "retry_budget", "run_in_parallel", "token_callables"),
    *("tokens", "workflow_cleanup", "workflow_endings", "workflow_ensure", "workflow_offboard_many"),
    "workflow_temporary_key",
)


@pytest.fixture
def anyio_backend() -> str:
    """Run a test on asyncio."""
    return "asyncio"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules on trio, too, among the long ones."""
    if "anyio_backend" in metafunc.fixturenames and metafunc.module.__name__.rpartition("test_")[2] in ON_TRIO:
        metafunc.parametrize("anyio_backend", ["asyncio", pytest.param("trio", marks=pytest.mark.long)])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the other modules of this folder as long: every day, the derived tests of the sync client are enough.

    `scripts/smoke --httpx2` runs them, too, and finds them by the argument.
    """
    for item in items:
        if item.path.parent == HERE and item.path.stem.removeprefix("test_") not in ON_TRIO:
            item.add_marker(pytest.mark.long(is_derived=True))


# </async only>
@pytest.fixture(autouse=True)
def isolate_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the Pinecone and proxy variables from the environment."""
    for name in list(os.environ):
        if name.startswith("PINECONE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def clock() -> Generator[VirtualClock, None, None]:
    """Advance time only where a test does so."""
    clock = VirtualClock()
    with use_clock(clock):
        yield clock


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with an empty organization."""
    return Emulator(seed=1)


@pytest.fixture
def admin(emulator: Emulator) -> AsyncAdmin:
    """Return a client of the emulator."""
    return emulator.async_admin()


@pytest.fixture
def make_client() -> Callable[..., AsyncAdmin]:
    """Return a function that makes a client of a scripted transport; further arguments go to the client."""

    def make(script: ScriptedTransport, **options: Any) -> AsyncAdmin:
        defaults: dict[str, Any] = {"transport": script, "oauth_transport": script}
        if not {"access_token", "client_id"} & options.keys():
            defaults |= {"client_id": "client", "client_secret": SECRET}
        return AsyncAdmin(**(defaults | options))

    return make
