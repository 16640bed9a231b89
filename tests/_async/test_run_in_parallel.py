"""Running in parallel: the bounded concurrency of the workflows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import anyio
import anyio.lowlevel
import pytest

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.concurrency import async_wait_for_event
from tests.support.fault_injection import CountingTransport
from tests.support.organizations import fill_project

pytestmark = pytest.mark.anyio


async def double_number(number: int) -> int:
    """Return twice the number."""
    return 2 * number


async def test_every_result_is_delivered() -> None:
    """Each item is delivered with its result, in the thread of the caller."""
    delivered: dict[int, int] = {}
    threads: set[int] = set()

    def deliver(number: int, result: int) -> None:
        delivered[number] = result
        threads.add(threading.get_ident())

    await async_run_in_parallel(double_number, range(100), limit=7, deliver=deliver)
    assert delivered == {number: 2 * number for number in range(100)}
    assert threads == {threading.get_ident()}


async def test_items_are_consumed_lazily() -> None:
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

    await async_run_in_parallel(double_number, items(), limit=4, deliver=deliver)
    assert len(delivered) == 50


async def test_the_first_exception_is_raised_unchanged() -> None:
    """The first exception in a worker or in a delivery ends the run and is raised unchanged."""
    processed: list[int] = []
    failing = threading.Event()

    async def work(number: int) -> int:
        processed.append(number)
        if number == 3:
            failing.set()
            raise OSError("three")
        if number > 3:  # no worker gets ahead of the failure while its thread waits for a processor
            await async_wait_for_event(failing)
        return number

    def fail(number: int, result: int) -> None:
        raise LookupError(f"{number} {result}")

    with pytest.raises(OSError, match="three"):
        await async_run_in_parallel(work, range(100), limit=2, deliver=lambda _, __: None)
    assert len(processed) < 50
    with pytest.raises(LookupError):
        await async_run_in_parallel(double_number, range(100), limit=2, deliver=fail)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_an_interruption_is_raised_unchanged(kind: type[BaseException]) -> None:
    """An exception that is no ``Exception`` ends the run as any other does, and no group contains it."""

    async def work(number: int) -> int:
        if number == 3:
            raise kind(number)
        return number

    with pytest.raises(kind, match="3"):
        await async_run_in_parallel(work, range(100), limit=2, deliver=lambda _, __: None)


async def test_no_items_return_at_once() -> None:
    """A run without items returns at once."""
    await async_run_in_parallel(double_number, [], limit=3, deliver=lambda _, __: None)


async def test_waits_double_until_the_deadline(clock: VirtualClock) -> None:
    """Waits between polls double, and the last is shortened to the deadline."""
    backoff = PollBackoff(20.0)
    while await backoff.async_wait():
        pass
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 4.5]
    assert backoff.seconds_left == 0


# <async only>
async def test_cancellation_ends_all_workers() -> None:
    """Cancellation ends the active workers, and starts no other."""
    started: list[int] = []

    async def hang(number: int) -> None:
        started.append(number)
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                while len(started) < 3:
                    await anyio.lowlevel.checkpoint()
                scope.cancel()

            group.start_soon(cancel)
            await async_run_in_parallel(hang, range(10), limit=3, deliver=lambda _, __: None)
    assert started == [0, 1, 2]


async def test_a_cancelled_cleanup_leaves_no_key(emulator: Emulator) -> None:
    """A cancelled cleanup deletes its temporary key."""
    project = await emulator.async_admin().projects.create(name="p")
    fill_project(emulator, project.id)
    transport = CountingTransport(emulator)
    with anyio.CancelScope() as scope:
        transport.before_request = lambda: scope.cancel() if "DELETE /indexes" in transport.requests[-1] else None
        await transport.async_admin().projects.delete_with_cleanup(project_id=project.id)
    assert scope.cancelled_caught
    assert transport.requests[-1].startswith("DELETE /admin/api-keys/")
    assert not emulator.state.api_keys


# </async only>
