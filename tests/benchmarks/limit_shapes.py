"""Shapes that are just accepted, for bodies.py: no large body may have more values for its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pinecone_admin._http.large_bodies import find_needed_size
from tests.benchmarks.body_makers import DATE, Shape, compact, list_of, project, repeating

TEXT = "xyzt"  # Python keeps texts of one character, but makes an object for each longer one
DAY = "2026-05-06"  # takes longer than a date-time with Z
ITEMS: Mapping[str, dict[str, Any]] = {
    "role_bindings": {
        **dict.fromkeys(("id", "principal_type", "principal_id", "resource_type", "resource_id", "role"), TEXT),
        "created_at": DATE,
    },
    "api_keys": {"id": TEXT, "name": TEXT, "project_id": TEXT, "roles": []},
    "users": {"id": TEXT, "email": TEXT},
    "service_accounts": {"id": TEXT, "name": TEXT, "client_id": TEXT, "created_at": DATE, "updated_at": DATE},
    "invites": {
        "id": TEXT,
        "email": TEXT,
        "status": TEXT,
        **dict.fromkeys(("created_at", "expires_at", "processed_at"), DAY),
    },
    "projects": {
        "id": TEXT,
        "name": TEXT,
        "max_pods": 0,
        "force_encryption_with_cmek": True,
        "organization_id": TEXT,
    },
    "organizations": {
        **dict.fromkeys(("id", "name", "plan", "payment_status", "support_tier"), TEXT),
        "created_at": DATE,
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


def pad(item: str) -> str:
    """Return fifty of an item, with so many spaces behind them that a list of them is just accepted.

    By 2 %, because the limits judge by samples.
    """
    size = find_needed_size(f"{item},".encode()) * 50 * 102 // 100
    items = ",".join([item.ljust(size // 50 - 1)] * 50)
    return items.ljust(size - 1)


LIMIT_SHAPES = [
    *(
        Shape(f"at the limit: {call} with {compact(new)}", list_of(pad(compact(item | new))), call)
        for call, item in ITEMS.items()
        for new in NEW_FIELDS
    ),
    *(
        Shape(
            f"at the limit: one project with a list of {value}",
            repeating(f'{project(1)[:-1]},"n":[', f"{pad(value)},", "0]}"),
            "describe",
        )
        for value in VALUES
    ),
]
