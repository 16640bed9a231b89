"""Access tokens, and caches that share them between processes.

Each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinecone_admin._concurrency.lazy import load_names_on_use

if TYPE_CHECKING:
    from pinecone_admin.auth.cache import TokenCache
    from pinecone_admin.auth.file_cache import FileTokenCache
    from pinecone_admin.auth.token import AccessToken

__all__ = ["AccessToken", "FileTokenCache", "TokenCache"]

if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers
    __getattr__, __dir__ = load_names_on_use(
        __name__,
        {
            ".cache": ("TokenCache",),
            ".file_cache": ("FileTokenCache",),
            ".token": ("AccessToken",),
        },
    )
