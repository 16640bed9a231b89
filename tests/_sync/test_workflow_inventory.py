# Derived from tests/_async/test_workflow_inventory.py by scripts/unasync.py: change that, not this file.
"""An inventory: everything in the organization, read at once, and nothing lost for one part that fails."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    Admin,
    ClientClosedError,
    PineconeValueError,
    RetryPolicy,
    UnauthorizedError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import Inventory, Progress
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault
from tests.support.organizations import populate_organization

pytestmark = pytest.mark.anyio


def test_everything_is_in_it(admin: Admin, emulator: Emulator, clock: VirtualClock) -> None:
    """Lists that come in pages are read to their end, and the keys stand in the order of the projects."""
    populate_organization(emulator, projects=15, users=120)
    admin.invites.create(email="new@example.com", role_bindings=[on_organization("OrgMember")])
    inventory = admin.inventory()
    state = emulator.state
    assert inventory.taken_at.timestamp() == clock.wall()
    assert [each.id for each in inventory.organizations] == [emulator.organization_id]
    assert [each.id for each in inventory.projects] == list(state.projects)
    assert [each.id for each in inventory.api_keys] == [key for one in state.projects.values() for key in one.api_keys]
    assert [each.id for each in inventory.users] == [each.id for each in state.users.listing]
    assert [each.email for each in inventory.invites] == ["new@example.com"]
    assert [each.name for each in inventory.service_accounts] == ["emulator"]
    assert len(inventory.role_bindings) == len(state.role_bindings) > 200
    assert inventory.unread == []


def test_it_comes_back_from_json(admin: Admin, emulator: Emulator) -> None:
    """So that today's can be compared with the one of last week."""
    populate_organization(emulator, projects=3, users=4)
    inventory = admin.inventory()
    assert Inventory.from_dict(json.loads(json.dumps(inventory.to_dict()))) == inventory


def test_a_part_that_fails_is_reported_beside_the_rest(emulator: Emulator) -> None:
    """The keys of one project, or a whole list."""
    populate_organization(emulator, projects=3, users=4)
    transport = FaultyTransport(emulator, {8: InjectedFault.INVALID_JSON})
    inventory = Admin(**transport.client_options).inventory(concurrency=1)
    first = next(iter(emulator.state.projects))
    (unread,) = inventory.unread
    assert (unread.part, unread.project_id) == ("api_keys", list(emulator.state.projects)[1])
    assert str(unread).startswith(f"api_keys of project {unread.project_id}: list_project_api_keys: ")
    assert {key.project_id for key in inventory.api_keys} == set(emulator.state.projects) - {unread.project_id}
    assert first in {key.project_id for key in inventory.api_keys}
    transport = FaultyTransport(emulator, {3: InjectedFault.INVALID_JSON})
    inventory = Admin(**transport.client_options).inventory(concurrency=1)
    assert ([each.part for each in inventory.unread], inventory.users) == (["users"], [])
    assert len(inventory.projects) == 3


def test_where_the_projects_cannot_be_read_the_rest_is(emulator: Emulator) -> None:
    """Their keys are missing, too."""
    populate_organization(emulator, projects=3, users=4)
    inventory = Admin(**FaultyTransport(emulator, {1: InjectedFault.INVALID_JSON}).client_options).inventory()
    assert [each.part for each in inventory.unread] == ["projects"]
    assert (inventory.projects, inventory.api_keys, len(inventory.users)) == ([], [], 4)


def test_nothing_at_all_is_an_error() -> None:
    """Whoever may see nothing gets no empty inventory."""
    refusing = httpx.MockTransport(lambda _: httpx.Response(401))
    admin = Admin(access_token="t", transport=refusing, retry=RetryPolicy(max_attempts=1))
    with raises(UnauthorizedError):
        admin.inventory()
    admin.close()
    with raises(ClientClosedError):
        admin.inventory()


def test_it_says_how_far_it_is(admin: Admin, emulator: Emulator) -> None:
    """After each part, the last of which completes it."""
    populate_organization(emulator, projects=3, users=4)
    seen: list[Progress] = []
    admin.inventory(progress=seen.append)
    assert [each.done for each in seen] == list(range(1, 10))
    assert seen[0] == Progress(done=1, total=1, step="projects")
    assert {each.total for each in seen[1:]} == {9}
    assert {each.step for each in seen if " of project " in each.step} == {
        f"api_keys of project {project}" for project in emulator.state.projects
    }


def test_a_progress_that_fails_ends_it(admin: Admin, emulator: Emulator) -> None:
    """As it is, not wrapped in a group."""
    populate_organization(emulator, projects=3, users=4)

    def fail(progress: Progress) -> None:
        if progress.done > 2:
            raise OSError("the screen is gone")

    with pytest.raises(OSError, match="screen"):
        admin.inventory(progress=fail)


def test_no_more_requests_are_under_way_than_there_are_connections(emulator: Emulator) -> None:
    """Nor more than were asked for."""
    with raises(PineconeValueError, match="concurrency"):
        emulator.admin().inventory(concurrency=0)
    populate_organization(emulator, projects=40, users=4)
    cases: list[tuple[dict[str, Any], int, int]] = [({"max_connections": 3}, 16, 3), ({}, 5, 5)]
    for options, concurrency, most in cases:
        counting = CountingTransport(emulator)
        Admin(**(counting.client_options | options)).inventory(concurrency=concurrency)
        assert 1 < counting.peak <= most
