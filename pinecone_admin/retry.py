"""Retries: the policy of a client, and transports that also work without one.

``httpx.Client(transport=RetryTransport(httpx.HTTPTransport()))`` sends a request again only if that cannot apply the
change twice.
"""

from __future__ import annotations

from pinecone_admin._async.transports.retry import AsyncRetryTransport
from pinecone_admin._http.attempt_event import AttemptEvent
from pinecone_admin._http.retry_policy import RetryPolicy
from pinecone_admin._sync.transports.retry import RetryTransport

__all__ = ["AsyncRetryTransport", "AttemptEvent", "RetryPolicy", "RetryTransport"]
