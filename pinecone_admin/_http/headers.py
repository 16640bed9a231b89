"""Which headers go out with a request, and which a caller may set."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pinecone_admin.errors import PineconeTypeError, PineconeValueError

__version__ = "0.1.0"

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")

# They say how the message is framed on the connection, or how its answer is encoded: only we can know.
_RESERVED_NAMES = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip


def user_agent(source_tag: object = None) -> str:
    """Name this client and, after normalizing it, the caller's source tag."""
    product = f"pinecone-admin-python-{__version__}"
    return product if source_tag is None else f"{product} source_tag={normalize_source_tag(source_tag)}"


def normalize_source_tag(source_tag: object) -> str:
    """Lower the case, turn spaces into underscores, and drop everything but ``[a-z0-9_:]``."""
    if not isinstance(source_tag, str):
        raise PineconeTypeError(f"source_tag must be a str, not {type(source_tag).__name__}")
    tag = re.sub(r"[^a-z0-9_:]", "", re.sub(r"\s+", "_", source_tag.strip().lower()))
    if not tag:
        raise PineconeValueError("source_tag has none of the characters a-z, 0-9, _ and :")
    return tag


def check_headers(headers: object) -> dict[str, str]:
    """Check ``additional_headers`` and copy them, names in lower case."""
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise PineconeTypeError(f"additional_headers must be a mapping of str, not {type(headers).__name__}")
    checked: dict[str, str] = {}
    for name, value in headers.items():  # pyright: ignore[reportUnknownVariableType]
        lower = _check_header_name(name)  # pyright: ignore[reportUnknownArgumentType]
        if lower in checked:
            raise PineconeValueError(f"additional_headers names {lower} twice, in different capitals")
        checked[lower] = _check_header_value(lower, value)  # pyright: ignore[reportUnknownArgumentType]
    return checked


def _check_header_name(name: object) -> str:
    if not isinstance(name, str):
        raise PineconeTypeError(f"additional_headers: a name must be a str, not {type(name).__name__}")
    if not _NAME.fullmatch(name):
        raise PineconeValueError(f"additional_headers: {name!r} is not a header name")
    if name.lower() in _RESERVED_NAMES:
        raise PineconeValueError(f"additional_headers: {name} cannot be set, the client needs it for itself")
    return name.lower()


def _check_header_value(name: str, value: object) -> str:
    # A value may be a credential, so no message shows it.
    if not isinstance(value, str):
        raise PineconeTypeError(f"additional_headers[{name!r}] must be a str, not {type(value).__name__}")
    if _UNSENDABLE.search(value):
        raise PineconeValueError(
            f"additional_headers[{name!r}] has a line break, a control character or one outside latin-1"
        )
    if value != value.strip():
        raise PineconeValueError(f"additional_headers[{name!r}] has white space around it")
    return value


def build_request_headers(*, user_agent: str, api_version: str, has_body: bool) -> dict[str, str]:
    """Assemble our own headers of an API request."""
    own = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": user_agent,
        "x-pinecone-api-version": api_version,
    }
    if has_body:
        own["content-type"] = "application/json"
    return own
