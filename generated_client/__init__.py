# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Models and operations of the Pinecone Admin API, version 2026-07: pure data, no I/O."""

GENERATED_FOR = "pinecone_admin"
"""Distinguishes this package from another one of the same name that was installed over it."""
