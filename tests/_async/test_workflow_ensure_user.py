"""``users.ensure``: a member gets the missing roles, anybody else an invite with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pinecone_admin import (
    AmbiguousNameError,
    AsyncAdmin,
    NotFoundError,
    PineconeValueError,
    RateLimitError,
    RefusedError,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import InviteRecord
from pinecone_admin.models import Invite, RoleBindingInput, User
from pinecone_admin.workflows import DesiredState
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport
from tests.support.steps import as_planned, describe_steps

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
A_WEEK = 8 * 86_400
MEMBER = [on_organization("OrgMember")]
BOTH = [*MEMBER, on_organization("OrgBillingAdmin")]


async def list_roles(admin: AsyncAdmin, person: User | Invite) -> list[str]:
    """Return the roles of a person, sorted."""
    kind: Any = "user" if isinstance(person, User) else "invite"
    bindings = admin.role_bindings.list(principal_type=kind, principal_id=person.id)
    return sorted([each.role async for each in bindings])


def find_changes(transport: FaultyTransport) -> list[str]:
    """Return the methods of the requests that are no reads."""
    return [request.split()[0] for request in transport.requests if not request.startswith("GET")]


async def test_a_member_gets_the_missing_roles(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A member, in whatever case the address is written, gets what is missing and keeps the rest; no invite is sent."""
    project = await admin.projects.create(name="search")
    user = emulator.add_user("Ada@Example.com", roles=["OrgBillingAdmin"])
    wanted = [*MEMBER, on_project(project.id, "ProjectViewer")]
    first = await admin.users.ensure(email="ADA@example.COM", role_bindings=wanted)
    assert (first.created, type(first.value), first.value.id) == (False, User, user.id)
    who = f"to user Ada@Example.com ({user.id})"
    assert describe_steps(first.steps) == [
        f"granted OrgMember on the organization {who}",
        f"granted ProjectViewer on project {project.id} {who}",
    ]
    assert await list_roles(admin, first.value) == ["OrgBillingAdmin", "OrgMember", "ProjectViewer"]
    again = await admin.users.ensure(email=ADA, role_bindings=wanted)
    assert (again.steps, [each.setting for each in again.differences]) == ([], ["roles"])
    assert str(again).startswith(f"found user Ada@Example.com ({user.id}); differs: roles: found ")
    assert not [*emulator.state.open_invites]


async def test_anybody_else_is_invited_once(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Somebody unknown gets an invite with all roles; the next call finds it, and sends nothing."""
    first = await admin.users.ensure(email=ADA, role_bindings=BOTH)
    assert (first.created, type(first.value), first.differences) == (True, Invite, [])
    assert describe_steps(first.steps) == [f"invited {ADA} ({first.value.id}) with OrgMember and OrgBillingAdmin"]
    assert await list_roles(admin, first.value) == ["OrgBillingAdmin", "OrgMember"]
    again = await admin.users.ensure(email="Ada@Example.com", role_bindings=BOTH)
    assert (again.created, again.value, again.steps, again.differences) == (False, first.value, [], [])
    assert len(emulator.state.invite_mails) == 1


async def test_a_pending_invite_is_brought_in_line(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A pending invite gets the missing roles, loses others only if asked to, and is not mailed again."""
    invite = await admin.invites.create(email=ADA, role_bindings=[on_organization("OrgManager")])
    granted = await admin.users.ensure(email=ADA, role_bindings=MEMBER)
    assert (granted.created, granted.value.id) == (False, invite.id)
    assert await list_roles(admin, granted.value) == ["OrgManager", "OrgMember"]
    await admin.users.ensure(email=ADA, role_bindings=MEMBER, revoke_unlisted=True)
    assert await list_roles(admin, granted.value) == ["OrgMember"]
    assert len(emulator.state.invite_mails) == 1


async def test_an_expired_invite_is_replaced_and_never_resent(admin: AsyncAdmin, emulator: Emulator) -> None:
    """An expired invite is deleted, since it would grant what it carried, and the new one has the wanted roles only."""
    old = await admin.invites.create(email="Ada@Example.com", role_bindings=[on_organization("OrgOwner")])
    emulator.clock.advance(A_WEEK)
    emulator.requests.clear()
    ensured = await admin.users.ensure(email=ADA, role_bindings=MEMBER)
    assert (ensured.created, await list_roles(admin, ensured.value)) == (True, ["OrgMember"])
    assert describe_steps(ensured.steps) == [
        f"deleted invite for Ada@Example.com ({old.id}), because it cannot be accepted any more",
        f"invited {ADA} ({ensured.value.id}) with OrgMember",
    ]
    with pytest.raises(NotFoundError):
        await admin.invites.describe(invite_id=old.id)
    assert emulator.requests.filter("invites.resend") == []


@pytest.mark.parametrize("call", ["users.ensure", "invites.ensure", "apply"])
async def test_an_invite_with_an_unknown_status_is_replaced_as_an_expired_one(
    call: str, admin: AsyncAdmin, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invite that cannot be accepted is deleted by every workflow, and none calls it expired."""
    old = await admin.invites.create(email=ADA, role_bindings=BOTH)
    status = InviteRecord.status
    monkeypatch.setattr(InviteRecord, "status", lambda self, now: "revoked" if self.id == old.id else status(self, now))
    if call == "apply":
        people = [{"email": ADA, "roles": ["OrgMember"]}]
        plan = await admin.plan(DesiredState.from_dict({"organization": emulator.organization_id, "people": people}))
        assert "an invite that cannot be accepted any more is deleted" in str(plan)
        steps = (await admin.apply(plan)).steps
    else:
        ensure = admin.users.ensure if call == "users.ensure" else admin.invites.ensure
        steps = (await ensure(email=ADA, role_bindings=MEMBER)).steps
    assert [(each.change.action, each.change.target.kind, each.state) for each in steps][-1] == (
        "invite",
        "invite",
        "done",
    )
    assert "expired" not in "".join(map(str, steps))
    (invite,) = await admin.invites.list()
    assert (invite.id != old.id, await list_roles(admin, invite)) == (True, ["OrgMember"])


async def test_a_replacement_that_fails_says_that_the_old_invite_is_gone(admin: AsyncAdmin, emulator: Emulator) -> None:
    """If the new invite is refused, a note says that the expired one was deleted; the next call sends the new one."""
    old = await admin.invites.create(email=ADA, role_bindings=MEMBER)
    emulator.clock.advance(A_WEEK)
    emulator.faults.add("create_invite", status=429, times=99)
    with raises(RateLimitError) as caught:
        await admin.users.ensure(email=ADA, role_bindings=MEMBER)
    assert (
        f"invite {old.id} could not be accepted any more, and was deleted; run this again to replace it"
        in caught.value.__notes__
    )
    emulator.faults.clear()
    assert (await admin.users.ensure(email=ADA, role_bindings=MEMBER)).created


async def test_unlisted_roles_of_a_member_are_revoked_after_the_grants(admin: AsyncAdmin, emulator: Emulator) -> None:
    """With ``revoke_unlisted``, a member has exactly the wanted roles, and is never without one on the organization."""
    project = await admin.projects.create(name="search")
    emulator.add_user(ADA, roles=["OrgBillingAdmin", ("ProjectOwner", project.id)])
    transport = FaultyTransport(emulator)
    ensured = await transport.async_admin().users.ensure(email=ADA, role_bindings=MEMBER, revoke_unlisted=True)
    assert await list_roles(admin, ensured.value) == ["OrgMember"]
    assert find_changes(transport) == ["POST", "DELETE", "DELETE"]


@pytest.mark.parametrize("dry_run", [False, True])
async def test_the_last_owner_stays_owner(admin: AsyncAdmin, emulator: Emulator, dry_run: bool) -> None:
    """The last owner who is a user is refused before any change; a second one can lose the role."""
    (owner,) = await admin.users.list().to_list()
    wish: dict[str, Any] = {"email": owner.email, "role_bindings": MEMBER, "revoke_unlisted": True, "dry_run": dry_run}
    transport = FaultyTransport(emulator)
    with raises(RefusedError, match=r"is the last user who is an OrgOwner.*; nothing was changed") as caught:
        await transport.async_admin().users.ensure(**wish)
    assert (find_changes(transport), caught.value.operation) == ([], "ensure_user")
    emulator.add_user(ADA, roles=["OrgOwner"])
    ensured = await admin.users.ensure(**wish)
    assert [each.change.action for each in ensured.steps] == ["grant", "revoke"]
    assert {each.state for each in ensured.steps} == {"planned" if dry_run else "done"}
    assert await list_roles(admin, owner) == (["OrgOwner"] if dry_run else ["OrgMember"])


async def test_who_joins_during_the_call_gets_the_roles_as_a_member(admin: AsyncAdmin, emulator: Emulator) -> None:
    """If the server refuses an invite since the person is a member by now, the member gets the roles."""
    transport = FaultyTransport(emulator)

    def join() -> None:
        if transport.requests[-1] == "POST /admin/invites":
            emulator.add_user(ADA, roles=["OrgMember"])

    transport.before_request = join
    ensured = await transport.async_admin().users.ensure(email=ADA, role_bindings=BOTH)
    assert (ensured.created, type(ensured.value)) == (False, User)
    assert await list_roles(admin, ensured.value) == ["OrgBillingAdmin", "OrgMember"]


async def test_a_failed_grant_takes_back_those_before_it(admin: AsyncAdmin, emulator: Emulator) -> None:
    """If a role cannot be granted, those that the call granted before are revoked again."""
    emulator.add_user(ADA, roles=["OrgMember"])
    with raises(NotFoundError):
        await admin.users.ensure(email=ADA, role_bindings=[*BOTH, on_project("nowhere", "ProjectViewer")])
    assert await list_roles(admin, await admin.users.describe_by_email(email=ADA)) == ["OrgMember"]


@pytest.mark.parametrize("known", ["nobody", "expired", "pending", "member"])
async def test_a_dry_run_says_what_the_run_after_it_does(admin: AsyncAdmin, emulator: Emulator, known: str) -> None:
    """A dry run sends only GET requests, and its report is that of the real run after it, whoever the person is."""
    if known == "member":
        emulator.add_user(ADA, roles=["OrgManager"])
    elif known != "nobody":
        await admin.invites.create(email=ADA, role_bindings=[on_organization("OrgManager")])
        emulator.clock.advance(A_WEEK if known == "expired" else 0)
    wish: dict[str, Any] = {"email": ADA, "role_bindings": BOTH, "revoke_unlisted": True}
    transport = FaultyTransport(emulator)
    preview = await transport.async_admin().users.ensure(**wish, dry_run=True)
    assert find_changes(transport) == []
    real = await admin.users.ensure(**wish)
    assert (preview.created, preview.differences) == (real.created, real.differences)
    assert preview.steps == as_planned(real.steps)
    assert await list_roles(admin, real.value) == ["OrgBillingAdmin", "OrgMember"]


@pytest.mark.parametrize("noun", ["user", "invite"])
async def test_several_people_of_one_address_are_ambiguous(admin: AsyncAdmin, emulator: Emulator, noun: str) -> None:
    """Several users or pending invites of one address raise an error with their ids, and nobody is changed."""
    if noun == "user":
        # The emulator keeps one user of each address, so the API's list is scripted.
        found = [{"id": each, "email": ADA} for each in ("one", "two")]
        emulator.faults.add("list_users", respond=lambda _: {"status": 200, "body": {"data": found}})
        ids = ["one", "two"]
    else:
        ids = [emulator.state.add_invite(ADA, emulator.clock.now()).id for _ in range(2)]
    with raises(AmbiguousNameError) as caught:
        await admin.users.ensure(email=ADA, role_bindings=MEMBER)
    assert caught.value.ids == tuple(ids)


@pytest.mark.parametrize("roles", [[], [on_project("p", "ProjectViewer")]])
async def test_one_role_must_be_on_the_organization(emulator: Emulator, roles: Sequence[RoleBindingInput]) -> None:
    """Whether the person is a member or not, a wish without a role on the organization is refused before a request."""
    emulator.add_user(ADA, roles=["OrgMember"])
    transport = FaultyTransport(emulator)
    with raises(PineconeValueError, match="role_bindings"):
        await transport.async_admin().users.ensure(email=ADA, role_bindings=roles)
    assert transport.requests == []


@pytest.mark.parametrize("revoke", [False, True])
@pytest.mark.parametrize("number", range(1, 8))
async def test_a_person_who_accepts_the_invite_during_the_call_gets_the_roles(number: int, revoke: bool) -> None:
    """Whichever request is next when the person joins, nothing fails, and the member has the wanted roles."""
    emulator = Emulator(seed=1)
    transport = FaultyTransport(emulator)
    async with transport.async_admin() as admin:
        invite = await admin.invites.create(email=ADA, role_bindings=[on_organization("OrgManager")])
        transport.requests.clear()

        def accept() -> None:
            if len(transport.requests) == number:
                emulator.accept_invite(invite.id)

        transport.before_request = accept
        ensured = await admin.users.ensure(email=ADA, role_bindings=BOTH, revoke_unlisted=revoke)
        transport.before_request = lambda: None
        if [*emulator.state.open_invites]:  # the call has no such request, so the person joins after it
            emulator.accept_invite(invite.id)
        (member,) = await admin.users.list(email=ADA).to_list()
        kept = [] if revoke else ["OrgManager"]
        assert await list_roles(admin, member) == sorted(["OrgBillingAdmin", "OrgMember", *kept]), transport.requests
    assert {each.state for each in ensured.steps} <= {"done", "skipped"}
    assert (ensured.created, ensured.value.email) == (False, ADA)
