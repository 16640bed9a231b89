"""The page on reviewing access lists every kind of finding, and its programs find every new owner."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from pinecone_admin import Admin, on_organization
from pinecone_admin.testing import emulate
from pinecone_admin.workflows.findings import FindingKind
from tests.cli.command_line import run
from tests.support.recipes import list_blocks, read_page

PAGE = read_page("docs/how-to/review-access.md")


def test_page_lists_every_kind_of_finding() -> None:
    """The table of findings has each kind once."""
    rows = re.findall(r"^\| (`[a-z`, -]+`) \|", PAGE, re.MULTILINE)
    listed = [kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row)]
    assert sorted(listed) == sorted(get_args(FindingKind))


def test_a_new_owner_is_found_however_they_became_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program and the query of the page name a user with a new role, and one who accepted an invite as an owner."""
    (program,) = [each.text for each in list_blocks("docs/how-to/review-access.md") if "new owners" in each.text]
    (line,) = re.findall(r"`(diff [^`]+ --query [^`]+)`", PAGE)
    monkeypatch.chdir(tmp_path)
    with emulate() as emulator, Admin() as admin:
        ada, _ = emulator.add_user("ada@example.com"), emulator.add_user("dan@example.com")
        invites = [
            admin.invites.create(email="bob@example.com", role_bindings=[on_organization("OrgOwner")]),
            admin.invites.create(email="eve@example.com", role_bindings=[on_organization("OrgMember")]),
        ]
        exec(program, {"__name__": "docs"})
        run("inventory", "--out", "inventory.json")
        admin.role_bindings.create(
            principal_type="user", principal_id=ada.id, resource_type="organization", role="OrgOwner"
        )
        bob, _ = [emulator.accept_invite(each.id) for each in invites]
        run("inventory", "--out", "next.json")
        capsys.readouterr()
        exec(program, {"__name__": "docs"})
        queried = run(*shlex.split(line)).json
    expected = [f"OrgOwner for user {each.email} ({each.id}) on the organization" for each in (ada, bob)]
    assert capsys.readouterr().out.endswith(f"\nnew owners: {' '.join(expected)}\n")
    assert sorted(queried) == expected
