"""Two rotations of one key at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import islice

import pytest

from tests.faults.concurrent_rotations import OVERLAPS, draw_orders, each_pair_of_steps, rotate_twice
from tests.support.sampling import some_daily


@pytest.mark.parametrize("after_a_kill", some_daily([True, False], 2), ids=["after a kill", ""])
@pytest.mark.parametrize("keep_old_for", OVERLAPS, ids=["at once", "with overlap"])
def test_two_rotations_that_stop_at_any_steps_keep_their_promises(
    keep_old_for: timedelta, *, after_a_kill: bool, stride: Callable[[int], int]
) -> None:
    """Of two that start together at most one stores, and if both do, at least one of them says so."""
    start = 2 * OVERLAPS.index(keep_old_for) + after_a_kill  # the four tests stop at each pair of steps between them
    for order in islice(each_pair_of_steps(), start, None, stride(4)):
        ending = rotate_twice(order, keep_old_for=keep_old_for, after_a_kill=after_a_kill)
        assert ending.find_broken_promises() == [], ending.runs[0].log


@pytest.mark.long
def test_two_rotations_in_random_order_keep_their_promises() -> None:
    """The same holds in any order of the requests."""
    for order in draw_orders(40, seed=7):
        for keep_old_for in OVERLAPS:
            for after_a_kill in (False, True):
                ending = rotate_twice(order, keep_old_for=keep_old_for, after_a_kill=after_a_kill)
                assert ending.find_broken_promises() == [], ending.runs[0].log
