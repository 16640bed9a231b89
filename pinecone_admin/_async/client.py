"""The client: its construction, its namespaces and how it sends an operation.

Each namespace is imported when it is first used. So ``send`` works even with code that was generated from an older API
document, which lacks what a namespace needs.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

import httpx
from attrs import evolve, frozen

from generated_client.types import Operation
from pinecone_admin._async.transports.bearer import AsyncBearerTransport
from pinecone_admin._async.transports.pool import AsyncPoolTransport
from pinecone_admin._async.transports.retry import AsyncRetryTransport
from pinecone_admin._concurrency import current_clock, lock_free_cached_property, preload_before_fork, skip_first_token
from pinecone_admin._config.addresses import describe_endpoint
from pinecone_admin._config.assembly import (
    EXCHANGE_ATTEMPTS,
    MAX_CONCURRENT_EXCHANGES,
    ClientSetup,
    build_token_source,
    check_cache,
    check_transports,
    resolve_client_setup,
)
from pinecone_admin._config.client_config import ClientConfig, ClientOptions, change_options
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import add_call_context, error_from_closing, error_from_exception
from pinecone_admin._http.request import build_request
from pinecone_admin._http.response import read_response
from pinecone_admin._http.retry_policy import IDEMPOTENT_METHODS, RetryPolicy
from pinecone_admin._http.returned_errors import raise_if_error, return_error
from pinecone_admin._sync.transports.pool import PoolTransport
from pinecone_admin._sync.transports.retry import RetryTransport
from pinecone_admin.auth.cache import TokenCache
from pinecone_admin.auth.provider import TokenProvider
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.auth.token_source import TokenSource
from pinecone_admin.errors import (
    ClientClosedError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    ReadOnlyError,
)

if TYPE_CHECKING:
    from pinecone_admin._async.api_keys import AsyncAPIKeys
    from pinecone_admin._async.invites import AsyncInvites
    from pinecone_admin._async.organizations import AsyncOrganizations
    from pinecone_admin._async.projects import AsyncProjects
    from pinecone_admin._async.role_bindings import AsyncRoleBindings
    from pinecone_admin._async.service_accounts import AsyncServiceAccounts
    from pinecone_admin._async.users import AsyncUsers
    from pinecone_admin.workflows.inventory import Inventory
    from pinecone_admin.workflows.reports import Progress

_T = TypeVar("_T")

# Modules that are imported on first use: a child forked during such an import would wait for it forever.
preload_before_fork("encodings.idna", "dateutil.parser", "generated_client.api", "generated_client.models")
preload_before_fork(
    "pinecone_admin._http.reflection",
    "pinecone_admin._async.api_keys",
    "pinecone_admin._async.invites",
    "pinecone_admin._async.organizations",
    "pinecone_admin._async.projects",
    "pinecone_admin._async.role_bindings",
    "pinecone_admin._async.service_accounts",
    "pinecone_admin._async.users",
)
# <async only>
preload_before_fork("anyio._backends._asyncio", "anyio._backends._trio")  # trio may not be installed
# </async only>


@frozen(kw_only=True)
class _Shared:
    """Objects that a client shares with its copies."""

    config: ClientConfig
    endpoint: str
    transport: httpx.AsyncBaseTransport
    pools: AsyncPoolTransport | None
    token_source: TokenSource | None
    closed: threading.Event


class AsyncAdmin:
    """Manage a Pinecone organization: its projects, API keys, users, invites, service accounts and role bindings.

    The credentials are exchanged for an access token on ``async with`` or with the first call. The client can be shared
    between threads and survives a fork. Example::

        async with AsyncAdmin() as admin:
            project = await admin.projects.create(name="search")
            made = await admin.api_keys.create(project_id=project.id, name="search-reader", roles=["DataPlaneViewer"])

    Args:
        client_id: Id of the service account, or a callable that returns it; default: ``PINECONE_CLIENT_ID``.
        client_secret: Secret of the service account, or a callable that returns it, which is called at each token
            exchange; default: ``PINECONE_CLIENT_SECRET``.
        access_token: Token from elsewhere, used instead of credentials, or a callable that returns one. The callable is
            called for each call, and again after a 401, in a thread of its own and in the context of the call. Default:
            ``PINECONE_ACCESS_TOKEN``.
        additional_headers: Headers for every API request. They replace the client's own headers of the same name and
            are never sent to the token endpoint. With an ``Authorization`` header, no token is fetched.
        source_tag: Name of your integration in the User-Agent; reduced to ``[a-z0-9_:]``.
        proxy_url: Proxy for the API and the token endpoint; default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
        ssl_verify: True, False, the path of a CA file or folder, or an ``ssl.SSLContext``.
        host: URL of the API, https unless it has a scheme; default: ``PINECONE_CONTROLLER_HOST``, else production.
        oauth_url: URL of the token endpoint, including its path; default: ``PINECONE_OAUTH_URL``, else production.
        allow_http: Allow http to hosts other than loopback; ``PINECONE_ADMIN_ALLOW_HTTP=1`` does so too.
        timeout: Seconds for a whole call, above 0: fetching the token, all attempts and the waits between them.
        retry: How often and how soon to retry; default: ``RetryPolicy()``.
        max_connections: Maximum number of open connections to the API, from 1.
        token_cache: Cache that shares tokens with other processes: a ``FileTokenCache`` or one of your own.
        lazy: Fetch the first token with the first call, and not before.
        read_only: Refuse every request but GET, before it is sent.
        transport: Transport that sends the requests, in place of the client's own connections. You close it.
            ``proxy_url`` and ``ssl_verify`` have no effect on it.
        oauth_transport: Transport for the token exchange, always synchronous. You close it. By default, a synchronous
            ``transport`` is used for both.

    Raises:
        PineconeValueError: An argument or an environment variable is missing, empty or invalid.
        PineconeTypeError: An argument has the wrong type.
        InvalidCredentialsError: The token endpoint rejected the credentials.
        TokenError: The token endpoint issued no token for another reason.
        PineconeConnectionError: The token endpoint cannot be reached.
        PineconeTimeoutError: The token endpoint did not respond in time.
    """

    def __init__(
        self,
        *,
        client_id: str | Callable[[], str] | None = None,
        client_secret: str | Callable[[], str] | None = None,
        access_token: str | Callable[[], str] | None = None,
        additional_headers: Mapping[str, str] | None = None,
        source_tag: str | None = None,
        proxy_url: str | None = None,
        ssl_verify: bool | str | os.PathLike[str] | ssl.SSLContext = True,
        host: str | None = None,
        oauth_url: str | None = None,
        allow_http: bool = False,
        timeout: float = 60.0,
        retry: RetryPolicy | None = None,
        max_connections: int = 20,
        token_cache: TokenCache | None = None,
        lazy: bool = False,
        read_only: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        oauth_transport: httpx.BaseTransport | None = None,
    ) -> None:
        resolved = return_error(
            resolve_client_setup,
            env=os.environ,
            client_id=client_id,
            client_secret=client_secret,
            access_token=access_token,
            additional_headers=additional_headers,
            source_tag=source_tag,
            proxy_url=proxy_url,
            ssl_verify=ssl_verify,
            opens_connections=transport is None,
            host=host,
            oauth_url=oauth_url,
            allow_http=allow_http,
            timeout=timeout,
            retry=retry,
            max_connections=max_connections,
            lazy=lazy,
            read_only=read_only,
        )
        # A traceback of a later error may show local variables, and must not show these.
        del client_secret, access_token, additional_headers, proxy_url, host, oauth_url
        setup = raise_if_error(resolved)
        self._set_up(
            _build_shared(setup, transport, oauth_transport, token_cache), setup.config.options, owns_connections=True
        )
        if self._fetches_token_early:
            skip_first_token(self._fetch_token)

    def _set_up(self, shared: _Shared, options: ClientOptions, *, owns_connections: bool) -> None:
        self._shared = shared
        self._options = options
        self._owns_connections = owns_connections
        self._clock = current_clock()
        self._transport: httpx.AsyncBaseTransport = AsyncRetryTransport(shared.transport, retry=options.retry)
        if shared.token_source is not None and options.bearer and "authorization" not in options.headers:
            self._transport = AsyncBearerTransport(self._transport, shared.token_source)

    @lock_free_cached_property
    def organizations(self) -> AsyncOrganizations:
        """List, describe, rename and delete organizations."""
        from pinecone_admin._async.organizations import AsyncOrganizations  # noqa: PLC0415 - imported on first use

        return AsyncOrganizations(self)

    @lock_free_cached_property
    def projects(self) -> AsyncProjects:
        """Create, list, describe, update, provision and delete projects."""
        from pinecone_admin._async.projects import AsyncProjects  # noqa: PLC0415 - imported on first use

        return AsyncProjects(self)

    @lock_free_cached_property
    def api_keys(self) -> AsyncAPIKeys:
        """Create, list, describe, update, rotate and delete the API keys of projects."""
        from pinecone_admin._async.api_keys import AsyncAPIKeys  # noqa: PLC0415 - imported on first use

        return AsyncAPIKeys(self)

    @lock_free_cached_property
    def users(self) -> AsyncUsers:
        """List, describe, remove and offboard users."""
        from pinecone_admin._async.users import AsyncUsers  # noqa: PLC0415 - imported on first use

        return AsyncUsers(self)

    @lock_free_cached_property
    def invites(self) -> AsyncInvites:
        """Create, list, describe, resend and withdraw invites."""
        from pinecone_admin._async.invites import AsyncInvites  # noqa: PLC0415 - imported on first use

        return AsyncInvites(self)

    @lock_free_cached_property
    def service_accounts(self) -> AsyncServiceAccounts:
        """Create, list, describe, rename, rotate and delete service accounts."""
        from pinecone_admin._async.service_accounts import AsyncServiceAccounts  # noqa: PLC0415 - imported on first use

        return AsyncServiceAccounts(self)

    @lock_free_cached_property
    def role_bindings(self) -> AsyncRoleBindings:
        """Grant, list, describe, change and revoke roles."""
        from pinecone_admin._async.role_bindings import AsyncRoleBindings  # noqa: PLC0415 - imported on first use

        return AsyncRoleBindings(self)

    async def send(self, operation: Operation[_T]) -> _T:
        """Send one operation and return the decoded response.

        Args:
            operation: Operation from a builder in ``pinecone_admin.operations``, or one that you built by hand.

        Returns:
            The decoded response; None if the operation has none.

        Raises:
            PineconeValueError: An argument has an invalid value; nothing was sent.
            PineconeTypeError: An argument has the wrong type; nothing was sent.
            ReadOnlyError: The client is read-only; nothing was sent.
            ApiError: The server refused the request or failed; the subclass depends on the status.
            TokenError: The token endpoint issued no token.
            PineconeConnectionError: There was no response, or only part of one.
            PineconeTimeoutError: There was no response in time.
            ResponseParsingError: The server reported success, but the response does not match the API description.
            ClientClosedError: The client is closed, or was closed during the call.
        """
        call = self._start_call(operation)
        config = self._shared.config
        request = build_request(operation, api_url=config.api_url, user_agent=config.user_agent, call=call)
        # Added after the request is built and checked, because they may contain secrets.
        request.headers.update(httpx.Headers(self._options.headers, encoding="latin-1"))
        response = raise_if_error(await self._send_request(operation, request, call))
        decoded = read_response(operation, response, call, wall=self._clock.wall())
        result = raise_if_error(decoded)
        if self._shared.token_source is not None:
            self._shared.token_source.adopt_rotated_secret(result)
        return result

    def _start_call(self, operation: Operation[_T]) -> CallState:
        if not isinstance(operation, Operation):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PineconeTypeError(f"operation must be an Operation, not {type(operation).__name__}")
        if self._shared.closed.is_set():
            raise ClientClosedError("the client is closed", operation=operation.id)
        if self._options.read_only and operation.method != "GET":
            raise ReadOnlyError(
                f"the client is read-only and does not send {operation.method} requests", operation=operation.id
            )
        return CallState(
            deadline=self._clock.monotonic() + self._options.timeout,
            idempotent=operation.method in IDEMPOTENT_METHODS,
            path_template=operation.path,
            endpoint=self._shared.endpoint,
            closed=self._shared.closed,
            secrets=self._options.secrets,
        )

    async def _send_request(
        self, operation: Operation[_T], request: httpx.Request, call: CallState
    ) -> httpx.Response | PineconeError:
        try:
            return await self._transport.handle_async_request(request)
        except PineconeError as exc:
            return add_call_context(exc, call, operation.id)
        except Exception as exc:  # noqa: BLE001 - a transport may raise anything; callers see only errors of this package
            if call.closed.is_set():
                return error_from_closing(call, operation.id)
            return error_from_exception(exc, operation=operation.id, call=call)

    @property
    def timeout(self) -> float:
        """Seconds for a whole call."""
        return self._options.timeout

    @property
    def max_connections(self) -> int:
        """Maximum number of open connections to the API."""
        return self._shared.config.max_connections

    async def inventory(
        self, *, concurrency: int = 16, progress: Callable[[Progress], None] | None = None
    ) -> Inventory:
        """Read the whole organization: projects, keys, users, invites, service accounts and role bindings.

        Args:
            concurrency: Maximum number of concurrent requests, from 1; never more than ``max_connections``.
            progress: Function that is called after each part that was read.

        Returns:
            The inventory. Its ``unread`` lists the parts that could not be read.

        Raises:
            PineconeError: Nothing could be read.
            PineconeValueError: ``concurrency`` is below 1.
            ClientClosedError: The client is closed.
        """
        from pinecone_admin._async.workflows.take_inventory import take_inventory  # noqa: PLC0415 - imported on first use

        return await take_inventory(self, concurrency=concurrency, progress=progress)

    async def token(self) -> AccessToken:
        """Return an access token for use in other tools.

        Returns:
            The token and its expiry time; masked in ``repr``.

        Raises:
            PineconeValueError: ``additional_headers`` sets Authorization, so there is no token.
            TokenError: The token endpoint refused.
            PineconeConnectionError: The token endpoint cannot be reached.
            PineconeTimeoutError: There was no token in time.
            ClientClosedError: The client is closed.
        """
        return await self._fetch_token()

    async def _fetch_token(self) -> AccessToken:
        if self._shared.closed.is_set():
            raise ClientClosedError("the client is closed")
        if self._shared.token_source is None:
            raise PineconeValueError("there is no token: additional_headers sets Authorization")
        return await self._shared.token_source.async_get_token(deadline=self._clock.monotonic() + self._options.timeout)

    @property
    def _fetches_token_early(self) -> bool:
        # A token from the caller is read when a request needs it.
        return isinstance(self._shared.token_source, TokenProvider) and not self._shared.config.lazy

    def update_secret(self, client_secret: str) -> None:
        """Replace the client secret after a rotation, and drop the token that the old secret obtained.

        Args:
            client_secret: New secret.

        Raises:
            PineconeValueError: The secret is empty or surrounded by white space, or this client has no client secret.
            PineconeTypeError: The secret is not a str.
            ClientClosedError: The client is closed.
        """
        token_source = self._shared.token_source
        if not isinstance(token_source, TokenProvider):
            raise PineconeValueError(
                "client_secret cannot be updated: this client does not exchange credentials for tokens"
            )
        updated = return_error(token_source.update_secret, client_secret)
        del client_secret
        raise_if_error(updated)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        additional_headers: Mapping[str, str] | None = None,
        read_only: bool | None = None,
        api_key: str | None = None,
    ) -> Self:
        """Return a copy with other options, which shares connections and tokens.

        The copy is cheap, and closing it has no effect. Arguments that are None leave an option unchanged.

        Args:
            timeout: Seconds for a whole call, above 0.
            retry: How often and how soon to retry.
            additional_headers: Headers to add to the present ones.
            read_only: Refuse every request but GET, before it is sent.
            api_key: Value of an API key, sent in place of the token: operations of the control plane accept only a
                project's key.

        Returns:
            The copy.

        Raises:
            PineconeValueError: An argument has an invalid value.
            PineconeTypeError: An argument has the wrong type.
        """
        changed = return_error(
            change_options,
            self._options,
            timeout=timeout,
            retry=retry,
            additional_headers=additional_headers,
            read_only=read_only,
            api_key=api_key,
        )
        del additional_headers, api_key
        options = raise_if_error(changed)
        copy = object.__new__(type(self))
        copy._set_up(self._shared, options, owns_connections=False)
        return copy

    async def aclose(self) -> None:
        """Close the connections of this process and event loop.

        Calls in progress end with ClientClosedError, and so does every later call. On a copy, this has no effect.
        """
        if not self._owns_connections or self._shared.closed.is_set():
            return
        self._shared.closed.set()
        if self._shared.token_source is not None:
            self._shared.token_source.close()
        if self._shared.pools is not None:
            await self._shared.pools.aclose()

    async def __aenter__(self) -> Self:
        if self._fetches_token_early:
            await self._fetch_token()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        names = "organizations, projects, api_keys, users, invites, service_accounts, role_bindings"
        return f"<{type(self).__name__} of {self._shared.config.api_url}: {names}>"

    def __reduce__(self) -> NoReturn:
        raise PineconeTypeError(f"{type(self).__name__} cannot be pickled: it holds credentials and connections")


def _build_shared(
    setup: ClientSetup,
    transport: httpx.AsyncBaseTransport | None,
    oauth_transport: httpx.BaseTransport | None,
    token_cache: TokenCache | None,
) -> _Shared:
    config = setup.config
    check_transports(
        transport, oauth_transport, kind=httpx.AsyncBaseTransport, exchanges_credentials=setup.exchanges_credentials
    )
    check_cache(token_cache)
    closed = threading.Event()
    pools = None
    if config.ssl_context is not None:
        pools = AsyncPoolTransport(
            ssl_context=config.ssl_context,
            proxy=config.api_proxy,
            max_connections=config.max_connections,
            keep=True,
            closed=closed,
        )
    base = pools or transport
    assert base is not None  # noqa: S101 - without a transport, the client has its own connections
    exchange_transport = (
        _build_exchange_transport(config, oauth_transport or transport, closed) if setup.exchanges_credentials else None
    )
    return _Shared(
        config=config,
        endpoint=describe_endpoint(config.api_url, config.api_proxy),
        transport=base,
        pools=pools,
        token_source=build_token_source(
            setup, exchange_transport=exchange_transport, token_cache=token_cache, closed=closed
        ),
        closed=closed,
    )


def _build_exchange_transport(config: ClientConfig, given: object, closed: threading.Event) -> httpx.BaseTransport:
    """Return the transport of the token exchange, which is synchronous in both clients."""
    if not isinstance(given, httpx.BaseTransport):
        assert config.ssl_context is not None  # noqa: S101 - built if a transport is missing
        # Exchanges are rare, so their connections are not kept open.
        given = PoolTransport(
            ssl_context=config.ssl_context,
            proxy=config.oauth_proxy,
            max_connections=MAX_CONCURRENT_EXCHANGES,
            keep=False,
            closed=closed,
        )
    return RetryTransport(given, retry=evolve(config.options.retry, max_attempts=EXCHANGE_ATTEMPTS))
