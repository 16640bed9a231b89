"""A request and a response of HTTP whose bodies are in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from attrs import define, field


@define(eq=False)
class BufferedRequest:
    """A request that can be sent more than once.

    Attributes:
        method: HTTP method.
        url: The whole URL.
        headers: Names and values as they are sent, without a bearer token; they may hold other credentials.
        body: Body, which may hold a secret; empty if there is none.
        extensions: What a caller's httpx client asks of its transport, such as timeouts.
    """

    method: str
    url: httpx.URL
    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    body: bytes = field(repr=False)
    extensions: Mapping[str, Any] = field(factory=dict[str, Any], repr=False)


@define(eq=False)
class BufferedResponse:
    """A response that was read to its end.

    Attributes:
        status: HTTP status.
        headers: Headers, which may echo a credential.
        body: Body, not decoded; it may hold a secret.
        extensions: What the transport reports besides, such as the reason phrase.
    """

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    extensions: Mapping[str, Any] = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of success
