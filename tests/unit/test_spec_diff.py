"""The changes between two documents, in the client's terms."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from spec_diff import list_changes, main
from tests.support.api_documents import STRING, count_new_operations, read_older_document, read_our_document

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = read_our_document()
SETTINGS: Any = {"literals": {"Kind": "Pet.kind"}, "secrets": [], "fields": {}, "limits": {}, "exclude": []}
Edit = Callable[[Any], Any]


def make_responses(name: str) -> Any:
    """Return responses whose body is a component."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"200": {"description": "D", "content": {"application/json": {"schema": schema}}}}


PETS: Any = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets/{id}": {
            "get": {
                "operationId": "fetch_pet",
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": STRING},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
                    {"in": "query", "name": "kind", "schema": STRING | {"enum": ["cat", "dog"]}},
                ],
                "responses": make_responses("Pet"),
            },
            "put": {
                "operationId": "put_pet",
                "parameters": [{"in": "path", "name": "id", "required": True, "schema": STRING}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PetInput"}}},
                },
                "responses": {"204": {"description": "D"}},
            },
        }
    },
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name", "age"],
                "properties": {
                    "name": STRING | {"maxLength": 80},
                    "age": {"type": "integer"},
                    "kind": STRING | {"x-enum": ["cat", "dog"]},
                    "born": STRING | {"format": "date-time"},
                    "toys": {"type": "array", "items": {"type": "object", "properties": {"size": {"type": "number"}}}},
                },
            },
            "PetInput": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": STRING | {"minLength": 1, "maxLength": 80},
                    "weight": {"type": "integer"},
                    "kind": STRING | {"x-enum": ["cat", "dog"]},
                },
            },
            "Problem": {"type": "object", "properties": {"code": STRING}},
        }
    },
}


def set_at(path: str, value: Any) -> Edit:
    """Return an edit that sets the value at a dotted path; None removes it."""

    def edit(node: Any) -> None:
        *steps, last = path.split(".")
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if value is None:
            del node[last]
        else:
            node[int(last) if isinstance(node, list) else last] = value

    return edit


def set_component(path: str, value: Any) -> Edit:
    """Return an edit of the component schemas."""
    return set_at(f"components.schemas.{path}", value)


GET, PUT = "paths./pets/{id}.get", "paths./pets/{id}.put"
PET, INPUT = "Pet.properties", "PetInput.properties"


CAT, DOG, BIRD = (
    {"type": "object", "title": name, "required": ["is"], "properties": {"is": STRING | {"enum": [name]}}}
    for name in ("Cat", "Dog", "Bird")
)


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        # irrelevant to the client
        (set_at("info.title", "Cats"), []),
        (set_component(f"{PET}.name", STRING | {"maxLength": 80, "description": "D", "example": "Rex"}), []),
        (set_component(f"{PET}.kind", STRING | {"enum": ["cat", "dog"]}), []),
        (set_component(f"{PET}.name.format", "uuid"), []),
        (set_component(f"{INPUT}.weight.minLength", 0), []),
        # operations
        (set_at("info.version", "2"), ["compatible: API version: is now 2, was 1"]),
        (set_at(PUT, None), ["breaking: put_pet: operation removed"]),
        (set_at("paths./toys", {"get": {"operationId": "list_toys", "responses": make_responses("Pet")}}),
         ["compatible: list_toys: new operation"]),
        (lambda node: set_at("paths", {"/pet/{id}": node["paths"]["/pets/{id}"]})(node),
         ["breaking: fetch_pet: is now GET /pet/{}, was GET /pets/{}",
          "breaking: put_pet: is now PUT /pet/{}, was PUT /pets/{}"]),
        (set_at(f"{PUT}.responses", make_responses("Pet")), ["compatible: put_pet: now has a response body"]),
        (set_at(f"{GET}.responses", {"204": {"description": "D"}}),
         ["breaking: fetch_pet: no longer has a response body"]),
        (set_at(f"{GET}.responses", make_responses("PetInput")),
         ["breaking: fetch_pet response: is now PetInput, was Pet"]),
        # requests
        (set_at(f"{GET}.parameters.1.required", True), ["breaking: fetch_pet.limit: is now required"]),
        (set_at(f"{GET}.parameters.1.schema.maximum", 50), ["breaking: fetch_pet.limit: maximum is now 50, was 100"]),
        (set_at(f"{GET}.parameters.1.schema.maximum", None),
         ["compatible: fetch_pet.limit: maximum is now none, was 100"]),
        (set_at(f"{GET}.parameters.1.schema", STRING),
         ["breaking: fetch_pet.limit: is now a string, was an integer",
          "compatible: fetch_pet.limit: maximum is now none, was 100"]),
        # The client takes a number in a query as text.
        (set_at(f"{GET}.parameters.1.schema.type", "number"),
         ["breaking: fetch_pet.limit: is now a string, was an integer"]),
        (set_at(f"{GET}.parameters.1.name", "size"),
         ["breaking: fetch_pet.limit: removed", "compatible: fetch_pet.size: new"]),
        (set_at(f"{GET}.parameters.2.schema.enum", ["cat"]),
         ["breaking: fetch_pet.kind: is now FetchPetKind, was Kind", "breaking: fetch_pet.kind: value dog removed"]),
        (set_at(f"{GET}.parameters.2.schema", STRING), ["compatible: fetch_pet.kind: is now a string, was Kind"]),
        (set_at(f"{PUT}.requestBody.required", False), ["compatible: put_pet.body: is now optional"]),
        (set_at(f"{PUT}.requestBody", None), ["breaking: put_pet.body: removed"]),
        (set_component("PetInput.required", ["name", "weight"]), ["breaking: PetInput.weight: is now required"]),
        (set_component("PetInput.required", []), ["compatible: PetInput.name: is now optional"]),
        (set_component(f"{INPUT}.weight", None), ["breaking: PetInput.weight: removed"]),
        (set_component(f"{INPUT}.color", STRING), ["compatible: PetInput.color: new"]),
        (lambda node: (set_component(f"{INPUT}.color", STRING)(node),
                       set_component("PetInput.required", ["name", "color"])(node)),
         ["breaking: PetInput.color: new, required"]),
        (set_component(f"{INPUT}.name.maxLength", 40), ["breaking: PetInput.name: maxLength is now 40, was 80"]),
        (set_component(f"{INPUT}.name.minLength", 2), ["breaking: PetInput.name: minLength is now 2, was 1"]),
        (set_component(f"{INPUT}.kind", STRING), ["compatible: PetInput.kind: is now a string, was Kind"]),
        (set_component(f"{INPUT}.name", STRING | {"minLength": 1, "maxLength": 80, "enum": ["Rex"]}),
         ["breaking: PetInput.name: is now PetInputName, was a string",
          "compatible: PetInput.name: minLength is now none, was 1",
          "compatible: PetInput.name: maxLength is now none, was 80"]),
        # responses
        (set_component(f"{PET}.age", None), ["breaking: Pet.age: removed"]),
        (set_component(f"{PET}.color", STRING), ["compatible: Pet.color: new"]),
        (set_component(f"{PET}.pagination", {"type": "object", "properties": {"next": STRING}}),
         ["breaking: fetch_pet: is now paged, so that one response may not have the whole list",
          "compatible: Pet.pagination: new"]),
        (set_component("Pet.required", ["name"]), ["breaking: Pet.age: is now optional"]),
        (set_component("Pet.required", ["name", "age", "born"]), ["compatible: Pet.born: is now required"]),
        (set_component(f"{PET}.age", {"type": "integer", "nullable": True}), ["breaking: Pet.age: is now optional"]),
        (set_component(f"{PET}.age.type", "number"), ["breaking: Pet.age: is now a number, was an integer"]),
        (set_component(f"{PET}.born.format", None), ["breaking: Pet.born: is now a string, was a date-time"]),
        (set_component(f"{PET}.name.maxLength", 40), ["compatible: Pet.name: maxLength is now 40, was 80"]),
        (set_component(f"{PET}.toys.items.properties.size", STRING),
         ["breaking: PetToysItem.size: is now a string, was a number"]),
        (set_component(f"{PET}.toys.items", {"type": "object"}),
         ["breaking: Pet.toys: is now a list of a free-form object, was a list of PetToysItem",
          "breaking: PetToysItem: class removed"]),
        (set_component(f"{PET}.kind.x-enum", ["cat", "dog", "fish"]),
         # A program that takes a Kind and sends it can get a fish now.
         ["breaking: fetch_pet.kind: is now FetchPetKind, was Kind",
          "breaking: PetInput.kind: is now PetInputKind, was Kind", "compatible: Kind: new value fish"]),
        (lambda node: [set_component(f"{name}.kind", STRING)(node) for name in (PET, INPUT)]
         + [set_at(f"{GET}.parameters.2.schema", STRING)(node)],
         ["breaking: Pet.kind: is now a string, was Kind", "breaking: Kind: literal removed",
          "compatible: fetch_pet.kind: is now a string, was Kind",
          "compatible: PetInput.kind: is now a string, was Kind"]),
        (set_component(f"{PET}.kind", {"type": "integer"}),
         ["breaking: Pet.kind: is now an integer, was Kind", "breaking: Kind: literal removed",
          "compatible: fetch_pet.kind: is now FetchPetKind, was Kind",
          "compatible: PetInput.kind: is now PetInputKind, was Kind"]),
        (set_component("Pet", {}),
         ["breaking: fetch_pet response: is now any value, was Pet", "breaking: Pet: class removed",
          "breaking: Kind: literal removed", "breaking: PetToysItem: class removed",
          "compatible: fetch_pet.kind: is now FetchPetKind, was Kind",
          "compatible: PetInput.kind: is now PetInputKind, was Kind"]),
        # unions
        (set_component("Pet", {"oneOf": [CAT, DOG]}), [
            "breaking: Pet: is now a union, was a class", "breaking: Kind: literal removed",
            "breaking: PetToysItem: class removed",
            "compatible: fetch_pet.kind: is now FetchPetKind, was Kind",
            "compatible: PetInput.kind: is now PetInputKind, was Kind"]),
        (set_component(f"{PET}.toys.items", {"oneOf": [CAT, DOG]}), [
            "breaking: PetToysItem: is now a union, was a class"]),
        (set_component(f"{INPUT}.extra", {"oneOf": [CAT, DOG]}), ["compatible: PetInput.extra: new"]),
        # names
        (set_at("servers", [{"url": "https://b.example"}]), ["breaking: servers: is now https://b.example, was "]),
        (set_at(f"{PUT}.operationId", "replace_pet"), ["breaking: put_pet: renamed to replace_pet"]),
        (lambda node: (set_at(f"{PUT}.operationId", "replace_pet")(node), set_component(f"{INPUT}.weight", None)(node)),
         ["breaking: put_pet: renamed to replace_pet", "breaking: PetInput.weight: removed"]),
        (set_at(f"{PUT}.tags", ["Animals"]), ["compatible: put_pet: is now in api.animals, was in api.default"]),
        (set_at(f"{GET}.parameters.1.name", "Limit"), ["compatible: fetch_pet.limit: is sent as Limit, was limit"]),
        (set_at(f"{GET}.parameters.2.name", "id"),
         ["breaking: fetch_pet.id: removed", "breaking: fetch_pet.kind: removed",
          "breaking: fetch_pet.id_path: new, required", "compatible: fetch_pet.id_query: new"]),
        # deprecation
        (set_at(f"{PUT}.deprecated", True), ["compatible: put_pet: is now deprecated"]),
        (set_at(f"{GET}.parameters.1.deprecated", True), ["compatible: fetch_pet.limit: is now deprecated"]),
        (set_component(f"{PET}.kind.deprecated", True), ["compatible: Pet.kind: is now deprecated"]),
        (set_component(f"{PET}.age.deprecated", True), ["compatible: Pet.age: is now deprecated"]),
        # direction
        (set_component(f"{INPUT}.weight.readOnly", True), ["breaking: PetInput.weight: is now read-only"]),
        (set_component(f"{PET}.age.readOnly", True), ["compatible: Pet.age: is now read-only"]),
        (set_component(f"{PET}.born.writeOnly", True), ["breaking: Pet.born: is now write-only"]),
        # error responses
        (set_component("Problem.properties.code", {"type": "integer"}),
         ["breaking: Problem.code: is now an integer, was a string"]),
    ],
)  # fmt: skip
def test_a_change_is_reported_in_terms_of_the_client(edit: Edit, lines: list[str]) -> None:
    """Whether it is breaking depends on the direction: request or response."""
    new = deepcopy(PETS)
    edit(new)
    assert [str(change) for change in list_changes(PETS, new, SETTINGS)] == lines


def test_the_choices_of_a_union_are_compared() -> None:
    """A new choice breaks programs that read it, a removed one programs that send it; a new union widens a class."""
    old = deepcopy(PETS)
    schemas = old["components"]["schemas"]
    schemas |= {"Cat": CAT, "Dog": DOG, "Bird": BIRD}
    cat, dog, bird = ({"$ref": f"#/components/schemas/{name}"} for name in ("Cat", "Dog", "Bird"))
    schemas |= {"Read": {"oneOf": [cat, dog]}, "Sent": {"oneOf": [cat, dog]}}
    set_component(f"{PET}.friend", {"$ref": "#/components/schemas/Read"})(old)
    set_component(f"{INPUT}.friend", {"$ref": "#/components/schemas/Sent"})(old)
    set_component(f"{INPUT}.enemy", cat)(old)
    for edit, lines in (
        (set_component("Read.oneOf", [cat, dog, bird]), ["breaking: Read: new choice Bird"]),
        (set_component("Sent.oneOf", [cat, dog, bird]), ["compatible: Sent: new choice Bird"]),
        (set_component("Sent.oneOf", [cat, bird]),
         ["breaking: Sent: choice Dog removed", "compatible: Sent: new choice Bird"]),
        (set_component("Read.oneOf", [cat]),
         ["compatible: Read: choice Dog removed"]),
        (set_component(f"{INPUT}.enemy", {"$ref": "#/components/schemas/Sent"}),
         ["compatible: PetInput.enemy: is now Sent, was Cat"]),
        (set_component(f"{INPUT}.friend", cat), ["breaking: PetInput.friend: is now Cat, was Sent"]),
        (set_component("Read.discriminator", {"propertyName": "is", "mapping": {"c": "Cat", "d": "Dog"}}), []),
    ):  # fmt: skip
        new = deepcopy(old)
        edit(new)
        assert [str(change) for change in list_changes(old, new, SETTINGS)] == lines


def test_a_page_that_loses_its_token_is_told() -> None:
    """Without next, only the first page can be read, whether the rest of the pagination stays or not."""
    page = {"type": "object", "properties": {"next": STRING, "size": {"type": "integer"}}}
    old = deepcopy(PETS)
    set_component(f"{PET}.pagination", page)(old)
    for edit in (set_component(f"{PET}.pagination.properties.next", None), set_component(f"{PET}.pagination", None)):
        new = deepcopy(old)
        edit(new)
        lost = "breaking: fetch_pet: pages no longer have pagination.next, so that only the first one can be read"
        assert lost in map(str, list_changes(old, new, SETTINGS))


def test_breaking_changes_come_first_and_each_change_once() -> None:
    """A value that is removed in both directions is one line, and breaking."""
    new = deepcopy(PETS)
    new["info"]["version"] = "2"
    for path in (f"{PET}.kind", f"{INPUT}.kind"):
        set_component(path, STRING | {"x-enum": ["cat", "fish"]})(new)
    set_at(f"{GET}.parameters.2.schema.enum", ["cat", "fish"])(new)
    assert [str(change) for change in list_changes(PETS, new, SETTINGS)] == [
        "breaking: Kind: value dog removed",
        "compatible: API version: is now 2, was 1",
        "compatible: Kind: new value fish",
    ]


def test_our_document_only_adds_to_the_previous_version() -> None:
    """It has more operations, another version, and no breaking change."""
    found = list_changes(read_older_document(), OURS, SETTINGS | {"literals": {}})
    assert not [change for change in found if change.is_breaking]
    assert sum(str(change).endswith("new operation") for change in found) == count_new_operations() > 0
    assert len(found) == count_new_operations() + 1


def test_the_exit_status_shows_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is 0 without breaking changes, 1 with some, and 2 if a document cannot be read."""
    text = json.dumps(OURS).replace('"operationId": "list_users"', '"operationId": "list_members"')
    (tmp_path / "new.yaml").write_text(text, encoding="utf-8")
    ours, new = str(ROOT / "openapi/admin.yaml"), str(tmp_path / "new.yaml")
    for arguments, status, out, err in (
        ([ours, ours], 0, "no changes for the client\n", ""),
        ([ours, new], 1, "breaking: list_users: renamed to list_members\n", ""),
        ([ours, "nowhere.yaml"], 2, "", "spec_diff.py: cannot read nowhere.yaml: No such file or directory\n"),
        ([ours], 2, "", "Usage: spec_diff.py OLD NEW\n"),
    ):
        monkeypatch.setattr(sys, "argv", ["spec_diff.py", *arguments])
        assert main() == status
        assert capsys.readouterr() == (out, err)
