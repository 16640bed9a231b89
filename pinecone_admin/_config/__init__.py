"""Build the configuration and the token source of a client from its arguments and the environment."""
