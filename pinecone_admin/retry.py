"""Retries: the policy of a client, and transports that can be used alone.

``httpx.Client(transport=RetryTransport(httpx.HTTPTransport()))`` sends a request again only where that cannot do
the thing twice.
"""

from __future__ import annotations

from pinecone_admin._async.transport import AsyncRetryTransport
from pinecone_admin._retry import RetryEvent, RetryPolicy
from pinecone_admin._sync.transport import RetryTransport

__all__ = ["AsyncRetryTransport", "RetryEvent", "RetryPolicy", "RetryTransport"]
