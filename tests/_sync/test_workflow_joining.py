# Derived from tests/_async/test_workflow_joining.py by scripts/unasync.py: change that, not this file.
"""Nobody is missed who accepts an invite while a workflow reads who is in the organization."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pinecone_admin import Admin, RefusedError, on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import DesiredState
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
ROLES = [on_organization("OrgManager")]


def describe(emulator: Emulator, **person: object) -> DesiredState:
    """Return a desired state with Ada alone."""
    people = [{"email": ADA, **person}]
    return DesiredState.from_dict({"organization": emulator.organization_id, "people": people})


def join(emulator: Emulator) -> None:
    """Make Ada a member whose role bindings are not those of the invite, which is gone."""
    with emulator.admin() as other:
        other.invites.delete(invite_id=other.invites.describe_by_email(email=ADA).id)
    emulator.add_user(ADA, roles=["OrgMember", "OrgManager"])


def take_inventory(admin: Admin, _: Emulator) -> None:
    """Ada is in one of the lists, and only there."""
    inventory = admin.inventory()
    emails = [*(each.email for each in inventory.users), *(each.email for each in inventory.invites)]
    assert emails.count(ADA) == 1
    assert [(each.principal, each.roles) for each in inventory.access().rows() if each.principal == ADA] == [
        (ADA, ["OrgManager"])
    ]
    assert [each.roles for each in inventory.to_desired_state().people or () if each.name == ADA] == [["OrgManager"]]


def plan(admin: Admin, emulator: Emulator) -> None:
    """Ada is not invited: she has the roles, or is granted what a list of role bindings lacks."""
    planned = admin.plan(describe(emulator, roles=["OrgManager"], keep_other_roles=True))
    assert {each.action for each in planned.changes} <= {"grant"}
    assert planned.stopped == []


def offboard(admin: Admin, _: Emulator) -> None:
    """A dry run finds Ada, with one thing to delete."""
    report = admin.users.offboard(email=ADA)
    assert len(report.steps) == 1


def plan_offboarding(admin: Admin, _: Emulator) -> None:
    """Ada is in the plan, with one thing to delete."""
    planned = admin.users.offboard_many(emails=[ADA])
    assert [len(each.steps) for each in planned.reports] == [1]


def ensure(admin: Admin, _: Emulator) -> None:
    """Ada is found, and not invited."""
    assert not (admin.users.ensure(email=ADA, role_bindings=ROLES)).created


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize("work", [take_inventory, plan, offboard, plan_offboarding, ensure])
def test_who_joins_meanwhile_is_found(emulator: Emulator, work: Callable[[Admin, Emulator], None], number: int) -> None:
    """Whichever request is next when a person joins, a workflow that reads users and invites finds the person."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        invite = admin.invites.create(email=ADA, role_bindings=ROLES)
        transport.requests.clear()
        transport.before_request = lambda: (
            emulator.accept_invite(invite.id) if len(transport.requests) == number else None
        )
        work(admin, emulator)
        assert transport.requests.count("GET /admin/users") > 0


@pytest.mark.parametrize("number", range(1, 10))
def test_who_joins_before_a_plan_is_applied_is_changed_as_it_says(emulator: Emulator, number: int) -> None:
    """Whichever request of apply is next when a person joins, no change is refused, and the next plan is empty."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        invite = admin.invites.create(email=ADA, role_bindings=ROLES)
        desired = describe(emulator, roles=["OrgManager", "OrgBillingAdmin"])
        planned = admin.plan(desired)
        transport.requests.clear()
        transport.before_request = lambda: (
            emulator.accept_invite(invite.id) if len(transport.requests) == number else None
        )
        report = admin.apply(planned)
        assert [each.state for each in report.steps] == ["done"]
        assert (admin.plan(desired)).changes == []


@pytest.mark.parametrize("person", [{"absent": True}, {"roles": ["OrgMember"]}])
def test_what_a_plan_takes_from_an_invite_is_not_said_to_be_gone_if_the_person_has_joined(
    emulator: Emulator, person: dict[str, object]
) -> None:
    """If the person joins just before the invite is deleted, or loses a role that the member gets, the step fails."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        roles = [on_organization("OrgMember"), *ROLES]
        invite = admin.invites.create(email=ADA, role_bindings=roles)
        desired = describe(emulator, **person)
        planned = admin.plan(desired)

        transport.before_request = lambda: (
            join(emulator) if transport.requests[-1].startswith("DELETE") and [*emulator.state.open_invites] else None
        )
        report = admin.apply(planned)
        [step] = report.steps
        assert (step.state, f"{invite.id}) no longer existed, and there is now user {ADA}" in str(step)) == (
            "failed",
            True,
        )
        assert len((admin.apply(admin.plan(desired))).done) == 1
        assert (admin.plan(desired)).changes == []


def test_a_role_of_an_invite_is_not_said_to_be_revoked_if_the_person_has_joined(emulator: Emulator) -> None:
    """If the person gets the role as a member just before it is revoked, ensure raises."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        admin.invites.create(email=ADA, role_bindings=[on_organization("OrgMember"), *ROLES])

        def ensure_member() -> None:
            wanted = [on_organization("OrgMember")]
            admin.users.ensure(email=ADA, role_bindings=wanted, revoke_unlisted=True)

        transport.before_request = lambda: (
            join(emulator) if transport.requests[-1].startswith("DELETE") and [*emulator.state.open_invites] else None
        )
        with raises(
            RefusedError,
            match="role OrgManager of invite for ada@example.com .* no longer existed, and there is now user ada",
        ):
            ensure_member()
        ensure_member()
        member = admin.users.describe_by_email(email=ADA)
        held = admin.role_bindings.list(principal_type="user", principal_id=member.id).to_list()
        assert [each.role for each in held] == ["OrgMember"]


@pytest.mark.parametrize("number", range(1, 10))
def test_who_joins_before_a_plan_of_people_is_applied_is_not_said_to_be_gone(emulator: Emulator, number: int) -> None:
    """Whichever request is next when a person joins, the person is removed, or is left with a reason."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        invite = admin.invites.create(email=ADA, role_bindings=ROLES)
        planned = admin.users.offboard_many(emails=[ADA])
        transport.requests.clear()
        transport.before_request = lambda: (
            emulator.accept_invite(invite.id) if len(transport.requests) == number else None
        )
        report = admin.users.offboard_many(plan=planned)
        transport.before_request = lambda: None
        is_there = bool(admin.users.list(email=ADA).to_list())
        assert is_there == bool(report.left)


def test_who_is_invited_again_and_joins_is_not_said_to_be_gone(emulator: Emulator) -> None:
    """If an invite is gone, and the person accepts another one between the lists, the run raises and has the user."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin, emulator.admin() as other:
        invite = admin.invites.create(email=ADA, role_bindings=ROLES)
        transport.requests.clear()

        def replace() -> None:
            if transport.requests[-1].startswith("DELETE"):
                emulator.state.remove_invite(emulator.state.invites[invite.id])
                emulator.admin().invites.create(email=ADA, role_bindings=ROLES)
            elif transport.requests[-2].startswith("GET /admin/invites") and len(transport.requests) > 3:
                for each in emulator.state.find_open_invites(ADA):
                    emulator.accept_invite(each.id)

        transport.before_request = replace
        with raises(RefusedError, match="there is now"):
            admin.users.offboard(email=ADA, dry_run=False)
        assert [each.email for each in other.users.list(email=ADA)] == [ADA]
