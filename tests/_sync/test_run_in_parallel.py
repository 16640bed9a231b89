# Derived from tests/_async/test_run_in_parallel.py by scripts/unasync.py: change that, not this file.
"""Running in parallel: the bounded concurrency of the workflows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._concurrency.parallel import run_in_parallel
from tests.support.clock import VirtualClock
from tests.support.concurrency import wait_for_event

pytestmark = pytest.mark.anyio


def double_number(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def test_every_result_is_delivered() -> None:
    """Each item is delivered with its result, in the thread of the caller."""
    delivered: dict[int, int] = {}
    threads: set[int] = set()

    def deliver(number: int, result: int) -> None:
        delivered[number] = result
        threads.add(threading.get_ident())

    run_in_parallel(double_number, range(100), limit=7, deliver=deliver)
    assert delivered == {number: 2 * number for number in range(100)}
    assert threads == {threading.get_ident()}


def test_items_are_consumed_lazily() -> None:
    """Items are taken from the iterator only when there is room for them."""
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

    run_in_parallel(double_number, items(), limit=4, deliver=deliver)
    assert len(delivered) == 50


def test_the_first_exception_is_raised_unchanged() -> None:
    """The first exception in a worker or in a delivery ends the run and is raised unchanged."""
    processed: list[int] = []
    failing = threading.Event()

    def work(number: int) -> int:
        processed.append(number)
        if number == 3:
            failing.set()
            raise OSError("three")
        if number > 3:  # no worker gets ahead of the failure while its thread waits for a processor
            wait_for_event(failing)
        return number

    def fail(number: int, result: int) -> None:
        raise LookupError(f"{number} {result}")

    with pytest.raises(OSError, match="three"):
        run_in_parallel(work, range(100), limit=2, deliver=lambda _, __: None)
    assert len(processed) < 50
    with pytest.raises(LookupError):
        run_in_parallel(double_number, range(100), limit=2, deliver=fail)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_is_raised_unchanged(kind: type[BaseException]) -> None:
    """An exception that is no ``Exception`` ends the run as any other does, and no group contains it."""

    def work(number: int) -> int:
        if number == 3:
            raise kind(number)
        return number

    with pytest.raises(kind, match="3"):
        run_in_parallel(work, range(100), limit=2, deliver=lambda _, __: None)


def test_no_items_return_at_once() -> None:
    """A run without items returns at once."""
    run_in_parallel(double_number, [], limit=3, deliver=lambda _, __: None)


def test_waits_double_until_the_deadline(clock: VirtualClock) -> None:
    """Waits between polls double, and the last is shortened to the deadline."""
    backoff = PollBackoff(20.0)
    while backoff.wait():
        pass
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 4.5]
    assert backoff.seconds_left == 0
