"""Rewrite an API document, rule by rule, into the form that the generator's templates expect.

Each rule is a pure function from a whole document to a whole document. expand_operations leaves only operations
without references and component schemas, and makes every schema plain (see plain_schema); we call that an expanded
document. adapt_schemas is the last step, apart from the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from openapi_python_client.strings import ClassName, PythonIdentifier

from generation.api_document import (
    METHODS,
    VERSION_HEADER,
    Endpoint,
    Node,
    find_example,
    iter_operations,
    iter_references,
    look_up_reference,
    resolve_reference,
    success_responses,
)
from generation.plain_schema import COMPONENT_PREFIX, LIMITS, make_plain, referenced_component
from generation.unions import describe_union

# HTTP's own headers, which OpenAPI excludes as parameters, and the version header, which the client always sends.
CLIENT_HEADERS = frozenset({"accept", "content-type", "authorization", VERSION_HEADER})
# Names that generated modules import themselves.
RESERVED_NAMES = frozenset({"Any", "Literal", "Operation", "TypeAlias", "Unlisted"})
# The generator prefixes a name with this if it is not a Python identifier.
NAME_PREFIX = "field_"
# These keys describe a field rather than its type.
FIELD_KEYS = frozenset(
    {"description", "deprecated", "nullable", "readOnly", "writeOnly"}
    | {"x-choice", "x-example", "x-limits", "x-null", "x-secret"}
)
# Decoded, checked, and masked in this order.
KEPT_FORMATS = frozenset({"date-time", "email", "password"})
SECRET_NAMES = re.compile(r"(.*_)?(secret|password|passphrase|token|private_key|api_key|credentials?)")
PAGE_TOKENS = re.compile(r"(.*_)?(next|prev|previous|page|pagination|continuation)_token")
Transform = Callable[[Node], Node]
NamedTransform = Callable[[str, Node], Node]


class Rule(NamedTuple):
    """A transform of a whole document, and its label in reports.

    Attributes:
        label: The name of the rule in the report of rules that changed nothing.
        apply: The transform.
        may_be_idle: Whether it is normal that the rule changes nothing.
    """

    label: str
    apply: Transform
    may_be_idle: bool = False


def normalize_document(document: Node, settings: Node) -> tuple[Node, list[str]]:
    """Apply every rule in order; the second value lists the rules that changed nothing but should have."""
    idle: list[str] = []
    for rule in list_rules(settings):
        before, document = document, rule.apply(document)
        if document == before and not rule.may_be_idle:
            idle.append(rule.label)
    return document, idle


def list_rules(settings: Node) -> list[Rule]:
    """Return the rules in order; those that our own document does not need may be idle."""
    return [
        *(
            Rule(f"exclude {operation_id}", partial(exclude_operation, operation_id=operation_id))
            for operation_id in settings["exclude"]
        ),
        Rule("hoist schemas marked x-component-name", hoist_marked_schemas),
        Rule("expand operations and schemas", expand_operations, may_be_idle=True),
        *(
            Rule(f"field {field_path}", partial(add_field, field_path=field_path, schema=schema))
            for field_path, schema in settings["fields"].items()
        ),
        Rule("drop format: uuid and the like", drop_formats),
        Rule("drop the version header parameter", drop_client_headers),
        *(
            Rule(f"secret {field_path}", partial(mark_secret, field_path=field_path))
            for field_path in settings["secrets"]
        ),
        # After the configured ones, which need no report.
        Rule("mask what looks like a secret", mark_likely_secrets, may_be_idle=True),
        *(
            Rule(f"limits of {field_path}", partial(add_limits, field_path=field_path, limits=limits))
            for field_path, limits in settings["limits"].items()
        ),
        # Before name_inline_schemas, which names what has no configured name.
        *(
            Rule(f"literal {name} at {field_path}", partial(name_literal, name=name, field_path=field_path))
            for name, field_path in settings["literals"].items()
        ),
        *(
            Rule(f"literal {name}", partial(add_partial_literal, name=name, **setting))
            for name, setting in settings.get("partial_literals", {}).items()
        ),
        Rule("name components as classes", name_components, may_be_idle=True),
        Rule("name inline schemas after their locations", name_inline_schemas, may_be_idle=True),
        # After name_inline_schemas, else it would name each copy of a schema within an alias.
        Rule("inline aliases", inline_aliases, may_be_idle=True),
        # After inline_aliases, because an alias can be nullable.
        Rule("mark request fields that may be null", mark_request_nulls, may_be_idle=True),
        Rule("make nullable fields optional", make_nullable_optional, may_be_idle=True),
        # After make_nullable_optional, because a choice without a tag is known by its required fields.
        Rule("say how unions are decoded", describe_unions, may_be_idle=True),
        Rule("simplify parameters", simplify_parameters, may_be_idle=True),
        Rule("emit limits", emit_limits, may_be_idle=True),
        Rule("note deprecations", note_deprecations, may_be_idle=True),
        Rule("describe parameters in their schemas", describe_parameters, may_be_idle=True),
        # Last, because the references between components are final only now.
        Rule("mark models in responses", mark_response_models, may_be_idle=True),
        Rule("note where models occur", note_occurrences, may_be_idle=True),
    ]


def exclude_operation(document: Node, *, operation_id: str) -> Node:
    """Remove an operation, and the component schemas that only it refers to."""
    paths = {
        path: {key: node for key, node in item.items() if key not in METHODS or node.get("operationId") != operation_id}
        for path, item in document["paths"].items()
    }
    lost = reach_components(document, [document["paths"]]) - reach_components(document, [paths])
    schemas = {name: schema for name, schema in component_schemas(document).items() if name not in lost}
    return document | {"paths": paths, "components": document.get("components", {}) | {"schemas": schemas}}


def drop_formats(document: Node) -> Node:
    """Drop every format without meaning for the client: ids are opaque strings, whose form is up to the server."""

    def drop_format(node: Node) -> Node:
        if not isinstance(node.get("format"), str) or node["format"] in KEPT_FORMATS:
            return node
        return {key: value for key, value in node.items() if key != "format"}

    return map_every_schema(document, drop_format)


def hoist_marked_schemas(document: Node) -> Node:
    """Move each inline schema marked with a component name into the components."""
    hoisted: Node = {}

    def hoist_schema(node: Node) -> Node:
        if not isinstance(name := node.get("x-component-name"), str):
            return node
        schema = {key: value for key, value in node.items() if key != "x-component-name"}
        return component_reference(name) if hoisted.setdefault(name, schema) == schema else schema

    return add_schemas(rewrite_mappings(document, hoist_schema), hoisted)


def expand_operations(document: Node) -> Node:
    """Keep only operations, without references, and component schemas; make every schema plain."""
    paths: Node = {}
    for endpoint in iter_operations(document):
        operation = _expand_operation(document, endpoint)
        paths.setdefault(endpoint.path, {})[endpoint.method] = operation
    expanded = {
        "openapi": document["openapi"],
        "info": {key: document["info"][key] for key in ("title", "version")},
        "servers": document.get("servers", []),
        "paths": paths,
        "components": {"schemas": document.get("components", {}).get("schemas", {})},
    }
    return map_schemas(expanded, lambda _, schema: make_plain(schema))


def _expand_operation(document: Node, endpoint: Endpoint) -> Node:
    operation = endpoint.operation
    expanded = {key: operation[key] for key in ("summary", "description", "deprecated") if key in operation} | {
        "operationId": endpoint.label,
        "tags": [first_tag(operation)],
        "parameters": [_expand_parameter(document, parameter) for parameter in operation["parameters"]],
        "responses": {"200": {"description": "Success.", **_expand_response(operation)}},
    }
    if body := operation["requestBody"]:
        expanded["requestBody"] = {"required": body.get("required", False), **_expand_content(body["content"])}
    return expanded


def first_tag(operation: Node) -> str:
    """Return the first tag of an operation, which becomes the folder of its module."""
    tags: list[str] = operation.get("tags") or ["default"]
    return tags[0]


def _expand_parameter(document: Node, parameter: Node) -> Node:
    kept = {key: parameter[key] for key in ("in", "required", "description", "deprecated") if key in parameter}
    example = _note_example(resolve_reference(document, parameter.get("schema", {}))) | _note_example(parameter)
    return kept | example | {"name": parameter["name"], "schema": parameter.get("schema", {})}


def _expand_response(operation: Node) -> Node:
    responses = success_responses(operation).values()
    contents = [response["content"] for response in responses if response.get("content")]
    if not contents:
        return {}
    may_be_empty = {"x-may-be-empty": True} if len(contents) < len(responses) else {}
    return _expand_content(contents[0]) | may_be_empty


def _expand_content(types: Node) -> Node:
    # The example stands beside the content, where no rule that rewrites its schema loses it.
    content = types["application/json"]
    return _json_content(content.get("schema", {})) | _note_example(content)


def _note_example(node: Node) -> Node:
    example = find_example(node)
    return {} if example is None else {"x-example": example}


def _json_content(schema: Node) -> Node:
    return {"content": {"application/json": {"schema": schema}}}


def drop_client_headers(document: Node) -> Node:
    """Drop header parameters that the client sets itself, such as the version header."""

    def is_client_header(parameter: Node) -> bool:
        return parameter["in"] == "header" and parameter["name"].lower() in CLIENT_HEADERS

    return map_operations(
        document, lambda node: node | {"parameters": [p for p in node["parameters"] if not is_client_header(p)]}
    )


def mark_secret(document: Node, *, field_path: str) -> Node:
    """Mark a field as secret, so that the repr of its model masks the value."""
    return map_fields(document, field_path, lambda field: field | {"x-secret": True})


def mark_likely_secrets(document: Node) -> Node:
    """Mark each field that looks like a secret and is not configured as one."""

    def mark_fields(node: Node) -> Node:
        fields = {
            name: field | {"x-secret": "likely"} if "x-secret" not in field and looks_secret(name, node) else field
            for name, field in node.get("properties", {}).items()
        }
        return node | {"properties": fields} if fields else node

    return map_every_schema(document, mark_fields)


def looks_secret(name: str, schema: Node) -> bool:
    """Return whether a field of an object looks like a secret: by its format, its name, or as the value of a key."""
    field, spelled = schema["properties"][name], module_name(name)
    if field.get("type") != "string" or "enum" in field:
        return False
    named = SECRET_NAMES.fullmatch(spelled) and not PAGE_TOKENS.fullmatch(spelled)
    return bool(field.get("format") == "password" or named or (name == "value" and "key" in schema["properties"]))


def list_likely_secrets(document: Node) -> list[str]:
    """Return the fields of a normalized document that only look like secrets."""
    return [
        f"{component}.{name}"
        for component, schema in component_schemas(document).items()
        for name, field in schema.get("properties", {}).items()
        if field.get("x-secret") == "likely"
    ]


def list_equal_literals(document: Node) -> list[str]:
    """Return which named literals have the same values, each time with the setting that makes them one."""
    names: dict[tuple[str, ...], list[str]] = {}
    fields: dict[str, str] = {}
    for name, schema in component_schemas(document).items():
        if "enum" in schema:
            names.setdefault(tuple(schema["enum"]), []).append(name)
        for field, each in schema.get("properties", {}).items():
            fields |= dict.fromkeys(iter_references(each), f"{name}.{field}")
    groups = [sorted(each, key=len) for each in names.values() if len(each) > 1]
    return [
        f"{', '.join(each)} have the same values: add {each[0]}: {fields.get(COMPONENT_PREFIX + each[0], 'a field')}"
        for each in groups
    ]


def add_field(document: Node, *, field_path: str, schema: Node) -> Node:
    """Add an optional field that the server sends and the document does not list; one that it lists is kept."""
    component, _, name = field_path.partition(".")
    found = component_schemas(document).get(component, {})
    listed = found.get("properties", {})
    if not listed or name in listed:
        return document
    return add_schemas(document, {component: found | {"properties": listed | {name: schema}}})


def add_limits(document: Node, *, field_path: str, limits: Node) -> Node:
    """Add limits that the document does not state to a field; what it states is kept."""
    return map_fields(document, field_path, lambda field: {**limits, **field})


def name_literal(document: Node, *, name: str, field_path: str) -> Node:
    """Move the values listed by a field to a named component, and reference it wherever the same values are listed."""
    fields = [resolve_reference(document, field) for field in find_fields(document, field_path)]
    found = resolve_reference(document, fields[0].get("items", fields[0])) if fields else {}
    if "enum" not in found:
        return document

    def refer_to_literal(node: Node) -> Node:
        return component_reference(name) | field_notes(node) if node.get("enum") == found["enum"] else node

    literal = {key: found[key] for key in ("type", "description", "enum") if key in found}
    return add_schemas(map_every_schema(document, refer_to_literal), {name: literal})


def add_partial_literal(document: Node, *, name: str, of: str, pattern: str, description: str) -> Node:
    """Add a named component with the values of another one that match a pattern."""
    whole = component_schemas(document).get(of, {}).get("enum", [])
    values = [value for value in whole if re.fullmatch(pattern, value)]
    literal = {"type": "string", "description": description, "enum": values}
    return add_schemas(document, {name: literal}) if values else document


def name_components(document: Node) -> Node:
    """Give each component the name of its class; avoid names of other modules and of imported objects."""
    taken: set[str] = set()
    names = {COMPONENT_PREFIX + name: reserve_name(class_name(name), taken) for name in component_schemas(document)}

    def rename_reference(node: Node) -> Node:
        return node | component_reference(names[node["$ref"]]) if "$ref" in node else node

    renamed = map_every_schema(document, rename_reference)
    schemas = {names[COMPONENT_PREFIX + name]: schema for name, schema in component_schemas(renamed).items()}
    return renamed | {"components": {"schemas": schemas}}


def name_inline_schemas(document: Node) -> Node:
    """Move each inline object and enum into the components, named after its location."""
    taken = {module_name(name) for name in component_schemas(document)}
    named: Node = {}

    def name_nested(name: str, schema: Node) -> Node:
        fields = {key: name_schema(f"{name} {key}", field) for key, field in schema.get("properties", {}).items()}
        items = {"items": name_schema(f"{name} Item", schema["items"])} if "items" in schema else {}
        choices = [
            name_schema(f"{name} {choice['x-choice']['title'] or f'Choice {number}'}", choice)
            for number, choice in enumerate(schema.get("oneOf", []), 1)
        ]
        return schema | ({"properties": fields} if fields else {}) | items | ({"oneOf": choices} if choices else {})

    def name_schema(name: str, schema: Node) -> Node:
        schema = name_nested(name, schema)
        if not is_named_type(schema):
            return schema
        key = reserve_name(class_name(name), taken)
        named[key] = {k: v for k, v in schema.items() if k in {"description", "x-example"} or k not in FIELD_KEYS}
        return component_reference(key) | field_notes(schema)

    hoisted = map_schemas(document, name_nested, name_schema)
    return add_schemas(hoisted, named)


def inline_aliases(document: Node) -> Node:
    """Replace references to components that are neither a class nor an enum with their schema."""
    schemas = component_schemas(document)

    def inline_nested(schema: Node) -> Node:
        return map_nested_schemas(schema, inline_reference)

    def inline_reference(node: Node) -> Node:
        target = schemas.get(referenced_component(node))
        if target is None:
            return node
        if is_named_type(target):
            return node | ({"nullable": True} if target.get("nullable") else {})
        return inline_nested(target) | field_notes(node)

    inlined = map_schemas(document, lambda _, schema: inline_nested(schema))
    classes = {
        name: _without_null(schema)
        for name, schema in component_schemas(inlined).items()
        if is_named_type(schemas[name])
    }
    return inlined | {"components": {"schemas": classes}}


def mark_request_nulls(document: Node) -> Node:
    """Mark the nullable fields of models in requests, where null has a separate meaning.

    The mark says whether a field must be present, which the decoder of a model that responses contain, too, cannot ask.
    """
    operations, schemas = list_operations(document), component_schemas(document)
    sent = reach_components(document, (node.get("requestBody") for node in operations))
    received = reach_components(document, (node["responses"] for node in operations))

    def mark_field(name: str, field: Node) -> Node:
        mark = "optional" if name in received else "as stated"
        return field | {"x-null": mark} if field.get("nullable") and not field.get("readOnly") else field

    marked = {
        name: schema | {"properties": {key: mark_field(name, field) for key, field in schema["properties"].items()}}
        for name, schema in schemas.items()
        if name in sent and "properties" in schema
    }
    return add_schemas(document, marked)


def make_nullable_optional(document: Node) -> Node:
    """Make nullable fields optional, apart from those marked: absent and null mean the same."""

    def make_optional(node: Node) -> Node:
        if "properties" not in node:
            return node
        fields = node["properties"]
        required = [
            name
            for name in node["required"]
            if not fields[name].get("nullable") or fields[name].get("x-null") == "as stated"
        ]
        fields = {name: _without_null(field) for name, field in node["properties"].items()}
        return node | {"required": required, "properties": fields}

    return map_every_schema(document, make_optional)


def _without_null(schema: Node) -> Node:
    return {key: value for key, value in schema.items() if key != "nullable"}


def emit_limits(document: Node) -> Node:
    """Put the limits that the client checks where the templates find them.

    Those of a field stand beside its type. The generator keeps no schema of a parameter, so those of parameters stand
    in the response of their operation.
    """

    def emit_for_fields(node: Node) -> Node:
        fields = {
            name: field | ({"x-limits": limits} if (limits := checked_limits(field)) else {})
            for name, field in node.get("properties", {}).items()
        }
        return node | ({"properties": fields} if fields else {})

    def emit_for_parameters(node: Node) -> Node:
        limits: Node = {"path": {}, "query": {}, "header": {}}
        for parameter in node["parameters"]:
            limits[parameter["in"]][parameter["name"]] = checked_limits(parameter["schema"])
        return node | {"responses": {"200": node["responses"]["200"] | {"x-parameters": limits}}}

    return map_operations(map_every_schema(document, emit_for_fields), emit_for_parameters)


def checked_limits(schema: Node) -> Node:
    """Return the limits of a plain schema that the client checks, and those of the items of a list."""
    limits = checked_limits(schema["items"]) if "items" in schema else {}
    return _own_limits(schema) | ({"items": limits} if limits else {})


def _own_limits(schema: Node) -> Node:
    email = {"format": "email"} if schema.get("format") == "email" else {}
    return {key: schema[key] for key in LIMITS if key in schema} | email


def simplify_parameters(document: Node) -> Node:
    """Reduce parameters to what the client writes into a URL: strings, integers, booleans, lists of strings."""

    def simplify_parameter(parameter: Node) -> Node:
        schema = parameter["schema"]
        simple = _simplify_schema(schema, in_query=parameter["in"] == "query")
        return parameter | {"schema": simple | _own_limits(schema)}

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


def note_deprecations(document: Node) -> Node:
    """Say in the description of what is deprecated that it is, and mark the operations where the templates look."""

    def add_note(node: Node) -> Node:
        described = node.get("description", "")
        return node | {"description": f"Deprecated. {described}".strip()} if node.get("deprecated") else node

    def mark_operation(node: Node) -> Node:
        response = node["responses"]["200"] | {"x-deprecated": node.get("deprecated", False)}
        return add_note(node) | {"responses": {"200": response}}

    return map_every_schema(map_operations(map_parameters(document, add_note), mark_operation), add_note)


def describe_parameters(document: Node) -> Node:
    """Copy the description of a parameter to its schema, where the generator reads it."""

    def describe_parameter(node: Node) -> Node:
        if "description" not in node:
            return node
        return node | {"schema": node["schema"] | {"description": node["description"]}}

    return map_parameters(document, describe_parameter)


def argument_names(node: Node) -> list[str]:
    """Return the names that the generator gives to the parameters of an operation as arguments, in their order.

    A name that the generator reserves, or that parameters of two kinds share, gets the kind; ``body`` is the body.
    """
    names = [module_name(parameter["name"]) for parameter in node["parameters"]]
    taken = [name for name in names if names.count(name) > 1] + ["client", "url"]
    full = [
        f"{name}_{parameter['in']}" if name in taken else name
        for name, parameter in zip(names, node["parameters"], strict=True)
    ]
    return [f"{name}_" if name == "body" and "requestBody" in node else name for name in full]


def describe_unions(document: Node) -> Node:
    """Say for each union which classes it consists of, and how its decoder chooses one of them."""
    schemas = component_schemas(document)
    unions = {name: schema for name, schema in schemas.items() if "oneOf" in schema}
    return add_schemas(
        document, {name: schema | {"x-union": describe_union(schemas, schema)} for name, schema in unions.items()}
    )


def mark_response_models(document: Node) -> Node:
    """Mark each component that a response contains, so that its module gets a decoder."""
    found = reach_components(document, (node["responses"] for node in list_operations(document)))
    schemas = component_schemas(document)
    return add_schemas(document, {name: schemas[name] | {"x-in-response": True} for name in schemas if name in found})


def note_occurrences(document: Node) -> Node:
    """Note where each component without a description occurs, which its docstring says instead."""
    operations, schemas = list_operations(document), component_schemas(document)
    places = {
        "requests": reach_components(document, (node.get("requestBody") for node in operations)),
        "responses": reach_components(document, (node["responses"] for node in operations)),
    }

    def describe_places(name: str) -> str:
        found = " and ".join(place for place, names in places.items() if name in names)
        return f"A part of {found}." if found else "A part of no request and of no successful response."

    undescribed = [name for name, schema in schemas.items() if "description" not in schema]
    return add_schemas(document, {name: schemas[name] | {"x-occurs": describe_places(name)} for name in undescribed})


def adapt_schemas(document: Node) -> Node:
    """Rewrite what the generator would lose or name badly.

    The generator drops a description beside a reference but keeps one beside an anyOf. It makes a class of each
    free-form object, whose name may be taken already, so all of them become references to one component.
    """
    free_form = reserve_name("FreeForm", {module_name(name) for name in component_schemas(document)})

    def adapt_schema(node: Node) -> Node:
        kept = ("description", "x-example", "x-secret", "x-limits", "x-null")
        described = {key: node[key] for key in kept if key in node}
        bare = {key: value for key, value in node.items() if key not in FIELD_KEYS}
        if "oneOf" in bare:
            # The generator has no union of its own name: a model whose fields are the choices imports them.
            classes = {name: component_reference(name) for name in bare["x-union"]["classes"]}
            bare = {key: value for key, value in bare.items() if key != "oneOf"}
            bare |= {"type": "object", "properties": classes}
        elif bare.get("type") == "object" and "properties" not in bare:
            bare = component_reference(free_form)
        if not node.get("nullable"):
            return {"anyOf": [{"allOf": [bare]}], **described} if "$ref" in bare and described else bare | described
        return {"anyOf": [{"allOf": [bare]} if "$ref" in bare else bare, {"type": "null"}], **described}

    adapted = map_every_schema(document, adapt_schema)
    return add_schemas(adapted, {free_form: {"type": "object"}})


# Building blocks of the rules: names, components and traversal.


def class_name(text: str) -> str:
    """Return the generator's spelling of a class name."""
    # Repeated because the generator would respell some of its own spellings: x_3y, X3y, X3Y.
    name = text
    while name != (spelled := str(ClassName(name, NAME_PREFIX))):
        name = spelled
    return name


def module_name(text: str) -> str:
    """Return the generator's spelling of the name of a module, function or field."""
    return str(PythonIdentifier(text, NAME_PREFIX))


def folder_name(tag: str) -> str:
    """Return the generator's spelling of the folder of a tag."""
    return str(PythonIdentifier(tag, "tag"))


def reserve_name(name: str, taken: set[str]) -> str:
    """Return the name, numbered if its module name is taken, and mark it as taken."""
    base = f"{name}Model" if name in RESERVED_NAMES else name
    candidates = (f"{base}{number}" if number > 1 else base for number in range(1, len(taken) + 2))
    free = next(candidate for candidate in candidates if module_name(candidate) not in taken)
    taken.add(module_name(free))
    return free


def is_named_type(schema: Node) -> bool:
    """Return whether a plain schema becomes a class, a union or a named literal."""
    return "properties" in schema or "oneOf" in schema or "enum" in schema


def field_notes(schema: Node) -> Node:
    """Return the keys of a schema that describe its field rather than its type."""
    return {key: value for key, value in schema.items() if key in FIELD_KEYS}


def find_fields(document: Node, field_path: str) -> list[Node]:
    """Return the schemas at a path such as ``Schema.field.field``: none, or several if there are alternatives."""
    schema, *names = field_path.split(".")
    nodes = [component_schemas(document).get(schema, {})]
    for name in names:
        owners = [choice for node in nodes for choice in _list_choices(document, node)]
        nodes = [owner["properties"][name] for owner in owners if name in owner.get("properties", {})]
    return nodes


def _list_choices(document: Node, node: Node) -> list[Node]:
    schema = resolve_reference(document, node)
    return [each for choice in schema.get("oneOf", []) for each in _list_choices(document, choice)] or [schema]


def map_fields(document: Node, field_path: str, transform: Transform) -> Node:
    """Transform the schemas at a path such as ``Schema.field.field``."""
    fields = find_fields(document, field_path)

    def replace_fields(node: Node) -> Node:
        if any(node is field for field in fields):
            return transform(node)
        if isinstance(node, list):
            return [replace_fields(item) for item in node]
        return {key: replace_fields(value) for key, value in node.items()} if isinstance(node, dict) else node

    return document | {"components": replace_fields(document["components"])} if fields else document


def component_reference(name: str) -> Node:
    """Return a reference to a component schema."""
    return {"$ref": COMPONENT_PREFIX + name}


def component_schemas(document: Node) -> Node:
    """Return the component schemas."""
    return document.get("components", {}).get("schemas", {})


def reach_components(document: Node, roots: Iterable[Node]) -> set[str]:
    """Return the names of the component schemas that some parts of a document refer to, at any depth."""
    found: set[str] = set()
    ahead = list(roots)
    while ahead:
        references = set(iter_references(ahead.pop())) - found
        ahead += [look_up_reference(document, each) for each in references]
        found |= references
    return {each.removeprefix(COMPONENT_PREFIX) for each in found}


def add_schemas(document: Node, schemas: Node) -> Node:
    """Return the document with more component schemas."""
    return document | {
        "components": document.get("components", {}) | {"schemas": component_schemas(document) | schemas}
    }


def body_schema(node: Node) -> Node:
    """Return the schema of a request body or response of an expanded document, or None if it is empty."""
    return node["content"]["application/json"]["schema"] if "content" in node else None


def list_operations(document: Node) -> list[Node]:
    """Return the operations of an expanded document."""
    return [node for item in document["paths"].values() for node in item.values()]


def map_operations(document: Node, transform: Transform) -> Node:
    """Transform each operation of an expanded document."""
    paths = {
        path: {method: transform(node) for method, node in item.items()} for path, item in document["paths"].items()
    }
    return document | {"paths": paths}


def map_parameters(document: Node, transform: Transform) -> Node:
    """Transform each parameter of an expanded document."""
    return map_operations(document, lambda node: node | {"parameters": [transform(p) for p in node["parameters"]]})


def map_schemas(document: Node, transform: NamedTransform, in_operations: NamedTransform | None = None) -> Node:
    """Transform each top-level schema of an expanded document, given the name of its location."""
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
    """Transform each schema of an expanded document, at any depth."""
    return map_schemas(document, lambda _, schema: map_nested_schemas(schema, transform))


def map_nested_schemas(schema: Node, transform: Transform) -> Node:
    """Transform a plain schema and every schema within it, innermost first."""
    fields = {name: map_nested_schemas(field, transform) for name, field in schema.get("properties", {}).items()}
    items = {"items": map_nested_schemas(schema["items"], transform)} if "items" in schema else {}
    choices = {"oneOf": [map_nested_schemas(each, transform) for each in schema["oneOf"]]} if "oneOf" in schema else {}
    return transform(schema | ({"properties": fields} if fields else {}) | items | choices)


def rewrite_mappings(node: Node, transform: Transform) -> Node:
    """Transform every mapping in a JSON value, innermost first."""
    if isinstance(node, dict):
        return transform({key: rewrite_mappings(value, transform) for key, value in node.items()})
    if isinstance(node, list):
        return [rewrite_mappings(item, transform) for item in node]
    return node
