"""Describe how the decoder of a union selects a choice: by a tag, or by the fields that each choice has.

The schemas are the components of an expanded document in which each choice of a oneOf is a reference.
"""

from __future__ import annotations

from collections.abc import Iterable

from generation.api_document import Node
from generation.plain_schema import COMPONENT_PREFIX

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
    """Return the classes of a union, and its choices: by the values of a tag, else with the shapes of their objects.

    The tag is the property of the discriminator, or one that every choice requires with values of its own.
    """
    choices = {referenced_component(choice): choice["x-choice"] for choice in union["oneOf"]}
    described = {"classes": _unite(list_classes(schemas, name) for name in choices)}
    for tag in [union["x-tag"]] if "x-tag" in union else _list_required(schemas, next(iter(choices))):
        listed = [(value, name) for name in choices for value in _tag_values(schemas, name, tag, choices[name])]
        values, named = dict(listed), {name for _, name in listed}
        required = "x-tag" in union or all(tag in _list_required(schemas, name) for name in choices)
        if required and named == choices.keys() and len(values) == len(listed):
            return described | {"tag": tag, "choices": values}
    shapes = {name: [_describe_shape(schemas, each) for each in list_classes(schemas, name)] for name in choices}
    return described | {"choices": shapes}


def list_classes(schemas: Node, name: str) -> list[str]:
    """Return the classes that a component stands for: itself, or the choices of a union, at any depth."""
    if "oneOf" not in schemas[name]:
        return [name]
    return _unite(list_classes(schemas, referenced_component(choice)) for choice in schemas[name]["oneOf"])


def referenced_component(schema: Node) -> str:
    """Return the name of the component that a schema refers to, empty if it is no reference."""
    return str(schema.get("$ref", "")).removeprefix(COMPONENT_PREFIX)


def _unite(lists: Iterable[list[str]]) -> list[str]:
    return list(dict.fromkeys(each for some in lists for each in some))


def _list_required(schemas: Node, name: str) -> list[str]:
    """Return the fields that each class of a component requires."""
    first, *others = (schemas[each]["required"] for each in list_classes(schemas, name))
    return [field for field in first if all(field in required for required in others)]


def _tag_values(schemas: Node, name: str, tag: str, choice: Node) -> list[str]:
    """Return the values of a tag that select a choice: those mapped to it, those that it lists, or its own name."""
    fields = [schemas[each]["properties"].get(tag, {}) for each in list_classes(schemas, name)]
    listed = [schemas.get(referenced_component(field), {}).get("enum", []) for field in fields]
    return choice["tags"] or (_unite(listed) if all(listed) else choice["implicit"])


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
