"""Run code against the emulator, whatever clients it makes: ``emulate()``, and pytest's ``pinecone_emulator``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinecone_admin.testing._emulate import emulate

__all__ = ["emulate"]

if not TYPE_CHECKING:  # pytest loads the plugin in every run of every user, and with it this module

    def __getattr__(name: str) -> object:
        if name != "emulate":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pinecone_admin.testing._emulate import emulate  # noqa: PLC0415 - see above

        globals()[name] = emulate
        return emulate
