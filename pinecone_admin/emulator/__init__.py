"""A local emulator of the Pinecone Admin API and its token endpoint, in process and over HTTP."""

from typing import TYPE_CHECKING

from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.emulator import Emulator
from pinecone_admin.emulator.model.clock import Clock

if TYPE_CHECKING:
    from pinecone_admin.emulator.http.server import serving

__all__ = ["Clock", "Emulator", "Request", "serving"]

if not TYPE_CHECKING:  # importing the server requires the extra `emulator`

    def __getattr__(name: str) -> object:
        if name != "serving":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pinecone_admin.emulator.http.server import serving  # noqa: PLC0415 — an extra

        globals()[name] = serving
        return serving
