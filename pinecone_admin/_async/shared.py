"""Build what a client shares with its copies: connections, the token source, and the configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

import httpx

from pinecone_admin._async.transports.pool import AsyncPools, AsyncTransportExchange
from pinecone_admin._async.transports.retry import AsyncExchange
from pinecone_admin._concurrency.waiting import WorkInProgress
from pinecone_admin._config.addresses import describe_endpoint
from pinecone_admin._config.assembly import (
    MAX_CONCURRENT_TOKEN_EXCHANGES,
    ClientSetup,
    build_token_endpoint,
    build_token_source,
    check_cache,
    check_transports,
)
from pinecone_admin._config.client_config import ClientConfig
from pinecone_admin._http.known_secrets import KnownSecrets
from pinecone_admin._http.retry_budget import RetryBudget
from pinecone_admin._http.retry_policy import for_token_requests
from pinecone_admin._sync.transports.pool import Pools, TransportExchange
from pinecone_admin._sync.transports.retry import Retrier
from pinecone_admin.auth.token_endpoint import TokenEndpoint
from pinecone_admin.auth.token_response import error_from_exchange

if TYPE_CHECKING:
    from pinecone_admin.auth.cache import TokenCache
    from pinecone_admin.auth.token_source import TokenSource


class Shared(NamedTuple):
    """Objects that a client shares with its copies.

    Attributes:
        config: The configuration.
        endpoint: Host and port of the API, and the proxy if there is one, for error messages.
        exchange: Sends each attempt of a request to the API.
        pools: The client's own connections, or None if the caller passed a transport.
        token_source: Gives each request its token, or None if the caller sets the Authorization header.
        find_token_endpoint: Returns the endpoint that exchanges credentials, also those of other accounts, or None if
            the caller's transport cannot exchange any.
        known_secrets: The secrets that no response may bring into an error.
        retry_budget: The points that retries have spent.
        fetches_token_early: Whether the first token is fetched before the first call.
        closed: Set when the client is closed.
        work: Workflows in progress. Closing waits for them.
        deleted_accounts: Ids of the service accounts that were deleted, or may have been, as keys, in order.
    """

    config: ClientConfig
    endpoint: str
    exchange: AsyncExchange
    pools: AsyncPools | None
    token_source: TokenSource | None
    find_token_endpoint: Callable[[], TokenEndpoint | None]
    known_secrets: KnownSecrets
    retry_budget: RetryBudget
    fetches_token_early: bool
    closed: threading.Event
    work: WorkInProgress
    deleted_accounts: dict[str, None]


def build_shared(
    setup: ClientSetup,
    transport: httpx.AsyncBaseTransport | None,
    oauth_transport: httpx.BaseTransport | None,
    token_cache: TokenCache | None,
) -> Shared:
    """Check the transports and the cache of a client, and build what it shares with its copies.

    Raises:
        PineconeTypeError: A transport or the cache has the wrong type.
        PineconeValueError: No transport can exchange the credentials.
    """
    config = setup.config
    check_transports(
        transport, oauth_transport, kind=httpx.AsyncBaseTransport, exchanges_credentials=setup.exchanges_credentials
    )
    check_cache(token_cache)
    known_secrets = KnownSecrets()
    known_secrets.keep(setup.reveal_credentials())
    closed = threading.Event()
    pools: AsyncPools | None = None
    exchange: AsyncExchange
    if transport is None:
        exchange = pools = AsyncPools(
            ssl_context=config.ssl_context,
            proxy=config.api_proxy,
            max_connections=config.max_connections,
            keep=True,
            closed=closed,
        )
    else:
        exchange = AsyncTransportExchange(transport)
    given = transport if oauth_transport is None else oauth_transport
    find_token_endpoint = cache(partial(_make_token_endpoint, config, given, known_secrets, closed))
    return Shared(
        config=config,
        endpoint=describe_endpoint(config.api_url, config.api_proxy),
        exchange=exchange,
        pools=pools,
        token_source=build_token_source(setup, make_endpoint=find_token_endpoint, token_cache=token_cache),
        find_token_endpoint=find_token_endpoint,
        known_secrets=known_secrets,
        retry_budget=RetryBudget(),
        fetches_token_early=setup.exchanges_credentials and not config.lazy,
        closed=closed,
        work=WorkInProgress(),
        deleted_accounts={},
    )


def _make_token_endpoint(
    config: ClientConfig, given: object, known_secrets: KnownSecrets, closed: threading.Event
) -> TokenEndpoint | None:
    """Return the token endpoint; None if the caller's transport is asynchronous only, unlike token exchanges."""
    if given is not None and not isinstance(given, httpx.BaseTransport):
        return None
    retrier = _build_token_retrier(config, given, closed)
    return build_token_endpoint(config, retrier=retrier, known_secrets=known_secrets, closed=closed)


def _build_token_retrier(config: ClientConfig, given: object, closed: threading.Event) -> Retrier:
    """Return the retrier of token exchanges, which are synchronous in both clients."""
    make_retrier = partial(
        Retrier,
        retry=for_token_requests(config.options.retry),
        on_attempt=config.options.on_attempt,
        map_response=error_from_exchange,
    )
    if isinstance(given, httpx.BaseTransport):
        return make_retrier(TransportExchange(given))
    # Token exchanges are rare, so their connections are not kept open.
    pools = Pools(
        ssl_context=config.ssl_context,
        proxy=config.oauth_proxy,
        max_connections=MAX_CONCURRENT_TOKEN_EXCHANGES,
        keep=False,
        closed=closed,
    )
    return make_retrier(pools)
