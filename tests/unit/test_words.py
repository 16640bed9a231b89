"""Our words and limits stay when another document is adopted, and the places where they cannot are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generation.api_document import iter_operations, parse_document
from generation.words import WORDS, keep_words, write_document
from tests.support.api_documents import read_older_document, read_our_document

OURS = read_our_document()


def say_otherwise(node: Any) -> Any:
    """Return a document with other words, other examples and without limits."""
    if isinstance(node, list):
        return [say_otherwise(each) for each in node]
    if not isinstance(node, dict):
        return node
    limits = {"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"}
    kept = {key: say_otherwise(value) for key, value in node.items() if key not in {*WORDS, *limits}}
    return kept | ({"description": "Their words."} if isinstance(node.get("description"), str) else {})


def add_lanterns(document: Any) -> Any:
    """Return a document with one more operation, and one more field."""
    lantern = {"type": "object", "description": "G", "properties": {"id": {"type": "string", "description": "I"}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Lantern"}}}
    responses = {"200": {"description": "D", "content": content}}
    document["paths"]["/admin/lanterns"] = {"get": {"operationId": "list_lanterns", "responses": responses}}
    document["components"]["schemas"]["Lantern"] = lantern
    document["components"]["schemas"]["User"]["properties"]["phone"] = {"type": "string", "description": "P"}
    return document


def test_our_words_and_limits_stay() -> None:
    """They stay where the other document has the same operation, parameter or field; each limit is named."""
    merged, lines = keep_words(OURS, say_otherwise(OURS))
    assert merged == OURS
    assert all(" which the other document does not state" in line for line in lines)
    assert (
        "openapi/admin.yaml: CreateProjectRequest.name: keeps maxLength 512, which the other document does not state"
        in (lines)
    )
    assert (
        "openapi/admin.yaml: list_users.limit value: keeps maximum 100, which the other document does not state"
        in lines
    )


def test_foreign_words_are_named() -> None:
    """One line an operation or class lists the places that ours has not; what is new as a whole is one line."""
    _, lines = keep_words(OURS, add_lanterns(read_our_document()))
    assert lines == [
        "openapi/admin.yaml: User has words of the other document (phone): write your own",
        "openapi/admin.yaml: new, in words of the other document: list_lanterns, Lantern: write your own",
    ]


def test_a_shared_response_is_ours() -> None:
    """A new operation that answers with a response of ours has no words of another document there."""
    document = add_lanterns(read_our_document())
    node = document["paths"]["/admin/lanterns"]["get"]
    node["responses"] = {"401": document["paths"]["/admin/users"]["get"]["responses"]["401"]}
    assert "list_lanterns" not in "".join(keep_words(OURS, document)[1])


def test_a_limit_of_another_type_is_lost() -> None:
    """It means nothing there, and what the other document states instead is kept."""
    document = read_our_document()
    fields = document["components"]["schemas"]["CreateProjectRequest"]["properties"]
    fields["name"] = {"type": "integer", "minimum": 5}
    merged, lines = keep_words(OURS, document)
    name = merged["components"]["schemas"]["CreateProjectRequest"]["properties"]["name"]
    assert (name["type"], name["minimum"], "maxLength" in name) == ("integer", 5, False)
    assert "openapi/admin.yaml: CreateProjectRequest.name: lost maxLength 512: it is now of another type" in lines


def test_the_older_document_gets_our_words() -> None:
    """Every operation of it is described as ours is, and its text as YAML means the same."""
    older = read_older_document()
    merged, lines = keep_words(OURS, older)
    ours = {endpoint.label: endpoint.operation for endpoint in iter_operations(OURS)}
    for endpoint in iter_operations(merged):
        for key in ("summary", "description"):
            assert endpoint.operation.get(key) == ours[endpoint.label].get(key)
    assert "Their" not in json.dumps(lines)
    assert parse_document(write_document(merged), "SPEC") == merged


@pytest.mark.parametrize(
    "text", ["2026-04", "yes", "a: b", "two\nlines", "ends with ", "# no comment", "é ✓ \t", "0x1"]
)
def test_any_text_survives_the_file(text: str) -> None:
    """Text that is written as YAML is read unchanged."""
    assert parse_document(write_document({"openapi": text}), "SPEC") == {"openapi": text}
