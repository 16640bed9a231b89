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

    The client sends the client id and the client secret of a service account to the token endpoint, and gets an access
    token. It gets the first token on ``async with`` or with the first call. If you pass an ``access_token``, it gets
    none. You can share one client between threads, tasks and forked processes.

    Args:
        client_id: Client id of the service account, or a function that returns it; default: ``PINECONE_CLIENT_ID``.
        client_secret: Client secret of the service account, or a function that returns it. The client calls the
            function for each token request. Default: ``PINECONE_CLIENT_SECRET``.
        access_token: Access token to use instead of credentials, or a function that returns one. The client calls the
            function for each call, and again after a 401, and never before the first call. The function runs in its
            own thread, with the context variables of the call. Default: ``PINECONE_ACCESS_TOKEN``.
        additional_headers: Headers for every request to the API. They replace headers of the client with the same name.
            The client never sends them to the token endpoint. If they contain ``Authorization``, the client requests no
            token. ``Api-Key`` is an error: use ``with_options(api_key=…)``.
        source_tag: Name of your integration, for the User-Agent header. The client writes it in lower case, with
            underscores for white space, and keeps only the characters ``[a-z0-9_:]``. At least one must remain.
        proxy_url: URL of the proxy for the API and the token endpoint; default: ``HTTPS_PROXY``, ``HTTP_PROXY``,
            ``ALL_PROXY`` and ``NO_PROXY``.
        ssl_verify: True to check certificates, False to accept any certificate, the path of a CA file or folder, or an
            ``ssl.SSLContext``.
        host: URL of the API, with https unless it has a scheme; default: ``PINECONE_CONTROLLER_HOST``, otherwise
            production.
        oauth_url: URL of the token endpoint with its path; default: ``PINECONE_OAUTH_URL``, otherwise production.
        allow_http: Allow plain http to hosts other than loopback; default: ``PINECONE_ADMIN_ALLOW_HTTP``, otherwise
            False.
        timeout: Seconds for one call, above 0. This includes getting a token, all attempts, and the waits between them.
            For a list with pages, it is the time for each page. In a workflow, it is the time for each request.
        retry: How often and how soon the client retries calls and token requests; default: ``RetryPolicy()``.
        max_connections: Maximum number of open connections to the API, from 1.
        token_cache: Cache that shares access tokens between processes: a ``FileTokenCache``, or your own
            ``TokenCache``.
        lazy: Get the first token with the first call, and not before.
        read_only: Raise ReadOnlyError instead of sending a request to the API that is not a GET. Token requests are
            still sent.
        on_attempt: Function that the client calls once after every attempt to send a request, in the thread or task of
            the call. After an attempt of a token request, it runs in the thread of that request. It is not called if
            the attempt is cancelled or interrupted. The client logs exceptions that it raises.
        transport: Transport that sends the requests instead of the client's own connections. You must close it
            yourself. You cannot combine it with ``proxy_url``, ``ssl_verify`` or ``max_connections``. ``timeout`` ends
            its attempts between two pieces of a body, and in the async client also wherever it waits.
        oauth_transport: Synchronous transport for token requests. You must close it yourself. By default, a synchronous
            ``transport`` sends them, too.

    Raises:
        PineconeValueError: An argument or an environment variable is missing, empty or invalid.
        PineconeTypeError: An argument has the wrong type.
        InvalidCredentialsError: The token endpoint rejected the credentials. Errors of the token endpoint are raised
            on ``async with`` or with the first call, and with ``lazy=True`` only by the first call.
        TokenError: The token endpoint returned no token for another reason, or ``client_id`` or ``client_secret`` is a
            function that raised an exception.
        PineconeConnectionError: The client cannot reach the token endpoint.
        PineconeTimeoutError: The token endpoint did not respond in time.

    Example:
        >>> # Reads PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET
        >>> async with AsyncAdmin() as admin:
        ...     project = await admin.projects.create(name="checkout")
        ...     created = await admin.api_keys.create(
        ...         project_id=project.id, name="reader", roles=["DataPlaneViewer"]
        ...     )
        ...     secret_store["checkout/reader"] = created.value
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
            operation: An operation from a builder in ``pinecone_admin.operations``, or an ``Operation`` that you built.

        Returns:
            The decoded response, or None if the operation returns nothing.

        Raises:
            PineconeValueError: An argument has an invalid value. No request was sent.
            PineconeTypeError: An argument has the wrong type. No request was sent.
            ReadOnlyError: The client is read-only. No request was sent.
            ApiError: The server refused the request or failed. The subclass depends on the status.
            TokenError: The token endpoint returned no token.
            PineconeConnectionError: No response arrived, or only a part of one.
            PineconeTimeoutError: No complete response arrived in time.
            ResponseParsingError: The server reported success, but the response does not fit the API description.
            ClientClosedError: The client was closed before or during the call.

        Example:
            >>> body = CreateProjectRequest(name="by hand")
            >>> project = await admin.send(create_project(body=body))
        """
        return await self._sender.send(operation)

    @property
    def timeout(self) -> float:
        """Seconds for one call, with getting a token, all attempts and the waits between them."""
        return self._options.timeout

    @property
    def max_connections(self) -> int:
        """Maximum number of open connections to the API."""
        return self._shared.config.max_connections

    async def inventory(
        self, *, concurrency: int = 16, progress: Callable[[workflows.Progress], object] | None = None
    ) -> workflows.Inventory:
        """Read the whole organization: projects, API keys, users, invites, service accounts and role bindings.

        Run this as an OrgOwner: other accounts do not see everything. The inventory lists the parts that the server
        refuses or fails to return. It shows other missing parts only if no owner is listed, or if a role is on a
        project that is not listed.

        Args:
            concurrency: Maximum number of concurrent requests, from 1. ``max_connections`` limits it, too.
            progress: Function that is called after each part was read.

        Returns:
            The inventory. Its ``unread`` lists the parts that could not be read.

        Raises:
            PineconeError: No part could be read.
            PineconeValueError: ``concurrency`` is below 1.
            ClientClosedError: The client was closed before or during the call.

        Example:
            >>> inventory = await admin.inventory(
            ...     progress=lambda step: print(step.done, "of", step.total)
            ... )
            >>> [project.name for project in inventory.projects]
            ['search']
        """
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.take_inventory import take_inventory  # noqa: PLC0415 - as above

        async with open_run(self, "inventory") as run:
            return await take_inventory(run, concurrency=concurrency, progress=progress)

    async def plan(
        self,
        desired: workflows.DesiredState,
        *,
        base: workflows.DesiredState | None = None,
        client_id: str | None = None,
        commit: str | None = None,
    ) -> workflows.ChangePlan:
        """Return the changes that bring the organization to its desired state. Only reads are sent.

        Args:
            desired: The desired state, from an organization file.
            base: The file as it was last applied. A change that both files need is *drift*. ``apply`` carries out drift
                only with ``drift=True``. An end (``until``) whose day has passed is not drift.
            client_id: Client id of this client's service account. You need it only if the client has an access token
                instead of credentials.
            commit: Commit of the file, which the plan and the report contain.

        Returns:
            The plan. Items of the file that do not fit the organization are left out, and ``stopped`` lists them.

        Raises:
            PineconeValueError: The file contradicts itself, and the message lists all problems. Or the client has only
                an access token, and there is no ``client_id``.
            ForbiddenError: The account is not known to be an OrgOwner. Other accounts do not see everything, and
                ``apply`` would create again what they do not see.
            RefusedError: The file is about another organization, or no service account has ``client_id``.
            PineconeError: A part of the organization could not be read, for example in an outage.

        Example:
            >>> desired = (await admin.inventory()).to_desired_state()
            >>> plan = await admin.plan(desired)
            >>> plan.changes
            []
        """
        from pinecone_admin._async.workflows.apply_plan import plan_organization  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - as above

        async with open_run(self, "plan") as run:
            return await plan_organization(run, desired, base=base, client_id=client_id, commit=commit)

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
        """Carry out the changes of a plan that are still needed, and no others.

        The client reads the organization again, and compares each change with it. A change that is already made is
        skipped, also if somebody else made it, for example granted the role by hand. If a change no longer fits because
        somebody changed the resource in another way, nothing is changed, and the error names every such change.

        If a step fails, the steps that do not depend on it are still carried out. To finish, make the same call again,
        also after a crash. An organization can send 100 invite emails within an hour. If the server refuses an invite
        for that reason, no further invite of the plan is begun.

        Do not run two calls for the same organization at the same time.

        Args:
            plan: The plan.
            store: Function that stores the secret of each new API key and service account. It gets the final name of
                the resource, and is called for one secret at a time. It must raise an exception if it has not stored
                the secret, and only then. If it raises, the key or account is deleted, and no further secret is
                created. The return value is ignored.
            drift: Carry out drift, too.
            allow_removals: Greatest number of removals to permit, from 0. A removal deletes a person, a service
                account or an API key, or revokes all of its roles. Without this number, a plan is refused if it removes
                more than three people, and also more than a third of all people. The same limits hold for service
                accounts and for API keys. Without this number, an end (``until``) in the past that is not in ``base``
                removes nothing, because a year may be mistyped. In a plan from ``from_json``, such an end counts like
                every other removal.
            allow_own: Permit changes that delete the service account of this client or revoke its roles.
            client_id: Client id of this client's service account, if the client has an access token instead of
                credentials. Without it, a plan that deletes a service account or revokes its roles is refused.

        Returns:
            A report with each change of the plan and what happened to it.

        Raises:
            RefusedError: A change no longer fits, or an end (``until``) has passed since the plan was made. Or the
                changes together are refused. The reasons are: no user would be an OrgOwner, the account of this client
                would lose a role, a member would have no organization role, or too much would be removed. Or no service
                account has ``client_id``. Nothing was changed. If only ends of a plan that is not from ``from_json``
                are refused, the report lists them as ``not_run``, and the rest is carried out.
            PineconeValueError: The plan creates secrets, and there is no ``store``. Or the plan was changed, and
                ``ChangePlan.from_json`` would refuse it, too. Nothing was changed.
            ForbiddenError: The account is not known to be an OrgOwner.
            PineconeError: A part of the organization could not be read, for example in an outage; or a step failed so
                that no other step can succeed. The message and ``__notes__`` of an error name what was done and what
                remains. What was done is not undone, except that a key or account whose secret is not stored is
                deleted. Make the same call again to finish.

        Example:
            >>> key = {"name": "writer", "roles": ["DataPlaneEditor"]}
            >>> wanted = {"organization": organization.id}
            >>> wanted["projects"] = [{"name": "search", "api_keys": [key]}]
            >>> plan = await admin.plan(DesiredState.from_dict(wanted))
            >>> report = await admin.apply(
            ...     plan, store=lambda created: secret_store.update({created.key.name: created.value})
            ... )
            >>> list(secret_store)
            ['writer']
        """
        from pinecone_admin._async.workflows.apply_plan import apply_plan  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - as above

        async with open_run(self, "apply") as run:
            return await apply_plan(
                run,
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
            The token and its expiry time. ``repr`` masks the token.

        Raises:
            PineconeValueError: ``additional_headers`` sets ``Authorization``, so there is no token.
            TokenError: The token endpoint returned no token, or a function that you passed to the client raised an
                exception.
            PineconeConnectionError: The client cannot reach the token endpoint.
            PineconeTimeoutError: No token arrived in time.
            ClientClosedError: The client was closed before or during the call.

        Example:
            >>> token = await admin.token()
            >>> headers = {"Authorization": f"Bearer {token.value}"}
        """
        return await self._sender.fetch_token()

    def update_secret(self, client_secret: str) -> None:
        """Use a new client secret from now on, for example after a rotation. The token of the old secret is dropped.

        If the ``client_secret`` of the constructor is a callable, the client does not call it any more.

        Args:
            client_secret: The new client secret.

        Raises:
            PineconeValueError: The secret is empty or surrounded by white space, or this client does not use a client
                secret.
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
        """Return a copy of the client with other options. The copy shares connections and tokens with this client.

        A copy is cheap, and closing it has no effect. An argument that is None leaves its option unchanged.

        Args:
            timeout: Seconds for one call, from 0. With 0, the calls of the copy raise PineconeTimeoutError, and do not
                send their request.
            retry: How often and how soon to retry the calls of the copy. Token requests are shared with this client, so
                they keep the policy of the constructor.
            additional_headers: Headers to add to those of this client. ``Api-Key`` is an error: use ``api_key``.
            read_only: Raise ReadOnlyError instead of sending a request that is not a GET.
            api_key: Value of an API key to send instead of an access token. Operations on the contents of a project
                accept only an API key of that project.
            on_attempt: Function that is called once after every attempt of the copy. It is not called for token
                requests.

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
        """Close the client, and the connections of this process and event loop.

        New calls and workflows are refused at once. Workflows in progress continue, and this method waits at most 40
        seconds for them. A workflow that was cancelled undoes its changes in this time. This method does not wait for a
        workflow that calls it, for example in ``store``.

        A block of ``api_keys.temporary`` counts as a workflow only if its task was cancelled. In trio, it must also end
        at once.

        If such a block could not end because of an interruption at its edge, this method deletes its key.

        After all this, calls that are still in progress raise ClientClosedError. On a copy, this method has no effect.

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
        raise PineconeTypeError(f"{type(self).__name__} cannot be copied or pickled: share it, or use with_options")


NAMESPACES = tuple(name for name, value in vars(AsyncAdmin).items() if isinstance(value, lazy_namespace))
"""The names of the namespaces, each also that of its module."""

preload_before_fork(*(f"pinecone_admin._async.{name}" for name in NAMESPACES))
