"""Every workflow with every fault at every request, beside a namesake, a leftover and another actor."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import pairwise
from math import gcd
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest
from attrs import evolve

from pinecone_admin import AsyncAdmin, _async
from pinecone_admin._async import workflows
from pinecone_admin._async.workflows import run as run_module
from pinecone_admin._async.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._async.workflows.temporary_key import renewed_temporary_key
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.workflows import Change, Ref, RoleAt, Step
from pinecone_admin.workflows.change_operations import build_operation
from pinecone_admin.workflows.ending import Created
from tests.faults.workflow_grid import (
    Beside,
    GridTransport,
    count_requests,
    find_wrong,
    find_wrong_after_false_404s,
    find_wrong_after_intrusions,
    find_wrong_after_lost_deletions,
    find_wrong_preview,
    list_cells,
    prepare,
    run_twice,
)
from tests.faults.workflow_judges import FAULTS, Fault
from tests.faults.workflow_scenarios import SCENARIOS, World
from tests.support.clock import VirtualClock

_IMPORTED = re.compile(r"from pinecone_admin\._async\.workflows\.\w+ import ([\w, ]+)  #")

MOST_CELLS = 30
"""Cells of a scenario that run without --whole-grids."""
DAILY_STEP = 5
"""Step from one of them that runs every day to the next; it has no factor in common with the number of faults."""
STEPS = (5, 7, 11, 13, 17, 19, 23, 31, 37, 47, 61, 73)
"""Steps through the cells of a scenario; none has a factor in common with the number of faults."""


def list_workflows() -> dict[str, Callable[..., Any]]:
    """Return what namespaces import that takes a run, and the context of a temporary key, by name."""
    found: dict[str, Callable[..., Any]] = {renewed_temporary_key.__name__: renewed_temporary_key}
    imported = {
        name for path in Path(_async.__file__).parent.glob("*.py") for name in _IMPORTED.findall(path.read_text())
    }
    for module in _list_modules():
        for name, value in vars(module).items():
            code = getattr(value, "__code__", None)
            takes_run = code is not None and code.co_varnames[:1] == ("run",)
            if takes_run and any(name in each.split(", ") for each in imported):
                found[name] = value
    return found


def test_every_workflow_has_a_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new workflow without one fails, and each scenario runs the workflow that it names."""
    found, called = list_workflows(), list[str]()
    lacking = found.keys() - {each.workflow for each in SCENARIOS.values()}
    assert lacking == set(), f"add scenarios to tests/faults/workflow_scenarios.py for {lacking}"
    assert {each.workflow for each in SCENARIOS.values()} <= found.keys()
    assert len(found) > 15
    for name, workflow in found.items():
        for each in _list_modules():
            if getattr(each, name, None) is workflow:
                monkeypatch.setattr(each, name, _record(name, workflow, called))

    async def run_all() -> None:
        for name, scenario in SCENARIOS.items():
            with use_clock(VirtualClock()):
                world = await prepare(scenario, Beside.NOTHING)
                called.clear()
                world.runs += 1
                await scenario.run(world, GridTransport(world.emulator).make_client())
                assert called[0] == scenario.workflow, name
                assert list(scenario.find_lacks(world)) == [], name

    anyio.run(run_all)


def _record(name: str, workflow: Callable[..., Any], called: list[str]) -> Callable[..., Any]:
    def record(*args: object, **options: object) -> Any:
        called.append(name)
        return workflow(*args, **options)

    return record


def _list_modules() -> list[ModuleType]:
    return [import_module(f"{workflows.__name__}.{each.name}") for each in pkgutil.iter_modules(workflows.__path__)]


@pytest.mark.parametrize("is_daily", [True, pytest.param(False, marks=pytest.mark.long)], ids=["few", "many"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_anywhere_leaves_what_is_said_and_what_a_second_run_completes(
    name: str, *, is_daily: bool, stride: Callable[[int], int]
) -> None:
    """The outcome is true, what remains is named, nothing of others is deleted, and a second run ends as wanted."""

    async def run() -> list[str]:
        cells = await list_cells([name])
        step = next(each for each in STEPS if len(cells) <= each * MOST_CELLS)
        sample = cells[:: stride(step)]
        return await find_wrong([each for number, each in enumerate(sample) if (number % DAILY_STEP == 0) == is_daily])

    assert anyio.run(run) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_failed_deletion_within_an_undo_leaves_what_is_said(name: str) -> None:
    """After a fault, one deletion fails and the others succeed, such as that of the project that contains a key."""

    async def run() -> list[object]:
        wrong = list[object]()
        for number in range(1, await count_requests(name, Beside.NOTHING) + 1):
            for first, later in ((Fault.FORBIDDEN, 1), (Fault.FORBIDDEN, 2), (Fault.LOST_AFTER, 2)):
                faults = {number: first, number + later: Fault.FORBIDDEN}
                verdict = await run_twice(SCENARIOS[name], Beside.NOTHING, faults, act_after=number)
                wrong += [(faults, each) for each in verdict.wrong]
        return wrong

    assert anyio.run(run) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_404_that_is_not_true_is_not_taken_for_a_deletion(name: str) -> None:
    """Whichever update or deletion meets it, nothing is said to be deleted that is there, and nothing is made twice."""
    assert anyio.run(partial(find_wrong_after_false_404s, name, undoing=False)) == []
    if SCENARIOS[name].undoes and name != "cleanup":  # it undoes only its temporary key, and has many requests
        assert anyio.run(partial(find_wrong_after_false_404s, name, undoing=True)) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_404_after_a_lost_request_is_not_taken_for_a_deletion(name: str) -> None:
    """A plain call takes it for one; a workflow looks into a list as after any other 404."""
    assert anyio.run(find_wrong_after_lost_deletions, name) == []


@pytest.mark.parametrize("name", ["rotate key", "ensure key, readable"])
def test_a_404_that_is_taken_for_a_deletion_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a 404 were enough, the grid would show it for an update and for an undo."""

    async def find_nothing(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(run_module, "is_listed", find_nothing)
    assert anyio.run(partial(find_wrong_after_false_404s, name, undoing=name != "rotate key"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_somebody_else_has_created_meanwhile_is_not_said_to_be_created(name: str) -> None:
    """After each lost create of a project or invite, one that differs is reported as it is."""
    assert anyio.run(find_wrong_after_intrusions, name) == []


def test_a_dry_run_plans_the_steps_of_the_run() -> None:
    """It has every step that the run has, and no other, but for temporary names."""
    # One test, because only some of several cases would run every day.
    assert {name: wrong for name in SCENARIOS if (wrong := anyio.run(find_wrong_preview, name))} == {}


@pytest.mark.parametrize("action", ["grant", "revoke"])
def test_a_dry_run_that_lacks_a_step_is_found(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the dry run of a workflow did not plan what it grants, or revokes, the comparison would show it."""
    plan = AsyncRun.do

    async def leave_out(run: AsyncRun, change: Change, *arguments: Any, **options: Any) -> Any:
        return None if run.dry_run and change.action == action else await plan(run, change, *arguments, **options)

    monkeypatch.setattr(AsyncRun, "do", leave_out)
    assert anyio.run(find_wrong_preview, "change role")


def test_steps_through_the_cells_meet_every_fault_in_turn() -> None:
    """Each step has no factor in common with the number of faults, and they grow."""
    assert {gcd(step, len(FAULTS)) for step in (*STEPS, DAILY_STEP)} == {1}
    assert all(first < second for first, second in pairwise(STEPS))


@pytest.mark.parametrize("scenario", ["ensure project", "rotate key", "change role"])
def test_a_defect_of_the_workflows_is_found(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If what was created were not undone, the grid would show it."""
    monkeypatch.setattr(run_module, "find_undo", lambda *_: None)

    async def run() -> bool:
        for cell in await list_cells([scenario]):
            if await find_wrong([cell]):
                return True
        return False

    assert anyio.run(run)


def test_a_role_that_is_missing_for_a_moment_is_found() -> None:
    """If the old role were revoked before the new one is granted, each run would show it, so each sample of cells."""

    async def revoke_first(world: World, admin: AsyncAdmin) -> list[Step]:
        account, project = world.ids["account"], world.ids["project"]
        place: dict[str, Any] = {"principal_type": "service_account", "principal_id": account}
        place |= {"resource_type": "project", "resource_id": project}
        async with run_module.open_run(admin, "change_role") as run:
            for old in await admin.role_bindings.list(**place, role="ProjectViewer").to_list():
                role = RoleAt("ProjectViewer", Ref("project", None, project))
                revoke = Change(action="revoke", target=Ref("service_account", None, account), roles=(role,))
                await run.do(revoke, binding_id=old.id, then_keep="run this again")
            await ensure_role_binding(run, **place, role="ProjectEditor")
            return run.steps

    async def run() -> None:
        scenario = evolve(SCENARIOS["change role"], run=revoke_first)
        wrong = (await run_twice(scenario, Beside.NOTHING, {}, act_after=0)).wrong
        assert [kind for kind, _ in wrong] == ["meanwhile"]

    anyio.run(run)


def test_a_change_beside_the_run_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a workflow sent a change by itself, the grid would show that no step has it."""

    async def send_beside(run: AsyncRun, change: Change, *_: object, **__: object) -> Created[Any]:
        return Created(await run.admin.send(build_operation(change)))

    monkeypatch.setattr(AsyncRun, "create", send_beside)

    async def run() -> list[str]:
        return await find_wrong(await list_cells(["ensure binding"]))

    assert any("no step has" in each for each in anyio.run(run))
