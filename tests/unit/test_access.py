"""Access: effective roles, findings, and their output formats."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from attrs import evolve

from pinecone_admin import PineconeTypeError, PineconeValueError
from pinecone_admin.models import (
    API_KEY_ROLES,
    ORGANIZATION_ROLES,
    APIKey,
    APIKeyRole,
    Invite,
    Organization,
    OrganizationRoleName,
    ServiceAccount,
    Unlisted,
    User,
)
from pinecone_admin.workflows import Access, Inventory, Unread
from pinecone_admin.workflows.findings import FindingKind
from pinecone_admin.workflows.name_tags import tag_as_temporary
from tests.support.records import make_binding, make_project

NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)
HOSTILE = '=HYPERLINK("x")|<script>alert(1)</script>'
NAMES = [
    HOSTILE, "+1", "-2+3", "@SUM(A1)", "\t=1", " =1+1", "\uff1d1", "line\nbreak\r=1", "a\"b'c", "&amp;<b>", "{title}%s",
    "</style></script><img src=x onerror=alert(1)>", "\u202eevil", "\u2066x", "\u0639\u0631\u0628\u064a",
    "\U0001f469\u200d\U0001f467", "`code` [link](http://x) ![i](www.x) **b** @team #1 $x$", "|", "\x1b[31m",
]  # fmt: skip


def make_invite(id: str, status: Any, days: int) -> Invite:
    """Return an invite of this age."""
    return Invite(id=id, email=f"{id}@example.com", status=status, created_at=NOW - timedelta(days=days))


def make_account(id: str) -> ServiceAccount:
    """Return a service account."""
    return ServiceAccount(id=id, name=f"robot-{id}", client_id="c", created_at=NOW, updated_at=NOW)


INVENTORY = Inventory(
    taken_at=NOW,
    organizations=[
        Organization(
            id="o", name="Acme", plan="Enterprise", payment_status="Active", created_at=NOW, support_tier="Enterprise"
        )
    ],
    projects=[make_project("p1", "search"), make_project("p2", "atlas")],
    api_keys=[
        APIKey(id="k1", name="reader", project_id="p1", roles=["DataPlaneViewer"]),
        APIKey(id="k2", name="writer", project_id="p2", roles=["ProjectEditor"]),
    ],
    users=[User(id="u1", email="ada@example.com"), User(id="u2", email="bob@example.com")],
    invites=[make_invite("new", "pending", 1), make_invite("old", "pending", 5), make_invite("gone", "expired", 9)],
    service_accounts=[make_account("s1"), make_account("s2"), make_account("s3")],
    role_bindings=[
        make_binding("user", "u1", "OrgOwner"),
        make_binding("user", "u2", "OrgMember"),
        make_binding("user", "u2", "ProjectViewer", "p1"),
        make_binding("user", "u2", "DataPlaneEditor", "p1"),
        make_binding("user", "u2", Unlisted("ProjectWizard"), "p2"),
        make_binding("invite", "new", "ProjectOwner", "p1"),
        make_binding("service_account", "s1", "OrgOwner"),
        make_binding("service_account", "s2", "OrgManager"),
        make_binding("service_account", "s2", "ProjectMember", "p2"),
        make_binding("api_key", "k1", "DataPlaneEditor", "p1"),
        make_binding("user", "u9", "ProjectEditor", "p1"),
    ],
)


def map_rows(access: Access) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Return level and roles by principal and project."""
    return {(row.principal_id, row.project_id): (row.level, list(row.roles)) for row in access.rows()}


def test_effective_roles_are_the_union_of_all_bindings() -> None:
    """Effective roles are the union of all bindings, and an owner of the organization owns every project."""
    assert map_rows(INVENTORY.access()) == {
        ("u1", ""): ("owns", ["OrgOwner"]),
        ("u1", "p1"): ("owns", ["OrgOwner"]),
        ("u1", "p2"): ("owns", ["OrgOwner"]),
        ("u2", ""): ("reads", ["OrgMember"]),
        ("u2", "p1"): ("writes", ["ProjectViewer", "DataPlaneEditor"]),
        ("u2", "p2"): ("unknown", ["ProjectWizard"]),
        ("new", "p1"): ("owns", ["ProjectOwner"]),
        ("s1", ""): ("owns", ["OrgOwner"]),
        ("s1", "p1"): ("owns", ["OrgOwner"]),
        ("s1", "p2"): ("owns", ["OrgOwner"]),
        ("s2", ""): ("writes", ["OrgManager"]),
        ("s2", "p2"): ("reads", ["ProjectMember"]),
        ("k1", "p1"): ("writes", ["DataPlaneEditor", "DataPlaneViewer"]),
        ("k2", "p2"): ("writes", ["ProjectEditor"]),
    }


def test_an_invite_with_a_status_of_a_later_server_has_lapsed() -> None:
    """It has no access, and is reported as an expired one is, since nobody can accept it."""
    binding = make_binding("invite", "old", "ProjectViewer", "p1")
    rows: list[tuple[list[str], list[str]]] = []
    for status in ("pending", "expired", Unlisted("revoked")):
        invite = make_invite("old", status, 1)
        access = evolve(INVENTORY, invites=[invite], role_bindings=[binding]).access()
        found = [each.text.rpartition(") ")[2] for each in access.findings if each.kind == "invite-expired"]
        rows.append(([each.principal_id for each in access.rows() if each.principal_type == "invite"], found))
    assert rows == [
        (["old"], []),
        ([], ["is expired and was not withdrawn"]),
        ([], ["is revoked and was not withdrawn"]),
    ]


def test_findings() -> None:
    """Each finding has a kind and a sentence that names the record and its id."""
    assert [(each.kind, each.text) for each in INVENTORY.access(max_owners=2).findings] == [
        ("invite-pending-long", "invite for old@example.com (old) was last sent 5 days ago and is still pending"),
        ("invite-expired", "invite for gone@example.com (gone) is expired and was not withdrawn"),
        (
            "service-account-owns-organization",
            "service account robot-s1 (s1) has OrgOwner on the organization",
        ),
        ("service-account-without-roles", "service account robot-s3 (s3) has no role"),
        ("key-has-project-editor", "API key writer (k2) of project atlas has ProjectEditor"),
        ("principal-is-gone", "user u9 is in no list but has ProjectEditor"),
    ]
    owners = evolve(INVENTORY, role_bindings=[make_binding("user", who, "OrgOwner") for who in ("u1", "u2")])
    (many,) = [each for each in owners.access(max_owners=1).findings if each.kind == "many-owners"]
    assert many.text == "the organization has 2 owners, more than 1: ada@example.com, bob@example.com"
    assert not any(each.kind == "many-owners" for each in owners.access(max_owners=2).findings)
    robots = evolve(INVENTORY, role_bindings=[make_binding("service_account", who, "OrgOwner") for who in ("s1", "s2")])
    (many,) = [each for each in robots.access(max_owners=1).findings if each.kind == "many-owners"]
    assert many.text.endswith(": robot-s1 (s1), robot-s2 (s2)")
    invited = evolve(owners, role_bindings=[*owners.role_bindings, make_binding("invite", "new", "OrgOwner")])
    assert not any(each.kind == "many-owners" for each in invited.access(max_owners=2).findings)
    assert not any("pending" in each.kind for each in INVENTORY.access(max_pending=timedelta(days=5)).findings)


@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
def test_an_account_owns_the_organization_in_a_finding_if_it_does_so_in_its_row(role: OrganizationRoleName) -> None:
    """A gate on the kind of a finding decides as somebody who reads the level of the access."""
    inventory = evolve(INVENTORY, role_bindings=[make_binding("service_account", "s1", role)])
    access = inventory.access()
    (level,) = [each.level for each in access.rows() if (each.principal_id, each.project_id) == ("s1", "")]
    kinds = {each.kind for each in access.findings if each.principal_id == "s1"}
    assert kinds == ({"service-account-owns-organization"} if level == "owns" else set())


@pytest.mark.parametrize("role", API_KEY_ROLES)
def test_a_key_has_project_editor_in_a_finding_if_it_does_so_in_its_row(role: APIKeyRole) -> None:
    """The kind of the finding names the role, and no other role of a key has the finding."""
    key = APIKey(id="k1", name="reader", project_id="p1", roles=[role])
    access = evolve(INVENTORY, api_keys=[key], role_bindings=[]).access()
    (roles,) = [each.roles for each in access.rows() if each.principal_id == "k1"]
    kinds = {each.kind for each in access.findings if each.principal_id == "k1"}
    assert kinds == ({"key-has-project-editor"} if roles == ["ProjectEditor"] else set())


def test_findings_carry_what_they_are_about() -> None:
    """Each finding has the principal, the project, the key and the age that it is about, where it has one."""
    overdue = APIKey(id="k3", name="~delete-after:20260701T0000Z:1f0c2a9b x", project_id="p1", roles=[])
    old = evolve(INVENTORY.api_keys[0], created_at=NOW - timedelta(days=91))
    inventory = evolve(
        INVENTORY,
        api_keys=[old, *INVENTORY.api_keys[1:], overdue],
        unread=[Unread(part="api_keys", project_id="p2", error="500")],
    )
    findings = inventory.access(max_owners=2, max_key_age=timedelta(days=90)).findings
    assert {(each.kind, each.principal_type, each.principal_id, each.project_id, each.key_id) for each in findings} == {
        ("could-not-be-read", None, None, "p2", None),
        ("invite-pending-long", "invite", "old", None, None),
        ("invite-expired", "invite", "gone", None, None),
        ("service-account-owns-organization", "service_account", "s1", None, None),
        ("service-account-without-roles", "service_account", "s3", None, None),
        ("key-has-project-editor", "api_key", "k2", "p2", "k2"),
        ("key-is-old", "api_key", "k1", "p1", "k1"),
        ("key-age-unknown", "api_key", "k2", "p2", "k2"),
        ("retired-key-overdue", "api_key", "k3", "p1", "k3"),
        ("principal-is-gone", "user", "u9", "p1", None),
    }
    ages = {each.kind: each.age for each in findings if each.age is not None}
    assert (ages["key-is-old"], ages["invite-pending-long"]) == (timedelta(days=91), timedelta(days=5))
    (document,) = [
        each
        for each in json.loads(inventory.access(max_key_age=timedelta(days=90)).to_json())["findings"]
        if each["kind"] == "key-is-old"
    ]
    assert (document["key_id"], document["age_seconds"]) == ("k1", 91 * 86_400)


def find_texts(inventory: Inventory, kind: str, **options: Any) -> list[str]:
    """Return the texts of all findings of a kind."""
    return [each.text for each in inventory.access(**options).findings if each.kind == kind]


def make_dated_binding(key_id: str, days: int) -> Any:
    """Return a role binding of a key, of this age."""
    binding = make_binding("api_key", key_id, "ProjectViewer", "p1", id=f"{key_id}-{days}")
    return evolve(binding, created_at=NOW - timedelta(days=days))


def test_the_age_of_a_key_is_found_with_its_source() -> None:
    """A key that is too old by its own date or its oldest role binding is found, and the text says which."""
    keys = [APIKey(id=f"k{number}", name="key", project_id="p1", roles=[]) for number in range(6)]
    keys[0] = evolve(keys[0], created_at=NOW - timedelta(days=91))
    keys[1] = evolve(keys[1], created_at=NOW - timedelta(days=89))
    bindings = [make_dated_binding(*each) for each in (("k1", 200), ("k2", 5), ("k2", 100), ("k3", 80))]
    inventory = evolve(INVENTORY, api_keys=keys, role_bindings=bindings)
    options = {"max_key_age": timedelta(days=90)}
    assert find_texts(inventory, "key-is-old", **options) == [
        "API key key (k0) of project search is 91 days old: its created_at is from 2026-04-20",
        "API key key (k2) of project search is at least 100 days old: its oldest role binding is from 2026-04-11",
    ]
    new = evolve(inventory, api_keys=[evolve(keys[0], created_at=NOW - timedelta(days=1, hours=1))])
    assert find_texts(new, "key-is-old", max_key_age=timedelta(days=1)) == [
        "API key key (k0) of project search is 1 day old: its created_at is from 2026-07-19"
    ]
    unknown = [
        each for each in inventory.access(max_key_age=timedelta(days=90)).findings if each.kind == "key-age-unknown"
    ]
    assert [(each.key_id, each.age) for each in unknown] == [
        ("k3", timedelta(days=80)),
        ("k4", None),
        ("k5", None),
    ]
    assert [each.text.partition("may be older than 90 days: ")[2] for each in unknown] == [
        "only role bindings, which a change of roles replaces, show its age",
        *["neither the API nor a role binding shows its age"] * 2,
    ]
    assert not any(find_texts(inventory, kind) for kind in ("key-is-old", "key-age-unknown"))


def test_an_overdue_retired_key_is_found() -> None:
    """A retired key is a finding after its deletion time. A name that only resembles one is not."""
    names = ["~delete-after:20260720T1159Z:1f0c2a9b writer", "~delete-after:20260720T1200Z:1f0c2a9b writer"]
    names += [
        "~delete-after:20269999T1159Z:1f0c2a9b x",
        "delete-after:20260720T1159Z:1f0c2a9b x",
        "~rotates:1f0c2a9b x",
    ]
    keys = [APIKey(id=f"k{number}", name=name, project_id="p1", roles=[]) for number, name in enumerate(names)]
    (text,) = find_texts(evolve(INVENTORY, api_keys=keys), "retired-key-overdue")
    assert text.startswith("API key writer (old) (k0) of project search was replaced")
    assert text.endswith("should have been deleted after 2026-07-20 11:59 UTC")


def test_a_temporary_or_retired_key_is_never_old_and_may_be_overdue() -> None:
    """The deletion time of a key counts, and not its age. The tag of a temporary key of another project is no tag."""
    overdue, alive, copied = (
        tag_as_temporary(project_id, NOW + timedelta(minutes=minutes), "5d2e8f01")
        for project_id, minutes in (("p1", -1), ("p1", 0), ("p2", -1))
    )
    kept = "~delete-after:20260720T1200Z:1f0c2a9b writer"
    keys = [
        APIKey(id=name, name=name, project_id="p1", roles=[], created_at=NOW - timedelta(days=91))
        for name in (overdue, alive, copied, kept)
    ]
    findings = evolve(INVENTORY, api_keys=keys, role_bindings=[]).access(max_key_age=timedelta(days=90)).findings
    found = [(each.kind, each.key_id) for each in findings if each.key_id]
    assert found == [("key-is-old", copied), ("retired-key-overdue", overdue)]
    assert findings[-1].text.endswith("is temporary and should have been deleted after 2026-07-20 11:59 UTC")


def test_every_kind_of_finding_is_a_slug() -> None:
    """The kinds of findings consist of words in lower case, joined by hyphens."""
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", kind) for kind in get_args(FindingKind))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_pending": 3}, PineconeTypeError),
        ({"max_pending": timedelta(days=-1)}, PineconeValueError),
        ({"max_key_age": 90.0}, PineconeTypeError),
        ({"max_key_age": timedelta()}, PineconeValueError),
        ({"max_key_age": timedelta.max}, PineconeValueError),
    ],
    ids=str,
)
def test_durations_are_timedeltas(options: dict[str, Any], error: type[Exception]) -> None:
    """A duration that is a number, or out of range, raises an error with the name of the argument."""
    with pytest.raises(error, match=next(iter(options))):
        INVENTORY.access(**options)


@pytest.mark.parametrize("part", ["users", "role_bindings", "projects"])
def test_unread_parts_cause_no_findings(part: str) -> None:
    """A list that could not be read is reported, and causes no finding about missing records."""
    poor = evolve(INVENTORY, unread=[Unread(part=part, project_id=None, error="500")])
    missing: dict[str, Any] = {part: []} | ({"api_keys": []} if part == "projects" else {})
    poor = evolve(poor, **missing)
    access = poor.access()
    text = f"the {part.replace('_', ' ')} (500)"
    assert access.unread == [text]
    silent = {"users": "principal-is-gone", "role_bindings": "service-account-without-roles"}
    if part in silent:
        assert silent[part] not in {each.kind for each in access.findings}
    assert not any("api_key" in each.text for each in access.findings)
    assert (access.findings[0].kind, access.findings[0].text) == ("could-not-be-read", text)
    assert text in access.to_html()
    assert text in access.to_markdown().replace("\\", "")


@pytest.mark.parametrize(("part", "kind", "id"), [("users", "user", "u2"), ("api_keys", "api_key", "k1")])
def test_principals_that_could_not_be_read_keep_their_roles(part: str, kind: str, id: str) -> None:
    """A principal that could not be read is listed by id, with the roles of its bindings."""
    missing: dict[str, Any] = {part: [], "unread": [Unread(part=part, project_id=None, error="403")]}
    poor = evolve(INVENTORY, **missing)
    rows = [row for row in poor.access().rows() if (row.principal_id, row.project_id) == (id, "p1")]
    assert [(row.principal_type, row.principal, row.level) for row in rows] == [(kind, id, "writes")]


def test_a_key_in_a_project_that_the_caller_does_not_see_is_not_gone() -> None:
    """A key is only missed in projects that the inventory lists; elsewhere it is listed by id."""
    elsewhere = make_binding("api_key", "k9", "ProjectViewer", "p9")
    access = evolve(INVENTORY, role_bindings=[*INVENTORY.role_bindings, elsewhere]).access()
    assert not any("k9" in each.text for each in access.findings)
    assert map_rows(access)["k9", "p9"] == ("reads", ["ProjectViewer"])
    missing = evolve(elsewhere, resource_id="p1")
    findings = evolve(INVENTORY, role_bindings=[missing]).access().findings
    assert "api_key k9 is in no list but has ProjectViewer" in {each.text for each in findings}


def make_hostile_access() -> Access:
    """Return the access of an organization whose names are hostile."""
    return evolve(
        INVENTORY,
        projects=[make_project("p1", HOSTILE), make_project("p2", "-2+3")],
        users=[User(id="u1", email=HOSTILE), User(id="u2", email="@SUM(A1)")],
        unread=[Unread(part="invites", project_id=None, error=HOSTILE)],
    ).access(max_owners=0 + 1)


def test_csv_has_no_formula() -> None:
    """No cell of the CSV begins like a formula."""
    rows = list(csv.reader(io.StringIO(make_hostile_access().to_csv())))
    assert rows[0] == ["principal_type", "principal_id", "principal", "project_id", "project", "level", "roles"]
    assert len(rows) == 1 + len(make_hostile_access().rows())
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert ["user", "u2", "'@SUM(A1)", "p1", f"'{HOSTILE}", "writes", "ProjectViewer DataPlaneEditor"] in rows


@pytest.mark.parametrize("name", NAMES)
def test_every_format_escapes_a_name(name: str) -> None:
    """A hostile name changes the number of neither rows nor cells, and remains readable."""
    projects = [make_project("p1", name), make_project("p2", "plain")]
    access = evolve(INVENTORY, projects=projects, users=[User(id="u1", email=name)]).access()
    rows = list(csv.reader(io.StringIO(access.to_csv(), newline="")))
    assert {len(row) for row in rows} == {7}
    assert not [cell for row in rows for cell in row if cell.lstrip(" ")[:1] in {*"=+-@\t\r\n\uff1d"}]
    table = [line for line in access.to_markdown().splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {6}
    assert len(table) == len(access.rows()) + 1
    bare = re.compile(r"(?<!\\)[`*\[@#$]|<|http:|www\.")
    assert not [line for line in table if bare.search(line)]
    assert json.loads(access.to_json())["access"][1]["project"] == name
    moving = {*"\u202e\u2066\x1b"}
    assert not moving & {*access.to_csv(), *access.to_markdown(), *access.to_html()}


def test_owners_are_not_multiplied_by_projects() -> None:
    """300 owners of 1,000 projects take less than 10 MB."""
    users = [User(id=f"u{number}", email=f"u{number}@example.com") for number in range(300)]
    projects = [make_project(f"p{number}", f"project-{number}") for number in range(1_000)]
    bindings = [make_binding("user", each.id, role) for each in users for role in ("OrgOwner", "OrgMember")]
    inventory = evolve(INVENTORY, users=users, projects=projects, role_bindings=bindings)
    tracemalloc.start()
    access = inventory.access()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert access.holders[299].roles["p999"] == ["OrgOwner"]
    assert peak < 10_000_000


def test_a_principal_of_an_unknown_kind_is_listed_by_id() -> None:
    """A principal of an unknown kind is listed by its id."""
    group = make_binding(Unlisted("group"), "g1", "ProjectEditor", "p1")
    access = evolve(INVENTORY, role_bindings=[*INVENTORY.role_bindings, group]).access()
    assert map_rows(access)["g1", "p1"] == ("writes", ["ProjectEditor"])
    assert "g1 <i>group</i>" in access.to_html()


def test_an_unlisted_project_is_shown_by_id() -> None:
    """A project that could not be read is shown by its id."""
    blind = evolve(INVENTORY, projects=[], unread=[Unread(part="projects", project_id=None, error="500")])
    assert '<tr><th>p1<td><span title="ProjectOwner">' in blind.access().to_html()


def test_markdown_has_no_markup_of_a_name() -> None:
    """Neither the table nor the findings contain the markup of a name, and the note about usage is there."""
    text = make_hostile_access().to_markdown()
    assert "<script>" not in text
    assert "cannot see usage" in text


def test_json_is_complete() -> None:
    """The JSON has all rows, findings and unread parts, and the note about usage."""
    data = json.loads(make_hostile_access().to_json())
    assert len(data["access"]) == len(make_hostile_access().rows())
    assert data["findings"]
    assert data["unread"] == [f"the invites ({HOSTILE})"]
    assert "cannot see usage" in data["note"]
