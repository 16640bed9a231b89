"""Who can do what: effective roles, findings, and the forms they are written in."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKey, Invite, Organization, Project, RoleBinding, ServiceAccount, Unlisted, User
from pinecone_admin.workflows import Access, Inventory, Unread
from tests.support.organizations import populate

NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)
HOSTILE = '=HYPERLINK("x")|<script>alert(1)</script>'


def project(id: str, name: str) -> Project:
    """Make a project."""
    return Project(id=id, name=name, max_pods=0, force_encryption_with_cmek=False, organization_id="o")


def binding(kind: Any, who: str, role: Any, on: str = "") -> RoleBinding:
    """Make a binding on a project, or on the organization."""
    return RoleBinding(
        id=f"{who}-{role}-{on}",
        principal_type=kind,
        principal_id=who,
        resource_type="project" if on else "organization",
        resource_id=on or "o",
        role=role,
        created_at=NOW,
    )


def invite(id: str, status: Any, days: int) -> Invite:
    """Make an invite of some age."""
    return Invite(id=id, email=f"{id}@example.com", status=status, created_at=NOW - timedelta(days=days))


def account(id: str) -> ServiceAccount:
    """Make a service account."""
    return ServiceAccount(id=id, name=f"robot-{id}", client_id="c", created_at=NOW, updated_at=NOW)


INVENTORY = Inventory(
    taken_at=NOW,
    organizations=[
        Organization(
            id="o", name="Acme", plan="Enterprise", payment_status="Active", created_at=NOW, support_tier="Enterprise"
        )
    ],
    projects=[project("p1", "search"), project("p2", "atlas")],
    api_keys=[
        APIKey(id="k1", name="reader", project_id="p1", roles=["DataPlaneViewer"]),
        APIKey(id="k2", name="writer", project_id="p2", roles=["ProjectEditor"]),
    ],
    users=[User(id="u1", email="ada@example.com"), User(id="u2", email="bob@example.com")],
    invites=[invite("new", "pending", 1), invite("old", "pending", 5), invite("gone", "expired", 9)],
    service_accounts=[account("s1"), account("s2"), account("s3")],
    role_bindings=[
        binding("user", "u1", "OrgOwner"),
        binding("user", "u2", "OrgMember"),
        binding("user", "u2", "ProjectViewer", "p1"),
        binding("user", "u2", "DataPlaneEditor", "p1"),
        binding("user", "u2", Unlisted("ProjectWizard"), "p2"),
        binding("invite", "new", "ProjectOwner", "p1"),
        binding("service_account", "s1", "OrgManager"),
        binding("service_account", "s2", "ProjectMember", "p2"),
        binding("api_key", "k1", "DataPlaneEditor", "p1"),
        binding("user", "u9", "ProjectEditor", "p1"),
    ],
)


def where(access: Access) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Give level and roles by principal and project."""
    return {(row.principal_id, row.project_id): (row.level, list(row.roles)) for row in access.rows()}


def test_effective_roles_are_the_union_of_all_bindings() -> None:
    """Owners of the organization reach every project; other roles on the organization reach none."""
    assert where(INVENTORY.access()) == {
        ("u1", ""): ("owns", ["OrgOwner"]),
        ("u1", "p1"): ("owns", ["OrgOwner"]),
        ("u1", "p2"): ("owns", ["OrgOwner"]),
        ("u2", ""): ("reads", ["OrgMember"]),
        ("u2", "p1"): ("writes", ["ProjectViewer", "DataPlaneEditor"]),
        ("u2", "p2"): ("unknown", ["ProjectWizard"]),
        ("new", "p1"): ("owns", ["ProjectOwner"]),
        ("s1", ""): ("writes", ["OrgManager"]),
        ("s2", "p2"): ("reads", ["ProjectMember"]),
        ("k1", "p1"): ("writes", ["DataPlaneEditor", "DataPlaneViewer"]),
        ("k2", "p2"): ("writes", ["ProjectEditor"]),
    }


def test_what_deserves_a_look_is_found() -> None:
    """Each in words, with its id."""
    assert [(each.kind, each.text) for each in INVENTORY.access(max_owners=1).findings] == [
        ("invite pending long", "invite for old@example.com (old) has been pending for 5 days"),
        ("invite expired", "invite for gone@example.com (gone) expired and was not withdrawn"),
        ("service account writes organization-wide", "service account robot-s1 (s1) is OrgManager"),
        ("service account without roles", "service account robot-s3 (s3) holds no role"),
        ("key is an editor", "API key 'writer' (k2) of project 'atlas' is ProjectEditor"),
        ("principal is gone", "user u9 does not exist, and holds ProjectEditor"),
    ]
    owners = evolve(INVENTORY, role_bindings=[binding("user", who, "OrgOwner") for who in ("u1", "u2")])
    (many,) = [each for each in owners.access(max_owners=1).findings if each.kind == "many owners"]
    assert many.text == "2 own the organization, more than 1: ada@example.com, bob@example.com"
    assert not any(each.kind == "many owners" for each in owners.access(max_owners=2).findings)
    assert not any("pending" in each.kind for each in INVENTORY.access(pending_days=5).findings)


@pytest.mark.parametrize("part", ["users", "role_bindings", "projects"])
def test_nothing_is_concluded_from_what_could_not_be_read(part: str) -> None:
    """A user is not gone because the list of users failed, nor an account without roles."""
    poor = evolve(INVENTORY, unread=[Unread(part=part, project_id=None, error="500")])
    missing: dict[str, Any] = {part: []} | ({"api_keys": []} if part == "projects" else {})
    poor = evolve(poor, **missing)
    access = poor.access()
    assert access.unread == [f"{part}: 500"]
    silent = {"users": "principal is gone", "role_bindings": "service account without roles"}
    if part in silent:
        assert silent[part] not in {each.kind for each in access.findings}
    assert not any("api_key" in each.text for each in access.findings)
    assert f"{part}: 500" in access.to_html()
    assert f"{part}: 500" in access.to_markdown().replace("\\", "")


def hostile() -> Access:
    """Give the access of an organization where somebody chose every name."""
    return evolve(
        INVENTORY,
        projects=[project("p1", HOSTILE), project("p2", "-2+3")],
        users=[User(id="u1", email=HOSTILE), User(id="u2", email="@SUM(A1)")],
        unread=[Unread(part="invites", project_id=None, error=HOSTILE)],
    ).access(max_owners=0 + 1)


def test_csv_holds_no_formula() -> None:
    """A spreadsheet shows the names, and runs none of them."""
    rows = list(csv.reader(io.StringIO(hostile().to_csv())))
    assert rows[0] == ["principal_type", "principal_id", "principal", "project_id", "project", "level", "roles"]
    assert len(rows) == 1 + len(hostile().rows())
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert ["user", "u2", "'@SUM(A1)", "p1", f"'{HOSTILE}", "writes", "ProjectViewer DataPlaneEditor"] in rows


def test_markdown_holds_no_markup_of_others() -> None:
    """A name with a pipe stays in its cell."""
    text = hostile().to_markdown()
    assert "<script>" not in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(table) == 1 + len(hostile().rows())
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {6}
    assert "cannot see usage" in text


def test_json_holds_everything() -> None:
    """With the same note that it cannot see usage."""
    data = json.loads(hostile().to_json())
    assert len(data["access"]) == len(hostile().rows())
    assert data["findings"]
    assert data["unread"] == [f"invites: {HOSTILE}"]
    assert "cannot see usage" in data["note"]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_the_page_runs_no_script_but_its_own_and_loads_nothing() -> None:
    """Whatever anything is named."""
    page = hostile().to_html()
    parser = _Tags()
    parser.feed(page)
    assert parser.tags.count("script") == 1
    assert not {"img", "link", "iframe", "object"} & set(parser.tags)
    assert not [name for name, _ in parser.attributes if name in {"src", "style"} or name.startswith("on")]
    assert [value for name, value in parser.attributes if name == "href"] == ["#wide"]
    assert "default-src 'none'" in page
    assert "cannot see usage" in page


chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")


def browse(page: str, folder: Path) -> str:
    """Open a page in a headless browser, and give what became of it and what its console said."""
    file = folder / "access.html"
    file.write_text(page, encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
    command = [
        "chromium",
        *flags.split(),
        "--enable-logging=stderr",
        f"--user-data-dir={folder}/profile",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "CONSOLE" not in done.stderr
    return done.stdout


@chromium
def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    """Its own policy lets its script run, which counts what is shown."""
    emulator = Emulator(seed=3)
    populate(emulator, projects=25, users=12)
    page = emulator.admin().inventory().access().to_html()
    assert 'class="many"' in page.replace("=many", '="many"')
    assert browse(page, tmp_path).count("aria-sort") == page.count("aria-sort")


@chromium
def test_a_filter_leaves_the_answer(tmp_path: Path) -> None:
    """Who may write in one project: the rows and columns that answer it, and no other."""
    page = INVENTORY.access().to_html()
    asking = page.replace("\nfilter();\n", f"\n{_ASK}\n").replace('http-equiv="Content-Security-Policy"', "")
    (answer,) = re.findall(r"<output[^>]*>(.*?)</output>", browse(asking, tmp_path))
    assert json.loads(unescape(answer)) == [
        ["who", "organization", "search"],
        ["ada@example.com", "OrgOwner", "owns"],
        ["bob@example.com", "OrgMember", "writes"],
        ["new@example.com invited", "", "owns"],
    ]


_ASK = """
at("project").value = "search"; at("level").value = "2"; filter();
const shown = list => [...list].filter(each => !each.hidden);
at("count").textContent = JSON.stringify(shown(matrix.rows).map(row => shown(row.cells).map(cell => cell.innerText)));
"""
