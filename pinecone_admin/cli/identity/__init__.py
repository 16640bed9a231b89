"""The identity of the command line: its sources, and the client that uses it."""
