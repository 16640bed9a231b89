# Derived from tests/_async/test_run_in_parallel.py by scripts/unasync.py: change that, not this file.
"""Bounded concurrency: what the workflows read and delete with."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pinecone_admin._concurrency import PollBackoff, run_in_parallel
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


def double(number: int) -> int:
    """Do some work."""
    return 2 * number


def test_every_item_is_worked_on_and_delivered() -> None:
    """With its result, and in the thread of the caller."""
    delivered: dict[int, int] = {}
    threads: set[int] = set()

    def deliver(number: int, result: int) -> None:
        delivered[number] = result
        threads.add(threading.get_ident())

    run_in_parallel(double, range(100), limit=7, deliver=deliver)
    assert delivered == {number: 2 * number for number in range(100)}
    assert threads == {threading.get_ident()}


def test_items_are_taken_only_as_they_can_be_worked_on() -> None:
    """So that memory does not grow with what is still to do."""
    taken = 0
    delivered: list[int] = []

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(50):
            taken += 1
            yield number

    def deliver(number: int, _: int) -> None:
        delivered.append(number)
        assert taken - len(delivered) < 5

    run_in_parallel(double, items(), limit=4, deliver=deliver)
    assert len(delivered) == 50


def test_the_first_failure_ends_it_and_is_raised_as_it_is() -> None:
    """Of the work as of the delivery; nothing is wrapped in a group."""
    worked: list[int] = []

    def work(number: int) -> int:
        worked.append(number)
        if number == 3:
            raise OSError("three")
        return number

    def refuse(number: int, result: int) -> None:
        raise LookupError(f"{number} {result}")

    with pytest.raises(OSError, match="three"):
        run_in_parallel(work, range(100), limit=2, deliver=lambda _, __: None)
    assert len(worked) < 10
    with pytest.raises(LookupError):
        run_in_parallel(double, range(100), limit=2, deliver=refuse)


def test_nothing_to_do_is_done_at_once() -> None:
    """An empty project has no contents to delete."""
    run_in_parallel(double, [], limit=3, deliver=lambda _, __: None)


def test_waits_double_until_the_deadline(clock: VirtualClock) -> None:
    """The last one is cut to what is left, and then there is no other."""
    patience = PollBackoff(20.0)
    while patience.wait():
        pass
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 4.5]
    assert patience.seconds_left == 0
