"""The version of this package, in a module that imports nothing: ``pinecone-admin --version`` needs no more."""

__version__ = "0.4.0"
"""The version of this package."""
