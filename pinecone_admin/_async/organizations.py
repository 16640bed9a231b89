"""Methods of ``admin.organizations``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from generated_client import api, models
from generated_client.models import Organization
from pinecone_admin._async.pagination import AsyncCompleteList
from pinecone_admin._concurrency.lazy import Namespace

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender

AllOrganizations: TypeAlias = AsyncCompleteList[Organization]


class AsyncOrganizations(Namespace):
    """List, describe, rename and delete organizations, as ``admin.organizations``.

    Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self) -> AllOrganizations:
        """List all organizations that your account belongs to.

        Returns:
            The complete list.

        Example:
            >>> [found.name for found in await admin.organizations.list()]
        """
        return AsyncCompleteList(self._sender, api.list_organizations())

    async def describe(self, *, organization_id: str) -> Organization:
        """Fetch one organization.

        Args:
            organization_id: Id of the organization.

        Raises:
            NotFoundError: There is no organization with this id, or your account does not belong to it.

        Example:
            >>> organization = await admin.organizations.describe(organization_id=organization.id)
            >>> organization.plan
            'Enterprise'
        """
        return await self._admin.send(api.fetch_organization(organization_id=organization_id))

    async def update(self, *, organization_id: str, name: str) -> Organization:
        """Rename an organization.

        Args:
            organization_id: Id of the organization.
            name: New name, 1 to 512 characters without NUL.

        Returns:
            The organization with its new name.

        Raises:
            NotFoundError: There is no organization with this id, or your account does not belong to it.

        Example:
            >>> organization = await admin.organizations.update(
            ...     organization_id=organization.id, name="harbour"
            ... )
        """
        body = models.UpdateOrganizationRequest(name=name)
        return await self._admin.send(api.update_organization(organization_id=organization_id, body=body))

    async def delete(self, *, organization_id: str) -> None:
        """Delete an organization. This cannot be undone.

        Args:
            organization_id: Id of the organization.

        Raises:
            FailedPreconditionError: The organization is not on the Free plan, is not Active, or still has projects.
            NotFoundError: There is no organization with this id, or your account does not belong to it.

        Example:
            >>> try:
            ...     await admin.organizations.delete(organization_id=organization.id)
            ... except FailedPreconditionError as error:  # for example, because it still has projects
            ...     print(error.message)
        """
        await self._admin.send(api.delete_organization(organization_id=organization_id))
