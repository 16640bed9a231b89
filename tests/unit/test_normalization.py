"""The rules that a document is rewritten by, one by one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import generation.normalization as rules
from generation.api_document import read
from generation.unsupported_features import unsupported

ROOT = Path(__file__).resolve().parent.parent.parent
STRING: Any = {"type": "string"}
PET: Any = {"$ref": "#/components/schemas/Pet"}


def document(*, schemas: Any = None, path: str = "/pets", method: str = "get", **operation: Any) -> Any:
    """Make a document of one operation."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {path: {method: {"operationId": "do_it", "responses": {"200": {"description": "D"}}, **operation}}},
        "components": {"schemas": schemas or {}},
    }


def content(schema: Any, kind: str = "application/json") -> Any:
    """Say what is in a body."""
    return {"description": "D", "content": {kind: {"schema": schema}}}


def query(schema: Any, name: str = "q", **more: Any) -> Any:
    """Make a query parameter."""
    return {"in": "query", "name": name, "schema": schema, **more}


def spelled(**parts: Any) -> Any:
    """Make a document that is spelled out, as most rules get it."""
    return rules.spell_out(document(**parts))


def operation(node: Any) -> Any:
    """Give the one operation of a document."""
    return rules.all_operations(node)[0]


def schemas_after(rule: Any, schemas: Any, **parts: Any) -> Any:
    """Give the components that a rule leaves of some."""
    return rules.schemas_of(rule(spelled(schemas=schemas, **parts)))


def object_of(*required: str, **fields: Any) -> Any:
    """Make the schema of an object."""
    return {"type": "object", "properties": fields, "required": list(required)}


def test_formats_go_but_that_of_date_times() -> None:
    """Ids are opaque strings; a field may be called format all the same."""
    fields = {"id": STRING | {"format": "uuid"}, "at": STRING | {"format": "date-time"}, "format": STRING}
    found = rules.drop_formats({"properties": fields})
    assert found == {"properties": {"id": STRING, "at": STRING | {"format": "date-time"}, "format": STRING}}


def test_marked_schemas_become_components() -> None:
    """One name is one component, and another schema under the same name stays where it is."""
    page, other = object_of(next=STRING), object_of(other=STRING)
    marked = [schema | {"x-component-name": "Page"} for schema in (page, page, other)]
    found = rules.hoist_marked_schemas({"a": marked})
    assert found["components"]["schemas"] == {"Page": page}
    assert found["a"] == [rules.reference("Page"), rules.reference("Page"), other]


def test_operations_are_spelled_out() -> None:
    """References are followed, the path's parameters are its operations', and there is one body and one answer."""
    node = document(
        path="/pets/{pet.id}",
        method="post",
        parameters=[{"$ref": "#/components/parameters/Page"}],
        requestBody=content(PET, "application/json; charset=utf-8"),
        responses={"201": content(PET, "*/*"), "400": content(STRING), "default": content(STRING)},
        schemas={"Pet": object_of()},
    )
    shared = [{"in": "path", "name": "pet.id", "required": True, "schema": STRING}, query({"type": "integer"}, "page")]
    node["paths"]["/pets/{pet.id}"]["parameters"] = shared
    node["components"]["parameters"] = {"Page": query(STRING, "page", description="The page.")}
    found = rules.spell_out(node)
    assert list(found["paths"]) == ["/pets/{pet_id}"]
    assert operation(found) == {
        "operationId": "do_it",
        "tags": ["default"],
        "parameters": [
            query(STRING, "page", description="The page."),
            {"in": "path", "name": "pet_id", "required": True, "schema": STRING},
        ],
        "requestBody": {"required": False, "content": {"application/json": {"schema": PET}}},
        "responses": {"200": {"description": "Success.", "content": {"application/json": {"schema": PET}}}},
    }


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"204": {"description": "D"}}, None),
        ({"2XX": content(PET)}, PET),
        ({"default": content(PET)}, PET),
        ({"200": content(PET), "default": content(STRING)}, PET),
    ],
)
def test_the_answer_is_that_of_success(answers: Any, expected: Any) -> None:
    """The default counts where no success is described."""
    answer = operation(spelled(responses=answers, schemas={"Pet": object_of()}))["responses"]["200"]
    assert answer.get("content", {}).get("application/json", {}).get("schema") == expected


def test_an_operation_without_a_name_gets_one() -> None:
    """It is made of method and path."""
    assert operation(spelled(path="/pets/{id}/toys", operationId=None))["operationId"] == "get_pets_id_toys"


def test_headers_of_the_client_go() -> None:
    """The version header, in any capitals, and those of HTTP itself; others stay, and are refused elsewhere."""
    names = ["X-PINECONE-api-version", "Authorization", "Accept", "X-Other"]
    found = rules.drop_own_headers(spelled(parameters=[query(STRING, name) | {"in": "header"} for name in names]))
    assert [parameter["name"] for parameter in operation(found)["parameters"]] == ["X-Other"]


def test_secrets_are_marked_at_any_depth() -> None:
    """Through objects and references; what is not there changes nothing."""
    schemas = {"Pet": object_of(chip=object_of(code=STRING)), "Owner": object_of(pet=PET)}
    found = schemas_after(partial(rules.mark_secret, place="Owner.pet.chip.code"), schemas)
    assert found["Pet"]["properties"]["chip"]["properties"]["code"] == STRING | {"x-secret": True}
    node = spelled(schemas=schemas)
    assert rules.mark_secret(node, place="Owner.pet.name") == node


def test_values_get_one_name_wherever_they_stand() -> None:
    """In models, lists and parameters, each place with a description of its own; other values have another name."""
    values = {"type": "string", "x-enum": ["a", "b"]}
    schemas = {"Pet": object_of(kind=values | {"description": "Its kind."}, kinds={"type": "array", "items": values})}
    node = spelled(schemas=schemas, parameters=[query(values, description="Only these."), query({"enum": ["a"]}, "r")])
    found = rules.name_literal(node, name="Kind", place="Pet.kind")
    kind = rules.reference("Kind")
    assert rules.schemas_of(found)["Kind"] == {"type": "string", "description": "Its kind.", "enum": ["a", "b"]}
    fields = rules.schemas_of(found)["Pet"]["properties"]
    assert fields == {"kind": kind | {"description": "Its kind."}, "kinds": {"type": "array", "items": kind}}
    assert [p["schema"] for p in operation(found)["parameters"]] == [kind, STRING | {"enum": ["a"]}]


def test_components_have_the_names_of_classes() -> None:
    """No two share a module, and none is called what the modules import."""
    schemas = {name: object_of(pet=PET) for name in ("Pet", "pet", "APIKey", "ApiKey", "v1.thing", "Any")}
    found = schemas_after(rules.name_components, schemas)
    assert list(found) == ["Pet", "Pet2", "APIKey", "ApiKey2", "V1Thing", "AnyModel"]
    assert found["Pet2"]["properties"] == {"pet": PET}


def test_inline_schemas_are_named_after_their_places() -> None:
    """Objects and values of components, lists, parameters, bodies and answers; a name that is taken is numbered."""
    inner = object_of(a=STRING)
    schemas = {
        "Pet": object_of(chip=inner | {"description": "D"}, toys={"type": "array", "items": inner}),
        "PetChip": inner,
    }
    node = spelled(schemas=schemas, parameters=[query({"enum": ["a"]}, "sort")], responses={"200": content(inner)})
    found = rules.name_inline_schemas(node)
    assert list(rules.schemas_of(found)) == ["Pet", "PetChip", "PetChip2", "PetToysItem", "DoItSort", "DoItResponse"]
    fields = rules.schemas_of(found)["Pet"]["properties"]
    assert fields["chip"] == rules.reference("PetChip2") | {"description": "D"}


def test_aliases_are_put_in_their_places() -> None:
    """A component that is no class is what it stands for; in a circle it is any value; its null comes with it."""
    schemas = {
        "Pet": object_of(id=rules.reference("Id"), tree=rules.reference("Tree"), none=rules.reference("None_")),
        "Id": rules.reference("Text"),
        "Text": STRING | {"description": "D"},
        "Tree": {"type": "array", "items": rules.reference("Tree")},
        "None_": object_of(a=STRING) | {"nullable": True},
    }
    found = schemas_after(rules.inline_aliases, schemas)
    assert list(found) == ["Pet", "None_"]
    assert found["None_"] == object_of(a=STRING)
    assert found["Pet"]["properties"] == {
        "id": STRING | {"description": "D"},
        "tree": {"type": "array", "items": {}},
        "none": rules.reference("None_") | {"nullable": True},
    }


def test_nullable_fields_are_optional() -> None:
    """Absent and null mean the same; within a list null stays."""
    null = STRING | {"nullable": True}
    found = schemas_after(rules.make_nullable_optional, {"Pet": object_of("a", "b", a=null, b={"items": null})})
    assert found["Pet"] == object_of("b", a=STRING, b={"type": "array", "items": null})


def test_a_field_is_required_in_the_direction_that_has_it() -> None:
    """A read-only field is not required where it is sent, nor a write-only one where it is received."""
    pet = object_of("id", "pin", "name", id=STRING | {"readOnly": True}, pin=STRING | {"writeOnly": True}, name=STRING)
    sent = schemas_after(rules.require_one_way, {"Pet": pet}, method="post", requestBody=content(PET))
    received = schemas_after(rules.require_one_way, {"Pet": pet}, responses={"200": content(PET)})
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
    found = rules.make_parameters_text(spelled(parameters=[query(schema)]))
    assert operation(found)["parameters"][0]["schema"] == expected


def test_fields_of_one_python_name_are_told_apart() -> None:
    """The later one is renamed, and keeps its name on the wire."""
    found = schemas_after(rules.tell_fields_apart, {"Pet": object_of("@id", "id", **{"@id": STRING, "id": STRING})})
    renamed = [name for name in found["Pet"]["properties"] if name != "@id"]
    assert found["Pet"]["properties"][renamed[0]] == STRING | {"x-wire-name": "id"}
    assert found["Pet"]["required"] == ["@id", *renamed]


def test_folders_and_operations_are_told_apart() -> None:
    """The package of all operations holds both under their names."""
    assert operation(rules.tell_tags_apart(spelled(tags=["Do it"])))["tags"] == ["Do it operations"]
    assert operation(rules.tell_tags_apart(spelled(tags=["Pets"])))["tags"] == ["Pets"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [(PET, PET), (rules.reference("Kind"), STRING), (PET | {"nullable": True}, {}), ({"items": PET}, {"items": PET})],
)
def test_answers_are_types(schema: Any, expected: Any) -> None:
    """A literal is no type in Python, and neither is one of two: they are text and any value."""
    schemas = {"Pet": object_of(a=STRING), "Kind": {"enum": ["a"]}}
    found = rules.answer_with_types(spelled(schemas=schemas, responses={"200": content(schema)}))
    answer = operation(found)["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == expected | ({"type": "array"} if "items" in expected else {})


def test_a_parameter_is_described_in_its_schema() -> None:
    """Also beside a reference, where its own description counts."""
    node = spelled(schemas={"Pet": {"enum": ["a"]}}, parameters=[query(PET, description="Only these.")])
    described = rules.spell_schemas(rules.describe_parameters(node))
    schema = {"description": "Only these.", "anyOf": [{"allOf": [PET]}]}
    assert operation(described)["parameters"][0]["schema"] == schema


def test_schemas_are_spelled_for_the_generator() -> None:
    """Free-form objects are one component under a free name, and null is a choice."""
    fields = {"any": {"type": "object"}, "list": {"items": STRING | {"nullable": True}}}
    found = schemas_after(rules.spell_schemas, {"Pet": object_of(**fields), "FreeForm": object_of(a=STRING)})
    assert found["FreeForm2"] == {"type": "object"}
    assert found["Pet"]["properties"] == {
        "any": rules.reference("FreeForm2"),
        "list": {"type": "array", "items": {"anyOf": [STRING, {"type": "null"}]}},
    }


def test_every_rule_and_name_finds_something_in_our_document() -> None:
    """One that does not is named, so that it can go."""
    settings = YAML(typ="safe").load(ROOT / "openapi/generator.yaml")
    ours = read(str(ROOT / "openapi/admin.yaml"))
    assert rules.normalize(ours, settings)[1] == []
    settings["literals"]["Colour"] = "Pet.colour"
    settings["secrets"].append("Pet.pin")
    assert rules.normalize(ours, settings)[1] == ["secret Pet.pin", "literal Colour at Pet.colour"]
    assert "drop the version header parameter" in rules.normalize(document(), settings)[1]


NULLABLE = object_of(a=object_of(b={"type": "array", "items": STRING | {"nullable": True}}))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"path": "/pets?a=b"}, "the path /pets?a=b has a character that the client does not send"),
        ({"parameters": [query(STRING, "X") | {"in": "header"}]}, "header parameter X is not supported"),
        ({"parameters": [query(STRING) | {"in": "cookie"}]}, "cookie parameter q is not supported"),
        ({"parameters": [query(object_of())]}, "query parameter q is not supported: it is an object"),
        ({"parameters": [{"in": "query", "name": "q", "content": {}}]},
         "query parameter q is not supported: it is in a content type of its own"),
        ({"parameters": [query({"items": STRING}, explode=False)]},
         "query parameter q is not supported: it is a list in one value"),
        ({"parameters": [query({"items": {"items": STRING}})]},
         "query parameter q is not supported: it is a list of lists or objects"),
        ({"parameters": [query(STRING, style="pipeDelimited")]},
         "query parameter q is not supported: it is in the style pipeDelimited"),
        ({"path": "/{q}", "parameters": [query({"items": STRING}) | {"in": "path"}]},
         "path parameter q is not supported: it is a list"),
        ({"parameters": [query(STRING) | {"in": "path"}]}, "path parameter q is not in the path"),
        ({"requestBody": content(STRING, "text/plain")},
         "a request body of type text/plain is not supported, only application/json"),
        ({"requestBody": content(NULLABLE)}, "a nullable request field is not supported: body.a.b[]"),
        ({"requestBody": content({"oneOf": [STRING, {"type": "null"}]})},
         "a nullable request field is not supported: body"),
        ({"responses": {"200": content(STRING, "text/csv")}},
         "an answer of type text/csv is not supported, only JSON"),
        ({"responses": {"200": content(STRING), "204": {"description": "D"}}},
         "two kinds of success answer are not supported: 200, 204"),
    ],
)  # fmt: skip
def test_what_an_operation_cannot_have_is_named(parts: Any, problem: str) -> None:
    """With the operation, and the place within it."""
    assert unsupported(document(**parts)) == [f"do_it: {problem}"]


def test_what_a_document_cannot_have_is_named() -> None:
    """It needs operations, of different names, and a version that can be sent."""
    node = document()
    node["info"]["version"] = "1 beta"
    node["paths"]["/toys"] = {"get": {"operationId": "doIt", "responses": {}}}
    assert unsupported(node) == [
        "info.version '1 beta' cannot be sent in a header",
        "do_it and doIt would both be named do_it",
    ]
    assert unsupported(document() | {"paths": {}}) == ["it has no operations"]


def test_what_is_read_only_may_be_null_in_what_is_sent() -> None:
    """It is never sent; and what refers to itself is looked at once."""
    pet = object_of(at=STRING | {"nullable": True, "readOnly": True}, friend=PET)
    assert unsupported(document(requestBody=content(PET), schemas={"Pet": pet})) == []
