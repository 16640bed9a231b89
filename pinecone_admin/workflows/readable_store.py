"""Stores whose target can be read, so that a later run recognizes what an interrupted run has stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


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
