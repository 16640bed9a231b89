"""Build the HTTP request of an operation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from generated_client.types import API_VERSION, Operation
from pinecone_admin._http import codec
from pinecone_admin._http.argument_checks import check_string, set_operation_on_errors
from pinecone_admin._http.call_state import CALL_STATE_KEY, CallState
from pinecone_admin._http.headers import build_request_headers
from pinecone_admin._http.validation import check_operation
from pinecone_admin.errors import PineconeTypeError, PineconeValueError


def build_request(operation: Operation[Any], *, api_url: str, user_agent: str, call: CallState) -> httpx.Request:
    """Check an operation and return its request, without the caller's own headers.

    Raises:
        PineconeValueError: An argument has an invalid value.
        PineconeTypeError: An argument has the wrong type.
    """
    check_operation(operation)
    with set_operation_on_errors(operation.id):
        method = _check_method(operation.method)
        target = _parse_target(api_url + _expand_path(operation) + _encode_query(operation.query))
        content = None if operation.body is None else codec.encode_body(operation.body)
        version = _check_api_version(operation.api_version)
    headers = build_request_headers(user_agent=user_agent, api_version=version, has_body=content is not None)
    return httpx.Request(method, target, headers=headers, content=content, extensions={CALL_STATE_KEY: call})


def _parse_target(target: str) -> httpx.URL:
    with suppress(httpx.InvalidURL):
        return httpx.URL(target)
    raise PineconeValueError(f"the URL of the request is too long: {len(target)} characters")


def _check_method(method: object) -> str:
    if not re.fullmatch(r"[A-Z]+", check_string("method", method)):
        raise PineconeValueError(f"method {method!r} is not an HTTP method in upper case")
    return str(method)


def _expand_path(operation: Operation[Any]) -> str:
    check_string("path", operation.path)
    names = re.findall(r"\{([^{}]*)\}", operation.path)
    if sorted(names) != sorted(operation.path_parameters):
        raise PineconeValueError(f"path_parameters must be exactly the parameters in the path {operation.path}")
    # Each parameter is checked and quoted apart; here only the text between them is.
    literal = re.sub(r"\{[^{}]*\}", "x", operation.path)
    if not re.fullmatch(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+", literal) or re.search(r"/\.\.?(/|$)", literal):
        raise PineconeValueError(f"path {operation.path!r} is not a path of the API")
    return re.sub(r"\{([^{}]*)\}", lambda match: quote(operation.path_parameters[match[1]], safe=""), operation.path)


def _encode_query(query: Mapping[str, object]) -> str:
    pairs = [(name, text) for name, value in query.items() for text in _query_values(name, value)]
    return f"?{urlencode(pairs)}" if pairs else ""


def _query_values(name: str, value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [check_string(name, item) for item in value]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return [check_string(name, value)]


def _check_api_version(version: object) -> str:
    if version is None:
        return API_VERSION
    if not isinstance(version, str):
        raise PineconeTypeError(f"api_version must be a str, not {type(version).__name__}")
    if not re.fullmatch(r"[\x21-\x7e]+", version):
        raise PineconeValueError("api_version contains a character that a header cannot contain")
    return version
