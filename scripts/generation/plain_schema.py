"""Rewrite a JSON schema as a plain schema, which has only the keys that the generator's templates know.

These are type, format, description, properties, required, items, enum (of strings or integers), nullable, readOnly,
writeOnly, the limits (with unit, what a length counts), x-example, $ref (to a component), and oneOf (of objects). The
last has x-tag, the property of its discriminator, if any; each of its choices has x-choice: its title, and the tags
that select it. An empty plain schema allows any JSON value. Other forms are refused before; see unsupported_features.
"""

from __future__ import annotations

from generation.api_document import Node, find_example

COMPONENT_PREFIX = "#/components/schemas/"

LIMITS = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "unit")

_NOTE_KEYS = ("description", "deprecated", "readOnly", "writeOnly", *LIMITS)


def make_plain(schema: Node) -> Node:
    """Return a schema as a plain one."""
    notes = {key: schema[key] for key in _NOTE_KEYS if key in schema}
    if schema.get("nullable"):
        notes["nullable"] = True
    if (example := find_example(schema)) is not None:
        notes["x-example"] = example
    return _rewrite_type(schema) | notes


def _rewrite_type(schema: Node) -> Node:
    if "allOf" in schema:  # of one schema: OpenAPI 3.0 ignores what stands beside a reference itself
        return make_plain(schema["allOf"][0])
    if "oneOf" in schema:
        return _rewrite_choices(schema)
    if values := listed_values(schema):
        return {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}
    if fields := schema.get("properties"):
        required = [name for name in schema.get("required", []) if name in fields]
        properties = {name: make_plain(field) for name, field in fields.items()}
        return {"type": "object", "properties": properties, "required": required}
    if "items" in schema:
        return {"type": "array", "items": make_plain(schema["items"])}
    return {key: schema[key] for key in ("$ref", "type", "format") if key in schema}


def listed_values(schema: Node) -> list[Node]:
    """Return the values that a schema lists in x-enum or enum."""
    values: list[Node] = schema.get("x-enum", schema.get("enum", []))
    return values


def _rewrite_choices(schema: Node) -> Node:
    discriminator = schema.get("discriminator", {})
    choices = [make_plain(choice) | {"x-choice": _describe_choice(choice, discriminator)} for choice in schema["oneOf"]]
    return {"oneOf": choices} | ({"x-tag": discriminator["propertyName"]} if discriminator else {})


def _describe_choice(choice: Node, discriminator: Node) -> Node:
    """Return the title of a choice, and the tags that are mapped to it."""
    name = referenced_component(choice)
    mapping = discriminator.get("mapping", {})
    tags = [tag for tag, target in mapping.items() if target.removeprefix(COMPONENT_PREFIX) == name]
    return {"title": name or choice.get("title", ""), "tags": tags}


def referenced_component(schema: Node) -> str:
    """Return the name of the component that a schema refers to, empty if it is no reference."""
    return str(schema.get("$ref", "")).removeprefix(COMPONENT_PREFIX)
