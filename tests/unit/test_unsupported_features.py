"""What a document cannot have, each refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from generation.normalization import expand_operations, name_components, name_inline_schemas
from generation.unsupported_features import find_unsupported, find_unsupported_types
from tests.support.api_documents import PET, STRING, make_content, make_document, make_object, make_query

NULLABLE = make_object(a=make_object(b={"type": "array", "items": STRING | {"nullable": True}}))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"path": "/pets?a=b"}, "the path /pets?a=b has a character that the client does not send"),
        ({"parameters": [make_query(STRING, "X") | {"in": "header"}]}, "header parameter X is not supported"),
        ({"parameters": [make_query(STRING) | {"in": "cookie"}]}, "cookie parameter q is not supported"),
        ({"parameters": [make_query(make_object())]}, "query parameter q is not supported: it is an object"),
        ({"parameters": [{"in": "query", "name": "q", "content": {}}]},
         "query parameter q is not supported: it is in a content type of its own"),
        ({"parameters": [make_query({"items": STRING}, explode=False)]},
         "query parameter q is not supported: it is a list in one value"),
        ({"parameters": [make_query({"items": {"items": STRING}})]},
         "query parameter q is not supported: it is a list of lists or objects"),
        ({"parameters": [make_query(STRING, style="pipeDelimited")]},
         "query parameter q is not supported: it is in the style pipeDelimited"),
        ({"path": "/{q}", "parameters": [make_query({"items": STRING}) | {"in": "path"}]},
         "path parameter q is not supported: it is a list"),
        ({"parameters": [make_query(STRING) | {"in": "path"}]}, "path parameter q is not in the path"),
        ({"requestBody": make_content(STRING, "text/plain")},
         "a request body of type text/plain is not supported, only application/json"),
        ({"requestBody": make_content(NULLABLE)}, "a nullable request field is not supported: body.a.b[]"),
        ({"requestBody": make_content({"oneOf": [STRING, {"type": "null"}]})},
         "a nullable request field is not supported: body"),
        ({"responses": {"200": make_content(STRING, "text/csv")}},
         "an answer of type text/csv is not supported, only JSON"),
        ({"responses": {"200": make_content(STRING), "204": {"description": "D"}}},
         "two kinds of success answer are not supported: 200, 204"),
    ],
)  # fmt: skip
def test_what_an_operation_cannot_have_is_named(parts: Any, problem: str) -> None:
    """With the operation, and the place within it."""
    assert find_unsupported(make_document(**parts)) == [f"do_it: {problem}"]


def test_what_a_document_cannot_have_is_named() -> None:
    """It needs operations, of different names, and a version that can be sent."""
    node = make_document()
    node["info"]["version"] = "1 beta"
    node["paths"]["/toys"] = {"get": {"operationId": "doIt", "responses": {}}}
    assert find_unsupported(node) == [
        "info.version '1 beta' cannot be sent in a header",
        "do_it and doIt would both be named do_it",
    ]
    assert find_unsupported(make_document() | {"paths": {}}) == ["it has no operations"]


def test_what_is_read_only_may_be_null_in_what_is_sent() -> None:
    """It is never sent; and what refers to itself is looked at once."""
    pet = make_object(at=STRING | {"nullable": True, "readOnly": True}, friend=PET)
    assert find_unsupported(make_document(requestBody=make_content(PET), schemas={"Pet": pet})) == []


def test_a_folder_and_an_operation_of_one_name_are_named() -> None:
    """The package of all operations would hold both under it."""
    assert find_unsupported(make_document(tags=["Do it"])) == ["tag Do it and do_it would both be named do_it"]
    assert find_unsupported(make_document(tags=["Pets"])) == []


ONE_WAY = make_object("id", "pin", id=STRING | {"readOnly": True}, pin=STRING | {"writeOnly": True})


@pytest.mark.parametrize(
    ("parts", "problems"),
    [
        ({"schemas": {"Pet": make_object("@id", **{"@id": STRING, "id": STRING})}},
         ["Pet.@id and Pet.id would both be named id"]),
        ({"method": "post", "requestBody": make_content({"items": PET}), "schemas": {"Pet": ONE_WAY}},
         ["a readOnly field that a request requires is not supported: Pet.id"]),
        ({"responses": {"200": make_content(make_object(pet=PET))}, "schemas": {"Pet": ONE_WAY}},
         ["a writeOnly field that a response requires is not supported: Pet.pin"]),
        ({"schemas": {"Pet": ONE_WAY}}, []),
        ({"responses": {"200": make_content(PET | {"nullable": True})}, "schemas": {"Pet": make_object(a=STRING)}},
         ["do_it: an answer that may be null is not supported"]),
        ({"responses": {"200": make_content({"enum": ["a"]})}},
         ["do_it: an answer that is one of listed values is not supported"]),
        ({"responses": {"200": make_content({"items": PET})}, "schemas": {"Pet": make_object(a=STRING)}}, []),
    ],
)  # fmt: skip
def test_what_types_cannot_express_is_named(parts: Any, problems: list[str]) -> None:
    """No published document was seen to need any of it."""
    document = make_document(**parts)
    for rule in (expand_operations, name_components, name_inline_schemas):
        document = rule(document)
    assert find_unsupported_types(document) == problems
