"""Rewrite any JSON schema as a plain schema, which has only the keys that the generator's templates know.

These are type, format, description, properties, required, items, enum (of strings), nullable, readOnly, writeOnly,
the limits (with unit, what a length counts), x-example, $ref (to a component), and oneOf (of objects). The last has
x-tag, the property of its discriminator, if any; each of its choices has x-choice: its title, and the tags that select
it. An empty plain schema allows any JSON value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import reduce

from generation.api_document import Node, find_example, look_up_reference

COMPONENT_PREFIX = "#/components/schemas/"

LIMITS = (
    *("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minProperties", "maxProperties", "multipleOf", "pattern", "uniqueItems", "unit"),
)

# These keys define the type of a schema; all others describe it or limit its values.
_STRUCTURE_KEYS = frozenset(
    {"$ref", "properties", "required", "items", "enum", "x-enum", "const", "format", "oneOf", "anyOf", "allOf"}
)
_NOTE_KEYS = ("description", "deprecated", "readOnly", "writeOnly", *LIMITS)
_KIND_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_NUMBER_KINDS = frozenset({"integer", "number"})

Seen = frozenset[str]


def make_plain(document: Node, schema: Node, seen: Seen = frozenset()) -> Node:
    """Return a schema as a plain one; only references to components stay, and circular ones become any value."""
    if not isinstance(schema, dict):
        return {}
    notes = {key: schema[key] for key in _NOTE_KEYS if key in schema}
    if is_nullable(schema):
        notes["nullable"] = True
    if (example := find_example(document, schema)) is not None:
        notes["x-example"] = example
    if "$ref" in schema:
        return _follow_reference(document, schema["$ref"], seen) | notes
    if schema.get("allOf"):
        return make_plain(document, _merge_all_of(document, schema, seen), seen) | notes
    return _rewrite_bare(document, schema, seen) | notes


def _follow_reference(document: Node, reference: str, seen: Seen) -> Node:
    if reference.removeprefix(COMPONENT_PREFIX) in document.get("components", {}).get("schemas", {}):
        return {"$ref": reference}
    return {} if reference in seen else make_plain(document, look_up_reference(document, reference), seen | {reference})


def _rewrite_bare(document: Node, schema: Node, seen: Seen) -> Node:
    """Rewrite a schema that is neither a reference nor an allOf, without its notes."""
    fields = schema.get("properties")
    if choices := list_alternatives(schema, beside_fields=bool(fields)):
        return _rewrite_choices(document, schema, choices, seen)
    kind = _single_kind(schema)
    values = [value for value in listed_values(schema) or [] if value is not None]
    if values and kind is None:
        kind = _scalar_of_kinds({_KIND_NAMES[type(value)] for value in values}).get("type")
    if kind == "string":
        return {"type": "string"} | _string_details(schema, values)
    if kind == "object" and fields:
        properties = {name: make_plain(document, field, seen) for name, field in fields.items()}
        return {"type": "object", "properties": properties, "required": _required_fields(schema)}
    if kind == "array":
        return {"type": "array", "items": make_plain(document, schema.get("items"), seen)}
    return {"type": kind} if kind else {}


def _string_details(schema: Node, values: list[Node]) -> Node:
    if values and all(isinstance(value, str) for value in values):
        return {"enum": values}
    return {"format": schema["format"]} if "format" in schema else {}


def _required_fields(schema: Node) -> list[str]:
    return [name for name in schema.get("required", []) if name in schema["properties"]]


def _single_kind(schema: Node) -> str | None:
    """Return the only kind of JSON value besides null that a schema without alternatives allows, or None."""
    stated = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else None)
    # In OpenAPI 3.1 type can be a list, such as [string, "null"]; 3.0 has nullable instead.
    kinds = {kind for kind in (stated if isinstance(stated, list) else [stated]) if kind != "null"}
    return "number" if kinds == _NUMBER_KINDS else kinds.pop() if len(kinds) == 1 else None


def _rewrite_choices(document: Node, schema: Node, choices: list[Node], seen: Seen) -> Node:
    """Merge alternatives: one schema or null becomes that schema, objects a oneOf, scalars of one kind that kind.

    Others become any value, or any object if fields stand beside them.
    """
    real = _distinct([choice for choice in choices if allowed_kinds(document, choice) != {"null"}])
    if real and all(_declares_fields(document, choice) for choice in real):
        whole = [_add_shared_fields(document, schema, choice, seen) for choice in real]
        return (
            make_plain(document, whole[0], seen)
            if len(real) == 1
            else _make_one_of(document, schema, real, whole, seen)
        )
    if "properties" in schema:
        return {"type": "object"}
    if len(real) == 1:
        return make_plain(document, real[0], seen)
    return _scalar_of_kinds({kind for choice in real for kind in allowed_kinds(document, choice) if kind != "null"})


def _distinct(schemas: list[Node]) -> list[Node]:
    return list({json.dumps(schema, sort_keys=True): schema for schema in schemas}.values())


def _declares_fields(document: Node, schema: Node, seen: Seen = frozenset()) -> bool:
    """Return whether a schema becomes a class, or a oneOf of classes; a circular one does not."""
    if not isinstance(schema, dict):
        return False
    if isinstance(reference := schema.get("$ref"), str):
        target = look_up_reference(document, reference)
        return reference not in seen and _declares_fields(document, target, seen | {reference})
    if schema.get("properties"):
        return _single_kind(schema) == "object"
    if any(_declares_fields(document, part, seen) for part in schema.get("allOf", [])):
        return True
    real = [choice for choice in list_alternatives(schema) if allowed_kinds(document, choice) != {"null"}]
    return bool(real) and all(_declares_fields(document, choice, seen) for choice in real)


def find_mixed_choices(document: Node, node: Node, location: str = "") -> Iterator[str]:
    """Yield the location of each schema whose choices are objects and other values, which becomes any value."""
    if isinstance(node, list):
        node = {str(position): value for position, value in enumerate(node)}
    if not isinstance(node, dict):
        return
    choices = [node[key] for key in ("oneOf", "anyOf") if isinstance(node.get(key), list)]
    real = [each for some in choices for each in some if allowed_kinds(document, each) != {"null"}]
    if len({_declares_fields(document, each) for each in real}) > 1:
        yield location
    for key, value in node.items():
        if key not in {"example", "examples", "default", "enum"}:
            yield from find_mixed_choices(document, value, f"{location}/{key}" if location else key)


def _add_shared_fields(document: Node, schema: Node, choice: Node, seen: Seen) -> Node:
    """Return a choice with the fields that stand beside the alternatives."""
    if not schema.get("properties"):
        return choice
    shared = {key: schema[key] for key in ("type", "properties", "required") if key in schema}
    merged: Node = reduce(_merge_pair, _expand_parts(document, [shared, choice], seen), {})
    # A choice may extend the schema that lists it, and so have its alternatives.
    return {key: value for key, value in merged.items() if key not in {"oneOf", "anyOf", "discriminator"}}


def _make_one_of(document: Node, schema: Node, choices: list[Node], whole: list[Node], seen: Seen) -> Node:
    """Return a oneOf, given its choices as they stand in the document and with the fields that they share."""
    discriminator = schema.get("discriminator", {})
    tag = {"x-tag": discriminator["propertyName"]} if discriminator else {}
    plain = [
        make_plain(document, full, seen) | {"x-choice": _describe_choice(choice, discriminator)}
        for choice, full in zip(choices, whole, strict=True)
    ]
    return {"oneOf": plain} | tag


def _describe_choice(choice: Node, discriminator: Node) -> Node:
    """Return the title of a choice, the tags that are mapped to it, and the tag that it has without a mapping."""
    if "$ref" not in choice:
        return {"title": choice.get("title", ""), "tags": [], "implicit": []}
    name = choice["$ref"].removeprefix(COMPONENT_PREFIX)
    mapping = discriminator.get("mapping", {})
    tags = [tag for tag, target in mapping.items() if target.removeprefix(COMPONENT_PREFIX) == name]
    return {"title": name, "tags": tags, "implicit": [name] if discriminator else []}


def _scalar_of_kinds(kinds: set[str]) -> Node:
    if kinds and kinds <= _NUMBER_KINDS:
        return {"type": "number" if "number" in kinds else "integer"}
    return {"type": kind} if len(kinds) == 1 and (kind := next(iter(kinds))) in {"string", "boolean"} else {}


def list_alternatives(schema: Node, *, beside_fields: bool = False) -> list[Node]:
    """Return the alternatives of a schema; beside fields, those that only require some of the fields do not count."""
    choices = [choice for key in ("oneOf", "anyOf") for choice in schema.get(key, [])]
    matters = _STRUCTURE_KEYS - {"required"} if beside_fields else _STRUCTURE_KEYS | {"type"}
    return [choice for choice in choices if isinstance(choice, dict) and matters & choice.keys()]


def listed_values(schema: Node) -> list[Node] | None:
    """Return the values that a schema lists in x-enum, enum or const, or None if it lists none."""
    values = schema.get("x-enum", schema.get("enum", [schema["const"]] if "const" in schema else None))
    return values if isinstance(values, list) and values else None


def is_nullable(schema: Node) -> bool:
    """Return whether a schema itself allows null; its references are not followed."""
    kind = schema.get("type")
    null = kind == "null" or (isinstance(kind, list) and "null" in kind)
    return (
        null
        or schema.get("nullable") is True
        or None in (listed_values(schema) or [])
        or any(is_nullable(choice) for choice in list_alternatives(schema))
    )


def allowed_kinds(document: Node, schema: Node, seen: Seen = frozenset()) -> set[str]:
    """Return the kinds of JSON value that a schema allows, including "any" if it does not restrict them."""
    if not isinstance(schema, dict):
        return {"any"}
    if isinstance(reference := schema.get("$ref"), str):
        return (
            {"any"}
            if reference in seen
            else allowed_kinds(document, look_up_reference(document, reference), seen | {reference})
        )
    nested = [*schema.get("allOf", []), *list_alternatives(schema)]
    if nested and "type" not in schema:
        return {kind for part in nested for kind in allowed_kinds(document, part, seen)}
    if "type" not in schema and (values := listed_values(schema)):
        return {"null" if value is None else _KIND_NAMES[type(value)] for value in values}
    stated = schema.get("type")
    return set(stated) if isinstance(stated, list) else {_single_kind(schema) or stated or "any"}


def _merge_all_of(document: Node, schema: Node, seen: Seen) -> Node:
    """Merge an allOf and its siblings into one schema; a lone reference stays a reference."""
    parts = [*schema["allOf"], {key: value for key, value in schema.items() if key != "allOf"}]
    defining = [part for part in parts if isinstance(part, dict) and _STRUCTURE_KEYS & part.keys()]
    if len(defining) == 1:
        described = [part for part in parts if isinstance(part, dict)]
        noted = (*_NOTE_KEYS, "example", "examples")
        return defining[0] | {key: part[key] for part in described for key in noted if key in part}
    whole: Node = reduce(_merge_pair, _expand_parts(document, parts, seen), {})
    return whole


def _expand_parts(document: Node, parts: list[Node], seen: Seen) -> Iterator[Node]:
    """Yield parts with their references and nested allOf resolved; circular references are dropped."""
    for part in parts:
        if not isinstance(part, dict):
            continue
        if isinstance(reference := part.get("$ref"), str):
            if reference not in seen:
                yield from _expand_parts(document, [look_up_reference(document, reference)], seen | {reference})
            continue
        yield from _expand_parts(document, part.get("allOf", []), seen)
        yield {key: value for key, value in part.items() if key not in {"allOf", "nullable"}}


def _merge_pair(first: Node, second: Node) -> Node:
    """Merge two schemas that both apply; on conflicts the second wins."""
    merged = first | second
    if "properties" in first and "properties" in second:
        old, new = first["properties"], second["properties"]
        merged["properties"] = old | {name: _refine_field(old.get(name), field) for name, field in new.items()}
    if "required" in first and "required" in second:
        merged["required"] = [*first["required"], *(n for n in second["required"] if n not in first["required"])]
    return merged


def _refine_field(old: Node, new: Node) -> Node:
    if not isinstance(old, dict) or not isinstance(new, dict) or "$ref" in new:
        return new
    if _STRUCTURE_KEYS & new.keys():
        return new if "$ref" in old else _merge_pair(old, new)
    return old | {key: value for key, value in new.items() if key != "type"}
