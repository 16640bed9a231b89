# Derived from tests/_async/test_workflow_inventory.py by scripts/unasync.py: change that, not this file.
"""Inventory: the whole organization, read concurrently; a part that fails does not lose the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    Admin,
    ClientClosedError,
    PineconeConnectionError,
    PineconeError,
    PineconeValueError,
    RateLimitError,
    RetryPolicy,
    ServiceError,
    UnauthorizedError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import ORGANIZATION_ROLES, OrganizationRoleName
from pinecone_admin.workflows import Inventory, Progress
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault
from tests.support.organizations import populate_organization
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio


def test_an_inventory_is_dated_by_the_clock_of_the_server(
    admin: Admin, emulator: Emulator, clock: VirtualClock
) -> None:
    """On a machine whose clock is wrong by years, an inventory has the time of the server, and ages are right."""
    admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgMember")])
    emulator.clock.advance(4 * 86_400)
    clock.shift_wall(-3_000 * 86_400)
    before = emulator.clock.now().replace(microsecond=0)
    inventory = admin.inventory()
    assert before <= inventory.taken_at <= emulator.clock.now()
    (pending,) = [each for each in inventory.access().findings if each.kind == "invite-pending-long"]
    assert pending.age is not None
    assert pending.age > timedelta(days=3, hours=23)  # a Date has no fractions of a second


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.999])
def test_an_inventory_is_dated_up_to_a_second_early_and_never_late(
    admin: Admin, emulator: Emulator, fraction: float
) -> None:
    """A Date has whole seconds: the time of an inventory, and of a plan, is at most a second before reading began."""
    emulator.clock.set(datetime(2026, 7, 1, 12, tzinfo=UTC) + timedelta(seconds=fraction))
    inventory = admin.inventory()
    plan = admin.users.offboard_many(emails=["ada@example.com"])
    for moment in (inventory.taken_at, plan.made_at):
        assert timedelta(0) <= emulator.clock.now() - moment < timedelta(seconds=1)


def test_an_inventory_without_a_date_of_the_server_has_that_of_the_machine(
    make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Responses without a valid Date leave only the clock of this machine."""
    inventory = make_client(ScriptedTransport(ScriptedResponse(body={"data": []}))).inventory()
    assert inventory.taken_at.timestamp() == clock.wall()


def test_an_inventory_is_complete(admin: Admin, emulator: Emulator) -> None:
    """An inventory has every page of every list, and the keys in the order of their projects."""
    populate_organization(emulator, projects=15, users=120)
    admin.invites.create(email="new@example.com", role_bindings=[on_organization("OrgMember")])
    inventory = admin.inventory()
    state = emulator.state
    assert [each.id for each in inventory.organizations] == [emulator.organization_id]
    assert [each.id for each in inventory.projects] == list(state.projects)
    assert [each.id for each in inventory.api_keys] == [key for one in state.projects.values() for key in one.api_keys]
    assert [each.id for each in inventory.users] == [each.id for each in state.users.listing]
    assert [each.email for each in inventory.invites] == ["new@example.com"]
    assert [each.name for each in inventory.service_accounts] == ["emulator"]
    assert len(inventory.role_bindings) == len(state.role_bindings) > 200
    assert inventory.unread == []


LISTS = ("projects", "project_api_keys", "users", "invites", "service_accounts", "role_bindings")


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ({"status": 503}, 503, ServiceError),
        ({"status": 429}, 429, RateLimitError),
        ({"status": 408}, None, PineconeConnectionError),
        ({"drop": "after"}, None, PineconeConnectionError),
    ],
)
def test_a_list_that_the_server_fails_to_send_is_its_error_and_no_lack_of_a_role(
    admin: Admin, emulator: Emulator, fault: dict[str, Any], status: int | None, error: type[PineconeError]
) -> None:
    """A workflow that needs the whole organization raises an error that advises another call."""
    populate_organization(emulator, projects=1, users=2)
    desired = (admin.inventory()).to_desired_state()
    plan = admin.plan(desired)
    people = admin.users.offboard_many(emails=["ada@example.com"])
    once = emulator.admin(retry=RetryPolicy(max_attempts=1))

    def export() -> None:
        (once.inventory()).to_desired_state()

    calls: list[Callable[[], object]] = [
        export,
        lambda: once.plan(desired),
        lambda: once.apply(plan),
        lambda: once.users.offboard_many(emails=["ada@example.com"]),
        lambda: once.users.offboard_many(plan=people),
    ]
    for call, name in product(calls, LISTS):
        emulator.faults.add(f"list_{name}", **fault)
        with raises(error, match="could (not )?be read|cannot see everything") as caught:
            call()
        assert (caught.value.worth_retrying, caught.value.outcome) == (True, "not_sent")
        assert getattr(caught.value, "status_code", None) == status
        emulator.faults.clear()


def test_an_inventory_survives_json(admin: Admin, emulator: Emulator) -> None:
    """from_dict restores an inventory from the JSON of to_dict."""
    populate_organization(emulator, projects=3, users=4)
    inventory = admin.inventory()
    assert Inventory.from_dict(json.loads(json.dumps(inventory.to_dict()))) == inventory


@pytest.mark.parametrize(("role", "is_complete"), [("OrgMember", False), ("OrgManager", False), ("OrgOwner", True)])
def test_role_bindings_that_the_caller_does_not_see_are_unread(
    admin: Admin, emulator: Emulator, *, role: OrganizationRoleName, is_complete: bool
) -> None:
    """A list of role bindings without an owner was shortened, and is reported as such."""
    made = admin.service_accounts.create(name="reviewer", role_bindings=[on_organization(role)])
    reviewer = emulator.admin(client_id=made.service_account.client_id, client_secret=made.client_secret)
    unread = (reviewer.inventory()).unread
    assert [each.part for each in unread] == ([] if is_complete else ["role_bindings"])
    assert all("can see only some of them" in str(each) for each in unread)


def test_what_one_of_two_accounts_does_not_see_is_not_a_change(admin: Admin, emulator: Emulator) -> None:
    """Projects, keys and roles that only an owner sees look neither removed nor, the other way round, added."""
    populate_organization(emulator, projects=2, users=1)
    project_id = next(iter(emulator.state.projects))
    for role in (*ORGANIZATION_ROLES, ("ProjectOwner", project_id)):
        lesser = emulator.admin(roles=[role]).inventory()
        owners = admin.inventory()
        is_complete = role == "OrgOwner"
        saved = lesser.to_dict()
        for each in saved["unread"]:
            each["error"] = "the account sees only some of them: an owner of the organization is missing"
        of_another_version = Inventory.from_dict(saved)
        pairs = [(owners, lesser), (lesser, owners), (owners, of_another_version), (of_another_version, owners)]
        for changes in (before.diff(after) for before, after in pairs):
            assert not changes, str(changes)
            assert any(each.startswith("the projects (") for each in changes.unknown) is not is_complete


def test_what_one_account_sees_no_longer_is_not_a_change(admin: Admin, emulator: Emulator) -> None:
    """A project whose role the account lost looks not removed; what it sees in both inventories is compared."""
    kept, lost = [admin.projects.create(name=name) for name in ("kept", "lost")]
    keys = [(admin.api_keys.create(project_id=each.id, name="reader")).key for each in (kept, lost)]
    caller = emulator.admin(roles=["OrgMember", *(("ProjectOwner", each.id) for each in (kept, lost))])
    before = caller.inventory()
    admin.projects.update(project_id=kept.id, name="renamed")
    admin.api_keys.delete(api_key_id=keys[0].id)
    added = admin.api_keys.create(project_id=kept.id, name="writer")
    (binding,) = [
        each
        for each in admin.role_bindings.list(principal_type="service_account", resource_type="project")
        if each.resource_id == lost.id
    ]
    admin.role_bindings.delete(role_binding_id=binding.id)
    changes = before.diff(caller.inventory())
    assert [(each.id, each.after) for each in changes.changed] == [(kept.id, "renamed")]
    assert ([each.id for each in changes.added], [each.id for each in changes.removed]) == (
        [added.key.id],
        [keys[0].id],
    )
    assert {each.partition(" (")[0] for each in changes.unknown} == {"the projects", "the role bindings"}


def test_a_project_that_is_created_meanwhile_is_not_unread(emulator: Emulator) -> None:
    """A role on a project that did not exist when the projects were listed hides nothing."""
    transport = FaultyTransport(emulator)

    def create() -> None:
        if len(transport.requests) == 2:
            made = emulator.admin().projects.create(name="new")
            emulator.admin().api_keys.create(project_id=made.id, name="reader")

    transport.before_request = create
    inventory = transport.admin().inventory(concurrency=1)  # lists the projects first
    assert (inventory.projects, inventory.unread) == ([], [])
    assert "api_key" in {each.principal_type for each in inventory.role_bindings}


def test_a_failed_part_is_reported_as_unread(emulator: Emulator) -> None:
    """A list that fails is reported as unread, and the rest is complete."""
    populate_organization(emulator, projects=3, users=4)
    transport = FaultyTransport(emulator, {8: InjectedFault.INVALID_JSON})
    inventory = transport.admin().inventory(concurrency=1)
    first_project_id = next(iter(emulator.state.projects))
    (unread,) = inventory.unread
    assert (unread.part, unread.project_id) == ("api_keys", list(emulator.state.projects)[1])
    assert str(unread).startswith(f"the API keys of project {unread.project_id}")
    assert {key.project_id for key in inventory.api_keys} == set(emulator.state.projects) - {unread.project_id}
    assert first_project_id in {key.project_id for key in inventory.api_keys}
    transport = FaultyTransport(emulator, {4: InjectedFault.INVALID_JSON})
    inventory = transport.admin().inventory(concurrency=1)
    assert ([each.part for each in inventory.unread], inventory.users) == (["users"], [])
    assert len(inventory.projects) == 3


def test_failed_projects_leave_the_rest_complete(emulator: Emulator) -> None:
    """Without the list of projects, an inventory lacks only projects and their keys."""
    populate_organization(emulator, projects=3, users=4)
    inventory = FaultyTransport(emulator, {1: InjectedFault.INVALID_JSON}).admin().inventory()
    assert [each.part for each in inventory.unread] == ["projects"]
    assert (inventory.projects, inventory.api_keys, len(inventory.users)) == ([], [], 5)


def test_an_inventory_without_any_part_raises() -> None:
    """An inventory without a readable part raises an error."""
    transport = httpx.MockTransport(lambda _: httpx.Response(401))
    admin = Admin(access_token="t", transport=transport, retry=RetryPolicy(max_attempts=1))
    with raises(UnauthorizedError):
        admin.inventory()
    admin.close()
    with raises(ClientClosedError):
        admin.inventory()


def test_progress_is_reported_after_each_part(admin: Admin, emulator: Emulator) -> None:
    """Progress is reported after each part, and the last report is complete."""
    populate_organization(emulator, projects=3, users=4)
    seen: list[Progress] = []
    admin.inventory(progress=seen.append)
    assert [each.done for each in seen] == list(range(1, 10))
    assert seen[0] == Progress(done=1, total=1, step="projects")
    assert {each.total for each in seen[1:]} == {9}
    assert {each.step for each in seen if " of project " in each.step} == {
        f"api_keys of project {project}" for project in emulator.state.projects
    }


def test_an_exception_in_progress_is_raised(admin: Admin, emulator: Emulator) -> None:
    """An exception in the progress callback is raised unchanged, not in an exception group."""
    populate_organization(emulator, projects=3, users=4)

    def fail(progress: Progress) -> None:
        if progress.done > 2:
            raise OSError("the screen is gone")

    with pytest.raises(OSError, match="screen"):
        admin.inventory(progress=fail)


def test_concurrency_is_limited(emulator: Emulator) -> None:
    """Concurrent requests exceed neither max_connections nor the concurrency argument."""
    with raises(PineconeValueError, match="concurrency"):
        emulator.admin().inventory(concurrency=0)
    populate_organization(emulator, projects=40, users=4)
    for concurrency, limit in ((30, 20), (5, 5)):
        counting = CountingTransport(emulator)
        counting.admin().inventory(concurrency=concurrency)
        assert 1 < counting.peak <= limit
