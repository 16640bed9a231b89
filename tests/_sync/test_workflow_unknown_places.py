# Derived from tests/_async/test_workflow_unknown_places.py by scripts/unasync.py: change that, not this file.
"""A role on a resource of a type that this release does not know is no role on the organization, and is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import Admin, PineconeValueError, on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal, UserRecord
from pinecone_admin.workflows import ChangePlan, DesiredState
from pinecone_admin.workflows.resources import DisplayNames
from tests.support.errors import raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport
from tests.support.steps import describe_steps

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


@pytest.fixture
def ada(emulator: Emulator) -> UserRecord:
    """Return a member who also has roles on two indexes, one of them of the name of a role on the organization."""
    user = emulator.add_user(ADA)
    give_roles_on_indexes(emulator, Principal("user", user.id))
    return user


def give_roles_on_indexes(emulator: Emulator, holder: Principal) -> None:
    """Give two roles of one name, and one more."""
    grants = [
        Grant("OrgOwner", "index", "i-1"),
        Grant("IndexReader", "index", "i-1"),
        Grant("IndexReader", "index", "i-2"),
    ]
    emulator.state.bind(holder, grants, emulator.clock.now())


def list_held(emulator: Emulator, holder: Principal) -> list[str]:
    """Return the roles of a principal, each with the type of its resource."""
    return sorted(
        f"{each.grant.role} {each.grant.resource_type}" for each in emulator.state.role_bindings.held_by(holder)
    )


def plan(admin: Admin, emulator: Emulator, **person: Any) -> ChangePlan:
    """Plan a file that lists people."""
    items = [{"email": "owner@example.com", "roles": ["OrgOwner"]}, {"email": ADA, **person}]
    return admin.plan(DesiredState.from_dict({"organization": emulator.organization_id, "people": items}))


def test_a_plan_leaves_such_roles_alone_and_says_so(admin: Admin, emulator: Emulator, ada: UserRecord) -> None:
    """Only what a file can express is compared."""
    planned = plan(admin, emulator, roles=["OrgManager"])
    assert [str(each) for each in planned.changes] == [
        f"grant OrgManager on the organization to user {ADA} ({ada.id})",
        f"revoke OrgMember on the organization from user {ADA} ({ada.id})",
    ]
    (note,) = [each for each in planned.notes if ADA in each]
    assert "IndexReader on index i-1, IndexReader on index i-2, OrgOwner on index i-1 cannot be expressed" in note
    admin.apply(planned)
    kept = ["IndexReader index", "IndexReader index", "OrgManager organization", "OrgOwner index"]
    assert list_held(emulator, Principal("user", ada.id)) == kept
    assert not (plan(admin, emulator, roles=["OrgManager"], keep_other_roles=True)).notes


def test_an_export_names_such_roles_and_keeps_them(admin: Admin, ada: UserRecord) -> None:
    """The file has the other roles, and leaves these to the organization."""
    desired = (admin.inventory()).to_desired_state()
    (person,) = [each for each in desired.people or () if each.name == ada.email]
    assert (list(person.roles or ()), person.keep_other_roles) == (["OrgMember"], True)
    assert any("IndexReader on index i-1" in each and "which a file cannot have" in each for each in desired.notes)
    assert not (admin.plan(desired)).changes


def test_such_a_role_is_none_on_the_organization_for_the_guards(
    admin: Admin, emulator: Emulator, ada: UserRecord
) -> None:
    """A member needs a role on the organization itself, and an owner of an index does not own the organization."""
    planned = plan(admin, emulator, roles=[])
    assert [each.split(" would ")[1].split(",")[0] for each in planned.refusals] == ["lose every role; to remove it"]
    report = admin.users.offboard(email="owner@example.com", dry_run=True)
    assert "is the last user who is an OrgOwner" in (report.refusal or "")
    access = (admin.inventory()).access()
    assert [each.is_owner for each in access.holders if each.id == ada.id] == [False]


def test_an_update_of_an_account_leaves_such_roles_alone(admin: Admin, emulator: Emulator) -> None:
    """``revoke_unlisted`` revokes what could have been listed."""
    made = admin.service_accounts.create(name="s", role_bindings=[on_organization("OrgMember")])
    holder = Principal("service_account", made.service_account.id)
    give_roles_on_indexes(emulator, holder)
    before = list_held(emulator, holder)
    updated = admin.service_accounts.ensure(
        name="s",
        role_bindings=[on_organization("OrgMember")],
        on_difference="update",
        revoke_unlisted=True,
    )
    findings = (admin.inventory()).access().findings
    assert not [each for each in findings if each.principal_id == holder.id]
    assert (updated.differences, describe_steps(updated.steps), list_held(emulator, holder)) == ([], [], before)


def test_no_workflow_gives_or_changes_such_a_role(admin: Admin, make_client: Callable[..., Admin]) -> None:
    """It would become one on the organization."""
    unknown: Any = {"resource_type": "index", "resource_id": "i-1"}
    wanted: Any = unknown | {"role": "IndexReader"}
    held = unknown | {"id": "b", "principal_type": "user", "principal_id": "u", "role": "OrgOwner"}
    why = "must be organization or project, because a workflow grants no other roles"
    with raises(PineconeValueError, rf"role_bindings\[0\]: resource_type {why}"):
        admin.service_accounts.ensure(name="new", role_bindings=[wanted])
    script = ScriptedTransport(ScriptedResponse(body={"data": [held | {"created_at": "2026-01-01T00:00:00Z"}]}))
    with raises(PineconeValueError, f"resource_type {why}"):
        make_client(script).role_bindings.change_role(
            principal_type="user", principal_id="u", **unknown, from_role="OrgOwner", to_role=wanted["role"]
        )
    assert [request.method for request in script.requests] == ["GET"]


def test_such_a_role_is_described_with_its_resource(admin: Admin, ada: UserRecord) -> None:
    """A report does not say that it is on the organization."""
    inventory = admin.inventory()
    described = [DisplayNames(inventory).describe(each) for each in inventory.role_bindings]
    assert f"OrgOwner for user {ADA} ({ada.id}) on index i-1" in described
