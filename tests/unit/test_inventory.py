"""Comparing and loading inventories."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields

from pinecone_admin import PineconeTypeError, PineconeValueError
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKey, Invite, Organization, ServiceAccount, User
from pinecone_admin.workflows import Inventory, Unread
from tests.support.organizations import populate_organization
from tests.support.records import CREATED_AT, make_binding, make_project

ROOT = Path(__file__).resolve().parent.parent.parent


ORGANIZATION = Organization(
    id="o", name="Acme", plan="Enterprise", payment_status="Active", created_at=CREATED_AT, support_tier="Enterprise"
)
BEFORE = Inventory(
    taken_at=CREATED_AT,
    organizations=[ORGANIZATION],
    projects=[make_project("p1", "search"), make_project("p2", "atlas")],
    api_keys=[
        APIKey(id="k1", name="reader", project_id="p1", roles=["ProjectViewer"]),
        APIKey(id="k2", name="writer", project_id="p2", roles=["ProjectEditor"]),
    ],
    users=[User(id="u1", email="ada@example.com")],
    invites=[Invite(id="i1", email="bob@example.com", status="pending", created_at=CREATED_AT, expires_at=CREATED_AT)],
    service_accounts=[
        ServiceAccount(id="s1", name="robot", client_id="c", created_at=CREATED_AT, updated_at=CREATED_AT)
    ],
    role_bindings=[
        make_binding("user", "u1", "OrgOwner", id="b1"),
        make_binding("invite", "i1", "ProjectViewer", "p1", id="b2"),
    ],
)


def test_equal_inventories_have_no_changes() -> None:
    """Inventories that differ only in their time have no changes."""
    changes = BEFORE.diff(evolve(BEFORE, taken_at=datetime(2027, 1, 1, tzinfo=UTC)))
    assert not changes
    assert str(changes) == ""


def test_changes_are_readable() -> None:
    """Changes use display names, and an accepted invite appears as the user that it became."""
    after = evolve(
        BEFORE,
        organizations=[evolve(ORGANIZATION, plan="Dedicated")],
        projects=[make_project("p1", "search"), make_project("p3", "docs")],
        api_keys=[APIKey(id="k1", name="reader", project_id="p1", roles=["ProjectViewer", "DataPlaneEditor"])],
        users=[*BEFORE.users, User(id="u2", email="bob@example.com")],
        invites=[],
        service_accounts=[
            evolve(BEFORE.service_accounts[0], name="android", updated_at=datetime(2026, 7, 2, tzinfo=UTC))
        ],
        role_bindings=[
            make_binding("user", "u2", "ProjectViewer", "p1", id="b2"),
            make_binding("service_account", "s1", "OrgMember", id="b3"),
        ],
    )
    assert str(BEFORE.diff(after)).splitlines() == [
        "+ project docs (p3)",
        "+ user bob@example.com (u2)",
        "+ OrgMember for service account android (s1) on the organization",
        "- project atlas (p2)",
        "- API key writer (k2) of project atlas",
        "- invite for bob@example.com (i1)",
        "- OrgOwner for user ada@example.com (u1) on the organization",
        "~ organization Acme (o): plan is now 'Dedicated', was 'Enterprise'",
        "~ API key reader (k1) of project search: roles is now ProjectViewer, DataPlaneEditor, was ProjectViewer",
        (
            "~ service account android (s1): name is now 'android', was 'robot'; updated_at is now "
            "2026-07-02T00:00:00+00:00, was 2026-07-01T12:00:00+00:00"
        ),
        (
            "~ ProjectViewer for user bob@example.com (u2) on project search (p1): "
            "principal_type is now 'user', was 'invite'; principal_id is now 'u2', was 'i1'"
        ),
    ]
    assert BEFORE.diff(after)


def test_changes_are_structured() -> None:
    """Each change has the kind, id and name of its resource, and the field with both values."""
    after = evolve(
        BEFORE,
        projects=[make_project("p1", "find"), make_project("p3", "docs")],
        api_keys=[BEFORE.api_keys[0]],
        role_bindings=[evolve(BEFORE.role_bindings[0], role="OrgMember"), BEFORE.role_bindings[1]],
    )
    changes = BEFORE.diff(after)
    found = [(each.kind, each.id, each.name, each.field, each.before, each.after) for each in changes.changed]
    assert found == [
        ("project", "p1", "find", "name", "search", "find"),
        ("role_binding", "b1", "OrgMember", "role", "OrgOwner", "OrgMember"),
    ]
    assert [(each.kind, each.field, each.before, each.after) for each in changes.added] == [
        ("project", None, None, after.projects[1])
    ]
    assert [(each.kind, each.id, each.before, each.after) for each in changes.removed] == [
        ("project", "p2", BEFORE.projects[1], None),
        ("api_key", "k2", BEFORE.api_keys[1], None),
    ]
    assert json.loads(json.dumps(changes.to_dict()))["removed"][1]["before"]["roles"] == ["ProjectEditor"]


def test_a_changed_role_of_a_key_is_one_change() -> None:
    """The bindings of a key repeat its roles, so that only the key is reported; without the key, the bindings are."""
    bindings = {
        role: make_binding("api_key", "k1", role, "p1", id=f"b-{role}") for role in ("ProjectViewer", "ProjectEditor")
    }
    before = evolve(BEFORE, role_bindings=[bindings["ProjectViewer"]])
    key = evolve(BEFORE.api_keys[0], roles=["ProjectEditor"])
    after = evolve(BEFORE, role_bindings=[bindings["ProjectEditor"]], api_keys=[key, BEFORE.api_keys[1]])
    assert str(before.diff(after)) == (
        "~ API key reader (k1) of project search: roles is now ProjectEditor, was ProjectViewer"
    )
    removed = evolve(after, api_keys=[BEFORE.api_keys[1]], role_bindings=[])
    assert str(before.diff(removed)) == "- API key reader (k1) of project search"
    unread = [Unread(part="api_keys", project_id="p1", error="500")]
    changes = before.diff(evolve(after, api_keys=BEFORE.api_keys[1:], unread=unread))
    assert [each.kind for each in (*changes.added, *changes.removed)] == ["role_binding"] * 2


NOT_READ: dict[str, str] = {}
"""Namespaces that an inventory does not read, each with the reason."""


def test_every_namespace_is_read_or_there_is_a_reason() -> None:
    """Every list is in an inventory: a new namespace gets a field there, or a reason here."""
    unread = set(NAMESPACES) - {each.name for each in fields(Inventory)}
    assert unread == NOT_READ.keys(), "Inventory in workflows/inventory.py lacks them: add fields, or lines to NOT_READ"


def test_the_repr_is_one_line_of_counts() -> None:
    """The repr of an inventory has one line, however large the inventory is and whatever its names are."""
    assert repr(BEFORE) == (
        "<Inventory of 'Acme', taken at 2026-07-01T12:00:00+00:00: 2 projects, 2 api keys, 1 user, 1 invite, "
        "1 service account, 2 role bindings>"
    )
    unread = [Unread(part="users", project_id=None, error="403")]
    hostile = evolve(BEFORE, organizations=[evolve(ORGANIZATION, name="a\nb\u202ec")], unread=unread)
    assert repr(hostile).isprintable()
    assert repr(hostile).endswith("2 role bindings, 1 part unread>")
    assert "user" not in repr(hostile)  # how many there are is unknown


@pytest.mark.parametrize("failed_first", [True, False])
def test_unread_parts_are_not_compared(failed_first: bool) -> None:
    """A part that either inventory could not read is reported as unknown, and not as a change."""
    unread = [
        Unread(part="users", project_id=None, error="403"),
        Unread(part="api_keys", project_id="p2", error="500"),
    ]
    poor = evolve(BEFORE, users=[], api_keys=BEFORE.api_keys[:1], unread=unread)
    changes = poor.diff(BEFORE) if failed_first else BEFORE.diff(poor)
    assert not changes
    assert changes.unknown == ["the API keys of project p2 (500)", "the users (403)"]
    blind = evolve(BEFORE, projects=[], api_keys=[], unread=[Unread(part="projects", project_id=None, error="500")])
    changes = blind.diff(BEFORE) if failed_first else BEFORE.diff(blind)
    assert (bool(changes), changes.unknown) == (False, ["the projects (500)"])


def test_an_invalid_field_is_named() -> None:
    """from_dict raises an error that names the missing or invalid field."""
    data = BEFORE.to_dict()
    assert Inventory.from_dict(data) == BEFORE
    with pytest.raises(PineconeValueError, match="projects is missing"):
        Inventory.from_dict({key: value for key, value in data.items() if key != "projects"})
    data["projects"][0]["name"] = 5
    with pytest.raises(PineconeValueError, match=r"projects\[0\].name must be a string, not an integer"):
        Inventory.from_dict(data)


@pytest.mark.parametrize("data", [None, 5, "x", b"x", [["taken_at", "2026-07-01T00:00:00Z"]]])
def test_a_value_that_is_not_an_object_raises(data: Any) -> None:
    """from_dict and diff raise for a value of another type."""
    with pytest.raises(PineconeTypeError, match="data must be a mapping returned by to_dict"):
        Inventory.from_dict(data)
    with pytest.raises(PineconeTypeError, match="other must be an Inventory"):
        BEFORE.diff(data)


@pytest.mark.parametrize(
    ("part", "value", "problem"),
    [
        ("taken_at", 5, "taken_at must be a string"),
        ("taken_at", "yesterday", "taken_at must be a date-time in ISO 8601"),
        ("projects", {}, "projects must be a list, not an object"),
        ("projects", [[]], r"projects\[0\] must be an object, not a list"),
        ("users", [{"id": "u", "email": None}], r"users\[0\].email must be a string, not null"),
        ("unread", "users", "unread must be a list, not a string"),
    ],
)
def test_an_invalid_value_is_named(part: str, value: Any, problem: str) -> None:
    """from_dict raises an error that has the path of the invalid value."""
    with pytest.raises(PineconeValueError, match=rf"data\.{problem}"):
        Inventory.from_dict({**BEFORE.to_dict(), part: value})


def test_an_unlisted_role_and_a_time_without_a_zone_are_accepted() -> None:
    """from_dict accepts a time without a zone and a role that the API document does not list."""
    data = BEFORE.to_dict()
    data["taken_at"] = "2026-07-01T12:00:00"
    data["role_bindings"][0]["role"] = "OrgWizard"
    read = Inventory.from_dict(data)
    assert [row.level for row in read.access().rows() if row.principal_id == "u1"] == ["unknown"]
    assert [str(change) for change in BEFORE.diff(read).changed] == [
        "~ OrgWizard for user ada@example.com (u1) on the organization: role is now 'OrgWizard', was 'OrgOwner'"
    ]


def test_memory_stays_proportional_to_the_result() -> None:
    """The peak memory of an inventory is less than 1.5 times that of its result."""
    emulator = Emulator(seed=1)
    populate_organization(emulator, projects=100, users=100)
    admin = emulator.admin()
    admin.inventory()
    tracemalloc.start()
    inventory = admin.inventory()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(inventory.projects) == 100
    assert peak < 1.5 * kept


@pytest.mark.long
def test_the_benchmark_runs() -> None:
    """The benchmark runs both clients and the official SDK."""
    command = [sys.executable, "tests/benchmarks/inventory.py", "--projects", "10", "--latency-ms", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 6


def test_loading_leaves_a_long_document_as_it_was() -> None:
    """from_dict changes nothing in its argument, even if an item cannot be read."""
    long = evolve(BEFORE, projects=[make_project(f"p{number}", "search") for number in range(2001)])
    data = long.to_dict()
    assert Inventory.from_dict(data) == long
    assert data == long.to_dict()
    data["projects"][1500] |= {"name": None}
    with pytest.raises(PineconeValueError, match=r"data\.projects\[1500\]\.name"):
        Inventory.from_dict(data)
    assert [type(each) for each in data["projects"]] == [dict] * 2001


def test_an_inventory_does_not_change_with_the_document_it_was_loaded_from() -> None:
    """Models keep what they were decoded from, also fields that the API document does not list."""
    data = BEFORE.to_dict()
    data["projects"][0]["new"] = 1
    loaded = Inventory.from_dict(data)
    data["projects"][0] |= {"new": 2, "later": 3}
    assert loaded.projects[0].extra == {"new": 1}
