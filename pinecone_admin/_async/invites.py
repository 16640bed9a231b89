"""Methods of ``admin.invites``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from generated_client import api, models
from generated_client.models import Invite, RoleBindingInput
from pinecone_admin import workflows
from pinecone_admin._async.pagination import AsyncPaginator
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.argument_checks import check_email, copy_bindings, set_operation_on_errors
from pinecone_admin._http.lookup import find_by_email
from pinecone_admin.models import RoleBindingDict, RoleBindingLike

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender


class AsyncInvites(Namespace):
    """Create, list, describe, resend and withdraw invites, as ``admin.invites``.

    By the API description, an invite is valid for 7 days. Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self, *, limit: int | None = None, pagination_token: str | None = None) -> AsyncPaginator[Invite]:
        """List the pending and expired invites, one page in each request.

        The list contains no accepted invites. ``describe`` returns them by their id.

        Args:
            limit: Invites per page, 1 to 100; the server's default is 100.
            pagination_token: Token of the page to start with, from a page of this list.

        Returns:
            The invites, which are fetched page by page during the iteration.

        Raises:
            PineconeValueError: An argument is out of range. No request was sent.

        Example:
            >>> [invite.email async for invite in admin.invites.list()]
            ['bob@example.com']
        """
        return AsyncPaginator(self._sender, api.list_invites(limit=limit, pagination_token=pagination_token))

    async def create(
        self, *, email: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike]
    ) -> Invite:
        """Invite a person by email.

        Args:
            email: Email address, at most 254 characters.
            role_bindings: 1 to 100 roles for the user, as models, mappings or objects with the same three attributes.
                At least one must be on the organization. ``on_organization`` and ``on_project`` create them.

        Returns:
            The new invite.

        Raises:
            ConflictError: There is a pending invite for the address, or an expired one, which you can resend or delete.
                Or a member of the organization has the address, or an identity provider manages the person.
            ForbiddenError: The plan allows no further user or does not include one of the roles, or your account does
                not have a role that it would grant.
            NotFoundError: A role is on a project that does not exist, or that your account cannot see.
            RateLimitError: The organization has sent 100 invite emails within an hour. This is the limit in the API
                description.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the invite may have been sent. Check whether
                it exists before you create it again.

        Example:
            >>> invite = await admin.invites.create(
            ...     email="eve@example.com",
            ...     role_bindings=[
            ...         on_organization("OrgMember"), on_project(project.id, "ProjectViewer")
            ...     ],
            ... )
            >>> invite.status
            'pending'
        """
        body = models.CreateInviteRequest(email=email, role_bindings=copy_bindings(role_bindings))
        return await self._admin.send(api.create_invite(body=body))

    async def ensure(
        self,
        *,
        email: str,
        role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
        on_difference: workflows.OnDifference = "report",
        revoke_unlisted: bool = False,
        dry_run: bool = False,
    ) -> workflows.Ensured[Invite]:
        """Return the pending invite for this email address. If there is none, create it.

        An invite that cannot be accepted any more, such as an expired one, is sent again if it has exactly these roles.
        Otherwise it is deleted and replaced, because it would grant its own roles. An invite that was sent is kept,
        even if this call is cancelled.

        If a role of an earlier invite cannot be granted, this call revokes the roles that it granted before. Once it
        revokes other roles, the granted roles are kept. An invite that it deleted stays deleted.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.
            role_bindings: 1 to 100 roles for the user, as models, mappings or objects with the same three attributes.
                At least one must be on the organization. ``on_organization`` and ``on_project`` create them.
            on_difference: What to do if a pending invite has other roles: ``"report"`` lists the difference in the
                result, ``"raise"`` raises RefusedError, and ``"update"`` grants the missing roles.
            revoke_unlisted: After granting, also revoke every role that is not in ``role_bindings``; only with
                ``"update"``.
            dry_run: Only read, and report what would be done.

        Returns:
            The invite, whether this call created it or sent it again, the difference if its roles are not exactly
            these, and the steps.

        Raises:
            AmbiguousNameError: Several invites for the address are pending. ``ids`` lists them.
            RefusedError: The roles differ, and ``on_difference`` is ``"raise"``. Nothing was changed.
            ConflictError: A member of the organization has the address. Before this is raised, the invites are listed
                for five seconds, because a new invite may appear late. Or an identity provider manages the person.
            ForbiddenError: The plan allows no further user or does not include one of the roles, or your account does
                not have a role that it would grant.
            NotFoundError: A role is on a project that does not exist, or that your account cannot see.
            RateLimitError: The organization has sent 100 invite emails within an hour. An expired invite with other
                roles was already deleted.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> ensured = await admin.invites.ensure(
            ...     email="bob@example.com", role_bindings=[on_organization("OrgMember")]
            ... )
            >>> ensured.created
            False
        """
        from pinecone_admin._async.workflows.ensure_invite import ensure_invite  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "ensure_invite", dry_run=dry_run) as run:
            return await ensure_invite(
                run,
                email=email,
                role_bindings=role_bindings,
                on_difference=on_difference,
                revoke_unlisted=revoke_unlisted,
            )

    async def describe(self, *, invite_id: str) -> Invite:
        """Return one invite in any state.

        Args:
            invite_id: Id of the invite.

        Raises:
            NotFoundError: There is no invite with this id, or your account cannot see it.

        Example:
            >>> invite = await admin.invites.describe(invite_id=invite.id)
        """
        return await self._admin.send(api.fetch_invite(invite_id=invite_id))

    async def describe_by_email(self, *, email: str) -> Invite:
        """Return the pending or expired invite for this email address.

        Accepted invites are not found, because the server does not list them.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.

        Raises:
            PineconeValueError: The value is not an email address. No request was sent.
            NotFoundError: There is no pending or expired invite for the address.
            AmbiguousNameError: There are several invites for the address. ``ids`` lists them.

        Example:
            >>> invite = await admin.invites.describe_by_email(email="bob@example.com")
        """
        with set_operation_on_errors("describe_by_email"):
            check_email("email", email)
        return find_by_email(email, await self.list().to_list(), noun="invite", operation="describe_by_email")

    async def delete(self, *, invite_id: str) -> None:
        """Withdraw an invite. Nobody can accept it after that.

        Args:
            invite_id: Id of the invite.

        Raises:
            ConflictError: The invite was accepted, or an identity provider manages the person.
            NotFoundError: There is no invite with this id, or your account cannot see it.

        Example:
            >>> await admin.invites.delete(invite_id=invite.id)
        """
        await self._admin.send(api.delete_invite(invite_id=invite_id))

    async def resend(self, *, invite_id: str) -> Invite:
        """Send an invite again. It is then pending for 7 days from now, even if it had expired.

        Args:
            invite_id: Id of the invite.

        Returns:
            The pending invite.

        Raises:
            ConflictError: The invite was accepted, or an identity provider manages the person.
            ForbiddenError: The plan allows no further user.
            NotFoundError: There is no invite with this id, or your account cannot see it.
            RateLimitError: The organization has sent 100 invite emails within an hour.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the invite may have been sent again.

        Example:
            >>> invite = await admin.invites.resend(invite_id=invite.id)
        """
        return await self._admin.send(api.resend_invite(invite_id=invite_id))
