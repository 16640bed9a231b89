"""Workflows under random faults: a few of the runs that random_workflows.py makes."""

from __future__ import annotations

import pytest

from pinecone_admin._http import retry_policy
from tests.faults.random_workflows import CASES, ENDINGS, GRID, SCENARIOS, WORLDS, run_batch
from tests.support.sampling import some_daily

FOUND = {
    "grid: ensure key, readable": [7_166, 400_328],
    "grid: resend invite": [400_052],
    "grid: ensure member": [400_131, 400_290],
    "grid: cleanup": [400_121, 400_317],
    "grid: apply": [400_154, 400_239, 400_261],
}
"""Seeds of runs that went wrong once: what was found after a lost response was not named, an update counted as refused
because of a 404 after that, or a 404 of a proxy counted as that of the API."""


@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 7), marks=pytest.mark.long)], ids=len)
@pytest.mark.parametrize("name", some_daily(SCENARIOS, 2))
def test_a_workflow_makes_nothing_twice_and_loses_no_secret(name: str, seeds: range) -> None:
    """With every kind of client, nothing goes wrong in a run under faults, and the next one completes the workflow."""
    for world in WORLDS:
        endings, wrong = run_batch(world, name, seeds)
        assert wrong == []
        assert sum(endings[ending] for ending in ENDINGS) == len(seeds)


@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 5), marks=pytest.mark.long)], ids=len)
def test_a_workflow_of_the_grid_is_right_under_several_faults(seeds: range) -> None:
    """Beside a namesake, a leftover or another actor, nothing goes wrong in a run under faults, or in the next one."""
    for name, world in CASES:
        if name in GRID:
            endings, wrong = run_batch(world, name, seeds)
            assert wrong == []
            assert sum(endings[ending] for ending in ENDINGS) == len(seeds)


@pytest.mark.parametrize("name", FOUND)
def test_runs_that_went_wrong_once_are_right(name: str) -> None:
    """Each has several faults in a row."""
    _, wrong = run_batch("asyncio", name, FOUND[name])
    assert wrong == []


def test_runs_end_in_every_way() -> None:
    """The faults are neither too many nor too few: runs complete, fail and are killed."""
    endings, _ = run_batch("sync", "ensure account", range(30))
    assert min(endings[ending] for ending in ENDINGS) > 2


def test_a_wrong_rule_of_the_retry_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a create that may have been processed were sent again, the runs would show it."""
    failure = retry_policy.Failure.NO_RESPONSE
    rule = retry_policy.RETRY_TABLE[failure]._replace(retry_post=True)
    monkeypatch.setattr(retry_policy, "RETRY_TABLE", dict(retry_policy.RETRY_TABLE) | {failure: rule})
    _, wrong = run_batch("sync", "ensure project", range(60))
    assert wrong
