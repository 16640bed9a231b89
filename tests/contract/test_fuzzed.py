"""Requests generated from the API documents: no response is a 5xx, and each is one that the documents allow."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.parameters import ParameterLocation

from generation.api_document import VERSION_HEADER, iter_operations
from pinecone_admin.emulator import Emulator, serving
from tests.support.api_documents import list_plain_records, load_document

pytestmark = pytest.mark.long

load_all_checks()
# Ids and page tokens come from the state, so that a request may be valid by the document and still be refused.
POSITIVE, NEGATIVE = CHECKS.get_one("positive_data_acceptance"), CHECKS.get_one("negative_data_rejection")

FUZZED = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# The ids of the document's examples, which are sent first, so that they succeed whatever is generated after them.
PROJECT, KEY = "9a000000-0000-4000-8000-000000000001", "9b000000-0000-4000-8000-000000000001"
USER, INVITE = "9c000000-0000-4000-8000-000000000002", "9d000000-0000-4000-8000-000000000001"
ACCOUNT, BINDING = "9e000000-0000-4000-8000-000000000001", "9f000000-0000-4000-8000-000000000001"
IDS = {
    parameter["name"]: parameter.get("example")
    for endpoint in iter_operations(load_document("admin"))
    for parameter in endpoint.operation["parameters"]
    if parameter["in"] == "path"
} | {
    "organization_id": "-NharbourExampleOrg1",
    "project_id": PROJECT,
    "api_key_id": KEY,
    "user_id": USER,
    "invite_id": INVITE,
    "service_account_id": ACCOUNT,
    "role_binding_id": BINDING,
}
MEMBER = {"resource_type": "organization", "role": "OrgMember"}
SNAPSHOT = {
    "organization": {"id": IDS["organization_id"]},
    "projects": [{"id": PROJECT, "name": "archive", "api_keys": [{"id": KEY, "name": "ci"}]}],
    "users": [{"id": USER, "email": "a@example.com", "name": "Alice"}],
    "invites": [{"id": INVITE, "email": "b@example.com"}],
    "service_accounts": [{"id": ACCOUNT, "name": "ci"}],
    "plain_records": list_plain_records(load_document("admin")),
    "role_bindings": [
        {"id": BINDING, "principal_type": "service_account", "principal_id": ACCOUNT} | MEMBER,
        {"principal_type": "user", "principal_id": USER} | MEMBER,
        {"principal_type": "invite", "principal_id": INVITE} | MEMBER,
    ],
}

PRINCIPALS = {"user": USER, "service_account": ACCOUNT, "api_key": KEY, "invite": INVITE}
RESOURCES = {"organization": IDS["organization_id"], "project": PROJECT}


def restrict_enums(node: Any) -> Any:
    """Return a document whose lists of known values restrict requests, and so does its version."""
    if isinstance(node, list):
        return [restrict_enums(each) for each in node]
    if not isinstance(node, dict):
        return node
    restricted = {"enum" if name == "x-enum" else name: restrict_enums(value) for name, value in node.items()}
    if str(node.get("name")).lower() == VERSION_HEADER and node.get("in") == "header":
        # Not required, as the page on versions says: without it, a request is one of the oldest supported version.
        restricted |= {"required": False, "schema": {"type": "string", "enum": ["2026-07"]}}
    return restricted


def accept_created_keys(document: Any) -> Any:
    """Return the document with 200 beside 201 for a created key: clients in the field accept nothing else."""
    for endpoint in iter_operations(document):
        responses = document["paths"][endpoint.path][endpoint.method]["responses"]
        if endpoint.label == "create_api_key" and "201" in responses:
            responses["200"] = responses["201"]
    return document


def load_schema(name: str) -> Any:
    """Return the schema of a document with the current version."""
    return schemathesis.openapi.from_dict(accept_created_keys(restrict_enums(load_document(name))))


admin, oauth = load_schema("admin"), load_schema("oauth")


def is_chosen(value: object) -> bool:
    """Return True for half of the generated values."""
    return crc32(repr(value).encode()) % 2 == 0


@admin.hook  # type: ignore[untyped-decorator]
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Replace half of the ids by existing ones."""
    if path_parameters is None:
        return None
    return {name: IDS[name] if is_chosen(value) else value for name, value in path_parameters.items()}


@admin.hook  # type: ignore[untyped-decorator]
def map_body(_context: Any, body: Any) -> Any:
    """Point half of the role bindings to existing principals and resources."""
    if isinstance(body, dict) and is_chosen(body):
        for record in (body, *_list_records(body.get("role_bindings"))):
            _set_existing_id(record, "principal_id", PRINCIPALS, "principal_type")
            _set_existing_id(record, "resource_id", RESOURCES, "resource_type")
    return body


def _list_records(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _set_existing_id(record: dict[str, Any], name: str, ids: dict[str, str], type_name: str) -> None:
    # A value that is not an id is kept, so that an invalid body remains invalid.
    if isinstance(record.get(name), str) and record[name] and record.get(type_name) in list(ids):
        record[name] = ids[record[type_name]]


def excluded_checks(case: schemathesis.Case[Any]) -> list[Any]:
    """Return the checks to exclude: ids are replaced after generation, and unknown parameters are ignored."""
    components = {} if case.meta is None else case.meta.components
    body = components.get(ParameterLocation.BODY)
    return [POSITIVE] if body is not None and body.mode.is_negative else [POSITIVE, NEGATIVE]


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    """Return an emulator with one record of each kind, and room for more."""
    emulator = Emulator(seed=1)
    emulator.load(SNAPSHOT)
    return emulator


@pytest.fixture(scope="module")
def url(emulator: Emulator) -> Iterator[str]:
    """Serve the emulator over HTTP, and return its URL."""
    with serving(emulator) as address:
        yield address


@pytest.fixture
def headers(emulator: Emulator) -> Iterator[dict[str, str]]:
    """Reset the emulator, return the owner's headers, and check that the operation succeeded at least once."""
    emulator.reset()
    with emulator.admin() as admin:
        yield {"Authorization": f"Bearer {admin.token().value}"}
    ((operation, _),) = Counter(received.operation_id for received in emulator.requests).most_common(1)
    statuses = {received.status for received in emulator.requests if received.operation_id == operation}
    # The plan of the organization does not allow its deletion.
    assert statuses & {200, 201, 202} or operation == "delete_organization"


@admin.parametrize()  # type: ignore[untyped-decorator]
@FUZZED
def test_admin_api_conforms_to_its_document(case: schemathesis.Case[Any], url: str, headers: dict[str, str]) -> None:
    """Every response of an operation has a status, a type and a body that its document allows."""
    case.call_and_validate(base_url=url, headers=headers, excluded_checks=excluded_checks(case))


@oauth.parametrize()  # type: ignore[untyped-decorator]
@FUZZED
def test_token_endpoint_conforms_to_its_document(case: schemathesis.Case[Any], url: str) -> None:
    """Every response of the token endpoint is one that its document allows."""
    case.call_and_validate(base_url=url, excluded_checks=excluded_checks(case))
