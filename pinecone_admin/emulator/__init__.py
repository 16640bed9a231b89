"""A local emulator of the Pinecone Admin API and its token endpoint, in process and over HTTP."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinecone_admin.emulator.api.messages import Request
    from pinecone_admin.emulator.emulator import Emulator
    from pinecone_admin.emulator.http.server import serving
    from pinecone_admin.emulator.model.clock import Clock

__all__ = ["Clock", "Emulator", "Request", "serving"]

if not TYPE_CHECKING:  # `serving` requires the extra `emulator`, and a help needs the options alone
    from importlib import import_module

    _MODULES = {"Clock": ".model.clock", "Emulator": ".emulator", "Request": ".api.messages", "serving": ".http.server"}

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
