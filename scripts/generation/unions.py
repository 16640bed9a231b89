"""Describe how the decoder of a union selects a choice: by a tag, or by the fields that each choice has.

The schemas are the components of an expanded document. Each choice of a oneOf in it is a reference.
"""

from __future__ import annotations

from generation.api_document import Node
from generation.plain_schema import referenced_component

# The types that json.loads makes of a value, in Python; none for any value.
_JSON_TYPES = {
    "string": ("str",),
    "integer": ("int",),
    "number": ("int", "float"),
    "boolean": ("bool",),
    "array": ("list",),
    "object": ("dict",),
}


def describe_union(schemas: Node, union: Node) -> Node:
    """Return the classes of a union, and its choices: by the values of a tag, else with the shapes of their objects."""
    choices = {referenced_component(choice): choice["x-choice"]["tags"] for choice in union["oneOf"]}
    described: Node = {"classes": list(choices)}
    if "x-tag" in union:
        return described | {"tag": union["x-tag"], "choices": {tag: name for name in choices for tag in choices[name]}}
    return described | {"choices": {name: [_describe_shape(schemas, name)] for name in choices}}


def _describe_shape(schemas: Node, name: str) -> Node:
    """Return the fields of a class, each with the Python source of the types or its only value."""
    schema = schemas[name]
    kinds = {field: _describe_kind(schemas, value) for field, value in schema["properties"].items()}
    required = {field: kind for field, kind in kinds.items() if field in schema["required"]}
    optional = {field: kind and (*kind, "NoneType") for field, kind in kinds.items() if field not in required}
    return {"required": required, "optional": optional}


def _describe_kind(schemas: Node, field: Node) -> tuple[str, ...]:
    if name := referenced_component(field):
        values = schemas[name].get("enum")
        return ("dict",) if values is None else (repr(values[0]),) if len(values) == 1 else ("str",)
    return _JSON_TYPES.get(field.get("type", ""), ())
