"""Workflows killed at any request, and run under random faults: another run brings everything to its right end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from attrs import define, field, frozen

from pinecone_admin import AsyncAdmin, NotFoundError, PineconeError, on_organization, on_project
from pinecone_admin._concurrency import current_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.workflows import ProjectRole
from tests.support.clock import VirtualClock
from tests.support.fault_injection import KILLS, FaultyTransport, InjectedFault, KilledError, draw_random_faults
from tests.support.organizations import fill_project

pytestmark = pytest.mark.anyio


# <async only>
@pytest.fixture(params=["asyncio", pytest.param("trio", marks=pytest.mark.long)])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run in both kinds of event loop where there is time: which one it is makes no difference to the server."""
    return str(request.param)


# </async only>
@define
class World:
    """An organization, what the test made in it, and the vault that secrets are stored in.

    Attributes:
        emulator: The organization.
        ids: What the test made in it.
        vault: The secret stored last under each name.
        runs: How often the workflow was begun.
        transport: What the latest client sends through.
    """

    emulator: Emulator
    ids: dict[str, str] = field(factory=dict)
    vault: dict[str, str] = field(factory=dict)
    runs: int = 0
    transport: FaultyTransport = field(init=False)

    def make_client(self, faults: Mapping[int, InjectedFault] | None = None) -> AsyncAdmin:
        """Make the client of a new process."""
        self.transport = FaultyTransport(self.emulator, faults)
        return AsyncAdmin(**self.transport.client_options)

    def keep_key(self, made: Any) -> None:
        """Store the value of a key."""
        self.vault["key"] = made.value

    def keep_account(self, made: Any) -> None:
        """Store the secret of a service account."""
        self.vault["account"] = made.client_secret


@frozen
class Scenario:
    """A workflow on a world of its own.

    Attributes:
        prepare: Makes the world.
        run: Begins or resumes the workflow.
        check: Looks whether the end is right.
    """

    prepare: Callable[[World, AsyncAdmin], Awaitable[None]]
    run: Callable[[World, AsyncAdmin], Awaitable[object]]
    check: Callable[[World], None]


async def nothing(world: World, admin: AsyncAdmin) -> None:
    """Begin in an empty organization."""


async def with_project(world: World, admin: AsyncAdmin) -> None:
    """Begin with a project."""
    world.ids["project"] = (await admin.projects.create(name="p")).id


async def with_key(world: World, admin: AsyncAdmin) -> None:
    """Begin with a key whose value is stored."""
    await with_project(world, admin)
    await admin.api_keys.create(project_id=world.ids["project"], name="another")
    roles: Any = ["ProjectViewer", "DataPlaneEditor"]
    made = await admin.api_keys.create(project_id=world.ids["project"], name="reader" * 13, roles=roles)
    world.ids["key"] = made.key.id
    world.keep_key(made)


async def with_account(world: World, admin: AsyncAdmin) -> None:
    """Begin with a service account that may view a project, and whose secret is stored."""
    await with_project(world, admin)
    bindings = [on_organization("OrgMember"), on_project(world.ids["project"], "ProjectViewer")]
    made = await admin.service_accounts.create(name="robot", role_bindings=bindings)
    world.ids["account"] = made.service_account.id
    world.keep_account(made)


def one_project(world: World) -> None:
    """Check that there is one project, with nothing in it."""
    (project,) = world.emulator.state.projects.values()
    assert project.name == "p"
    assert not project.api_keys


async def ensure_key(world: World, admin: AsyncAdmin) -> object:
    """Ensure a key and have its value stored."""
    return await admin.api_keys.ensure(
        project_id=world.ids["project"], name="reader", roles=["ProjectViewer"], store=world.keep_key
    )


def one_stored_key(world: World) -> None:
    """Check that the one key has its value in the vault."""
    (key,) = world.emulator.state.api_keys.values()
    assert (key.name, key.value) == ("reader", world.vault["key"])
    assert world.emulator.state.roles_of(key) == ["ProjectViewer"]


async def ensure_account(world: World, admin: AsyncAdmin) -> object:
    """Ensure a service account and have its secret stored."""
    return await admin.service_accounts.ensure(
        name="robot", role_bindings=[on_organization("OrgMember")], store=world.keep_account
    )


def one_stored_account(world: World) -> None:
    """Check that the one account beside the caller's has its secret in the vault, and its role."""
    _, account = world.emulator.state.service_accounts.listing
    assert (account.name, account.client_secret) == ("robot", world.vault["account"])
    (binding,) = world.emulator.state.role_bindings.held_by(Principal("service_account", account.id))
    assert binding.grant.role == "OrgMember"


async def ensure_invite(_: World, admin: AsyncAdmin) -> object:
    """Ensure an invite."""
    return await admin.invites.ensure(email="Ada@example.com", role_bindings=[on_organization("OrgMember")])


def one_mailed_invite(world: World) -> None:
    """Check that one invite is pending and one mail was sent."""
    (invite,) = world.emulator.state.open_invites
    assert invite.email == "Ada@example.com"
    assert len(world.emulator.state.invite_mails) == 1


async def ensure_binding(world: World, admin: AsyncAdmin) -> object:
    """Ensure a binding."""
    return await admin.role_bindings.ensure(
        principal_type="service_account",
        principal_id=world.ids["account"],
        resource_type="project",
        resource_id=world.ids["project"],
        role="ProjectEditor",
    )


def roles_of_account(*expected: str) -> Callable[[World], None]:
    """Check which roles the account holds."""

    def check(world: World) -> None:
        bindings = world.emulator.state.role_bindings.held_by(Principal("service_account", world.ids["account"]))
        assert sorted(binding.grant.role for binding in bindings) == sorted(expected)

    return check


async def rotate_key(world: World, admin: AsyncAdmin) -> object:
    """Rotate a key; once that is finished, its old id is not found."""
    with suppress(NotFoundError):
        return await admin.api_keys.rotate(api_key_id=world.ids["key"], store=world.keep_key, grace=30.0)
    assert world.runs > 1
    return None


def key_rotated(world: World) -> None:
    """Check that a new key is in the place of the old one, and its value in the vault."""
    other, key = sorted(world.emulator.state.api_keys.values(), key=lambda key: key.name)
    assert other.name == "another"
    assert (key.name, key.value) == ("reader" * 13, world.vault["key"])
    assert key.id != world.ids["key"]
    assert world.emulator.state.roles_of(key) == ["ProjectViewer", "DataPlaneEditor"]


async def rotate_account(world: World, admin: AsyncAdmin) -> object:
    """Rotate the secret of an account."""
    return await admin.service_accounts.rotate(service_account_id=world.ids["account"], store=world.keep_account)


def account_rotated(world: World) -> None:
    """Check that the vault has the secret that works."""
    _, account = world.emulator.state.service_accounts.listing
    assert (account.name, account.client_secret) == ("robot", world.vault["account"])


async def with_leaver(world: World, admin: AsyncAdmin) -> None:
    """Begin with a member who holds roles, an invite that has expired, and one that is pending."""
    await with_project(world, admin)
    for _ in range(2):
        await admin.invites.create(email="Leo@example.com", role_bindings=[on_organization("OrgMember")])
        world.emulator.clock.advance(8 * 86_400)
    user = world.emulator.state.add_user("leo@EXAMPLE.com")
    world.ids["user"] = user.id
    grants = [
        Grant("OrgOwner", "organization", world.emulator.organization_id),
        Grant("ProjectViewer", "project", world.ids["project"]),
    ]
    world.emulator.state.bind(Principal("user", user.id), grants, world.emulator.clock.now())


def nobody_left(world: World) -> None:
    """Check that neither the user nor an invite nor a role of theirs is left."""
    state = world.emulator.state
    assert not list(state.users.listing)
    assert not list(state.open_invites)
    assert len(state.role_bindings) == 1


async def change_role(world: World, admin: AsyncAdmin) -> object:
    """Make a viewer an editor."""
    return await admin.role_bindings.change_role(
        principal_type="service_account",
        principal_id=world.ids["account"],
        resource_type="project",
        resource_id=world.ids["project"],
        from_role="ProjectViewer",
        to_role="ProjectEditor",
    )


async def with_robot(world: World, admin: AsyncAdmin) -> None:
    """Begin with a service account that holds nothing."""
    world.ids["account"] = (await admin.service_accounts.create(name="robot")).service_account.id


async def provision(world: World, admin: AsyncAdmin) -> object:
    """Provision a tenant in which a robot may do two things."""
    roles = [
        ProjectRole(principal_type="service_account", principal_id=world.ids["account"], role=role)
        for role in ("ProjectViewer", "DataPlaneEditor")
    ]
    return await admin.projects.provision(
        name="reader", key_roles=["ProjectViewer"], store=world.keep_key, bindings=roles
    )


def tenant_provisioned(world: World) -> None:
    """Check that one project is there, with one key whose value is stored, and both roles."""
    (project,) = world.emulator.state.projects.values()
    assert project.name == "reader"
    one_stored_key(world)
    roles_of_account("ProjectViewer", "DataPlaneEditor")(world)


async def with_contents(world: World, admin: AsyncAdmin) -> None:
    """Begin with a project that is full, where the time of the client is that of the server, too."""
    await with_project(world, admin)
    await admin.api_keys.create(project_id=world.ids["project"], name="reader")
    fill_project(world.emulator, world.ids["project"])
    clock = current_clock()
    assert isinstance(clock, VirtualClock)
    clock.on_sleep = lambda: world.emulator.clock.advance(clock.slept[-1])


async def delete_with_cleanup(world: World, admin: AsyncAdmin) -> object:
    """Delete the project with what it holds; once that is finished, it is not found."""
    with suppress(NotFoundError):
        return await admin.projects.delete_with_cleanup(project_id=world.ids["project"])
    assert world.runs > 1
    return None


def nothing_there(world: World) -> None:
    """Check that neither the project nor a key is left."""
    assert not world.emulator.state.projects
    assert not world.emulator.state.api_keys


SCENARIOS = {
    "ensure project": Scenario(nothing, lambda _, admin: admin.projects.ensure(name="p"), one_project),
    "ensure key": Scenario(with_project, ensure_key, one_stored_key),
    "ensure account": Scenario(nothing, ensure_account, one_stored_account),
    "ensure invite": Scenario(nothing, ensure_invite, one_mailed_invite),
    "ensure binding": Scenario(
        with_account, ensure_binding, roles_of_account("OrgMember", "ProjectViewer", "ProjectEditor")
    ),
    "rotate key": Scenario(with_key, rotate_key, key_rotated),
    "rotate account": Scenario(with_account, rotate_account, account_rotated),
    "offboard": Scenario(
        with_leaver, lambda _, admin: admin.users.offboard(email="LEO@example.com", dry_run=False), nobody_left
    ),
    "cleanup": Scenario(with_contents, delete_with_cleanup, nothing_there),
    "provision": Scenario(with_robot, provision, tenant_provisioned),
    "change role": Scenario(with_account, change_role, roles_of_account("OrgMember", "ProjectEditor")),
}
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))


async def begin(scenario: Scenario) -> World:
    """Make the world of a scenario."""
    world = World(Emulator(seed=1))
    await scenario.prepare(world, world.make_client())
    return world


async def run(world: World, scenario: Scenario, faults: Mapping[int, InjectedFault]) -> bool:
    """Run a workflow; tells whether the process lived to its end."""
    world.runs += 1
    try:
        await scenario.run(world, world.make_client(faults))
    except KilledError:
        return False
    except BaseExceptionGroup as group:
        if group.split(KilledError)[1] is not None:
            raise
        return False
    return True


@pytest.mark.parametrize("fault", KILLS, ids=[fault.name for fault in KILLS])
@each_scenario
async def test_a_workflow_that_was_killed_is_brought_to_its_end_by_another_run(
    scenario: Scenario, fault: InjectedFault
) -> None:
    """Wherever the process died, before or after a request was processed, running it again is all there is to do."""
    for number in range(1, 100):
        world = await begin(scenario)
        lived = await run(world, scenario, {number: fault})
        assert await run(world, scenario, {})
        scenario.check(world)
        if lived:
            break
    assert 1 < number < 99


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 40), marks=pytest.mark.long)], ids=["few", "many"])
@each_scenario
async def test_a_workflow_ends_well_after_runs_with_random_faults(scenario: Scenario, seeds: range) -> None:
    """Lost answers, refusals and deaths in any order leave nothing that a run without them does not put right."""
    for seed in seeds:
        await survive(scenario, seed)


async def survive(scenario: Scenario, seed: int) -> None:
    """Run a workflow three times with random faults, and once more without."""
    world = await begin(scenario)
    for part in range(3):
        with suppress(PineconeError):
            await run(world, scenario, draw_random_faults(3 * seed + part))
    assert await run(world, scenario, {})
    scenario.check(world)


@each_scenario
async def test_a_workflow_that_is_done_changes_nothing_when_it_runs_again(scenario: Scenario) -> None:
    """Running it once more for safety sends nothing but GET, except where each run is meant to make a new secret."""
    world = await begin(scenario)
    await run(world, scenario, {})
    assert await run(world, scenario, {})
    scenario.check(world)
    changes = [request for request in world.transport.requests if not request.startswith("GET ")]
    assert not changes or scenario.run is rotate_account
