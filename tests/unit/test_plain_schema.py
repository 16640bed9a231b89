"""Rewriting any schema as a plain one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from generation.plain_schema import find_mixed_choices, make_plain

REF = {"$ref": "#/components/schemas/Pet"}
DOCUMENT: Any = {
    "components": {
        "schemas": {
            "Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
            "Name": {"type": "string"},
            "Circle": {"allOf": [{"$ref": "#/components/schemas/Circle"}, {"properties": {"a": {"type": "integer"}}}]},
            "Dog": {"properties": {"bark": {"type": "string"}}},
            "Animal": {"oneOf": [{"$ref": "#/components/schemas/Pet"}, {"$ref": "#/components/schemas/Dog"}]},
            "Endless": {"oneOf": [{"$ref": "#/components/schemas/Endless"}, {"$ref": "#/components/schemas/Pet"}]},
            "Deep": {"$defs": {"Loop": {"$ref": "#/components/schemas/Deep/$defs/Loop"}, "Id": {"type": "integer"}}},
        }
    }
}
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
DOG, ANIMAL = {"$ref": "#/components/schemas/Dog"}, {"$ref": "#/components/schemas/Animal"}


def choice(title: str, tags: Sequence[str] = (), implicit: Sequence[str] = ()) -> Any:
    """Return what a plain schema says of a choice."""
    return {"x-choice": {"title": title, "tags": list(tags), "implicit": list(implicit)}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, {}),
        (None, {}),
        ({"title": "Id", "type": "string", "default": "a"}, STRING),
        ({"type": "string", "example": "b"}, {"type": "string", "x-example": "b"}),
        (STRING | {"deprecated": True}, STRING | {"deprecated": True}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"maxLength": 3, "description": "D", "not": {}}, {"maxLength": 3, "description": "D"}),
        # values
        ({"x-enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}),
        ({"enum": [1, 2]}, INTEGER),
        ({"type": "string", "enum": [1, 2]}, STRING),
        ({"enum": [1, "a"]}, {}),
        ({"enum": [True]}, {"type": "boolean"}),
        # null
        ({"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"anyOf": [REF, {"type": "null"}]}, {**REF, "nullable": True}),
        ({"type": "object", "nullable": True, "allOf": [REF]}, {**REF, "nullable": True}),
        # alternatives
        ({"oneOf": [REF, {"type": "string"}]}, {}),
        ({"type": ["string", "integer"]}, {}),
        ({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "string"}]}, STRING),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, {"type": "number"}),
        ({"oneOf": [{"$ref": "#/components/schemas/Name"}, {"const": "a"}]}, STRING),
        ({"properties": {"a": STRING}, "oneOf": [{"required": ["a"]}]},
         {"type": "object", "properties": {"a": STRING}, "required": []}),
        ({"properties": {"a": STRING}, "oneOf": [REF, REF]},
         {"type": "object", "properties": {"a": STRING, "kind": STRING}, "required": ["kind"]}),
        # alternatives of objects
        ({"oneOf": [REF, DOG]}, {"oneOf": [REF | choice("Pet"), DOG | choice("Dog")]}),
        ({"anyOf": [REF, DOG, {"type": "null"}], "description": "D"},
         {"oneOf": [REF | choice("Pet"), DOG | choice("Dog")], "nullable": True, "description": "D"}),
        ({"oneOf": [REF, DOG], "discriminator": {"propertyName": "kind", "mapping": {"d": "Dog", "e": DOG["$ref"]}}},
         {"x-tag": "kind", "oneOf": [REF | choice("Pet", implicit=["Pet"]),
                                     DOG | choice("Dog", tags=["d", "e"], implicit=["Dog"])]}),
        ({"oneOf": [{"title": "Big cat", "properties": {"a": STRING}}, ANIMAL]},
         {"oneOf": [{"type": "object", "properties": {"a": STRING}, "required": []} | choice("Big cat"),
                    ANIMAL | choice("Animal")]}),
        ({"properties": {"b": STRING}, "required": ["b"], "oneOf": [REF, DOG]},
         {"oneOf": [{"type": "object", "properties": {"b": STRING, "kind": STRING}, "required": ["b", "kind"]}
                    | choice("Pet"),
                    {"type": "object", "properties": {"b": STRING, "bark": STRING}, "required": ["b"]}
                    | choice("Dog")]}),
        ({"oneOf": [REF, {"type": "object"}]}, {}),
        ({"oneOf": [REF, {"$ref": "#/components/schemas/Endless"}]}, {}),
        # objects and lists
        ({"type": "object", "additionalProperties": REF}, {"type": "object"}),
        ({"properties": {"a": True}, "required": ["a", "b"]},
         {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ({"items": REF}, {"type": "array", "items": REF}),
        ({"type": "array", "prefixItems": [STRING]}, {"type": "array", "items": {}}),
        # references
        ({**REF, "description": "D"}, {**REF, "description": "D"}),
        ({"allOf": [REF], "description": "D"}, {**REF, "description": "D"}),
        ({"allOf": [REF, {"description": "D"}]}, {**REF, "description": "D"}),
        ({"$ref": "#/components/schemas/Deep/$defs/Id"}, INTEGER),
        ({"$ref": "#/components/schemas/Deep/$defs/Loop"}, {}),
        # allOf
        ({"allOf": [REF, {"required": ["age"], "properties": {"age": INTEGER, "kind": {"enum": ["dog"]}}}]},
         {"type": "object", "required": ["kind", "age"],
          "properties": {"kind": {"type": "string", "enum": ["dog"]}, "age": INTEGER}}),
        ({"allOf": [REF, {"properties": {"kind": {"description": "D"}}}]},
         {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "description": "D"}}}),
        ({"allOf": [REF, {"oneOf": [REF, DOG]}]},
         {"oneOf": [{"type": "object", "properties": {"kind": STRING}, "required": ["kind"]} | choice("Pet"),
                    {"type": "object", "properties": {"kind": STRING, "bark": STRING}, "required": ["kind"]}
                    | choice("Dog")]}),
        ({"allOf": [REF, {"oneOf": [REF, {"properties": {}}]}]}, {"type": "object"}),
        ({"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": "string", "maxLength": 3}),
        (DOCUMENT["components"]["schemas"]["Circle"],
         {"type": "object", "properties": {"a": INTEGER}, "required": []}),
    ],
)  # fmt: skip
def test_a_schema_becomes_plain(schema: Any, expected: Any) -> None:
    """Any JSON schema becomes one of the few forms that the client supports."""
    assert make_plain(DOCUMENT, schema) == expected


def test_choices_without_a_sensible_type_are_found() -> None:
    """A choice between objects and other values is reported; required fields and null are not choices."""
    schemas = {
        "Mixed": {"type": "array", "items": {"oneOf": [REF, STRING]}},
        "Free": {"anyOf": [REF, {"type": "object"}]},
        "Fine": {"oneOf": [REF, DOG, {"type": "null"}], "example": {"oneOf": [REF, STRING]}},
        "Values": {"oneOf": [STRING, INTEGER]},
    }
    document = {"components": {"schemas": DOCUMENT["components"]["schemas"] | schemas}}
    places = ["Endless", "Mixed/items", "Free"]
    assert list(find_mixed_choices(document, document)) == [f"components/schemas/{place}" for place in places]
