"""Check the arguments of a client and build its token source; shared by the sync and async clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import httpx

from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._config.addresses import describe_endpoint
from pinecone_admin._config.client_config import ClientConfig, resolve_config
from pinecone_admin._config.proxies import list_proxy_secrets
from pinecone_admin._http.argument_checks import type_error, value_error
from pinecone_admin._http.known_secrets import KnownSecrets
from pinecone_admin.auth.credentials import CallerAuthorization, Credentials, Identity, SuppliedToken, resolve_identity
from pinecone_admin.auth.token_endpoint import RequestSender, TokenEndpoint
from pinecone_admin.auth.token_provider import TokenProvider

if TYPE_CHECKING:
    from pinecone_admin.auth.cache import TokenCache
    from pinecone_admin.auth.token_source import TokenSource

MAX_CONCURRENT_TOKEN_EXCHANGES = 20
"""Connections to the token endpoint: one is enough, unless exchanges hang while others proceed."""


class ClientSetup(NamedTuple):
    """The checked arguments of a client.

    Attributes:
        config: Where requests go, and how.
        identity: The sender.
    """

    config: ClientConfig
    identity: Identity

    @property
    def exchanges_credentials(self) -> bool:
        """Whether credentials are exchanged for tokens."""
        return isinstance(self.identity, Credentials)

    def reveal_credentials(self) -> Iterator[str]:
        """Yield the credentials that are known before the first request; those of callables are not."""
        yield from (secret.reveal() for secret in self.config.options.secrets)
        for proxy in (self.config.api_proxy, self.config.oauth_proxy):
            yield from list_proxy_secrets(proxy)
        match self.identity:
            case Credentials(client_secret=str(secret)) | SuppliedToken(token=str(secret)):
                yield secret
            case _:
                pass


def resolve_client_setup(
    *,
    env: Mapping[str, str],
    client_id: object,
    client_secret: object,
    access_token: object,
    opens_connections: bool,
    **arguments: object,
) -> ClientSetup:
    """Return the configuration and the identity of a client, checked; ``arguments`` go to ``resolve_config``."""
    config = resolve_config(env=env, opens_connections=opens_connections, **arguments)
    identity = resolve_identity(
        client_id=client_id,
        client_secret=client_secret,
        access_token=access_token,
        caller_sets_authorization="authorization" in config.options.headers,
        env=env,
    )
    return ClientSetup(config=config, identity=identity)


def check_transports(transport: object, oauth_transport: object, *, kind: type, exchanges_credentials: bool) -> None:
    """Raise unless the transports have the right types, and one can exchange credentials if that is needed."""
    if transport is not None and not isinstance(transport, kind):
        raise type_error("transport", f"an httpx.{kind.__name__}", transport)
    if oauth_transport is not None and not isinstance(oauth_transport, httpx.BaseTransport):
        raise type_error("oauth_transport", "an httpx.BaseTransport", oauth_transport)
    if (
        exchanges_credentials
        and oauth_transport is None
        and transport is not None
        and not isinstance(transport, httpx.BaseTransport)
    ):
        raise value_error(
            "oauth_transport",
            "is missing: the token exchange is synchronous, and transport is asynchronous only",
        )


def check_cache(token_cache: object) -> None:
    """Raise unless the value is None or has the methods of a TokenCache, which the path of a file has not."""
    if token_cache is not None and not all(hasattr(token_cache, name) for name in ("load", "store", "lock")):
        raise type_error("token_cache", "a TokenCache", token_cache)


def build_token_endpoint(
    config: ClientConfig, *, retrier: RequestSender, known_secrets: KnownSecrets, closed: threading.Event
) -> TokenEndpoint:
    """Return the token endpoint of a client."""
    return TokenEndpoint(
        url=config.oauth_url,
        description=describe_endpoint(config.oauth_url, config.oauth_proxy),
        user_agent=config.user_agent,
        retrier=retrier,
        timeout=config.options.timeout,
        clock=current_clock(),
        known_secrets=known_secrets,
        closed=closed,
    )


def build_token_source(
    setup: ClientSetup, *, make_endpoint: Callable[[], TokenEndpoint | None], token_cache: TokenCache | None
) -> TokenSource | None:
    """Return the token source of a client, or None if the caller sets the Authorization header."""
    identity = setup.identity
    if isinstance(identity, CallerAuthorization):
        return None
    if isinstance(identity, SuppliedToken):
        from pinecone_admin.auth.token_source import SuppliedTokenSource  # noqa: PLC0415 - most clients have credentials

        return SuppliedTokenSource(identity)
    endpoint = make_endpoint()
    assert endpoint is not None  # noqa: S101 - check_transports has refused a transport that exchanges nothing
    if token_cache is None:
        return TokenProvider(credentials=identity, endpoint=endpoint)
    from pinecone_admin.auth.cache import GuardedCache  # noqa: PLC0415 - most clients have no cache

    return TokenProvider(credentials=identity, endpoint=endpoint, cache=GuardedCache(token_cache))
