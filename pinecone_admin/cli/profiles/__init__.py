"""Saved identities, without their secrets."""
