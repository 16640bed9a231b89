"""Retries: the retry policy of a client, and transports that retry requests without a client.

``httpx.Client(transport=RetryTransport(httpx.HTTPTransport()))`` retries a request only if the retry cannot make the
same change twice.
"""

from __future__ import annotations

from pinecone_admin._async.transports.retry import AsyncRetryTransport
from pinecone_admin._http.attempt_event import AttemptEvent
from pinecone_admin._http.retry_policy import RetryPolicy
from pinecone_admin._sync.transports.retry import RetryTransport

__all__ = ["AsyncRetryTransport", "AttemptEvent", "RetryPolicy", "RetryTransport"]
