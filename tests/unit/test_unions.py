"""Unions of an API document: what is generated of a small one, decoded, sent, checked and typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generate import generate_package, prepare_document
from generation.normalization import component_schemas, normalize_document
from tests.support.api_documents import STRING, make_content, make_object

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: Any = {"literals": {}, "secrets": ["Key.secret"], "fields": {}, "limits": {}, "exclude": []}


def ref(name: str) -> Any:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def only(value: str) -> Any:
    """Return the schema of a string with one value."""
    return STRING | {"enum": [value]}


SCHEMAS: Any = {
    "Limited": make_object(only=only("one")),
    # by a mapping
    "Scope": {
        "description": "Where a role is granted.",
        "oneOf": [ref("Everywhere"), ref("InProject")],
        "discriminator": {"propertyName": "kind", "mapping": {"all": "Everywhere", "one": ref("InProject")["$ref"]}},
    },
    "Everywhere": make_object("kind", kind=STRING),
    "InProject": make_object("kind", "project", kind=STRING, project=STRING | {"minLength": 3}),
    "Key": {
        "oneOf": [ref("ShortKey"), ref("LongKey")],
        "discriminator": {"propertyName": "form", "mapping": {"ShortKey": "ShortKey", "LongKey": "LongKey"}},
    },
    "ShortKey": make_object("form", "secret", form=STRING, secret=STRING),
    "LongKey": make_object("form", "secret", "part", form=STRING, secret=STRING, part=STRING),
    # by their fields, which may have one value each
    "Actor": {
        "oneOf": [
            make_object("kind", "email", kind=only("person"), email=STRING) | {"title": "Person"},
            make_object("kind", kind=only("robot"), parts={"type": "array", "items": ref("Entry")})
            | {"title": "Robot"},
        ]
    },
    "Entry": {"oneOf": [ref("Created"), ref("Deleted"), ref("Note"), ref("Comment")]},
    "Created": make_object("id", "by", id=STRING, by=ref("Actor")),
    "Deleted": make_object("id", "at", id=STRING, at=STRING | {"format": "date-time"}, before=ref("Entry")),
    "Note": make_object("text", text=STRING, about={"nullable": True, "allOf": [ref("Scope")]}),
    "Comment": make_object("text", text=STRING, likes={"type": "integer"}),
    "Spec": {
        "type": "object",
        "oneOf": [
            make_object("serverless", serverless=STRING) | {"title": "Serverless", "additionalProperties": False},
            make_object("pod", pod=STRING) | {"title": "Pod-based", "additionalProperties": False},
        ],
    },
    "Page": make_object("data", data={"type": "array", "items": ref("Entry")}, last=ref("Entry"), spec=ref("Spec")),
    "Draft": make_object(
        "scope", scope=ref("Scope"), scopes={"type": "array", "items": ref("Scope")}, entry=ref("Entry")
    ),
}
QUERY = [{"in": "query", "name": "tag", "schema": {"type": "array", "items": STRING}}]
DOCUMENT: Any = {
    "openapi": "3.0.3",
    "info": {"title": "Unions", "version": "1"},
    "paths": {
        "/entries": {
            "get": {
                "operationId": "list_entries",
                "parameters": QUERY,
                "responses": {"200": make_content(ref("Page"))},
            },
            "post": {
                "operationId": "create_entry",
                "requestBody": {"required": True, **make_content(ref("Draft"))},
                "responses": {"201": make_content(ref("Entry"))},
            },
        },
        "/all-entries": {
            "get": {
                "operationId": "list_all",
                "responses": {"200": make_content({"type": "array", "items": ref("Entry")})},
            },
        },
        "/keys": {
            "post": {
                "operationId": "create_key",
                "requestBody": {"required": True, **make_content(ref("Scope"))},
                "responses": {"200": make_content(ref("Key")), "204": {"description": "D"}},
            },
        },
    },
    "components": {"schemas": SCHEMAS},
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the package that is generated from the document."""
    work = tmp_path_factory.mktemp("unions")
    adapted, _, _ = prepare_document(DOCUMENT, "SPEC", adopting=False)
    generate_package(adapted, "SPEC", work)
    return work


def run_program(package: Path, code: str, *arguments: str) -> str:
    """Run a program with the generated package, and return what it prints."""
    env = os.environ | {"PYTHONPATH": f"{package}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=package, env=env, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


def test_a_union_says_how_it_is_decoded() -> None:
    """It goes by the discriminator, else by the fields."""
    schemas = component_schemas(normalize_document(DOCUMENT, SETTINGS)[0])
    unions = {name: schema["x-union"] for name, schema in schemas.items() if "oneOf" in schema}
    assert unions["Scope"] == {
        "classes": ["Everywhere", "InProject"],
        "tag": "kind",
        "choices": {"all": "Everywhere", "one": "InProject"},
    }
    assert unions["Actor"]["classes"] == ["ActorPerson", "ActorRobot"]
    assert unions["Key"]["choices"] == {"ShortKey": "ShortKey", "LongKey": "LongKey"}
    assert [schemas[name]["properties"]["secret"]["x-secret"] for name in unions["Key"]["classes"]] == [True, True]
    assert unions["Spec"]["classes"] == ["SpecServerless", "SpecPodBased"]
    assert unions["Actor"]["choices"]["ActorPerson"][0]["required"] == {"kind": ("'person'",), "email": ("str",)}
    assert unions["Entry"]["choices"]["Deleted"] == [
        {"required": {"id": ("str",), "at": ("str",)}, "optional": {"before": ("dict", "NoneType")}}
    ]


PERSON: Any = {"kind": "person", "email": "a@b"}
CREATED: Any = {"id": "1", "by": PERSON}
DELETED: Any = {"id": "1", "at": "2026-01-01T00:00:00Z"}
DECODED: list[tuple[str, Any, str]] = [
    ("Entry", CREATED, "Created(id='1', by=ActorPerson(kind='person', email='a@b'))"),
    ("Entry", {"text": "t", "about": {"kind": "one", "project": "p"}},
     "Note(text='t', about=InProject(kind='one', project='p'))"),
    ("Entry", {"text": "t", "likes": 2}, "Comment(text='t', likes=2)"),
    ("Entry", {"text": "t", "likes": None}, "Comment(text='t', likes=None)"),
    ("Entry", {"text": "t", "about": None}, "Note(text='t', about=None)"),
    ("Entry", CREATED | {"new": 1},
     "Created(id='1', by=ActorPerson(kind='person', email='a@b'), extra={'new': '***'})"),
    ("Key", {"form": "LongKey", "secret": "v", "part": "p"}, "LongKey(form='LongKey', secret='***', part='p')"),
    ("Spec", {"pod": "p", "replicas": 1}, "SpecPodBased(pod='p', extra={'replicas': '***'})"),
    # misfits
    ("Page", {"data": [CREATED, {"id": "1"}]}, "data[1]: fits none of Created, Deleted, Note, Comment"),
    ("Page", {"data": [{"text": "t"}]}, "data[0]: fits several of Note, Comment"),
    ("Page", {"data": [{"text": "t", "about": None, "likes": 1}]}, "data[0]: fits several of Note, Comment"),
    ("Page", {"data": [CREATED | {"by": {"kind": "person"}}]}, "data[0].by: fits none of ActorPerson, ActorRobot"),
    ("Key", {"form": "Other"}, "form: must be one of 'ShortKey', 'LongKey'"),
    ("Key", {"form": 1}, "form: must be a string, not an integer"),
    ("Key", {}, "form: is missing"),
    ("Page", {"data": [DELETED | {"before": DELETED | {"before": DELETED | {"at": ""}}}]},
     "data[0].before.before.at: must be a date-time in ISO 8601"),
    ("Page", {"data": [], "last": []}, "last: must be an object, not a list"),
    ("Page", {"data": [], "spec": {"name": "p"}}, "spec: fits none of SpecServerless, SpecPodBased"),
    ("Entry", {"id": 1, "by": PERSON}, ": fits none of Created, Deleted, Note, Comment"),
    ("Scope", {"kind": "one"}, "project: is missing"),
]  # fmt: skip

DECODE = """
import json, sys
from importlib import import_module
from pinecone_admin._http.codec import DecodeFailure, decode_value, encode_body

for kind, value, expected in json.loads(sys.argv[1]):
    module = import_module(f"generated_client.models.{kind.lower()}")
    found = decode_value(value, getattr(module, f"decode_{kind.lower()}"))
    if isinstance(found, DecodeFailure):
        assert f"{found.path}: {found.problem}" == expected, (found, expected)
    else:
        assert repr(found) == expected, (found, expected)
        without_null = json.loads(json.dumps(value).replace(': null', ': ""'))
        assert value != without_null or json.loads(encode_body(found)) == value, (found, value)
"""


def test_the_choice_that_fits_is_decoded(package: Path) -> None:
    """It is found by its tag or as the only one that fits; otherwise the error has the path of the first misfit."""
    run_program(package, DECODE, json.dumps(DECODED))


COUNT_CALLS = """
import sys
from generated_client.models.entry import decode_entry
from pinecone_admin._http.codec import decode_value

def count_calls(depth):
    value = {"id": "1", "at": "2026-01-01T00:00:00Z"}
    for _ in range(depth):
        value = {"id": "1", "by": {"kind": "robot", "parts": [value, {"text": "t", "likes": 1}]}}
    value["by"]["parts"][0]["unknown"] = 1
    calls = 0
    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"
    sys.setprofile(count)
    decode_value(value, decode_entry)
    sys.setprofile(None)
    return calls

count_calls(1)
print(count_calls(40) - count_calls(20), count_calls(20) - count_calls(10))
"""


def test_nested_unions_do_not_multiply_the_work(package: Path) -> None:
    """No choice is tried: twice the depth is twice the calls."""
    more, less = map(int, run_program(package, COUNT_CALLS).split())
    assert more < 2.1 * less


SEND = """
import json
import httpx
from datetime import datetime, UTC
from pinecone_admin import Admin, PineconeError
from pinecone_admin.models import *
from pinecone_admin.operations import *

sent, responses = [], []
def respond(request):
    sent.append(json.loads(request.content) if request.content else None)
    return responses.pop(0)

def respond_with(status, body=None):
    responses.append(httpx.Response(status, json=body) if body is not None else httpx.Response(status))

with Admin(access_token="t", transport=httpx.MockTransport(respond)) as admin:
    scope = InProject(kind="one", project="abc", extra={"new": 1})
    draft = Draft(scope=scope, scopes=[Everywhere(kind="all"), {"kind": "one", "project": "abc"}])
    respond_with(201, {"text": "t", "about": {"kind": "one", "project": "abc", "since": "canary"}})
    note = admin.send(create_entry(body=draft))
    assert isinstance(note, Note) and note == Note(text="t", about=InProject(kind="one", project="abc"))
    assert "canary" not in repr(note) and note.about.extra == {"since": "canary"}
    assert sent[-1]["scope"] == {"kind": "one", "project": "abc", "new": 1}, sent
    assert sent[-1]["scopes"] == [{"kind": "all"}, {"kind": "one", "project": "abc"}]
    assert to_dict(draft) == {"scope": {"kind": "one", "project": "abc"}, "entry": None,
                              "scopes": [{"kind": "all"}, {"kind": "one", "project": "abc"}]}, to_dict(draft)

    respond_with(200, [{"text": "t", "likes": 1}])
    assert admin.send(list_all()) == [Comment(text="t", likes=1)]
    for body, problem in ((None, "is empty"), ([{}], "[0] fits none of Created, Deleted, Note, Comment")):
        respond_with(200, body)
        try:
            admin.send(list_all())
        except PineconeError as error:
            assert problem in str(error), error
        else:
            raise AssertionError

    respond_with(200, {"form": "ShortKey", "secret": "canary"})
    key = admin.send(create_key(body=Everywhere(kind="all")))
    assert type(key) is ShortKey and "canary" not in repr(key)
    assert to_dict(key) == {"form": "ShortKey", "secret": "***"}
    assert to_dict(key, reveal=True) == {"form": "ShortKey", "secret": "canary"}
    respond_with(204)
    assert admin.send(create_key(body=Everywhere(kind="all"))) is None
    hand_built = Operation(id="fetch_key", method="GET", path="/keys", returns=create_key(body=scope).returns)
    respond_with(200, {"form": "ShortKey", "secret": "v"})
    assert admin.send(hand_built) == ShortKey(form="ShortKey", secret="v")
    respond_with(200, {"form": "LongKey", "secret": "v"})
    try:
        admin.send(hand_built)
    except PineconeError as error:
        assert "part" in str(error), error
    else:
        raise AssertionError
"""


def test_a_union_is_sent_and_returned(package: Path) -> None:
    """It is an argument, a field and a result; secrets and undocumented fields of a choice are masked."""
    run_program(package, SEND)


CHECKED: list[tuple[str, str | None]] = [
    ("create_key(body=InProject(kind='one', project='ab'))", "project must have at least 3 characters, not 2"),
    ("create_entry(body=Draft(scope=5))", "scope: must be a Everywhere or a InProject or a mapping, not int"),
    ("create_entry(body=Draft(scope={'kind': 'one', 'project': 'ab'}))",
     "scope: project must have at least 3 characters, not 2"),
    ("create_entry(body=Draft(scope={'kind': 'one', 'project': 'abc'}))", None),
    ("create_entry(body=Draft(scope={'project': 'abc'}))", "scope: fits none of Everywhere, InProject"),
    ("create_entry(body=Draft(scope=ALL, scopes=[IN, {'kind': 'one'}]))", None),  # the first choice accepts it
    ("create_entry(body=Draft(scope=ALL, scopes=[IN, ShortKey(form='a', secret='b')]))",
     "scopes[1]: must be a Everywhere or a InProject or a mapping, not ShortKey"),
    ("create_entry(body=Draft(scope=ALL, entry={'id': '1', 'by': {'kind': 'robot', 'parts': [{'id': 1}]}}))",
     "entry: by: parts[0]: fits none of Created, Deleted, Note, Comment"),
]  # fmt: skip

CHECK = """
import json, sys
from pinecone_admin import PineconeError
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.models import *
from pinecone_admin.operations import *

ALL, IN = Everywhere(kind="all"), InProject(kind="one", project="abc")
for call, expected in json.loads(sys.argv[1]):
    try:
        check_operation(eval(call))
        found = None
    except PineconeError as error:
        found = error.message
    assert found == expected, (call, found, expected)
"""


def test_unions_are_checked_before_sending(package: Path) -> None:
    """The message has the argument, the entry, the limit and what was given."""
    run_program(package, CHECK, json.dumps(CHECKED))


DEFAULT = """
from pinecone_admin._http.codec import encode_body
from pinecone_admin.models import *

print(repr(ActorPerson(email="a@b")), encode_body(ActorPerson(email="a@b")), Limited())
"""


def test_a_required_field_with_one_value_defaults_to_it(package: Path) -> None:
    """It need not be passed, and is sent; an optional field, which may be left out, is not sent unasked."""
    found = run_program(package, DEFAULT)
    expected = """ActorPerson(kind='person', email='a@b') b'{"kind":"person","email":"a@b"}' """
    assert found.startswith(expected), found
    assert "only=None" in found


IMPORT_EACH = """
import importlib, pathlib, sys
for path in sorted(pathlib.Path("generated_client/models").glob("*.py")):
    for name in [name for name in sys.modules if name.startswith("generated_client")]:
        del sys.modules[name]
    importlib.import_module(f"generated_client.models.{path.stem}")
"""


def test_each_module_can_be_imported_first(package: Path) -> None:
    """Unions and models refer to each other in circles."""
    run_program(package, IMPORT_EACH)


CONSUMER = """
from typing import assert_never

from generated_client.api import create_entry, create_key, list_all
from generated_client.models import *
from generated_client.types import Operation


def read(scope: Scope, page: Page, entry: Entry) -> str:
    everything: Operation[list[Entry]] = list_all()
    created: Operation[Entry] = create_entry(body=Draft(scope=scope, scopes=[scope], entry=entry))
    keys: Operation[Key | None] = create_key(body=scope)
    if isinstance(scope, Everywhere):
        return scope.kind
    for each in page.data:
        if isinstance(each, Created | Deleted):
            return each.id
        print(each.text, created, keys, everything)
    return scope.project


def list_choices(scope: Scope) -> None:
    match scope:
        case Everywhere() | InProject():
            pass
        case _:
            assert_never(scope)


Draft(scope=ShortKey(form="t", secret="v"))  # wrong
"""


@pytest.mark.long
def test_unions_are_typed(package: Path, tmp_path: Path) -> None:
    """Type checkers accept the generated code in strict mode, and reject a program that passes another model."""
    (package / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    (wrong,) = (number for number, line in enumerate(CONSUMER.splitlines(), 1) if line.endswith("# wrong"))
    options = ["--strict", "--no-error-summary", "--config-file", os.devnull, "--cache-dir", str(tmp_path)]
    command = [sys.executable, "-m", "mypy", *options, "generated_client", "consumer.py"]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [f"consumer.py:{wrong}"], done.stdout
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["generated_client", "consumer.py"]}
    (package / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--level", "error", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    errors = [(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in found]
    assert errors == [("consumer.py", wrong)], done.stdout
