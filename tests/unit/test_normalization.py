"""The rules that a document is rewritten by, one by one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import generation.normalization as rules
from generation.api_document import read_document
from generation.unsupported_features import find_unsupported

ROOT = Path(__file__).resolve().parent.parent.parent
STRING: Any = {"type": "string"}
PET: Any = {"$ref": "#/components/schemas/Pet"}


def make_document(*, schemas: Any = None, path: str = "/pets", method: str = "get", **operation: Any) -> Any:
    """Make a document of one operation."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {path: {method: {"operationId": "do_it", "responses": {"200": {"description": "D"}}, **operation}}},
        "components": {"schemas": schemas or {}},
    }


def make_content(schema: Any, kind: str = "application/json") -> Any:
    """Say what is in a body."""
    return {"description": "D", "content": {kind: {"schema": schema}}}


def make_query(schema: Any, name: str = "q", **more: Any) -> Any:
    """Make a query parameter."""
    return {"in": "query", "name": name, "schema": schema, **more}


def make_expanded(**parts: Any) -> Any:
    """Make a document that is spelled out, as most rules get it."""
    return rules.expand_operations(make_document(**parts))


def only_operation(node: Any) -> Any:
    """Give the one operation of a document."""
    return rules.list_operations(node)[0]


def schemas_after(rule: Any, schemas: Any, **parts: Any) -> Any:
    """Give the components that a rule leaves of some."""
    return rules.component_schemas(rule(make_expanded(schemas=schemas, **parts)))


def make_object(*required: str, **fields: Any) -> Any:
    """Make the schema of an object."""
    return {"type": "object", "properties": fields, "required": list(required)}


def test_formats_go_but_that_of_date_times() -> None:
    """Ids are opaque strings; a field may be called format all the same."""
    fields = {"id": STRING | {"format": "uuid"}, "at": STRING | {"format": "date-time"}, "format": STRING}
    found = rules.drop_formats({"properties": fields})
    assert found == {"properties": {"id": STRING, "at": STRING | {"format": "date-time"}, "format": STRING}}


def test_marked_schemas_become_components() -> None:
    """One name is one component, and another schema under the same name stays where it is."""
    page, other = make_object(next=STRING), make_object(other=STRING)
    marked = [schema | {"x-component-name": "Page"} for schema in (page, page, other)]
    found = rules.hoist_marked_schemas({"a": marked})
    assert found["components"]["schemas"] == {"Page": page}
    assert found["a"] == [rules.component_reference("Page"), rules.component_reference("Page"), other]


def test_operations_are_spelled_out() -> None:
    """References are followed, the path's parameters are its operations', and there is one body and one answer."""
    node = make_document(
        path="/pets/{pet.id}",
        method="post",
        parameters=[{"$ref": "#/components/parameters/Page"}],
        requestBody=make_content(PET, "application/json; charset=utf-8"),
        responses={"201": make_content(PET, "*/*"), "400": make_content(STRING), "default": make_content(STRING)},
        schemas={"Pet": make_object()},
    )
    shared = [
        {"in": "path", "name": "pet.id", "required": True, "schema": STRING},
        make_query({"type": "integer"}, "page"),
    ]
    node["paths"]["/pets/{pet.id}"]["parameters"] = shared
    node["components"]["parameters"] = {"Page": make_query(STRING, "page", description="The page.")}
    found = rules.expand_operations(node)
    assert list(found["paths"]) == ["/pets/{pet_id}"]
    assert only_operation(found) == {
        "operationId": "do_it",
        "tags": ["default"],
        "parameters": [
            make_query(STRING, "page", description="The page."),
            {"in": "path", "name": "pet_id", "required": True, "schema": STRING},
        ],
        "requestBody": {"required": False, "content": {"application/json": {"schema": PET}}},
        "responses": {"200": {"description": "Success.", "content": {"application/json": {"schema": PET}}}},
    }


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ({"204": {"description": "D"}}, None),
        ({"2XX": make_content(PET)}, PET),
        ({"default": make_content(PET)}, PET),
        ({"200": make_content(PET), "default": make_content(STRING)}, PET),
    ],
)
def test_the_answer_is_that_of_success(responses: Any, expected: Any) -> None:
    """The default counts where no success is described."""
    response = only_operation(make_expanded(responses=responses, schemas={"Pet": make_object()}))["responses"]["200"]
    assert response.get("content", {}).get("application/json", {}).get("schema") == expected


def test_an_operation_without_a_name_gets_one() -> None:
    """It is made of method and path."""
    assert only_operation(make_expanded(path="/pets/{id}/toys", operationId=None))["operationId"] == "get_pets_id_toys"


def test_headers_of_the_client_go() -> None:
    """The version header, in any capitals, and those of HTTP itself; others stay, and are refused elsewhere."""
    names = ["X-PINECONE-api-version", "Authorization", "Accept", "X-Other"]
    found = rules.drop_client_headers(
        make_expanded(parameters=[make_query(STRING, name) | {"in": "header"} for name in names])
    )
    assert [parameter["name"] for parameter in only_operation(found)["parameters"]] == ["X-Other"]


def test_secrets_are_marked_at_any_depth() -> None:
    """Through objects and references; what is not there changes nothing."""
    schemas = {"Pet": make_object(chip=make_object(code=STRING)), "Owner": make_object(pet=PET)}
    found = schemas_after(partial(rules.mark_secret, field_path="Owner.pet.chip.code"), schemas)
    assert found["Pet"]["properties"]["chip"]["properties"]["code"] == STRING | {"x-secret": True}
    node = make_expanded(schemas=schemas)
    assert rules.mark_secret(node, field_path="Owner.pet.name") == node


def test_values_get_one_name_wherever_they_stand() -> None:
    """In models, lists and parameters, each place with a description of its own; other values have another name."""
    values = {"type": "string", "x-enum": ["a", "b"]}
    schemas = {"Pet": make_object(kind=values | {"description": "Its kind."}, kinds={"type": "array", "items": values})}
    node = make_expanded(
        schemas=schemas, parameters=[make_query(values, description="Only these."), make_query({"enum": ["a"]}, "r")]
    )
    found = rules.name_literal(node, name="Kind", field_path="Pet.kind")
    kind = rules.component_reference("Kind")
    assert rules.component_schemas(found)["Kind"] == {"type": "string", "description": "Its kind.", "enum": ["a", "b"]}
    fields = rules.component_schemas(found)["Pet"]["properties"]
    assert fields == {"kind": kind | {"description": "Its kind."}, "kinds": {"type": "array", "items": kind}}
    assert [p["schema"] for p in only_operation(found)["parameters"]] == [kind, STRING | {"enum": ["a"]}]


def test_components_have_the_names_of_classes() -> None:
    """No two share a module, and none is called what the modules import."""
    schemas = {name: make_object(pet=PET) for name in ("Pet", "pet", "APIKey", "ApiKey", "v1.thing", "Any")}
    found = schemas_after(rules.name_components, schemas)
    assert list(found) == ["Pet", "Pet2", "APIKey", "ApiKey2", "V1Thing", "AnyModel"]
    assert found["Pet2"]["properties"] == {"pet": PET}


def test_inline_schemas_are_named_after_their_places() -> None:
    """Objects and values of components, lists, parameters, bodies and answers; a name that is taken is numbered."""
    inner = make_object(a=STRING)
    schemas = {
        "Pet": make_object(chip=inner | {"description": "D"}, toys={"type": "array", "items": inner}),
        "PetChip": inner,
    }
    node = make_expanded(
        schemas=schemas, parameters=[make_query({"enum": ["a"]}, "sort")], responses={"200": make_content(inner)}
    )
    found = rules.name_inline_schemas(node)
    assert list(rules.component_schemas(found)) == [
        "Pet",
        "PetChip",
        "PetChip2",
        "PetToysItem",
        "DoItSort",
        "DoItResponse",
    ]
    fields = rules.component_schemas(found)["Pet"]["properties"]
    assert fields["chip"] == rules.component_reference("PetChip2") | {"description": "D"}


def test_aliases_are_put_in_their_places() -> None:
    """A component that is no class is what it stands for; in a circle it is any value; its null comes with it."""
    schemas = {
        "Pet": make_object(
            id=rules.component_reference("Id"),
            tree=rules.component_reference("Tree"),
            none=rules.component_reference("None_"),
        ),
        "Id": rules.component_reference("Text"),
        "Text": STRING | {"description": "D"},
        "Tree": {"type": "array", "items": rules.component_reference("Tree")},
        "None_": make_object(a=STRING) | {"nullable": True},
    }
    found = schemas_after(rules.inline_aliases, schemas)
    assert list(found) == ["Pet", "None_"]
    assert found["None_"] == make_object(a=STRING)
    assert found["Pet"]["properties"] == {
        "id": STRING | {"description": "D"},
        "tree": {"type": "array", "items": {}},
        "none": rules.component_reference("None_") | {"nullable": True},
    }


def test_nullable_fields_are_optional() -> None:
    """Absent and null mean the same; within a list null stays."""
    null = STRING | {"nullable": True}
    found = schemas_after(rules.make_nullable_optional, {"Pet": make_object("a", "b", a=null, b={"items": null})})
    assert found["Pet"] == make_object("b", a=STRING, b={"type": "array", "items": null})


def test_a_field_is_required_in_the_direction_that_has_it() -> None:
    """A read-only field is not required where it is sent, nor a write-only one where it is received."""
    pet = make_object(
        "id", "pin", "name", id=STRING | {"readOnly": True}, pin=STRING | {"writeOnly": True}, name=STRING
    )
    sent = schemas_after(rules.require_one_way, {"Pet": pet}, method="post", requestBody=make_content(PET))
    received = schemas_after(rules.require_one_way, {"Pet": pet}, responses={"200": make_content(PET)})
    assert sent["Pet"]["required"] == ["pin", "name"]
    assert received["Pet"]["required"] == ["id", "name"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (STRING | {"nullable": True, "format": "date-time"}, STRING),
        ({"type": "integer"}, {"type": "integer"}),
        ({"type": "boolean"}, {"type": "boolean"}),
        ({"type": "number"}, STRING),
        ({}, {}),
        ({"items": {"type": "integer"}}, {"type": "array", "items": STRING}),
    ],
)
def test_parameters_are_text(schema: Any, expected: Any) -> None:
    """They are what the client can write into a URL."""
    found = rules.simplify_parameters(make_expanded(parameters=[make_query(schema)]))
    assert only_operation(found)["parameters"][0]["schema"] == expected


def test_fields_of_one_python_name_are_told_apart() -> None:
    """The later one is renamed, and keeps its name on the wire."""
    found = schemas_after(rules.tell_fields_apart, {"Pet": make_object("@id", "id", **{"@id": STRING, "id": STRING})})
    renamed = [name for name in found["Pet"]["properties"] if name != "@id"]
    assert found["Pet"]["properties"][renamed[0]] == STRING | {"x-wire-name": "id"}
    assert found["Pet"]["required"] == ["@id", *renamed]


def test_folders_and_operations_are_told_apart() -> None:
    """The package of all operations holds both under their names."""
    assert only_operation(rules.tell_tags_apart(make_expanded(tags=["Do it"])))["tags"] == ["Do it operations"]
    assert only_operation(rules.tell_tags_apart(make_expanded(tags=["Pets"])))["tags"] == ["Pets"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (PET, PET),
        (rules.component_reference("Kind"), STRING),
        (PET | {"nullable": True}, {}),
        ({"items": PET}, {"items": PET}),
    ],
)
def test_answers_are_types(schema: Any, expected: Any) -> None:
    """A literal is no type in Python, and neither is one of two: they are text and any value."""
    schemas = {"Pet": make_object(a=STRING), "Kind": {"enum": ["a"]}}
    found = rules.answer_with_types(make_expanded(schemas=schemas, responses={"200": make_content(schema)}))
    response = only_operation(found)["responses"]["200"]["content"]["application/json"]["schema"]
    assert response == expected | ({"type": "array"} if "items" in expected else {})


def test_a_parameter_is_described_in_its_schema() -> None:
    """Also beside a reference, where its own description counts."""
    node = make_expanded(schemas={"Pet": {"enum": ["a"]}}, parameters=[make_query(PET, description="Only these.")])
    described = rules.adapt_schemas(rules.describe_parameters(node))
    schema = {"description": "Only these.", "anyOf": [{"allOf": [PET]}]}
    assert only_operation(described)["parameters"][0]["schema"] == schema


def test_schemas_are_spelled_for_the_generator() -> None:
    """Free-form objects are one component under a free name, and null is a choice."""
    fields = {"any": {"type": "object"}, "list": {"items": STRING | {"nullable": True}}}
    found = schemas_after(rules.adapt_schemas, {"Pet": make_object(**fields), "FreeForm": make_object(a=STRING)})
    assert found["FreeForm2"] == {"type": "object"}
    assert found["Pet"]["properties"] == {
        "any": rules.component_reference("FreeForm2"),
        "list": {"type": "array", "items": {"anyOf": [STRING, {"type": "null"}]}},
    }


def test_every_rule_and_name_finds_something_in_our_document() -> None:
    """One that does not is named, so that it can go."""
    settings = YAML(typ="safe").load(ROOT / "openapi/generator.yaml")
    ours = read_document(str(ROOT / "openapi/admin.yaml"))
    assert rules.normalize_document(ours, settings)[1] == []
    settings["literals"]["Colour"] = "Pet.colour"
    settings["secrets"].append("Pet.pin")
    assert rules.normalize_document(ours, settings)[1] == ["secret Pet.pin", "literal Colour at Pet.colour"]
    assert "drop the version header parameter" in rules.normalize_document(make_document(), settings)[1]


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
