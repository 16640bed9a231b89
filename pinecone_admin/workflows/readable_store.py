"""Stores that know their targets: which secret is there, and which target a secret has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from generated_client.models import APIKey


class ReadableStore(ABC):
    """Base class of a ``store`` that can tell which secret is at its target; ``ReadableDelivery`` of the CLI is one."""

    @abstractmethod
    def __call__(self, made: Any, /) -> object:
        """Store the secret of what was made."""

    @abstractmethod
    def check_unused(self) -> None:
        """Raise if the target has another secret that must not be replaced, before anything is made."""

    @abstractmethod
    def holds_key(self, value_digest: str) -> bool:
        """Return whether the target has the value of a key, by its digest as in ``name_tags``."""

    @abstractmethod
    def holds_account(self, client_id: str) -> bool:
        """Return whether the target has a secret of the service account with this client id."""


class StoreByName(ABC):
    """Base class of a ``store`` that has a target for each secret."""

    @abstractmethod
    def __call__(self, made: Any, /) -> object:
        """Store the secret of what was made, at its target."""

    @abstractmethod
    def find_problems(
        self, keys: Sequence[APIKey], others: Sequence[APIKey], projects: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return why the values of keys could not be stored, by the ids of these keys, before anything is made.

        Args:
            keys: The keys whose new values are to be stored.
            others: Keys whose values are stored already; no target may be that of one of them.
            projects: Names of the projects by their ids.
        """

    @abstractmethod
    def select_for_key(self, key: APIKey) -> AbstractContextManager[Callable[[Any], object]]:
        """Return a context with the ``store`` of the value of one key, as ``select`` does."""

    @abstractmethod
    def select(self, kind: str, project: str, name: str) -> AbstractContextManager[Callable[[Any], object]]:
        """Return a context with the ``store`` of one secret that is to be made, which ends once it is in the report.

        Args:
            kind: ``"api_key"`` or ``"service_account"``.
            project: Name of the project of a key; empty for an account.
            name: Name of the key or the account.
        """
