"""Which transports and which source of tokens a client gets: the same for both worlds."""

from __future__ import annotations

import threading

import httpx
from attrs import evolve

from pinecone_admin._bearer import BearerSource, TokenSource
from pinecone_admin._cache import SafeCache, TokenCache
from pinecone_admin._config import Bearer, Config, OwnAuthorization, place
from pinecone_admin._exchange import Exchange
from pinecone_admin._primitives import current_clock
from pinecone_admin._provider import TokenProvider
from pinecone_admin._sync.pools import Pools
from pinecone_admin._sync.transport import RetryTransport
from pinecone_admin.errors import PineconeTypeError, PineconeValueError

EXCHANGE_ATTEMPTS = 3

EXCHANGES_AT_ONCE = 20
"""How many connections lead to the token endpoint: one is enough, but for exchanges that hang while others go on."""


def check_transports(transport: object, oauth_transport: object, *, kind: type, mints: bool) -> None:
    """Refuse transports that cannot do what they are given for."""
    if transport is not None and not isinstance(transport, kind):
        raise PineconeTypeError(f"transport must be an httpx.{kind.__name__}, not {type(transport).__name__}")
    if oauth_transport is not None and not isinstance(oauth_transport, httpx.BaseTransport):
        raise PineconeTypeError(f"oauth_transport must be an httpx.BaseTransport, not {type(oauth_transport).__name__}")
    if mints and oauth_transport is None and transport is not None and not isinstance(transport, httpx.BaseTransport):
        raise PineconeValueError(
            "oauth_transport is missing: the token exchange is synchronous, and transport is asynchronous only"
        )


def check_cache(token_cache: object) -> None:
    """Refuse what has not the methods of a TokenCache, such as the path of a file."""
    if token_cache is not None and not all(hasattr(token_cache, name) for name in ("load", "store", "lock")):
        raise PineconeTypeError(f"token_cache must be a TokenCache, not {type(token_cache).__name__}")


def token_source(
    config: Config,
    *,
    transport: object,
    oauth_transport: httpx.BaseTransport | None,
    token_cache: TokenCache | None,
    closed: threading.Event,
) -> TokenSource | None:
    """Make the source of tokens; None where the caller sets the Authorization header."""
    if isinstance(config.identity, OwnAuthorization):
        return None
    if isinstance(config.identity, Bearer):
        return BearerSource(config.identity)
    if oauth_transport is None and isinstance(transport, httpx.BaseTransport):
        oauth_transport = transport
    exchange = Exchange(
        url=config.oauth_url,
        place=place(config.oauth_url, config.oauth_proxy),
        agent=config.agent,
        transport=RetryTransport(
            oauth_transport or own_pools(config, closed),
            retry=evolve(config.options.retry, max_attempts=EXCHANGE_ATTEMPTS),
        ),
        timeout=config.options.timeout,
        clock=current_clock(),
        closed=closed,
    )
    cache = None if token_cache is None else SafeCache(token_cache)
    return TokenProvider(credentials=config.identity, exchange=exchange, cache=cache)


def own_pools(config: Config, closed: threading.Event) -> Pools:
    """Make the connections of the token exchange."""
    assert config.context is not None  # noqa: S101 - made where a transport is missing
    # An exchange is rare, so none of its connections waits for the next one.
    return Pools(
        context=config.context, proxy=config.oauth_proxy, max_connections=EXCHANGES_AT_ONCE, keep=False, closed=closed
    )
