"""Access tokens, and caches that share them between processes."""

from __future__ import annotations

from pinecone_admin.auth.cache import TokenCache
from pinecone_admin.auth.file_cache import FileTokenCache
from pinecone_admin.auth.token import AccessToken

__all__ = ["AccessToken", "FileTokenCache", "TokenCache"]
