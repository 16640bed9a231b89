# Derived from tests/_async/test_hostile_dates.py by scripts/unasync.py: change that, not this file.
"""Dates of a server at both ends of the calendar: nothing that is computed from them raises a foreign exception."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from itertools import product
from typing import Any

import pytest

from pinecone_admin import Admin, PineconeError
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import Inventory, plan_changes
from tests.support.dates import ENDS, sending_dates
from tests.support.organizations import fill_project, populate_organization
from tests.support.sampling import some_daily

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def fill(emulator: Emulator) -> None:
    """Fill an organization with every kind of resource, of which some look old, expired or unfinished."""
    populate_organization(emulator, projects=2, users=3)
    admin = emulator.admin()
    project = admin.projects.create(name="ci-1")
    fill_project(emulator, project.id)
    for name in ("reader", "writer"):
        admin.api_keys.create(project_id=project.id, name=name, roles=["ProjectViewer"])
    keys = admin.api_keys.list(project_id=project.id)
    admin.api_keys.rotate(api_key_id=keys[0].id, store=lambda _: None, keep_old_for=timedelta(minutes=1))
    organization_role = {"resource_type": "organization", "role": "OrgMember"}
    for email in ("bob@example.com", "carol@example.com"):
        admin.invites.create(email=email, role_bindings=[organization_role])  # type: ignore[list-item]
    admin.service_accounts.create(name="nightly")
    emulator.clock.advance(120)


def look_at(value: Any) -> None:
    """Convert a value in each way that it has."""
    assert repr(value) + str(value)
    assert pickle.dumps(value)
    for name in ("to_dict", "to_json", "to_yaml", "to_csv", "to_html", "to_markdown"):
        if hasattr(value, name):
            assert getattr(value, name)()


def review(inventory: Inventory, *, client_id: str) -> None:
    """Compute all that can be computed from an inventory, and read what was saved of it."""
    access = inventory.access(max_key_age=DAY, max_pending=timedelta(0))
    state = inventory.to_desired_state()
    plan = plan_changes(inventory, state, client_id=client_id)
    saved = Inventory.from_dict(json.loads(json.dumps(inventory.to_dict())))
    assert saved == inventory
    for value in (inventory, access, state, plan, inventory.diff(saved)):
        look_at(value)
    for resource in (*inventory.projects, *inventory.api_keys, *inventory.invites, *inventory.role_bindings):
        assert hash(resource) == hash(resource)
    assert all(each.age is None or abs(each.age) < 3000 * 365 * DAY for each in access.findings)


@pytest.mark.parametrize("first", some_daily(ENDS, 4))
def test_no_date_of_a_server_leads_to_a_foreign_exception(first: str, emulator: Emulator) -> None:
    """With each pair of dates, each workflow that looks at dates returns a report that can be printed and saved."""
    fill(emulator)
    initial = emulator.dump()
    for second in ENDS:
        emulator.load(initial)
        with sending_dates(first, second, second):
            admin = emulator.admin()
            review(admin.inventory(), client_id=emulator.client_id)
            project = admin.projects.describe_by_name(name="ci-1")
            for call in list_workflows(admin, project.id):
                try:
                    look_at(call())
                except PineconeError as error:
                    look_at(error)


def read_keys(emulator: Emulator) -> list[Any]:
    """Return the keys of all projects."""
    projects: Any = emulator.dump()["projects"]
    return [project["api_keys"] for project in projects]


def list_workflows(admin: Admin, project_id: str) -> list[Callable[[], Any]]:
    """Return calls of the workflows, previews before what changes something."""

    def delete_stale() -> Any:
        plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=DAY)
        look_at(plan)
        return admin.projects.delete_stale(plan=type(plan).from_json(plan.to_json()))

    def offboard_many() -> Any:
        plan = admin.users.offboard_many(emails=["ada@example.com", "bob@example.com"])
        look_at(plan)
        return admin.users.offboard_many(plan=type(plan).from_json(plan.to_json()))

    def apply() -> Any:
        desired = (admin.inventory()).to_desired_state()
        return admin.apply(admin.plan(desired), store=lambda _: None)

    rotate: dict[str, Any] = {"older_than": DAY, "keep_old_for": DAY, "store": lambda _: None}
    return [
        lambda: admin.users.offboard(email="ada@example.com"),
        lambda: admin.api_keys.rotate_due(**rotate, dry_run=True),
        lambda: admin.api_keys.rotate_due(**rotate),
        lambda: admin.api_keys.delete_retired(dry_run=True),
        admin.api_keys.delete_retired,
        apply,
        lambda: admin.projects.delete_with_cleanup(project_id=project_id, dry_run=True),
        delete_stale,
        offboard_many,
        lambda: admin.users.ensure(email="carol@example.com", role_bindings=[]),
        lambda: admin.invites.list().to_list(),
        lambda: admin.service_accounts.list().to_list(),
    ]


@pytest.mark.parametrize("status", [200, 400, 403, 404])
def test_the_date_of_another_server_ends_and_replaces_no_key(status: int, emulator: Emulator) -> None:
    """The time is that of the API, also if the latest response is of a proxy whose clock is a year ahead."""
    admin = emulator.admin()
    projects = [admin.projects.create(name=name) for name in ("one", "two")]
    for project in projects:
        admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"])
        [key] = admin.api_keys.list(project_id=project.id)
        admin.api_keys.rotate(api_key_id=key.id, store=lambda _: None, keep_old_for=30 * DAY)
    ahead = format_datetime(emulator.clock.now() + 365 * DAY, usegmt=True)
    emulator.faults.add(
        "list_project_api_keys", id=projects[1].id, status=status, body="html", headers={"date": ahead}, times=None
    )
    before = read_keys(emulator)
    report = admin.api_keys.rotate_due(older_than=90 * DAY, keep_old_for=DAY, store=lambda _: None)
    with pytest.raises(PineconeError):
        admin.api_keys.delete_retired()
    assert read_keys(emulator) == before
    assert [each.project_id for each in report.failed] == [projects[1].id]


def test_a_date_that_cannot_be_right_makes_nothing_old(emulator: Emulator) -> None:
    """A date in the year 1 is that of no project or key: none is deleted, replaced or found for its age."""
    fill(emulator)
    for first, second in product(ENDS, ENDS):
        with sending_dates(first, second):
            admin = emulator.admin()
            plan = admin.projects.delete_stale(name_pattern="*", older_than=DAY)
            assert plan.projects == []
            report = admin.api_keys.rotate_due(older_than=DAY, keep_old_for=DAY, store=lambda _: None, dry_run=True)
            assert report.rotated == []
            access = (admin.inventory()).access(max_key_age=DAY)
            assert {"key-is-old", "invite-pending-long"}.isdisjoint(each.kind for each in access.findings)
