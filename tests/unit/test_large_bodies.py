"""Large bodies: what the API can send is decoded, and what would take much more work than that is refused."""

from __future__ import annotations

import gc
import json
import tracemalloc
from threading import Event
from typing import Any

import httpx
import pytest

from generated_client.models import InviteList, ListApiKeysResponse, ServiceAccountList
from generated_client.types import readers
from pinecone_admin._http.buffered_messages import BufferedResponse
from pinecone_admin._http.call_state import MAX_RESPONSE_BYTES, CallState
from pinecone_admin._http.codec import LARGE_FROM_BYTES, DecodeFailure, decode_body
from pinecone_admin._http.error_mapping import error_from_response, redact_secrets
from pinecone_admin.models import OrganizationList, Project, ProjectList, RoleBindingList, UserList
from tests.benchmarks.body_makers import ROLES

ID = "9a000000-0000-4000-8000-000000000001"
DATE = "2026-07-01T10:00:00Z"
ORGANIZATION_ID = "-NharbourExampleOrg1"
KEY: dict[str, Any] = {"id": ID, "name": "x", "project_id": ID, "roles": []}
PROJECT: dict[str, Any] = {
    "id": ID,
    "name": "x",
    "max_pods": 0,
    "force_encryption_with_cmek": True,
    "organization_id": ORGANIZATION_ID,
}
ORGANIZATION: dict[str, Any] = {
    "id": ORGANIZATION_ID,
    "name": "acme",
    "plan": "Free",
    "payment_status": "Active",
    "created_at": DATE,
    "support_tier": "Pro",
}
BINDING: dict[str, Any] = {
    "id": ID,
    "principal_type": "user",
    "principal_id": ID,
    "resource_type": "project",
    "resource_id": ORGANIZATION_ID,
    "role": "OrgOwner",
    "created_at": DATE,
}
ACCOUNT: dict[str, Any] = {"id": ID, "name": "x", "client_id": "x" * 32, "created_at": DATE, "updated_at": DATE}
INVITE: dict[str, Any] = {
    "id": ID,
    "email": "a@b.co",
    "status": "pending",
    "created_at": DATE,
    "expires_at": None,
    "processed_at": None,
}
TOO_MANY = "has more values than the API would send"
TOO_MANY_NAMES = "has more names than the API would send"

SHORTEST: dict[str, tuple[Any, dict[str, Any]]] = {
    "keys without roles": (ListApiKeysResponse, KEY),
    "keys with all roles": (ListApiKeysResponse, KEY | {"roles": ROLES}),
    "organizations": (OrganizationList, ORGANIZATION),
    "projects": (ProjectList, PROJECT),
    "projects with a date": (ProjectList, PROJECT | {"created_at": DATE}),
    "role bindings": (RoleBindingList, BINDING),
    "service accounts": (ServiceAccountList, ACCOUNT),
    "invites": (InviteList, INVITE),
    "users without a name": (UserList, {"id": ID, "email": "a@b.co"}),
}
"""The densest items of each list that a large body may have: real ids, and else the shortest texts.

A body of 64 KiB with denser ones would have more than 450 organizations whose names have less than four characters, or
more than the 100 users that a page may have.
"""


def encode(items: list[Any]) -> bytes:
    """Return a list response without spaces, as the API sends it."""
    return encode_fields({"data": items})


def encode_fields(fields: dict[str, Any]) -> bytes:
    """Return an object without spaces."""
    return json.dumps(fields, separators=(",", ":")).encode()


@pytest.mark.parametrize(("returns", "item"), SHORTEST.values(), ids=SHORTEST)
def test_the_densest_lists_of_the_api_are_decoded(returns: Any, item: dict[str, Any]) -> None:
    """Any number of the shortest items, also with a few fields that the API document does not list yet."""
    for each in (item, item | {"description": "what it is for", "changed_at": DATE}):
        decoded: Any = decode_body(encode([each] * 10_000), returns)
        assert not isinstance(decoded, DecodeFailure), decoded
        assert len(decoded.data) == 10_000


NEW_FIELDS: dict[str, dict[str, Any]] = {
    "short": {"tags": [], "locked": True},
    "with a fraction": {"price": 0.30000000000000004},
    "with distinct names": {"tags": {"tag-0": "x"}},
    "with a boolean": {"scopes": [], "enabled": True},
    "with an object": {"limits": {"rps": 5}},
}


@pytest.mark.parametrize("fields", NEW_FIELDS.values(), ids=NEW_FIELDS)
@pytest.mark.parametrize("kind", [kind for kind in SHORTEST if not kind.startswith("users")])  # a page has at most 100
def test_models_may_have_new_fields(kind: str, fields: dict[str, Any]) -> None:
    """Also short ones: a released client must read what a later API sends, unless all names are short."""
    returns, item = SHORTEST[kind]
    name = "Harbour Search Operations" if kind == "organizations" else "harbour-search"
    named = item | ({"name": name} if "name" in item else {})
    items = [named | json.loads(json.dumps(fields).replace("tag-0", f"tag-{number}")) for number in range(10_000)]
    decoded: Any = decode_body(encode(items), returns)
    assert not isinstance(decoded, DecodeFailure), decoded
    assert len(decoded.data) == 10_000


def test_names_of_quotation_marks_do_not_need_the_exact_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half of the time of parsing, and escaped quotation marks are no values."""
    monkeypatch.setattr("pinecone_admin._http.large_bodies._has_few_values", None)
    key = KEY | {"name": '"' * 80, "roles": ROLES}
    decoded: Any = decode_body(encode([key] * 1_000), ListApiKeysResponse)
    assert decoded.data[-1].name == key["name"]


def test_a_long_list_needs_little_more_memory_than_its_json() -> None:
    """Its models use the memory of what they were decoded from, and its misfits have their own index."""
    body = json.dumps({"data": [KEY] * 20_000}).encode()
    peaks: list[int] = []
    for function in (json.loads, lambda text: decode_body(text, ListApiKeysResponse)):
        tracemalloc.start()
        function(body)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    for index in (0, 999, 1000, 12_345, 19_999):
        items = [KEY] * 20_000
        items[index] = KEY | {"name": 0}
        failure = decode_body(json.dumps({"data": items}).encode(), ListApiKeysResponse)
        assert failure == DecodeFailure(f"data[{index}].name", "must be a string, not an integer")


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    """As in a small body."""
    assert isinstance(decode_body(b"\xef\xbb\xbf" + encode([BINDING] * 1_000), RoleBindingList), RoleBindingList)


def test_a_page_of_any_users_is_decoded() -> None:
    """A page has at most 100 items, so one whose texts are short is never large."""
    assert len(encode([{"id": ID, "email": f"{'a' * 249}@b.co", "name": "x" * 320}] * 100)) < LARGE_FROM_BYTES
    decoded = decode_body(encode([{"id": ID, "email": "a@b.co", "name": "," * 900}] * 100), UserList)
    assert isinstance(decoded, UserList)


def test_names_may_contain_anything() -> None:
    """Commas, brackets, quotes and backslashes in texts do not make a body look dense, wherever a piece of it ends."""
    for name in (
        "," * 512,
        ',"' * 256,
        "\\," * 256,
        ',\\"' * 170,
        "[{}]," * 100,
        "[{" * 256,
        "a,b[c]{d}",
        "\\" * 511 + ",",
        ":" + "{" * 511,
        "{" * 384 + "\N{GRINNING FACE}" * 128,
    ):
        for shift in range(8):
            body = encode([PROJECT | {"name": "x" * shift}, *[PROJECT | {"name": name}] * 1_000])
            assert len(body) > LARGE_FROM_BYTES
            found = decode_body(body, ProjectList)
            assert isinstance(found, ProjectList)
            assert {each.name for each in found.data[1:]} == {name}


NAMES_OF_KEYS = {
    "one comma": ",",
    "commas": "," * 80,
    "escaped quotation marks": '"' * 80,
    "brackets and quotation marks": '[\\"' * 20,
    "backslashes": "\\" * 80,
    "a colon first": ":" + "{" * 79,
    "what looks like distinct names": "".join(f'"{number}":' for number in range(1000, 1011)),
}


@pytest.mark.parametrize("name", NAMES_OF_KEYS.values(), ids=NAMES_OF_KEYS)
def test_a_name_cannot_keep_others_from_listing_keys(name: str) -> None:
    """Whoever may name keys may choose any 80 characters, for as many keys as there is room for."""
    count = (MAX_RESPONSE_BYTES - 100) // (len(encode([KEY | {"name": name}])) - len(encode([])) + 1)
    body = encode([KEY | {"name": name}] * count)
    assert MAX_RESPONSE_BYTES - 1000 < len(body) <= MAX_RESPONSE_BYTES
    decoded: Any = decode_body(body, ListApiKeysResponse)
    assert not isinstance(decoded, DecodeFailure), decoded
    assert decoded.data[-1].name == name


def repeat(head: str, item: str, tail: str, *, size: int = 400_000) -> bytes:
    """Return a body of about this size that repeats a text."""
    return (head + item * (size // len(item)) + tail).encode()


PROJECT_START = json.dumps(PROJECT, separators=(",", ":"))[:-1]
GOOD_USER = '{"id":"' + ID + '","email":"ada@harbour.example"}'
REFUSED: dict[str, tuple[Any, bytes, str, str]] = {
    "users with short texts": (UserList, encode([{"id": "0123456789", "email": "a@b"}] * 8_000), "", TOO_MANY),
    "role bindings with texts of four characters": (
        RoleBindingList,
        encode([dict.fromkeys(BINDING, "xyzt") | {"created_at": "2026-07-01"}] * 3_000),
        "",
        TOO_MANY,
    ),
    "an empty object per 18 bytes": (UserList, repeat('{"data":[' + GOOD_USER, ",{}" + " " * 15, "]}"), "", TOO_MANY),
    "an empty list per 21 bytes": (UserList, repeat('{"data":[' + GOOD_USER, ",[]" + " " * 18, "]}"), "", TOO_MANY),
    "an integer per 4 bytes": (UserList, repeat('{"data":[' + GOOD_USER, ",123", "]}"), "", TOO_MANY),
    "users of nothing but commas": (UserList, encode([{"id": "," * 20, "email": "[" * 20}] * 9_000), "", TOO_MANY),
    "users of commas and escapes": (UserList, encode([{"id": '",' * 20, "email": '"' * 20}] * 9_000), "", TOO_MANY),
    "values after a good item": (UserList, repeat('{"data":[' + GOOD_USER, ",{}", "]}"), "", TOO_MANY),
    "objects in objects": (UserList, repeat('{"data":[' + GOOD_USER, ',{"a":{"b":{}}}', "]}"), "", TOO_MANY),
    "objects with a name each": (
        UserList,
        encode([json.loads(GOOD_USER), *({f"{number:040}": 0} for number in range(2_000))]),
        "",
        TOO_MANY_NAMES,
    ),
    "objects whose names all differ": (
        UserList,
        encode([json.loads(GOOD_USER), *({f"{number}-{each:030}": 0 for each in range(7)} for number in range(1_000))]),
        "",
        TOO_MANY_NAMES,
    ),
    "names that differ before an escaped quotation mark": (
        UserList,
        encode(
            [json.loads(GOOD_USER), *({f'{number}-{each:030}"': 0 for each in range(7)} for number in range(1_000))]
        ),
        "",
        TOO_MANY_NAMES,
    ),
    "distinct names in a part of the body": (
        UserList,
        encode(
            [json.loads(GOOD_USER)] * 5_000
            + [{f"{number}-{each:020}": 0 for each in range(4)} for number in range(5_000)]
        ),
        "",
        TOO_MANY_NAMES,
    ),
    "an object of names that differ, and brackets in texts": (
        RoleBindingList,
        encode_fields({f"{number:016}": 0 if number % 20 else "[" for number in range(20_000)} | {"data": []}),
        "",
        TOO_MANY_NAMES,
    ),
    "fractions": (
        UserList,
        repeat('{"data":[' + GOOD_USER, ",[" + "2.2250738585072014e-308," * 18 + "0.5]", "]}"),
        "",
        "has more fractions than the API would send",
    ),
    "values between strings": (
        UserList,
        repeat('{"data":[' + GOOD_USER, "," + "[" + "[[]]," * 198 + '{"a":"' + "x" * 510 + '"}]', "]}"),
        "",
        TOO_MANY,
    ),
    "numbers": (UserList, repeat('{"data":[' + GOOD_USER, ",0", "]}"), "", TOO_MANY),
    "lists": (UserList, repeat('{"data":[' + GOOD_USER, ",[[[]]]", "]}"), "", TOO_MANY),
    "an object of many names": (
        Project,
        (PROJECT_START + "".join(f',"a_name_of_some_length_{number}":""' for number in range(10_000)) + "}").encode(),
        "",
        TOO_MANY_NAMES,
    ),
    "values behind strings that end with backslashes": (
        Project,
        repeat(PROJECT_START + r',"new":["\\","\\\\\"",[]', r',"\\"', "]}"),
        "",
        TOO_MANY,
    ),
    "integers of many digits": (
        ProjectList,
        encode([PROJECT] * 100).replace(b'"max_pods":0', b'"max_pods":' + b"7" * 4000),
        "",
        "has more digits than the API would send",
    ),
    "an object of long names that differ": (
        UserList,
        encode_fields({f"{number:060}": 0 for number in range(5_000)} | {"data": []}),
        "",
        TOO_MANY_NAMES,
    ),
    "fractions of many digits": (
        ProjectList,
        encode([PROJECT | {"new": 0}]).replace(b'"new":0', b'"new":0.' + b"7" * 24) + b" " * LARGE_FROM_BYTES,
        "",
        "has a fraction of more than 25 characters",
    ),
    "a date of 1 MB": (
        RoleBindingList,
        encode([BINDING | {"created_at": "2026-07-01T10:00:00." + "1" * 1_000_000 + "x"}]),
        "data[0].created_at",
        "must be a date-time in ISO 8601",
    ),
    "integers beside a text of digits": (
        Project,
        repeat(f'{PROJECT_START},"note":"{"7" * 70_000}","n":[', "12345,", "0]}"),
        "",
        "has more digits than the API would send",
    ),
    "surrogates in UTF-8": (
        Project,
        PROJECT_START.encode() + b',"note":"' + b"\xed\xa0\x80" * LARGE_FROM_BYTES + b'"}',
        "",
        "is not JSON (UnicodeDecodeError)",
    ),
    "UTF-16": (ProjectList, encode([PROJECT] * 1_000).decode().encode("utf-16"), "", "is not in UTF-8"),
    "UTF-32 without a mark": (ProjectList, encode([PROJECT] * 500).decode().encode("utf-32-be"), "", "is not in UTF-8"),
}


@pytest.mark.parametrize(("returns", "body", "path", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_takes_more_work_than_models_is_refused(returns: Any, body: bytes, path: str, problem: str) -> None:
    """With a reason that quotes nothing; below the limit, the same is read."""
    assert len(body) >= LARGE_FROM_BYTES
    assert decode_body(body, returns) == DecodeFailure(path, problem)
    # Types of the caller have no limits: other values may be what the caller wants.
    if problem.startswith("has "):
        assert not isinstance(decode_body(body, dict[str, Any]), DecodeFailure)


def test_small_bodies_have_no_limits() -> None:
    """Short ids, long numbers and other encodings are read where they cost little."""
    users = [{"id": str(number), "email": "a@b"} for number in range(1_000)]
    assert len(decode(encode(users), UserList).data) == 1_000
    assert len(decode(encode(users).decode().encode("utf-16"), UserList).data) == 1_000
    assert decode(encode([PROJECT | {"max_pods": 10**40}]), ProjectList).data[0].max_pods == 10**40


def decode(body: bytes, returns: Any) -> Any:
    """Return the decoded value of a small body."""
    assert len(body) < LARGE_FROM_BYTES
    decoded = decode_body(body, returns)
    assert not isinstance(decoded, DecodeFailure), decoded
    return decoded


def test_full_collections_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would visit all values many times. Afterwards all is as it was, whether the body fits or not."""
    decode_list, seen = readers[RoleBindingList], list[tuple[int, int, int]]()

    def record_and_decode(json: Any) -> Any:
        seen.append(gc.get_threshold())
        return decode_list(json)

    monkeypatch.setitem(readers, RoleBindingList, record_and_decode)
    thresholds, never = gc.get_threshold(), 2**31 - 1
    try:
        gc.set_threshold(600, 9, 8)
        assert isinstance(decode_body(encode([BINDING] * 500), RoleBindingList), RoleBindingList)
        assert isinstance(decode_body(encode([BINDING] * 500 + [0]), RoleBindingList), DecodeFailure)
        assert gc.get_threshold() == (600, 9, 8)
        assert isinstance(decode_body(encode([BINDING]), RoleBindingList), RoleBindingList)
        gc.set_threshold(600, 9, never)  # as while another thread decodes: that one sets it back
        assert isinstance(decode_body(encode([BINDING] * 500), RoleBindingList), RoleBindingList)
        assert gc.get_threshold() == (600, 9, never)
        assert seen == [(600, 9, never)] * 2 + [(600, 9, 8), (600, 9, never)]

        def change_and_decode(json: Any) -> Any:
            gc.set_threshold(500, 7, 6)  # as the program may in another thread
            return decode_list(json)

        monkeypatch.setitem(readers, RoleBindingList, change_and_decode)
        gc.set_threshold(600, 9, 8)
        assert isinstance(decode_body(encode([BINDING] * 500), RoleBindingList), RoleBindingList)
        assert gc.get_threshold() == (500, 7, 6)
    finally:
        gc.set_threshold(*thresholds)


def test_long_integers_are_read_where_they_cost_little() -> None:
    """Python converts up to 4300 digits; those of a few hundred take no longer than other text."""
    for digits in (20, 26, 400):
        body = encode([PROJECT | {"max_pods": 0}] * 1_000).replace(b'"max_pods":0', b'"max_pods":' + b"7" * digits)
        decoded = decode_body(body, ProjectList)
        assert isinstance(decoded, ProjectList)
        assert {project.max_pods for project in decoded.data} == {int("7" * digits)}


def test_only_the_start_of_a_large_error_body_is_kept() -> None:
    """An error body can be as hostile as any other, and to search it for secrets takes longer than to parse it."""
    start = '{"error":{"code":"X","message":"m","details":{"a":'
    call = CallState(deadline=1.0, idempotent=True, path_template="/", endpoint="api.example", closed=Event())
    for body, code in (
        (f"{start}[{'{},' * 500_000}1]}}}}}}", None),
        (start + '"' + r"\u0061" * 1_000_000 + '"}}}', None),
        (f"{start}[1]}}}}}}", "X"),
    ):
        response = BufferedResponse(400, httpx.Headers(), body.encode(), {})
        error = error_from_response(redact_secrets(response, call), call=call, wall=0.0)
        assert error.error_code == code
        assert error.body == body[: 64 * 1024]
