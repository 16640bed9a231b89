# Derived from pinecone_admin/_async/workflows/__init__.py by scripts/unasync.py: change that, not this file.
"""What teams write by hand around an admin client, once and safely, on its public methods."""
