# Derived from tests/_async/test_workflow_endings.py by scripts/unasync.py: change that, not this file.
"""Workflows over many things: which failure is that of one thing, and which one ends the whole workflow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import pytest
from attrs import frozen

from pinecone_admin import Admin, ClientClosedError, PineconeError, ReadOnlyError, UnauthorizedError
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import ServiceAccountWithSecret
from pinecone_admin.workflows import DesiredState
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport

pytestmark = pytest.mark.anyio

NAMES = ["a", "b", "c"]
WEEK = timedelta(days=7)

Call: TypeAlias = Callable[[Admin], object]


def add_projects(admin: Admin, *, with_keys: bool = True) -> list[str]:
    """Create three projects, each with a key, and return their ids."""
    ids = [(admin.projects.create(name=name)).id for name in NAMES]
    for id in ids if with_keys else ():
        admin.api_keys.create(project_id=id, name="web")
    return ids


def take_inventory(emulator: Emulator) -> Call:
    """Return the inventory of three projects."""
    add_projects(emulator.admin())
    return lambda admin: admin.inventory(concurrency=1)


def rotate_due_keys(emulator: Emulator) -> Call:
    """Return the rotation of three keys."""
    add_projects(emulator.admin())
    emulator.clock.advance(40 * 86_400)
    return lambda admin: admin.api_keys.rotate_due(older_than=WEEK, keep_old_for=WEEK, store=lambda _: None)


def rotate_due_accounts(emulator: Emulator) -> Call:
    """Return the rotation of the secrets of three service accounts."""
    for name in NAMES:
        emulator.admin().service_accounts.create(name=name)
    emulator.clock.advance(40 * 86_400)

    def store(_: ServiceAccountWithSecret) -> None: ...

    return lambda admin: admin.service_accounts.rotate_due(
        older_than=WEEK, names=NAMES, store=store, allow_unreadable=True
    )


def apply_plan(emulator: Emulator) -> Call:
    """Return the creation of three keys, as planned."""
    add_projects(emulator.admin(), with_keys=False)
    projects = [{"name": name, "api_keys": [{"name": "web", "roles": ["ProjectEditor"]}]} for name in NAMES]
    desired = DesiredState.from_dict({"organization": emulator.organization_id, "projects": projects})
    plan = emulator.admin().plan(desired)
    return lambda admin: admin.apply(plan, store=lambda _: None)


def offboard_many(emulator: Emulator) -> Call:
    """Return the offboarding of three people, as planned."""
    emails = [f"{name}@example.com" for name in NAMES]
    for email in emails:
        emulator.add_user(email)
    plan = emulator.admin().users.offboard_many(emails=emails)
    return lambda admin: admin.users.offboard_many(plan=plan)


def plan_deletion(emulator: Emulator) -> Call:
    """Return the plan to delete three stale projects."""
    add_projects(emulator.admin())
    emulator.clock.advance(40 * 86_400)
    return lambda admin: admin.projects.delete_stale(name_pattern="*", older_than=WEEK, concurrency=1)


def delete_stale(emulator: Emulator) -> Call:
    """Return the deletion of three stale projects, as planned."""
    plan = (plan_deletion(emulator))(emulator.admin())
    return lambda admin: admin.projects.delete_stale(plan=plan, concurrency=1)  # type: ignore[call-overload]


@frozen
class Workflow:
    """A workflow over three things, and the request that is made for each of them.

    Attributes:
        prepare: Creates the things, and returns the workflow.
        operation: The operation of the request.
        request: Pattern of the request.
    """

    prepare: Callable[[Emulator], Call]
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


def run(workflow: Workflow, emulator: Emulator, *, status: int, times: int) -> tuple[object, int]:
    """Run a workflow with a fault of the second thing; return the error, and for how many things it sent a request."""
    call, transport = workflow.prepare(emulator), FaultyTransport(emulator)
    emulator.faults.add(workflow.operation, skip=1, status=status, times=times)
    error = None
    try:
        call(transport.admin())
    except PineconeError as found:
        error = type(found)
    return error, len({each for each in transport.requests if re.fullmatch(workflow.request, each)})


def test_a_401_that_a_new_token_does_not_cure_ends_the_workflow(workflow: Workflow, emulator: Emulator) -> None:
    """No request is sent for the third thing, although it would succeed."""
    ended = run(workflow, emulator, status=401, times=2)  # the second one with a new token
    assert ended == (UnauthorizedError, 2)


def test_a_401_that_a_new_token_cures_is_not_noticed(workflow: Workflow, emulator: Emulator) -> None:
    """The workflow goes on, without an error."""
    assert run(workflow, emulator, status=401, times=1) == (None, 3)


@pytest.mark.parametrize("status", [403, 404, 422])
def test_a_refusal_of_one_thing_does_not_end_the_workflow(workflow: Workflow, emulator: Emulator, status: int) -> None:
    """The report names the thing, and the third one is done."""
    assert run(workflow, emulator, status=status, times=1) == (None, 3)


def test_a_client_that_sends_no_changes_ends_the_workflow(workflow: Workflow, emulator: Emulator) -> None:
    """A closed client ends every workflow, and a read-only one those that change something."""
    call, closed = workflow.prepare(emulator), emulator.admin()
    closed.close()
    with raises(ClientClosedError):
        call(closed)
    if workflow.operation != "list_project_api_keys":
        with raises(ReadOnlyError):
            call(emulator.admin(read_only=True))
