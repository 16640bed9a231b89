"""The places for connections: handed on in order, and never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from unittest.mock import patch

import anyio
import pytest

from pinecone_admin._concurrency import AsyncFairSemaphore, FairSemaphore
from tests.support.together import PATIENCE, wait_until


def test_who_waits_longest_is_next() -> None:
    """However quick the one that gives a place back is to ask again, those that wait come first, in their order."""
    slots, order = FairSemaphore(1), list[int]()
    slots.acquire(0)

    def work(number: int) -> None:
        slots.acquire(PATIENCE)
        order.append(number)
        slots.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        wait_until(lambda: len(slots._waiting) > number)  # noqa: B023 - it is called at once
    slots.release()
    assert slots.acquire(PATIENCE)
    assert order == [0, 1, 2, 3, 4]
    for thread in threads:
        thread.join()


def test_who_has_waited_in_vain_is_forgotten() -> None:
    """A place that comes after the time is over goes to the next one."""
    slots = FairSemaphore(1)
    assert slots.acquire(0)
    assert not slots.acquire(0.001)
    slots.release()
    assert slots.acquire(0)
    assert not slots.acquire(0)


@pytest.mark.parametrize("comes", [True, False])
def test_an_interrupted_wait_takes_no_place(*, comes: bool) -> None:
    """Ctrl-C in the wait, also at the moment in which the place comes, leaves it to the next one."""
    slots = FairSemaphore(1)
    slots.acquire(0)

    def interrupt(*_: object) -> None:
        if comes:
            slots.release()
        raise KeyboardInterrupt

    with patch("threading.Event.wait", interrupt), pytest.raises(KeyboardInterrupt):
        slots.acquire(1)
    if not comes:
        slots.release()
    assert slots.acquire(0)
    assert not slots.acquire(0)


@pytest.mark.timeout(60)
def test_a_signal_handler_takes_a_place_too() -> None:
    """Also where the signal comes while its own thread is about to take one."""
    slots, taken = FairSemaphore(2), list[bool]()
    before = signal.signal(signal.SIGUSR1, lambda *_: taken.append(slots.acquire(0)))
    try:
        with slots._lock:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert taken == [True]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_take_and_give_places(backend: str) -> None:
    """Tasks wait in their order, give up after their time, and leave a place to the next one when cancelled."""

    async def main() -> None:
        slots, order = AsyncFairSemaphore(1), list[str]()
        assert await slots.acquire(0)
        assert not await slots.acquire(0.001)

        async def work(name: str) -> None:
            if await slots.acquire(PATIENCE):
                order.append(name)
                slots.release()

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.001):
                await work("cancelled")
            for name in ("first", "second"):
                group.start_soon(work, name)
                await anyio.wait_all_tasks_blocked()
            slots.release()
            assert await slots.acquire(PATIENCE)
        assert order == ["first", "second"]

    run: Callable[..., None] = anyio.run
    run(main, backend=backend)
