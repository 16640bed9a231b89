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

    An invite is pending for 7 days. Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self, *, limit: int | None = None, pagination_token: str | None = None) -> AsyncPaginator[Invite]:
        """List the pending and expired invites, one page per request.

        Accepted invites are not listed; ``describe`` finds them by id.

        Args:
            limit: Invites per page, 1 to 100; the server's default is 100.
            pagination_token: Token at which to resume, from a page of this list.

        Returns:
            The invites, fetched while they are iterated over.

        Raises:
            PineconeValueError: An argument is out of range; nothing was sent.

        Example:
            >>> [each.email async for each in admin.invites.list()]
            ['bob@example.com']
        """
        return AsyncPaginator(self._sender, api.list_invites(limit=limit, pagination_token=pagination_token))

    async def create(
        self, *, email: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike]
    ) -> Invite:
        """Invite a person by email.

        Args:
            email: Email address, at most 254 characters.
            role_bindings: 1 to 100 roles that the user will have, as models, mappings or objects with the same three
                attributes; at least one must be on the organization. ``on_organization`` and ``on_project`` build them.

        Returns:
            The new invite.

        Raises:
            ConflictError: An invite for the address is pending, or expired and can be resent or deleted; a member of
                the organization has the address; or an identity provider manages the person.
            ForbiddenError: The plan allows no further user or does not have a role, or the caller does not hold one
                that it would grant.
            RateLimitError: The organization has sent its 100 invite emails for this hour.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the invite may have been sent: look for it
                before you create it again.

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
        """Return the pending invite for this address, and create it if there is none.

        An expired invite is sent again, with the roles that it carries; ``"update"`` changes these first. An invite
        that was sent is kept, even if this call is cancelled.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.
            role_bindings: 1 to 100 roles that the user will have, as models, mappings or objects with the same three
                attributes; at least one must be on the organization. ``on_organization`` and ``on_project`` build them.
            on_difference: What to do if the roles of a pending or expired invite differ: ``"report"`` them,
                ``"raise"``, or ``"update"``, which grants the missing ones.
            revoke_unlisted: Also revoke the roles that are not in ``role_bindings``, after granting; only with
                ``"update"``.
            dry_run: Only report what would be done.

        Returns:
            The invite, whether this call created it or sent it again, all roles that were found, if they are not
            exactly these, and what was done.

        Raises:
            AmbiguousNameError: Several invites for the address are pending; ``ids`` lists them.
            RefusedError: The roles differ, and ``on_difference`` is ``"raise"``; nothing was changed.
            ConflictError: A member of the organization has the address, which is raised after the invites were listed
                for five seconds without a match; or an identity provider manages the person.
            ForbiddenError: The plan allows no further user or does not have a role, or the caller does not hold one
                that it would grant.
            RateLimitError: The organization has sent its 100 invite emails for this hour.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> ensured = await admin.invites.ensure(
            ...     email="bob@example.com", role_bindings=[on_organization("OrgMember")]
            ... )
            >>> ensured.created
            False
        """
        from pinecone_admin._async.workflows.ensure import ensure_invite  # noqa: PLC0415 - imported on first use
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
        """Fetch one invite in any state.

        Args:
            invite_id: Id of the invite.

        Raises:
            NotFoundError: The account sees no invite with this id.

        Example:
            >>> invite = await admin.invites.describe(invite_id=invite.id)
        """
        return await self._admin.send(api.fetch_invite(invite_id=invite_id))

    async def describe_by_email(self, *, email: str) -> Invite:
        """Find the pending or expired invite for this email address.

        Accepted invites are not found: they are not listed.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.

        Raises:
            PineconeValueError: This is not an email address; nothing was sent.
            NotFoundError: No pending or expired invite is for the address.
            AmbiguousNameError: Several invites are for the address; ``ids`` lists them.

        Example:
            >>> invite = await admin.invites.describe_by_email(email="bob@example.com")
        """
        with set_operation_on_errors("describe_by_email"):
            check_email("email", email)
        return find_by_email(email, await self.list().to_list(), noun="invite", operation="describe_by_email")

    async def delete(self, *, invite_id: str) -> None:
        """Withdraw an invite.

        Args:
            invite_id: Id of the invite.

        Raises:
            ConflictError: The invite was accepted, or an identity provider manages the person.
            NotFoundError: The account sees no invite with this id.

        Example:
            >>> await admin.invites.delete(invite_id=invite.id)
        """
        await self._admin.send(api.delete_invite(invite_id=invite_id))

    async def resend(self, *, invite_id: str) -> Invite:
        """Send an invite again, which makes it pending for 7 days from now, even if it had expired.

        Args:
            invite_id: Id of the invite.

        Returns:
            The pending invite.

        Raises:
            ConflictError: The invite was accepted, or an identity provider manages the person.
            ForbiddenError: The plan allows no further user.
            NotFoundError: The account sees no invite with this id.
            RateLimitError: The organization has sent its 100 invite emails for this hour.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the invite may have been sent again.

        Example:
            >>> invite = await admin.invites.resend(invite_id=invite.id)
        """
        return await self._admin.send(api.resend_invite(invite_id=invite_id))
