"""What changed between two documents, in the client's terms."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from generation.api_document import read
from spec_diff import changes

ROOT = Path(__file__).resolve().parent.parent.parent
OLDER = ROOT.parent / "shared/upstream/admin_2026-04.oas.yaml"
OURS = read(str(ROOT / "openapi/admin.yaml"))
SETTINGS: Any = {"literals": {"Kind": "Pet.kind"}}
STRING: Any = {"type": "string"}
Edit = Callable[[Any], Any]


def answer(name: str) -> Any:
    """Answer with a component."""
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
                "responses": answer("Pet"),
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


def put(place: str, value: Any) -> Edit:
    """Set what is at a place, its steps divided by dots; None removes it."""

    def edit(node: Any) -> None:
        *steps, last = place.split(".")
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if value is None:
            del node[last]
        else:
            node[int(last) if isinstance(node, list) else last] = value

    return edit


def within(place: str, value: Any) -> Edit:
    """Set what is at a place within the components."""
    return put(f"components.schemas.{place}", value)


GET, PUT = "paths./pets/{id}.get", "paths./pets/{id}.put"
PET, INPUT = "Pet.properties", "PetInput.properties"


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        # not of the client's concern
        (put("info.title", "Cats"), []),
        (within(f"{PET}.name", STRING | {"maxLength": 80, "description": "D", "example": "Rex"}), []),
        (within(f"{PET}.kind", STRING | {"enum": ["cat", "dog"]}), []),
        (within(f"{PET}.name.format", "uuid"), []),
        (within(f"{INPUT}.weight.minLength", 0), []),
        # operations
        (put("info.version", "2"), ["compatible: API version: is now 2, was 1"]),
        (put(PUT, None), ["breaking: put_pet: operation removed"]),
        (put("paths./toys", {"get": {"operationId": "list_toys", "responses": answer("Pet")}}),
         ["compatible: list_toys: new operation"]),
        (lambda node: put("paths", {"/pet/{id}": node["paths"]["/pets/{id}"]})(node),
         ["breaking: fetch_pet: is now GET /pet/{}, was GET /pets/{}",
          "breaking: put_pet: is now PUT /pet/{}, was PUT /pets/{}"]),
        (put(f"{PUT}.responses", answer("Pet")), ["compatible: put_pet: has an answer now"]),
        (put(f"{GET}.responses", {"204": {"description": "D"}}),
         ["breaking: fetch_pet: answers nothing any more"]),
        (put(f"{GET}.responses", answer("PetInput")),
         ["breaking: fetch_pet answer: is now PetInput, was Pet", "breaking: PetInput.age: removed",
          "breaking: PetInput.born: removed", "breaking: PetInput.toys: removed",
          "compatible: PetInput.name: minLength is now 1, was none", "compatible: PetInput.weight: new"]),
        # what is sent
        (put(f"{GET}.parameters.1.required", True), ["breaking: fetch_pet.limit: is now required"]),
        (put(f"{GET}.parameters.1.schema.maximum", 50), ["breaking: fetch_pet.limit: maximum is now 50, was 100"]),
        (put(f"{GET}.parameters.1.schema.maximum", None),
         ["compatible: fetch_pet.limit: maximum is now none, was 100"]),
        (put(f"{GET}.parameters.1.schema", STRING), ["breaking: fetch_pet.limit: is now a string, was an integer"]),
        (put(f"{GET}.parameters.1.schema.type", "number"),
         ["compatible: fetch_pet.limit: is now a number, was an integer"]),
        (put(f"{GET}.parameters.1.name", "size"),
         ["breaking: fetch_pet.limit: removed", "compatible: fetch_pet.size: new"]),
        (put(f"{GET}.parameters.2.schema.enum", ["cat"]), ["breaking: fetch_pet.kind: value dog removed"]),
        (put(f"{GET}.parameters.2.schema", STRING), ["compatible: fetch_pet.kind: is now any string"]),
        (put(f"{PUT}.requestBody.required", False), ["compatible: put_pet.body: is now optional"]),
        (put(f"{PUT}.requestBody", None), ["breaking: put_pet.body: removed"]),
        (within("PetInput.required", ["name", "weight"]), ["breaking: PetInput.weight: is now required"]),
        (within("PetInput.required", []), ["compatible: PetInput.name: is now optional"]),
        (within(f"{INPUT}.weight", None), ["breaking: PetInput.weight: removed"]),
        (within(f"{INPUT}.color", STRING), ["compatible: PetInput.color: new"]),
        (lambda node: (within(f"{INPUT}.color", STRING)(node), within("PetInput.required", ["name", "color"])(node)),
         ["breaking: PetInput.color: new, required"]),
        (within(f"{INPUT}.name.maxLength", 40), ["breaking: PetInput.name: maxLength is now 40, was 80"]),
        (within(f"{INPUT}.name.minLength", 2), ["breaking: PetInput.name: minLength is now 2, was 1"]),
        (within(f"{INPUT}.name.pattern", "^a"), ["breaking: PetInput.name: pattern is now ^a, was none"]),
        (within(f"{INPUT}.kind", STRING), ["compatible: PetInput.kind: is now any string"]),
        (within(f"{INPUT}.name", STRING | {"minLength": 1, "maxLength": 80, "enum": ["Rex"]}),
         ["breaking: PetInput.name: is now one of Rex"]),
        # what is received
        (within(f"{PET}.age", None), ["breaking: Pet.age: removed"]),
        (within(f"{PET}.color", STRING), ["compatible: Pet.color: new"]),
        (within("Pet.required", ["name"]), ["breaking: Pet.age: is now optional"]),
        (within("Pet.required", ["name", "age", "born"]), ["compatible: Pet.born: is now required"]),
        (within(f"{PET}.age", {"type": ["integer", "null"]}), ["breaking: Pet.age: can be null now"]),
        (within(f"{PET}.age.type", "number"), ["breaking: Pet.age: is now a number, was an integer"]),
        (within(f"{PET}.born.format", None), ["breaking: Pet.born: is now a string, was a date-time"]),
        (within(f"{PET}.name.maxLength", 40), ["compatible: Pet.name: maxLength is now 40, was 80"]),
        (within(f"{PET}.toys.items.properties.size", STRING),
         ["breaking: Pet.toys[].size: is now a string, was a number"]),
        (within(f"{PET}.toys.items", {"type": "object"}),
         ["breaking: Pet.toys[]: is now a free-form object, was an object"]),
        (within(f"{PET}.kind.x-enum", ["cat", "dog", "fish"]), ["compatible: Kind: new value fish"]),
        # what only error answers have
        (within("Problem.properties.code", {"type": "integer"}),
         ["breaking: Problem.code: is now an integer, was a string"]),
    ],
)  # fmt: skip
def test_a_change_is_told_in_the_terms_of_the_client(edit: Edit, lines: list[str]) -> None:
    """Breaking is what a program would have to follow; the direction decides."""
    new = deepcopy(PETS)
    edit(new)
    assert [str(change) for change in changes(PETS, new, SETTINGS)] == lines


def test_what_is_breaking_comes_first_and_each_change_once() -> None:
    """A value that goes from a literal in both directions is one line, and breaking."""
    new = deepcopy(PETS)
    new["info"]["version"] = "2"
    for place in (f"{PET}.kind", f"{INPUT}.kind"):
        within(place, STRING | {"x-enum": ["cat", "fish"]})(new)
    put(f"{GET}.parameters.2.schema.enum", ["cat", "fish"])(new)
    assert [str(change) for change in changes(PETS, new, SETTINGS)] == [
        "breaking: Kind: value dog removed",
        "compatible: API version: is now 2, was 1",
        "compatible: Kind: new value fish",
    ]


def older(ours: Any) -> Any:
    """Give the 2026-04 document where it is at hand, else what is like it: ours without what is new since."""
    if OLDER.exists():
        return read(str(OLDER))
    kept = {
        path: item
        for path, item in ours["paths"].items()
        if path.split("/")[2] in {"organizations", "projects", "api-keys"}
    }
    return ours | {"paths": kept, "info": ours["info"] | {"version": "2026-04"}}


def test_our_document_only_adds_to_the_version_before() -> None:
    """Eighteen operations came, and nothing broke."""
    found = changes(older(OURS), OURS, {"literals": {}})
    assert not [change for change in found if change.is_breaking]
    assert sum(str(change).endswith("new operation") for change in found) == 18
    assert len(found) == 19


def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, ROOT / "scripts/spec_diff.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_exit_status_tells(tmp_path: Path) -> None:
    """It is 0 where nothing broke, 1 where something did, and 2 with one line where a document cannot be read."""
    text = (ROOT / "openapi/admin.yaml").read_text(encoding="utf-8")
    (tmp_path / "new.yaml").write_text(
        text.replace("operationId: list_users", "operationId: list_members"), encoding="utf-8"
    )
    ours = ROOT / "openapi/admin.yaml"
    same, broken = script(ours, ours), script(ours, tmp_path / "new.yaml")
    assert (same.returncode, same.stdout) == (0, "no change for the client\n")
    assert (broken.returncode, broken.stdout.splitlines()[0]) == (1, "breaking: list_users: operation removed")
    missing, misused = script(ours, "nowhere.yaml"), script(ours)
    assert (missing.returncode, missing.stderr) == (
        2,
        "spec_diff.py: nowhere.yaml cannot be read: No such file or directory\n",
    )
    assert (misused.returncode, misused.stderr) == (2, "Usage: spec_diff.py OLD NEW\n")
