"""The rules that make an API document fit the templates, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import normalize_spec as n
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: Any = YAML(typ="safe").load(ROOT / "openapi/generator.yaml")
DOCUMENT: Any = YAML(typ="safe").load(ROOT / "openapi/admin.yaml")


def schemas(**named: Any) -> Any:
    """Make a document of schemas."""
    return {"components": {"schemas": named}}


def operation(**fields: Any) -> Any:
    """Make a document of one operation."""
    return {"paths": {"/x": {"post": {"operationId": "do_it", "responses": {}} | fields}}}


def body(schema: Any) -> Any:
    """Make a request body of a schema."""
    return {"content": {"application/json": {"schema": schema}}}


def test_the_version_header_goes_and_other_parameters_stay() -> None:
    """The client sends it once for all."""
    parameters = [{"in": "header", "name": "X-Pinecone-Api-Version"}, {"in": "query", "name": "limit"}]
    found = n.drop_version_header(operation(parameters=parameters))
    assert found["paths"]["/x"]["post"]["parameters"] == [{"in": "query", "name": "limit"}]


def test_ids_are_opaque() -> None:
    """A format of uuid goes, another one stays."""
    document = schemas(A={"type": "string", "format": "uuid"}, B={"type": "string", "format": "date-time"})
    found = n.drop_uuid_format(document)["components"]["schemas"]
    assert found == {"A": {"type": "string"}, "B": {"type": "string", "format": "date-time"}}


def test_marked_schemas_become_components() -> None:
    """An inline schema with a name is moved, and referred to."""
    found = n.hoist_marked_schemas(schemas(A={"properties": {"p": {"type": "object", "x-component-name": "Page"}}}))
    assert found["components"]["schemas"]["Page"] == {"type": "object"}
    assert found["components"]["schemas"]["A"]["properties"]["p"] == {"$ref": "#/components/schemas/Page"}


def test_equal_values_get_one_name_everywhere() -> None:
    """A literal is named at one place, and used in fields, lists and parameters; descriptions stay."""
    values = {"type": "string", "x-enum": ["a", "b"]}
    document = schemas(A={"properties": {"kind": values | {"description": "Of A."}, "all": {"items": values}}})
    found = n.name_literal(document, name="Kind", place="A.kind")["components"]["schemas"]
    reference = [{"$ref": "#/components/schemas/Kind"}]
    assert found["A"]["properties"]["kind"] == {"description": "Of A.", "allOf": reference}
    assert found["A"]["properties"]["all"]["items"] == {"allOf": reference}
    assert found["Kind"] == {"type": "string", "description": "Of A.", "enum": ["a", "b"]}


def test_values_without_a_name_become_an_enum() -> None:
    """The generator names them by their place."""
    assert n.spell_enums(schemas(A={"type": "string", "x-enum": ["a"]})) == schemas(A={"type": "string", "enum": ["a"]})


def test_secrets_are_marked() -> None:
    """The template masks a marked field."""
    found = n.mark_secret(schemas(A={"properties": {"value": {"type": "string"}}}), place="A.value")
    assert found["components"]["schemas"]["A"]["properties"]["value"] == {"type": "string", "x-secret": True}


def test_nullable_fields_are_optional() -> None:
    """Absent and null mean the same, in the words of OpenAPI 3.0 and 3.1."""
    fields = {"a": {"type": "string", "nullable": True}, "b": {"type": ["string", "null"]}, "c": {"type": "string"}}
    found = n.make_nullable_optional(schemas(A={"required": ["a", "b", "c"], "properties": fields}))
    assert found["components"]["schemas"]["A"]["required"] == ["c"]


def test_parameters_are_described_where_the_generator_looks() -> None:
    """The description of a parameter is repeated in its schema."""
    parameter = {"in": "query", "name": "q", "description": "What to look for.", "schema": {"type": "string"}}
    found = n.describe_parameters(operation(parameters=[parameter]))
    schema = found["paths"]["/x"]["post"]["parameters"][0]["schema"]
    assert schema == {"type": "string", "description": "What to look for."}


def test_rules_leave_the_document_they_are_given_alone() -> None:
    """They are pure functions."""
    before = repr(DOCUMENT)
    n.normalize(DOCUMENT, SETTINGS)
    assert repr(DOCUMENT) == before


def test_every_rule_and_name_matches_our_document() -> None:
    """Nothing in the settings is left over."""
    assert n.normalize(DOCUMENT, SETTINGS)[1] == []


def test_a_name_that_matches_nothing_is_named() -> None:
    """A misspelt place cannot pass unseen."""
    settings = SETTINGS | {"secrets": ["APIKey.valeu"], "literals": {"Colour": "APIKey.colour"}}
    assert n.normalize(DOCUMENT, settings)[1] == ["secret APIKey.valeu", "literal Colour at APIKey.colour"]


UNSUPPORTED = {
    "nullable": (
        operation(requestBody=body({"properties": {"a": {"properties": {"b": {"nullable": True}}}}})),
        "do_it: a nullable request field is not supported: body.a.b",
    ),
    "nullable 3.1": (
        operation(requestBody=body({"properties": {"a": {"items": {"type": ["string", "null"]}}}})),
        "do_it: a nullable request field is not supported: body.a[]",
    ),
    "two answers": (
        operation(responses={"200": body({"type": "object"}), "202": {}}),
        "do_it: two kinds of success answer are not supported: 200, 202",
    ),
    "a form": (
        operation(requestBody={"content": {"text/plain": {}}}),
        "do_it: a request body of type text/plain is not supported, only application/json",
    ),
    "a file": (
        operation(responses={"200": {"content": {"image/png": {}}}}),
        "do_it: an answer of type image/png is not supported, only application/json",
    ),
    "a cookie": (
        operation(parameters=[{"in": "cookie", "name": "c"}]),
        "do_it: cookie parameter c is not supported",
    ),
}


@pytest.mark.parametrize(("document", "line"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_the_templates_cannot_express_is_named(document: Any, line: str) -> None:
    """One line says which operation needs what."""
    assert n.unsupported(document) == [line]


def test_circles_of_references_end() -> None:
    """A schema that refers to itself is looked at once."""
    document = operation(requestBody=body({"$ref": "#/components/schemas/A"})) | schemas(
        A={"properties": {"a": {"$ref": "#/components/schemas/A"}}}
    )
    assert n.unsupported(document) == []
    assert n.resolve({"a": {"$ref": "#/a"}}, {"$ref": "#/a"}) == {"$ref": "#/a"}
