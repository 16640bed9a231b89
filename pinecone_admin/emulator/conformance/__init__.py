"""Check any Admin API against the rules: `python -m pinecone_admin.emulator.conformance`."""
