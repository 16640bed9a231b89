"""Map operations to HTTP requests, and the responses to results or errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import httpx

from generated_client.types import API_VERSION, Operation
from pinecone_admin._http import codec
from pinecone_admin._http.argument_checks import (
    as_plain_value,
    check_integer,
    check_string,
    is_visible_ascii,
    type_error,
    value_error,
)
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedRequest, BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import error_from_decode_failure, error_from_response, redact_secrets
from pinecone_admin._http.headers import build_request_headers, check_header_name
from pinecone_admin._http.redaction import redact_text
from pinecone_admin.errors import PineconeError, PineconeValueError

_T = TypeVar("_T")

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_PARAMETER = r"\{([^{}]*)\}"


class RequestBuilder:
    """Builds the requests of a client; what they have in common is made once.

    Args:
        api_url: URL of the API, without a trailing slash.
        user_agent: The User-Agent.
        headers: The caller's own headers, names in lower case. They may hold credentials, so no error shows them.
    """

    # ``vars``, and what prints it, shows no slot.
    __slots__ = ("_api_url", "_caller_headers", "_fixed_headers", "_host", "_user_agent")

    def __init__(self, *, api_url: str, user_agent: str, headers: Mapping[str, str]) -> None:
        self._api_url = api_url
        self._host = httpx.URL(api_url).netloc
        self._user_agent = user_agent
        self._caller_headers = httpx.Headers(headers, encoding="latin-1").raw
        self._fixed_headers: dict[tuple[str, str, bool], httpx.Headers] = {}

    def build(self, operation: Operation[Any]) -> BufferedRequest:
        """Return the request of an operation whose arguments are checked.

        Raises:
            PineconeValueError: The method, the path or the API version is invalid, or the URL is too long.
            PineconeTypeError: One of them has the wrong type, or JSON cannot express the body.
        """
        try:
            method = operation.method
            version = API_VERSION if operation.api_version is None else operation.api_version
            if not (method.isascii() and method.isalpha() and method.isupper()):
                raise value_error("method", f"{method!r} is not an HTTP method in upper case")
            if not isinstance(version, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise type_error("api_version", "a str", version)
            # Before anything that may hold a credential: a traceback of an error here shows local variables.
            url = self._build_url(operation)
            body = operation.body
            content = b"" if body is None else codec.encode_body(body)
            kind = (method, version, body is not None)
            headers = self._fixed_headers.get(kind)
            if headers is None:
                headers = self._fixed_headers[kind] = self._build_headers(*kind)
            if content:
                headers = httpx.Headers(headers)
                headers["Content-Length"] = str(len(content))
            if operation.headers:
                headers = httpx.Headers([*headers.raw, *_other_headers(operation.headers, headers)])
            return BufferedRequest(method, url, headers, content)
        except PineconeError as exc:
            exc.operation = operation.id
            raise

    def _build_headers(self, method: str, version: str, has_body: bool) -> httpx.Headers:  # noqa: FBT001 - the parts of a key
        host = {"Host": self._host.decode("ascii")}
        if not has_body and method in _METHODS_WITH_BODY:
            host["Content-Length"] = "0"
        if not is_visible_ascii(version):
            raise value_error("api_version", "contains a character that a header cannot contain")
        own = build_request_headers(user_agent=self._user_agent, api_version=version, has_body=has_body)
        taken = {name.lower() for name, _ in self._caller_headers}
        kept = [header for header in httpx.Headers(host | own).raw if header[0].lower() not in taken]
        return httpx.Headers([*kept, *self._caller_headers])

    def _build_url(self, operation: Operation[Any]) -> httpx.URL:
        path = self._api_url + _expand_path(operation.path, operation.path_parameters)
        pairs = [
            (as_plain_value(name), text)
            for name, value in operation.query.items()
            if value is not None
            for text in _query_values(name, value)
        ]
        return _parse_url(f"{path}?{urlencode(pairs)}") if pairs else _parse_url_once(path)


def _other_headers(given: Mapping[str, str | None], present: httpx.Headers) -> Sequence[tuple[bytes, bytes]]:
    """Return the headers of an operation, without those that the client or its caller sets, and without the token."""
    taken = {b"authorization", *(name.lower() for name, _ in present.raw)}
    sent = {check_header_name("headers", name): value for name, value in given.items() if value is not None}
    return [header for header in httpx.Headers(sent, encoding="latin-1").raw if header[0] not in taken]


def _parse_url(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        pass
    raise PineconeValueError(f"the URL of the request is too long: its length is {len(url)}")


_parse_url_once = lru_cache(maxsize=256)(_parse_url)


def _expand_path(path: str, parameters: Mapping[str, str]) -> str:
    parts = _split_path(path)
    if len(parts) == 1 and not parameters:
        return parts[0]
    names = parts[1::2]
    if sorted(names) != sorted(parameters):
        raise value_error("path_parameters", f"must be exactly the parameters in the path {path}")
    values = [quote(parameters[name], safe="") for name in names]
    return "".join([text for pair in zip(parts[::2], [*values, ""], strict=True) for text in pair])


@lru_cache(maxsize=256)
def _split_path(path: str) -> Sequence[str]:
    """Return the text before the first parameter, its name, the text after it, and so on."""
    parts = re.split(_PARAMETER, path)
    # Each parameter is checked and quoted apart; here only the text between them is.
    literal = "x".join(parts[::2])
    if not re.fullmatch(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+", literal) or {".", ".."} & set(literal.split("/")):
        raise value_error("path", f"{path!r} is not a path of the API")
    return parts


def _query_values(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int):
        return [str(as_plain_value(check_integer(name, value)))]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [check_string(name, item) for item in value]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return [check_string(name, value)]


def _find_foreign_id(operation: Operation[Any], decoded: object) -> codec.DecodeFailure | None:
    """Return the id in a response that is not that in the path of its request, or None.

    A proxy or a cache may mix responses up. Then what is done next would be done to another resource.
    """
    items: object = getattr(decoded, "data", None)
    for parameter, asked in operation.path_parameters.items():
        if not parameter.endswith("_id"):
            continue
        name = "id" if operation.path.endswith(f"/{{{parameter}}}") else parameter
        places = [("", decoded, name)]
        if isinstance(items, list):
            places += [(f"data[{number}].", each, parameter) for number, each in enumerate(cast("list[object]", items))]
        for place, each, field in places:
            found = getattr(each, field, None)
            if isinstance(found, str) and found.lower() != asked.lower():
                return codec.DecodeFailure(f"{place}{field}", "is not that of the request")
    return None


def read_response(
    operation: Operation[_T], response: BufferedResponse, call: CallState, *, wall: float
) -> _T | PineconeError:
    """Decode a response; an error is returned, not raised, so that no traceback holds the body."""
    if response.status not in SUCCESSES:
        return error_from_response(redact_secrets(response, call), call=call, wall=wall)
    if operation.returns is None:
        return cast("_T", None)
    encoding = response.content_encoding.decode("latin-1")
    decoded: _T | codec.DecodeFailure
    if encoding.lower() in {"", "identity"}:
        decoded = codec.decode_body(response.body, operation.returns)
        if not isinstance(decoded, codec.DecodeFailure):
            decoded = _find_foreign_id(operation, decoded) or decoded
        if call.check is not None and not isinstance(decoded, codec.DecodeFailure):
            decoded = call.check(operation, decoded) or decoded
    else:
        # A few bytes of gzip can expand to gigabytes, so compression is neither requested nor decoded.
        shown = redact_text(encoding, call.reveal_secrets())[:20]
        decoded = codec.DecodeFailure("", f"is encoded as {shown!r}, which was not requested")
    if not isinstance(decoded, codec.DecodeFailure):
        return decoded
    return error_from_decode_failure(decoded, redact_secrets(response, call), call)
