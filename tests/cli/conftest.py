"""Keep the profiles, the credentials and the proxies of whoever runs the tests out, and files out of the tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.sampling import leave_some_daily


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave some cases of tests that have many to the long tests."""
    leave_some_daily(items, Path(__file__).parent)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty home folder, work in it, and remove Pinecone and proxy settings from the environment."""
    for name in list(os.environ):
        if name.startswith(("PINECONE_", "XDG_", "SSL_CERT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)  # examples store secrets in files of the working directory
    return folder
