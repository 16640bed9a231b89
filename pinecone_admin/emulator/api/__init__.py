"""The Admin API, the control plane and the token endpoint, as functions from a request to a response."""
