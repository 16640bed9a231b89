# Derived from pinecone_admin/_async/transports/__init__.py by scripts/unasync.py: change that, not this file.
"""Transports: bearer token, retries, connection pool and network."""
