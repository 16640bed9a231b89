"""Requests and responses, independent of how they travel."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NoReturn

from attrs import field, frozen


def _no_constant(name: str) -> NoReturn:
    # Python's decoder accepts NaN and Infinity, which are not JSON.
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def decode_json(body: bytes) -> object:
    """Decode JSON.

    Raises:
        ValueError: The bytes are not UTF-8, not JSON, or nested too deeply.
    """
    try:
        value: object = _DECODER.decode(body.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


@frozen
class Request:
    """A request to the emulator.

    Attributes:
        method: The method in upper case.
        path: The path, percent-encoded, without the query.
        headers: The headers by lower-case name. The values of a repeated header are joined with commas.
        query: The query, percent-encoded, without the question mark.
        body: The body.
    """

    method: str
    """The method in upper case."""
    path: str
    """The path, percent-encoded, without the query."""
    headers: Mapping[str, str] = field(factory=dict[str, str])
    """The headers by lower-case name. The values of a repeated header are joined with commas."""
    query: str = ""
    """The query, percent-encoded, without the question mark."""
    body: bytes = b""
    """The body."""

    @property
    def json(self) -> Any:
        """The JSON value of the body, or None if the body is not JSON."""
        try:
            return decode_json(self.body)
        except ValueError:
            return None


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
    """A response of the emulator and how it is delivered.

    Args:
        status: The status.
        headers: The headers.
        body: The body.
        delivery: How it is delivered.
        pieces: Makes the rest of a large body while it is sent; None if there is no rest.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    delivery: Delivery = Delivery()
    pieces: Iterator[bytes] | None = None
