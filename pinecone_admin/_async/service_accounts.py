"""Methods of ``admin.service_accounts``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from generated_client import api, models
from generated_client.models import RoleBindingInput, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin import workflows
from pinecone_admin._async.pagination import AsyncPaginator
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.argument_checks import copy_bindings
from pinecone_admin._http.lookup import find_by_name
from pinecone_admin._http.operation_checks import check_name
from pinecone_admin.models import RoleBindingDict, RoleBindingLike

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender


class AsyncServiceAccounts(Namespace):
    """Create, list, describe, rename, rotate and delete service accounts, as ``admin.service_accounts``.

    Programs authenticate as service accounts, and so does this client. Every method also raises the errors of
    ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self, *, limit: int | None = None, pagination_token: str | None = None) -> AsyncPaginator[ServiceAccount]:
        """List the service accounts of the organization, one page per request.

        Args:
            limit: Service accounts per page, 1 to 100; the server's default is 100.
            pagination_token: Token at which to resume, from a page of this list.

        Returns:
            The service accounts, fetched while they are iterated over.

        Raises:
            PineconeValueError: An argument is out of range; nothing was sent.

        Example:
            >>> accounts = await admin.service_accounts.list().to_list()
        """
        operation = api.list_service_accounts(limit=limit, pagination_token=pagination_token)
        return AsyncPaginator(self._sender, operation)

    async def create(
        self, *, name: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None
    ) -> ServiceAccountWithSecret:
        """Create a service account.

        The response contains the ``client_secret``, which no later response shows: store it. Names are not unique, so
        the client does not repeat a create that the server may have processed.

        Args:
            name: Name of the account, 1 to 80 UTF-8 bytes without NUL.
            role_bindings: 0 to 100 roles that the account will have, as models, mappings or objects with the same
                three attributes. ``on_organization`` and ``on_project`` build them.

        Returns:
            The new service account with its secret.

        Raises:
            ForbiddenError: The plan has no service accounts or does not have a role, or the caller does not hold one
                that it would grant.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, an account may exist whose secret is lost:
                find it by name and rotate its secret.

        Example:
            >>> made = await admin.service_accounts.create(
            ...     name="ci", role_bindings=[on_organization("OrgMember")]
            ... )
            >>> vault["ci"] = made.client_secret
        """
        bindings = None if role_bindings is None else copy_bindings(role_bindings)
        body = models.CreateServiceAccountRequest(name=name, role_bindings=bindings)
        return await self._admin.send(api.create_service_account(body=body))

    async def ensure(
        self,
        *,
        name: str,
        role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None,
        store: Callable[[ServiceAccountWithSecret], object] | None = None,
        on_difference: workflows.OnDifference = "report",
        revoke_unlisted: bool = False,
        client_id: str | None = None,
        dry_run: bool = False,
    ) -> workflows.Ensured[ServiceAccountWithSecret | ServiceAccount]:
        """Return the service account with this name, and create it if there is none.

        The secret of an existing account cannot be retrieved: the result holds a ``ServiceAccountWithSecret`` only if
        this call created the account. A new account gets its name only after ``store`` has returned; if a run is
        cancelled before that, the account is deleted, and if it is killed, the next run creates another one, and
        deletes the first when the new secret is stored. Make one call at a time for a name, also in tasks and threads:
        two at once can create two accounts, or one can delete the new account of the other.

        Args:
            name: Exact name of the account, 1 to 80 UTF-8 bytes without NUL; not one that a workflow gives to an
                unfinished account.
            role_bindings: 0 to 100 roles that a new account will have, as models, mappings or objects with the same
                three attributes. For an existing account, None accepts any roles. ``on_organization`` and
                ``on_project`` build them.
            store: Function that stores the secret of a new account, which it receives under the final name, before the
                account gets it. It may return anything. If it raises, it must not have stored the secret: the account
                is deleted.
            on_difference: What to do if the roles of an existing account differ: ``"report"`` them, ``"raise"``, or
                ``"update"``, which grants the missing ones.
            revoke_unlisted: Also revoke the roles that are not in ``role_bindings``, after granting; only with
                ``"update"``. An account loses the projects that it created, too. Roles of the account as which this
                client authenticates are never revoked.
            client_id: Client id of this client's service account, if the client has a token in place of credentials.
            dry_run: Only report what would be done.

        Returns:
            The account, whether this call created it, the settings that differed, and what was done.

        Raises:
            AmbiguousNameError: Several accounts have the name; ``ids`` lists them.
            RefusedError: The roles differ, and ``on_difference`` is ``"raise"``; or roles would be revoked, and the
                client has only a token and no ``client_id``, so that the account may be its own. Nothing was changed.
            ForbiddenError: The plan has no service accounts or does not have a role, or the caller does not hold one
                that it would grant.
            LeftoverError: ``store`` failed, the response with the secret was lost, or the account could not be named
                and there is no ``store``; and then the account could not be deleted.
            PineconeError: Each response with the secret was lost, or the account could not be named after ``store``:
                the next run makes another one. The notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> ensured = await admin.service_accounts.ensure(
            ...     name="ci",
            ...     role_bindings=[on_organization("OrgMember")],
            ...     store=lambda made: vault.update(ci=made.client_secret),
            ... )
        """
        from pinecone_admin._async.workflows.ensure_with_secret import ensure_service_account  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "ensure_service_account", dry_run=dry_run) as run:
            return await ensure_service_account(
                run,
                name=name,
                role_bindings=role_bindings,
                store=store,
                on_difference=on_difference,
                revoke_unlisted=revoke_unlisted,
                client_id=client_id,
            )

    async def describe(self, *, service_account_id: str) -> ServiceAccount:
        """Fetch one service account, without its secret.

        Args:
            service_account_id: Id of the account.

        Raises:
            NotFoundError: The account sees no service account with this id.

        Example:
            >>> account = await admin.service_accounts.describe(service_account_id=account.id)
        """
        return await self._admin.send(api.fetch_service_account(service_account_id=service_account_id))

    async def describe_by_name(self, *, name: str) -> ServiceAccount:
        """Find the only service account with this name.

        Args:
            name: Exact name of the account, 1 to 80 UTF-8 bytes without NUL.

        Raises:
            PineconeValueError: No account can have this name; nothing was sent.
            NotFoundError: No account has the name.
            AmbiguousNameError: Several accounts have the name; ``ids`` lists them.

        Example:
            >>> account = await admin.service_accounts.describe_by_name(name="nightly")
        """
        check_name(name, models.CreateServiceAccountRequest, operation="describe_by_name")
        accounts = await self.list().to_list()
        return find_by_name(name, accounts, noun="service account", operation="describe_by_name")

    async def update(self, *, service_account_id: str, name: str | None = None) -> ServiceAccount:
        """Rename a service account.

        Args:
            service_account_id: Id of the account.
            name: New name, 1 to 80 UTF-8 bytes without NUL.

        Returns:
            The account with its new name.

        Raises:
            PineconeValueError: There is nothing to change; nothing was sent.
            ForbiddenError: The plan has no service accounts.
            NotFoundError: The account sees no service account with this id.

        Example:
            >>> account = await admin.service_accounts.update(
            ...     service_account_id=account.id, name="weekly"
            ... )
        """
        body = models.UpdateServiceAccountRequest(name=name)
        return await self._admin.send(api.update_service_account(service_account_id=service_account_id, body=body))

    async def delete(self, *, service_account_id: str) -> None:
        """Delete a service account; its tokens stop working within seconds.

        Nothing asks back if it is the account that the client itself authenticates as. From then on, its calls end in
        an UnauthorizedError, with a note that names this deletion; other credentials are needed to undo it.

        Args:
            service_account_id: Id of the account.

        Raises:
            NotFoundError: The account sees no service account with this id.

        Example:
            >>> await admin.service_accounts.delete(service_account_id=account.id)
        """
        await self._admin.send(api.delete_service_account(service_account_id=service_account_id))

    async def rotate_secret(self, *, service_account_id: str) -> ServiceAccountWithSecret:
        """Replace the secret of a service account; the old secret stops working at once.

        Only this response shows the new secret: store it. The client does not repeat the request if the server may have
        processed it. If the client itself authenticates as this account, the client and its copies switch to the new
        secret and drop the old token. Other clients, also of later processes, still need the new secret from you.

        Args:
            service_account_id: Id of the account.

        Returns:
            The service account with its new secret.

        Raises:
            ForbiddenError: The plan has no service accounts.
            NotFoundError: The account sees no service account with this id.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the secret may have been rotated and lost:
                rotate it again.

        Example:
            >>> made = await admin.service_accounts.rotate_secret(service_account_id=account.id)
            >>> vault["nightly"] = made.client_secret
        """
        operation = api.rotate_service_account_secret(service_account_id=service_account_id)
        return await self._admin.send(operation)

    async def rotate(
        self,
        *,
        service_account_id: str,
        store: Callable[[ServiceAccountWithSecret], object],
        allow_own: bool = False,
        client_id: str | None = None,
        dry_run: bool = False,
    ) -> ServiceAccount:
        """Replace the secret of a service account, and store the new one.

        The two secrets do not overlap: the old secret stops working before the new one is stored. If the response is
        lost, the secret is rotated again. A client cannot do that for its own account, because it has no valid secret
        left: rotate that account's secret from another account. If this call is cancelled or interrupted during the
        request, it waits up to 10 seconds for the response, and still stores the new secret. If that happens in
        ``store``, or ``store`` then fails, the interruption or cancellation is raised as it is, and its ``__cause__``
        is a SecretNotStoredError. If there is no response within that time, a note says that the new secret may be
        lost.

        Args:
            service_account_id: Id of the account.
            store: Function that stores the new secret. It may return anything.
            allow_own: Also rotate the secret of the account as which this client authenticates. If every response is
                lost, the client is locked out: it has no valid secret.
            client_id: Client id of this client's service account, if the client has a token in place of credentials.
            dry_run: Only check that the account exists, and may be rotated.

        Returns:
            The service account.

        Raises:
            RefusedError: It is the account as which this client authenticates, or may be: a token does not show whose
                it is. Nothing was changed.
            SecretNotStoredError: ``store`` failed; ``error.secret.reveal()`` returns the new secret.
            ForbiddenError: The plan has no service accounts.
            NotFoundError: The account sees no service account with this id.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left. If
                ``outcome`` is ``"unknown"`` or ``"done"``, every response was lost, and the secret may be: rotate it
                again.

        Example:
            >>> account = await admin.service_accounts.rotate(
            ...     service_account_id=account.id,
            ...     store=lambda made: vault.update(nightly=made.client_secret),
            ... )
        """
        from pinecone_admin._async.workflows.rotate import rotate_service_account  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "rotate_service_account", dry_run=dry_run) as run:
            return await rotate_service_account(
                run,
                service_account_id=service_account_id,
                store=store,
                allow_own=allow_own,
                client_id=client_id,
            )

    async def rotate_due(
        self,
        *,
        older_than: timedelta,
        store: Callable[[ServiceAccountWithSecret], object],
        names: Sequence[str] | None = None,
        client_id: str | None = None,
        allow_unreadable: bool = False,
        dry_run: bool = False,
    ) -> workflows.DueAccountRotations:
        """Replace the secrets of the service accounts that are old, one after another.

        The server ends an old secret at once. So ``store`` must already hold the present secret of each service account
        beside its client id, and this secret must get a token. Otherwise, the service account keeps its secret and is
        in ``failed``.

        The age counts from ``updated_at``, by the server's clock. Nothing states whether a rotation moves it. So the
        first service account is updated with its own name before it is rotated. If that does not move its
        ``updated_at``, nothing is rotated. A service account whose date a rotation did not move is updated in the same
        way. If the rotation fails after such an update, the age has begun again, and ``failed`` names the service
        account.

        The service account of this client is never rotated. Those that share a name with another one fail. Run this
        once at a time.

        Args:
            older_than: Age above which a secret is replaced.
            store: A ``workflows.ReadableStore`` that stores the new secrets. It must raise if it has not stored one.
            names: Names of the service accounts to rotate, whatever their age, in place of those that are old.
            client_id: Client id of this client's service account, if the client has a token in place of credentials.
            allow_unreadable: Accept a ``store`` that cannot be read again. If it stores secrets in the wrong place, the
                run cannot notice that before the old secrets have stopped working.
            dry_run: Only report what would be done. Secrets in the destination are still tried.

        Returns:
            What was rotated, what failed, and which service accounts may be older than they look.

        Raises:
            SecretNotStoredError: ``store`` failed; ``error.secret.reveal()`` returns the new secret. No other service
                account is rotated after that.
            PineconeValueError: ``store`` cannot be read again, and ``allow_unreadable`` is False; nothing was sent.
            RefusedError: The client has only a token, and ``client_id`` is None or that of no service account; or the
                responses have no ``Date``. Nothing was changed.
            PineconeError: The list failed, or each response of a rotation was lost. No other service account is rotated
                after that. The notes (``__notes__``) of any error name what was done before.

        Example:
            >>> report = await admin.service_accounts.rotate_due(
            ...     older_than=timedelta(days=90),
            ...     store=lambda made: vault.update({made.service_account.name: made.client_secret}),
            ...     allow_unreadable=True,
            ... )
        """
        from pinecone_admin._async.workflows.rotate_due_accounts import rotate_due_accounts  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "rotate_due_service_accounts", dry_run=dry_run) as run:
            return await rotate_due_accounts(
                run,
                older_than=older_than,
                store=store,
                names=names,
                client_id=client_id,
                allow_unreadable=allow_unreadable,
            )
