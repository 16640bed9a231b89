"""Transports, from the bearer token down to the socket."""
