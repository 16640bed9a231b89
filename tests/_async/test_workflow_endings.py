"""Workflows over many things: which failure is that of one thing, and which one ends the whole workflow."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

import pytest
from attrs import frozen

from pinecone_admin import AsyncAdmin, ClientClosedError, PineconeError, ReadOnlyError, UnauthorizedError
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import ServiceAccountWithSecret
from pinecone_admin.workflows import DesiredState
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport

pytestmark = pytest.mark.anyio

NAMES = ["a", "b", "c"]
WEEK = timedelta(days=7)

Call: TypeAlias = Callable[[AsyncAdmin], Awaitable[object]]


async def add_projects(admin: AsyncAdmin, *, with_keys: bool = True) -> list[str]:
    """Create three projects, each with a key, and return their ids."""
    ids = [(await admin.projects.create(name=name)).id for name in NAMES]
    for id in ids if with_keys else ():
        await admin.api_keys.create(project_id=id, name="web")
    return ids


async def take_inventory(emulator: Emulator) -> Call:
    """Return the inventory of three projects."""
    await add_projects(emulator.async_admin())
    return lambda admin: admin.inventory(concurrency=1)


async def rotate_due_keys(emulator: Emulator) -> Call:
    """Return the rotation of three keys."""
    await add_projects(emulator.async_admin())
    emulator.clock.advance(40 * 86_400)
    return lambda admin: admin.api_keys.rotate_due(older_than=WEEK, keep_old_for=WEEK, store=lambda _: None)


async def rotate_due_accounts(emulator: Emulator) -> Call:
    """Return the rotation of the secrets of three service accounts."""
    for name in NAMES:
        await emulator.async_admin().service_accounts.create(name=name)
    emulator.clock.advance(40 * 86_400)

    def store(_: ServiceAccountWithSecret) -> None: ...

    return lambda admin: admin.service_accounts.rotate_due(
        older_than=WEEK, names=NAMES, store=store, allow_unreadable=True
    )


async def apply_plan(emulator: Emulator) -> Call:
    """Return the creation of three keys, as planned."""
    await add_projects(emulator.async_admin(), with_keys=False)
    projects = [{"name": name, "api_keys": [{"name": "web", "roles": ["ProjectEditor"]}]} for name in NAMES]
    desired = DesiredState.from_dict({"organization": emulator.organization_id, "projects": projects})
    plan = await emulator.async_admin().plan(desired)
    return lambda admin: admin.apply(plan, store=lambda _: None)


async def offboard_many(emulator: Emulator) -> Call:
    """Return the offboarding of three people, as planned."""
    emails = [f"{name}@example.com" for name in NAMES]
    for email in emails:
        emulator.add_user(email)
    plan = await emulator.async_admin().users.offboard_many(emails=emails)
    return lambda admin: admin.users.offboard_many(plan=plan)


async def plan_deletion(emulator: Emulator) -> Call:
    """Return the plan to delete three stale projects."""
    await add_projects(emulator.async_admin())
    emulator.clock.advance(40 * 86_400)
    return lambda admin: admin.projects.delete_stale(name_pattern="*", older_than=WEEK, concurrency=1)


async def delete_stale(emulator: Emulator) -> Call:
    """Return the deletion of three stale projects, as planned."""
    plan = await (await plan_deletion(emulator))(emulator.async_admin())
    return lambda admin: admin.projects.delete_stale(plan=plan, concurrency=1)  # type: ignore[call-overload]


@frozen
class Workflow:
    """A workflow over three things, and the request that is made for each of them.

    Attributes:
        prepare: Creates the things, and returns the workflow.
        operation: The operation of the request.
        request: Pattern of the request.
    """

    prepare: Callable[[Emulator], Awaitable[Call]]
    operation: str
    request: str


CREATE_KEY = ("create_api_key", r"POST /admin/projects/[^/]+/api-keys")
WORKFLOWS = {
    "inventory": Workflow(take_inventory, "list_project_api_keys", r"GET /admin/projects/[^/]+/api-keys"),
    "rotate_due": Workflow(rotate_due_keys, *CREATE_KEY),
    "rotate_due of accounts": Workflow(
        rotate_due_accounts, "rotate_service_account_secret", r"POST /admin/service-accounts/[^/]+/.*"
    ),
    "apply": Workflow(apply_plan, *CREATE_KEY),
    "offboard_many": Workflow(offboard_many, "delete_user", r"DELETE /admin/users/.*"),
    "plan of delete_stale": Workflow(plan_deletion, *CREATE_KEY),
    "delete_stale": Workflow(delete_stale, *CREATE_KEY),
}


@pytest.fixture(params=WORKFLOWS)
def workflow(request: pytest.FixtureRequest) -> Workflow:
    """Return each workflow in turn."""
    found: Workflow = WORKFLOWS[request.param]
    return found


async def run(workflow: Workflow, emulator: Emulator, *, status: int, times: int) -> tuple[object, int]:
    """Run a workflow with a fault of the second thing; return the error, and for how many things it sent a request."""
    call, transport = await workflow.prepare(emulator), FaultyTransport(emulator)
    emulator.faults.add(workflow.operation, skip=1, status=status, times=times)
    error = None
    try:
        await call(transport.async_admin())
    except PineconeError as found:
        error = type(found)
    return error, len({each for each in transport.requests if re.fullmatch(workflow.request, each)})


async def test_a_401_that_a_new_token_does_not_cure_ends_the_workflow(workflow: Workflow, emulator: Emulator) -> None:
    """No request is sent for the third thing, although it would succeed."""
    ended = await run(workflow, emulator, status=401, times=2)  # the second one with a new token
    assert ended == (UnauthorizedError, 2)


async def test_a_401_that_a_new_token_cures_is_not_noticed(workflow: Workflow, emulator: Emulator) -> None:
    """The workflow goes on, without an error."""
    assert await run(workflow, emulator, status=401, times=1) == (None, 3)


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_refusal_of_one_thing_does_not_end_the_workflow(
    workflow: Workflow, emulator: Emulator, status: int
) -> None:
    """The report names the thing, and the third one is done."""
    assert await run(workflow, emulator, status=status, times=1) == (None, 3)


async def test_a_client_that_sends_no_changes_ends_the_workflow(workflow: Workflow, emulator: Emulator) -> None:
    """A closed client ends every workflow, and a read-only one those that change something."""
    call, closed = await workflow.prepare(emulator), emulator.async_admin()
    await closed.aclose()
    with raises(ClientClosedError):
        await call(closed)
    if workflow.operation != "list_project_api_keys":
        with raises(ReadOnlyError):
            await call(emulator.async_admin(read_only=True))
