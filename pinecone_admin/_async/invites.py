"""Invites: how people become users; each lives for 7 days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from generated_client.api.invites.create_invite import create_invite
from generated_client.api.invites.delete_invite import delete_invite
from generated_client.api.invites.fetch_invite import fetch_invite
from generated_client.api.invites.list_invites import list_invites
from generated_client.api.invites.resend_invite import resend_invite
from generated_client.models import CreateInviteRequest, Invite, RoleBindingInput
from pinecone_admin._async.pagination import AsyncPaginator
from pinecone_admin._http.arguments import copy_bindings
from pinecone_admin.models import RoleBindingDict

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin.workflows.reports import Ensured


class AsyncInvites:
    """Invites, as ``admin.invites``."""

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin

    def list(self, *, limit: int | None = None, pagination_token: str | None = None) -> AsyncPaginator[Invite]:
        """List pending and expired invites, page by page as they are read; processed ones are found by id only.

        Args:
            limit: Invites a page, 1 to 100; the server's default is 100.
            pagination_token: Where to resume, from a page of this list.
        """
        return AsyncPaginator(self._admin, list_invites(limit=limit, pagination_token=pagination_token))

    async def create(self, *, email: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict]) -> Invite:
        """Invite somebody by mail.

        Args:
            email: Address, at most 254 characters.
            role_bindings: 1 to 100 roles that the user will have, as models or mappings, at least one of them on
                the organization; ``on_organization`` and ``on_project`` build them.

        Raises:
            ConflictError: An invite for the address is pending, or it belongs to a member.
            ForbiddenError: The caller does not hold a role that it would grant.
            RateLimitError: The organization's 100 invite mails an hour are used up.
        """
        body = CreateInviteRequest(email=email, role_bindings=copy_bindings(role_bindings))
        return await self._admin.send(create_invite(body=body))

    async def ensure(
        self, *, email: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict]
    ) -> Ensured[Invite]:
        """Give the pending invite for this address, created where there is none; an expired one is mailed again.

        Roles that differ are reported, not changed.

        Args:
            email: Address in any capitals, at most 254 characters.
            role_bindings: 1 to 100 roles that the user will have, as models or mappings, at least one of them on
                the organization.

        Raises:
            ConflictError: The address belongs to a member; told after five seconds, in which no list shows an invite.
            ForbiddenError: The caller does not hold a role that it would grant.
            RateLimitError: The organization's 100 invite mails an hour are used up.
        """
        from pinecone_admin._async.workflows.ensure import ensure_invite  # noqa: PLC0415 - only who uses it pays

        return await ensure_invite(self._admin, email=email, role_bindings=role_bindings)

    async def describe(self, *, invite_id: str) -> Invite:
        """Fetch an invite in any state.

        Args:
            invite_id: Its id.

        Raises:
            NotFoundError: The organization has no such invite.
        """
        return await self._admin.send(fetch_invite(invite_id=invite_id))

    async def delete(self, *, invite_id: str) -> None:
        """Withdraw an invite.

        Args:
            invite_id: Its id.

        Raises:
            ConflictError: It was accepted.
            NotFoundError: The organization has no such invite.
        """
        await self._admin.send(delete_invite(invite_id=invite_id))

    async def resend(self, *, invite_id: str) -> Invite:
        """Mail an invite again; it is pending for 7 days from now, also where it had expired.

        Args:
            invite_id: Its id.

        Raises:
            ConflictError: It was accepted.
            NotFoundError: The organization has no such invite.
            RateLimitError: The organization's 100 invite mails an hour are used up.
        """
        return await self._admin.send(resend_invite(invite_id=invite_id))
