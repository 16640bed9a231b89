"""The secrets that a client knows, so that no response brings one of them into an error, an event or a log record.

A response can contain a secret of another request: for example, one gateway may serve the API and the token endpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import attrs

from generated_client.types import wire_attributes
from pinecone_admin._http.redaction import list_forms
from pinecone_admin.errors import Masked

_MAX_TOKENS = 20
_MAX_OTHERS = 200
"""Limits, because a client can live for years, and each text is searched for each secret."""


class KnownSecrets:
    """The secrets that a client and its copies have sent or received.

    The credentials of the client stay. Of tokens, of headers of copies and of created secrets, the latest stay.
    """

    __slots__ = ("_kept", "_others", "_tokens")

    def __init__(self) -> None:
        self._kept: dict[int, Masked] = {}
        self._tokens = deque[Masked](maxlen=_MAX_TOKENS)
        self._others = deque[Masked](maxlen=_MAX_OTHERS)

    def keep(self, secrets: Iterable[str]) -> None:
        """Add credentials of the client itself."""
        for secret in secrets:
            self._kept.update((hash(form), Masked(form)) for form in list_forms(secret))

    def add(self, secrets: Iterable[str]) -> None:
        """Add other secrets."""
        self._others.extend(Masked(form) for secret in secrets for form in list_forms(secret))

    def add_token(self, token: str) -> None:
        """Add a token, which many calls in a row send."""
        if not self._tokens or self._tokens[-1].reveal() != token:
            self._tokens.append(Masked(token))

    def add_created(self, result: object) -> None:
        """Add the secrets in a decoded response."""
        kind: type[Any] = type(result)
        if attrs.has(kind):
            values = (getattr(result, name) for name, _, is_secret in wire_attributes(kind) if is_secret)
            self.add(value for value in values if isinstance(value, str))

    def reveal(self) -> Iterator[str]:
        """Yield the secrets."""
        # Copied at once, because another thread may add one.
        for secret in chain(list(self._kept.values()), list(self._tokens), list(self._others)):
            yield secret.reveal()
