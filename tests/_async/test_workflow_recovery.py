"""Recovery of workflows: a run completes what a cancelled or failed run left; tests/faults kill them anywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field, frozen

from pinecone_admin import AsyncAdmin, NotFoundError, SecretNotStoredError, on_organization, on_project
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.workflows import OffboardPlan, ProjectRole, StalePlan
from tests.support.clock import VirtualClock
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError
from tests.support.interruption import InterruptingTransport, async_run_interruptibly, async_yield_once
from tests.support.organizations import fill_project

pytestmark = pytest.mark.anyio


@define
class ScenarioState:
    """The organization, the ids of its records, and the vault of a scenario.

    Attributes:
        emulator: The organization.
        ids: The ids of the records that the test created.
        vault: The latest secret stored under each name.
        initial_secrets: The secrets that were valid before the workflow was started.
        runs: How often the workflow was started.
        transport: The transport of the latest client.
    """

    emulator: Emulator
    ids: dict[str, str] = field(factory=dict)
    vault: dict[str, str] = field(factory=dict)
    initial_secrets: set[str] = field(factory=set)
    runs: int = 0
    transport: FaultyTransport = field(init=False)
    before_store: Callable[[], object] = field(default=lambda: None)

    def make_client(self, faults: Mapping[int, InjectedFault] | None = None) -> AsyncAdmin:
        """Return the client of a new process."""
        self.transport = FaultyTransport(self.emulator, faults)
        return self.transport.async_admin()

    async def store_key(self, made: Any) -> None:
        """Store the value of a key."""
        await self._store("key", made.value)

    async def store_account(self, made: Any) -> None:
        """Store the secret of a service account."""
        await self._store("account", made.client_secret)

    async def _store(self, name: str, secret: str) -> None:
        self.before_store()
        await async_yield_once()
        self.vault[name] = secret

    def list_ids(self) -> set[str]:
        """Return the ids of all projects, keys, service accounts and role bindings."""
        server = self.emulator.state
        bindings = {binding.id for binding in server.role_bindings}
        return {*server.projects, *server.api_keys, *(each.id for each in server.service_accounts.listing), *bindings}

    def list_secrets(self) -> set[str]:
        """Return the secrets that are valid."""
        server = self.emulator.state
        accounts = {account.client_secret for account in server.service_accounts.listing}
        return {*accounts, *(key.value for key in server.api_keys.values())}


@frozen
class Scenario:
    """A workflow with its own state.

    Attributes:
        prepare: Prepares the state.
        run: Starts or resumes the workflow.
        check: Checks the final state.
    """

    prepare: Callable[[ScenarioState, AsyncAdmin], Awaitable[None]]
    run: Callable[[ScenarioState, AsyncAdmin], Awaitable[object]]
    check: Callable[[ScenarioState], None]


async def prepare_nothing(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with an empty organization."""


async def prepare_project(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a project."""
    state.ids["project"] = (await admin.projects.create(name="p")).id


async def prepare_key(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a key whose value is stored."""
    await prepare_project(state, admin)
    await admin.api_keys.create(project_id=state.ids["project"], name="another")
    roles: Any = ["ProjectViewer", "DataPlaneEditor"]
    made = await admin.api_keys.create(project_id=state.ids["project"], name="reader" * 13, roles=roles)
    state.ids["key"] = made.key.id
    await state.store_key(made)


async def prepare_account(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a service account that is ProjectViewer, and whose secret is stored."""
    await prepare_project(state, admin)
    bindings = [on_organization("OrgMember"), on_project(state.ids["project"], "ProjectViewer")]
    made = await admin.service_accounts.create(name="robot", role_bindings=bindings)
    state.ids["account"] = made.service_account.id
    await state.store_account(made)


def check_one_project(state: ScenarioState) -> None:
    """Check that there is one project without keys."""
    (project,) = state.emulator.state.projects.values()
    assert project.name == "p"
    assert not project.api_keys


async def ensure_key(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Ensure a key and store its value."""
    return await admin.api_keys.ensure(
        project_id=state.ids["project"], name="reader", roles=["ProjectViewer"], store=state.store_key
    )


def check_one_stored_key(state: ScenarioState) -> None:
    """Check that there is one key, and that its value is stored."""
    (key,) = state.emulator.state.api_keys.values()
    assert (key.name, key.value) == ("reader", state.vault["key"])
    assert state.emulator.state.roles_of(key) == ["ProjectViewer"]


async def ensure_account(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Ensure a service account and store its secret."""
    return await admin.service_accounts.ensure(
        name="robot", role_bindings=[on_organization("OrgMember")], store=state.store_account
    )


def check_one_stored_account(state: ScenarioState) -> None:
    """Check that there is one further account with its role, and that its secret is stored."""
    _, account = state.emulator.state.service_accounts.listing
    assert (account.name, account.client_secret) == ("robot", state.vault["account"])
    (binding,) = state.emulator.state.role_bindings.held_by(Principal("service_account", account.id))
    assert binding.grant.role == "OrgMember"


async def ensure_invite(_: ScenarioState, admin: AsyncAdmin) -> object:
    """Ensure an invite."""
    return await admin.invites.ensure(email="Ada@example.com", role_bindings=[on_organization("OrgMember")])


def check_one_mailed_invite(state: ScenarioState) -> None:
    """Check that one invite is pending, and that one mail was sent."""
    (invite,) = state.emulator.state.open_invites
    assert invite.email == "Ada@example.com"
    assert len(state.emulator.state.invite_mails) == 1


async def prepare_expired_invite(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with an expired invite that carries other roles."""
    await prepare_project(state, admin)
    await admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgOwner")])
    state.emulator.clock.advance(8 * 86_400)


async def prepare_member(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a member who has other roles."""
    await prepare_project(state, admin)
    state.emulator.add_user("ada@example.com", roles=["OrgManager", ("ProjectEditor", state.ids["project"])])


async def ensure_user(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Ensure that a person has exactly two roles."""
    roles = [on_organization("OrgMember"), on_project(state.ids["project"], "ProjectViewer")]
    return await admin.users.ensure(email="Ada@example.com", role_bindings=roles, revoke_unlisted=True)


def check_roles_of_person(state: ScenarioState) -> None:
    """Check that the person is a member or has one pending invite, with exactly the two roles."""
    server = state.emulator.state
    users = [Principal("user", each.id) for each in server.users.listing if each.email.lower() == "ada@example.com"]
    invites = [Principal("invite", each.id) for each in server.open_invites]
    (person,) = [*users, *invites]
    assert sorted(each.grant.role for each in server.role_bindings.held_by(person)) == ["OrgMember", "ProjectViewer"]
    assert len(server.invite_mails) <= 1 + len(invites), "one mail for the expired invite, and one for its successor"


async def ensure_binding(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Ensure a role binding."""
    return await admin.role_bindings.ensure(
        principal_type="service_account",
        principal_id=state.ids["account"],
        resource_type="project",
        resource_id=state.ids["project"],
        role="ProjectEditor",
    )


def make_role_check(*expected: str) -> Callable[[ScenarioState], None]:
    """Return a check of the roles of the account."""

    def check(state: ScenarioState) -> None:
        bindings = state.emulator.state.role_bindings.held_by(Principal("service_account", state.ids["account"]))
        assert sorted(binding.grant.role for binding in bindings) == sorted(expected)

    return check


async def rotate_key(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Rotate a key; after a completed run its id is not found."""
    with suppress(NotFoundError):
        return await admin.api_keys.rotate(api_key_id=state.ids["key"], store=state.store_key)
    assert state.runs > 1
    return None


def check_key_rotated(state: ScenarioState) -> None:
    """Check that the new key has replaced the old one, and that its value is stored."""
    other, key = sorted(state.emulator.state.api_keys.values(), key=lambda key: key.name)
    assert other.name == "another"
    assert (key.name, key.value) == ("reader" * 13, state.vault["key"])
    assert key.id != state.ids["key"]
    assert state.emulator.state.roles_of(key) == ["ProjectViewer", "DataPlaneEditor"]


async def rotate_key_with_overlap(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Rotate a key, and keep the old one for an hour."""
    return await admin.api_keys.rotate(
        api_key_id=state.ids["key"], keep_old_for=timedelta(hours=1), store=state.store_key
    )


def check_key_overlaps(state: ScenarioState) -> None:
    """Check that the new key has the name and its value is stored, and that the old key is marked, as any other is."""
    (new,) = [key for key in state.emulator.state.api_keys.values() if key.name == "reader" * 13]
    assert new.value == state.vault["key"]
    others = {key.id: key.name for key in state.emulator.state.api_keys.values() if key.id != new.id}
    assert state.ids["key"] in others
    marked = [name for name in others.values() if name != "another"]
    assert all(name.startswith("~delete-after:") for name in marked)
    assert len(marked) == len(others) - 1 <= state.runs


async def prepare_retired_key(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a key whose overlap with its successor has ended."""
    await prepare_key(state, admin)
    await rotate_key_with_overlap(state, admin)
    state.emulator.clock.advance(7200)


async def delete_retired(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Delete the retired key."""
    return await admin.api_keys.delete_retired(project_id=state.ids["project"])


async def update_key(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Give a key other roles."""
    return await admin.api_keys.ensure(
        project_id=state.ids["project"],
        name="reader" * 13,
        roles=["ProjectEditor"],
        on_difference="update",
        store=state.store_key,
    )


def check_key_updated(state: ScenarioState) -> None:
    """Check that it is the same key with the other roles, and its value is the stored one."""
    key = state.emulator.state.api_keys[state.ids["key"]]
    assert state.emulator.state.roles_of(key) == ["ProjectEditor"]
    assert key.value == state.vault["key"]
    assert len(state.emulator.state.api_keys) == 2


async def reconcile_account(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Give a service account exactly other roles."""
    return await admin.service_accounts.ensure(
        name="robot",
        role_bindings=[on_organization("OrgMember"), on_project(state.ids["project"], "ProjectEditor")],
        on_difference="update",
        revoke_unlisted=True,
        store=state.store_account,
    )


async def take_inventory(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Read the organization."""
    inventory = await admin.inventory()
    state.ids["unread"] = str(len(inventory.unread))
    state.ids["keys"] = str(len(inventory.api_keys))
    return inventory


def check_inventory(state: ScenarioState) -> None:
    """Check that the latest inventory is complete."""
    assert (state.ids["unread"], state.ids["keys"]) == ("0", "2")


async def rotate_account(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Rotate the secret of a service account."""
    return await admin.service_accounts.rotate(service_account_id=state.ids["account"], store=state.store_account)


def check_account_rotated(state: ScenarioState) -> None:
    """Check that the current secret is stored."""
    _, account = state.emulator.state.service_accounts.listing
    assert (account.name, account.client_secret) == ("robot", state.vault["account"])


async def prepare_leaver(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a member who has roles, an expired invite and a pending one."""
    await prepare_project(state, admin)
    await admin.invites.create(email="Leo@example.com", role_bindings=[on_organization("OrgMember")])
    state.emulator.clock.advance(8 * 86_400)
    state.emulator.state.add_invite("Leo@example.com", state.emulator.clock.now())  # the API refuses a second one
    user = state.emulator.state.add_user("leo@EXAMPLE.com")
    state.ids["user"] = user.id
    grants = [
        Grant("OrgOwner", "organization", state.emulator.organization_id),
        Grant("ProjectViewer", "project", state.ids["project"]),
    ]
    state.emulator.state.bind(Principal("user", user.id), grants, state.emulator.clock.now())


def check_nobody_left(state: ScenarioState) -> None:
    """Check that no user, no invite and no role of theirs remains."""
    server = state.emulator.state
    assert [each.email for each in server.users.listing] == ["owner@example.com"]
    assert not list(server.open_invites)
    assert len(server.role_bindings) == 2  # of the two owners


async def prepare_leavers(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a plan of a member who has invites, and of another one."""
    await prepare_leaver(state, admin)
    state.emulator.add_user("lea@example.com")
    plan = await state.make_client().users.offboard_many(emails=["LEO@example.com", "lea@example.com"])
    state.ids["plan"] = plan.to_json()


async def offboard_leaver(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Offboard the member; that nobody has the address means, after a killed run, that it had removed everything."""
    try:
        return await admin.users.offboard(email="LEO@example.com", dry_run=False)
    except NotFoundError as error:
        if state.runs == 1 or error.status_code is not None:
            raise
        return None


async def offboard_planned(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Offboard the members of the plan."""
    return await admin.users.offboard_many(plan=OffboardPlan.from_json(state.ids["plan"]))


async def change_role(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Change a ProjectViewer to ProjectEditor."""
    return await admin.role_bindings.change_role(
        principal_type="service_account",
        principal_id=state.ids["account"],
        resource_type="project",
        resource_id=state.ids["project"],
        from_role="ProjectViewer",
        to_role="ProjectEditor",
    )


async def prepare_robot(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a service account without roles."""
    state.ids["account"] = (await admin.service_accounts.create(name="robot")).service_account.id


async def provision_project(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Provision a project where a service account has two roles."""
    roles = [
        ProjectRole(principal_type="service_account", principal_id=state.ids["account"], role=role)
        for role in ("ProjectViewer", "DataPlaneEditor")
    ]
    return await admin.projects.provision(
        name="reader", key_roles=["ProjectViewer"], store=state.store_key, bindings=roles
    )


def check_provisioned(state: ScenarioState) -> None:
    """Check that there is one project, one stored key and both roles."""
    (project,) = state.emulator.state.projects.values()
    assert project.name == "reader"
    check_one_stored_key(state)
    make_role_check("ProjectViewer", "DataPlaneEditor")(state)


async def prepare_contents(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a full project, and advance the server's clock with the client's."""
    await prepare_project(state, admin)
    await admin.api_keys.create(project_id=state.ids["project"], name="reader")
    fill_project(state.emulator, state.ids["project"])
    clock = current_clock()
    assert isinstance(clock, VirtualClock)
    clock.on_sleep = lambda: state.emulator.clock.advance(clock.slept[-1])


async def prepare_stale_project(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a plan of a project that contains a collection."""
    await prepare_project(state, admin)
    state.emulator.hold(state.ids["project"], "collections", "archive")
    state.emulator.clock.advance(60)
    plan = await admin.projects.delete_stale(name_pattern="p*", older_than=timedelta(seconds=30))
    state.ids["plan"] = plan.to_json()


async def delete_planned(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Delete the project of the plan."""
    return await admin.projects.delete_stale(plan=StalePlan.from_json(state.ids["plan"]))


async def clean_up_project(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Delete the project with its contents; after a completed run it is not found."""
    with suppress(NotFoundError):
        return await admin.projects.delete_with_cleanup(project_id=state.ids["project"])
    assert state.runs > 1
    return None


def check_nothing_left(state: ScenarioState) -> None:
    """Check that neither a project nor a key remains."""
    assert not state.emulator.state.projects
    assert not state.emulator.state.api_keys


SCENARIOS = {
    "ensure project": Scenario(prepare_nothing, lambda _, admin: admin.projects.ensure(name="p"), check_one_project),
    "ensure key": Scenario(prepare_project, ensure_key, check_one_stored_key),
    "ensure account": Scenario(prepare_nothing, ensure_account, check_one_stored_account),
    "ensure invite": Scenario(prepare_nothing, ensure_invite, check_one_mailed_invite),
    "ensure user": Scenario(prepare_expired_invite, ensure_user, check_roles_of_person),
    "ensure member": Scenario(prepare_member, ensure_user, check_roles_of_person),
    "ensure binding": Scenario(
        prepare_account, ensure_binding, make_role_check("OrgMember", "ProjectViewer", "ProjectEditor")
    ),
    "rotate key": Scenario(prepare_key, rotate_key, check_key_rotated),
    "overlap": Scenario(prepare_key, rotate_key_with_overlap, check_key_overlaps),
    "delete retired": Scenario(prepare_retired_key, delete_retired, check_key_rotated),
    "update key": Scenario(prepare_key, update_key, check_key_updated),
    "reconcile account": Scenario(prepare_account, reconcile_account, make_role_check("OrgMember", "ProjectEditor")),
    "inventory": Scenario(prepare_key, take_inventory, check_inventory),
    "rotate account": Scenario(prepare_account, rotate_account, check_account_rotated),
    "offboard": Scenario(prepare_leaver, offboard_leaver, check_nobody_left),
    "offboard many": Scenario(prepare_leavers, offboard_planned, check_nobody_left),
    "delete stale": Scenario(prepare_stale_project, delete_planned, check_nothing_left),
    "cleanup": Scenario(prepare_contents, clean_up_project, check_nothing_left),
    "provision": Scenario(prepare_robot, provision_project, check_provisioned),
    "change role": Scenario(prepare_account, change_role, make_role_check("OrgMember", "ProjectEditor")),
}
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))


LONG = ("cleanup", "delete stale")
"""Workflows of so many requests that only every third one meets a fault."""


def count_step(scenario: Scenario) -> int:
    """Return the step from one request of a workflow that meets a fault to the next."""
    return 3 if scenario in [SCENARIOS[name] for name in LONG] else 1


async def prepare_state(scenario: Scenario) -> ScenarioState:
    """Return the prepared state of a scenario."""
    state = ScenarioState(Emulator(seed=1))
    await scenario.prepare(state, state.make_client())
    state.initial_secrets = state.list_secrets()
    return state


COUNTS: dict[Scenario, int] = {}


async def count_requests(scenario: Scenario) -> int:
    """Return how many requests a workflow sends if nothing fails, which a process finds out once."""
    if scenario not in COUNTS:
        state = await prepare_state(scenario)
        transport = FaultyTransport(state.emulator)
        state.runs += 1
        await scenario.run(state, transport.async_admin())
        COUNTS[scenario] = len(transport.requests)
    return COUNTS[scenario]


async def run_scenario(
    state: ScenarioState,
    scenario: Scenario,
    faults: Mapping[int, InjectedFault],
    *,
    watch: Callable[[ScenarioState], object] = bool,
) -> bool:
    """Run a workflow, and return whether the process survived; ``watch`` looks at the state before each request."""
    state.runs += 1
    admin = state.make_client(faults)
    state.transport.before_request = lambda: watch(state)
    try:
        await scenario.run(state, admin)
    except KilledError:
        return False
    except BaseExceptionGroup as group:
        if group.split(KilledError)[1] is not None:
            raise
        return False
    return True


@each_scenario
async def test_a_completed_workflow_changes_nothing(scenario: Scenario) -> None:
    """A further run of a completed workflow sends only GET requests, unless it rotates a secret."""
    state = await prepare_state(scenario)
    await run_scenario(state, scenario, {})
    assert await run_scenario(state, scenario, {})
    scenario.check(state)
    changes = [request for request in state.transport.requests if not request.startswith("GET ")]
    assert not changes or scenario.run is rotate_account


UNDONE = ["ensure project", "ensure key", "ensure account", "ensure binding", "rotate key", "provision"]
"""Workflows that create something which an interruption must not leave."""


each_short_scenario = pytest.mark.parametrize(
    "scenario",
    [pytest.param(each, marks=[pytest.mark.long] * (name in LONG)) for name, each in SCENARIOS.items()],
    ids=list(SCENARIOS),
)


# <async only>
@pytest.mark.parametrize("anyio_backend", ["asyncio", pytest.param("trio", marks=pytest.mark.long)])
# </async only>
@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after a request"])
@each_short_scenario
async def test_an_interrupted_workflow_is_undone_until_its_secret_is_stored(
    scenario: Scenario, after: bool, stride: Callable[[int], int]
) -> None:
    """A workflow interrupted at any request leaves nothing that it made, or a stored secret; a run completes it."""
    step = stride(4) * count_step(scenario)
    for by_task in (False, True):
        # With a step of 4, the two ways get the time before each request, or after the one before it, between them.
        first = step - by_task * (3 if after else 1) if step > 1 else 1
        for number in range(first, await count_requests(scenario) + 1, step):
            state = await prepare_state(scenario)
            ids, vault = state.list_ids(), dict(state.vault)
            transport = InterruptingTransport(state.emulator, number, after=after)
            interruption = await interrupt_scenario(state, scenario, transport, by_task=by_task)
            if scenario in [SCENARIOS[name] for name in UNDONE] and interruption is not None:
                assert not state.list_ids() - ids or state.vault != vault
            assert set(state.vault.values()) <= state.list_secrets()
            assert await run_scenario(state, scenario, {})
            scenario.check(state)


@pytest.mark.parametrize("name", ["ensure key", "ensure account", "rotate key", "provision"])
async def test_a_stored_secret_works_until_another_one_is_stored(name: str) -> None:
    """Whatever request a run dies at, and though ``store`` fails in the next run, what the vault holds is valid."""
    scenario = SCENARIOS[name]
    for number in range(1, await count_requests(scenario) + 1):
        state = await prepare_state(scenario)
        assert not await run_scenario(state, scenario, {number: InjectedFault.KILL_BEFORE})
        state.before_store = lambda: 1 // 0
        with suppress(ZeroDivisionError):
            await run_scenario(state, scenario, {})
        assert set(state.vault.values()) <= state.list_secrets()
        state.before_store = lambda: None
        assert await run_scenario(state, scenario, {})
        scenario.check(state)


@each_scenario
async def test_an_interrupted_store_counts_as_failed(scenario: Scenario) -> None:
    """If ``store`` is interrupted, everything that was created is deleted, and a run completes the workflow."""
    state = await prepare_state(scenario)
    ids = state.list_ids()
    transport = InterruptingTransport(state.emulator, 0, after=False)
    state.before_store = transport.trigger
    interruption = await interrupt_scenario(state, scenario, transport, by_task=True)
    state.before_store = lambda: None
    if interruption is not None:
        assert state.list_ids() == ids
    assert await run_scenario(state, scenario, {})
    scenario.check(state)


async def interrupt_scenario(
    state: ScenarioState, scenario: Scenario, transport: InterruptingTransport, *, by_task: bool
) -> BaseException | None:
    """Run a workflow, and return the exception of the interruption, or None if the workflow completed."""

    async def run() -> None:
        with suppress(SecretNotStoredError):
            await scenario.run(state, transport.async_admin())

    def arm(interrupt: Callable[[], object]) -> None:
        transport.interrupt = interrupt

    state.runs += 1
    return await async_run_interruptibly(run, arm, by_task=by_task)
