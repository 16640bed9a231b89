"""Test your code against the emulator, with `emulate()` or the pytest fixture `pinecone_emulator`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinecone_admin._concurrency.lazy import load_names_on_use

if TYPE_CHECKING:
    from pinecone_admin.testing._emulate import emulate

__all__ = ["emulate"]

if not TYPE_CHECKING:  # pytest imports this module with the plugin in every run, so it must import nothing heavy
    __getattr__, __dir__ = load_names_on_use(__name__, {"._emulate": ("emulate",)})
