"""The rules that rewrite a document, one by one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import generation.normalization as rules
from generation.settings import load_settings
from tests.support.api_documents import (
    PET,
    STRING,
    make_content,
    make_document,
    make_object,
    make_query,
    read_our_document,
)


def make_expanded(**parts: Any) -> Any:
    """Return an expanded document, as most rules get it."""
    return rules.expand_operations(make_document(**parts))


def only_operation(node: Any) -> Any:
    """Return the only operation of an expanded document."""
    return rules.list_operations(node)[0]


def schemas_after(rule: Any, schemas: Any, **parts: Any) -> Any:
    """Return the component schemas after a rule."""
    return rules.component_schemas(rule(make_expanded(schemas=schemas, **parts)))


def test_formats_other_than_date_time_are_dropped() -> None:
    """Ids become opaque strings; email, which is checked, and a field named format stay."""
    kept = {"at": STRING | {"format": "date-time"}, "to": STRING | {"format": "email"}, "format": STRING}
    found = schemas_after(rules.drop_formats, {"Pet": make_object(**kept, id=STRING | {"format": "uuid"})})
    assert found["Pet"] == make_object(**kept, id=STRING)


def test_marked_schemas_become_components() -> None:
    """Equal schemas share a component; a different schema with the same name stays inline."""
    page, other = make_object(next=STRING), make_object(other=STRING)
    marked = [schema | {"x-component-name": "Page"} for schema in (page, page, other)]
    found = rules.hoist_marked_schemas({"a": marked})
    assert found["components"]["schemas"] == {"Page": page}
    assert found["a"] == [rules.component_reference("Page"), rules.component_reference("Page"), other]


def test_operations_are_expanded() -> None:
    """References are resolved, path parameters are added, and one body and one response remain."""
    node = make_document(
        path="/pets/{pet_id}",
        method="post",
        parameters=[{"$ref": "#/components/parameters/Page"}],
        requestBody=make_content(PET),
        responses={"201": make_content(PET), "400": make_content(STRING)},
        schemas={"Pet": make_object()},
    )
    shared = [
        {"in": "path", "name": "pet_id", "required": True, "schema": STRING},
        make_query({"type": "integer"}, "page"),
    ]
    node["paths"]["/pets/{pet_id}"]["parameters"] = shared
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


def test_the_response_is_the_success_response() -> None:
    """It may be empty if one of the success responses is."""
    responses = {"202": {"description": "D"}, "200": make_content(PET), "404": make_content(STRING)}
    response = only_operation(make_expanded(responses=responses, schemas={"Pet": make_object()}))["responses"]["200"]
    assert response["content"]["application/json"]["schema"] == PET
    assert response["x-may-be-empty"]


def test_header_parameters_of_the_client_are_dropped() -> None:
    """The version header, in any case, and HTTP's own headers are dropped; others stay, to be refused."""
    names = ["X-PINECONE-api-version", "Authorization", "Accept", "X-Other"]
    found = rules.drop_client_headers(
        make_expanded(parameters=[make_query(STRING, name) | {"in": "header"} for name in names])
    )
    assert [parameter["name"] for parameter in only_operation(found)["parameters"]] == ["X-Other"]


def test_secrets_are_marked_at_any_depth() -> None:
    """Objects and references are followed; an unknown field changes nothing."""
    schemas = {"Pet": make_object(chip=make_object(code=STRING)), "Owner": make_object(pet=PET)}
    found = schemas_after(partial(rules.mark_secret, field_path="Owner.pet.chip.code"), schemas)
    assert found["Pet"]["properties"]["chip"]["properties"]["code"] == STRING | {"x-secret": True}
    node = make_expanded(schemas=schemas)
    assert rules.mark_secret(node, field_path="Owner.pet.name") == node


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"pin": STRING | {"format": "password"}}, ["pin"]),
        ({"webhookSecret": STRING, "api_key": STRING, "token": STRING}, ["webhookSecret", "api_key", "token"]),
        ({"key": PET, "value": STRING}, ["value"]),
        (
            {
                "name": STRING,
                "value": STRING,
                "next_token": STRING,
                "token_type": STRING,
                "secret": {"type": "boolean"},
            },
            [],
        ),
        ({"token": STRING | {"enum": ["a"]}}, []),
    ],
)
def test_what_looks_like_a_secret_is_marked(fields: Any, expected: list[str]) -> None:
    """Its format, its name or its place beside a key decide; what is configured is not told again."""
    schemas = {"Pet": make_object(**fields)}
    marked = rules.mark_likely_secrets(make_expanded(schemas=schemas))
    assert rules.list_likely_secrets(marked) == [f"Pet.{name}" for name in expected]
    for name in expected:
        configured = rules.mark_secret(make_expanded(schemas=schemas), field_path=f"Pet.{name}")
        assert f"Pet.{name}" not in rules.list_likely_secrets(rules.mark_likely_secrets(configured))


def test_literals_with_equal_values_are_told() -> None:
    """They are listed with the setting that makes them one; what is a literal of its own is not."""
    pets = {name: make_object(kind=STRING | {"enum": ["cat", "dog"]}) for name in ("Pet", "NewPet")}
    document = make_expanded(schemas=pets | {"Owner": make_object(kind=STRING | {"enum": ["cat"]})})
    assert rules.list_equal_literals(rules.name_inline_schemas(document)) == [
        "PetKind, NewPetKind have the same values: add PetKind: Pet.kind"
    ]


def test_fields_are_added_that_the_document_does_not_list() -> None:
    """An added field is optional; one that the document lists is kept, and an unknown component changes nothing."""
    schemas = {"Pet": make_object(name=STRING)}
    add = partial(rules.add_field, schema={"type": "integer"})
    (pet,) = schemas_after(partial(add, field_path="Pet.age"), schemas).values()
    assert pet["properties"] == {"name": STRING, "age": {"type": "integer"}}
    assert "age" not in pet.get("required", [])
    node = make_expanded(schemas=schemas)
    for field_path in ("Pet.name", "Toy.age"):
        assert add(node, field_path=field_path) == node


def test_limits_are_added_where_the_document_states_none() -> None:
    """What the document states is kept; an unknown field changes nothing."""
    schemas = {"Pet": make_object(name=STRING | {"maxLength": 5})}
    add = partial(rules.add_limits, limits={"maxLength": 9, "unit": "UTF-8 bytes"})
    found = schemas_after(partial(add, field_path="Pet.name"), schemas)
    assert found["Pet"]["properties"]["name"] == STRING | {"maxLength": 5, "unit": "UTF-8 bytes"}
    node = make_expanded(schemas=schemas)
    assert add(node, field_path="Pet.age") == node


def test_equal_values_share_one_literal() -> None:
    """Models, lists and parameters refer to it with their own descriptions; other values do not."""
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


def test_components_get_class_names() -> None:
    """Module names are unique, and names that modules import are avoided."""
    schemas = {name: make_object(pet=PET) for name in ("Pet", "pet", "APIKey", "ApiKey", "v1.thing", "Any")}
    found = schemas_after(rules.name_components, schemas)
    assert list(found) == ["Pet", "Pet2", "APIKey", "ApiKey2", "V1Thing", "AnyModel"]
    assert found["Pet2"]["properties"] == {"pet": PET}


def test_inline_schemas_are_named_after_their_locations() -> None:
    """This holds in components, lists, parameters, bodies and responses; a taken name is numbered."""
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


def test_aliases_are_inlined() -> None:
    """References to them are replaced by their schema; null is kept."""
    schemas = {
        "Pet": make_object(
            id=rules.component_reference("Id"),
            none=rules.component_reference("None_"),
        ),
        "Id": rules.component_reference("Text"),
        "Text": STRING | {"description": "D"},
        "None_": make_object(a=STRING) | {"nullable": True},
    }
    found = schemas_after(rules.inline_aliases, schemas)
    assert list(found) == ["Pet", "None_"]
    assert found["None_"] == make_object(a=STRING)
    assert found["Pet"]["properties"] == {
        "id": STRING | {"description": "D"},
        "none": rules.component_reference("None_") | {"nullable": True},
    }


def test_nullable_fields_are_optional() -> None:
    """Absent and null mean the same; items of a list stay nullable."""
    null = STRING | {"nullable": True}
    found = schemas_after(rules.make_nullable_optional, {"Pet": make_object("a", "b", a=null, b={"items": null})})
    assert found["Pet"] == make_object("b", a=STRING, b={"type": "array", "items": null})


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (STRING | {"nullable": True, "format": "date-time"}, STRING),
        ({"type": "integer"}, {"type": "integer"}),
        ({"type": "boolean"}, {"type": "boolean"}),
        ({"type": "number"}, STRING),
        ({}, {}),
        ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": STRING}),
    ],
)
def test_parameters_are_simplified(schema: Any, expected: Any) -> None:
    """Only types remain that the client writes into a URL."""
    found = rules.simplify_parameters(make_expanded(parameters=[make_query(schema)]))
    assert only_operation(found)["parameters"][0]["schema"] == expected


def test_models_in_responses_are_marked() -> None:
    """A component is marked if a response refers to it, at any depth and in circles, but not if only a request does."""
    pet, owner = rules.component_reference("Pet"), rules.component_reference("Owner")
    schemas = {
        "Pet": make_object(owners={"type": "array", "items": owner}),
        "Owner": make_object(pet=pet),
        "Request": make_object(a=STRING),
    }
    node = make_expanded(
        schemas=schemas,
        method="post",
        requestBody=make_content(rules.component_reference("Request")),
        responses={"200": make_content({"type": "array", "items": pet})},
    )
    found = rules.component_schemas(rules.mark_response_models(node))
    assert [name for name, schema in found.items() if schema.get("x-in-response")] == ["Pet", "Owner"]


def test_a_parameter_is_described_in_its_schema() -> None:
    """Beside a reference, its own description is used."""
    node = make_expanded(schemas={"Pet": {"enum": ["a"]}}, parameters=[make_query(PET, description="Only these.")])
    described = rules.adapt_schemas(rules.describe_parameters(node))
    schema = {"description": "Only these.", "anyOf": [{"allOf": [PET]}]}
    assert only_operation(described)["parameters"][0]["schema"] == schema


def test_schemas_are_adapted_to_the_generator() -> None:
    """Free-form objects share one component, and nullable becomes anyOf."""
    fields = {"any": {"type": "object"}, "list": {"items": STRING | {"nullable": True}}}
    found = schemas_after(rules.adapt_schemas, {"Pet": make_object(**fields), "FreeForm": make_object(a=STRING)})
    assert found["FreeForm2"] == {"type": "object"}
    assert found["Pet"]["properties"] == {
        "any": rules.component_reference("FreeForm2"),
        "list": {"type": "array", "items": {"anyOf": [STRING, {"type": "null"}]}},
    }


def test_every_rule_and_setting_matches_our_document() -> None:
    """Those that match nothing are named."""
    settings = load_settings()
    ours = read_our_document()
    idle = rules.normalize_document(ours, settings)[1]
    # A rule may have no effect on another layout of our document.
    assert not [label for label in idle if "." in label]
    settings["literals"]["Colour"] = "Pet.colour"
    settings["secrets"].append("Pet.pin")
    settings["partial_literals"]["Shade"] = {"of": "RoleName", "pattern": "Dark.*", "description": "D"}
    more = [label for label in rules.normalize_document(ours, settings)[1] if label not in idle]
    assert more == ["secret Pet.pin", "literal Colour at Pet.colour", "literal Shade"]
    assert "drop the version header parameter" in rules.normalize_document(make_document(), settings)[1]
