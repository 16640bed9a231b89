"""Requests made up from the API documents: no answer is a 5xx, and none is outside of the documents."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.parameters import ParameterLocation

from pinecone_admin.emulator import Emulator, serving
from tests.support.contract import load_document

pytestmark = pytest.mark.long

load_all_checks()
# Ids and page tokens come from the state, so that not every request that fits the document can be accepted.
POSITIVE, NEGATIVE = CHECKS.get_one("positive_data_acceptance"), CHECKS.get_one("negative_data_rejection")

FUZZED = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PROJECT, USER, ACCOUNT, KEY = (f"{n}2222222-2222-4222-8222-222222222222" for n in range(1, 5))
INVITE, BINDING = (f"{n}2222222-2222-4222-8222-222222222222" for n in range(5, 7))
IDS = {
    "organization_id": "-NAbCdEfGhIjKlMnOpQr",
    "project_id": PROJECT,
    "api_key_id": KEY,
    "user_id": USER,
    "invite_id": INVITE,
    "service_account_id": ACCOUNT,
    "role_binding_id": BINDING,
}
MEMBER = {"resource_type": "organization", "role": "OrgMember"}
INHABITED = {
    "organization": {"id": IDS["organization_id"]},
    "projects": [{"id": PROJECT, "name": "search", "api_keys": [{"id": KEY, "name": "ci"}]}],
    "users": [{"id": USER, "email": "a@example.com", "name": "Alice"}],
    "invites": [{"id": INVITE, "email": "b@example.com"}],
    "service_accounts": [{"id": ACCOUNT, "name": "ci"}],
    "role_bindings": [
        {"id": BINDING, "principal_type": "service_account", "principal_id": ACCOUNT} | MEMBER,
        {"principal_type": "user", "principal_id": USER} | MEMBER,
        {"principal_type": "invite", "principal_id": INVITE} | MEMBER,
    ],
}

PRINCIPALS = {"user": USER, "service_account": ACCOUNT, "api_key": KEY, "invite": INVITE}
RESOURCES = {"organization": IDS["organization_id"], "project": PROJECT}


def enumerated(node: Any) -> Any:
    """Return a document with its lists of values as what a request may have, and not only may know."""
    if isinstance(node, list):
        return [enumerated(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {"enum" if name == "x-enum" else name: enumerated(value) for name, value in node.items()}


def loaded(name: str) -> Any:
    """Load a document whose requests ask for a version that there is."""
    changed = enumerated(load_document(name))
    changed["components"]["parameters"]["ApiVersion"]["schema"]["enum"] = ["2026-07"]
    return schemathesis.openapi.from_dict(changed)


admin, oauth = loaded("admin"), loaded("oauth")


def chosen(value: object) -> bool:
    """Choose half of the values made up."""
    return crc32(repr(value).encode()) % 2 == 0


@admin.hook  # type: ignore[untyped-decorator]
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Let half of the ids be such that exist."""
    if path_parameters is None:
        return None
    return {name: IDS[name] if chosen(value) else value for name, value in path_parameters.items()}


@admin.hook  # type: ignore[untyped-decorator]
def map_body(_context: Any, body: Any) -> Any:
    """Let half of the bindings be of principals and on resources that exist."""
    if isinstance(body, dict) and chosen(body):
        for record in (body, *_records(body.get("role_bindings"))):
            _point(record, "principal_id", PRINCIPALS, "principal_type")
            _point(record, "resource_id", RESOURCES, "resource_type")
    return body


def _records(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _point(record: dict[str, Any], name: str, ids: dict[str, str], type_name: str) -> None:
    # What is no id at all stays, so that a body that was spoilt is not mended.
    if isinstance(record.get(name), str) and record[name] and record.get(type_name) in list(ids):
        record[name] = ids[record[type_name]]


def unsuitable(case: schemathesis.Case[Any]) -> list[Any]:
    """Choose the checks to leave out: ids and headers are mended on the way, and unknown parameters are ignored."""
    components = {} if case.meta is None else case.meta.components
    body = components.get(ParameterLocation.BODY)
    return [POSITIVE] if body is not None and body.mode.is_negative else [POSITIVE, NEGATIVE]


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    """Return an emulator with one of each thing in it, and room for more."""
    emulator = Emulator(seed=1)
    emulator.load(INHABITED)
    return emulator


@pytest.fixture(scope="module")
def url(emulator: Emulator) -> Iterator[str]:
    """Serve it over HTTP."""
    with serving(emulator) as address:
        yield address


@pytest.fixture
def headers(emulator: Emulator) -> Iterator[dict[str, str]]:
    """Begin anew, give the headers of the owner, and require that not every request was refused."""
    emulator.reset()
    with emulator.admin() as admin:
        yield {"Authorization": f"Bearer {admin.token().value}"}
    ((operation, _),) = Counter(received.operation_id for received in emulator.requests).most_common(1)
    answers = {received.status for received in emulator.requests if received.operation_id == operation}
    # The organization is on a plan on which it cannot be deleted.
    assert answers & {200, 201, 202} or operation == "delete_organization"


@admin.parametrize()  # type: ignore[untyped-decorator]
@FUZZED
def test_admin_api_answers_within_its_document(case: schemathesis.Case[Any], url: str, headers: dict[str, str]) -> None:
    """Whatever an operation is sent, its answer has a status, a type and a body that the document has for it."""
    case.call_and_validate(base_url=url, headers=headers, excluded_checks=unsuitable(case))


@oauth.parametrize()  # type: ignore[untyped-decorator]
@FUZZED
def test_token_endpoint_answers_within_its_document(case: schemathesis.Case[Any], url: str) -> None:
    """The same holds for the token endpoint."""
    case.call_and_validate(base_url=url, excluded_checks=unsuitable(case))
