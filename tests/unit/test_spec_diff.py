"""The report on a new API document, in the client's terms."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from spec_diff import changes, report

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT: Any = YAML(typ="safe").load(ROOT / "openapi/admin.yaml")
PUBLISHED = ROOT.parent / "shared/upstream/admin_2026-04.oas.yaml"
PAGED = ("users", "invites", "service-accounts", "role-bindings")


def changed(path: str, value: object) -> Any:
    """Copy our document with one place changed; None removes it."""
    document = deepcopy(DOCUMENT)
    *parents, last = path.split("/")
    node = document["components"]["schemas"]
    for parent in parents:
        node = node[parent]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return document


def older() -> Any:
    """Give the published document of 2026-04 where it is at hand, else ours without what came later."""
    if PUBLISHED.exists():
        return YAML(typ="safe").load(PUBLISHED)
    document = deepcopy(DOCUMENT)
    document["paths"] = {path: item for path, item in document["paths"].items() if path.split("/")[2] not in PAGED}
    return document


CASES = {
    "a field of an answer goes": (
        "Project/properties/max_pods",
        None,
        "BREAKING create_project: Project.max_pods is gone",
    ),
    "a field of an answer comes": ("User/properties/age", {"type": "integer"}, "fetch_user: new User.age"),
    "a request needs more": (
        "CreateProjectRequest/required",
        ["name", "max_pods"],
        "BREAKING create_project: CreateProjectRequest.max_pods is now required",
    ),
    "an answer promises less": (
        "User/required",
        ["id"],
        "BREAKING fetch_user: User.email is now optional",
    ),
    "a limit narrows": (
        "CreateAPIKeyRequest/properties/name/maxLength",
        40,
        "BREAKING create_api_key: CreateAPIKeyRequest.name: maxLength is now 40, and was 80",
    ),
    "a limit widens": (
        "CreateAPIKeyRequest/properties/name/maxLength",
        90,
        "create_api_key: CreateAPIKeyRequest.name: maxLength is now 90, and was 80",
    ),
    "a type changes": (
        "Project/properties/max_pods/type",
        "string",
        "BREAKING fetch_project: Project.max_pods is now string, and was integer",
    ),
    "an answer lists more": (
        "Invite/properties/status/x-enum",
        ["pending", "expired", "processed", "bounced"],
        "fetch_invite: Invite.status now lists bounced",
    ),
    "a request lists less": (
        "CreateRoleBindingRequest/properties/resource_type/x-enum",
        ["organization"],
        "BREAKING create_role_binding: CreateRoleBindingRequest.resource_type no longer lists project",
    ),
}


@pytest.mark.parametrize(("path", "value", "line"), CASES.values(), ids=CASES)
def test_a_change_is_one_line_in_the_words_of_the_client(path: str, value: object, line: str) -> None:
    """Each kind of change names the operation and the field, and says whether it breaks callers."""
    assert line in report(changes(DOCUMENT, changed(path, value))).splitlines()


def test_nothing_is_reported_of_prose() -> None:
    """Descriptions do not concern callers."""
    assert changes(DOCUMENT, changed("Project/description", "Something else.")) == []


def test_ours_adds_18_operations_to_the_one_of_2026_04_and_breaks_nothing() -> None:
    """The step from the published document is safe."""
    found = changes(older(), DOCUMENT)
    assert [change for change in found if change.breaking] == []
    assert sum(change.line.startswith("new operation") for change in found) == 18


def test_breaking_changes_come_first() -> None:
    """The reader sees them before anything else."""
    document = changed("User/properties/age", {"type": "integer"})
    del document["paths"]["/admin/invites/{invite_id}/resend"]
    lines = report(changes(DOCUMENT, document)).splitlines()
    assert lines[0] == "BREAKING operation resend_invite is gone"
    assert all(not line.startswith("BREAKING") for line in lines[1:])
