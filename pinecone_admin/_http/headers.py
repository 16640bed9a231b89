"""Headers of a request, and the checks of those that a caller sets."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping

from pinecone_admin._http.argument_checks import check_header_value, place_in, type_error, value_error
from pinecone_admin._http.redaction import list_forms
from pinecone_admin._text.messages import Name
from pinecone_admin._text.version import __version__
from pinecone_admin.errors import Masked, PineconeValueError

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

# They describe the framing of the request or the encoding of the response, which the client alone decides.
_RESERVED_NAMES = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip

# A shorter word is not a credential, and redacting it everywhere would garble messages. A text that is written as the
# value of a name, as in a cookie, can be shorter.
_MIN_WORD_LENGTH = 8
_MIN_VALUE_LENGTH = 6
_CREDENTIAL_NAME = "auth|cookie|key|secret|token"


def build_user_agent(source_tag: object = None) -> str:
    """Return the User-Agent: this client and its version, and the normalized source tag if there is one."""
    product = f"pinecone-admin-python-{__version__}"
    return product if source_tag is None else f"{product} source_tag={normalize_source_tag(source_tag)}"


def normalize_source_tag(source_tag: object) -> str:
    """Return a source tag in lower case, with underscores for whitespace, and only characters of ``[a-z0-9_:]``."""
    if not isinstance(source_tag, str):
        raise type_error("source_tag", "a str", source_tag)
    tag = re.sub(r"[^a-z0-9_:]", "", re.sub(r"\s+", "_", source_tag.strip().lower()))
    if not tag:
        raise value_error("source_tag", "must contain at least one of the characters a-z, 0-9, _ and :")
    return tag


def check_headers(headers: object) -> dict[str, str]:
    """Return a checked copy of ``additional_headers``, with names in lower case."""
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise type_error("additional_headers", "a mapping of str", headers)
    checked: dict[str, str] = {}
    for name, value in headers.items():  # pyright: ignore[reportUnknownVariableType]
        lower = check_header_name("additional_headers", name)  # pyright: ignore[reportUnknownArgumentType]
        if lower in checked:
            raise value_error("additional_headers", f"contains {lower} twice: header names ignore case")
        checked[lower] = check_header_value(place_in("additional_headers", f"[{lower!r}]"), value)  # pyright: ignore[reportUnknownArgumentType]
    return checked


def check_header_name(argument: str, name: object) -> str:
    """Return the name of a header in lower case; raise if the caller cannot set it."""
    if not isinstance(name, str):
        raise type_error(place_in(argument, ": a header name"), "a str", name)
    if not re.fullmatch(_NAME, name):
        raise value_error(place_in(argument, ":"), f"{name!r} is not a header name")
    if name.lower() in _RESERVED_NAMES:
        raise value_error(place_in(argument, ":"), f"{name} is reserved for the client")
    if name.lower() == "api-key":
        raise PineconeValueError(
            place_in(argument, ":"),
            f" {name} is not sent with a token, because a request has one identity: pass ",
            Name("api_key"),
            " to ",
            Name("with_options"),
        )
    return name.lower()


def list_credentials(values: Iterable[str]) -> list[Masked]:
    """Return the parts of the values of headers that may be credentials."""
    parts = {form for value in values for part in _split_value(value) for form in list_forms(part)}
    return [Masked(part) for part in sorted(parts)]


def _split_value(value: str) -> Iterator[str]:
    """Yield the parts of the value of a header that may be credentials, such as those of ``session=…; theme=…``."""
    for word in [value, *re.split(r"[\s;,]+", value)]:
        if len(word) >= _MIN_WORD_LENGTH:
            yield word
        found = word.partition("=")[2].strip('"')
        if len(found) >= _MIN_VALUE_LENGTH:
            yield found
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() == "basic":  # a server decodes the password, and may show it
        yield from _decode_basic(encoded)


def _decode_basic(encoded: str) -> Iterator[str]:
    try:
        user_and_password = b64decode(encoded.rstrip("=") + "==").decode()
    except ValueError:  # not Base64, or not UTF-8
        return
    for part in (user_and_password, user_and_password.partition(":")[2]):
        if len(part) >= _MIN_VALUE_LENGTH:
            yield part


def list_request_credentials(headers: Iterable[tuple[str, str]]) -> list[Masked]:
    """Return what may be credentials in the headers of another client's request, by their names in lower case."""
    return list_credentials(value for name, value in headers if re.search(_CREDENTIAL_NAME, name))


def build_request_headers(*, user_agent: str, api_version: str, has_body: bool) -> dict[str, str]:
    """Return the headers that the client sets on an API request."""
    own = {
        "accept": "application/json",
        # Compressed responses are not accepted: a few bytes of gzip can expand to gigabytes.
        "accept-encoding": "identity",
        "user-agent": user_agent,
        "x-pinecone-api-version": api_version,
    }
    if has_body:
        own["content-type"] = "application/json"
    return own
