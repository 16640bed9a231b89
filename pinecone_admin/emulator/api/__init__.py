"""The Admin API, its control plane and its token endpoint, as functions from a request to a response."""
