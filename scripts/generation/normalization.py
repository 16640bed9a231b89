"""Rewrite an API document into what the generator's templates expect: one pure rule after the other.

The rules hand each other a whole document. After expand_operations it has nothing but operations, each complete in
itself, and component schemas, all of them plain in the sense of plain_schema. adapt_schemas comes last, and writes it
as the generator reads it best.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import NamedTuple

from openapi_python_client.strings import ClassName, PythonIdentifier

from generation.api_document import (
    VERSION_HEADER,
    Endpoint,
    Node,
    find_json_schema,
    iter_operations,
    resolve_reference,
    success_responses,
)
from generation.plain_schema import COMPONENT_PREFIX, make_plain

# HTTP's own headers, which OpenAPI says to ignore as parameters, and the one that the client sends once for all.
CLIENT_HEADERS = frozenset({"accept", "content-type", "authorization", VERSION_HEADER})
# Names that generated modules import for themselves.
RESERVED_NAMES = frozenset({"Any", "Literal", "Operation", "TypeAlias", "Unlisted"})
# What the generator puts before a name that is none in Python.
NAME_PREFIX = "field_"
# What belongs to a field, whatever its type is called.
FIELD_KEYS = frozenset({"description", "nullable", "readOnly", "writeOnly", "x-secret"})

Transform = Callable[[Node], Node]
NamedTransform = Callable[[str, Node], Node]


class Rule(NamedTuple):
    """A change of the whole document, and what it is called where it finds nothing to change."""

    label: str
    apply: Transform
    may_be_idle: bool = False


def normalize_document(document: Node, settings: Node) -> tuple[Node, list[str]]:
    """Apply every rule in order; the second value names those that matched nothing."""
    idle: list[str] = []
    for rule in list_rules(settings):
        before, document = document, rule.apply(document)
        if document == before and not rule.may_be_idle:
            idle.append(rule.label)
    return document, idle


def list_rules(settings: Node) -> list[Rule]:
    """List the rules in their order; those that only other documents than ours need may be idle."""
    return [
        Rule("drop format: uuid and the like", drop_formats),
        Rule("hoist schemas marked x-component-name", hoist_marked_schemas),
        Rule("spell operations and schemas out", expand_operations, may_be_idle=True),
        Rule("drop the version header parameter", drop_client_headers),
        *(
            Rule(f"secret {field_path}", partial(mark_secret, field_path=field_path))
            for field_path in settings["secrets"]
        ),
        # Before what has no configured name gets one of its place.
        *(
            Rule(f"literal {name} at {field_path}", partial(name_literal, name=name, field_path=field_path))
            for name, field_path in settings["literals"].items()
        ),
        Rule("name components as classes", name_components, may_be_idle=True),
        Rule("name inline schemas after their places", name_inline_schemas, may_be_idle=True),
        # After the inline schemas have names, else each copy of an alias would name its own.
        Rule("put aliases in their places", inline_aliases, may_be_idle=True),
        # After the aliases are in their places, as an alias may bring null along.
        Rule("make nullable fields optional", make_nullable_optional, may_be_idle=True),
        Rule("make parameters text", simplify_parameters, may_be_idle=True),
        Rule("describe parameters in their schemas", describe_parameters),
    ]


def drop_formats(document: Node) -> Node:
    """Make ids, and everything else but date-times, opaque strings: the server owns their form."""

    def drop_format(node: Node) -> Node:
        if not isinstance(node.get("format"), str) or node["format"] == "date-time":
            return node
        return {key: value for key, value in node.items() if key != "format"}

    return rewrite_mappings(document, drop_format)


def hoist_marked_schemas(document: Node) -> Node:
    """Move each inline schema that bears a component name into the components."""
    hoisted: Node = {}

    def hoist_schema(node: Node) -> Node:
        if not isinstance(name := node.get("x-component-name"), str):
            return node
        schema = {key: value for key, value in node.items() if key != "x-component-name"}
        return component_reference(name) if hoisted.setdefault(name, schema) == schema else schema

    return add_schemas(rewrite_mappings(document, hoist_schema), hoisted)


def expand_operations(document: Node) -> Node:
    """Leave nothing but complete operations and component schemas, and make every schema plain."""
    paths: Node = {}
    for endpoint in iter_operations(document):
        paths.setdefault(_rename_placeholders(endpoint.path), {})[endpoint.method] = _expand_operation(endpoint)
    expanded = {
        "openapi": document["openapi"],
        "info": {key: document["info"][key] for key in ("title", "version")},
        "paths": paths,
        "components": {"schemas": document.get("components", {}).get("schemas", {})},
    }
    return map_schemas(expanded, lambda _, schema: make_plain(document, schema))


def _expand_operation(endpoint: Endpoint) -> Node:
    operation = endpoint.operation
    expanded = {key: operation[key] for key in ("summary", "description") if key in operation} | {
        "operationId": operation_id(endpoint),
        "tags": [first_tag(operation)],
        "parameters": [_expand_parameter(parameter) for parameter in operation["parameters"]],
        "responses": {"200": {"description": "Success.", **_expand_response(operation)}},
    }
    if body := operation["requestBody"]:
        schema = find_json_schema(body["content"], in_response=False)
        expanded["requestBody"] = {"required": body.get("required", False), **_json_content(schema)}
    return expanded


def operation_id(endpoint: Endpoint) -> str:
    """Give an operation's own name, or make one of its method and path."""
    named = endpoint.operation.get("operationId")
    return (
        str(named) if named else f"{endpoint.method}_{re.sub('[{}]', '', endpoint.path).strip('/').replace('/', '_')}"
    )


def first_tag(operation: Node) -> str:
    """Give the tag that an operation is filed under."""
    tags: list[str] = operation.get("tags") or ["default"]
    return tags[0]


def _expand_parameter(parameter: Node) -> Node:
    kept = {key: parameter[key] for key in ("in", "required", "description") if key in parameter}
    name = parameter["name"]
    return kept | {
        "name": _placeholder_name(name) if parameter["in"] == "path" else name,
        "schema": parameter.get("schema", {}),
    }


def _rename_placeholders(path: str) -> str:
    return re.sub(r"(?<=\{)[^{}]*(?=\})", lambda match: _placeholder_name(match[0]), path)


def _placeholder_name(name: str) -> str:
    """Spell the name of a path parameter as the generator knows it in a path: the server never sees it."""
    return re.sub(r"^(?=\d)", "_", re.sub(r"[^A-Za-z0-9_-]", "_", name))


def _expand_response(operation: Node) -> Node:
    contents = [response["content"] for response in success_responses(operation).values() if response.get("content")]
    return _json_content(find_json_schema(contents[0], in_response=True)) if contents else {}


def _json_content(schema: Node) -> Node:
    return {"content": {"application/json": {"schema": schema}}}


def drop_client_headers(document: Node) -> Node:
    """Leave the version header out of every operation: the client sends it once for all."""

    def is_client_header(parameter: Node) -> bool:
        return parameter["in"] == "header" and parameter["name"].lower() in CLIENT_HEADERS

    return map_operations(
        document, lambda node: node | {"parameters": [p for p in node["parameters"] if not is_client_header(p)]}
    )


def mark_secret(document: Node, *, field_path: str) -> Node:
    """Mark a field whose value the model's repr masks."""
    document = deepcopy(document)
    field = find_field(document, field_path)
    if field is not None:
        field["x-secret"] = True
    return document


def name_literal(document: Node, *, name: str, field_path: str) -> Node:
    """Give the values at a place a name, and refer to it wherever the same values stand."""
    found = resolve_reference(document, find_field(document, field_path) or {})
    found = resolve_reference(document, found.get("items", found))
    if "enum" not in found:
        return document

    def refer_to_literal(node: Node) -> Node:
        return component_reference(name) | field_notes(node) if node.get("enum") == found["enum"] else node

    literal = {key: found[key] for key in ("type", "description", "enum") if key in found}
    return add_schemas(map_every_schema(document, refer_to_literal), {name: literal})


def name_components(document: Node) -> Node:
    """Name each component as its class, no two of one module and none as what the modules import."""
    taken: set[str] = set()
    names = {COMPONENT_PREFIX + name: reserve_name(class_name(name), taken) for name in component_schemas(document)}

    def rename_reference(node: Node) -> Node:
        return node | component_reference(names[node["$ref"]]) if "$ref" in node else node

    renamed = map_every_schema(document, rename_reference)
    schemas = {names[COMPONENT_PREFIX + name]: schema for name, schema in component_schemas(renamed).items()}
    return renamed | {"components": {"schemas": schemas}}


def name_inline_schemas(document: Node) -> Node:
    """Move each inline object and list of values into the components, named after its place."""
    taken = {module_name(name) for name in component_schemas(document)}
    named: Node = {}

    def name_nested(name: str, schema: Node) -> Node:
        fields = {key: name_schema(f"{name} {key}", field) for key, field in schema.get("properties", {}).items()}
        items = {"items": name_schema(f"{name} Item", schema["items"])} if "items" in schema else {}
        return schema | ({"properties": fields} if fields else {}) | items

    def name_schema(name: str, schema: Node) -> Node:
        schema = name_nested(name, schema)
        if not is_named_type(schema):
            return schema
        key = reserve_name(class_name(name), taken)
        named[key] = {k: v for k, v in schema.items() if k == "description" or k not in FIELD_KEYS}
        return component_reference(key) | field_notes(schema)

    hoisted = map_schemas(document, name_nested, name_schema)
    return add_schemas(hoisted, named)


def inline_aliases(document: Node) -> Node:
    """Put components that are neither a class nor a list of values where they are referred to."""
    schemas = component_schemas(document)

    def inline_nested(schema: Node, seen: frozenset[str]) -> Node:
        return map_nested_schemas(schema, partial(inline_reference, seen=seen))

    def inline_reference(node: Node, *, seen: frozenset[str]) -> Node:
        if "$ref" not in node:
            return node
        name = node["$ref"].removeprefix(COMPONENT_PREFIX)
        target = schemas[name]
        if is_named_type(target):
            return node | ({"nullable": True} if target.get("nullable") else {})
        return field_notes(node) if name in seen else inline_nested(target, seen | {name}) | field_notes(node)

    inlined = map_schemas(document, lambda _, schema: inline_nested(schema, frozenset()))
    classes = {
        name: _without_null(schema)
        for name, schema in component_schemas(inlined).items()
        if is_named_type(schemas[name])
    }
    return inlined | {"components": {"schemas": classes}}


def make_nullable_optional(document: Node) -> Node:
    """Take nullable fields out of required: absent and null mean the same."""

    def make_optional(node: Node) -> Node:
        if "properties" not in node:
            return node
        required = [name for name in node["required"] if not node["properties"][name].get("nullable")]
        fields = {name: _without_null(field) for name, field in node["properties"].items()}
        return node | {"required": required, "properties": fields}

    return map_every_schema(document, make_optional)


def _without_null(schema: Node) -> Node:
    return {key: value for key, value in schema.items() if key != "nullable"}


def simplify_parameters(document: Node) -> Node:
    """Let parameters be what the client can write into a URL: text, whole numbers, truth values, lists of text."""

    def simplify_parameter(parameter: Node) -> Node:
        return parameter | {"schema": _simplify_schema(parameter["schema"], in_query=parameter["in"] == "query")}

    return map_parameters(document, simplify_parameter)


def _simplify_schema(schema: Node, *, in_query: bool) -> Node:
    kind = schema.get("type", "any")
    if "$ref" in schema:
        return component_reference(schema["$ref"].removeprefix(COMPONENT_PREFIX))
    if kind == "array":
        items = schema["items"]
        return {
            "type": "array",
            "items": _simplify_schema(items, in_query=False) if "$ref" in items else {"type": "string"},
        }
    if kind == "integer" or (in_query and kind == "boolean"):
        return {"type": kind}
    return {} if in_query and kind == "any" else {"type": "string"}


def describe_parameters(document: Node) -> Node:
    """Repeat a parameter's description in its schema, the only place where the generator reads one."""

    def describe_parameter(node: Node) -> Node:
        if "description" not in node:
            return node
        return node | {"schema": node["schema"] | {"description": node["description"]}}

    return map_parameters(document, describe_parameter)


def adapt_schemas(document: Node) -> Node:
    """Spell what the generator would lose or name badly.

    It drops a description beside a reference, and keeps one beside a choice. It makes a class of each free-form
    object, whose name may be taken already: they all become one.
    """
    free_form = reserve_name("FreeForm", {module_name(name) for name in component_schemas(document)})

    def adapt_schema(node: Node) -> Node:
        described = {key: node[key] for key in ("description", "x-secret") if key in node}
        bare = {key: value for key, value in node.items() if key not in FIELD_KEYS}
        if bare.get("type") == "object" and "properties" not in bare:
            bare = component_reference(free_form)
        if not node.get("nullable"):
            return {"anyOf": [{"allOf": [bare]}], **described} if "$ref" in bare and described else bare | described
        return {"anyOf": [{"allOf": [bare]} if "$ref" in bare else bare, {"type": "null"}], **described}

    adapted = map_every_schema(document, adapt_schema)
    return add_schemas(adapted, {free_form: {"type": "object"}})


# What the rules are made of: names, walks, and the components.


def class_name(text: str) -> str:
    """Spell a name as the generator names a class, so that it finds nothing to change."""
    # Once is not enough: of some names the generator makes one that it would change again.
    name = text
    while name != (spelled := str(ClassName(name, NAME_PREFIX))):
        name = spelled
    return name


def module_name(text: str) -> str:
    """Spell a name as the generator names a module, a function or a field."""
    return str(PythonIdentifier(text, NAME_PREFIX))


def folder_name(tag: str) -> str:
    """Spell a tag as the generator names its folder."""
    return str(PythonIdentifier(tag, "tag"))


def reserve_name(name: str, taken: set[str]) -> str:
    """Number a name whose module is taken already, and take it."""
    base = f"{name}Model" if name in RESERVED_NAMES else name
    candidates = (f"{base}{number}" if number > 1 else base for number in range(1, len(taken) + 2))
    free = next(candidate for candidate in candidates if module_name(candidate) not in taken)
    taken.add(module_name(free))
    return free


def is_named_type(schema: Node) -> bool:
    """Tell whether a plain schema becomes a class or a named literal."""
    return "properties" in schema or "enum" in schema


def field_notes(schema: Node) -> Node:
    """Give what a schema says of the field that it stands for rather than of its type."""
    return {key: value for key, value in schema.items() if key in FIELD_KEYS}


def find_field(document: Node, field_path: str) -> Node | None:
    """Look up ``Schema.field``, at any depth of objects."""
    schema, *names = field_path.split(".")
    node = component_schemas(document).get(schema)
    for name in names:
        node = resolve_reference(document, node or {}).get("properties", {}).get(name)
    return node


def component_reference(name: str) -> Node:
    """Refer to a schema of the components."""
    return {"$ref": COMPONENT_PREFIX + name}


def component_schemas(document: Node) -> Node:
    """Give the schemas of the components."""
    return document.get("components", {}).get("schemas", {})


def add_schemas(document: Node, schemas: Node) -> Node:
    """Add schemas to the components."""
    return document | {
        "components": document.get("components", {}) | {"schemas": component_schemas(document) | schemas}
    }


def body_schema(node: Node) -> Node:
    """Give the schema of the body or response of an operation that is spelled out; None where it has no content."""
    return node["content"]["application/json"]["schema"] if "content" in node else None


def list_operations(document: Node) -> list[Node]:
    """List the operations of a document that is spelled out."""
    return [node for item in document["paths"].values() for node in item.values()]


def map_operations(document: Node, transform: Transform) -> Node:
    """Change each operation of a document that is spelled out."""
    paths = {
        path: {method: transform(node) for method, node in item.items()} for path, item in document["paths"].items()
    }
    return document | {"paths": paths}


def map_parameters(document: Node, transform: Transform) -> Node:
    """Change each parameter of each operation."""
    return map_operations(document, lambda node: node | {"parameters": [transform(p) for p in node["parameters"]]})


def map_schemas(document: Node, transform: NamedTransform, in_operations: NamedTransform | None = None) -> Node:
    """Change each whole schema of a document that is spelled out, given the name of the place where it stands."""
    transform_in_operation = in_operations or transform

    def map_operation(node: Node) -> Node:
        name = node["operationId"]
        parameters = [
            p | {"schema": transform_in_operation(f"{name} {p['name']}", p["schema"])} for p in node["parameters"]
        ]
        body, response = node.get("requestBody"), node["responses"]["200"]
        changed = node | {"parameters": parameters, "responses": {"200": map_content(response, f"{name} response")}}
        return changed | ({"requestBody": map_content(body, f"{name} body")} if body else {})

    def map_content(node: Node, name: str) -> Node:
        schema = body_schema(node)
        return node if schema is None else node | _json_content(transform_in_operation(name, schema))

    schemas = {name: transform(name, schema) for name, schema in component_schemas(document).items()}
    return map_operations(document, map_operation) | {"components": {"schemas": schemas}}


def map_every_schema(document: Node, transform: Transform) -> Node:
    """Change each schema of a document that is spelled out, at any depth."""
    return map_schemas(document, lambda _, schema: map_nested_schemas(schema, transform))


def map_nested_schemas(schema: Node, transform: Transform) -> Node:
    """Change a plain schema and every schema within, innermost first."""
    fields = {name: map_nested_schemas(field, transform) for name, field in schema.get("properties", {}).items()}
    items = {"items": map_nested_schemas(schema["items"], transform)} if "items" in schema else {}
    return transform(schema | ({"properties": fields} if fields else {}) | items)


def rewrite_mappings(node: Node, transform: Transform) -> Node:
    """Copy a tree, innermost first, with every mapping in it passed through a transform."""
    if isinstance(node, dict):
        return transform({key: rewrite_mappings(value, transform) for key, value in node.items()})
    if isinstance(node, list):
        return [rewrite_mappings(item, transform) for item in node]
    return node
