"""A request and a response of HTTP whose bodies are in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
from attrs import define, field


def find_header(headers: httpx.Headers, name: bytes) -> bytes:
    """Return the first value of a header, given its name in lower case; empty if there is none.

    ``httpx.Headers.get`` decodes all headers first, which takes eight times as long.
    """
    for key, value in headers.raw:
        if key.lower() == name:
            return value
    return b""


# Nothing compares or shows these objects, and to generate methods for it would take 0.2 ms for each class. Rich shows
# the fields of any class of attrs, except those that are hidden one by one.
@define(eq=False, repr=False)
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
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    extensions: Mapping[str, Any] = field(factory=dict[str, Any], repr=False)


@define(eq=False, repr=False)
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


class EmptyBody(httpx.ByteStream):
    """The body of a request without one. Unlike ``ByteStream(b"")``, it has no part, which h11 would process (8 µs)."""

    def __init__(self) -> None:
        super().__init__(b"")

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in list[bytes]():
            yield part
