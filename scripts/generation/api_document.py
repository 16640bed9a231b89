"""Read an OpenAPI document, follow its references, and walk its operations: what every script here needs of one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
VERSION_HEADER = "x-pinecone-api-version"
FETCH_TIMEOUT = 30.0

Node: TypeAlias = Any
"""A value of the document; what it holds is known only to the function that reads it."""

_VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}
# What stands under these keys is data, where "$ref" has no meaning; unless the key is a name of the author's choice.
_DATA_KEYS = frozenset({"example", "examples", "default", "enum", "const"})
_NAMING_KEYS = frozenset({"properties", "schemas", "parameters", "responses", "requestBodies", "headers"})


class DocumentError(Exception):
    """Says in one line why a document cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(re.sub(r"\s+", " ", message).strip())


class Endpoint(NamedTuple):
    """An operation and where it stands."""

    path: str
    method: str
    operation: Node

    @property
    def label(self) -> str:
        """What the operation is called in reports."""
        return str(self.operation.get("operationId") or f"{self.method.upper()} {self.path}")


def read_document(source: str) -> Node:
    """Read a document from a path or URL and check it.

    Raises:
        DocumentError: It is missing, unreachable, not YAML or JSON, or not a valid OpenAPI 3.0 or 3.1 document.
    """
    return validate_document(parse_document(fetch_bytes(source), source), source)


def fetch_bytes(source: str) -> bytes:
    """Get the bytes at a path, or at an http, https or file URL."""
    try:
        if urlsplit(source).scheme in {"http", "https"}:
            response = httpx.get(source, timeout=FETCH_TIMEOUT, follow_redirects=True)
            if not response.is_success:
                raise DocumentError(f"{source} cannot be read: it answers {response.status_code}")
            return response.content
        if source.startswith("file:"):
            return Path(url2pathname(urlsplit(source).path)).read_bytes()
        return Path(source).read_bytes()
    except OSError as exc:
        raise DocumentError(f"{source} cannot be read: {exc.strerror or exc}") from exc
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        raise DocumentError(f"{source} cannot be read: {exc or type(exc).__name__}") from exc


def parse_document(text: bytes, source: str) -> Node:
    """Read JSON or YAML, as JSON types only: a date becomes text, and a key of any type its text."""
    # JSON first: ruamel.yaml takes 240 ms for our document as JSON, json 0.2 ms.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Through JSON once more: YAML has dates and keys of any type, and the rest of the program knows JSON types only.
    try:
        return json.loads(json.dumps(YAML(typ="safe").load(text), default=str))
    except YAMLError as exc:
        reason = getattr(exc, "problem", None) or getattr(exc, "reason", None) or type(exc).__name__
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise DocumentError(f"{source} is neither YAML nor JSON: {reason}{where}") from exc
    except (ValueError, TypeError, RecursionError) as exc:
        raise DocumentError(f"{source} is neither YAML nor JSON: {exc}") from exc


def validate_document(document: Node, source: str) -> Node:
    """Give a document back that is a valid OpenAPI 3.0 or 3.1 and refers to nothing outside of itself."""
    if not isinstance(document, dict) or "openapi" not in document:
        raise DocumentError(f"{source} is not an OpenAPI 3 document but {_describe_kind(document)}")
    version = str(document["openapi"])
    validator = _VALIDATORS.get(".".join(version.split(".")[:2]))
    if validator is None:
        raise DocumentError(f"{source} is OpenAPI {version}, and only 3.0 and 3.1 are supported")
    try:
        problem = _find_broken_reference(document) or _describe_first_error(validator(document))
    except RecursionError:
        problem = "refers to itself in a circle, or is nested too deeply"
    except Exception as exc:  # noqa: BLE001 - the validator may stumble over anything
        problem = f"is not a valid OpenAPI document: {type(exc).__name__}: {exc}"
    if problem is not None:
        raise DocumentError(f"{source} {problem}")
    return document


def _find_broken_reference(document: Node) -> str | None:
    for reference in iter_references(document):
        if not reference.startswith("#"):
            return f"refers to another document: {reference}"
        if look_up_reference(document, reference) is None:
            return f"refers to {reference}, which is not there"
    return None


def _describe_first_error(validator: Any) -> str | None:
    error = next(iter(validator.iter_errors()), None)
    if error is None:
        return None
    return f"is not a valid OpenAPI document: {_summarize_error(_innermost_error(error))}"


def _innermost_error(error: Any) -> Any:
    # "Is not valid under any of the given schemas" helps nobody; the error furthest into the document does.
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _describe_kind(value: Node) -> str:
    if isinstance(value, dict):
        return f"Swagger {value['swagger']}" if "swagger" in value else "an object without openapi"
    return {"NoneType": "empty", "list": "a list", "str": "text"}.get(type(value).__name__, "a number")


def _summarize_error(error: Any) -> str:
    # The message quotes the value, which can be most of the document.
    where = "/".join(str(step) for step in error.absolute_path)
    message = str(error.message).strip().splitlines()[0]
    start, end = 60, 100
    short = message if len(message) <= start + end else f"{message[:start]} … {message[-end:]}"
    return f"{where}: {short}" if where else short


def iter_references(node: Node, *, names: bool = False) -> Iterator[str]:
    """Yield every reference of a document."""
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
    """Look up a local reference; None where it leads nowhere."""
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
    """Follow references to what they stand for; in a circle, or to nothing, is an empty mapping."""
    seen: set[str] = set()
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        if node["$ref"] in seen:
            return {}
        seen.add(node["$ref"])
        node = look_up_reference(document, node["$ref"])
    return node if isinstance(node, dict) else {}


def iter_operations(document: Node) -> Iterator[Endpoint]:
    """Yield each operation with its references followed and the parameters of its path among its own."""
    for path, node in document.get("paths", {}).items():
        item = resolve_reference(document, node)
        for method in METHODS:
            if path.startswith("/") and isinstance(item.get(method), dict):
                yield Endpoint(path, method, _complete_operation(document, item, item[method]))


def _complete_operation(document: Node, item: Node, operation: Node) -> Node:
    own = [resolve_reference(document, parameter) for parameter in operation.get("parameters", [])]
    named = {(parameter["name"], parameter["in"]) for parameter in own}
    shared = [resolve_reference(document, parameter) for parameter in item.get("parameters", [])]
    return operation | {
        "parameters": [*own, *(p for p in shared if (p["name"], p["in"]) not in named)],
        "requestBody": resolve_reference(document, operation.get("requestBody", {})),
        "responses": {
            status: resolve_reference(document, response)
            for status, response in operation.get("responses", {}).items()
            if not status.startswith("x-")
        },
    }


def find_json_schema(content: Node, *, in_response: bool) -> Node:
    """Give the schema of the JSON among the types of a body; None where there is no JSON.

    A server that offers any type answers with JSON when asked for it. A body that it takes has to be plain JSON, for
    that is what the client says it sends.
    """
    fitting = (
        r"application/json|\*/\*" if not in_response else r"application/(json|[\w.+-]+\+json)|\*/\*|application/\*"
    )
    found = [kind for kind in content if re.fullmatch(fitting, kind.split(";")[0].strip().lower())]
    exact = [kind for kind in found if kind.lower().startswith("application/json")]
    return content[(exact or found)[0]].get("schema", {}) if found else None


def success_responses(operation: Node) -> dict[str, Node]:
    """Give the answers that mean success: those of 2xx, or the default where there are none."""
    responses: dict[str, Node] = operation["responses"]
    found = {status: response for status, response in responses.items() if status.startswith("2")}
    return found or {status: response for status, response in responses.items() if status == "default"}
