"""The emulated organization: its records, settings and clock."""
