"""Writing the examples of a document, whoever wrote them, into docstrings."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from generate import format_package
from generation.examples import UnfitExampleError, express_value
from generation.normalization import normalize_document
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
from tests.support.docstrings import encode_value, evaluate_example, evaluate_field_examples
from tests.support.generated_trees import generate_tree

Generate = Callable[[Any], ModuleType]


@pytest.fixture
def generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generate]:
    """Return a function that generates the package of a document and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def generate_package(document: Any) -> ModuleType:
        tree = generate_tree(normalize_document(document, load_settings())[0], tmp_path)
        format_package(tree)
        tree.rename(tmp_path / "foreign_client")
        for name in ("api", "models", "types"):
            importlib.import_module(f"foreign_client.{name}")
        return sys.modules["foreign_client"]

    yield generate_package
    for name in [each for each in sys.modules if each.startswith("foreign_client")]:
        del sys.modules[name]


# ---- where a document has its examples


ADA = {"name": "Ada", "owner": {"id": 1}}
CAT = {"name": "Cat", "owner": {"id": 2}}
OWNER = make_object("id", id={"type": "integer"})


def make_pets(pet: Any, **content: Any) -> Any:
    """Return a document whose operation sends and returns a pet."""
    body, response = (make_content(PET) for _ in range(2))
    body["content"]["application/json"] |= content
    schemas = {"Pet": make_object("name", name=STRING, owner=OWNER) | pet}
    return make_document(
        method="post", schemas=schemas, requestBody=body | {"required": True}, responses={"200": response}
    )


@pytest.mark.parametrize(
    "document",
    [
        make_pets({"example": ADA}),
        make_pets({}, example=ADA),
        make_pets({"example": CAT}, examples={"ada": {"value": ADA}, "cat": {"value": CAT}}),
    ],
)
def test_an_example_is_found_wherever_a_document_may_have_it(document: Any, generate: Generate) -> None:
    """It may stand in a schema, a content type or a component, or be spread over the fields; the first one counts."""
    package = generate(document)
    operation = evaluate_example(package.api.do_it, package)
    assert encode_value(operation.body, package) == ADA
    assert evaluate_example(type(operation.body), package) is not None


def test_examples_of_parameters_are_arguments(generate: Generate) -> None:
    """One that is deprecated or a page token is not passed, nor is an optional one whose example does not fit."""
    parameters = [
        {"in": "path", "name": "id", "required": True, "schema": STRING | {"example": "a/b"}},
        make_query({"type": "integer"}, "limit", example=5),
        make_query({"type": "boolean"}, "all", examples={"yes": {"value": True}}),
        make_query({"type": "array", "items": STRING}, "tags", example=["x", "y"]),
        make_query({"type": "integer"}, "depth", example="deep"),
        make_query(STRING, "old", example="o", deprecated=True),
        make_query(STRING, "page_token", example="p"),
        make_query(STRING, "without"),
    ]
    package = generate(make_document(path="/pets/{id}", parameters=parameters))
    operation = evaluate_example(package.api.do_it, package)
    assert dict(operation.path_parameters) == {"id": "a/b"}
    sent = {name: value for name, value in operation.query.items() if value is not None}
    assert sent == {"limit": 5, "all": True, "tags": ["x", "y"]}


def test_fields_of_responses_show_the_examples_of_what_contains_them(generate: Generate) -> None:
    """The example of a response names those of the models in it; secrets are not shown."""
    fields = {"at": STRING | {"format": "date-time"}, "tags": {"type": "array", "items": STRING}, "api_key": STRING}
    response = make_content({"type": "array", "items": PET})
    example = {"at": "2026-06-15T12:00:00Z", "tags": ["a"], "api_key": "k", "owner": {"id": 3}}
    response["content"]["application/json"]["example"] = [example]
    schemas = {"Pet": make_object(**fields, owner=OWNER)}
    package = generate(make_document(schemas=schemas, responses={"200": response}))
    shown = evaluate_field_examples(package.models.Pet, package)
    assert {name: str(value) for name, value in shown.items()} == {"at": "2026-06-15 12:00:00+00:00", "tags": "['a']"}
    assert evaluate_field_examples(package.models.PetOwner, package) == {"id": 3}


def test_examples_of_unions_are_models_of_the_choice_that_fits(generate: Generate) -> None:
    """A tag decides, else the first choice with all required fields."""
    cat = make_object("kind", kind={"enum": ["cat"]}, lives={"type": "integer"})
    dog = make_object("kind", kind={"enum": ["dog"]}, tricks={"type": "array", "items": STRING})
    named = make_object("name", name=STRING)
    schemas = {"Cat": cat, "Dog": dog, "Named": named}
    tagged, untagged = (
        {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}
        for names in (("Cat", "Dog"), ("Named", "Cat"))
    )
    response = make_content(tagged)
    response["content"]["application/json"]["example"] = {"kind": "cat", "lives": 9}
    value = {"tagged": {"kind": "dog", "tricks": ["sit"]}, "untagged": {"kind": "cat", "lives": 7}}
    body = make_content(make_object(tagged=tagged, untagged=untagged) | {"example": value}) | {"required": True}
    package = generate(make_document(method="post", schemas=schemas, requestBody=body, responses={"200": response}))
    sent = evaluate_example(package.api.do_it, package).body
    assert (type(sent.tagged), type(sent.untagged)) == (package.models.Dog, package.models.Cat)
    assert encode_value(sent, package) == value


# ---- values


PETS: Any = {
    "components": {
        "schemas": {
            "Pet": make_object("name", name=STRING, at=STRING | {"format": "date-time"}),
            "Kind": {"enum": ["cat", "dog"]},
        }
    }
}
KIND: Any = {"$ref": "#/components/schemas/Kind"}


def deepen(depth: int) -> Any:
    """Return lists within lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (STRING, 1),
        (STRING, None),
        ({"type": "integer"}, True),
        ({"type": "integer"}, 1.5),
        ({"type": "boolean"}, 0),
        ({"type": "array", "items": STRING}, "a"),
        ({"type": "array", "items": STRING}, ["a", 1]),
        ({"type": "object"}, []),
        ({"type": "number"}, float("nan")),
        ({}, {"a": [float("inf")]}),
        (STRING | {"format": "date-time"}, "yesterday"),
        (KIND, "cow"),
        (KIND, ["cat"]),
        (PET, "a"),
        (PET, {}),
        (PET, {"name": None}),
        (PET, {"name": "a", "at": "yesterday"}),
        ({}, deepen(9)),
        ({}, deepen(100)),
    ],
)
def test_unfit_examples_are_refused(schema: Any, value: Any) -> None:
    """A value that does not fit, is nested too deeply, or is not JSON is refused."""
    with pytest.raises(UnfitExampleError):
        express_value(PETS, schema, value)


def test_unlisted_fields_are_written(generate: Generate) -> None:
    """Fields that a schema does not list go into extra."""
    document = make_pets({"example": ADA | {"owner": None, "more": {"a": [None, 1.5]}}})
    package = generate(document)
    operation = evaluate_example(package.api.do_it, package)
    assert encode_value(operation.body, package) == {"name": "Ada", "more": {"a": [None, 1.5]}}


# ---- foreign text


HOSTILE = [
    '"""',
    "'''",
    '"' * 7,
    "\\",
    '\\"""',
    "\\N{DASH}\\x41\\u0041",
    'a\nb\r\n\tc\x00\x1b[31m\x7f\x85\u2028\u2029"',
    "\ud800 \udfff",
    "\u202e\u2066\ufeff",
    '"""\n    raise SystemExit\n"""',
    '")\nraise SystemExit\n("',
    "{{ 7 * 7 }}{% raw %}{# #}%s{0}",
    " ends with a backslash \\",
    "é😀",
    "it's",
    'both "\'" quotes',
    "Example:",
    "",
]


def test_foreign_text_stays_within_its_literal(generate: Generate) -> None:
    """Any text of an example stays within its string literal, and runs nothing."""
    value = {"texts": HOSTILE, "fields": dict.fromkeys(HOSTILE, "x"), "nested": [[{"a": text}] for text in HOSTILE]}
    response = make_content(make_object(**{f"f{number}": STRING for number in range(len(HOSTILE))}))
    response["content"]["application/json"]["example"] = {f"f{n}": text for n, text in enumerate(HOSTILE)}
    parameters = [make_query(STRING, f"q{number}", example=text) for number, text in enumerate(HOSTILE)]
    requests = {"requestBody": make_content({"type": "object", "example": value}), "responses": {"200": response}}
    document = make_document(path="/a", method="post", parameters=parameters)
    document["paths"]["/b"] = {"post": {"operationId": "do_more", **requests}}
    package = generate(document)
    assert list(evaluate_example(package.api.do_it, package).query.values()) == HOSTILE
    assert evaluate_example(package.api.do_more, package).body == value
    shown = evaluate_field_examples(package.models.DoMoreResponse, package)
    assert [shown[f"f{number}"] for number in range(len(HOSTILE))] == HOSTILE
    for path in Path(str(package.api.__file__)).parent.parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert all(line.isprintable() for line in text.splitlines()), path
        assert "SystemExit" not in {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def test_huge_examples_are_left_out(generate: Generate) -> None:
    """A docstring shows what can be read: no long text, no long list and no deep nesting."""
    schemas = {"Pet": make_object(name=STRING, map={"type": "object"}, small=STRING)}
    response = make_content(PET)
    response["content"]["application/json"]["example"] = {"name": "x" * 81, "map": {"a": deepen(50)}, "small": "s"}
    huge = {"type": "array", "items": STRING, "example": ["x"] * 1000}
    body = make_content(huge) | {"required": True}
    package = generate(make_document(method="post", schemas=schemas, requestBody=body, responses={"200": response}))
    assert evaluate_example(package.api.do_it, package) is None
    assert evaluate_field_examples(package.models.Pet, package) == {"small": "s"}


# ---- nothing to say


def remove_keys(node: Any, *keys: str) -> Any:
    """Return a document without some keys."""
    if isinstance(node, dict):
        return {key: remove_keys(value, *keys) for key, value in node.items() if key not in keys}
    return [remove_keys(each, *keys) for each in node] if isinstance(node, list) else node


def test_a_document_without_examples_has_none_in_its_docstrings(tmp_path: Path) -> None:
    """No section is empty."""
    document = remove_keys(read_our_document(), "example", "examples")
    tree = generate_tree(normalize_document(document, load_settings())[0], tmp_path)
    written = [path for folder in ("api", "models") for path in (tree / folder).rglob("*.py")]
    assert [path.name for path in written if "Example:" in path.read_text(encoding="utf-8")] == []


def test_a_document_that_describes_nothing_has_no_filler_in_its_docstrings(generate: Generate) -> None:
    """A builder says what it sends, a model where it occurs; no argument and no field is listed."""
    parameters = [{"in": "path", "name": "id", "required": True, "schema": STRING}, make_query(STRING)]
    document = make_document(
        path="/pets/{id}",
        method="put",
        schemas={"Pet": make_object(name=STRING)},
        parameters=parameters,
        requestBody=make_content(PET) | {"required": True},
    )
    package = generate(remove_keys(document, "summary"))
    assert package.api.do_it.__doc__ == "Send PUT /pets/{id}."
    assert package.models.Pet.__doc__.splitlines()[0] == "A part of requests."
    assert re.findall(r"^ *(\w+):", package.models.Pet.__doc__, re.MULTILINE) == ["Attributes", "extra"]
