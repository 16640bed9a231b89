"""Rewriting any schema as a plain one."""

from __future__ import annotations

from typing import Any

import pytest

from generation.plain_schema import make_plain

REF = {"$ref": "#/components/schemas/Pet"}
DOCUMENT: Any = {
    "components": {
        "schemas": {
            "Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
            "Name": {"type": "string"},
            "Circle": {"allOf": [{"$ref": "#/components/schemas/Circle"}, {"properties": {"a": {"type": "integer"}}}]},
            "Deep": {"$defs": {"Loop": {"$ref": "#/components/schemas/Deep/$defs/Loop"}, "Id": {"type": "integer"}}},
        }
    }
}
STRING, INTEGER = {"type": "string"}, {"type": "integer"}


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
        ({"properties": {"a": STRING}, "oneOf": [REF, REF]}, {"type": "object"}),
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
        ({"allOf": [REF, {"oneOf": [REF, STRING]}]}, {"type": "object"}),
        ({"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": "string", "maxLength": 3}),
        (DOCUMENT["components"]["schemas"]["Circle"],
         {"type": "object", "properties": {"a": INTEGER}, "required": []}),
    ],
)  # fmt: skip
def test_a_schema_becomes_plain(schema: Any, expected: Any) -> None:
    """Any JSON schema becomes one of the few forms that the client supports."""
    assert make_plain(DOCUMENT, schema) == expected
