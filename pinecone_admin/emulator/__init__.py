"""A local Pinecone Admin API and token endpoint, in-process and over HTTP."""

from pinecone_admin.emulator.emulator import Emulator

__all__ = ["Emulator"]
