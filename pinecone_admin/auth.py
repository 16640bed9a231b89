"""Access tokens, and caches that share them between processes."""

from __future__ import annotations

from pinecone_admin._cache import FileTokenCache, TokenCache
from pinecone_admin._token import AccessToken

__all__ = ["AccessToken", "FileTokenCache", "TokenCache"]
