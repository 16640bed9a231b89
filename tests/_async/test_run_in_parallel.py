"""Bounded concurrency: what the workflows read and delete with."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import anyio
import anyio.lowlevel
import pytest

from pinecone_admin import AsyncAdmin
from pinecone_admin._concurrency import PollBackoff, async_run_in_parallel
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.fault_injection import CountingTransport
from tests.support.organizations import fill_project

pytestmark = pytest.mark.anyio


async def double(number: int) -> int:
    """Do some work."""
    return 2 * number


async def test_every_item_is_worked_on_and_delivered() -> None:
    """With its result, and in the thread of the caller."""
    delivered: dict[int, int] = {}
    threads: set[int] = set()

    def deliver(number: int, result: int) -> None:
        delivered[number] = result
        threads.add(threading.get_ident())

    await async_run_in_parallel(double, range(100), limit=7, deliver=deliver)
    assert delivered == {number: 2 * number for number in range(100)}
    assert threads == {threading.get_ident()}


async def test_items_are_taken_only_as_they_can_be_worked_on() -> None:
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

    await async_run_in_parallel(double, items(), limit=4, deliver=deliver)
    assert len(delivered) == 50


async def test_the_first_failure_ends_it_and_is_raised_as_it_is() -> None:
    """Of the work as of the delivery; nothing is wrapped in a group."""
    worked: list[int] = []

    async def work(number: int) -> int:
        worked.append(number)
        if number == 3:
            raise OSError("three")
        return number

    def refuse(number: int, result: int) -> None:
        raise LookupError(f"{number} {result}")

    with pytest.raises(OSError, match="three"):
        await async_run_in_parallel(work, range(100), limit=2, deliver=lambda _, __: None)
    assert len(worked) < 10
    with pytest.raises(LookupError):
        await async_run_in_parallel(double, range(100), limit=2, deliver=refuse)


async def test_nothing_to_do_is_done_at_once() -> None:
    """An empty project has no contents to delete."""
    await async_run_in_parallel(double, [], limit=3, deliver=lambda _, __: None)


async def test_waits_double_until_the_deadline(clock: VirtualClock) -> None:
    """The last one is cut to what is left, and then there is no other."""
    patience = PollBackoff(20.0)
    while await patience.async_wait():
        pass
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 4.5]
    assert patience.seconds_left == 0


# <async only>
async def test_cancelling_ends_what_is_under_way() -> None:
    """And nothing is begun any more."""
    begun: list[int] = []

    async def hang(number: int) -> None:
        begun.append(number)
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                while len(begun) < 3:
                    await anyio.lowlevel.checkpoint()
                scope.cancel()

            group.start_soon(cancel)
            await async_run_in_parallel(hang, range(10), limit=3, deliver=lambda _, __: None)
    assert begun == [0, 1, 2]


async def test_a_cleanup_that_is_cancelled_leaves_no_key(emulator: Emulator) -> None:
    """The deletion of the temporary key is shielded."""
    project = await emulator.async_admin().projects.create(name="p")
    fill_project(emulator, project.id)
    transport = CountingTransport(emulator)
    with anyio.CancelScope() as scope:
        transport.before_request = lambda: scope.cancel() if "DELETE /indexes" in transport.requests[-1] else None
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project.id)
    assert scope.cancelled_caught
    assert transport.requests[-1].startswith("DELETE /admin/api-keys/")
    assert not emulator.state.api_keys


# </async only>
