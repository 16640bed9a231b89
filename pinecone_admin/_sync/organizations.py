# Derived from pinecone_admin/_async/organizations.py by scripts/unasync.py: change that, not this file.
"""Organizations: see and rename the one that the caller belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from generated_client.api.organizations.delete_organization import delete_organization
from generated_client.api.organizations.fetch_organization import fetch_organization
from generated_client.api.organizations.list_organizations import list_organizations
from generated_client.api.organizations.update_organization import update_organization
from generated_client.models import Organization, UpdateOrganizationRequest
from pinecone_admin._sync.pagination import Paginator

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

AllOrganizations: TypeAlias = list[Organization]


class Organizations:
    """Organizations, as ``admin.organizations``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(self) -> AllOrganizations:
        """List the organizations that the caller belongs to, completely."""
        return Paginator[Organization](self._admin, list_organizations()).to_list()

    def describe(self, *, organization_id: str) -> Organization:
        """Fetch an organization.

        Args:
            organization_id: Its id.

        Raises:
            NotFoundError: The caller does not belong to such an organization.
        """
        return self._admin.send(fetch_organization(organization_id=organization_id))

    def update(self, *, organization_id: str, name: str) -> Organization:
        """Rename an organization.

        Args:
            organization_id: Its id.
            name: New name, 1 to 512 characters.

        Raises:
            NotFoundError: The caller does not belong to such an organization.
        """
        body = UpdateOrganizationRequest(name=name)
        return self._admin.send(update_organization(organization_id=organization_id, body=body))

    def delete(self, *, organization_id: str) -> None:
        """Delete an organization.

        Args:
            organization_id: Its id.

        Raises:
            FailedPreconditionError: It is not on the Free plan, not Active, or still has projects.
            NotFoundError: The caller does not belong to such an organization.
        """
        self._admin.send(delete_organization(organization_id=organization_id))
