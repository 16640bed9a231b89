"""Keep the profiles, the credentials and the proxies of whoever runs the tests out, and files out of the tree."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest


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


@pytest.fixture(autouse=True)
def default_handler() -> Generator[None, None, None]:
    """Let Ctrl-C interrupt commands, also where the tests are a job in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
