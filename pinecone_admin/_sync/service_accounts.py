# Derived from pinecone_admin/_async/service_accounts.py by scripts/unasync.py: change that, not this file.
"""Service accounts: what programs, such as this client, authenticate as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from generated_client.api.service_accounts.create_service_account import create_service_account
from generated_client.api.service_accounts.delete_service_account import delete_service_account
from generated_client.api.service_accounts.fetch_service_account import fetch_service_account
from generated_client.api.service_accounts.list_service_accounts import list_service_accounts
from generated_client.api.service_accounts.rotate_service_account_secret import rotate_service_account_secret
from generated_client.api.service_accounts.update_service_account import update_service_account
from generated_client.models import (
    CreateServiceAccountRequest,
    RoleBindingInput,
    ServiceAccount,
    ServiceAccountWithSecret,
    UpdateServiceAccountRequest,
)
from pinecone_admin._http.arguments import copy_bindings
from pinecone_admin._sync.pagination import Paginator
from pinecone_admin.models import RoleBindingDict

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin.workflows.reports import Ensured


class ServiceAccounts:
    """Service accounts, as ``admin.service_accounts``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(self, *, limit: int | None = None, pagination_token: str | None = None) -> Paginator[ServiceAccount]:
        """List the service accounts, page by page as they are read.

        Args:
            limit: Accounts a page, 1 to 100; the server's default is 100.
            pagination_token: Where to resume, from a page of this list.
        """
        operation = list_service_accounts(limit=limit, pagination_token=pagination_token)
        return Paginator(self._admin, operation)

    def create(
        self, *, name: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict] | None = None
    ) -> ServiceAccountWithSecret:
        """Create a service account. Its ``client_secret`` is in this answer and never shown again.

        Args:
            name: 1 to 80 UTF-8 bytes.
            role_bindings: 0 to 100 roles that it shall have, as models or mappings; ``on_organization`` and
                ``on_project`` build them.

        Raises:
            ForbiddenError: The plan has no service accounts, or the caller does not hold a role that it would grant.
            ServiceError: The server failed; where ``outcome`` is ``"unknown"``, an account may exist whose secret
                is lost: find it by name and rotate its secret.
        """
        bindings = None if role_bindings is None else copy_bindings(role_bindings)
        body = CreateServiceAccountRequest(name=name, role_bindings=bindings)
        return self._admin.send(create_service_account(body=body))

    def ensure(
        self,
        *,
        name: str,
        role_bindings: Sequence[RoleBindingInput | RoleBindingDict] | None = None,
        store: Callable[[ServiceAccountWithSecret], None] | None = None,
    ) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
        """Give the service account of this name, created where there is none.

        The secret of an account that exists cannot be had: the result holds a ``ServiceAccountWithSecret`` only where
        it was created. A new account has the name only once ``store`` has its secret; where the secret was lost, it is
        rotated. Roles that differ are reported, not changed. Two processes that do this at the same moment can still
        make two accounts, or one stores a secret that the other has rotated.

        Args:
            name: 1 to 80 UTF-8 bytes.
            role_bindings: 0 to 100 roles that a new one shall have, as models or mappings.
            store: Keeps the secret of a new account, before the account gets its name. If it raises, it must not have
                kept it: the account is deleted.

        Raises:
            AmbiguousNameError: Several have the name; ``ids`` holds all of them.
            ForbiddenError: The plan has no service accounts, or the caller does not hold a role that it would grant.
            LeftoverError: ``store`` failed, or without one the naming, and the account could not be deleted.
        """
        from pinecone_admin._sync.workflows.ensure_with_secret import ensure_service_account  # noqa: PLC0415 - only who uses it pays

        return ensure_service_account(self._admin, name=name, role_bindings=role_bindings, store=store)

    def describe(self, *, service_account_id: str) -> ServiceAccount:
        """Fetch a service account without its secret.

        Args:
            service_account_id: Its id.

        Raises:
            NotFoundError: The organization has no such service account.
        """
        return self._admin.send(fetch_service_account(service_account_id=service_account_id))

    def update(self, *, service_account_id: str, name: str | None = None) -> ServiceAccount:
        """Rename a service account.

        Args:
            service_account_id: Its id.
            name: New name, 1 to 80 UTF-8 bytes.

        Raises:
            PineconeValueError: Nothing to change is given.
            NotFoundError: The organization has no such service account.
        """
        body = UpdateServiceAccountRequest(name=name)
        return self._admin.send(update_service_account(service_account_id=service_account_id, body=body))

    def delete(self, *, service_account_id: str) -> None:
        """Delete a service account; its tokens stop working within seconds.

        Args:
            service_account_id: Its id.

        Raises:
            ConflictError: It holds the last OrgOwner role.
            NotFoundError: The organization has no such service account.
        """
        self._admin.send(delete_service_account(service_account_id=service_account_id))

    def rotate_secret(self, *, service_account_id: str) -> ServiceAccountWithSecret:
        """Give a service account a new secret, shown in this answer only; the old one stops working at once.

        Where it is the account that this client itself runs on, the client and its copies adopt the new secret and give
        up the old token. Store it all the same: what other processes have, and the next one is given, no longer works.

        Args:
            service_account_id: Its id.

        Raises:
            NotFoundError: The organization has no such service account.
            ServiceError: The server failed; where ``outcome`` is ``"unknown"``, the secret may have been rotated
                and lost: rotate again.
        """
        operation = rotate_service_account_secret(service_account_id=service_account_id)
        return self._admin.send(operation)

    def rotate(self, *, service_account_id: str, store: Callable[[ServiceAccountWithSecret], None]) -> ServiceAccount:
        """Give a service account a new secret and have it stored.

        There is no time in which both secrets work: the old one is dead before the new one is stored. Where the answer
        was lost, the secret is rotated again; of its own account a client cannot do that, so rotate that from another.

        Args:
            service_account_id: Its id.
            store: Keeps the new secret.

        Raises:
            SecretNotStoredError: ``store`` failed; ``error.secret.reveal()`` gives the new secret.
            NotFoundError: The organization has no such service account.
        """
        from pinecone_admin._sync.workflows.rotate import rotate_service_account  # noqa: PLC0415 - only who uses it pays

        return rotate_service_account(self._admin, service_account_id=service_account_id, store=store)
