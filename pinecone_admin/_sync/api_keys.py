# Derived from pinecone_admin/_async/api_keys.py by scripts/unasync.py: change that, not this file.
"""API keys: what applications read and write a project with."""

from __future__ import annotations

from collections.abc import Sequence
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
from pinecone_admin._lookup import as_list
from pinecone_admin._sync.pagination import Paginator

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

AllAPIKeys: TypeAlias = list[APIKey]


class APIKeys:
    """API keys, as ``admin.api_keys``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(self, *, project_id: str) -> AllAPIKeys:
        """List the keys of a project, completely and without their values.

        Args:
            project_id: Id of the project.
        """
        operation = list_project_api_keys(project_id=project_id)
        return Paginator[APIKey](self._admin, operation).to_list()

    def create(self, *, project_id: str, name: str, roles: Sequence[APIKeyRole] | None = None) -> APIKeyWithSecret:
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
        body = CreateAPIKeyRequest(name=name, roles=as_list(roles))
        return self._admin.send(create_api_key(project_id=project_id, body=body))

    def describe(self, *, api_key_id: str) -> APIKey:
        """Fetch a key without its value.

        Args:
            api_key_id: Its id.

        Raises:
            NotFoundError: The organization has no such key.
        """
        return self._admin.send(fetch_api_key(api_key_id=api_key_id))

    def update(self, *, api_key_id: str, name: str | None = None, roles: Sequence[APIKeyRole] | None = None) -> APIKey:
        """Change a key; what is None stays as it is.

        Args:
            api_key_id: Its id.
            name: New name, 1 to 80 characters.
            roles: All roles that it shall have, in place of those it has.

        Raises:
            PineconeValueError: Nothing to change is given.
            NotFoundError: The organization has no such key.
        """
        body = UpdateAPIKeyRequest(name=name, roles=as_list(roles))
        return self._admin.send(update_api_key(api_key_id=api_key_id, body=body))

    def delete(self, *, api_key_id: str) -> None:
        """Delete a key, which stops working.

        Args:
            api_key_id: Its id.

        Raises:
            NotFoundError: The organization has no such key.
        """
        self._admin.send(delete_api_key(api_key_id=api_key_id))
