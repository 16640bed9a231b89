# Derived from pinecone_admin/_async/role_bindings.py by scripts/unasync.py: change that, not this file.
"""Methods of ``admin.role_bindings``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated_client import api, models
from generated_client.models import PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin import workflows
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._sync.pagination import Paginator

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.sender import Sender


class RoleBindings(Namespace):
    """Grant, list, describe, change and revoke roles, as ``admin.role_bindings``.

    A role binding says which principal holds which role on which resource. It cannot be changed: ``change_role``
    creates a new one and deletes the old one. Every method also raises the errors of ``Admin.send``.
    """

    def __init__(self, admin: Admin, sender: Sender) -> None:
        self._admin = admin
        self._sender = sender

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
    ) -> Paginator[RoleBinding]:
        """List the role bindings that match all filters, one page per request.

        The list includes the bindings of API keys, which hold the roles of the keys. A program that deletes every
        binding that it does not know would take the roles from the keys: skip ``principal_type == "api_key"``, or
        filter by ``principal_type``.

        Args:
            principal_type: Only principals of this type.
            principal_id: Only this principal; requires ``principal_type``.
            resource_type: Only roles on the organization, or only roles on projects.
            resource_id: Only this organization or project; requires ``resource_type``.
            role: Only this role.
            limit: Role bindings per page, 1 to 100; the server's default is 100.
            pagination_token: Token at which to resume, from a page of the same list.

        Returns:
            The role bindings, fetched while they are iterated over.

        Raises:
            PineconeValueError: An argument is out of range, or an id has no type beside it; nothing was sent.

        Example:
            >>> owners = [each.principal_id for each in admin.role_bindings.list(role="OrgOwner")]
        """
        operation = api.list_role_bindings(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
            limit=limit,
            pagination_token=pagination_token,
        )
        return Paginator(self._sender, operation)

    def create(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        role: RoleName,
        resource_id: str | None = None,
    ) -> RoleBinding:
        """Grant a role to a principal.

        Args:
            principal_type: Type of the principal.
            principal_id: Id of the principal; a user must already be a member of the organization.
            resource_type: Whether the role is on the organization or on a project.
            role: Role to grant; it must be one for this type of resource.
            resource_id: Id of the project; optional for a role on the organization.

        Returns:
            The new role binding.

        Raises:
            ConflictError: The same role binding exists, the invite was accepted, or an identity provider manages the
                person.
            ForbiddenError: The caller does not hold the role, or the plan does not have it.
            NotFoundError: The account sees no such principal or project.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the role may have been granted; ``ensure``
                finds that out.

        Example:
            >>> binding = admin.role_bindings.create(
            ...     principal_type="user",
            ...     principal_id=user.id,
            ...     resource_type="project",
            ...     resource_id=project.id,
            ...     role="ProjectViewer",
            ... )
        """
        body = models.CreateRoleBindingRequest(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
        )
        return self._admin.send(api.create_role_binding(body=body))

    def ensure(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        role: RoleName,
        resource_id: str | None = None,
        dry_run: bool = False,
    ) -> workflows.Ensured[RoleBinding]:
        """Grant a role to a principal, unless the principal already holds it.

        Args:
            principal_type: Type of the principal.
            principal_id: Id of the principal; a user must already be a member of the organization.
            resource_type: Whether the role is on the organization or on a project.
            role: Role to grant; it must be one for this type of resource.
            resource_id: Id of the project; optional for a role on the organization.
            dry_run: Only report what would be done.

        Returns:
            The role binding, whether this call created it, and what was done.

        Raises:
            ConflictError: The invite was accepted, an identity provider manages the person, or the account does not see
                the role binding that exists.
            ForbiddenError: The caller does not hold the role, or the plan does not have it.
            NotFoundError: The account sees no such principal or project.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> ensured = admin.role_bindings.ensure(
            ...     principal_type="user",
            ...     principal_id=user.id,
            ...     resource_type="organization",
            ...     role="OrgMember",
            ... )
            >>> ensured.created
            False
        """
        from pinecone_admin._sync.workflows.ensure_binding import ensure_role_binding  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "ensure_role_binding", dry_run=dry_run) as run:
            return ensure_role_binding(
                run,
                principal_type=principal_type,
                principal_id=principal_id,
                resource_type=resource_type,
                resource_id=resource_id,
                role=role,
            )

    def describe(self, *, role_binding_id: str) -> RoleBinding:
        """Fetch one role binding.

        Args:
            role_binding_id: Id of the role binding.

        Raises:
            NotFoundError: The account sees no role binding with this id.

        Example:
            >>> binding = admin.role_bindings.describe(role_binding_id=binding.id)
        """
        return self._admin.send(api.fetch_role_binding(role_binding_id=role_binding_id))

    def delete(self, *, role_binding_id: str) -> None:
        """Revoke a role by deleting its role binding.

        Nothing asks back if it is a role of the account that the client itself authenticates as. From then on, calls
        that need the role end in a ForbiddenError or a NotFoundError, or return less, and that account may not be able
        to grant the role again.

        Args:
            role_binding_id: Id of the role binding.

        Raises:
            ConflictError: It is the last OrgOwner, or the last organization role of a user with other roles or of a
                pending invite, or an identity provider manages the person.
            NotFoundError: The account sees no role binding with this id.

        Example:
            >>> admin.role_bindings.delete(role_binding_id=binding.id)
        """
        self._admin.send(api.delete_role_binding(role_binding_id=role_binding_id))

    def change_role(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        from_role: RoleName,
        to_role: RoleName,
        resource_id: str | None = None,
        allow_own: bool = False,
        client_id: str | None = None,
        dry_run: bool = False,
    ) -> workflows.RoleChange:
        """Replace one role of a principal: grant the new role, then revoke the old one.

        A change that was already made counts as success. If the server refuses to revoke the old role, or this call is
        cancelled before it is revoked, the new role is revoked again, provided that this call granted it. If revoking
        fails otherwise, as without a connection, the principal may have both roles until the next run completes the
        change.

        Args:
            principal_type: Type of the principal.
            principal_id: Id of the principal.
            resource_type: Whether the roles are on the organization or on a project.
            from_role: Role to revoke.
            to_role: Role to grant.
            resource_id: Id of the project; optional for roles on the organization.
            allow_own: Also change a role of the service account as which this client authenticates.
            client_id: Client id of this client's service account, if the client has a token in place of credentials.
            dry_run: Only report what would be done.

        Returns:
            The new role binding, and what was done.

        Raises:
            PineconeValueError: Both roles are the same; nothing was sent.
            RefusedError: The old role is that of the last user who is an OrgOwner, or one of the account as which this
                client authenticates, or may be: a token does not show whose it is. Nothing was changed.
            NotFoundError: The principal holds neither role, or the account does not see it; nothing was changed.
            ConflictError: The server refuses to revoke the old role, so that the new one is revoked again; or an
                identity provider manages the person.
            ForbiddenError: The caller does not hold the new role, or the plan does not have it.
            LeftoverError: The server refused to revoke the old role, and the new one could not be revoked, either.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> change = admin.role_bindings.change_role(
            ...     principal_type="user",
            ...     principal_id=user.id,
            ...     resource_type="organization",
            ...     from_role="OrgMember",
            ...     to_role="OrgManager",
            ... )
            >>> change.binding.role
            'OrgManager'
        """
        from pinecone_admin._sync.workflows.change_role import change_role  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "change_role", dry_run=dry_run) as run:
            return change_role(
                run,
                principal_type=principal_type,
                principal_id=principal_id,
                resource_type=resource_type,
                resource_id=resource_id,
                from_role=from_role,
                to_role=to_role,
                allow_own=allow_own,
                client_id=client_id,
            )
