"""Changing a role: the new role is granted before the old one is revoked."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    ConflictError,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeConnectionError,
    PineconeError,
    PineconeValueError,
    RefusedError,
    RetryPolicy,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Principal
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault
from tests.support.steps import describe_roles, describe_steps

pytestmark = pytest.mark.anyio


async def create_manager(admin: AsyncAdmin) -> dict[str, Any]:
    """Create a service account that is OrgManager, and return the arguments that identify it."""
    made = await admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgManager")])
    return {
        "principal_type": "service_account",
        "principal_id": made.service_account.id,
        "resource_type": "organization",
    }


async def list_roles(admin: AsyncAdmin, principal: dict[str, Any]) -> list[str]:
    """Return the roles of a principal."""
    arguments = {key: principal[key] for key in ("principal_type", "principal_id")}
    return [binding.role async for binding in admin.role_bindings.list(**arguments)]


async def test_the_new_role_is_granted_before_the_old_one_is_revoked(emulator: Emulator) -> None:
    """A principal has at least one of both roles at any time."""
    transport = FaultyTransport(emulator)
    admin = transport.async_admin()
    principal = await create_manager(admin)
    change = await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    who = f"service account {principal['principal_id']}"
    assert describe_steps(change.steps) == [
        f"granted OrgMember on the organization to {who}",
        f"revoked OrgManager on the organization from {who}",
    ]
    assert [request.split()[0] for request in transport.requests if "role-bind" in request][-2:] == ["POST", "DELETE"]
    assert await list_roles(admin, principal) == ["OrgMember"]


async def test_a_completed_change_is_a_success(admin: AsyncAdmin) -> None:
    """Repeating a completed change does nothing."""
    principal = await create_manager(admin)
    for steps in (2, 0):
        change = await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
        assert (len(change.steps), change.binding.role) == (steps, "OrgMember")


async def test_an_existing_new_role_is_a_success(admin: AsyncAdmin) -> None:
    """Where the new role exists already, only the old one is revoked."""
    principal = await create_manager(admin)
    await admin.role_bindings.create(**principal, role="OrgMember")
    change = await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    assert describe_roles(change.steps) == [("revoke", ["OrgManager"])]
    assert await list_roles(admin, principal) == ["OrgMember"]


async def test_changing_a_role_that_is_not_held_raises(admin: AsyncAdmin) -> None:
    """Changing a role that the principal does not hold raises, and grants nothing."""
    principal = await create_manager(admin)
    with raises(NotFoundError, match="holds neither") as caught:
        await admin.role_bindings.change_role(**principal, from_role="OrgBillingAdmin", to_role="OrgOwner")
    assert (caught.value.status_code, caught.value.outcome) == (None, "not_sent")
    with raises(PineconeValueError):
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgManager")
    assert await list_roles(admin, principal) == ["OrgManager"]


async def test_a_failed_revoke_rolls_the_grant_back(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Where the old role cannot be revoked, the new role is revoked again."""
    principal = await create_manager(admin)
    emulator.faults.add("delete_role_binding", status=409)
    with raises(ConflictError):
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    assert await list_roles(admin, principal) == ["OrgManager"]


async def test_a_failed_revoke_keeps_an_existing_new_role(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A failed change revokes only a role that it granted."""
    principal = await create_manager(admin)
    await admin.role_bindings.create(**principal, role="OrgMember")
    emulator.faults.add("delete_role_binding", status=409)
    with raises(ConflictError):
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    assert sorted(await list_roles(admin, principal)) == ["OrgManager", "OrgMember"]


async def test_a_failed_rollback_names_the_role_binding(emulator: Emulator) -> None:
    """The error of a failed rollback names the role binding that remains."""
    principal = await create_manager(emulator.async_admin())
    faults = {5: InjectedFault.BAD_REQUEST, **dict.fromkeys(range(6, 20), InjectedFault.UNAVAILABLE)}
    admin = FaultyTransport(emulator, faults).async_admin()
    with raises(LeftoverError, match="role binding"):
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")


@pytest.mark.parametrize("dry_run", [False, True])
async def test_the_last_owner_loses_no_role(emulator: Emulator, *, dry_run: bool) -> None:
    """The last user who is an owner is found before the first change."""
    (user,) = emulator.state.users.listing
    principal: dict[str, Any] = {"principal_type": "user", "principal_id": user.id, "resource_type": "organization"}
    change: dict[str, Any] = {"from_role": "OrgOwner", "to_role": "OrgMember", "dry_run": dry_run}
    transport = FaultyTransport(emulator)
    with raises(RefusedError, match="is the last user who is an OrgOwner.*; nothing was changed"):
        await transport.async_admin().role_bindings.change_role(**principal, **change)
    assert all(request.startswith("GET") for request in transport.requests)
    emulator.add_user("ada@example.com", roles=["OrgOwner"])
    assert (await transport.async_admin().role_bindings.change_role(**principal, **change)).steps


async def test_a_role_of_the_caller_is_changed_only_if_that_is_allowed(emulator: Emulator) -> None:
    """The account of the client, and any account if that is unknown, loses no role without ``allow_own``."""
    admin = emulator.async_admin()
    (own,) = emulator.state.service_accounts.listing
    other = await create_manager(admin)
    change: dict[str, Any] = {"principal_type": "service_account", "resource_type": "organization"}
    change |= {"from_role": "OrgOwner", "to_role": "OrgManager"}
    with raises(RefusedError, match="would lose a role: use another account, or allow_own"):
        await admin.role_bindings.change_role(**change, principal_id=own.id)
    token = (await admin.token()).value
    unknown = AsyncAdmin(access_token=token, transport=emulator.transport)
    lower: dict[str, Any] = {"from_role": "OrgManager", "to_role": "OrgMember"}
    with raises(RefusedError, match="may be the caller's own, because an access token .*; pass client_id"):
        await unknown.role_bindings.change_role(**other, **lower)
    with raises(RefusedError, match="allow_own"):
        await unknown.role_bindings.change_role(**change, principal_id=own.id, client_id=own.client_id)
    await unknown.role_bindings.change_role(**other, **lower, client_id=own.client_id)
    assert await list_roles(admin, other) == ["OrgMember"]
    changed = await admin.role_bindings.change_role(**change, principal_id=own.id, allow_own=True)
    assert changed.binding.role == "OrgManager"


async def test_an_owner_of_a_project_does_not_take_it_from_itself_unknowingly(emulator: Emulator) -> None:
    """It sees no service account, so each one that owns the project may be its own; other roles are not guarded."""
    project = (await emulator.async_admin().projects.create(name="p")).id
    bindings = [on_project(project, "ProjectOwner")]
    own, other = [
        await emulator.async_admin().service_accounts.create(name=each, role_bindings=bindings) for each in ("me", "ci")
    ]
    admin = AsyncAdmin(
        client_id=own.service_account.client_id,
        client_secret=own.client_secret,
        transport=emulator.transport,
        oauth_transport=emulator.transport,
    )
    for account in (other, own):
        change: dict[str, Any] = {"principal_type": "service_account", "principal_id": account.service_account.id}
        change |= {"resource_type": "project", "resource_id": project, "to_role": "ProjectEditor"}
        for dry_run in (True, False):
            with raises(RefusedError, match="may be the caller's own, because this client does not see .* allow_own"):
                await admin.role_bindings.change_role(**change, from_role="ProjectOwner", dry_run=dry_run)
        changed = await admin.role_bindings.change_role(**change, from_role="ProjectOwner", allow_own=True)
        assert changed.binding.role == "ProjectEditor"
        if account is other:
            change |= {"from_role": "ProjectEditor", "to_role": "ProjectViewer"}
            assert (await admin.role_bindings.change_role(**change)).binding.role == "ProjectViewer"


@pytest.mark.parametrize("status", [403, 503])
async def test_an_error_names_both_roles_if_both_remain(status: int, emulator: Emulator) -> None:
    """Whether the server refuses each deletion or fails, the error says who holds which roles, and which one is new."""
    principal = await create_manager(emulator.async_admin())
    holder = Principal("service_account", principal["principal_id"])
    (old,) = emulator.state.role_bindings.held_by(holder)
    emulator.faults.add("delete_role_binding", status=status, times=None)
    with pytest.raises(PineconeError) as caught:
        await emulator.async_admin(retry=RetryPolicy(max_attempts=1)).role_bindings.change_role(
            **principal, from_role="OrgManager", to_role="OrgMember"
        )
    (new,) = {each.id for each in emulator.state.role_bindings.held_by(holder)} - {old.id}
    text = "; ".join([str(caught.value), *caught.value.__notes__])
    assert f"for service account {holder.id} (role binding {new})" in text
    assert f"the old role, OrgManager (role binding {old.id})" in text
    assert ("made by this call, could not be deleted" if status == 403 else "is kept because the old role") in text


async def test_both_roles_remain_after_an_unknown_revoke(emulator: Emulator) -> None:
    """Where the outcome of the revoke is unknown, both roles remain for a later run to complete."""
    principal = await create_manager(emulator.async_admin())
    admin = FaultyTransport(emulator, {5: InjectedFault.REQUEST_LOST}).async_admin(retry=RetryPolicy(max_attempts=1))
    with raises(PineconeConnectionError):
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    assert sorted(await list_roles(admin, principal)) == ["OrgManager", "OrgMember"]


async def test_nothing_is_kept_for_a_revoke_that_was_not_sent(emulator: Emulator) -> None:
    """The new role is revoked again, and no note says that the old one may have been revoked."""
    principal = await create_manager(emulator.async_admin())
    emulator.faults.add("delete_role_binding", unreachable=True)
    admin = emulator.async_admin(retry=RetryPolicy(max_attempts=1))
    with raises(PineconeConnectionError) as caught:
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    assert await list_roles(admin, principal) == ["OrgManager"]
    assert "may have been revoked" not in "; ".join(caught.value.__notes__)
    assert caught.value.outcome == "undone"


AMBIGUOUS_FAULTS: list[dict[str, Any]] = [
    {fault: when} if fault != "status" else {"status": 503, "after_change": when == "after"}
    for fault in ("drop", "reset", "status")
    for when in ("before", "after")
] + [{"truncate": True}]
LATER_STATUSES = (400, 402, 403, 404, 405, 407, 409, 410, 412, 418, 422, 429, 501, 503, 505)


@pytest.mark.parametrize("fault", AMBIGUOUS_FAULTS, ids=str)
async def test_no_response_to_a_revoke_leaves_the_principal_without_a_role(
    fault: dict[str, Any], emulator: Emulator
) -> None:
    """After a revoke that may have been processed, the new role remains, and another run finishes the work.

    It succeeds if the next attempt is processed, and after a 404 if the old role is no longer listed.
    """
    is_processed = "before" not in fault.values() and fault.get("after_change", True)
    for status in LATER_STATUSES:
        admin = emulator.async_admin()
        principal = await create_manager(admin)
        emulator.faults.clear()
        emulator.faults.add("delete_role_binding", **fault)
        emulator.faults.add("delete_role_binding", status=status)
        change: dict[str, Any] = {"from_role": "OrgManager", "to_role": "OrgMember"}
        succeeds = status in {429, 503} or (status == 404 and is_processed)
        with nullcontext() if succeeds else pytest.raises(PineconeError) as caught:
            await admin.role_bindings.change_role(**principal, **change)
        assert caught is None or caught.value.outcome in {"unknown", "done"}, status
        emulator.faults.clear()
        assert "OrgMember" in await list_roles(admin, principal), status
        await admin.role_bindings.change_role(**principal, **change)
        assert await list_roles(admin, principal) == ["OrgMember"], status


async def test_a_grant_that_is_repeated_and_then_undone_leaves_nothing(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The server refuses a second grant, so the repetition shows that the first request took no effect."""
    principal = await create_manager(admin)
    emulator.faults.add("create_role_binding", drop="before")
    emulator.faults.add("delete_role_binding", status=403)
    with raises(ForbiddenError) as caught:
        await admin.role_bindings.change_role(**principal, from_role="OrgManager", to_role="OrgMember")
    assert (caught.value.outcome, caught.value.safe_to_retry) == ("undone", True)
    assert await list_roles(admin, principal) == ["OrgManager"]
