"""Run every workflow under random faults, then once more without, and count what went wrong.

Usage: python -m tests.faults.random_workflows [--runs N] [--processes N] [--seed SEED]

Divides N runs among the workflows of tests/_async/test_workflow_recovery.py, and among the sync client, asyncio and
trio. A run gets its faults from its seed: lost requests and responses, errors, refusals, a kill in half of the runs, a
store that fails in a quarter. A further run without faults must complete it. Exits with status 1 if something was made
twice, a stored secret was no longer valid, a secret was lost, a principal was without a role, an error came out that is
none of this package, or the further run did not complete the workflow.

As many runs go to each scenario of workflow_grid.py, in asyncio and trio, with several faults, beside a namesake, a
leftover or another actor, and are judged as its cells are; see there for its judges.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from inspect import isawaitable
from math import ceil
from multiprocessing import get_context
from random import Random
from typing import Any, TypeVar

import anyio

from pinecone_admin import PineconeError, SecretNotStoredError
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.emulator.model.records import Principal
from pinecone_admin.workflows.name_tags import parse_tag
from tests._async import test_workflow_recovery as async_recovery
from tests._sync import test_workflow_recovery as sync_recovery
from tests.faults import workflow_grid, workflow_scenarios
from tests.faults.workflow_judges import Fault
from tests.support.clock import VirtualClock
from tests.support.fault_injection import NON_FATAL_FAULTS, REFUSALS, draw_random_faults

WORLDS = ("sync", "asyncio", "trio")
SCENARIOS = tuple(async_recovery.SCENARIOS)
GRID = tuple(f"grid: {name}" for name in workflow_scenarios.SCENARIOS)
CASES = tuple((name, world) for name in SCENARIOS for world in WORLDS)
CASES += tuple((name, world) for name in GRID for world in WORLDS if world != "sync")
BATCH = 50
ENDINGS = ("completed", "failed", "killed")

_T = TypeVar("_T")


class StoreFailedError(Exception):
    """The store of a scenario failed."""


async def settle(value: Any) -> Any:
    """Return a value, or the result of an awaitable."""
    return await value if isawaitable(value) else value


def run_without_loop(work: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as result:
        returned: _T = result.value
        return returned
    raise AssertionError("the sync client does not wait for an event loop")


async def run_once(recovery: Any, name: str, seed: int) -> str:
    """Run a workflow under the faults of a seed, and again without; return how the first run ended.

    Raises:
        AssertionError: Something went wrong.
    """
    scenario, random = recovery.SCENARIOS[name], Random(f"{name} {seed}")
    with use_clock(VirtualClock()):
        state = await settle(recovery.prepare_state(scenario))
        has_role = list[bool]()
        # A few kinds in each run, so that they follow one another more often.
        kinds = random.sample((*NON_FATAL_FAULTS, *REFUSALS), 3)
        faults = draw_random_faults(seed, rate=random.choice((0.1, 0.25, 0.5)), kinds=kinds)
        state.before_store = random.choice((fail_to_store, bool, bool, bool))
        error, ending = None, "completed"
        try:
            if not await settle(recovery.run_scenario(state, scenario, faults, watch=make_watch(has_role))):
                ending = "killed"
        except (PineconeError, StoreFailedError) as exc:
            error, ending = exc, "failed"
        if name == "rotate account":
            check_rotated_account(state, error, ending)
        else:
            check_secrets(state)
        state.before_store = bool
        completed = await settle(recovery.run_scenario(state, scenario, {}, watch=make_watch(has_role)))
        assert completed, "the further run died"
        scenario.check(state)
        check_secrets(state)
        assert all(has_role), "an account was without a role"
    return ending


async def run_in_grid(name: str, seed: int) -> str:
    """Run a workflow of the grid under the faults of a seed, and again without; return how the first run ended.

    Raises:
        AssertionError: Something went wrong.
    """
    scenario, random = workflow_scenarios.SCENARIOS[name.removeprefix("grid: ")], Random(f"{name} {seed}")
    rate, kinds = random.choice((0.05, 0.1, 0.25)), random.sample(tuple(Fault), 3)
    faults = {number: random.choice(kinds) for number in range(1, 60) if random.random() < rate}
    beside = random.choice(workflow_grid.list_sides(scenario))
    found = await workflow_grid.run_twice(scenario, beside, faults, act_after=random.randrange(1, 12))
    assert found.wrong == [], f"{beside.name}: {found.wrong}"
    return found.ending


def fail_to_store() -> None:
    """Raise, as a vault that is sealed does."""
    raise StoreFailedError


def make_watch(has_role: list[bool]) -> Callable[[Any], None]:
    """Return a function that records whether an account with a role on a project has one before each request."""

    def watch(state: Any) -> None:
        server = state.emulator.state
        if {"account", "project"} <= state.ids.keys() and state.ids["project"] in server.projects:
            held = server.role_bindings.held_by(Principal("service_account", state.ids["account"]))
            has_role.append(bool({binding.grant.role for binding in held} & {"ProjectViewer", "ProjectEditor"}))

    return watch


def check_secrets(state: Any) -> None:
    """Check that what is stored is valid, and that somebody has the secret of everything that has its final name."""
    server, stored = state.emulator.state, set(state.vault.values())
    assert stored <= state.list_secrets(), "a stored secret is no longer valid"
    known = stored | state.initial_secrets
    made = [*server.api_keys.values(), *server.service_accounts.listing]
    secrets = [getattr(each, "value", None) or each.client_secret for each in made if not parse_tag(each.name)]
    assert known.issuperset(secrets), "a secret is lost"


def check_rotated_account(state: Any, error: Exception | None, ending: str) -> None:
    """Check that the valid secret is stored or on the error, or that the error says that it may be lost."""
    _, account = state.emulator.state.service_accounts.listing
    if isinstance(error, SecretNotStoredError):
        assert error.secret.reveal() == account.client_secret, "the secret on the error is not valid"
    elif ending != "killed" and account.client_secret not in state.vault.values():
        assert getattr(error, "outcome", None) in {"unknown", "done"}, "a secret is lost without a word"


def run_batch(world: str, name: str, seeds: Sequence[int]) -> tuple[Counter[str], list[str]]:
    """Return how often runs ended in each way, and what went wrong."""
    recovery: Any = sync_recovery if world == "sync" else async_recovery
    endings, wrong = Counter[str](), list[str]()
    for seed in seeds:
        work = partial(run_in_grid, name, seed) if name in GRID else partial(run_once, recovery, name, seed)
        try:
            endings[run_without_loop(work()) if world == "sync" else anyio.run(work, backend=world)] += 1
        except Exception as exc:  # noqa: BLE001 - whatever it is, this run went wrong
            wrong.append(f"{name}, {world}, seed {seed}: {type(exc).__name__}: {exc}")
    return endings, wrong


def main() -> int:
    """Run all workflows, and print the counts of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=42_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started, all_wrong, total = time.monotonic(), list[str](), 0
    each = ceil(options.runs / len(CASES))
    seeds = range(options.seed, options.seed + each)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as processes:
        pending = {
            (name, world): [
                processes.submit(run_batch, world, name, seeds[start : start + BATCH])
                for start in range(0, each, BATCH)
            ]
            for name, world in CASES
        }
        for (name, world), batches in pending.items():
            results = [batch.result() for batch in batches]
            endings = sum((counts for counts, _ in results), Counter[str]())
            wrong = [line for _, lines in results for line in lines]
            counts = ", ".join(f"{endings[ending]} {ending}" for ending in ENDINGS)
            print(f"{name}, {world}: {each} runs, {counts}, {len(wrong)} wrong", flush=True)
            all_wrong += wrong
            total += each
    print(*all_wrong, sep="\n")
    print(f"{total} runs, {len(all_wrong)} wrong, {time.monotonic() - started:.0f} s")
    return int(bool(all_wrong))


if __name__ == "__main__":
    sys.exit(main())
