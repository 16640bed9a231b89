"""Features that generation refuses, each in one line."""

from __future__ import annotations

from typing import Any

import pytest

from generation.normalization import expand_operations, name_components, name_inline_schemas
from generation.unsupported_features import find_unsupported, find_unsupported_types
from tests.support.api_documents import PET, STRING, make_content, make_document, make_object, make_query


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"path": "/pets?a=b"}, "the path /pets?a=b contains a character that the client does not send"),
        ({"parameters": [make_query(STRING, "Host") | {"in": "header"}]}, "header parameter Host is not supported"),
        ({"parameters": [make_query({"items": STRING}, "X") | {"in": "header"}]},
         "header parameter X is not supported: it is a list"),
        ({"parameters": [make_query(STRING) | {"in": "cookie"}]}, "cookie parameter q is not supported"),
        ({"parameters": [make_query(make_object())]}, "query parameter q is not supported: it is an object"),
        ({"parameters": [{"in": "query", "name": "q", "content": {}}]},
         "query parameter q is not supported: it has its own content type"),
        ({"parameters": [make_query({"items": STRING}, explode=False)]},
         "query parameter q is not supported: it is a list joined into one value"),
        ({"parameters": [make_query({"items": {"items": STRING}})]},
         "query parameter q is not supported: it is a list of lists or objects"),
        ({"parameters": [make_query(STRING, style="pipeDelimited")]},
         "query parameter q is not supported: it has the style pipeDelimited"),
        ({"path": "/{q}", "parameters": [make_query({"items": STRING}) | {"in": "path"}]},
         "path parameter q is not supported: it is a list"),
        ({"parameters": [make_query(STRING) | {"in": "path"}]}, "path parameter q does not occur in the path"),
        ({"requestBody": make_content(STRING, "text/plain")},
         "a request body of type text/plain is not supported; only application/json is"),
        ({"requestBody": make_content({"oneOf": [STRING, {"type": "null"}]})},
         "a request body that may be null is not supported"),
        ({"responses": {"200": make_content(STRING, "text/csv")}},
         "a response of type text/csv is not supported; only JSON is"),
        ({"requestBody": make_content(STRING, "application/x-www-form-urlencoded")},
         "a request body of type application/x-www-form-urlencoded is not supported; only application/json is"),
        ({"requestBody": make_content(STRING, "multipart/form-data")},
         "a request body of type multipart/form-data is not supported; only application/json is"),
        ({"responses": {"200": make_content(STRING, "application/x-ndjson")}},
         "a response of type application/x-ndjson is not supported; only JSON is"),
        ({"responses": {"200": make_content(STRING), "201": make_content({"type": "integer"})}},
         "success responses with different schemas are not supported: 200, 201"),
    ],
)  # fmt: skip
def test_unsupported_features_of_an_operation_are_named(parts: Any, problem: str) -> None:
    """The line names the operation and the location in it."""
    assert find_unsupported(make_document(**parts)) == [f"do_it: {problem}"]


def test_unsupported_features_of_a_document_are_named() -> None:
    """It needs operations with different names, and a version that fits into a header."""
    node = make_document()
    node["info"]["version"] = "1 beta"
    node["paths"]["/toys"] = {"get": {"operationId": "doIt", "responses": {}}}
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
        ({"method": "post", "requestBody": make_content({"items": PET}), "schemas": {"Pet": ONE_WAY}},
         ["a readOnly field that is required in a request is not supported: Pet.id"]),
        ({"responses": {"200": make_content(make_object(pet=PET))}, "schemas": {"Pet": ONE_WAY}},
         ["a writeOnly field that is required in a response is not supported: Pet.pin"]),
        ({"schemas": {"Pet": ONE_WAY}}, []),
        ({"responses": {"200": make_content(PET | {"nullable": True})}, "schemas": {"Pet": make_object(a=STRING)}},
         ["do_it: a nullable response is not supported"]),
        ({"responses": {"200": make_content({"enum": ["a"]})}},
         ["do_it: a response that is one of listed values is not supported"]),
        ({"responses": {"200": make_content({"items": PET})}, "schemas": {"Pet": make_object(a=STRING)}}, []),
    ],
)  # fmt: skip
def test_unsupported_types_are_named(parts: Any, problems: list[str]) -> None:
    """No published document was found to use them."""
    document = make_document(**parts)
    for rule in (expand_operations, name_components, name_inline_schemas):
        document = rule(document)
    assert find_unsupported_types(document) == problems
