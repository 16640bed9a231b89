"""The pytest plugin, which loads nothing until its fixture is used."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pinecone_admin.emulator import Emulator


@pytest.fixture
def pinecone_emulator() -> Generator[Emulator, None, None]:
    """Answer every request for Pinecone's Admin API with a fresh emulator, and give that: see emulate()."""
    from pinecone_admin.testing import emulate  # noqa: PLC0415 - loaded by whoever uses it

    with emulate() as emulator:
        yield emulator
