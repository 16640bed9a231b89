"""Find features of a document that the templates or the client do not support, one line each.

Features that no published document was found to use are refused rather than worked around.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from generation.api_document import (
    Endpoint,
    Node,
    find_json_schema,
    iter_operations,
    resolve_reference,
    success_responses,
)
from generation.normalization import (
    CLIENT_HEADERS,
    body_schema,
    component_schemas,
    first_tag,
    folder_name,
    list_operations,
    module_name,
    operation_id,
    reach_components,
)
from generation.plain_schema import allowed_kinds, is_nullable

# The paths that the client accepts once the placeholders are filled in.
_SENDABLE_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")
# The only parameter styles that the client writes.
_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple"}
# What the client sets itself, or what would change how a request is read.
_FRAMING_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "host", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent"}
)


def find_unsupported(document: Node) -> list[str]:
    """Return why no client can be generated from a document, empty if nothing prevents it."""
    endpoints = list(iter_operations(document))
    of_operations = [
        f"{endpoint.label}: {problem}"
        for endpoint in endpoints
        for problem in (
            *_check_path(endpoint),
            *_check_parameters(document, endpoint),
            *_check_body(document, endpoint),
            *_check_responses(endpoint),
        )
    ]
    return [*_check_document(document, endpoints), *of_operations]


def _check_document(document: Node, endpoints: list[Endpoint]) -> Iterator[str]:
    if not endpoints:
        yield "it has no operations"
    version = document["info"]["version"]
    if not re.fullmatch(r"[\x21-\x7e]+", version):
        yield f"info.version {version!r} cannot be sent in a header"
    labels: dict[str, str] = {}
    for endpoint in endpoints:
        name = module_name(operation_id(endpoint))
        other = labels.setdefault(name, endpoint.label)
        if other != endpoint.label:
            yield _describe_clash(other, endpoint.label, name)
    # Both are names in the generated package api: the folder of a tag and the function of an operation.
    for tag in {first_tag(endpoint.operation): None for endpoint in endpoints}:
        if folder_name(tag) in labels:
            yield _describe_clash(f"tag {tag}", labels[folder_name(tag)], folder_name(tag))


def _describe_clash(first: str, second: str, name: str) -> str:
    return f"{first} and {second} would both be named {name}"


def _check_path(endpoint: Endpoint) -> Iterator[str]:
    if not _SENDABLE_PATH.fullmatch(re.sub(r"\{[^{}]*\}", "x", endpoint.path)):
        yield f"the path {endpoint.path} contains a character that the client does not send"
    for parameter in endpoint.operation["parameters"]:
        if parameter["in"] == "path" and f"{{{parameter['name']}}}" not in endpoint.path:
            yield f"path parameter {parameter['name']} does not occur in the path"


def _check_parameters(document: Node, endpoint: Endpoint) -> Iterator[str]:
    for parameter in endpoint.operation["parameters"]:
        kind, name = parameter["in"], parameter["name"]
        if kind == "cookie" or (kind == "header" and name.lower() in _FRAMING_HEADERS):
            yield f"{kind} parameter {name} is not supported"
        elif kind == "header" and name.lower() in CLIENT_HEADERS:
            pass
        elif kind in _DEFAULT_STYLES and (form := _unwritable_form(document, parameter)):
            yield f"{kind} parameter {name} is not supported: it {form}"


def _unwritable_form(document: Node, parameter: Node) -> str | None:
    """Return why the client cannot write a parameter into a URL, or None if it can."""
    schema, style = parameter.get("schema"), _DEFAULT_STYLES[parameter["in"]]
    if schema is None:
        return "has its own content type"
    found = allowed_kinds(document, schema)
    if "object" in found or ("array" in found and parameter["in"] != "query"):
        return "is an object" if "object" in found else "is a list"
    items = resolve_reference(document, schema).get("items", {})
    if "array" in found and allowed_kinds(document, items) & {"array", "object"}:
        return "is a list of lists or objects"
    if parameter.get("style", style) != style:
        return f"has the style {parameter['style']}"
    return "is a list joined into one value" if "array" in found and parameter.get("explode") is False else None


def _check_body(document: Node, endpoint: Endpoint) -> Iterator[str]:
    content = endpoint.operation["requestBody"].get("content", {})
    schema = find_json_schema(content, in_response=False)
    if content and schema is None:
        yield f"a request body of type {', '.join(content)} is not supported; only application/json is"
    elif content and ("null" in allowed_kinds(document, schema) or is_nullable(resolve_reference(document, schema))):
        yield "a request body that may be null is not supported"


def _check_responses(endpoint: Endpoint) -> Iterator[str]:
    statuses_by_schema: dict[str, list[str]] = {}
    for status, response in success_responses(endpoint.operation).items():
        content = response.get("content", {})
        schema = find_json_schema(content, in_response=True)
        if content and schema is None:
            yield f"a response of type {', '.join(content)} is not supported; only JSON is"
        if content:
            statuses_by_schema.setdefault(json.dumps(schema, sort_keys=True), []).append(status)
    if len(statuses_by_schema) > 1:
        statuses = sorted(status for some in statuses_by_schema.values() for status in some)
        yield f"success responses with different schemas are not supported: {', '.join(statuses)}"


def find_unsupported_types(document: Node) -> list[str]:
    """Return why no client can be generated from a document that normalize_document rewrote."""
    return [*_check_fields(document), *_check_directions(document), *_check_response_types(document)]


def _check_fields(document: Node) -> Iterator[str]:
    for component, schema in component_schemas(document).items():
        fields: dict[str, str] = {}
        for field in schema.get("properties", {}):
            other = fields.setdefault(module_name(field), field)
            if other != field:
                yield _describe_clash(f"{component}.{other}", f"{component}.{field}", module_name(field))


def _check_directions(document: Node) -> Iterator[str]:
    operations, schemas = list_operations(document), component_schemas(document)
    sent = reach_components(document, (node.get("requestBody") for node in operations))
    received = reach_components(document, (node["responses"] for node in operations))
    for components, mark, body in ((sent, "readOnly", "request"), (received, "writeOnly", "response")):
        for component in sorted(components):
            for field in schemas[component].get("required", []):
                if schemas[component]["properties"][field].get(mark):
                    yield f"a {mark} field that is required in a {body} is not supported: {component}.{field}"


def _check_response_types(document: Node) -> Iterator[str]:
    for node in list_operations(document):
        schema = body_schema(node["responses"]["200"]) or {}
        # Operation.returns is a type[T], which neither a union nor a Literal is.
        if schema.get("nullable"):
            yield f"{node['operationId']}: a nullable response is not supported"
        elif "enum" in resolve_reference(document, schema):
            yield f"{node['operationId']}: a response that is one of listed values is not supported"
