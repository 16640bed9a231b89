"""Features that generation refuses, each in one line."""

from __future__ import annotations

from typing import Any

import pytest

from generation.api_document import DocumentError
from generation.normalization import (
    component_schemas,
    expand_operations,
    list_operations,
    name_components,
    name_inline_schemas,
    normalize_document,
)
from generation.unsupported_features import find_unsupported, find_unsupported_types, require_supported
from tests.support.api_documents import PET, STRING, make_content, make_document, make_object, make_query

WRITABLE = "only plain values are, and lists of strings in a query"


def make_body(schema: Any) -> Any:
    """Return the parts of an operation whose body has a schema."""
    return {"method": "post", "requestBody": make_content(schema)}


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"path": "/pets?a=b"}, "the path /pets?a=b contains a character that the client does not send"),
        ({"operationId": None}, "it has no operationId"),
        ({"servers": [{"url": "https://other.example"}]},
         "its own servers are not supported: the client sends every operation to the server of the document"),
        # parameters
        ({"parameters": [make_query(STRING, "Host") | {"in": "header"}]}, "header parameter Host is not supported"),
        ({"parameters": [make_query({"type": "array", "items": STRING}, "X") | {"in": "header"}]},
         f"header parameter X is not supported: {WRITABLE}"),
        ({"parameters": [make_query(STRING) | {"in": "cookie"}]}, "cookie parameter q is not supported"),
        ({"parameters": [make_query(make_object())]}, f"query parameter q is not supported: {WRITABLE}"),
        ({"parameters": [{"in": "query", "name": "q", "content": {}}]},
         f"query parameter q is not supported: {WRITABLE}"),
        ({"parameters": [make_query({"type": "array", "items": STRING}, explode=False)]},
         f"query parameter q is not supported: {WRITABLE}"),
        ({"parameters": [make_query({"type": "array", "items": {"type": "array", "items": STRING}})]},
         f"query parameter q is not supported: {WRITABLE}"),
        ({"parameters": [make_query(STRING, style="pipeDelimited")]},
         f"query parameter q is not supported: {WRITABLE}"),
        ({"path": "/{q}", "parameters": [make_query({"type": "array", "items": STRING}) | {"in": "path"}]},
         f"path parameter q is not supported: {WRITABLE}"),
        ({"parameters": [make_query(STRING) | {"in": "path"}]},
         "path parameter q does not occur in the path, or is not a name in Python"),
        # bodies
        ({"requestBody": make_content(STRING, "text/plain")},
         "a request body of type text/plain is not supported; only application/json is"),
        (make_body(STRING | {"nullable": True}), "a request body that may be null is not supported"),
        ({"responses": {"200": make_content(STRING, "text/csv")}},
         "a response of type text/csv is not supported; only application/json is"),
        ({"responses": {"default": make_content(STRING)}}, "it has no success response"),
        ({"responses": {"200": make_content(STRING), "201": make_content({"type": "integer"})}},
         "success responses with different schemas are not supported: 200, 201"),
        # schemas
        (make_body({"anyOf": [STRING, PET]}), "a body: anyOf is not supported"),
        (make_body(make_object(pets={"items": {"const": "a"}})), "a body.pets[]: const is not supported"),
        (make_body(make_object(friend=PET) | {"not": {}}), "a body: not is not supported"),
        (make_body({"$ref": "#/components/responses/Pet/x"}),
         "a body: a reference to anything but a component schema is not supported"),
        (make_body({"allOf": [PET, make_object()]}), "a body: allOf of several schemas is not supported"),
        (make_body({"enum": [1, "2"]}),
         "a body: a list of values that are neither all strings nor all integers is not supported"),
        (make_body({"oneOf": [PET, STRING]}), "a body: oneOf of anything but objects with fields is not supported"),
        (make_body(make_object(a=STRING) | {"oneOf": [PET]}),
         "a body: oneOf of anything but objects with fields is not supported"),
        (make_body({"oneOf": [PET], "discriminator": {"propertyName": "kind"}}),
         "a body: a discriminator whose mapping does not name each choice is not supported"),
        ({"responses": {"200": make_content({"$ref": "#/components/schemas/Odd"})}},
         "Odd.a: allOf of several schemas is not supported"),
    ],
)  # fmt: skip
def test_unsupported_features_of_an_operation_are_named(parts: Any, problem: str) -> None:
    """The line names the operation, the location in it, and the setting that leaves the operation out."""
    pet = make_object(kind=STRING)
    odd = make_object(a={"allOf": [PET, pet]})
    node = make_document(schemas={"Pet": pet, "Odd": odd}, **parts)
    node["components"]["responses"] = {"Pet": {"description": "D", "x": STRING}}
    label = "GET /pets" if "operationId" in parts else "do_it"
    assert find_unsupported(without_none(node)) == [
        f"{label}: {problem}: list {label} under exclude in openapi/generator.yaml"
    ]


def without_none(node: Any) -> Any:
    """Return a document without the keys whose value is None."""
    return (
        {key: without_none(value) for key, value in node.items() if value is not None}
        if isinstance(node, dict)
        else node
    )


def test_an_operation_that_cannot_be_generated_is_excluded() -> None:
    """The document is accepted without it, and has no class for what only it uses."""
    node = make_document(
        schemas={"Pet": make_object(a=STRING), "Table": {"anyOf": [STRING]}, "Row": make_object(a=PET)}
    )
    table, row = ({"$ref": f"#/components/schemas/{name}"} for name in ("Table", "Row"))
    usage = {"operationId": "export_usage", "responses": {"200": make_content({"oneOf": [table, row]}, "text/csv")}}
    node["paths"]["/usage"] = {"get": usage}
    node["paths"]["/pets"]["get"]["responses"]["200"] = make_content(PET)
    settings: Any = {"literals": {}, "secrets": [], "fields": {}, "limits": {}, "exclude": []}
    with pytest.raises(DocumentError) as caught:
        require_supported(node, "SPEC", settings)
    assert str(caught.value) == (
        "cannot generate from SPEC: export_usage: a response of type text/csv is not supported; only application/json "
        "is: list export_usage under exclude in openapi/generator.yaml"
    )
    settings["exclude"] = ["export_usage", "gone"]
    assert require_supported(node, "SPEC", settings) is node
    normalized, idle = normalize_document(node, settings)
    assert [each["operationId"] for each in list_operations(normalized)] == ["do_it"]
    assert component_schemas(normalized).keys() == {"Pet"}
    assert [label for label in idle if "exclude" in label] == ["exclude gone"]


def test_unsupported_features_of_a_document_are_named() -> None:
    """It needs operations with different names, and a version that fits into a header."""
    node = make_document()
    node["info"]["version"] = "1 beta"
    node["paths"]["/toys"] = {"get": {"operationId": "doIt", "responses": {"204": {"description": "D"}}}}
    assert find_unsupported(node) == [
        "info.version '1 beta' cannot be sent in a header",
        "do_it and doIt would both be named do_it",
    ]
    assert find_unsupported(make_document() | {"paths": {}}) == ["it has no operations"]


def test_a_read_only_request_field_may_be_nullable() -> None:
    """It is never sent; circular schemas are visited once."""
    pet = make_object(at=STRING | {"nullable": True, "readOnly": True}, friend=PET)
    assert find_unsupported(make_document(requestBody=make_content(PET), schemas={"Pet": pet})) == []


def test_a_tag_with_the_name_of_an_operation_is_refused() -> None:
    """Both would have the same name in the package of all operations."""
    assert find_unsupported(make_document(tags=["Do it"])) == ["tag Do it and do_it would both be named do_it"]
    assert find_unsupported(make_document(tags=["Pets"])) == []


ONE_WAY = make_object("id", "pin", id=STRING | {"readOnly": True}, pin=STRING | {"writeOnly": True})


@pytest.mark.parametrize(
    ("parts", "problems"),
    [
        ({"schemas": {"Pet": make_object("@id", **{"@id": STRING, "id": STRING})}},
         ["Pet.@id and Pet.id would both be named id"]),
        ({"method": "post", "requestBody": make_content({"type": "array", "items": PET}), "schemas": {"Pet": ONE_WAY}},
         ["a readOnly field that is required in a request is not supported: Pet.id"]),
        ({"responses": {"200": make_content(make_object(pet=PET))}, "schemas": {"Pet": ONE_WAY}},
         ["a writeOnly field that is required in a response is not supported: Pet.pin"]),
        ({"schemas": {"Pet": ONE_WAY}}, []),
        ({"responses": {"200": make_content(PET | {"nullable": True})}, "schemas": {"Pet": make_object(a=STRING)}},
         ["do_it: a nullable response is not supported"]),
        ({"responses": {"200": make_content({"enum": ["a"]})}},
         ["do_it: a response that is one of listed values is not supported"]),
        ({"responses": {"200": make_content({"type": "array", "items": PET})},
          "schemas": {"Pet": make_object(a=STRING)}}, []),
    ],
)  # fmt: skip
def test_unsupported_types_are_named(parts: Any, problems: list[str]) -> None:
    """No published document was found to use them."""
    document = make_document(**parts)
    for rule in (expand_operations, name_components, name_inline_schemas):
        document = rule(document)
    assert find_unsupported_types(document) == problems
