"""Access tokens."""

from __future__ import annotations

from pinecone_admin._token import AccessToken

__all__ = ["AccessToken"]
