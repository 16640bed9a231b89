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

    Programs, such as this client, authenticate as service accounts. Every method also raises the errors of
    ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self, *, limit: int | None = None, pagination_token: str | None = None) -> AsyncPaginator[ServiceAccount]:
        """List the service accounts of the organization, one page in each request.

        Args:
            limit: Service accounts per page, 1 to 100; the server's default is 100.
            pagination_token: Token of the page to start with, from a page of this list.

        Returns:
            The service accounts, which are fetched page by page during the iteration.

        Raises:
            PineconeValueError: An argument is out of range. No request was sent.

        Example:
            >>> accounts = await admin.service_accounts.list().to_list()
        """
        operation = api.list_service_accounts(limit=limit, pagination_token=pagination_token)
        return AsyncPaginator(self._sender, operation)

    async def create(
        self, *, name: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None
    ) -> ServiceAccountWithSecret:
        """Create a service account.

        Only this response contains the client secret, so store it. Names are not unique, so a second request would
        create a second account. The client never sends a create again if the first request may have taken effect.

        Args:
            name: Name of the service account, 1 to 80 UTF-8 bytes without NUL.
            role_bindings: 0 to 100 roles for the account, as models, mappings or objects with the same three
                attributes. ``on_organization`` and ``on_project`` create them.

        Returns:
            The new service account with its client secret.

        Raises:
            ForbiddenError: The plan does not include service accounts or one of the roles, or your account does not
                have a role that it would grant.
            NotFoundError: A role is on a project that does not exist, or that your account cannot see.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, a service account may exist. Its secret is
                lost, unless the error is a ResponseParsingError. Then ``raw.reveal()`` returns the response, which may
                contain the secret. If the secret is lost, find the account by its name and rotate its secret.

        Example:
            >>> created = await admin.service_accounts.create(
            ...     name="ci", role_bindings=[on_organization("OrgMember")]
            ... )
            >>> secret_store["ci"] = created.client_secret
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
        """Return the service account with this name. If there is none, create it.

        The secret of an existing account cannot be read again, so the result contains a ``ServiceAccountWithSecret``
        only if this call created the account. A new account gets its name only after ``store`` has returned. If the
        call is cancelled before that, the account is deleted. If the process is killed before that, the next run
        creates another account, and deletes the first one once the new secret is stored. A ``store`` that is a
        ``workflows.ReadableStore`` avoids this: the next run then finds the stored secret, and finishes its account.

        If a role of an existing account cannot be granted, this call revokes the roles that it granted before. Once it
        revokes other roles, the granted roles are kept.

        Do not run two calls for the same name at the same time. Two calls can create two accounts, or one call can
        delete the new account of the other.

        Args:
            name: Exact name of the service account, 1 to 80 UTF-8 bytes without NUL. It must not have the form of a
                temporary name.
            role_bindings: 0 to 100 roles for a new account, as models, mappings or objects with the same three
                attributes. For an existing account, None accepts any roles. A new account, and one of an interrupted
                call, then has none. ``on_organization`` and ``on_project`` create them.
            store: Function that stores the secret of a new account. It gets the final name of the account. It must
                raise an exception if it has not stored the secret, and only then. If it raises, the account is deleted.
                The return value is ignored.
            on_difference: What to do if an existing account has other roles: ``"report"`` lists the difference in the
                result, ``"raise"`` raises RefusedError, and ``"update"`` grants the missing roles.
            revoke_unlisted: After granting, also revoke every role that is not in ``role_bindings``; only with
                ``"update"``. This includes roles on projects that the account created. The account of this client never
                loses a role.
            client_id: Client id of this client's service account. You need it only if the client has an access token
                instead of credentials.
            dry_run: Only read, and report what would be done.

        Returns:
            The service account, whether this call created it, the settings that differed, and the steps.

        Raises:
            AmbiguousNameError: Several service accounts have the name. ``ids`` lists them.
            RefusedError: The roles differ, and ``on_difference`` is ``"raise"``. Or roles would be revoked, and the
                account may be the one that this client uses. It may be if the client has only an access token, and
                ``client_id`` is None or no service account has it. Nothing was changed.
            ForbiddenError: The plan does not include service accounts or one of the roles, or your account does not
                have a role that it would grant.
            NotFoundError: A role is on a project that does not exist, or that your account cannot see.
            LeftoverError: The new account could not be deleted after ``store`` failed, or after the response with the
                secret was lost. The same holds if there is no ``store``, and the account could not get its name.
            PineconeError: Every response with a secret was lost; or the account could not get its name after ``store``,
                so the next run creates another one. The message and ``__notes__`` of an error name what was done and
                what remains.

        Example:
            >>> ensured = await admin.service_accounts.ensure(
            ...     name="ci",
            ...     role_bindings=[on_organization("OrgMember")],
            ...     store=lambda created: secret_store.update(ci=created.client_secret),
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
        """Return one service account, without its secret.

        Args:
            service_account_id: Id of the service account.

        Raises:
            NotFoundError: There is no service account with this id, or your account cannot see it.

        Example:
            >>> account = await admin.service_accounts.describe(service_account_id=account.id)
        """
        return await self._admin.send(api.fetch_service_account(service_account_id=service_account_id))

    async def describe_by_name(self, *, name: str) -> ServiceAccount:
        """Return the only service account with this name.

        Args:
            name: Exact name of the service account, 1 to 80 UTF-8 bytes without NUL.

        Raises:
            PineconeValueError: No service account can have this name. No request was sent.
            NotFoundError: No service account has the name.
            AmbiguousNameError: Several service accounts have the name. ``ids`` lists them.

        Example:
            >>> account = await admin.service_accounts.describe_by_name(name="nightly")
        """
        check_name(name, models.CreateServiceAccountRequest, operation="describe_by_name")
        accounts = await self.list().to_list()
        return find_by_name(name, accounts, noun="service account", operation="describe_by_name")

    async def update(self, *, service_account_id: str, name: str | None = None) -> ServiceAccount:
        """Rename a service account.

        Args:
            service_account_id: Id of the service account.
            name: New name, 1 to 80 UTF-8 bytes without NUL.

        Returns:
            The service account with its new name.

        Raises:
            PineconeValueError: ``name`` is None. No request was sent.
            ForbiddenError: The plan does not include service accounts.
            NotFoundError: There is no service account with this id, or your account cannot see it.

        Example:
            >>> account = await admin.service_accounts.update(
            ...     service_account_id=account.id, name="weekly"
            ... )
        """
        body = models.UpdateServiceAccountRequest(name=name)
        return await self._admin.send(api.update_service_account(service_account_id=service_account_id, body=body))

    async def delete(self, *, service_account_id: str) -> None:
        """Delete a service account. Its access tokens stop working within seconds. This cannot be undone.

        The client does not ask for confirmation, also if it authenticates as this account. After that, its calls raise
        UnauthorizedError, with a note that names this deletion. You then need the credentials of another account.

        Args:
            service_account_id: Id of the service account.

        Raises:
            NotFoundError: There is no service account with this id, or your account cannot see it.

        Example:
            >>> await admin.service_accounts.delete(service_account_id=account.id)
        """
        await self._admin.send(api.delete_service_account(service_account_id=service_account_id))

    async def rotate_secret(self, *, service_account_id: str) -> ServiceAccountWithSecret:
        """Replace the client secret of a service account. The old secret stops working within seconds.

        Only this response contains the new secret, so store it. The client never sends this request again if it may
        have taken effect. If the client itself authenticates as this account, it and its copies use the new secret from
        then on, and drop the old token. You must pass the new secret to all other clients, including those of later
        processes.

        Args:
            service_account_id: Id of the service account.

        Returns:
            The service account with its new client secret.

        Raises:
            ForbiddenError: The plan does not include service accounts.
            NotFoundError: There is no service account with this id, or your account cannot see it.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the secret may have been rotated. The new
                secret is lost, unless the error is a ResponseParsingError. Then ``raw.reveal()`` returns the response,
                which may contain the secret. If it is lost, rotate it again.

        Example:
            >>> rotated = await admin.service_accounts.rotate_secret(service_account_id=account.id)
            >>> secret_store["nightly"] = rotated.client_secret
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
        """Replace the client secret of a service account, and store the new one.

        The two secrets do not overlap: the old secret can stop working before the new one is stored. If the response is
        lost, this method rotates the secret again, until the ``timeout``. If you set ``max_attempts`` of
        ``RetryPolicy``, it limits the number of rotations, too. A client cannot rotate its own account again, because
        then it has no valid secret. So rotate the secret of an account from another account.

        If this call is cancelled or interrupted during the request, it waits up to 10 seconds for the response, and
        still stores the new secret. If there is no response in this time, a note states that the new secret may be
        lost. If the cancellation or interruption comes during ``store``, or ``store`` fails after it, it is raised as
        it is. Its ``__cause__`` is then a SecretNotStoredError with the new secret.

        Do not run two calls for the same name at the same time. The secret that is stored last may not be
        the one that works.

        Args:
            service_account_id: Id of the service account.
            store: Function that stores the new secret. It must raise an exception if it has not stored the secret. The
                return value is ignored.
            allow_own: Also rotate the secret of the account that this client uses. This client and its copies then use
                the new secret. If every response is lost, the client has no valid secret, and cannot rotate again.
            client_id: Client id of this client's service account. You need it only if the client has an access token
                instead of credentials.
            dry_run: Only check that the service account exists and may be rotated.

        Returns:
            The service account.

        Raises:
            RefusedError: The account is the one that this client uses, or may be. It may be if the client has only an
                access token, and ``client_id`` is None or no service account has it. Nothing was changed.
            SecretNotStoredError: ``store`` failed, so the new secret may not be stored. ``error.secret.reveal()``
                returns it. If ``store`` is a ``workflows.ReadableStore`` that returns the new secret, its exception is
                raised instead, with a note.
            ForbiddenError: The plan does not include service accounts.
            NotFoundError: There is no service account with this id, or your account cannot see it.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, every response was lost, and the new secret
                may be lost with them. Rotate it again. If a response could not be read, the error or its ``__cause__``
                is a ResponseParsingError, whose ``raw.reveal()`` returns that response. The message and ``__notes__``
                of an error name what was done and what remains.

        Example:
            >>> account = await admin.service_accounts.rotate(
            ...     service_account_id=account.id,
            ...     store=lambda rotated: secret_store.update(nightly=rotated.client_secret),
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
        older_than: timedelta | None = None,
        store: Callable[[ServiceAccountWithSecret], object],
        names: Sequence[str] | None = None,
        client_id: str | None = None,
        allow_unreadable: bool = False,
        dry_run: bool = False,
    ) -> workflows.DueAccountRotations:
        """Replace the client secrets of service accounts that are older than a given age, one after another.

        An old secret can stop working before the new one is stored. So this method first reads the secret of an account
        from ``store``, and requests a token with it. If ``store`` has no secret for the client id of the account, or
        the token endpoint rejects it, the account keeps its secret. The report then lists it in ``failed``.

        The age of a secret counts from ``updated_at``, by the server's clock. Nothing states whether a rotation changes
        that time. So before its first rotation, this method updates the account with its own name. If that does not
        change ``updated_at``, nothing is rotated. If a rotation does not change ``updated_at``, the account is updated
        in the same way. If a rotation fails after such an update, the age has started again, and ``failed`` names the
        account.

        The account of this client is never rotated. Accounts that share a name with another one are not rotated, and
        are in ``failed``. Do not run two calls for the same organization at the same time.

        Args:
            older_than: Age above which a secret is replaced, above 0. You need it only without ``names``.
            store: A ``workflows.ReadableStore`` that stores the new secrets. It must raise an exception if it has not
                stored a secret.
            names: Names of the service accounts to rotate, whatever their age. None rotates those that are old.
            client_id: Client id of this client's service account. You need it only if the client has an access token
                instead of credentials.
            allow_unreadable: Accept a ``store`` that cannot be read. If it stores secrets in the wrong place, the old
                secrets have stopped working before anybody notices.
            dry_run: Only read, and report what would be done. Token requests with the stored secrets are still sent.

        Returns:
            The accounts that were rotated, those that failed, and those whose secrets may be older than they look.

        Raises:
            SecretNotStoredError: ``store`` failed, so the new secret may not be stored. ``error.secret.reveal()``
                returns it. No further account was rotated. If ``store`` can be read and returns the new secret, the run
                goes on instead, with a warning in the log.
            PineconeValueError: ``store`` cannot be read, and ``allow_unreadable`` is False. No request was sent.
            RefusedError: The client has only an access token, and ``client_id`` is None or is not the client id of a
                service account. Or the server's responses have no valid Date. Nothing was changed.
            PineconeError: The accounts could not be listed, every response of a rotation was lost, or no further call
                can succeed. No further account was rotated. The message and ``__notes__`` of an error name what was
                done before. Accounts that were rotated keep their new secrets, which are in ``store``. After a lost
                response, the old secret may be invalid, and nobody has the new one: rotate the account again.

        Example:
            >>> report = await admin.service_accounts.rotate_due(
            ...     older_than=timedelta(days=90),
            ...     store=lambda rotated: secret_store.update(
            ...         {rotated.service_account.name: rotated.client_secret}
            ...     ),
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
