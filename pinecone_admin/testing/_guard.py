"""Keep requests that the emulator cannot intercept away from Pinecone's own hosts.

Every stack that reaches a host looks its name up or names it in a TLS handshake. The first catches most before they
open a connection; the second catches resolvers written in C, and proxies, which look the name up themselves.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import TypeVar, cast

from pinecone_admin._concurrency.emulated_children import match_production_host

_EXPLANATION = (
    "{host} is Pinecone's own service and is out of reach in emulate(). The emulator intercepts requests that are sent "
    "through httpx, as this package and the official SDK from version 9 on send them. This request was sent otherwise "
    "(by requests, urllib3, urllib, http.client, aiohttp, or the official SDK before version 9, which cannot be served "
    "here). emulate(serve=True), or @pytest.mark.pinecone_emulator(serve=True), also serves the emulator over HTTP "
    "at emulator.host and emulator.oauth_url, for clients that can be given these addresses."
)

T = TypeVar("T")


class ProductionOutOfReachError(
    RuntimeError
):  # not an OSError, which stacks take for a failure that may pass, and retry
    """A request in `emulate()` that the emulator cannot intercept was about to reach Pinecone's own service."""


@contextmanager
def guarded_production() -> Generator[None, None, None]:
    """Refuse look-ups of Pinecone's hosts, and TLS handshakes with them."""
    lookup, wrap_socket, wrap_bio = socket.getaddrinfo, ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio
    socket.getaddrinfo = _refusing(lookup, "host", 0)
    ssl.SSLContext.wrap_socket = _refusing(wrap_socket, "server_hostname", 5)  # type: ignore[method-assign]
    ssl.SSLContext.wrap_bio = _refusing(wrap_bio, "server_hostname", 4)  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.getaddrinfo = lookup
        ssl.SSLContext.wrap_socket = wrap_socket  # type: ignore[method-assign]
        ssl.SSLContext.wrap_bio = wrap_bio  # type: ignore[method-assign]


def _refusing(function: T, name: str, position: int) -> T:
    call = cast("Callable[..., object]", function)

    @wraps(call)
    def refuse_production(*arguments: object, **named: object) -> object:
        host = match_production_host(arguments[position] if len(arguments) > position else named.get(name))
        if host is not None:
            raise ProductionOutOfReachError(_EXPLANATION.format(host=host))
        return call(*arguments, **named)

    return cast("T", refuse_production)
