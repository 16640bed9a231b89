"""Rewriting the schemas that published documents have as plain ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from generation.plain_schema import make_plain

REF, DOG = {"$ref": "#/components/schemas/Pet"}, {"$ref": "#/components/schemas/Dog"}
STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def choice(title: str, tags: Sequence[str] = ()) -> Any:
    """Return what a plain schema says of a choice."""
    return {"x-choice": {"title": title, "tags": list(tags)}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, {}),
        ({"title": "Id", "type": "string", "default": "a"}, STRING),
        ({"type": "string", "example": "b"}, {"type": "string", "x-example": "b"}),
        (STRING | {"deprecated": True}, STRING | {"deprecated": True}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "maxLength": 3, "description": "D"}, STRING | {"maxLength": 3, "description": "D"}),
        # values
        ({"x-enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        # null
        ({"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ({"type": "object", "nullable": True, "allOf": [REF]}, {**REF, "nullable": True}),
        # alternatives
        ({"oneOf": [{"title": "Big cat", "type": "object", "properties": {"a": STRING}}, DOG], "description": "D"},
         {"oneOf": [{"type": "object", "properties": {"a": STRING}, "required": []} | choice("Big cat"),
                    DOG | choice("Dog")], "description": "D"}),
        ({"oneOf": [REF, DOG],
          "discriminator": {"propertyName": "kind", "mapping": {"p": "Pet", "d": "Dog", "e": DOG["$ref"]}}},
         {"x-tag": "kind", "oneOf": [REF | choice("Pet", tags=["p"]), DOG | choice("Dog", tags=["d", "e"])]}),
        # objects and lists
        ({"type": "object", "additionalProperties": REF}, {"type": "object"}),
        ({"properties": {"a": {}}, "required": ["a", "b"], "additionalProperties": False},
         {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ({"type": "array", "items": REF}, {"type": "array", "items": REF}),
        # references
        ({"allOf": [REF], "description": "D"}, {**REF, "description": "D"}),
    ],
)  # fmt: skip
def test_a_schema_becomes_plain(schema: Any, expected: Any) -> None:
    """Each form of a published document becomes one of the few that the templates know."""
    assert make_plain(schema) == expected
