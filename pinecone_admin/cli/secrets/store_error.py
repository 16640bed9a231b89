"""The error of a place where secrets are stored."""

from __future__ import annotations

from pinecone_admin._text.printable import make_printable


class StoreError(Exception):
    """A secret cannot be stored, or was not stored.

    Args:
        message: What is wrong and what to do, without the secret.
        is_wrong_place: Whether the place cannot take the secret as long as nobody changes it or the command line.
    """

    def __init__(self, message: str, *, is_wrong_place: bool = False) -> None:
        super().__init__(make_printable(message))
        self.is_wrong_place = is_wrong_place
