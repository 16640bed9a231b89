"""The changes between two documents, in the client's terms."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from spec_diff import list_changes
from tests.support.api_documents import STRING, read_older_document, read_our_document

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = read_our_document()
SETTINGS: Any = {"literals": {"Kind": "Pet.kind"}}
Edit = Callable[[Any], Any]


def make_responses(name: str) -> Any:
    """Return responses whose body is a component."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"200": {"description": "D", "content": {"application/json": {"schema": schema}}}}


PETS: Any = {
    "openapi": "3.1.0",
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
         ["breaking: fetch_pet response: is now PetInput, was Pet", "breaking: PetInput.age: removed",
          "breaking: PetInput.born: removed", "breaking: PetInput.toys: removed",
          "compatible: PetInput.name: minLength is now 1, was none", "compatible: PetInput.weight: new"]),
        # requests
        (set_at(f"{GET}.parameters.1.required", True), ["breaking: fetch_pet.limit: is now required"]),
        (set_at(f"{GET}.parameters.1.schema.maximum", 50), ["breaking: fetch_pet.limit: maximum is now 50, was 100"]),
        (set_at(f"{GET}.parameters.1.schema.maximum", None),
         ["compatible: fetch_pet.limit: maximum is now none, was 100"]),
        (set_at(f"{GET}.parameters.1.schema", STRING), ["breaking: fetch_pet.limit: is now a string, was an integer"]),
        (set_at(f"{GET}.parameters.1.schema.type", "number"),
         ["compatible: fetch_pet.limit: is now a number, was an integer"]),
        (set_at(f"{GET}.parameters.1.name", "size"),
         ["breaking: fetch_pet.limit: removed", "compatible: fetch_pet.size: new"]),
        (set_at(f"{GET}.parameters.2.schema.enum", ["cat"]), ["breaking: fetch_pet.kind: value dog removed"]),
        (set_at(f"{GET}.parameters.2.schema", STRING), ["compatible: fetch_pet.kind: is now any string"]),
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
        (set_component(f"{INPUT}.name.pattern", "^a"), ["breaking: PetInput.name: pattern is now ^a, was none"]),
        (set_component(f"{INPUT}.kind", STRING), ["compatible: PetInput.kind: is now any string"]),
        (set_component(f"{INPUT}.name", STRING | {"minLength": 1, "maxLength": 80, "enum": ["Rex"]}),
         ["breaking: PetInput.name: is now one of Rex"]),
        # responses
        (set_component(f"{PET}.age", None), ["breaking: Pet.age: removed"]),
        (set_component(f"{PET}.color", STRING), ["compatible: Pet.color: new"]),
        (set_component("Pet.required", ["name"]), ["breaking: Pet.age: is now optional"]),
        (set_component("Pet.required", ["name", "age", "born"]), ["compatible: Pet.born: is now required"]),
        (set_component(f"{PET}.age", {"type": ["integer", "null"]}), ["breaking: Pet.age: can now be null"]),
        (set_component(f"{PET}.age.type", "number"), ["breaking: Pet.age: is now a number, was an integer"]),
        (set_component(f"{PET}.born.format", None), ["breaking: Pet.born: is now a string, was a date-time"]),
        (set_component(f"{PET}.name.maxLength", 40), ["compatible: Pet.name: maxLength is now 40, was 80"]),
        (set_component(f"{PET}.toys.items.properties.size", STRING),
         ["breaking: Pet.toys[].size: is now a string, was a number"]),
        (set_component(f"{PET}.toys.items", {"type": "object"}),
         ["breaking: Pet.toys[]: is now a free-form object, was an object"]),
        (set_component(f"{PET}.kind.x-enum", ["cat", "dog", "fish"]), ["compatible: Kind: new value fish"]),
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
    """It has eighteen more operations and no breaking change."""
    found = list_changes(read_older_document(), OURS, {"literals": {}})
    assert not [change for change in found if change.is_breaking]
    assert sum(str(change).endswith("new operation") for change in found) == 18
    assert len(found) == 19


def run_spec_diff(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run scripts/spec_diff.py."""
    command = [sys.executable, ROOT / "scripts/spec_diff.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_exit_status_shows_the_result(tmp_path: Path) -> None:
    """It is 0 without breaking changes, 1 with some, and 2 if a document cannot be read."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(PETS), encoding="utf-8")
    new.write_text(old.read_text(encoding="utf-8").replace("put_pet", "change_pet"), encoding="utf-8")
    same, broken = run_spec_diff(old, old), run_spec_diff(old, new)
    assert (same.returncode, same.stdout) == (0, "no changes for the client\n")
    assert (broken.returncode, broken.stdout.splitlines()[0]) == (1, "breaking: put_pet: operation removed")
    missing, misused = run_spec_diff(old, "nowhere.yaml"), run_spec_diff(old)
    assert (missing.returncode, missing.stderr) == (
        2,
        "spec_diff.py: cannot read nowhere.yaml: No such file or directory\n",
    )
    assert (misused.returncode, misused.stderr) == (2, "Usage: spec_diff.py OLD NEW\n")
