"""API keys: what applications read and write a project with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from generated_client.api.api_keys.create_api_key import create_api_key
from generated_client.api.api_keys.delete_api_key import delete_api_key
from generated_client.api.api_keys.fetch_api_key import fetch_api_key
from generated_client.api.api_keys.list_project_api_keys import list_project_api_keys
from generated_client.api.api_keys.update_api_key import update_api_key
from generated_client.models import (
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    CreateAPIKeyRequest,
    UpdateAPIKeyRequest,
)
from pinecone_admin._async.pagination import AsyncPaginator
from pinecone_admin._http.arguments import copy_to_list

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin.workflows.reports import Ensured, Rotation

AllAPIKeys: TypeAlias = list[APIKey]


class AsyncAPIKeys:
    """API keys, as ``admin.api_keys``."""

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin

    async def list(self, *, project_id: str) -> AllAPIKeys:
        """List the keys of a project, completely and without their values.

        Args:
            project_id: Id of the project.
        """
        operation = list_project_api_keys(project_id=project_id)
        return await AsyncPaginator[APIKey](self._admin, operation).to_list()

    async def create(
        self, *, project_id: str, name: str, roles: Sequence[APIKeyRole] | None = None
    ) -> APIKeyWithSecret:
        """Create a key. Its ``value`` is in this answer and never shown again.

        Args:
            project_id: Id of the project it opens.
            name: 1 to 80 characters.
            roles: What it may do; the server's default is ProjectEditor.

        Raises:
            ForbiddenError: The plan allows no further key in the project, or not this role.
            NotFoundError: The organization has no such project.
            ServiceError: The server failed; where ``outcome`` is ``"unknown"``, a key may exist whose value is lost.
        """
        body = CreateAPIKeyRequest(name=name, roles=copy_to_list(roles))
        return await self._admin.send(create_api_key(project_id=project_id, body=body))

    async def ensure(
        self,
        *,
        project_id: str,
        name: str,
        roles: Sequence[APIKeyRole] | None = None,
        store: Callable[[APIKeyWithSecret], Awaitable[None] | None] | None = None,
    ) -> Ensured[APIKeyWithSecret | APIKey]:
        """Give the key of this name in a project, created where there is none.

        The value of a key that exists cannot be had: the result holds an ``APIKeyWithSecret`` only where it was
        created. A new key has the name only once ``store`` has its value; where a run dies before, the next one makes
        another. Roles that differ are reported, not changed. Two processes that do this at the same moment can still
        make two keys, or one can delete the new key of the other: let one do it.

        Args:
            project_id: Id of the project it opens.
            name: 1 to 80 characters.
            roles: What it may do; the server's default is ProjectEditor.
            store: Keeps the value of a new key, before the key gets its name. If it raises, it must not have kept it:
                the key is deleted.

        Raises:
            AmbiguousNameError: Several have the name; ``ids`` holds all of them.
            ForbiddenError: The plan allows no further key in the project, or not this role.
            LeftoverError: ``store`` failed, or without one the naming, and the key could not be deleted.
            NotFoundError: The organization has no such project; or another process deleted the new key.
        """
        from pinecone_admin._async.workflows.ensure_with_secret import ensure_api_key  # noqa: PLC0415 - only who uses it pays

        return await ensure_api_key(self._admin, project_id=project_id, name=name, roles=roles, store=store)

    async def describe(self, *, api_key_id: str) -> APIKey:
        """Fetch a key without its value.

        Args:
            api_key_id: Its id.

        Raises:
            NotFoundError: The organization has no such key.
        """
        return await self._admin.send(fetch_api_key(api_key_id=api_key_id))

    async def update(
        self, *, api_key_id: str, name: str | None = None, roles: Sequence[APIKeyRole] | None = None
    ) -> APIKey:
        """Change a key; what is None stays as it is.

        Args:
            api_key_id: Its id.
            name: New name, 1 to 80 characters.
            roles: All roles that it shall have, in place of those it has.

        Raises:
            PineconeValueError: Nothing to change is given.
            NotFoundError: The organization has no such key.
        """
        body = UpdateAPIKeyRequest(name=name, roles=copy_to_list(roles))
        return await self._admin.send(update_api_key(api_key_id=api_key_id, body=body))

    async def delete(self, *, api_key_id: str) -> None:
        """Delete a key, which stops working.

        Args:
            api_key_id: Its id.

        Raises:
            NotFoundError: The organization has no such key.
        """
        await self._admin.send(delete_api_key(api_key_id=api_key_id))

    async def rotate(
        self, *, api_key_id: str, store: Callable[[APIKeyWithSecret], Awaitable[None] | None], grace: float = 0.0
    ) -> Rotation:
        """Put a new key in the place of an old one, with the same name and roles.

        The new key is made, ``store`` has its value, it takes the name of the old one, and after the grace the old
        one is deleted. Until then names tell how far it is: a run that died is finished, or cleared and begun again,
        by the next one. After a rotation that was finished, the old id is not found. Rotate a key from one process at
        a time: two can leave two new keys, or one can delete the other's.

        Args:
            api_key_id: Id of the old key.
            store: Keeps the value of the new key. If it raises, it must not have kept it: the new key is deleted, and
                the old one stays.
            grace: Seconds in which both keys work, from 0.

        Raises:
            RefusedError: The key is itself one that a rotation under way has made.
            ForbiddenError: The plan allows no further key in the project.
            LeftoverError: ``store`` failed, and the new key could not be deleted.
            NotFoundError: The organization has no such key; or another process deleted the new one.
        """
        from pinecone_admin._async.workflows.rotate import rotate_api_key  # noqa: PLC0415 - only who uses it pays

        return await rotate_api_key(self._admin, api_key_id=api_key_id, store=store, grace=grace)
