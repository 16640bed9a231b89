"""Offboarding: reports everything first, refuses before the first change, and leaves nothing of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin import (
    AmbiguousNameError,
    AsyncAdmin,
    ForbiddenError,
    NotFoundError,
    PineconeTypeError,
    PineconeValueError,
    RefusedError,
    ServiceError,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport
from tests.support.steps import as_planned, describe_steps, list_actions

pytestmark = pytest.mark.anyio


def add_member(emulator: Emulator, email: str, *roles: tuple[str, str]) -> str:
    """Add a user; each role is held on a project, or on the organization where the project is empty."""
    user = emulator.state.add_user(email)
    grants = [
        Grant(role, "project" if project else "organization", project or emulator.organization_id)
        for role, project in roles
    ]
    emulator.state.bind(Principal("user", user.id), grants, emulator.clock.now())
    return user.id


async def test_a_dry_run_reports_everything_and_changes_nothing(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A dry run is the default, reports all that the user reached, and matches the email in any case."""
    reached, other = [await admin.projects.create(name=name) for name in ("reached", "other")]
    key = await admin.api_keys.create(project_id=reached.id, name="reader")
    await admin.api_keys.create(project_id=other.id, name="hidden")
    user_id = add_member(emulator, "Ada@example.com", ("OrgMember", ""), ("ProjectViewer", reached.id))
    transport = FaultyTransport(emulator)
    report = await transport.async_admin().users.offboard(email="ADA@EXAMPLE.COM")
    assert {request.split()[0] for request in transport.requests} == {"GET"}
    assert report.user is not None
    assert report.user.id == user_id
    assert [(each.project.id, each.roles) for each in report.reach] == [(reached.id, ["ProjectViewer"])]
    assert [each.id for each in report.keys_to_rotate] == [key.key.id]
    assert sorted(each.role for each in report.bindings) == ["OrgMember", "ProjectViewer"]
    assert (report.service_accounts_to_rotate, report.refusal) == ([], None)
    assert list_actions(report.steps) == [("delete", "user")]
    assert [(each.change.target.id, each.state) for each in report.steps] == [(user_id, "planned")]
    assert str(report).splitlines() == [
        f"ADA@EXAMPLE.COM: user {user_id}, 0 invites, 2 roles",
        f"access to project reached ({reached.id}): ProjectViewer",
        f"may know the value of API key reader ({key.key.id}) of project reached ({reached.id})",
        f"would delete user Ada@example.com ({user_id})",
    ]
    assert report.to_dict()["user"]["email"] == "Ada@example.com"


async def test_an_owner_has_access_to_everything(admin: AsyncAdmin, emulator: Emulator) -> None:
    """For an owner, the report lists every project, API key and service account."""
    projects = [await admin.projects.create(name=f"p{number}") for number in range(20)]
    keys = [(await admin.api_keys.create(project_id=each.id, name="k")).key.id for each in projects]
    add_member(emulator, "ada@example.com", ("OrgOwner", ""), ("ProjectViewer", projects[3].id))
    report = await admin.users.offboard(email="ada@example.com")
    assert [each.project.id for each in report.reach] == [each.id for each in projects]
    assert report.reach[3].roles == ["OrgOwner", "ProjectViewer"]
    assert [each.id for each in report.keys_to_rotate] == keys
    assert [each.name for each in report.service_accounts_to_rotate] == ["emulator"]
    assert "may know the secret of service account emulator" in str(report)


async def test_user_roles_and_invites_are_removed(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Offboarding deletes the user, their role bindings and their invites, and reports the steps."""
    invite = await admin.invites.create(email="Ada@example.com", role_bindings=[on_organization("OrgMember")])
    user_id = add_member(emulator, "ada@example.com", ("OrgMember", ""))
    preview = await admin.users.offboard(email="ada@example.com")
    report = await admin.users.offboard(email="ada@example.com", dry_run=False)
    assert preview == evolve(report, dry_run=True, steps=as_planned(report.steps))
    assert describe_steps(report.steps) == [
        f"deleted invite for Ada@example.com ({invite.id})",
        f"deleted user ada@example.com ({user_id})",
    ]
    assert [each.email for each in emulator.state.users.listing] == ["owner@example.com"]
    assert not list(emulator.state.open_invites)
    assert await admin.role_bindings.list(principal_type="user", principal_id=user_id).to_list() == []


async def test_an_error_says_what_was_done_before_it(emulator: Emulator) -> None:
    """If the user cannot be removed, the notes of the error name the invites that were withdrawn."""
    admin = emulator.async_admin()
    invite = await admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgMember")])
    user_id = add_member(emulator, "ada@example.com", ("OrgMember", ""))
    emulator.faults.add("delete_user", status=500, times=9)
    with raises(ServiceError) as caught:
        await admin.users.offboard(email="ada@example.com", dry_run=False)
    assert caught.value.__notes__ == [
        f"delete_invite {invite.id} was done; delete_user {user_id} may have been processed"
    ]


async def test_the_roles_of_open_invites_are_reported(admin: AsyncAdmin) -> None:
    """The report lists the roles of open invites."""
    project = await admin.projects.create(name="p")
    roles = [on_organization("OrgMember"), on_project(project.id, "ProjectEditor")]
    await admin.invites.create(email="ada@example.com", role_bindings=roles)
    report = await admin.users.offboard(email="Ada@example.com")
    assert sorted(each.role for each in report.bindings) == ["OrgMember", "ProjectEditor"]
    assert (report.user, report.reach) == (None, [])


async def test_an_address_that_nobody_has_raises(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A run for an address without a user or an invite raises in both modes, also after a finished run."""
    add_member(emulator, "ada@example.com", ("OrgMember", ""))
    await admin.users.offboard(email="ada@example.com", dry_run=False)
    for email in ("ada@example.com", "typo@example.com"):
        for dry_run in (True, False):
            with raises(NotFoundError, match=f"no user or invite has the address {email}") as caught:
                await admin.users.offboard(email=email, dry_run=dry_run)
            assert (caught.value.operation, caught.value.status_code) == ("offboard", None)


async def test_who_does_not_see_the_roles_gets_no_report(admin: AsyncAdmin, emulator: Emulator) -> None:
    """An account that sees the users but not their roles gets an error, and no report of a person without roles."""
    add_member(emulator, "ada@example.com", ("OrgMember", ""))
    made = await admin.service_accounts.create(name="s", role_bindings=[on_organization("OrgMember")])
    caller = AsyncAdmin(
        client_id=made.service_account.client_id, client_secret=made.client_secret, transport=emulator.transport
    )
    for dry_run in (True, False):
        with raises(ForbiddenError, match="this account cannot see everything: the role bindings are hidden"):
            await caller.users.offboard(email="ada@example.com", dry_run=dry_run)
        with raises(NotFoundError):
            await caller.users.offboard(email="typo@example.com", dry_run=dry_run)


@pytest.mark.parametrize("held", [("ProjectOwner", "p"), ("OrgOwner", "")])
async def test_who_does_not_see_the_projects_gets_no_report(
    admin: AsyncAdmin, emulator: Emulator, held: tuple[str, str]
) -> None:
    """An account that can see roles, but not their projects, gets an error in every mode."""
    project = await admin.projects.create(name="p")
    await admin.api_keys.create(project_id=project.id, name="reader")
    add_member(emulator, "ada@example.com", ("OrgMember", ""), (held[0], held[1] and project.id))
    plan = await admin.users.offboard_many(emails=["ada@example.com"])
    emulator.faults.add("list_projects", status=200, body={"data": []}, times=None)
    seen = "this account cannot see everything: the projects are hidden"
    for dry_run in (True, False):
        with raises(ForbiddenError, match=seen):
            await admin.users.offboard(email="ada@example.com", dry_run=dry_run)
    with raises(ForbiddenError, match=seen):
        await admin.users.offboard_many(emails=["ada@example.com"])
    with raises(ForbiddenError, match=seen):
        await admin.users.offboard_many(plan=plan)
    assert len(emulator.state.users.listing) == 2


@pytest.mark.parametrize("operation", ["list_users", "list_invites"])
async def test_who_may_not_see_people_is_not_told_that_nobody_has_an_address(
    admin: AsyncAdmin, emulator: Emulator, operation: str
) -> None:
    """Where the server does not show the users or the invites to the caller, its refusal is raised, not a 404."""
    emulator.faults.add(operation, status=403, times=None)
    for dry_run in (True, False):
        with raises(ForbiddenError):
            await admin.users.offboard(email="ada@example.com", dry_run=dry_run)


async def test_the_last_owner_is_refused_before_the_first_change(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Offboarding the last user who is owner raises before any change, and a dry run reports the refusal."""
    for email in ("Ada@example.com", "bob@example.com"):
        await admin.invites.create(email=email, role_bindings=[on_organization("OrgOwner")])
    user_id = add_member(emulator, "ada@example.com", ("OrgOwner", ""))
    assert (await admin.users.offboard(email="ada@example.com")).refusal is None
    emulator.state.remove_user(next(iter(emulator.state.users.listing)))
    dry = await admin.users.offboard(email="ada@example.com")
    assert dry.refusal is not None
    assert dry.refusal in str(dry)
    transport = FaultyTransport(emulator)
    with raises(RefusedError, match=rf"user ada@example.com \({user_id}\) is the last user who is an OrgOwner"):
        await transport.async_admin().users.offboard(email="ada@example.com", dry_run=False)
    assert {request.split()[0] for request in transport.requests} == {"GET"}


@pytest.mark.parametrize(("email", "error"), [("", PineconeValueError), (5, PineconeTypeError)])
async def test_an_invalid_email_raises(email: Any, error: type[Exception], admin: AsyncAdmin) -> None:
    """An invalid email raises before any request."""
    with pytest.raises(error):
        await admin.users.offboard(email=email)


async def test_an_unfiltered_list_removes_nobody_else(make_client: Callable[..., AsyncAdmin]) -> None:
    """Only a user with the same email is removed, even if the server ignores the filter."""
    users = ScriptedResponse(body={"data": [{"id": "u", "email": "bob@example.com"}]})
    script = ScriptedTransport(lambda r: users if r.url.path == "/admin/users" else ScriptedResponse(body={"data": []}))
    with raises(NotFoundError):
        await make_client(script).users.offboard(email="ada@example.com", dry_run=False)
    assert {request.method for request in script.requests} == {"GET"}


@pytest.mark.parametrize("comes", ["user", "invite", "nobody"])
@pytest.mark.parametrize("was", ["user", "invite"])
@pytest.mark.parametrize("is_planned", [False, True])
async def test_who_comes_again_during_the_call_is_not_called_removed(
    admin: AsyncAdmin, emulator: Emulator, was: str, comes: str, *, is_planned: bool
) -> None:
    """If somebody else removes the person first, the address may have another user or invite, which is named."""
    email, state = "ada@example.com", emulator.state

    def add(kind: str) -> str:
        if kind == "user":
            return add_member(emulator, email, ("OrgMember", ""))
        return state.add_invite(email, emulator.clock.now()).id

    before, transport, after = add(was), FaultyTransport(emulator), list[str]()
    plan = await admin.users.offboard_many(emails=[email])

    def come_again() -> None:
        if transport.requests[-1].startswith("DELETE") and not after:
            if was == "user":
                state.remove_user(state.users[before])
            else:
                state.remove_invite(state.invites[before])
            after.append(add(comes) if comes != "nobody" else "")

    transport.before_request = come_again
    client = transport.async_admin()
    if is_planned:
        report = await client.users.offboard_many(plan=plan)
        assert [each.reason.count(after[0]) for each in report.left] == [1] * (comes != "nobody")
        assert len(report.reports) == (comes == "nobody")
    elif comes == "nobody":
        await client.users.offboard(email=email, dry_run=False)
    else:
        with raises(RefusedError, match="no longer existed, and there is now .*; run this again") as caught:
            await client.users.offboard(email=email, dry_run=False)
        assert after[0] in str(caught.value)


async def test_only_the_case_of_an_address_is_ignored(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A user or invite of straße@ is not taken for strasse@, although both are equal when case-folded."""
    emulator.add_user("straße@example.com")
    await admin.invites.create(email="weiß@example.com", role_bindings=[on_organization("OrgMember")])
    for email in ("strasse@example.com", "weiss@example.com"):
        with raises(NotFoundError):
            await admin.users.offboard(email=email, dry_run=False)
    both = await admin.users.offboard_many(emails=["STRAßE@example.com", "strasse@example.com"])
    assert ([each.email for each in both.reports], both.not_found) == (["STRAßE@example.com"], ["strasse@example.com"])


async def test_of_several_users_with_one_address_none_is_removed(make_client: Callable[..., AsyncAdmin]) -> None:
    """If the server lists several users with the address, the error has their ids, and nothing else is sent."""
    fields = {"created_at": "2026-07-01T00:00:00Z", "name": None}
    users = [{"id": "1", "email": "ada@example.com"} | fields, {"id": "2", "email": "ADA@example.com"} | fields]
    transport = ScriptedTransport(ScriptedResponse(body={"data": []}), ScriptedResponse(body={"data": users}))
    with raises(AmbiguousNameError) as caught:
        await make_client(transport).users.offboard(email="ada@example.com", dry_run=False)
    assert caught.value.ids == ("1", "2")
    assert len(transport.requests) == 2
