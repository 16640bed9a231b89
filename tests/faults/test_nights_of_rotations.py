"""A month of nightly rotations of keys: a few of the months of nights_of_rotations.py."""

from __future__ import annotations

import pytest

from pinecone_admin.workflows import retired_keys
from tests.faults.nights_of_rotations import live_for_a_month


@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 12), marks=pytest.mark.long)], ids=["one", "many"])
def test_a_month_of_killed_nights_loses_nothing(seeds: range) -> None:
    """Stored values are valid at any moment, old ones until their time, and a run without faults leaves nothing."""
    for seed in seeds:
        month = live_for_a_month(seed)
        assert month.wrong == []
        assert min(month.counts[ending] for ending in ("completed", "killed", "rotations", "deletions")) > 2


def test_an_overlap_that_is_too_short_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If old keys were deleted after half of their time, the month would show it."""
    due = retired_keys.time_of_deletion
    monkeypatch.setattr(retired_keys, "time_of_deletion", lambda now, keep_old_for: due(now, keep_old_for / 2))
    assert live_for_a_month(0).wrong
