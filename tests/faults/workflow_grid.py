"""Run every workflow with every fault at every request, and print what is wrong, a count for each workflow and kind.

Usage: python -m tests.faults.workflow_grid [--scenario NAME] [--step N] [--list]

A cell is a scenario of workflow_scenarios.py, a request, a fault, and something beside it: a namesake, what an
interrupted run has left with other roles, or another actor after that request. Then a second run goes without faults.
Exits with status 1 if cells are wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import anyio
import anyio.lowlevel
import httpx
from attrs import evolve

from pinecone_admin import AsyncAdmin
from pinecone_admin._async.workflows import run as run_module
from pinecone_admin._async.workflows.run import AsyncRun, open_run
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.errors import AmbiguousNameError
from pinecone_admin.workflows import Step
from pinecone_admin.workflows.name_tags import parse_tag
from tests.faults.workflow_judges import FAULTS, Fault, Run, Sent, Snapshot, find_changed, judge, take_snapshot
from tests.faults.workflow_scenarios import SCENARIOS, Scenario, World
from tests.support.clock import VirtualClock
from tests.support.fault_injection import KilledError
from tests.support.interruption import async_run_interruptibly

MOST_REQUESTS = 120
MOST_REFUSED = 15
"""Requests of a scenario that are refused at most before a 404 that is not true."""

_NOT_PROCESSED = {Fault.LOST_BEFORE, Fault.FORBIDDEN, Fault.FOREIGN_404, Fault.FALSE_404}
_LATER: Mapping[Fault | None, Fault] = {Fault.OUTAGE: Fault.LOST_BEFORE, Fault.REVOKED: Fault.FORBIDDEN}
_NOT_DONE = ("failed", "left", "undone", "not_run", "unread", "unseen", "skipped")
"""The parts of a report about work that was not done, by the names of its attributes."""
_LOST = {Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.UNREADABLE, Fault.OUTAGE, Fault.REVOKED}


class Beside(Enum):
    """The surroundings of a workflow."""

    NOTHING = auto()
    NAMESAKE = auto()
    LEFTOVER = auto()
    ACTOR = auto()


class Cell(NamedTuple):
    """A cell of the grid."""

    scenario: str
    beside: Beside
    fault: Fault
    number: int

    def __str__(self) -> str:
        return f"{self.scenario} | {self.beside.name} | {self.fault.name} | {self.number}"


class Verdict(NamedTuple):
    """How the first run of a workflow has ended, and everything that is wrong with both, each with its kind."""

    ending: str
    wrong: list[tuple[str, str]]


class GridTransport(httpx.AsyncBaseTransport):
    """Passes requests on to an emulator, and lets some meet faults; after one of them, somebody else acts.

    Args:
        emulator: Processes the requests.
        faults: The faults, by the numbers of the requests, from 1.
        act: Called once the request ``act_after`` has ended.
        act_after: Number of that request.
        watch: Called once each request has ended.

    Attributes:
        sent: The requests.
        met: The faults that requests have met.
        interrupt: Cancels the call.
    """

    def __init__(
        self,
        emulator: Emulator,
        faults: Mapping[int, Fault] | None = None,
        act: Callable[[], object] = lambda: None,
        act_after: int = 0,
        watch: Callable[[], object] = lambda: None,
    ) -> None:
        self._emulator = emulator
        self._faults = faults or {}
        self._act = act
        self._act_after = act_after
        self._watch = watch
        self._later: Fault | None = None
        self._is_killed = False
        self.sent: list[Sent] = []
        self.met: set[Fault] = set()
        self.interrupt: Callable[[], object] = lambda: None

    def make_client(self) -> AsyncAdmin:
        """Return the client of a new process."""
        emulator = self._emulator
        return AsyncAdmin(
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            transport=self,
            oauth_transport=emulator.transport,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or let it meet a fault."""
        if self._is_killed:
            raise KilledError
        number = len(self.sent) + 1
        fault = self._later or self._faults.get(number)
        self._later = _LATER.get(fault) or self._later
        response = None
        if fault not in _NOT_PROCESSED:
            response = await self._emulator.transport.handle_async_request(request)
            await response.aread()
        self.met |= set() if fault is None else {fault}
        self.sent.append(
            Sent(
                method=request.method,
                path=request.url.path,
                status=None if response is None else response.status_code,
                made=None if response is None else _find_created_id(request, response),
                is_read=fault in {None, Fault.FORBIDDEN, Fault.FOREIGN_404, Fault.FALSE_404},
                is_lost=fault in _LOST,
                is_cancelled=fault is Fault.CANCELLED,
                is_denied=fault is Fault.FALSE_404,
                body=request.content,
            )
        )
        self._watch()
        if number == self._act_after:
            self._act()
        return await self._respond(fault, response)

    async def _respond(self, fault: Fault | None, response: httpx.Response | None) -> httpx.Response:
        match fault:
            case Fault.FORBIDDEN:
                body = {"status": 403, "error": {"code": "FORBIDDEN", "message": "the role does not permit it"}}
                return httpx.Response(403, json=body)
            case Fault.FALSE_404:
                body = {"status": 404, "error": {"code": "NOT_FOUND", "message": "it was not found"}}
                return httpx.Response(404, json=body)
            case Fault.FOREIGN_404:
                return httpx.Response(404, content=b"<html>not found</html>")
            case Fault.UNREADABLE:
                return httpx.Response(200, content=b"<html>")
            case Fault.CANCELLED:
                self.interrupt()
                await anyio.lowlevel.checkpoint()
            case Fault.KILLED:
                self._is_killed = True
                raise KilledError
            case None:
                pass
            case _:
                raise httpx.ReadError("the connection broke")  # nothing that a judge looks for
        assert response is not None
        return response


def _find_created_id(request: httpx.Request, response: httpx.Response) -> str | None:
    """Return the id of what a create has made, or None."""
    if request.method != "POST" or response.status_code >= 300:
        return None
    body = json.loads(response.content)
    made = next((body[name] for name in ("key", "service_account") if name in body), body)
    return None if made["id"] in request.url.path else str(made["id"])


def _find_killed(error: BaseException | None) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.split(KilledError)[1] is None
    return isinstance(error, KilledError)


async def prepare(scenario: Scenario, beside: Beside) -> World:
    """Return the organization of a scenario, with something beside it."""
    world = World(Emulator(seed=1))
    scenario.prepare(world)
    add = {Beside.NAMESAKE: scenario.namesake, Beside.LEFTOVER: scenario.leftover}.get(beside)
    if add is not None:
        before = take_snapshot(world.emulator)
        add(world)
        world.others |= take_snapshot(world.emulator).keys() - before.keys()
    if scenario.plan is not None:
        world.plan = await scenario.plan(world, GridTransport(world.emulator).make_client())
    return world


async def count_requests(name: str, beside: Beside) -> int:
    """Return how many requests a workflow sends if nothing fails."""
    return len(await list_requests(name, beside))


async def list_requests(
    name: str, beside: Beside = Beside.NOTHING, faults: Mapping[int, Fault] | None = None
) -> list[Sent]:
    """Return the requests that a workflow sends."""
    with use_clock(VirtualClock()):
        scenario = SCENARIOS[name]
        world = await prepare(scenario, beside)
        transport = GridTransport(world.emulator, faults)
        error, _ = await _run(world, scenario, transport)
        assert error is None or faults
        assert len(transport.sent) < MOST_REQUESTS
        return transport.sent


async def find_wrong_after_false_404s(name: str, *, undoing: bool) -> list[object]:
    """Return what is wrong after a 404 that is not true to each update and deletion.

    Args:
        name: The scenario.
        undoing: Whether an earlier request is refused; of many, each in a few.
    """
    wrong = list[object]()
    count = await count_requests(name, Beside.NOTHING)
    for number in range(1, count + 1, 1 + count // MOST_REFUSED) if undoing else [0]:
        first = {number: Fault.FORBIDDEN} if number else {}
        for later, each in enumerate(await list_requests(name, faults=first), 1):
            if each.method in {"PATCH", "DELETE"} and later > number:
                faults = {**first, later: Fault.FALSE_404}
                verdict = await run_twice(SCENARIOS[name], Beside.NOTHING, faults, act_after=0)
                wrong += [(faults, each) for each in verdict.wrong]
    return wrong


async def find_wrong_after_lost_deletions(name: str) -> list[object]:
    """Return what is wrong if a request of a deletion is lost, and a 404 that is not true comes to the next attempt."""
    wrong = list[object]()
    for number, each in enumerate(await list_requests(name), 1):
        if each.method == "DELETE":
            faults = {number: Fault.LOST_BEFORE, number + 1: Fault.FALSE_404}
            verdict = await run_twice(SCENARIOS[name], Beside.NOTHING, faults, act_after=0)
            wrong += [(faults, each) for each in verdict.wrong]
    return wrong


def list_sides(scenario: Scenario) -> list[Beside]:
    """Return what can be beside a scenario."""
    added = {Beside.NAMESAKE: scenario.namesake, Beside.LEFTOVER: scenario.leftover, Beside.ACTOR: scenario.actor}
    return [Beside.NOTHING, *(beside for beside, change in added.items() if change is not None)]


async def list_cells(names: Iterable[str] = tuple(SCENARIOS)) -> list[Cell]:
    """Return all cells of some scenarios."""
    cells = list[Cell]()
    for name in names:
        scenario = SCENARIOS[name]
        for beside in list_sides(scenario):
            count = await count_requests(name, beside)
            cells += [Cell(name, beside, fault, number) for number in range(1, count + 1) for fault in FAULTS]
    return cells


async def run_cell(cell: Cell) -> list[tuple[str, str]]:
    """Run a cell, and return everything that is wrong, each with its kind."""
    faults = {cell.number: cell.fault}
    return (await run_twice(SCENARIOS[cell.scenario], cell.beside, faults, act_after=cell.number)).wrong


async def run_twice(scenario: Scenario, beside: Beside, faults: Mapping[int, Fault], *, act_after: int) -> Verdict:
    """Run a workflow with faults, and then without."""
    with use_clock(VirtualClock()):
        return await _run_twice(scenario, beside, faults, act_after)


async def _run_twice(scenario: Scenario, beside: Beside, faults: Mapping[int, Fault], act_after: int) -> Verdict:
    world = await prepare(scenario, beside)
    leftovers = {*world.others} if beside is Beside.LEFTOVER else set[str]()
    namesakes = {*world.others} - leftovers
    if leftovers:
        world.others.clear()
    before, is_done = dict(take_snapshot(world.emulator)), False
    seen, removed, vault = {**before}, set[object](), {**world.vault}
    # The server replaces the secret of an account before its response is read.
    rotates_account = scenario.workflow in {"rotate_service_account", "rotate_due_accounts"}

    def act() -> None:
        nonlocal is_done
        if beside is Beside.ACTOR and scenario.actor is not None and not is_done:
            is_done = True
            present = take_snapshot(world.emulator)
            scenario.actor(world)
            now = take_snapshot(world.emulator)
            for each in find_changed(present, now):
                before.pop(each, None)
                before.update({each: now[each]} if each in now else {})
            removed.update(*(present[each].fields for each in present.keys() - now.keys()))
            seen.update(present | now)
            world.others |= now.keys() - present.keys()

    lacks = list[str]()

    def watch() -> None:
        lacks.extend(each for each in scenario.never_lacks(world) if each not in lacks)
        if not rotates_account:
            lacks.extend(each for each in find_lost_secrets(world, removed) if each not in lacks)

    transport = GridTransport(world.emulator, faults, act, act_after, watch)
    with collecting_parts() as parts:
        error, report = await _run(world, scenario, transport)
    after = take_snapshot(world.emulator)
    said = "; ".join([str(error), *getattr(error, "__notes__", ())]) if error else str(report)
    run = Run(
        faults=transport.met,
        requests=transport.sent,
        before=before,
        after=after,
        seen={**seen, **before, **after},
        deletes={*(world.ids[each] for each in scenario.deletes if each in world.ids), *leftovers},
        error=error,
        report=report,
        steps=[step for part in parts for step in part.steps],
        undoes=scenario.undoes,
        is_stored=world.vault != vault,
        text=said if error else f"{report!r} {report}",
        said=said,
        others={*world.others},
    )
    wrong = judge(run)
    act()
    wrong += [("run", each) for each in _judge_end(beside, run, scenario, world)]
    if run.error is not None and rotates_account:
        removed.update(vault.values())
    wrong += [("secrets", each) for each in find_lost_secrets(world, removed)]
    changed = {each for each in namesakes if take_snapshot(world.emulator).get(each) != before[each]}
    wrong += [("deletions", f"{len(changed)} namesakes were changed")] if changed else []
    again = GridTransport(world.emulator, watch=watch)
    ending = "killed" if Fault.KILLED in run.faults else "failed" if error is not None else "completed"
    error, report = await _run(world, scenario, again)
    wrong += [("second run", each) for each in _judge_second(beside, scenario, world, error, report)]
    wrong += [("secrets", f"after the second run: {each}") for each in find_lost_secrets(world, removed)]
    wrong += [("meanwhile", each) for each in lacks]
    return Verdict(ending, wrong)


async def find_wrong_after_intrusions(name: str) -> list[object]:
    """Return what is wrong if the create of a project or invite is lost, and somebody else creates one that differs.

    The second run may be refused, and need not change what others have made.
    """
    wrong = list[object]()
    for number, each in enumerate(await list_requests(name), 1):
        if each.method == "POST" and each.path.endswith(("/projects", "/invites")):
            scenario = evolve(SCENARIOS[name], actor=partial(_intrude, each))
            verdict = await run_twice(scenario, Beside.ACTOR, {number: Fault.LOST_BEFORE}, act_after=number)
            wrong += [(number, kind, found) for kind, found in verdict.wrong if kind != "second run"]
    return wrong


async def find_wrong_preview(name: str) -> list[object]:
    """Return what is wrong with the dry run of a workflow that has one: its steps are those of the run."""
    wrong = list[object]()
    for beside in {*list_sides(SCENARIOS[name])} - {Beside.ACTOR}:
        if (planned := await _run_as(name, beside, dry_run=True)) is not None:
            done = await _run_as(name, beside, dry_run=False)
            assert done is not None
            wrong += [(beside.name, "only the dry run", each) for each in planned - done]
            wrong += [(beside.name, "only the run", each) for each in done - planned]
    return wrong


async def _run_as(name: str, beside: Beside, *, dry_run: bool) -> Counter[object] | None:
    """Run a workflow, and count its steps; return None if it has no dry run."""
    is_asked = False

    def open_as(admin: AsyncAdmin, operation: str, **options: Any) -> Any:
        nonlocal is_asked
        is_asked |= "dry_run" in options
        return open_run(admin, operation, **(options | {"dry_run": dry_run} if is_asked else options))

    with use_clock(VirtualClock()):
        world = await prepare(SCENARIOS[name], beside)
        before, transport = take_snapshot(world.emulator), GridTransport(world.emulator)
        with patch.object(run_module, "open_run", open_as), collecting_parts() as parts:
            error, report = await _run(world, SCENARIOS[name], transport)
    assert error is None
    if not is_asked:
        return None
    recorded = [step for part in parts for step in part.steps]
    steps: list[Step] = getattr(report, "steps", recorded)  # a report lists no temporary key
    if dry_run:
        assert {each.state for each in steps} <= {"planned", "skipped"}
        after = take_snapshot(world.emulator)
        changed = find_changed(before, after)
        assert all(str({**after, **before}[each].fields[0]).startswith("~") for each in changed)  # temporary keys
    return Counter(each for step in steps if (each := _compare(step, before)) is not None)


def _compare(step: Step, before: Snapshot) -> object:
    """Return what is the same of a step in a dry run; None for a temporary name, which each run draws."""
    change, target = step.change, step.change.target
    ids = [each.id for each in (target, *(role.project for role in change.roles if role.project is not None))]
    settings = change.settings.fields
    if parse_tag(str(settings.get("name"))) is not None:
        if target.id not in before:
            return None
        del settings["name"]
    known = tuple(each if each in before else None for each in ids)
    roles = tuple(each.role for each in change.roles)
    return change.action, target.kind, known, roles, str(settings), step.state == "skipped"


def _intrude(sent: Sent, world: World) -> None:
    """Create what a request was to create, with other settings or roles."""
    body = json.loads(sent.body)
    if sent.path.endswith("/invites"):
        world.add_invite(body["email"], "OrgOwner")
    else:
        world.add_project(body["name"]).force_encryption_with_cmek = not body.get("force_encryption_with_cmek")


@contextmanager
def collecting_parts() -> Generator[list[AsyncRun]]:
    """Yield the list of all runs and parts of runs that begin in the block."""
    parts, begin = list[AsyncRun](), AsyncRun.__init__

    def begin_and_collect(run: AsyncRun, *arguments: Any, **options: Any) -> None:
        begin(run, *arguments, **options)
        parts.append(run)

    with patch.object(AsyncRun, "__init__", begin_and_collect):
        yield parts


async def _run(world: World, scenario: Scenario, transport: GridTransport) -> tuple[BaseException | None, object]:
    """Run a workflow, and return what it raised, and its report."""
    reports, errors = list[object](), list[BaseException]()
    world.runs += 1

    async def work() -> None:
        try:
            reports.append(await scenario.run(world, transport.make_client()))
        except BaseException as error:
            errors.append(error)
            if not isinstance(error, Exception) and not _find_killed(error):
                raise

    def arm(interrupt: Callable[[], object]) -> None:
        transport.interrupt = interrupt

    await async_run_interruptibly(work, arm, by_task=False)
    return (errors[0] if errors else None), (reports[0] if reports else None)


def _judge_end(beside: Beside, run: Run, scenario: Scenario, world: World) -> Iterable[str]:
    """A run without an error or a failure in its report has ended in the wanted organization."""
    failed = any(getattr(run.report, name, ()) for name in _NOT_DONE)
    if run.error is None and not failed and beside is not Beside.ACTOR:
        for each in scenario.find_lacks(world):
            yield f"it ended without an error, but {each}"


def _judge_second(
    beside: Beside, scenario: Scenario, world: World, error: BaseException | None, report: object
) -> Iterable[str]:
    """The second run ends in the wanted organization, or names things that have the same name."""
    if beside is not Beside.NOTHING and isinstance(error, AmbiguousNameError):
        return
    if error is not None:
        yield f"{type(error).__name__}: {error}"
        return
    failed = [*getattr(report, "failed", ()), *getattr(report, "left", ())]
    lacks = list(scenario.find_lacks(world))
    yield from lacks
    if lacks and failed:
        yield f"failed: {failed}"


def find_lost_secrets(world: World, removed: Collection[object]) -> Iterable[str]:
    """Return what is wrong with secrets: each that is stored is valid, unless others have removed what has it."""
    valid = world.list_secrets()
    for name, secret in world.vault.items():
        if secret not in valid and secret not in removed:
            yield f"the stored secret of {name} is invalid"


async def find_wrong(cells: Iterable[Cell]) -> list[str]:
    """Run cells, and return those that are wrong, with everything that is."""
    return [f"{cell}: {found}" for cell in cells if (found := await run_cell(cell))]


def main() -> int:
    """Run the grid, and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print what is wrong with each cell")
    options = parser.parse_args()
    return anyio.run(partial(_main, options.scenario or list(SCENARIOS), options.step, lists=options.list))


async def _main(names: Sequence[str], step: int, *, lists: bool) -> int:
    total = total_wrong = 0
    for name in names:
        started, wrong, kinds = time.process_time(), 0, Counter[str]()
        cells = (await list_cells([name]))[::step]
        for cell in cells:
            found = await run_cell(cell)
            found_kinds = sorted({kind for kind, _ in found})
            wrong += bool(found)
            kinds.update(found_kinds)
            if lists and found:
                print(f"{cell} | {', '.join(found_kinds)}", *(f"    {each}" for _, each in found), sep="\n")
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "none"
        print(
            f"{name}: {len(cells)} cells, {wrong} wrong ({counts}), {time.process_time() - started:.1f} s", flush=True
        )
        total += len(cells)
        total_wrong += wrong
    print(f"{total} cells, {total_wrong} wrong")
    return int(total_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
