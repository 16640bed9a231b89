# Derived from tests/_async/test_workflow_memory.py by scripts/unasync.py: change that, not this file.
"""What a workflow remembers between reading and sending: each run reads again, and no two runs share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import Admin, on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin.workflows import DesiredState, plan_changes

pytestmark = pytest.mark.anyio

MEMBER = [on_organization("OrgMember")]
FILE = {
    "organization": "Acme",
    "projects": [{"name": "made"}],
    "people": [{"email": "a@example.com", "roles": ["OrgMember"]}],
}


def keep_nothing(_: APIKeyWithSecret | ServiceAccountWithSecret) -> None:
    """Take a secret that nobody needs."""


def apply_file(admin: Admin, _: str) -> bool:
    """Plan and apply a file; return whether something was made."""
    data = FILE | {"organization": (admin.organizations.list())[0].id}
    return bool((admin.apply(admin.plan(DesiredState.from_dict(data)))).done)


def ensure(call: Callable[[], Any]) -> bool:
    """Return whether an ``ensure`` has made something."""
    return bool((call()).created)


# Each makes its resource, and returns whether that was missing. The second argument is the id of a project.
RUNS: dict[str, Callable[[Admin, str], bool]] = {
    "apply": apply_file,
    "project": lambda admin, _: ensure(lambda: admin.projects.ensure(name="made")),
    "key": lambda admin, place: ensure(
        lambda: admin.api_keys.ensure(project_id=place, name="made", store=keep_nothing)
    ),
    "account": lambda admin, _: ensure(lambda: admin.service_accounts.ensure(name="made", store=keep_nothing)),
    "invite": lambda admin, _: ensure(lambda: admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)),
    "user": lambda admin, _: ensure(lambda: admin.users.ensure(email="a@example.com", role_bindings=MEMBER)),
}


def remove_all(admin: Admin, place: str) -> None:
    """Delete what the runs have made, as somebody else does."""
    for key in admin.api_keys.list(project_id=place):
        admin.api_keys.delete(api_key_id=key.id)
    for project in admin.projects.list():
        if project.id != place:
            admin.projects.delete(project_id=project.id)
    for account in admin.service_accounts.list():
        if account.name == "made":
            admin.service_accounts.delete(service_account_id=account.id)
    for invite in admin.invites.list():
        admin.invites.delete(invite_id=invite.id)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_reads_again_what_an_earlier_one_has_read(name: str) -> None:
    """What somebody else deletes between two runs of one client is made again: nothing of the first run is stale."""
    emulator = Emulator(seed=1)
    with emulator.admin() as admin, emulator.admin() as other:
        place = (other.projects.create(name="place")).id
        assert [RUNS[name](admin, place), RUNS[name](admin, place)] == [True, False]
        remove_all(other, place)
        assert [RUNS[name](admin, place), RUNS[name](admin, place)] == [True, False]


@pytest.mark.parametrize("name", RUNS)
def test_two_organizations_share_nothing_that_a_run_has_read(name: str) -> None:
    """Organizations with equal ids, as two stages have with one emulator each, do not answer for each other."""
    first, second = Emulator(seed=1), Emulator(seed=1)
    with first.admin() as one, second.admin() as two:
        places = [(each.projects.create(name="place")).id for each in (one, two)]
        assert places[0] == places[1]
        assert RUNS[name](one, places[0])
        assert RUNS[name](two, places[1])
        remove_all(one, places[0])
        assert [RUNS[name](one, places[0]), RUNS[name](two, places[1])] == [True, False]


def test_a_plan_is_of_the_inventory_that_it_was_made_from() -> None:
    """Plans of one organization before and after a change differ by that change, in whichever order they are made."""
    emulator = Emulator(seed=1)
    with emulator.admin() as admin:
        before = admin.inventory()
        apply_file(admin, "")
        after = admin.inventory()
    desired = DesiredState.from_dict(FILE | {"organization": before.organizations[0].id})
    client_id = emulator.client_id
    planned = [len(plan_changes(each, desired, client_id=client_id).changes) for each in (before, after, before, after)]
    assert planned == [2, 0, 2, 0]
