"""The examples of our API documents: they are complete and valid, and the calls that they make succeed.

A document of another author that is adopted brings its own examples, or none: nothing is asked of it here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from functools import reduce
from typing import Any

from generated_client import api, models
from generated_client.types import readers
from generation.api_document import Endpoint, find_example, iter_operations, resolve_reference, success_responses
from generation.normalization import class_name
from pinecone_admin._http.codec import encode_body
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.saved_json import decode_record
from tests.support.api_documents import is_our_document, list_plain_records, load_document
from tests.support.contract import make_strict_validator
from tests.support.docstrings import evaluate_example, evaluate_field_examples
from tests.support.resources import CREATES, find_method

OURS = {name: load_document(name) for name in ("admin", "oauth") if is_our_document(name)}
ADMIN: Any = OURS.get("admin", {"components": {"schemas": {}}})
SCHEMAS = ADMIN["components"]["schemas"]
NOW = datetime.fromisoformat("2026-06-15T12:00:00Z")
OWNER = "9e000000-0000-4000-8000-000000000002"
BEN = {"id": "9c000000-0000-4000-8000-000000000002", "email": "ben@harbour.example"}
# What the server makes up when it creates something.
MADE_UP = {"id", "value", "client_id", "client_secret", "created_at", "updated_at", "expires_at"}


def example_at(document: Any, node: Any) -> Any:
    """Return the example of a parameter or a content type: its own, else that of its schema."""
    own = find_example(node)
    return find_example(resolve_reference(document, node["schema"])) if own is None else own


def list_examples(document: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield each place that needs an example: its name, its schema and its example."""
    for endpoint in iter_operations(document):
        nodes = {parameter["name"]: parameter for parameter in endpoint.operation["parameters"]}
        bodies = {"body": endpoint.operation["requestBody"]} | endpoint.operation["responses"]
        for name, body in bodies.items():
            nodes |= {f"{name} {kind}": content for kind, content in body.get("content", {}).items()}
        for name, node in nodes.items():
            yield f"{endpoint.label} {name}", node["schema"], example_at(document, node)
    for name, schema in document["components"]["schemas"].items():
        yield name, schema, find_example(schema)
        yield from ((f"{name} {key}", field, field["example"]) for key, field in list_fields(schema))


def list_fields(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield each field within a schema, at any depth, that has an example of its own."""
    for part in schema.get("allOf", []):
        yield from list_fields(part)
    for key, field in schema.get("properties", {}).items():
        yield from [(key, field)] if "example" in field else []
        yield from list_fields(field)


def test_each_parameter_request_and_response_has_a_valid_example() -> None:
    """Examples have no field and no value that the document does not list."""
    for document in OURS.values():
        examples = list(list_examples(document))
        assert [place for place, _, example in examples if example is None] == []
        problems = [
            f"{place}: {error.json_path}: {error.message}"
            for place, schema, example in examples
            for error in make_strict_validator(document, schema).iter_errors(example)
        ]
        assert problems == []


def test_secrets_in_examples_are_obviously_made_up() -> None:
    """They have the length that the documents state, and no scanner takes them for secrets."""
    found = re.findall(r'"(value|client_secret|access_token)": "([^"]*)"', json.dumps(OURS))
    assert {"client_secret", "access_token"} <= {name for name, _ in found}
    assert [name for name, secret in found if "not-a-real-" not in secret] == []
    assert {len(secret) for name, secret in found if name == "client_secret"} == {64}


def test_builders_and_request_models_show_the_examples_in_their_docstrings() -> None:
    """Each example is evaluated, and what it sends is the example of the document; page tokens are not made up."""
    for endpoint in iter_operations(ADMIN):
        parameters = [each for each in endpoint.operation["parameters"] if each["in"] != "header"]
        expected = {each["name"]: each["example"] for each in parameters if each["name"] != "paginationToken"}
        operation = evaluate_example(getattr(api, endpoint.label))
        body = endpoint.operation["requestBody"]
        if not parameters and not body:
            assert operation is None
            continue
        assert operation.id == endpoint.label
        query = {name: value for name, value in operation.query.items() if value is not None}
        assert {**operation.path_parameters, **query} == expected
        if body:
            content = body["content"]["application/json"]
            model = evaluate_example(getattr(models, class_name(content["schema"]["$ref"].rsplit("/")[-1])))
            assert operation.body == model
            assert json.loads(encode_body(model)) == example_at(ADMIN, content)


def test_response_models_show_the_examples_of_their_fields_in_their_docstrings() -> None:
    """Fields that hold other models have none, since those have their own; nor have secrets."""
    kinds = {getattr(models, class_name(name)): schema["example"] for name, schema in SCHEMAS.items()}
    for kind, example in kinds.items():
        if evaluate_example(kind) is None:
            decoded: Any = decode_record(example, kind)
            shown = evaluate_field_examples(kind)
            scalars = {name for name, value in example.items() if not _holds_objects(value) and value is not None}
            assert shown.keys() == scalars - {"value", "client_secret"}
            assert shown == {name: getattr(decoded, name) for name in shown}


def test_each_model_has_a_hash() -> None:
    """Equal models have the same one, whatever fields the document does not list; lists and objects do not matter."""
    for name, schema in SCHEMAS.items():
        kind: Any = getattr(models, class_name(name))
        made: list[Any] = [decode_record(schema["example"] | {"new": [new]}, kind) for new in (1, 2)]
        request = evaluate_example(kind)
        assert len(set(made if request is None else [request, deepcopy(request)])) == 1, name
        assert kind not in readers or made[0].extra != made[1].extra


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def example_of(name: str) -> Any:
    """Return the example of a component."""
    return SCHEMAS[name]["example"]


def without(record: Any, *names: str) -> Any:
    """Return a record without some fields."""
    return {name: value for name, value in record.items() if name not in names}


def describe_organization() -> Any:
    """Return what the examples tell, as a state of the emulator."""
    keys, users = example_of("ListApiKeysResponse")["data"], example_of("UserList")["data"]
    projects = [
        without(each, "organization_id")
        | {"api_keys": [without(key, "project_id", "roles") for key in keys if key["project_id"] == each["id"]]}
        for each in example_of("ProjectList")["data"]
    ]
    members = [("service_account", OWNER, "OrgOwner"), ("user", BEN["id"], "OrgOwner")]
    members += [("user", each["id"], "OrgMember") for each in users]
    members += [("invite", each["id"], "OrgMember") for each in example_of("InviteList")["data"]]
    grants = [(*member, "organization", example_of("Organization")["id"]) for member in members]
    grants += [("api_key", key["id"], role, "project", key["project_id"]) for key in keys for role in key["roles"]]
    names = ("principal_type", "principal_id", "role", "resource_type", "resource_id")
    return {
        "caller": OWNER,
        "organization": without(example_of("Organization"), "support_tier"),
        "settings": {"key_created_at": False},
        "projects": projects,
        "users": [*users, BEN],
        "invites": [without(each, "status") for each in example_of("InviteList")["data"]],
        "service_accounts": example_of("ServiceAccountList")["data"],
        "role_bindings": [
            *example_of("RoleBindingList")["data"],
            *(dict(zip(names, grant, strict=True)) for grant in grants),
        ],
        "plain_records": list_plain_records(ADMIN),
    }


def forget(node: Any, record_id: str) -> Any:
    """Return a state without a record and without what refers to it."""
    if isinstance(node, list):
        return [
            forget(each, record_id) for each in node if not isinstance(each, dict) or record_id not in each.values()
        ]
    return {name: forget(value, record_id) for name, value in node.items()} if isinstance(node, dict) else node


def prepare_state(endpoint: Endpoint, expected: Any) -> Any:
    """Return the state before a call: what it creates is not there yet, and what it deletes can be deleted."""
    state = describe_organization()
    if find_method(endpoint.label) in CREATES.values():
        return forget(state, next(each for each in (expected, *expected.values()) if "id" in each)["id"])
    if endpoint.label == "delete_organization":
        emptied = reduce(forget, [project["id"] for project in state["projects"]], state)
        return emptied | {"organization": state["organization"] | {"plan": "Free"}}
    return state


def drop_fields(node: Any, names: set[str]) -> Any:
    """Return a response without some fields, at any depth, and without null, which means the same as absence."""
    if isinstance(node, list):
        return [drop_fields(each, names) for each in node]
    if isinstance(node, dict):
        kept = {name: value for name, value in node.items() if name not in names and value is not None}
        return {name: drop_fields(value, names) for name, value in kept.items()}
    return node


def test_the_example_calls_succeed_and_return_the_example_responses() -> None:
    """They are sent to an emulator in the state that the examples tell; what the server makes up may differ."""
    emulator = Emulator(seed=1, clock=Clock(NOW, ticking=False))
    for endpoint in iter_operations(ADMIN):
        (success,) = success_responses(endpoint.operation).values()
        expected = example_at(ADMIN, success["content"]["application/json"]) if "content" in success else None
        builder = getattr(api, endpoint.label)
        emulator.load(prepare_state(endpoint, expected))
        with emulator.admin() as admin:
            response = admin.send(evaluate_example(builder) or builder())
        found = response and json.loads(json.dumps(to_dict(response, reveal=True)).replace("+00:00", "Z"))
        made_up = MADE_UP if find_method(endpoint.label) in CREATES.values() else {"client_secret"}
        label = f"openapi/admin.yaml: the examples of {endpoint.label} do not go together"
        assert drop_fields(found, made_up) == drop_fields(expected, made_up), label
