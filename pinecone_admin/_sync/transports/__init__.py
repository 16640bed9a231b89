# Derived from pinecone_admin/_async/transports/__init__.py by scripts/unasync.py: change that, not this file.
"""Transports, from the bearer token down to the socket."""
