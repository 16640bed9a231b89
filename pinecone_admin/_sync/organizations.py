# Derived from pinecone_admin/_async/organizations.py by scripts/unasync.py: change that, not this file.
"""Methods of ``admin.organizations``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from generated_client import api, models
from generated_client.models import Organization
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._sync.pagination import fetch_all

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.sender import Sender

AllOrganizations: TypeAlias = list[Organization]


class Organizations(Namespace):
    """List, describe, rename and delete organizations, as ``admin.organizations``.

    Every method also raises the errors of ``Admin.send``.
    """

    def __init__(self, admin: Admin, sender: Sender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self) -> AllOrganizations:
        """List all organizations that your account belongs to.

        Returns:
            The complete list.

        Example:
            >>> [found.name for found in admin.organizations.list()]
        """
        return fetch_all(self._sender, api.list_organizations())

    def describe(self, *, organization_id: str) -> Organization:
        """Fetch one organization.

        Args:
            organization_id: Id of the organization.

        Raises:
            NotFoundError: There is no organization with this id, or your account does not belong to it.

        Example:
            >>> organization = admin.organizations.describe(organization_id=organization.id)
            >>> organization.plan
            'Enterprise'
        """
        return self._admin.send(api.fetch_organization(organization_id=organization_id))

    def update(self, *, organization_id: str, name: str) -> Organization:
        """Rename an organization.

        Args:
            organization_id: Id of the organization.
            name: New name, 1 to 512 characters without NUL.

        Returns:
            The organization with its new name.

        Raises:
            NotFoundError: There is no organization with this id, or your account does not belong to it.

        Example:
            >>> organization = admin.organizations.update(
            ...     organization_id=organization.id, name="harbour"
            ... )
        """
        body = models.UpdateOrganizationRequest(name=name)
        return self._admin.send(api.update_organization(organization_id=organization_id, body=body))

    def delete(self, *, organization_id: str) -> None:
        """Delete an organization. This cannot be undone.

        Args:
            organization_id: Id of the organization.

        Raises:
            FailedPreconditionError: The organization is not on the Free plan, is not Active, or still has projects.
            NotFoundError: There is no organization with this id, or your account does not belong to it.

        Example:
            >>> try:
            ...     admin.organizations.delete(organization_id=organization.id)
            ... except FailedPreconditionError as error:  # for example, because it still has projects
            ...     print(error.message)
        """
        self._admin.send(api.delete_organization(organization_id=organization_id))
