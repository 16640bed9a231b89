"""The arguments that `Emulator.admin` and `async_admin` pass on, so that type checkers find a misspelt one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Mapping

    import httpx

    # For type checkers only: the emulator must not need the client.
    from pinecone_admin import AttemptEvent, RetryPolicy
    from pinecone_admin.auth import TokenCache


class _ClientArguments(TypedDict, total=False):
    client_id: str | Callable[[], str] | None
    client_secret: str | Callable[[], str] | None
    access_token: str | Callable[[], str] | None
    additional_headers: Mapping[str, str] | None
    source_tag: str | None
    proxy_url: str | None
    ssl_verify: bool | str | os.PathLike[str] | ssl.SSLContext
    host: str | None
    oauth_url: str | None
    allow_http: bool
    timeout: float
    retry: RetryPolicy | None
    max_connections: int
    token_cache: TokenCache | None
    lazy: bool
    read_only: bool
    on_attempt: Callable[[AttemptEvent], object] | None
    oauth_transport: httpx.BaseTransport | None


class AdminArguments(_ClientArguments, total=False):
    """The arguments of `pinecone_admin.Admin`."""

    transport: httpx.BaseTransport | None


class AsyncAdminArguments(_ClientArguments, total=False):
    """The arguments of `pinecone_admin.AsyncAdmin`."""

    transport: httpx.AsyncBaseTransport | None
