"""The pytest plugin. It imports the emulator only when its fixture is used."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pinecone_admin.emulator import Emulator


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    line = "pinecone_emulator(serve, ticking): arguments of emulate() for the fixture pinecone_emulator"
    config.addinivalue_line("markers", line)


@pytest.fixture
def pinecone_emulator(request: pytest.FixtureRequest) -> Generator[Emulator, None, None]:
    """Serve requests for Pinecone's Admin API from a new emulator, as `emulate()` does, and yield it."""
    from pinecone_admin.testing import emulate  # noqa: PLC0415 — imported when it is used

    marker: pytest.Mark | None = request.node.get_closest_marker("pinecone_emulator")
    with emulate(**marker.kwargs if marker else {}) as emulator:
        yield emulator
