"""Users: the people of the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated_client.api.users.delete_user import delete_user
from generated_client.api.users.fetch_user import fetch_user
from generated_client.api.users.list_users import list_users
from generated_client.models import User
from pinecone_admin._async.pagination import AsyncPaginator

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin.workflows.reports import OffboardReport


class AsyncUsers:
    """Users, as ``admin.users``."""

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin

    def list(
        self, *, email: str | None = None, limit: int | None = None, pagination_token: str | None = None
    ) -> AsyncPaginator[User]:
        """List the users of the organization, page by page as they are read.

        Args:
            email: Only the user with this address, in any capitals; at most 254 characters.
            limit: Users a page, 1 to 100; the server's default is 100.
            pagination_token: Where to resume, from a page of the same list.
        """
        operation = list_users(email=email, limit=limit, pagination_token=pagination_token)
        return AsyncPaginator(self._admin, operation)

    async def describe(self, *, user_id: str) -> User:
        """Fetch a user.

        Args:
            user_id: The user's id.

        Raises:
            NotFoundError: The organization has no such user.
        """
        return await self._admin.send(fetch_user(user_id=user_id))

    async def delete(self, *, user_id: str) -> None:
        """Remove a user from the organization, with all of the user's roles.

        Args:
            user_id: The user's id.

        Raises:
            ConflictError: The user is the last OrgOwner, or an identity provider manages the users.
            NotFoundError: The organization has no such user.
        """
        await self._admin.send(delete_user(user_id=user_id))

    async def offboard(self, *, email: str, dry_run: bool = True) -> OffboardReport:
        """Remove somebody with all invites and roles, and say what they could reach and which secrets they may know.

        Nothing changes unless ``dry_run=False``. A run that died is finished by the next one. The report is part of the
        work: the keys and service accounts in it want rotating.

        Args:
            email: Address of the user, in any capitals.
            dry_run: Only say what would be done; ``refusal`` says why it would not.

        Raises:
            RefusedError: The user is the last owner, which is seen before the first change; or an identity provider
                manages the users.
        """
        from pinecone_admin._async.workflows.offboard import offboard  # noqa: PLC0415 - only who uses it pays

        return await offboard(self._admin, email=email, dry_run=dry_run)
