"""People whom an identity provider manages: each change that the server refuses says who decides."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import pytest

from pinecone_admin import AsyncAdmin, ConflictError, RefusedError, on_organization
from pinecone_admin.emulator import Emulator
from tests.support.errors import raises

pytestmark = pytest.mark.anyio

ADA, EVE = "ada@example.com", "eve@example.com"
MEMBER = [on_organization("OrgMember")]
WHERE = "if an identity provider manages this person (SCIM), it decides on membership and roles: change them there"

Change = Callable[[AsyncAdmin], Awaitable[object]]


async def list_changes(admin: AsyncAdmin) -> Mapping[str, Change]:
    """Return the changes of a user and of somebody who is invited, by their names."""
    user = await admin.users.describe_by_email(email=ADA)
    invite = await admin.invites.describe_by_email(email=EVE)
    (binding,) = await admin.role_bindings.list(principal_type="user", principal_id=user.id).to_list()
    on_it: dict[str, Any] = {"principal_type": "user", "principal_id": user.id, "resource_type": "organization"}
    new: dict[str, Any] = {"email": "new@example.com", "role_bindings": MEMBER}
    return {
        "users.delete": lambda each: each.users.delete(user_id=user.id),
        "users.offboard": lambda each: each.users.offboard(email=ADA, dry_run=False),
        "users.offboard, invite": lambda each: each.users.offboard(email=EVE, dry_run=False),
        "users.ensure": lambda each: each.users.ensure(email=ADA, role_bindings=[on_organization("OrgManager")]),
        "users.ensure, new": lambda each: each.users.ensure(**new),
        "invites.create": lambda each: each.invites.create(**new),
        "invites.ensure": lambda each: each.invites.ensure(**new),
        "invites.resend": lambda each: each.invites.resend(invite_id=invite.id),
        "invites.delete": lambda each: each.invites.delete(invite_id=invite.id),
        "role_bindings.create": lambda each: each.role_bindings.create(**on_it, role="OrgManager"),
        "role_bindings.ensure": lambda each: each.role_bindings.ensure(**on_it, role="OrgManager"),
        "role_bindings.delete": lambda each: each.role_bindings.delete(role_binding_id=binding.id),
        "role_bindings.change_role": lambda each: each.role_bindings.change_role(
            **on_it, from_role="OrgMember", to_role="OrgManager"
        ),
    }


@pytest.fixture
def managed(emulator: Emulator) -> Emulator:
    """Return an emulator with a user and an invited person, whom an identity provider manages."""
    emulator.add_user(ADA)
    with emulator.admin() as owner:
        owner.invites.create(email=EVE, role_bindings=MEMBER)
    emulator.configure(managed_people=True)
    return emulator


async def test_a_refused_change_says_who_decides(admin: AsyncAdmin, managed: Emulator) -> None:
    """Each change of a managed person raises at once, says where to change the person, and changes nothing."""
    for name, change in (await list_changes(admin)).items():
        before, received = managed.dump(), len(managed.requests)
        with raises(RefusedError if name.startswith("users.offboard") else ConflictError) as caught:
            await change(admin)
        text = "; ".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
        assert WHERE in text, name
        assert managed.dump()["role_bindings"] == before["role_bindings"], name
        assert (managed.dump()["users"], managed.dump()["invites"]) == (before["users"], before["invites"]), name
        refused = [each for each in managed.requests[received:] if each.status == 409]
        assert [managed.requests[-1]] == refused, f"{name} waited for something that never comes"


@pytest.mark.parametrize("refused", ["delete_invite", "delete_user"])
async def test_invites_that_were_deleted_before_a_refusal_stay_deleted(
    admin: AsyncAdmin, emulator: Emulator, refused: str
) -> None:
    """If the server refuses to delete the invite, nothing is changed. If it refuses the user, the invite is gone."""
    await admin.invites.create(email=EVE, role_bindings=MEMBER)
    emulator.add_user(EVE)
    if refused == "delete_invite":
        emulator.configure(managed_people=[EVE])
    else:
        emulator.faults.add("delete_user", status=409)
    with raises(RefusedError):
        await admin.users.offboard(email=EVE, dry_run=False)
    assert len(emulator.state.invites) == (refused == "delete_invite")
    assert await admin.users.describe_by_email(email=EVE)


async def test_a_plan_leaves_managed_people(admin: AsyncAdmin, managed: Emulator) -> None:
    """offboard_many lists each person whom it may not remove, with who decides, and goes on with the others."""
    managed.configure(managed_people=[ADA])
    plan = await admin.users.offboard_many(emails=[ADA, EVE])
    report = await admin.users.offboard_many(plan=plan)
    assert [(each.name, WHERE in each.reason) for each in report.left] == [(ADA, True)]
    assert [each.email for each in report.reports] == [EVE]


async def test_another_cause_is_not_blamed_on_an_identity_provider(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A refusal whose message or code names another cause has no note on identity providers."""
    (owner,) = await admin.users.list().to_list()
    project = await admin.projects.create(name="search")
    ada = emulator.add_user(ADA, roles=["OrgMember", ("ProjectViewer", project.id)])
    roles = await admin.role_bindings.list(principal_id=ada.id, principal_type="user").to_list()
    invite = await admin.invites.create(email=EVE, role_bindings=MEMBER)
    emulator.accept_invite(invite.id)
    new: dict[str, Any] = {"email": owner.email, "role_bindings": MEMBER}
    changes: Mapping[str, Callable[[], Awaitable[object]]] = {
        "the last OrgOwner role binding": partial(admin.users.delete, user_id=owner.id),
        "the last organization-membership role": partial(admin.role_bindings.delete, role_binding_id=roles[0].id),
        "has already been accepted": partial(admin.invites.delete, invite_id=invite.id),
        "ALREADY_EXISTS": partial(admin.invites.create, **new),
    }
    for reason, change in changes.items():
        with raises(ConflictError, match=reason) as caught:
            await change()
        assert getattr(caught.value, "__notes__", []) == []


@pytest.mark.parametrize("email", ["elastic@example.com", "accepted.food@example.com", "OrgOwner@example.com"])
async def test_an_address_names_no_cause(admin: AsyncAdmin, emulator: Emulator, email: str) -> None:
    """Words of another cause within an address do not hide who decides."""
    user = emulator.add_user(email)
    emulator.configure(managed_people=True)
    with raises(ConflictError) as caught:
        await admin.users.delete(user_id=user.id)
    assert caught.value.__notes__ == [WHERE]


@pytest.mark.parametrize("name", ["users.offboard", "role_bindings.change_role"])
async def test_a_sync_brings_back_what_a_workflow_changed(admin: AsyncAdmin, managed: Emulator, name: str) -> None:
    """Where changes are accepted, the workflow reports success, and the next sync of the provider reverts it."""
    managed.configure(managed_changes="reverted")
    change = partial((await list_changes(admin))[name], admin)
    before = managed.dump()
    await change()
    assert managed.dump()["role_bindings"] != before["role_bindings"]
    managed.sync()
    assert (managed.dump()["users"], managed.dump()["role_bindings"]) == (before["users"], before["role_bindings"])
