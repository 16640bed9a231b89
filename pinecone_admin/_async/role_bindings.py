"""Role bindings: which principal holds which role on what; they never change, so a change is create, then delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated_client.api.role_bindings.create_role_binding import create_role_binding
from generated_client.api.role_bindings.delete_role_binding import delete_role_binding
from generated_client.api.role_bindings.fetch_role_binding import fetch_role_binding
from generated_client.api.role_bindings.list_role_bindings import list_role_bindings
from generated_client.models import (
    CreateRoleBindingRequest,
    PrincipalType,
    ResourceType,
    RoleBinding,
    RoleName,
)
from pinecone_admin._async.pagination import AsyncPaginator

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin.workflows.reports import Ensured, RoleChange


class AsyncRoleBindings:
    """Role bindings, as ``admin.role_bindings``."""

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin

    def list(
        self,
        *,
        principal_type: PrincipalType | None = None,
        principal_id: str | None = None,
        resource_type: ResourceType | None = None,
        resource_id: str | None = None,
        role: RoleName | None = None,
        limit: int | None = None,
        pagination_token: str | None = None,
    ) -> AsyncPaginator[RoleBinding]:
        """List role bindings that match every filter, page by page as they are read.

        Args:
            principal_type: Kind of the principal.
            principal_id: The principal; needs ``principal_type``.
            resource_type: Organization or project.
            resource_id: The resource; needs ``resource_type``.
            role: The role.
            limit: Bindings a page, 1 to 100; the server's default is 100.
            pagination_token: Where to resume, from a page of the same list.
        """
        operation = list_role_bindings(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
            limit=limit,
            pagination_token=pagination_token,
        )
        return AsyncPaginator(self._admin, operation)

    async def create(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        role: RoleName,
        resource_id: str | None = None,
    ) -> RoleBinding:
        """Grant a role.

        Args:
            principal_type: Kind of the principal.
            principal_id: Who gets it; a user must already be a member.
            resource_type: Organization or project.
            role: A role for that kind of resource.
            resource_id: The project; on the organization it may be left out.

        Raises:
            ConflictError: The same binding exists, or the invite was accepted.
            ForbiddenError: The caller does not hold the role, or the plan lacks it.
            NotFoundError: The organization has no such principal or project.
        """
        body = CreateRoleBindingRequest(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
        )
        return await self._admin.send(create_role_binding(body=body))

    async def ensure(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        role: RoleName,
        resource_id: str | None = None,
    ) -> Ensured[RoleBinding]:
        """Grant a role, unless it is held already.

        Args:
            principal_type: Kind of the principal.
            principal_id: Who gets it; a user must already be a member.
            resource_type: Organization or project.
            role: A role for that kind of resource.
            resource_id: The project; on the organization it may be left out.

        Raises:
            ForbiddenError: The caller does not hold the role, or the plan lacks it.
            NotFoundError: The organization has no such principal or project.
        """
        from pinecone_admin._async.workflows.ensure import ensure_role_binding  # noqa: PLC0415 - only who uses it pays

        return await ensure_role_binding(
            self._admin,
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
        )

    async def describe(self, *, role_binding_id: str) -> RoleBinding:
        """Fetch a role binding.

        Args:
            role_binding_id: Its id.

        Raises:
            NotFoundError: The organization has no such role binding.
        """
        return await self._admin.send(fetch_role_binding(role_binding_id=role_binding_id))

    async def delete(self, *, role_binding_id: str) -> None:
        """Take a role away.

        Args:
            role_binding_id: Id of the binding.

        Raises:
            ConflictError: It is the last OrgOwner, or the last organization role of a user with other roles or of
                a pending invite.
            NotFoundError: The organization has no such role binding.
        """
        await self._admin.send(delete_role_binding(role_binding_id=role_binding_id))

    async def change_role(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        from_role: RoleName,
        to_role: RoleName,
        resource_id: str | None = None,
    ) -> RoleChange:
        """Put one role of a principal in the place of another: the new one is granted, then the old one taken away.

        A change that was done already is a success. If the server refuses to take the old role away, a new one that
        this call granted is taken away again.

        Args:
            principal_type: Kind of the principal.
            principal_id: Whose role changes.
            resource_type: Organization or project.
            from_role: The role to take away.
            to_role: The role to grant.
            resource_id: The project; on the organization it may be left out.

        Raises:
            PineconeValueError: Both roles are the same.
            NotFoundError: The principal holds neither role.
            ConflictError: The old role is the last OrgOwner, or the last organization role of an invite.
            ForbiddenError: The caller does not hold the new role, or the plan lacks it.
            LeftoverError: The old role stays, and the new one could not be taken away again.
        """
        from pinecone_admin._async.workflows.change_role import change_role  # noqa: PLC0415 - only who uses it pays

        return await change_role(
            self._admin,
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            from_role=from_role,
            to_role=to_role,
        )
