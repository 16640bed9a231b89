"""Requests and responses, independent of how they travel."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen


@frozen
class Request:
    """A request to the emulator.

    Args:
        method: The method in upper case.
        path: The path, percent-encoded, without the query.
        headers: The headers by lower-case name; the values of a repeated header are joined with commas.
        query: The query, percent-encoded, without the question mark.
        body: The body.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(factory=dict[str, str])
    query: str = ""
    body: bytes = b""


@frozen
class Delivery:
    """How a response is delivered if a fault disturbs its delivery.

    Args:
        delay: Seconds to wait before the response is sent.
        drip: Seconds between two bytes of the body.
        length: The Content-Length to send instead of the body's own; the connection closes after the body.
        end: How the connection ends without a response.
    """

    delay: float = 0.0
    drip: float = 0.0
    length: int | None = None
    end: Literal["drop", "reset", "unreachable"] | None = None


@frozen
class Response:
    """A response of the emulator and how it is delivered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delivery: Delivery = Delivery()
