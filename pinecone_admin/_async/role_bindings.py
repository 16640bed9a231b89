"""Methods of ``admin.role_bindings``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated_client import api, models
from generated_client.models import PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin import workflows
from pinecone_admin._async.pagination import AsyncPaginator
from pinecone_admin._concurrency.lazy import Namespace

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender


_FILTERS = ("principal_type", "principal_id", "resource_type", "resource_id", "role")


class AsyncRoleBindings(Namespace):
    """Grant, list, describe, change and revoke roles, as ``admin.role_bindings``.

    A role binding contains one role of one principal on one resource. It cannot be changed: ``change_role`` creates a
    new binding and deletes the old one. Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
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
    ) -> AsyncPaginator[RoleBinding]:
        """List the role bindings that match all filters, one page in each request.

        The list includes the bindings of API keys, which contain the roles of the keys. If your program deletes role
        bindings that it does not know, it must skip those with ``principal_type == "api_key"``. Otherwise it revokes
        the roles of the keys.

        If a proxy drops the filters, the list leaves out the role bindings that do not match.

        Args:
            principal_type: List only principals of this type.
            principal_id: List only this principal; requires ``principal_type``.
            resource_type: List only roles on the organization, or only roles on projects.
            resource_id: List only roles on this organization or project; requires ``resource_type``.
            role: List only this role.
            limit: Role bindings per page, 1 to 100; the server's default is 100.
            pagination_token: Token of the page to start with, from a page of the same list.

        Returns:
            The role bindings, which are fetched page by page during the iteration.

        Raises:
            PineconeValueError: An argument is out of range, or an id has no type with it. No request was sent.

        Example:
            >>> bindings = admin.role_bindings.list(role="OrgOwner")
            >>> owners = [binding.principal_id async for binding in bindings]
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
        return AsyncPaginator(self._sender, operation, filters=_FILTERS)

    async def create(
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
            role: Role to grant. It must be a role for this type of resource.
            resource_id: Id of the project. It is optional for a role on the organization.

        Returns:
            The new role binding.

        Raises:
            ConflictError: The same role binding exists, the invite was accepted, or an identity provider manages the
                person.
            ForbiddenError: Your account does not have the role, the plan does not include it, or an API key cannot have
                it.
            NotFoundError: There is no such principal or project, or your account cannot see it.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the role may have been granted. ``ensure``
                finds out whether it was.

        Example:
            >>> binding = await admin.role_bindings.create(
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
        return await self._admin.send(api.create_role_binding(body=body))

    async def ensure(
        self,
        *,
        principal_type: PrincipalType,
        principal_id: str,
        resource_type: ResourceType,
        role: RoleName,
        resource_id: str | None = None,
        dry_run: bool = False,
    ) -> workflows.Ensured[RoleBinding]:
        """Grant a role to a principal, unless the principal already has it.

        Args:
            principal_type: Type of the principal.
            principal_id: Id of the principal; a user must already be a member of the organization.
            resource_type: Whether the role is on the organization or on a project.
            role: Role to grant. It must be a role for this type of resource.
            resource_id: Id of the project. It is optional for a role on the organization.
            dry_run: Only read, and report what would be done.

        Returns:
            The role binding, whether this call created it, and the steps.

        Raises:
            ConflictError: The invite was accepted, or an identity provider manages the person. Or the role binding
                exists, and your account cannot see it.
            ForbiddenError: Your account does not have the role, the plan does not include it, or an API key cannot have
                it.
            NotFoundError: There is no such principal or project, or your account cannot see it.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.
            PineconeValueError: The role is missing, and ``resource_type`` is one that this package does not know.
                Nothing was changed.

        Example:
            >>> ensured = await admin.role_bindings.ensure(
            ...     principal_type="user",
            ...     principal_id=user.id,
            ...     resource_type="organization",
            ...     role="OrgMember",
            ... )
            >>> ensured.created
            False
        """
        from pinecone_admin._async.workflows.ensure_binding import ensure_role_binding  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "ensure_role_binding", dry_run=dry_run) as run:
            return await ensure_role_binding(
                run,
                principal_type=principal_type,
                principal_id=principal_id,
                resource_type=resource_type,
                resource_id=resource_id,
                role=role,
            )

    async def describe(self, *, role_binding_id: str) -> RoleBinding:
        """Return one role binding.

        Args:
            role_binding_id: Id of the role binding.

        Raises:
            NotFoundError: There is no role binding with this id, or your account cannot see it.

        Example:
            >>> binding = await admin.role_bindings.describe(role_binding_id=binding.id)
        """
        return await self._admin.send(api.fetch_role_binding(role_binding_id=role_binding_id))

    async def delete(self, *, role_binding_id: str) -> None:
        """Revoke a role by deleting its role binding.

        The client does not ask for confirmation, also if the role is one of the account that it uses. After that, calls
        that need the role raise ForbiddenError or NotFoundError, or return less. The account may then be unable to
        grant itself the role again.

        If the role is the only one of a user, the user may no longer be in the organization afterwards. No published
        document says what the server does then. The emulator removes the user.

        Args:
            role_binding_id: Id of the role binding.

        Raises:
            ConflictError: The binding is the last OrgOwner binding. Or it is the last organization role of a pending
                invite, or of a user who has other roles. Or an identity provider manages the person.
            NotFoundError: There is no role binding with this id, or your account cannot see it.

        Example:
            >>> await admin.role_bindings.delete(role_binding_id=binding.id)
        """
        await self._admin.send(api.delete_role_binding(role_binding_id=role_binding_id))

    async def change_role(
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
        """Replace a role of a principal: grant the new role, then revoke the old one.

        If the change was already made, the call succeeds. If the server refuses to revoke the old role, or this call is
        cancelled before that, the new role is revoked, provided that this call granted it. If revoking the old role
        fails for another reason, such as a lost connection, the principal may have both roles. The next run then
        finishes the change.

        Args:
            principal_type: Type of the principal.
            principal_id: Id of the principal.
            resource_type: Whether the roles are on the organization or on a project.
            from_role: Role to revoke.
            to_role: Role to grant.
            resource_id: Id of the project. It is optional for roles on the organization.
            allow_own: Also change a role of the service account that this client uses.
            client_id: Client id of this client's service account. You need it only if the client has an access token
                instead of credentials.
            dry_run: Only read, and report what would be done.

        Returns:
            The new role binding, and the steps.

        Raises:
            PineconeValueError: Both roles are the same. No request was sent.
            RefusedError: The old role is the OrgOwner role of the last user who has it. Or the roles belong to the
                account that this client uses, or may belong to it. They may if the client has only an access token, and
                ``client_id`` is None or no service account has it. Nothing was changed.
            NotFoundError: The principal has neither role, or your account cannot see it. Nothing was changed.
            ConflictError: The server refused to revoke the old role, and the new role was revoked. Or an identity
                provider manages the person.
            ForbiddenError: Your account does not have the new role, the plan does not include it, or an API key cannot
                have it.
            LeftoverError: The server refused to revoke the old role, and the new role could not be revoked, either.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> change = await admin.role_bindings.change_role(
            ...     principal_type="user",
            ...     principal_id=user.id,
            ...     resource_type="organization",
            ...     from_role="OrgMember",
            ...     to_role="OrgManager",
            ... )
            >>> change.binding.role
            'OrgManager'
        """
        from pinecone_admin._async.workflows.change_role import change_role  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "change_role", dry_run=dry_run) as run:
            return await change_role(
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
