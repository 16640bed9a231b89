"""Stores that know their targets: which secret is there, and which target a secret has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple


class ReadableStore(ABC):
    """Base class of a ``store`` whose secrets can be read again.

    If a run is killed after it has stored a secret, the next run finds the secret there and finishes the work. With any
    other ``store``, the next run creates another secret.

    If such a store raises an exception, the workflow calls ``read`` at once, because the secret may be stored and only
    the response of the secret store lost. If ``read`` returns the secret, or anything but a str or None, the new key
    or service account is kept.

    Example:
        >>> secret_store = {}
        >>> class SecretStore(ReadableStore):
        ...     def __call__(self, created):
        ...         secret_store[created.key.name] = created.value
        ...
        ...     def read(self, found):
        ...         return secret_store.get(found.name)
        >>> store = SecretStore()
        >>> key = admin.api_keys.ensure(project_id=project.id, name="writer", store=store)
        >>> store.read(key.value.key) == key.value.value
        True
    """

    @abstractmethod
    def __call__(self, new_secret: Any, /) -> object:
        """Store a secret. Raise an exception if it was not stored.

        Args:
            new_secret: The ``APIKeyWithSecret`` or ``ServiceAccountWithSecret``, with its final name.
        """

    @abstractmethod
    def read(self, resource: Any, /) -> Awaitable[str | None] | str | None:
        """Return the stored secret, or None if there is none. Blanks around it do not count.

        For an API key, return the secret that is there; the workflow compares it with a digest. For a service account,
        return the secret only if it is stored together with the client id of ``resource``. The async client awaits the
        result if it is awaitable.

        Args:
            resource: The ``APIKey`` or ``ServiceAccount``, with its final name.
        """


class PlacedStore(ReadableStore):
    """Base class of a store with one place. It replaces no other secret there."""

    @abstractmethod
    def check_unused(self) -> None:
        """Raise if the place has another secret that must not be replaced, before anything is made."""


class SecretOwner(NamedTuple):
    """The resource that a secret belongs to.

    Attributes:
        kind: ``"api_key"`` or ``"service_account"``.
        project: Name of the project of a key; empty for an account.
        name: Name of the key or the account.
        client_id: Client id of an account that exists, if it is known.
    """

    kind: str
    project: str
    name: str
    client_id: str | None = None


class StoreByName(ABC):
    """Base class of a ``store`` that has a place for each secret."""

    @abstractmethod
    def __call__(self, new_secret: Any, /) -> object:
        """Store a new secret in its place."""

    @property
    @abstractmethod
    def is_readable(self) -> bool:
        """Whether ``select`` gives a ``ReadableStore``."""

    @abstractmethod
    def find_problems(self, owners: Sequence[SecretOwner], others: Sequence[SecretOwner]) -> Sequence[str | None]:
        """Return why each secret could not be stored, before anything is made; None for one that can be stored.

        Args:
            owners: The owners of the secrets that will be created.
            others: The owners of other secrets, whose places must stay as they are.
        """

    @abstractmethod
    def select(self, owner: SecretOwner) -> AbstractContextManager[Callable[[Any], object]]:
        """Return a context with the ``store`` of one secret that is to be made, which ends once it is in the report."""
