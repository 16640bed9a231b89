"""The limits of the API document in the generated code, and the checks that validation makes of them."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from types import FrameType
from typing import Any

import attrs
import pytest

from generated_client import api, models
from generated_client.types import Operation, wire_name
from generation.api_document import iter_operations, resolve_reference
from generation.normalization import checked_limits, component_schemas, hoist_marked_schemas
from generation.settings import load_settings
from pinecone_admin import PineconeTypeError, PineconeValueError
from pinecone_admin._http.argument_checks import (
    check_integer,
    check_length,
    check_number,
    check_text,
)
from pinecone_admin._http.operation_checks import check_operation
from tests.support.api_documents import read_our_document

STATED = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")


def stated_limits(schema: Any) -> dict[str, Any]:
    """Return the limits that a schema of a document states itself."""
    return {key: schema[key] for key in STATED if key in schema} | (
        {"format": "email"} if schema.get("format") == "email" else {}
    )


def test_fields_carry_the_limits_of_the_document() -> None:
    """Each field of each model has what its schema states and what the settings add, and nothing else."""
    document = hoist_marked_schemas(read_our_document())
    added = load_settings()["limits"]
    found = 0
    for name, schema in component_schemas(document).items():
        fields = {wire_name(each): each for each in attrs.fields(getattr(models, name))}
        for field, stated in schema["properties"].items():
            limits = stated_limits(resolve_reference(document, stated)) | added.get(f"{name}.{field}", {})
            carried = {key: value for key, value in fields[field].metadata.items() if key != "name"}
            assert carried == limits, f"{name}.{field}"
            found += bool(limits)
    assert found > 15


def test_builders_carry_the_limits_of_their_parameters() -> None:
    """Each query parameter stands beside its builder, with its name in Python and what its schema states."""
    document = read_our_document()
    for endpoint in iter_operations(document):
        queries = {each["name"]: each["schema"] for each in endpoint.operation["parameters"] if each["in"] == "query"}
        found = api.parameters_of(endpoint.operation["operationId"])
        assert list(found) == list(queries)
        for name, schema in queries.items():
            carried = {key: value for key, value in found[name].items() if key not in {"type", "argument"}}
            assert carried == stated_limits(schema), f"{endpoint.label} {name}"
    assert api.parameters_of("list_users")["paginationToken"]["argument"] == "pagination_token"
    assert api.parameters_of("no such operation") == {}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 10}, {"minimum": 1, "maximum": 10}),
        ({"type": "number", "minimum": 0.5, "multipleOf": 0.1}, {"minimum": 0.5}),
        ({"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"}, {"maxLength": 5}),
        ({"type": "string", "format": "date-time"}, {}),
        ({"type": "string", "format": "email"}, {"format": "email"}),
        ({"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 2},
         {"maxItems": 2, "items": {"maxLength": 5}}),
    ],
)  # fmt: skip
def test_the_limits_that_a_client_checks_are_emitted(schema: Any, expected: Any) -> None:
    """The client leaves limits that no published document states to the server."""
    assert checked_limits(schema) == expected


LENGTH = partial(check_text, least=1, most=3)
WRONG: list[tuple[Any, Any, str]] = [
    (LENGTH, "", "x must have 1 to 3 characters, not 0"),
    (partial(check_text, most=3, unit="UTF-8 bytes"), "éé", "x must have at most 3 UTF-8 bytes, not 4"),
    (partial(check_text, least=3), "ab", "x must have at least 3 characters, not 2"),
    (LENGTH, "a\x00", "x contains a NUL character"),
    (partial(check_integer, most=5), 6, "x must be at most 5, not 6"),
    (partial(check_number, least=0.5, most=1), 0.25, "x must be 0.5 to 1, not 0.25"),
    (partial(check_number, most=5), 10**400, "x must be at most 5"),
    (check_number, True, "x must be a number, not bool"),
    (partial(check_length, least=1), [], "x must have at least 1 entries, not 0"),
    (partial(check_length, most=1), ["a", "b"], "x must have at most 1 entries, not 2"),
]


@pytest.mark.parametrize(("check", "value", "message"), WRONG, ids=[row[2] for row in WRONG])
def test_a_value_beyond_a_limit_raises_with_the_limit(check: Any, value: Any, message: str) -> None:
    """The message has the argument, the limit and what was given."""
    with pytest.raises((PineconeValueError, PineconeTypeError), match=f"^{re.escape(message)}$"):
        check("x", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        *[(LENGTH, "ab"), (partial(check_number, least=0), 5), (partial(check_integer, most=5), -9)],
    ],
)
def test_a_value_within_a_limit_passes(check: Any, value: Any) -> None:
    """A bound that is not stated does not exist."""
    check("x", value)


def test_a_hand_built_operation_of_a_known_id_is_checked() -> None:
    """Its builder need not be loaded; an unknown id has no limits."""
    known, unknown = (
        Operation(id=name, method="GET", path="/", returns=None, query={"limit": 500})
        for name in ("list_invites", "list_audits")
    )
    with pytest.raises(PineconeValueError, match=r"^list_invites: limit must be 1 to 100, not 500$"):
        check_operation(known)
    check_operation(unknown)


def test_validation_of_a_warm_call_is_cheap() -> None:
    """The rules are compiled once, so that a create calls few functions."""
    body = models.CreateProjectRequest(name="x", max_pods=1, force_encryption_with_cmek=True)
    operation = api.create_project(body=body)
    calls: list[str] = []

    def record(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    check_operation(operation)
    sys.setprofile(record)
    try:
        check_operation(operation)
    finally:
        sys.setprofile(None)
    assert len(calls) <= 8, calls


def test_validation_loads_only_what_the_operation_uses() -> None:
    """Importing it loads no model and no builder; checking loads the rules of the operation."""
    code = (
        "import sys\n"
        "def loaded(): return {name for name in sys.modules if name.count('.') > 1 and 'generated_client' in name}\n"
        "from pinecone_admin._http.operation_checks import check_operation\n"
        "assert not loaded() and 'httpx' not in sys.modules, loaded()\n"
        "from generated_client.types import Operation\n"
        "query = {'limit': 5}\n"
        "check_operation(Operation(id='list_users', method='GET', path='/', returns=None, query=query))\n"
        "print(*sorted(loaded()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if ".api." in name} == {
        "generated_client.api.users",
        "generated_client.api.users.list_users",
    }
