# Derived from tests/_async/test_workflow_foreign_404.py by scripts/unasync.py: change that, not this file.
"""A 404 without the API's code, as a proxy sends it, never counts as a deletion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin import Admin, NotFoundError, PineconeError
from pinecone_admin.workflows import DesiredState
from pinecone_admin.workflows.name_tags import tag_as_successor, tag_as_unfinished
from tests._sync.test_workflow_outcomes import WORKFLOWS, list_records, prepare_due_keys, read_organization, rotate_due
from tests._sync.test_workflow_recovery import (
    SCENARIOS,
    Scenario,
    ScenarioState,
    ensure_account,
    ensure_key,
    prepare_contents,
    prepare_key,
    prepare_leaver,
    prepare_nothing,
    prepare_project,
    prepare_robot,
    prepare_state,
    provision_project,
)
from tests.support.errors import raises
from tests.support.old_names import tag_as_emptying

pytestmark = pytest.mark.anyio

CLAIM = re.compile(r"(?<!not )(?<!not be )(?<!may be )(?<!to be )\b(deleted|revoked|removed|gone)\b|was not there")
FOREIGN_404: Mapping[str, Any] = {"status": 404, "body": "html", "times": None}


def rotate(state: ScenarioState, admin: Admin) -> object:
    """Rotate a key, and delete the old one at once."""
    return admin.api_keys.rotate(api_key_id=state.ids["key"], store=state.store_key)


def prepare_candidate(state: ScenarioState, admin: Admin) -> None:
    """Start with a key that an interrupted rotation left."""
    prepare_key(state, admin)
    admin.api_keys.create(project_id=state.ids["project"], name=tag_as_successor(state.ids["key"], "reader" * 13))


def prepare_full_project(state: ScenarioState, admin: Admin) -> None:
    """Start also without room for another key."""
    prepare_candidate(state, admin)
    state.emulator.configure(api_key_quota=3)


def prepare_unfinished_key(state: ScenarioState, admin: Admin) -> None:
    """Start with a key that an interrupted run left."""
    prepare_project(state, admin)
    admin.api_keys.create(project_id=state.ids["project"], name=tag_as_unfinished("reader"))


def prepare_unfinished_account(_: ScenarioState, admin: Admin) -> None:
    """Start with a service account that an interrupted run left."""
    admin.service_accounts.create(name=tag_as_unfinished("robot"))


def prepare_emptying(state: ScenarioState, admin: Admin) -> None:
    """Start with a full project, and the temporary key of a killed run."""
    prepare_contents(state, admin)
    admin.api_keys.create(project_id=state.ids["project"], name=tag_as_emptying(state.ids["project"]))


def offboard(_: ScenarioState, admin: Admin) -> object:
    """Offboard the member."""
    return admin.users.offboard(email="LEO@example.com", dry_run=False)


def clean_up(state: ScenarioState, admin: Admin) -> object:
    """Delete the project with its contents."""
    return admin.projects.delete_with_cleanup(project_id=state.ids["project"])


def apply_removals(state: ScenarioState, admin: Admin) -> object:
    """Apply a plan by which the member leaves."""
    people = [{"email": "leo@example.com", "absent": True}]
    desired = {"organization": state.emulator.organization_id, "people": people}
    return admin.apply(admin.plan(DesiredState.from_dict(desired)))


def fail(scenario: Scenario) -> Scenario:
    """Return a scenario whose store fails, so that what was made is deleted again."""

    def fail_to_store() -> None:
        raise PineconeError("the vault is sealed")

    def prepare(state: ScenarioState, admin: Admin) -> None:
        scenario.prepare(state, admin)
        state.before_store = fail_to_store

    return Scenario(prepare, scenario.run, scenario.check)


def check_nothing(_: ScenarioState) -> None:
    """Check nothing: the scenario does not reach its end."""


DELETING = {
    "rotate": Scenario(prepare_candidate, rotate, check_nothing),
    "rotate without room": Scenario(prepare_full_project, rotate, check_nothing),
    "rotate and fail": fail(Scenario(prepare_key, rotate, check_nothing)),
    "rotate due": Scenario(prepare_due_keys, rotate_due, check_nothing),
    "delete retired": SCENARIOS["delete retired"],
    "ensure key": Scenario(prepare_unfinished_key, ensure_key, check_nothing),
    "ensure key and fail": fail(Scenario(prepare_project, ensure_key, check_nothing)),
    "ensure account": Scenario(prepare_unfinished_account, ensure_account, check_nothing),
    "ensure account and fail": fail(Scenario(prepare_nothing, ensure_account, check_nothing)),
    "ensure user": SCENARIOS["ensure user"],
    "ensure member": SCENARIOS["ensure member"],
    "reconcile account": SCENARIOS["reconcile account"],
    "provision and fail": fail(Scenario(prepare_robot, provision_project, check_nothing)),
    "change role": SCENARIOS["change role"],
    "offboard": Scenario(prepare_leaver, offboard, check_nothing),
    "offboard many": SCENARIOS["offboard many"],
    "apply": Scenario(prepare_leaver, apply_removals, check_nothing),
    "cleanup": Scenario(prepare_emptying, clean_up, check_nothing),
    "delete stale": SCENARIOS["delete stale"],
    "temporary key": evolve(WORKFLOWS["temporary key"], prepare=prepare_project),
}


def count_deletions(scenario: Scenario) -> Counter[str]:
    """Return how often a workflow makes each deletion if nothing stops it."""
    state, sent = prepare_state(scenario), list[str]()
    admin = state.emulator.admin(
        on_attempt=lambda event: sent.append(str(event.operation)) if event.method == "DELETE" else None
    )
    with suppress(PineconeError):
        scenario.run(state, admin)
    return Counter(sent)


def list_texts(report: object, error: PineconeError | None) -> Iterator[str]:
    """Yield what a workflow says: the sentences of its error and the notes, or the lines of its report."""
    for text in (str(report), str(error), *getattr(error, "__notes__", ())):
        yield from re.split("[;\n]", re.sub(r" (in|of|on) project \S+( \([^)]*\))?", "", text))
    deleted = getattr(report, "deleted", ())
    for each in deleted if isinstance(deleted, list) else ():
        yield f"deleted {each}"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", DELETING)
def test_what_a_proxy_does_not_find_is_not_said_to_be_deleted(name: str) -> None:
    """Whichever deletion meets it, the workflow fails or reports a failure, and claims to delete nothing that stays."""
    counts = count_deletions(DELETING[name])
    assert counts
    for operation, count in counts.items():
        for done in range(count):
            state = prepare_state(DELETING[name])
            fault = state.emulator.faults.add(operation, skip=done, **FOREIGN_404)
            report: object = None
            error: PineconeError | None = None
            try:
                report = DELETING[name].run(state, state.make_client())
            except PineconeError as caught:
                error = caught
            if done and not fault.used:  # parts in parallel may need one request less: what another holds is refused
                continue
            case = (operation, done, report, error, [*getattr(error, "__notes__", ())])
            assert any([error, getattr(report, "failed", ()), getattr(report, "left", ())]), case
            records = list_records(read_organization(state))
            asked = {each.rpartition("/")[2] for each in state.transport.requests if each.startswith("DELETE ")}
            left = {text for id in asked & records.keys() for text in (id, records[id].get("role", id))}
            assert asked
            claims = [each for each in list_texts(report, error) if CLAIM.search(each)]
            assert [each for each in claims if any(map(each.__contains__, left))] == [], case
            assert getattr(report, "deleted", False) is not True, case


@pytest.mark.parametrize("name", ["rotate due", "delete retired"])
def test_a_list_that_a_proxy_does_not_find_is_not_empty(name: str) -> None:
    """Where the list of keys meets it, the workflow fails or reports a failure."""
    state = prepare_state(WORKFLOWS["rotate due"])
    state.emulator.faults.add("list_project_api_keys", **FOREIGN_404)
    if name == "delete retired":
        with raises(NotFoundError, match="list_project_api_keys"):
            state.make_client().api_keys.delete_retired()
    else:
        report: Any = rotate_due(state, state.make_client())
        (failed,) = report.failed
        assert (failed.project_id, failed.key) == (state.ids["project"], None)


@pytest.mark.parametrize("renamed", [0, 1])
@pytest.mark.parametrize("keep_old_for", [timedelta(0), timedelta(days=1)], ids=["at once", "overlap"])
def test_a_rename_that_a_proxy_does_not_find_is_made_by_the_next_run(renamed: int, keep_old_for: timedelta) -> None:
    """Neither key of the rotation is said to be deleted; run again, it ends with one stored key of the name."""
    state = prepare_state(SCENARIOS["rotate key"])
    rotate_again = partial(
        state.make_client().api_keys.rotate,
        api_key_id=state.ids["key"],
        keep_old_for=keep_old_for,
        store=state.store_key,
    )
    state.emulator.faults.add("update_api_key", skip=renamed, **FOREIGN_404)
    with raises(NotFoundError, match="update_api_key") as caught:
        rotate_again()
    assert "run this again with the id of the old key" in "\n".join(caught.value.__notes__)
    assert not [each for each in list_texts(None, caught.value) if CLAIM.search(each)]
    state.emulator.faults.clear()
    assert (rotate_again()).replaced == state.ids["key"]
    (new,) = [key for key in state.emulator.state.api_keys.values() if key.name == "reader" * 13]
    assert new.value == state.vault["key"]
