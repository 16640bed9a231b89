"""The error of a place where secrets are stored."""

from __future__ import annotations

from pinecone_admin._text.printable import make_printable


class StoreError(Exception):
    """A secret cannot be stored, or was not stored.

    Args:
        message: What is wrong and what to do, without the secret.
    """

    def __init__(self, message: str) -> None:
        super().__init__(make_printable(message))
