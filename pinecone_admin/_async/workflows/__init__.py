"""Workflows of several calls, built on the public methods of the client."""
