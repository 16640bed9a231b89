"""Read and validate OpenAPI documents, follow their references and iterate over their operations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx
from openapi_spec_validator import OpenAPIV30SpecValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
VERSION_HEADER = "x-pinecone-api-version"
FETCH_TIMEOUT = 30.0

Node: TypeAlias = Any
"""Any JSON value of a document; only the function that reads it knows what it holds."""

# Values of these keys are data, in which "$ref" means nothing, unless the key is a name that the author chose.
_DATA_KEYS = frozenset({"example", "examples", "default", "enum"})
_NAMING_KEYS = frozenset({"properties", "schemas", "parameters", "responses", "requestBodies", "headers"})


class DocumentError(Exception):
    """A document cannot be used; the message is one line, and another one for each of several problems."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join(re.sub(r"\s+", " ", each).strip() for each in (message, *problems)))


class Endpoint(NamedTuple):
    """An operation with its path and method."""

    path: str
    method: str
    operation: Node

    @property
    def label(self) -> str:
        """The name of the operation in reports."""
        return str(self.operation.get("operationId") or f"{self.method.upper()} {self.path}")


def read_document(source: str) -> Node:
    """Read a document from a path or URL and validate it.

    Raises:
        DocumentError: The document is missing, unreachable, neither YAML nor JSON, or not valid OpenAPI 3.0.
    """
    return validate_document(parse_document(fetch_bytes(source), source), source)


def fetch_bytes(source: str) -> bytes:
    """Return the bytes at a path or at an http, https or file URL."""
    try:
        if urlsplit(source).scheme in {"http", "https"}:
            response = httpx.get(source, timeout=FETCH_TIMEOUT, follow_redirects=True)
            if not response.is_success:
                raise DocumentError(f"cannot read {source}: the server responded with status {response.status_code}")
            return response.content
        if source.startswith("file:"):
            return Path(url2pathname(urlsplit(source).path)).read_bytes()
        return Path(source).read_bytes()
    except OSError as exc:
        raise DocumentError(f"cannot read {source}: {exc.strerror or exc}") from exc
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        raise DocumentError(f"cannot read {source}: {exc or type(exc).__name__}") from exc


def parse_document(text: bytes, source: str) -> Node:
    """Parse JSON or YAML into JSON types only: dates and keys of any type become text."""
    # JSON first: ruamel.yaml takes 240 ms for our document as JSON, json 0.2 ms.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(_convert_to_json(text))
    except YAMLError as exc:
        reason = getattr(exc, "problem", None) or getattr(exc, "reason", None) or type(exc).__name__
        mark = getattr(exc, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise DocumentError(f"{source} is neither YAML nor JSON: {reason}{line}") from exc
    except (ValueError, TypeError, RecursionError) as exc:
        raise DocumentError(f"{source} is neither YAML nor JSON: {exc}") from exc


@lru_cache(maxsize=8)  # to parse our document takes half a second
def _convert_to_json(text: bytes) -> str:
    """Return YAML as JSON, which converts what only YAML has, dates and keys of any type."""
    return json.dumps(YAML(typ="safe").load(text), default=str)


def validate_document(document: Node, source: str) -> Node:
    """Return a document if it is valid OpenAPI 3.0 without references to other documents, else raise."""
    if not isinstance(document, dict) or "openapi" not in document:
        raise DocumentError(f"{source} is not an OpenAPI 3 document: it is {_describe_kind(document)}")
    if not str(document["openapi"]).startswith("3.0"):
        raise DocumentError(f"{source} is OpenAPI {document['openapi']}, but only 3.0 is supported")
    try:
        # The client does not use defaults, and published documents have had wrong ones.
        problem = _find_broken_reference(document) or _describe_first_error(
            OpenAPIV30SpecValidator(_without_defaults(document))
        )
    except RecursionError:
        problem = "is circular or nested too deeply"
    except Exception as exc:  # noqa: BLE001 - the validator can fail in any way on a malformed document
        problem = f"is not a valid OpenAPI document: {type(exc).__name__}: {exc}"
    if problem is not None:
        raise DocumentError(f"{source} {problem}")
    return document


def _without_defaults(node: Node) -> Node:
    """Return a part of a document without the defaults of its schemas."""
    if isinstance(node, list):
        return [_without_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    is_schema = isinstance(node.get("type"), str) or isinstance(node.get("enum"), list)
    # The default of a server's variable is no default of a schema; that of responses is one of them.
    kept = _DATA_KEYS - {"default"} | {"servers"}
    return {
        key: value if key in kept else _without_defaults(value)
        for key, value in node.items()
        if not (key == "default" and is_schema)
    }


def _find_broken_reference(document: Node) -> str | None:
    for reference in iter_references(document):
        if not reference.startswith("#"):
            return f"refers to another document: {reference}"
        if look_up_reference(document, reference) is None:
            return f"refers to {reference}, which does not exist"
    return None


def _describe_first_error(validator: Any) -> str | None:
    error = next(iter(validator.iter_errors()), None)
    if error is None:
        return None
    return f"is not a valid OpenAPI document: {_summarize_error(_innermost_error(error))}"


def _innermost_error(error: Any) -> Any:
    # An error that sums up others ("not valid under any of the given schemas") does not say where to look.
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _describe_kind(value: Node) -> str:
    if isinstance(value, dict):
        return f"Swagger {value['swagger']}" if "swagger" in value else 'an object without "openapi"'
    return {"NoneType": "empty", "list": "a list", "str": "text"}.get(type(value).__name__, "a number")


def _summarize_error(error: Any) -> str:
    # The message quotes the invalid value, which can be most of the document.
    location = "/".join(str(step) for step in error.absolute_path)
    message = str(error.message).strip().splitlines()[0]
    start, end = 60, 100
    short = message if len(message) <= start + end else f"{message[:start]} … {message[-end:]}"
    return f"{location}: {short}" if location else short


def iter_references(node: Node, *, names: bool = False) -> Iterator[str]:
    """Yield every reference in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for key, value in node.items():
            if names or not (key in _DATA_KEYS or key.startswith("x-")):
                yield from iter_references(value, names=not names and key in _NAMING_KEYS)
    elif isinstance(node, list):
        for item in node:
            yield from iter_references(item)


def look_up_reference(document: Node, reference: str) -> Node:
    """Return the target of a local reference, or None if there is none."""
    if not reference.startswith("#/"):
        return None
    node = document
    for part in unquote(reference).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            node = node.get(key) if isinstance(node, dict) else None
    return node


def resolve_reference(document: Node, node: Node) -> Node:
    """Follow references to their target; a circular or dangling one is an empty mapping."""
    seen: set[str] = set()
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        if node["$ref"] in seen:
            return {}
        seen.add(node["$ref"])
        node = look_up_reference(document, node["$ref"])
    return node if isinstance(node, dict) else {}


def iter_operations(document: Node) -> Iterator[Endpoint]:
    """Yield each operation with its references followed and the parameters of its path added."""
    for path, node in document.get("paths", {}).items():
        item = resolve_reference(document, node)
        for method in METHODS:
            if path.startswith("/") and isinstance(item.get(method), dict):
                yield Endpoint(path, method, _complete_operation(document, item, item[method]))


def _complete_operation(document: Node, item: Node, operation: Node) -> Node:
    own = [resolve_reference(document, parameter) for parameter in operation.get("parameters", [])]
    named = {(parameter["name"], parameter["in"]) for parameter in own}
    shared = [resolve_reference(document, parameter) for parameter in item.get("parameters", [])]
    # Those of a path are those of its operations.
    servers = operation.get("servers") or item.get("servers")
    return (
        operation
        | ({"servers": servers} if servers else {})
        | {
            "parameters": [*own, *(p for p in shared if (p["name"], p["in"]) not in named)],
            "requestBody": resolve_reference(document, operation.get("requestBody", {})),
            "responses": {
                status: resolve_reference(document, response)
                for status, response in operation.get("responses", {}).items()
                if not status.startswith("x-")
            },
        }
    )


def find_example(node: Node) -> Node:
    """Return the example of a schema, or the first one of a parameter or a content type, or None if it has none."""
    named = node.get("examples") or {"": {}}
    return node.get("example", next(iter(named.values())).get("value"))


def success_responses(operation: Node) -> dict[str, Node]:
    """Return the responses of an operation whose status is 2xx."""
    return {status: response for status, response in operation["responses"].items() if status.startswith("2")}
