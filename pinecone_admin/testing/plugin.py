"""The pytest plugin. It imports the emulator only when its fixture is used."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pinecone_admin.emulator import Emulator


@pytest.fixture
def pinecone_emulator() -> Generator[Emulator, None, None]:
    """Serve every request for Pinecone's Admin API from a new emulator, and yield it; see `emulate()`."""
    from pinecone_admin.testing import emulate  # noqa: PLC0415 — imported when it is used

    with emulate() as emulator:
        yield emulator
