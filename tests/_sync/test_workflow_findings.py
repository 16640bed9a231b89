# Derived from tests/_async/test_workflow_findings.py by scripts/unasync.py: change that, not this file.
"""Findings: what docs/how-to/review-access.md advises on one ends it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest

from pinecone_admin import Admin, on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.models import PrincipalType
from pinecone_admin.workflows import Access, Finding, Waiver
from pinecone_admin.workflows.findings import FindingKind

pytestmark = pytest.mark.anyio

DAY = 86_400


def cause_all_findings(admin: Admin, emulator: Emulator) -> None:
    """Leave what each kind of finding is about: an invite and a key from 8 days ago, all else from 4 days ago."""
    emulator.add_user("second@example.com", roles=["OrgOwner"])
    member = on_organization("OrgMember")
    admin.invites.create(email="expired@example.com", role_bindings=[member])
    search = admin.projects.create(name="search")
    admin.api_keys.create(project_id=search.id, name="reader", roles=["DataPlaneViewer"])
    emulator.clock.advance(4 * DAY)
    admin.invites.create(email="pending@example.com", role_bindings=[member])
    web = (admin.api_keys.create(project_id=search.id, name="web", roles=["DataPlaneViewer"])).key
    admin.api_keys.rotate(api_key_id=web.id, store=list[object]().append, keep_old_for=timedelta(days=1))
    admin.api_keys.create(project_id=search.id, name="writer")
    admin.service_accounts.create(name="idle")
    admin.service_accounts.create(name="ci", role_bindings=[on_organization("OrgOwner")])
    gone, role = (
        Principal("user", emulator.state.new_id()),
        Grant("OrgMember", "organization", emulator.organization_id),
    )
    emulator.state.bind(gone, [role], emulator.clock.now())
    closed = admin.projects.create(name="closed")
    emulator.faults.add("list_project_api_keys", id=closed.id, status=403)
    emulator.clock.advance(4 * DAY)


def demote(admin: Admin, principal_type: PrincipalType, principal_id: str) -> None:
    """Make an owner of the organization a member."""
    admin.role_bindings.change_role(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type="organization",
        from_role="OrgOwner",
        to_role="OrgMember",
    )


def follow_advice(admin: Admin, finding: Finding, waivers: list[Waiver]) -> None:
    """Do what the page advises, or add a waiver; what could not be read is read again anyhow."""
    principal_id, key_id = str(finding.principal_id), str(finding.key_id)
    match finding.kind:
        case "many-owners":
            demote(admin, "user", (admin.users.describe_by_email(email="second@example.com")).id)
        case "invite-pending-long" | "invite-expired":
            admin.invites.resend(invite_id=principal_id)
        case "service-account-without-roles":
            admin.service_accounts.delete(service_account_id=principal_id)
        case "service-account-owns-organization":
            demote(admin, "service_account", principal_id)
        case "key-has-project-editor":
            admin.api_keys.update(api_key_id=key_id, roles=["DataPlaneEditor"])
        case "key-is-old":
            store, week = list[object]().append, timedelta(days=7)
            admin.api_keys.rotate(api_key_id=key_id, store=store, keep_old_for=week)
        case "key-age-unknown":
            waivers.append(Waiver(kind=finding.kind, key_id=key_id, reason="rotated", until=date(9999, 1, 1)))
        case "retired-key-overdue":
            admin.api_keys.delete_retired()
        case "principal-is-gone":
            (binding,) = [each for each in admin.role_bindings.list() if each.principal_id == principal_id]
            admin.role_bindings.delete(role_binding_id=binding.id)


def review(admin: Admin) -> Access:
    """Review the organization."""
    return (admin.inventory()).access(max_owners=3, max_key_age=timedelta(days=5))


def test_a_gate_beside_the_nightly_rotation_passes_every_night(admin: Admin, emulator: Emulator) -> None:
    """With a limit just above that of the rotation, the gate finds no key, also while an old key is in its overlap."""
    project = admin.projects.create(name="search")
    admin.api_keys.create(project_id=project.id, name="reader", roles=["DataPlaneViewer"])
    emulator.configure(token_lifetime=99 * DAY)
    emulator.clock.advance(88 * DAY)
    counts: list[int] = []
    for _ in range(12):
        emulator.clock.advance(DAY)
        admin.api_keys.rotate_due(
            older_than=timedelta(days=90), keep_old_for=timedelta(days=7), store=list[object]().append
        )
        inventory = admin.inventory()
        findings = inventory.access(max_key_age=timedelta(days=91)).findings
        assert [each for each in findings if each.key_id] == []
        counts.append(len(inventory.api_keys))
    assert sorted({*counts}) == [1, 2]


@pytest.mark.parametrize("key_created_at", [True, False])
def test_the_advice_on_a_finding_ends_it(admin: Admin, emulator: Emulator, *, key_created_at: bool) -> None:
    """After the remedy on the page, the review no longer finds the finding, so a job that fails on it passes again."""
    emulator.configure(key_created_at=key_created_at, token_lifetime=9 * DAY)
    cause_all_findings(admin, emulator)
    caller = admin.service_accounts.describe_by_name(name="emulator")
    found = [each for each in (review(admin)).findings if each.principal_id != caller.id]
    expected = set(get_args(FindingKind)) - ({"key-age-unknown"} if key_created_at else set())
    assert {each.kind for each in found} == expected
    waivers: list[Waiver] = []
    for finding in found:
        follow_advice(admin, finding, waivers)
        left = [(each.kind, each.principal_id) for each in (review(admin)).accept(waivers).open]
        assert (finding.kind, finding.principal_id) not in left
