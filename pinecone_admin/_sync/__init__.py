# Derived from pinecone_admin/_async/__init__.py by scripts/unasync.py: change that, not this file.
"""The asynchronous client."""
