"""A request, its answer, and the operation that it calls."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen


@frozen
class Request:
    """A request as the rules read it.

    Args:
        method: in capitals.
        path: percent-encoded, without the query.
        headers: by lower-case name, values of a repeated one joined with commas.
        query: percent-encoded, without the question mark.
        body: the bytes sent.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(factory=dict[str, str])
    query: str = ""
    body: bytes = b""


@frozen
class Delivery:
    """How an answer goes out, where something goes wrong with that.

    Args:
        delay: seconds by which it is late.
        drip: seconds between one byte of the body and the next.
        length: what Content-Length says, where that is not the length of the body; the connection closes after it.
        end: what happens instead of an answer.
    """

    delay: float = 0.0
    drip: float = 0.0
    length: int | None = None
    end: Literal["drop", "reset", "unreachable"] | None = None


@frozen
class Response:
    """An answer as the rules give it, and what goes wrong on its way."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delivery: Delivery = Delivery()
