# Derived from pinecone_admin/_async/workflows/__init__.py by scripts/unasync.py: change that, not this file.
"""Workflows of several calls, built on the public methods of the client."""
