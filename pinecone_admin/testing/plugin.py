"""The pytest plugin. It imports the emulator only when its fixture is used."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pinecone_admin.emulator import Emulator


_ARGUMENTS = ("plan", "permissions", "state", "serve", "ticking", "assert_all_used")
_LINE = (
    f"pinecone_emulator({', '.join(_ARGUMENTS)}): arguments of emulate() for the "
    "fixture pinecone_emulator; with assert_all_used, a test fails at its end if it has not met all of its faults"
)
_EMULATOR = pytest.StashKey["Emulator"]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _LINE)


@pytest.fixture
def pinecone_emulator(request: pytest.FixtureRequest) -> Generator[Emulator, None, None]:
    """Serve requests to Pinecone's Admin API from a new emulator, as `emulate()` does, and yield the emulator."""
    from pinecone_admin.testing import emulate  # noqa: PLC0415 — imported when it is used

    options = _read_marker(request.node)
    options.pop("assert_all_used", None)
    with emulate(**options) as emulator:
        request.node.stash[_EMULATOR] = emulator
        yield emulator


# Around the call and not in the fixture, whose errors pytest reports beside a test that has passed.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test fail that has not met all of its faults, if its marker asks for that."""
    result = yield
    if _read_marker(item).get("assert_all_used") and _EMULATOR in item.stash:
        item.stash[_EMULATOR].faults.assert_all_used()
    return result


def _read_marker(item: pytest.Item) -> dict[str, Any]:
    """Return the arguments of the markers of a test, its class and its module; the closest marker wins."""
    options: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers("pinecone_emulator"))):
        if marker.args:
            raise pytest.UsageError(f"the marker pinecone_emulator takes named arguments only, not {marker.args[0]!r}")
        # emulate() also takes an emulator.
        if unknown := marker.kwargs.keys() - {*_ARGUMENTS, "emulator"}:
            takes = ", ".join(_ARGUMENTS)
            raise pytest.UsageError(f"the marker pinecone_emulator takes {takes}, not {min(unknown)!r}")
        options |= marker.kwargs
    return options
