"""Shapes that are just accepted, for bodies.py: no large body may have more values for its size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pinecone_admin._http.large_bodies import find_needed_size
from tests.benchmarks.body_makers import DATE, Shape, compact, list_of, project, repeating

TEXT = "xyzt"  # Python keeps texts of one character, but makes an object for each longer one
ITEMS: Mapping[str, dict[str, Any]] = {
    "role_bindings": {
        **dict.fromkeys(("id", "principal_type", "principal_id", "resource_type", "resource_id", "role"), TEXT),
        "created_at": DATE,
    },
    "api_keys": {"id": TEXT, "name": TEXT, "project_id": TEXT, "roles": []},
    "users": {"id": TEXT, "email": TEXT},
    "service_accounts": {"id": TEXT, "name": TEXT, "client_id": TEXT, "created_at": DATE, "updated_at": DATE},
    "projects": {
        "id": TEXT,
        "name": TEXT,
        "max_pods": 0,
        "force_encryption_with_cmek": True,
        "organization_id": TEXT,
    },
}
"""An item of each list, as short as the client reads it: no id of the API is so short."""

NEW_FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"n": {}},
    {"n": []},
    {"n": {"a": {"b": []}}},
    {"n": [[]] * 5},
    {"n": [[[[[[]]]]]]},
    {"n": [{"a": []}] * 4},
    {"n": [{"a": 0}] * 5},
    {"n": {"a": {}, "b": {}, "c": {}}},
    {"n": [TEXT] * 6},
    {"n": [True] * 20},
)
VALUES = ("[]", "{}", "[[[]]]", '{"a":[]}', '{"a":0}', '{"a":{}}', '["xyzt","xyzt"]', '"xyzt"', "1234", "true", "null")


def pad(text: str, where: int) -> str:
    """Return an item with so many spaces at a place that a list of it is just accepted."""
    missing = find_needed_size(f"{text},".encode()) * 101 // 100 + 1 - len(text) - 1
    return text[:where] + " " * missing + text[where:]


LIMIT_SHAPES = [
    *(
        Shape(f"at the limit: {call} with {compact(new)}", list_of(pad(compact(item | new), -1)), call)
        for call, item in ITEMS.items()
        for new in NEW_FIELDS
    ),
    *(
        Shape(
            f"at the limit: one project with a list of {json.loads(value)}",
            repeating(f'{project(1)[:-1]},"n":[', pad(value, len(value)) + ",", "0]}"),
            "describe",
        )
        for value in VALUES
    ),
]
