"""The client: its construction, its namespaces and how it sends an operation.

Each namespace is imported when it is first used. So ``send`` works even with code that was generated from an older API
document, which lacks what a namespace needs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

from generated_client.types import Operation
from pinecone_admin import auth, workflows
from pinecone_admin._concurrency.lazy import lazy_namespace, preload_before_fork
from pinecone_admin._concurrency.waiting import WORK_TIMEOUT, skip_first_token
from pinecone_admin._http.argument_checks import value_error
from pinecone_admin._http.attempt_event import AttemptEvent
from pinecone_admin._http.retry_policy import RetryPolicy
from pinecone_admin._http.returned_errors import raise_if_error, return_error
from pinecone_admin.errors import PineconeTypeError

if TYPE_CHECKING:
    import ssl

    import httpx

    from pinecone_admin._async.api_keys import AsyncAPIKeys
    from pinecone_admin._async.invites import AsyncInvites
    from pinecone_admin._async.organizations import AsyncOrganizations
    from pinecone_admin._async.projects import AsyncProjects
    from pinecone_admin._async.role_bindings import AsyncRoleBindings
    from pinecone_admin._async.service_accounts import AsyncServiceAccounts
    from pinecone_admin._async.shared import Shared
    from pinecone_admin._async.users import AsyncUsers
    from pinecone_admin._config.client_config import ClientOptions

_T = TypeVar("_T")

# Modules that are imported on first use: a child forked during such an import would wait for it forever.
preload_before_fork("difflib", "encodings.idna", "dateutil.parser", "generated_client.api", "generated_client.models")
preload_before_fork(
    "pinecone_admin._async.sender",
    "pinecone_admin._config.assembly",
    "pinecone_admin.auth.cache",
    "pinecone_admin.auth.token_source",
    "pinecone_admin.models",
)
# <async only>
preload_before_fork("anyio._backends._asyncio", "anyio._backends._trio")  # trio may not be installed
# </async only>


class AsyncAdmin:
    """Manage a Pinecone organization: its projects, API keys, users, invites, service accounts and role bindings.

    The credentials are exchanged for an access token on ``async with`` or with the first call. The client can be shared
    between threads and survives a fork.

    Args:
        client_id: Id of the service account, or a callable that returns it; default: ``PINECONE_CLIENT_ID``.
        client_secret: Secret of the service account, or a callable that returns it, which is called at each token
            exchange; default: ``PINECONE_CLIENT_SECRET``.
        access_token: Token from elsewhere, used instead of credentials, or a callable that returns one. The callable is
            called for each call, and again after a 401, in a thread of its own and in the context of the call. Default:
            ``PINECONE_ACCESS_TOKEN``.
        additional_headers: Headers for every API request. They replace the client's own headers of the same name and
            are never sent to the token endpoint. With an ``Authorization`` header, no token is fetched. ``Api-Key`` is
            refused, because a request has one identity.
        source_tag: Name of your integration in the User-Agent; reduced to ``[a-z0-9_:]``, of which it needs at least
            one.
        proxy_url: Proxy for the API and the token endpoint; default: ``HTTPS_PROXY``,
            ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.
        ssl_verify: True, False, the path of a CA file or folder, or an ``ssl.SSLContext``.
        host: URL of the API, https unless it has a scheme; default: ``PINECONE_CONTROLLER_HOST``, else production.
        oauth_url: URL of the token endpoint, including its path; default: ``PINECONE_OAUTH_URL``, else production.
        allow_http: Allow http to hosts other than loopback; ``PINECONE_ADMIN_ALLOW_HTTP=1`` does so too.
        timeout: Seconds for a whole call, or each request of a workflow, above 0: fetching the token, all attempts and
            the waits between them.
        retry: How often and how soon to retry calls and token requests; default: ``RetryPolicy()``.
        max_connections: Maximum number of open connections to the API, from 1.
        token_cache: Cache that shares tokens with other processes: a ``FileTokenCache`` or one of your own.
        lazy: Fetch the first token with the first call, and not before.
        read_only: Refuse every request but GET, before it is sent.
        on_attempt: Function that is called once after every attempt to send a request, unless that is cancelled or
            interrupted, in the thread or task of the call, and after those of token exchanges in their thread. What it
            raises is logged.
        transport: Transport that sends the requests, in place of the client's own connections. You close it.
            ``proxy_url``, ``ssl_verify`` and ``max_connections`` are errors beside it. ``timeout`` ends its attempts
            between the pieces of a body and, in the async client, wherever it waits.
        oauth_transport: Transport for the token exchange, always synchronous. You close it. By default, a synchronous
            ``transport`` is used for both.

    Raises:
        PineconeValueError: An argument or an environment variable is missing, empty or invalid.
        PineconeTypeError: An argument has the wrong type.
        InvalidCredentialsError: The token endpoint rejected the credentials.
        TokenError: The token endpoint issued no token for another reason.
        PineconeConnectionError: The token endpoint cannot be reached.
        PineconeTimeoutError: The token endpoint did not respond in time.

    Example:
        >>> # Reads PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET
        >>> async with AsyncAdmin() as admin:
        ...     project = await admin.projects.create(name="checkout")
        ...     made = await admin.api_keys.create(
        ...         project_id=project.id, name="reader", roles=["DataPlaneViewer"]
        ...     )
        ...     vault["checkout/reader"] = made.value
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
        token_cache: auth.TokenCache | None = None,
        lazy: bool = False,
        read_only: bool = False,
        on_attempt: Callable[[AttemptEvent], object] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        oauth_transport: httpx.BaseTransport | None = None,
    ) -> None:
        from pinecone_admin._async.shared import build_shared  # noqa: PLC0415 - loads httpx
        from pinecone_admin._config.assembly import resolve_client_setup  # noqa: PLC0415 - as above

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
            on_attempt=on_attempt,
        )
        # A traceback of a later error may show local variables, and must not show these.
        del client_secret, access_token, additional_headers, proxy_url, host, oauth_url
        setup = raise_if_error(resolved)
        self._set_up(
            build_shared(setup, transport, oauth_transport, token_cache), setup.config.options, owns_connections=True
        )
        if self._shared.fetches_token_early:
            skip_first_token(self._sender.fetch_token)

    def _set_up(self, shared: Shared, options: ClientOptions, *, owns_connections: bool) -> None:
        from pinecone_admin._async.sender import AsyncSender  # noqa: PLC0415 - loads httpx

        self._shared = shared
        self._options = options
        self._owns_connections = owns_connections
        self._sender = AsyncSender(shared, options)

    @lazy_namespace
    def organizations(self) -> type[AsyncOrganizations]:
        """List, describe, rename and delete organizations."""
        from pinecone_admin._async.organizations import AsyncOrganizations  # noqa: PLC0415 - imported on first use

        return AsyncOrganizations

    @lazy_namespace
    def projects(self) -> type[AsyncProjects]:
        """Create, list, describe, update, provision and delete projects."""
        from pinecone_admin._async.projects import AsyncProjects  # noqa: PLC0415 - imported on first use

        return AsyncProjects

    @lazy_namespace
    def api_keys(self) -> type[AsyncAPIKeys]:
        """Create, list, describe, update, rotate and delete the API keys of projects."""
        from pinecone_admin._async.api_keys import AsyncAPIKeys  # noqa: PLC0415 - imported on first use

        return AsyncAPIKeys

    @lazy_namespace
    def users(self) -> type[AsyncUsers]:
        """List, describe, remove and offboard users."""
        from pinecone_admin._async.users import AsyncUsers  # noqa: PLC0415 - imported on first use

        return AsyncUsers

    @lazy_namespace
    def invites(self) -> type[AsyncInvites]:
        """Create, list, describe, resend and withdraw invites."""
        from pinecone_admin._async.invites import AsyncInvites  # noqa: PLC0415 - imported on first use

        return AsyncInvites

    @lazy_namespace
    def service_accounts(self) -> type[AsyncServiceAccounts]:
        """Create, list, describe, rename, rotate and delete service accounts."""
        from pinecone_admin._async.service_accounts import AsyncServiceAccounts  # noqa: PLC0415 - imported on first use

        return AsyncServiceAccounts

    @lazy_namespace
    def role_bindings(self) -> type[AsyncRoleBindings]:
        """Grant, list, describe, change and revoke roles."""
        from pinecone_admin._async.role_bindings import AsyncRoleBindings  # noqa: PLC0415 - imported on first use

        return AsyncRoleBindings

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

        Example:
            >>> body = CreateProjectRequest(name="by hand")
            >>> project = await admin.send(create_project(body=body))
        """
        return await self._sender.send(operation)

    @property
    def timeout(self) -> float:
        """Seconds for a whole call."""
        return self._options.timeout

    @property
    def max_connections(self) -> int:
        """Maximum number of open connections to the API."""
        return self._shared.config.max_connections

    async def inventory(
        self, *, concurrency: int = 16, progress: Callable[[workflows.Progress], object] | None = None
    ) -> workflows.Inventory:
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

        Example:
            >>> inventory = await admin.inventory(
            ...     progress=lambda step: print(step.done, "of", step.total)
            ... )
            >>> [each.name for each in inventory.projects]
            ['search']
        """
        from pinecone_admin._async.workflows.take_inventory import take_inventory  # noqa: PLC0415 - imported on first use

        return await take_inventory(self, concurrency=concurrency, progress=progress)

    async def plan(
        self,
        desired: workflows.DesiredState,
        *,
        base: workflows.DesiredState | None = None,
        client_id: str | None = None,
        commit: str | None = None,
    ) -> workflows.ChangePlan:
        """Return the changes that bring the organization to its desired state; only reads are sent.

        Args:
            desired: What a file says of the organization.
            base: The file as it was last applied. A change that both files need is *drift*, which ``apply`` leaves
                alone unless it is told otherwise. An end (``until``) that has come is no drift.
            client_id: Client id of this client's service account; needed only if the client has a token in place of
                credentials.
            commit: Commit of the file, for the record.

        Returns:
            The plan.

        Raises:
            PineconeValueError: The file contradicts itself; the message has all problems. An item that does not fit the
                organization is left out, and named in ``stopped``.
            ForbiddenError: The account is not seen to be an OrgOwner: what it does not see would be made again.
            RefusedError: The file is of another organization.
            PineconeError: A part could not be read, for a reason such as an outage.

        Example:
            >>> desired = (await admin.inventory()).to_desired_state()
            >>> plan = await admin.plan(desired)
            >>> plan.changes
            []
        """
        from pinecone_admin._async.workflows.apply_plan import plan_organization  # noqa: PLC0415 - imported on first use

        return await plan_organization(self, desired, base=base, client_id=client_id, commit=commit)

    async def apply(
        self,
        plan: workflows.ChangePlan,
        *,
        store: Callable[[workflows.NewSecret], object] | None = None,
        drift: bool = False,
        allow_removals: int | None = None,
        allow_own: bool = False,
        client_id: str | None = None,
    ) -> workflows.ApplyReport:
        """Carry out a plan: no change that the plan does not have, and none that is no longer needed.

        The organization is read again, and each change is compared with it. A change that is already made is skipped.
        If a change no longer fits, because somebody has changed what it is about, nothing is changed, and the error
        names each of them. A step that fails does not stop those that do not depend on it, and the same call goes on
        from there, also after a crash. Make one call at a time, also in tasks and threads: nothing in the API prevents
        that two create the same project.

        Args:
            plan: The plan.
            store: Function that stores the secret of each new key and account, which it receives under the final name,
                one at a time. It may return anything. If it raises, it must not have stored the secret: the key or
                account is deleted, and no further one is made.
            drift: Whether drift is carried out, too.
            allow_removals: Permit so many removals, from 0, even if more than a third of the people, accounts or keys
                would go or lose every role.
            allow_own: Permit that the account of this client is deleted or loses a role.
            client_id: Client id of this client's service account, if the client has a token in place of credentials.
                Without it, nothing is taken from a service account.

        Returns:
            Each change of the plan with what happened to it.

        Raises:
            RefusedError: A change no longer fits, or an end has come since the plan was made; or no user would be an
                OrgOwner, the account of this client would lose a role, a member would have no role on the organization,
                or too much would go. Nothing was changed. If only ends of a plan that was not saved are refused, these
                are ``not_run`` in the report, and the rest is carried out.
            PineconeValueError: Secrets would be made, and there is no ``store``. Nothing was changed.
            ForbiddenError: The account is not seen to be an OrgOwner.
            PineconeError: A part could not be read, as in an outage, or a step failed; the notes (``__notes__``) of any
                error name what was done and is left.

        Example:
            >>> key = {"name": "writer", "roles": ["DataPlaneEditor"]}
            >>> wanted = {"organization": organization.id}
            >>> wanted["projects"] = [{"name": "search", "api_keys": [key]}]
            >>> plan = await admin.plan(DesiredState.from_dict(wanted))
            >>> report = await admin.apply(
            ...     plan, store=lambda made: vault.update({made.key.name: made.value})
            ... )
            >>> list(vault)
            ['writer']
        """
        from pinecone_admin._async.workflows.apply_plan import apply_plan  # noqa: PLC0415 - imported on first use

        return await apply_plan(
            self,
            plan,
            store=store,
            drift=drift,
            allow_removals=allow_removals,
            allow_own=allow_own,
            client_id=client_id,
        )

    async def token(self) -> auth.AccessToken:
        """Return an access token for use in other tools.

        Returns:
            The token and its expiry time; masked in ``repr``.

        Raises:
            PineconeValueError: ``additional_headers`` sets ``Authorization``, so there is no token.
            TokenError: The token endpoint refused.
            PineconeConnectionError: The token endpoint cannot be reached.
            PineconeTimeoutError: There was no token in time.
            ClientClosedError: The client is closed.

        Example:
            >>> token = await admin.token()
            >>> headers = {"Authorization": f"Bearer {token.value}"}
        """
        return await self._sender.fetch_token()

    def update_secret(self, client_secret: str) -> None:
        """Replace the client secret after a rotation, and drop the token that the old secret obtained.

        Args:
            client_secret: New secret.

        Raises:
            PineconeValueError: The secret is empty or surrounded by white space, or this client has no client secret.
            PineconeTypeError: The secret is not a str.
            ClientClosedError: The client is closed.

        Example:
            >>> admin.update_secret(new_secret)
        """
        from pinecone_admin.auth.token_provider import TokenProvider  # noqa: PLC0415 - loads httpx

        token_source = self._shared.token_source
        if not isinstance(token_source, TokenProvider):
            raise value_error(
                "client_secret", "cannot be updated: this client does not exchange credentials for tokens"
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
        on_attempt: Callable[[AttemptEvent], object] | None = None,
    ) -> Self:
        """Return a copy with other options, which shares connections and tokens.

        The copy is cheap, and closing it has no effect. Arguments that are None leave an option unchanged.

        Args:
            timeout: Seconds for a whole call, above 0.
            retry: How often and how soon to retry the calls of the copy. It does not change token requests, which the
                copy shares with this client: for them, the policy of the constructor holds.
            additional_headers: Headers to add to the present ones. ``Api-Key`` is refused: pass ``api_key``.
            read_only: Refuse every request but GET, before it is sent.
            api_key: Value of an API key, sent in place of the token: operations of the control plane accept only a
                project's key.
            on_attempt: Function that is called once after every attempt of the copy, but not for token exchanges.

        Returns:
            The copy.

        Raises:
            PineconeValueError: An argument has an invalid value.
            PineconeTypeError: An argument has the wrong type.

        Example:
            >>> careful = admin.with_options(timeout=5, read_only=True)
            >>> careful.timeout
            5.0
        """
        from pinecone_admin._config.client_config import change_options  # noqa: PLC0415 - loads httpx

        changed = return_error(
            change_options,
            self._options,
            timeout=timeout,
            retry=retry,
            additional_headers=additional_headers,
            read_only=read_only,
            api_key=api_key,
            on_attempt=on_attempt,
        )
        del additional_headers, api_key
        options = raise_if_error(changed)
        copy = object.__new__(type(self))
        copy._set_up(self._shared, options, owns_connections=False)
        return copy

    async def aclose(self) -> None:
        """Close the connections of this process and event loop.

        New calls and workflows are refused at once. Workflows in progress go on, and this waits for them, at most 40
        seconds: one that was cancelled undoes what it did. It does not wait for a workflow that itself calls this, for
        example in ``store``. A block of
        ``api_keys.temporary`` counts if its task was cancelled; in trio, only if it ends at once. If an interruption at
        the edge of such a block prevented it from ending, its key is deleted here. Then calls in progress end with
        ``ClientClosedError``, and so does every later call. On a copy, this has no effect.

        Example:
            >>> await admin.aclose()
        """
        if not self._owns_connections or self._shared.closed.is_set():
            return
        work = self._shared.work
        work.refuse_new()
        try:
            for end_block in work.find_own_blocks():
                await end_block()
            await work.async_wait(WORK_TIMEOUT)
        finally:
            self._shared.closed.set()
            if self._shared.token_source is not None:
                self._shared.token_source.close()
            if self._shared.pools is not None:
                await self._shared.pools.aclose()

    async def __aenter__(self) -> Self:
        if self._shared.fetches_token_early:
            await self._sender.fetch_token()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]

    def __repr__(self) -> str:
        if not hasattr(self, "_shared"):  # a traceback with locals shows the client whose constructor failed
            return f"<{type(self).__name__}, not constructed>"
        return f"<{type(self).__name__} of {self._shared.config.api_url}: {', '.join(NAMESPACES)}>"

    def __reduce__(self) -> NoReturn:
        raise PineconeTypeError(f"{type(self).__name__} cannot be pickled: it holds credentials and connections")


NAMESPACES = tuple(name for name, value in vars(AsyncAdmin).items() if isinstance(value, lazy_namespace))
"""The names of the namespaces, each also that of its module."""

preload_before_fork(*(f"pinecone_admin._async.{name}" for name in NAMESPACES))
