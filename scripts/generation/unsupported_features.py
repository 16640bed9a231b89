"""Find features of a document that the templates or the client do not support, one line each.

Features that no published document of Pinecone has are refused rather than worked around. An operation that cannot be
generated can be excluded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import reduce

from generation.api_document import (
    DocumentError,
    Endpoint,
    Node,
    iter_operations,
    look_up_reference,
    resolve_reference,
    success_responses,
)
from generation.normalization import (
    CLIENT_HEADERS,
    body_schema,
    component_schemas,
    exclude_operation,
    first_tag,
    folder_name,
    list_operations,
    module_name,
    reach_components,
)
from generation.plain_schema import COMPONENT_PREFIX, LIMITS, listed_values

# The paths that the client accepts once the placeholders are filled in.
_SENDABLE_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")
# The only parameter styles that the client writes.
_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple"}
# What the client sets itself, or what would change how a request is read.
_FRAMING_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "host", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent"}
)
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
# The last line has what neither changes the type of a value nor is checked by the client.
_SCHEMA_KEYS = frozenset(
    {"type", "format", "nullable", "properties", "required", "items", "enum", "$ref", "oneOf", "allOf", "discriminator"}
    | {"description", "title", "example", "deprecated", "readOnly", "writeOnly", *LIMITS}
    | {"default", "additionalProperties", "externalDocs", "xml", "pattern", "multipleOf", "uniqueItems"}
    | {"exclusiveMinimum", "exclusiveMaximum", "minProperties", "maxProperties"}
)


def require_supported(document: Node, source: str, settings: Node) -> Node:
    """Return a document if a client can be generated from it, apart from the excluded operations, else raise."""
    included = reduce(lambda node, name: exclude_operation(node, operation_id=name), settings["exclude"], document)
    refuse(source, find_unsupported(included))
    return document


def refuse(source: str, problems: list[str]) -> None:
    """Raise if there are problems, and list all of them."""
    if len(problems) > 1:
        raise DocumentError(f"cannot generate from {source}:", problems)
    if problems:
        raise DocumentError(f"cannot generate from {source}: {problems[0]}")


def find_unsupported(document: Node) -> list[str]:
    """Return why no client can be generated from a document, empty if nothing prevents it."""
    endpoints = list(iter_operations(document))
    return [
        *_check_document(document, endpoints),
        *(
            f"{endpoint.label}: {problem}: list {endpoint.label} under exclude in openapi/generator.yaml"
            for endpoint in endpoints
            for problem in _check_operation(document, endpoint)
        ),
    ]


def _check_document(document: Node, endpoints: list[Endpoint]) -> Iterator[str]:
    if not endpoints:
        yield "it has no operations"
    version = document["info"]["version"]
    if not re.fullmatch(r"[\x21-\x7e]+", version):
        yield f"info.version {version!r} cannot be sent in a header"
    labels: dict[str, str] = {}
    for endpoint in endpoints:
        name = module_name(endpoint.label)
        other = labels.setdefault(name, endpoint.label)
        if other != endpoint.label:
            yield _describe_clash(other, endpoint.label, name)
    # Both are names in the generated package api: the folder of a tag and the function of an operation.
    for tag in {first_tag(endpoint.operation): None for endpoint in endpoints}:
        if folder_name(tag) in labels:
            yield _describe_clash(f"tag {tag}", labels[folder_name(tag)], folder_name(tag))


def _describe_clash(first: str, second: str, name: str) -> str:
    return f"{first} and {second} would both be named {name}"


def _check_operation(document: Node, endpoint: Endpoint) -> Iterator[str]:
    if "operationId" not in endpoint.operation:
        yield "it has no operationId"
    if endpoint.operation.get("servers", document.get("servers")) != document.get("servers"):
        yield "its own servers are not supported: the client sends every operation to the server of the document"
    yield from _check_path(endpoint)
    yield from _check_parameters(document, endpoint)
    yield from _check_bodies(document, endpoint)
    for location, schema in _list_schemas(document, endpoint):
        yield from (f"{location}: {problem} is not supported" for problem in _check_schema(document, schema))


def _check_path(endpoint: Endpoint) -> Iterator[str]:
    if not _SENDABLE_PATH.fullmatch(re.sub(r"\{[^{}]*\}", "x", endpoint.path)):
        yield f"the path {endpoint.path} contains a character that the client does not send"
    for parameter in endpoint.operation["parameters"]:
        name = parameter["name"]
        if parameter["in"] == "path" and not (name.isidentifier() and f"{{{name}}}" in endpoint.path):
            yield f"path parameter {name} does not occur in the path, or is not a name in Python"


def _check_parameters(document: Node, endpoint: Endpoint) -> Iterator[str]:
    for parameter in endpoint.operation["parameters"]:
        kind, name = parameter["in"], parameter["name"]
        if kind == "cookie" or (kind == "header" and name.lower() in _FRAMING_HEADERS):
            yield f"{kind} parameter {name} is not supported"
        elif not (kind == "header" and name.lower() in CLIENT_HEADERS) and not _is_writable(document, parameter):
            yield f"{kind} parameter {name} is not supported: only plain values are, and lists of strings in a query"


def _is_writable(document: Node, parameter: Node) -> bool:
    """Return whether the client can write a parameter into a URL or a header."""
    schema, style = resolve_reference(document, parameter.get("schema", {})), _DEFAULT_STYLES[parameter["in"]]
    is_list = parameter["in"] == "query" and schema.get("type") == "array" and parameter.get("explode") is not False
    kind = resolve_reference(document, schema["items"]).get("type") if is_list else schema.get("type")
    return kind in _SCALARS and parameter.get("style", style) == style


def _check_bodies(document: Node, endpoint: Endpoint) -> Iterator[str]:
    content = endpoint.operation["requestBody"].get("content", {})
    if content and "application/json" not in content:
        yield f"a request body of type {', '.join(content)} is not supported; only application/json is"
    elif content and resolve_reference(document, content["application/json"]["schema"]).get("nullable"):
        yield "a request body that may be null is not supported"
    responses = success_responses(endpoint.operation)
    if not responses:
        yield "it has no success response"
    contents = [response["content"] for response in responses.values() if response.get("content")]
    for types in contents:
        if "application/json" not in types:
            yield f"a response of type {', '.join(types)} is not supported; only application/json is"
    if len({json.dumps(types, sort_keys=True) for types in contents}) > 1:
        yield f"success responses with different schemas are not supported: {', '.join(responses)}"


def _list_schemas(document: Node, endpoint: Endpoint) -> Iterator[tuple[str, Node]]:
    """Yield each schema of an operation, and each that they refer to, with its location."""
    bodies = [endpoint.operation["requestBody"], *success_responses(endpoint.operation).values()]
    contents = [body["content"].get("application/json", {}) for body in bodies if body.get("content")]
    ahead = [("a body", content["schema"]) for content in contents if "schema" in content]
    known: set[str] = set()
    while ahead:
        location, schema = ahead.pop()
        yield location, schema
        if reference := schema.get("$ref"):
            if reference not in known:
                ahead.append((reference.removeprefix(COMPONENT_PREFIX), look_up_reference(document, reference)))
            known.add(reference)
        ahead += [(f"{location}.{name}", field) for name, field in schema.get("properties", {}).items()]
        parts = [*schema.get("oneOf", []), *schema.get("allOf", []), *([schema["items"]] if "items" in schema else [])]
        ahead += [(f"{location}[]" if part is schema.get("items") else location, part) for part in parts]


def _check_schema(document: Node, schema: Node) -> Iterator[str]:
    """Yield what makes a schema none that can be made plain."""
    yield from (key for key in sorted(schema.keys() - _SCHEMA_KEYS) if not key.startswith("x-"))
    if not str(schema.get("$ref", COMPONENT_PREFIX)).startswith(COMPONENT_PREFIX):
        yield "a reference to anything but a component schema"
    if len(schema.get("allOf", "1")) > 1:
        yield "allOf of several schemas"
    if len({type(value) for value in listed_values(schema)} | {str}) > 1 and not all(
        type(value) is int for value in listed_values(schema)
    ):
        yield "a list of values that are neither all strings nor all integers"
    choices = [resolve_reference(document, choice) for choice in schema.get("oneOf", [])]
    if choices and ("properties" in schema or not all(choice.get("properties") for choice in choices)):
        yield "oneOf of anything but objects with fields"
    tags = schema.get("discriminator", {}).get("mapping", {})
    targets = {target.removeprefix(COMPONENT_PREFIX) for target in tags.values()}
    names = {str(choice.get("$ref")).removeprefix(COMPONENT_PREFIX) for choice in schema.get("oneOf", [])}
    if "discriminator" in schema and targets != names:
        yield "a discriminator whose mapping does not name each choice"


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
