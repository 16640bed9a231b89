# Derived from tests/_async/test_workflow_change_role.py by scripts/unasync.py: change that, not this file.
"""Change a role: the new one is granted before the old one is taken away."""

from __future__ import annotations

from typing import Any

import pytest

from pinecone_admin import (
    Admin,
    ConflictError,
    LeftoverError,
    NotFoundError,
    PineconeConnectionError,
    PineconeValueError,
    RetryPolicy,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault

pytestmark = pytest.mark.anyio


def meeting(emulator: Emulator, faults: dict[int, InjectedFault], **options: Any) -> tuple[Admin, FaultyTransport]:
    """Make a client whose requests meet fates, by their numbers."""
    transport = FaultyTransport(emulator, faults)
    return Admin(**transport.client_options, **options), transport


def a_manager(admin: Admin) -> dict[str, Any]:
    """Make a service account that manages the organization, and give what names its role."""
    made = admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgManager")])
    return {
        "principal_type": "service_account",
        "principal_id": made.service_account.id,
        "resource_type": "organization",
    }


def roles(admin: Admin, principal: dict[str, Any]) -> list[str]:
    """Give the roles of a principal."""
    who = {key: principal[key] for key in ("principal_type", "principal_id")}
    return [binding.role for binding in admin.role_bindings.list(**who)]


def test_the_new_role_is_granted_before_the_old_one_goes(emulator: Emulator) -> None:
    """Never the reverse: nobody is without a role in between."""
    admin, transport = meeting(emulator, {})
    who = a_manager(admin)
    change = admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
    assert change.steps == ["granted OrgMember", "took OrgManager away"]
    assert [request.split()[0] for request in transport.requests if "role-bind" in request][-2:] == ["POST", "DELETE"]
    assert roles(admin, who) == ["OrgMember"]


def test_a_change_that_was_done_is_a_success(admin: Admin) -> None:
    """And nothing is done."""
    who = a_manager(admin)
    for steps in (2, 0):
        change = admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
        assert (len(change.steps), change.binding.role) == (steps, "OrgMember")


def test_a_new_role_that_is_held_already_is_a_success(admin: Admin) -> None:
    """Only the old one is left to take away."""
    who = a_manager(admin)
    admin.role_bindings.create(**who, role="OrgMember")
    change = admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
    assert change.steps == ["took OrgManager away"]
    assert roles(admin, who) == ["OrgMember"]


def test_nobody_gets_a_role_in_place_of_one_they_do_not_hold(admin: Admin) -> None:
    """A slip in the name of the old role grants nothing."""
    who = a_manager(admin)
    with raises(NotFoundError, match="holds neither"):
        admin.role_bindings.change_role(**who, from_role="OrgBillingAdmin", to_role="OrgOwner")
    with raises(PineconeValueError):
        admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgManager")
    assert roles(admin, who) == ["OrgManager"]


def the_last_owner(emulator: Emulator) -> dict[str, Any]:
    """Give what names the only owner."""
    (account,) = emulator.state.service_accounts.listing
    return {"principal_type": "service_account", "principal_id": account.id, "resource_type": "organization"}


def test_where_the_old_role_cannot_go_the_new_one_does_not_stay(admin: Admin, emulator: Emulator) -> None:
    """The last owner stays the owner, and nothing else."""
    who = the_last_owner(emulator)
    with raises(ConflictError):
        admin.role_bindings.change_role(**who, from_role="OrgOwner", to_role="OrgMember")
    assert roles(admin, who) == ["OrgOwner"]


def test_a_role_that_was_held_before_stays_when_the_change_fails(admin: Admin, emulator: Emulator) -> None:
    """Only what this call granted is taken away again."""
    who = the_last_owner(emulator)
    admin.role_bindings.create(**who, role="OrgMember")
    with raises(ConflictError):
        admin.role_bindings.change_role(**who, from_role="OrgOwner", to_role="OrgMember")
    assert sorted(roles(admin, who)) == ["OrgMember", "OrgOwner"]


def test_a_new_role_that_could_not_be_taken_away_again_is_named(emulator: Emulator) -> None:
    """After the refusal of the old one."""
    who = the_last_owner(emulator)
    admin, _ = meeting(emulator, dict.fromkeys(range(5, 20), InjectedFault.UNAVAILABLE))
    with raises(LeftoverError, match="role binding"):
        admin.role_bindings.change_role(**who, from_role="OrgOwner", to_role="OrgMember")


def test_both_roles_stay_where_it_is_unknown_whether_the_old_one_went(emulator: Emulator) -> None:
    """Then only another run can tell, and it takes the rest away."""
    who = a_manager(emulator.admin())
    admin, _ = meeting(emulator, {4: InjectedFault.REQUEST_LOST}, retry=RetryPolicy(max_attempts=1))
    with raises(PineconeConnectionError):
        admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
    assert sorted(roles(admin, who)) == ["OrgManager", "OrgMember"]
