"""Offboard: says everything first, refuses before the first change, and leaves nothing of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    PineconeTypeError,
    PineconeValueError,
    RefusedError,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio


def join(emulator: Emulator, email: str, *roles: tuple[str, str]) -> str:
    """Make somebody a member; each role is held on a project, or on the organization where the project is empty."""
    user = emulator.state.add_user(email)
    grants = [
        Grant(role, "project" if project else "organization", project or emulator.organization_id)
        for role, project in roles
    ]
    emulator.state.bind(Principal("user", user.id), grants, emulator.clock.now())
    return user.id


async def test_a_dry_run_says_everything_and_changes_nothing(admin: AsyncAdmin, emulator: Emulator) -> None:
    """It is the default; the address counts in any capitals."""
    reached, other = [await admin.projects.create(name=name) for name in ("reached", "other")]
    key = await admin.api_keys.create(project_id=reached.id, name="reader")
    await admin.api_keys.create(project_id=other.id, name="hidden")
    user_id = join(emulator, "Ada@example.com", ("OrgMember", ""), ("ProjectViewer", reached.id))
    watching = FaultyTransport(emulator)
    report = await AsyncAdmin(**watching.client_options).users.offboard(email="ADA@EXAMPLE.COM")
    assert {request.split()[0] for request in watching.requests} == {"GET"}
    assert report.user is not None
    assert report.user.id == user_id
    assert [(each.project.id, each.roles) for each in report.reach] == [(reached.id, ["ProjectViewer"])]
    assert [each.id for each in report.keys_to_rotate] == [key.key.id]
    assert sorted(each.role for each in report.bindings) == ["OrgMember", "ProjectViewer"]
    assert (report.service_accounts_to_rotate, report.refusal, report.steps) == ([], None, [])
    assert str(report).splitlines() == [
        f"ADA@EXAMPLE.COM: user {user_id}, 0 open invites, 2 roles",
        f"access to project reached ({reached.id}): ProjectViewer",
        f"may know the value of API key reader ({key.key.id}) of project {reached.id}",
        "nothing was changed",
    ]
    assert report.to_dict()["user"]["email"] == "Ada@example.com"


async def test_an_owner_reached_everything(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Every project, every key, and every service account is to be rotated."""
    projects = [await admin.projects.create(name=f"p{number}") for number in range(20)]
    keys = [(await admin.api_keys.create(project_id=each.id, name="k")).key.id for each in projects]
    join(emulator, "ada@example.com", ("OrgOwner", ""), ("ProjectViewer", projects[3].id))
    report = await admin.users.offboard(email="ada@example.com")
    assert [each.project.id for each in report.reach] == [each.id for each in projects]
    assert report.reach[3].roles == ["OrgOwner", "ProjectViewer"]
    assert [each.id for each in report.keys_to_rotate] == keys
    assert [each.name for each in report.service_accounts_to_rotate] == ["emulator"]
    assert "may know the secret of service account emulator" in str(report)


async def test_the_user_goes_with_roles_and_invites(admin: AsyncAdmin, emulator: Emulator) -> None:
    """And the report says what was done."""
    invite = await admin.invites.create(email="Ada@example.com", role_bindings=[on_organization("OrgMember")])
    user_id = join(emulator, "ada@example.com", ("OrgMember", ""))
    report = await admin.users.offboard(email="ada@example.com", dry_run=False)
    assert report.steps == [f"withdrew invite {invite.id}", f"removed user {user_id}"]
    assert not list(emulator.state.users.listing)
    assert not list(emulator.state.open_invites)
    assert await admin.role_bindings.list(principal_type="user").to_list() == []


async def test_the_roles_of_open_invites_are_reported(admin: AsyncAdmin) -> None:
    """They would have come with the invite, and go with it."""
    project = await admin.projects.create(name="p")
    roles = [on_organization("OrgMember"), on_project(project.id, "ProjectEditor")]
    await admin.invites.create(email="ada@example.com", role_bindings=roles)
    report = await admin.users.offboard(email="Ada@example.com")
    assert sorted(each.role for each in report.bindings) == ["OrgMember", "ProjectEditor"]
    assert (report.user, report.reach) == (None, [])


async def test_nobody_to_remove_is_a_success(admin: AsyncAdmin) -> None:
    """A run after the last one finds nothing, and says so."""
    report = await admin.users.offboard(email="ada@example.com", dry_run=False)
    assert (report.user, report.invites, report.steps) == (None, [], [])
    assert str(report) == "ada@example.com: no user or open invite has this address; nothing to do"


async def test_the_last_owner_is_refused_before_the_first_change(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The dry run says so, too; an invite is no owner yet."""
    for email in ("Ada@example.com", "bob@example.com"):
        await admin.invites.create(email=email, role_bindings=[on_organization("OrgOwner")])
    user_id = join(emulator, "ada@example.com", ("OrgOwner", ""))
    (account,) = emulator.state.service_accounts.listing
    (binding,) = emulator.state.role_bindings.held_by(Principal("service_account", account.id))
    emulator.state.role_bindings.remove(binding)
    emulator.state.bind(
        binding.principal, [Grant("OrgMember", "organization", emulator.organization_id)], binding.created_at
    )
    dry = await admin.users.offboard(email="ada@example.com")
    assert dry.refusal is not None
    assert dry.refusal in str(dry)
    watching = FaultyTransport(emulator)
    with raises(RefusedError, match=f"user {user_id} is the last owner"):
        await AsyncAdmin(**watching.client_options).users.offboard(email="ada@example.com", dry_run=False)
    assert {request.split()[0] for request in watching.requests} == {"GET"}


async def test_an_identity_provider_that_manages_the_users_is_named(emulator: Emulator) -> None:
    """The server tells only when it is asked to remove somebody."""
    emulator.state.settings.identity_provider = True
    join(emulator, "ada@example.com", ("OrgMember", ""))
    with raises(RefusedError, match="identity provider"):
        await emulator.async_admin().users.offboard(email="ada@example.com", dry_run=False)
    assert len(list(emulator.state.users.listing)) == 1


@pytest.mark.parametrize(("email", "error"), [("", PineconeValueError), (5, PineconeTypeError)])
async def test_what_is_no_address_is_an_error(email: Any, error: type[Exception], admin: AsyncAdmin) -> None:
    """Before anything is sent."""
    with pytest.raises(error):
        await admin.users.offboard(email=email)


async def test_a_server_that_does_not_filter_loses_nobody_else(make_client: Callable[..., AsyncAdmin]) -> None:
    """Only who has the address is removed, whoever is listed."""
    answer = ScriptedResponse(body={"data": [{"id": "u", "email": "bob@example.com"}]})
    script = ScriptedTransport(
        lambda r: answer if r.url.path == "/admin/users" else ScriptedResponse(body={"data": []})
    )
    report = await make_client(script).users.offboard(email="ada@example.com", dry_run=False)
    assert report.user is None
    assert {request.method for request in script.requests} == {"GET"}
