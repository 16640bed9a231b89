"""Write the examples of a document as Python source, which the templates put into docstrings.

The values come from outside, so only literals without line breaks and control characters are written, as arguments of
generated classes and functions. A value that does not fit its schema, or is too large to read, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple, NoReturn

from generation.api_document import Node
from generation.normalization import (
    PAGE_TOKENS,
    add_schemas,
    argument_names,
    body_schema,
    component_reference,
    component_schemas,
    list_operations,
    map_every_schema,
    map_operations,
    map_parameters,
    module_name,
    reach_components,
)
from generation.plain_schema import referenced_component

# More is not readable, and Python refuses 200 nested brackets.
_DEEPEST = 8
_LONGEST = 1500
_LONGEST_IN_FIELD = 80

_PYTHON_TYPES: dict[str, set[type]] = {
    "string": {str},
    "integer": {int},
    "number": {int, float},
    "boolean": {bool},
    "object": {dict},
}


class UnfitExampleError(Exception):
    """An example does not fit its schema, or is too large."""


class Argument(NamedTuple):
    """An argument of a builder, with its example or None."""

    name: str
    schema: Node
    value: Node
    is_required: bool


def write_examples(document: Node) -> Node:
    """Replace the examples of a normalized document by Python source for docstrings.

    The response of an operation gets its call, the component of a model for requests gets its construction, and the
    fields of other models get their values.
    """
    found = collect_examples(document)
    sent = reach_components(document, (node.get("requestBody") for node in list_operations(document)))
    calls = {node["operationId"]: _write_call(document, found, node) for node in list_operations(document)}

    def put_call(node: Node) -> Node:
        bodies = {"requestBody": _without_example(node["requestBody"])} if "requestBody" in node else {}
        response = _without_example(node["responses"]["200"]) | calls[node["operationId"]]
        return node | bodies | {"responses": {"200": response}}

    bare = map_every_schema(map_parameters(document, _without_example), _without_example)
    models = {
        name: schema | _write_model(document, name, schema, found.get(name), is_sent=name in sent)
        for name, schema in component_schemas(bare).items()
    }
    return add_schemas(map_operations(bare, put_call), models)


def _without_example(node: Node) -> Node:
    return {key: value for key, value in node.items() if key != "x-example"}


def collect_examples(document: Node) -> Node:
    """Return the example of each component that has one: its own, or a part of another one."""
    schemas = component_schemas(document)
    found: Node = {}
    for name in [name for name, schema in schemas.items() if "x-example" in schema]:
        _collect_parts(schemas, found, component_reference(name), schemas[name]["x-example"])
    for node in list_operations(document):
        for body in (node.get("requestBody", {}), node["responses"]["200"]):
            if "x-example" in body:
                _collect_parts(schemas, found, body_schema(body), body["x-example"])
    return found


def _collect_parts(schemas: Node, found: Node, schema: Node, value: Node) -> None:
    """Add the values within an example as those of the components that they are of; one of their own counts more."""
    name = referenced_component(schema)
    if name and value is not None:
        found.setdefault(name, schemas[name].get("x-example", value))
    inner = schemas[name] if name else schema
    if isinstance(value, dict):
        for key in (key for key in inner.get("properties", {}) if key in value):
            _collect_parts(schemas, found, inner["properties"][key], value[key])
    elif isinstance(value, list) and value and "items" in inner:
        _collect_parts(schemas, found, inner["items"], value[0])
    if "x-union" in inner and len(names := _list_choices(inner["x-union"], value)) == 1:
        _collect_parts(schemas, found, component_reference(names[0]), value)


def _list_choices(union: Node, value: Node) -> list[str]:
    """Return the components of a union that a value may be of: that of its tag, else all."""
    choices = union["choices"]
    if "tag" not in union:
        return list(choices)
    tag = value.get(union["tag"]) if isinstance(value, dict) else None
    return [choices[tag]] if isinstance(tag, str) and tag in choices else []


def _write_call(document: Node, found: Node, node: Node) -> Node:
    """Return the call of an operation with the examples of its arguments, empty if one that it needs has none."""
    name = module_name(node["operationId"])
    return _write_source(partial(_express_call, document, name, _list_arguments(found, node)))


def _list_arguments(found: Node, node: Node) -> list[Argument]:
    arguments = [
        Argument(name, parameter["schema"], parameter.get("x-example"), parameter.get("required", False))
        for name, parameter in zip(argument_names(node), node["parameters"], strict=True)
        # The token of a page comes from the page before.
        if not PAGE_TOKENS.fullmatch(module_name(parameter["name"])) and not parameter.get("deprecated")
    ]
    if body := node.get("requestBody"):
        schema = body_schema(body)
        value = body.get("x-example", schema.get("x-example", found.get(referenced_component(schema))))
        arguments.append(Argument("body", schema, value, body["required"]))
    return arguments


def _express_call(document: Node, name: str, arguments: list[Argument]) -> str:
    items = []
    for argument in arguments:
        try:
            items.append((f"{argument.name}=", express_value(document, argument.schema, argument.value)))
        except UnfitExampleError:
            if argument.is_required:
                raise
    return _join(f"{name}(", items, ")") if items else _refuse()


def _join(opening: str, items: list[tuple[str, str]], closing: str) -> str:
    """Return an expression in brackets. Each of its items has a prefix, such as the name of an argument."""
    return f"{opening}{', '.join(prefix + item for prefix, item in items)}{closing}"


def _write_model(document: Node, name: str, schema: Node, value: Node, *, is_sent: bool) -> Node:
    """Return the example of a model for requests, or the fields of another model with theirs."""
    if "properties" not in schema:
        return {}
    if is_sent:
        return _write_source(partial(express_value, document, component_reference(name), value))
    parts = value if isinstance(value, dict) else {}
    stated = component_schemas(document)[name]["properties"]
    examples = {
        key: _write_source(partial(express_value, document, field, example), in_field=True)
        for key, field in stated.items()
        if (example := field.get("x-example", parts.get(key))) is not None
        and not field.get("x-secret")
        and not _contains_model(document, field)
    }
    return {"properties": {key: field | examples.get(key, {}) for key, field in schema["properties"].items()}}


def _contains_model(document: Node, schema: Node) -> bool:
    if "items" in schema:
        return _contains_model(document, schema["items"])
    name = referenced_component(schema)
    return bool(name) and "enum" not in component_schemas(document)[name]


def _write_source(write: Callable[[], str], *, in_field: bool = False) -> Node:
    """Return an expression as it stands in the source of a docstring, empty if it is unfit."""
    try:
        source = write()
    except UnfitExampleError:
        return {}
    if len(source) > (_LONGEST_IN_FIELD if in_field else _LONGEST):
        return {}
    return {"x-example": source.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')}


def express_value(document: Node, schema: Node, value: Node, depth: int = 0) -> str:
    """Return a value as an expression of the type that a schema has in Python.

    Raises:
        UnfitExampleError: The value does not fit, or is nested too deeply.
    """
    if depth > _DEEPEST:
        _refuse()
    if name := referenced_component(schema):
        return _express_component(document, name, value, depth)
    kind: str | None = schema.get("type")
    if value is None:
        return "None" if schema.get("nullable") else _refuse()
    if kind == "array":
        items = value if isinstance(value, list) else _refuse()
        return _join("[", [("", express_value(document, schema["items"], item, depth + 1)) for item in items], "]")
    if kind is not None and type(value) not in _PYTHON_TYPES[kind]:
        _refuse()
    return _express_date_time(value) if schema.get("format") == "date-time" else _express_json(value, depth)


def _refuse() -> NoReturn:
    raise UnfitExampleError


def _express_component(document: Node, name: str, value: Node, depth: int) -> str:
    schema = component_schemas(document)[name]
    if "enum" in schema:
        return _express_json(value, depth) if value in schema["enum"] else _refuse()
    if "oneOf" in schema:
        return _express_choice(document, _list_choices(schema["x-union"], value), value, depth)
    fields = schema["properties"]
    if not isinstance(value, dict) or not set(schema["required"]) <= value.keys():
        _refuse()
    items = []
    for key in (key for key in value if key in fields):
        if value[key] is not None:
            items.append((f"{module_name(key)}=", express_value(document, fields[key], value[key], depth + 1)))
        elif fields[key].get("x-null"):
            items.append((f"{module_name(key)}=", "Null()"))
        elif key in schema["required"]:
            _refuse()
    if extra := {key: item for key, item in value.items() if key not in fields}:
        taken = "extra" in map(module_name, fields)
        items.append(("extra_=" if taken else "extra=", _express_json(extra, depth + 1)))
    return _join(f"{name}(", items, ")")


def _express_choice(document: Node, names: list[str], value: Node, depth: int) -> str:
    for name in names:
        with suppress(UnfitExampleError):
            return _express_component(document, name, value, depth)
    return _refuse()


def _express_date_time(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        _refuse()
    return f"datetime.fromisoformat({_express_string(value)})"


def _express_json(value: Node, depth: int) -> str:
    if depth > _DEEPEST or (isinstance(value, float) and not math.isfinite(value)):
        _refuse()
    if isinstance(value, dict):
        items = [(f"{_express_string(key)}: ", _express_json(item, depth + 1)) for key, item in value.items()]
        return _join("{", items, "}")
    if isinstance(value, list):
        return _join("[", [("", _express_json(item, depth + 1)) for item in value], "]")
    return _express_string(value) if isinstance(value, str) else repr(value)


def _express_string(text: str) -> str:
    # repr escapes whatever cannot be printed, which includes line breaks and lone surrogates.
    literal = repr(text)
    return literal if '"' in literal else f'"{literal[1:-1]}"'
