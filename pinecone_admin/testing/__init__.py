"""Test code against the emulator: `emulate()`, and the pytest fixture `pinecone_emulator`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinecone_admin.testing._emulate import emulate

__all__ = ["emulate"]

if not TYPE_CHECKING:  # pytest imports this module with the plugin in every run, so it must import nothing heavy

    def __getattr__(name: str) -> object:
        if name != "emulate":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pinecone_admin.testing._emulate import emulate  # noqa: PLC0415 — see above

        globals()[name] = emulate
        return emulate
