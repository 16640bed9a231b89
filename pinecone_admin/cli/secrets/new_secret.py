"""A new secret, and what the places that store it need to know about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret, to_dict

LARGEST_SECRET = 4096
"""Bytes; more than any secret of the service with its ids, and what every pipe takes at once."""


@frozen(kw_only=True)
class NewSecret:
    """A secret that the service shows only once.

    Attributes:
        value: The secret.
        kind: Its owner: ``api-key`` or ``service-account``.
        id: Id of what it belongs to.
        identifiers: Ids and names, by the variables that commands get them in.
        owner: Its owner, as plain JSON values.
        name: Its name.
        client_id: The public half of the credentials of a service account; None for an API key.
    """

    value: str = field(repr=False)
    kind: str
    id: str
    identifiers: Mapping[str, str]
    owner: Mapping[str, Any]
    name: str = ""
    client_id: str | None = None

    @property
    def label(self) -> str:
        """The key or service account as a sentence names it, such as ``key reader``."""
        return f"{'key' if self.kind == 'api-key' else 'service account'} {self.name or self.id}"

    def to_document(self) -> dict[str, Any]:
        """Return the secret and what it belongs to as the service returns them."""
        if self.kind == "api-key":
            return {"key": self.owner, "value": self.value}
        return {"service_account": self.owner, "client_secret": self.value}

    def to_flat_document(self) -> dict[str, Any]:
        """Return what the secret belongs to, with the secret as one more field."""
        return {**self.owner, "value" if self.kind == "api-key" else "client_secret": self.value}

    def to_json(self) -> str:
        """Return the secret and what it belongs to as a line of JSON."""
        return json.dumps(self.to_document()) + "\n"


def describe_secret(new_secret: APIKeyWithSecret | ServiceAccountWithSecret) -> NewSecret:
    """Return the secret in a response."""
    if isinstance(new_secret, APIKeyWithSecret):
        key = new_secret.key
        return NewSecret(
            value=new_secret.value,
            kind="api-key",
            id=key.id,
            identifiers={"API_KEY_ID": key.id, "API_KEY_NAME": key.name, "API_KEY_PROJECT_ID": key.project_id},
            owner=describe_owner(key),
            name=key.name,
        )
    account = new_secret.service_account
    return NewSecret(
        value=new_secret.client_secret,
        kind="service-account",
        id=account.id,
        identifiers={
            "SERVICE_ACCOUNT_ID": account.id,
            "SERVICE_ACCOUNT_NAME": account.name,
            "SERVICE_ACCOUNT_CLIENT_ID": account.client_id,
        },
        owner=describe_owner(account),
        name=account.name,
        client_id=account.client_id,
    )


def describe_owner(owner: APIKey | ServiceAccount) -> dict[str, Any]:
    """Return the fields that the API document lists, then all others of the response."""
    return {**to_dict(owner), **to_dict(owner, reveal=True)}
