"""Clients of scripts and of the emulator, in virtual time and without the environment of whoever runs the tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from typing import Any

import pytest

from pinecone_admin import AsyncAdmin
from pinecone_admin._concurrency import use_clock
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET
from tests.support.scripted_transport import Script


# <async only>
@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every test in both kinds of event loop."""
    return str(request.param)


# </async only>
@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the environment says about Pinecone and about proxies."""
    for name in list(os.environ):
        if name.startswith("PINECONE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def clock() -> Generator[VirtualClock, None, None]:
    """Let time pass only where a test says so."""
    clock = VirtualClock()
    with use_clock(clock):
        yield clock


@pytest.fixture
def emulator() -> Emulator:
    """Make an organization with nothing in it."""
    return Emulator(seed=1)


@pytest.fixture
def admin(emulator: Emulator) -> AsyncAdmin:
    """Make a client of the emulator."""
    return emulator.async_admin()


@pytest.fixture
def connect() -> Callable[..., AsyncAdmin]:
    """Give a function that makes a client of a script; other arguments are the client's."""

    def make(script: Script, **options: Any) -> AsyncAdmin:
        defaults: dict[str, Any] = {"transport": script, "oauth_transport": script}
        if not {"access_token", "client_id"} & options.keys():
            defaults |= {"client_id": "client", "client_secret": SECRET}
        return AsyncAdmin(**(defaults | options))

    return make
