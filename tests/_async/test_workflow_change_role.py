"""Change a role: the new one is granted before the old one is taken away."""

from __future__ import annotations

from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
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


def meeting(emulator: Emulator, faults: dict[int, InjectedFault], **options: Any) -> tuple[AsyncAdmin, FaultyTransport]:
    """Make a client whose requests meet fates, by their numbers."""
    transport = FaultyTransport(emulator, faults)
    return AsyncAdmin(**transport.client_options, **options), transport


async def a_manager(admin: AsyncAdmin) -> dict[str, Any]:
    """Make a service account that manages the organization, and give what names its role."""
    made = await admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgManager")])
    return {
        "principal_type": "service_account",
        "principal_id": made.service_account.id,
        "resource_type": "organization",
    }


async def roles(admin: AsyncAdmin, principal: dict[str, Any]) -> list[str]:
    """Give the roles of a principal."""
    who = {key: principal[key] for key in ("principal_type", "principal_id")}
    return [binding.role async for binding in admin.role_bindings.list(**who)]


async def test_the_new_role_is_granted_before_the_old_one_goes(emulator: Emulator) -> None:
    """Never the reverse: nobody is without a role in between."""
    admin, transport = meeting(emulator, {})
    who = await a_manager(admin)
    change = await admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
    assert change.steps == ["granted OrgMember", "took OrgManager away"]
    assert [request.split()[0] for request in transport.requests if "role-bind" in request][-2:] == ["POST", "DELETE"]
    assert await roles(admin, who) == ["OrgMember"]


async def test_a_change_that_was_done_is_a_success(admin: AsyncAdmin) -> None:
    """And nothing is done."""
    who = await a_manager(admin)
    for steps in (2, 0):
        change = await admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
        assert (len(change.steps), change.binding.role) == (steps, "OrgMember")


async def test_a_new_role_that_is_held_already_is_a_success(admin: AsyncAdmin) -> None:
    """Only the old one is left to take away."""
    who = await a_manager(admin)
    await admin.role_bindings.create(**who, role="OrgMember")
    change = await admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
    assert change.steps == ["took OrgManager away"]
    assert await roles(admin, who) == ["OrgMember"]


async def test_nobody_gets_a_role_in_place_of_one_they_do_not_hold(admin: AsyncAdmin) -> None:
    """A slip in the name of the old role grants nothing."""
    who = await a_manager(admin)
    with raises(NotFoundError, match="holds neither"):
        await admin.role_bindings.change_role(**who, from_role="OrgBillingAdmin", to_role="OrgOwner")
    with raises(PineconeValueError):
        await admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgManager")
    assert await roles(admin, who) == ["OrgManager"]


async def the_last_owner(emulator: Emulator) -> dict[str, Any]:
    """Give what names the only owner."""
    (account,) = emulator.state.service_accounts.listing
    return {"principal_type": "service_account", "principal_id": account.id, "resource_type": "organization"}


async def test_where_the_old_role_cannot_go_the_new_one_does_not_stay(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The last owner stays the owner, and nothing else."""
    who = await the_last_owner(emulator)
    with raises(ConflictError):
        await admin.role_bindings.change_role(**who, from_role="OrgOwner", to_role="OrgMember")
    assert await roles(admin, who) == ["OrgOwner"]


async def test_a_role_that_was_held_before_stays_when_the_change_fails(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Only what this call granted is taken away again."""
    who = await the_last_owner(emulator)
    await admin.role_bindings.create(**who, role="OrgMember")
    with raises(ConflictError):
        await admin.role_bindings.change_role(**who, from_role="OrgOwner", to_role="OrgMember")
    assert sorted(await roles(admin, who)) == ["OrgMember", "OrgOwner"]


async def test_a_new_role_that_could_not_be_taken_away_again_is_named(emulator: Emulator) -> None:
    """After the refusal of the old one."""
    who = await the_last_owner(emulator)
    admin, _ = meeting(emulator, dict.fromkeys(range(5, 20), InjectedFault.UNAVAILABLE))
    with raises(LeftoverError, match="role binding"):
        await admin.role_bindings.change_role(**who, from_role="OrgOwner", to_role="OrgMember")


async def test_both_roles_stay_where_it_is_unknown_whether_the_old_one_went(emulator: Emulator) -> None:
    """Then only another run can tell, and it takes the rest away."""
    who = await a_manager(emulator.async_admin())
    admin, _ = meeting(emulator, {4: InjectedFault.REQUEST_LOST}, retry=RetryPolicy(max_attempts=1))
    with raises(PineconeConnectionError):
        await admin.role_bindings.change_role(**who, from_role="OrgManager", to_role="OrgMember")
    assert sorted(await roles(admin, who)) == ["OrgManager", "OrgMember"]
