"""Transports: bearer token, retries, connection pool and network."""
