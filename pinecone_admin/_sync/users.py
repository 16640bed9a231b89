# Derived from pinecone_admin/_async/users.py by scripts/unasync.py: change that, not this file.
"""Users: the people of the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated_client.api.users.delete_user import delete_user
from generated_client.api.users.fetch_user import fetch_user
from generated_client.api.users.list_users import list_users
from generated_client.models import User
from pinecone_admin._sync.pagination import Paginator

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


class Users:
    """Users, as ``admin.users``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(
        self, *, email: str | None = None, limit: int | None = None, pagination_token: str | None = None
    ) -> Paginator[User]:
        """List the users of the organization, page by page as they are read.

        Args:
            email: Only the user with this address, in any capitals; at most 254 characters.
            limit: Users a page, 1 to 100; the server's default is 100.
            pagination_token: Where to resume, from a page of the same list.
        """
        operation = list_users(email=email, limit=limit, pagination_token=pagination_token)
        return Paginator(self._admin, operation)

    def describe(self, *, user_id: str) -> User:
        """Fetch a user.

        Args:
            user_id: The user's id.

        Raises:
            NotFoundError: The organization has no such user.
        """
        return self._admin.send(fetch_user(user_id=user_id))

    def delete(self, *, user_id: str) -> None:
        """Remove a user from the organization, with all of the user's roles.

        Args:
            user_id: The user's id.

        Raises:
            ConflictError: The user is the last OrgOwner, or an identity provider manages the users.
            NotFoundError: The organization has no such user.
        """
        self._admin.send(delete_user(user_id=user_id))
