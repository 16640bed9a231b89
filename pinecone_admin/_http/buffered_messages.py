"""HTTP requests and responses whose bodies are in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
from attrs import define, field

SUCCESSES = range(200, 300)
"""Statuses of the class of success."""


# Nothing compares or prints these objects, and attrs would take 0.2 ms per class to generate methods for that. Rich
# shows every field of an attrs class that does not have repr=False itself.
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
        content_encoding: Value of the first Content-Encoding header; empty if there is none.
        date: Value of the first Date header; empty if there is none.
    """

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    extensions: Mapping[str, Any] = field(repr=False)
    content_encoding: bytes = field(default=b"", repr=False)
    date: bytes = field(default=b"", repr=False)


class EmptyBody(httpx.ByteStream):
    """An empty request body. ``ByteStream(b"")`` would yield an empty part, for which h11 takes 8 µs."""

    def __init__(self) -> None:
        super().__init__(b"")

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in list[bytes]():
            yield part
